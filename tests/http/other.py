#!/usr/bin/env python3
"""
other.py: protocols that are not HTTP, with answers that are late, some of which
begin as HTTP does. A client and a server in one process.
"""
import os
import socket
import struct
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import stamped  # pylint: disable=wrong-import-position

LATE = 0.12


def packet(kind, text):
    return kind + struct.pack(">I", len(text) + 5) + text + b"\0"


# What a client sends, and what the server answers; None: the server begins.
TALKS = [
    # A database.
    [
        (struct.pack(">II", 8, 80877103), b"N"),
        (packet(b"", b"\0\3\0\0user\0me\0"), packet(b"R", b"\0\0\0\0")),
        (packet(b"Q", b"SELECT 'GET / HTTP/1.1'"), packet(b"T", b"HTTP/1.1 200")),
    ],
    # ssh
    [
        (None, b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", os.urandom(1000)),
        (os.urandom(600), os.urandom(600)),
    ],
    # A cache, whose commands are words.
    [
        (b"GET key\r\n", b"$5\r\nvalue\r\n"),
        (b"DELETE key\r\n", b":1\r\n"),
        (b"GET / HTTP\r\n", b"-ERR wrong number of arguments\r\n"),
    ],
    # Words that are longer, or shorter.
    [(b"POSTGRES 1 HTTP/1.1\r\n\r\n", b"HTTPS no\r\n")],
    [(b"GE", b"HT")],
    [(b"G", b"ET / HTTP/1.1\r\n\r\n"), (b"\0", b"HTTP/1.1 200 OK\r\n\r\n")],
    # HTTP/2 by prior knowledge.
    [(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\0\0\0\4\0\0\0\0\0")],
    # TLS
    [(b"\x16\x03\x01\0\5GET /", b"\x16\x03\x03\0\5HTTP/")],
]


def serve(listener, talk):
    sock, _ = listener.accept()
    with sock:
        for up, down in talk:
            if up is not None:
                sock.recv(len(up), socket.MSG_WAITALL)
            time.sleep(LATE)
            sock.sendall(down)


def ask(port, talk):
    with socket.create_connection(("127.0.0.1", port)) as sock:
        for up, down in talk:
            if up is not None:
                sock.sendall(up)
            assert sock.recv(len(down), socket.MSG_WAITALL) == down


def main():
    stamped.wait_for_go()
    workers = []
    for talk in TALKS:
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        workers += [
            threading.Thread(target=serve, args=(listener, talk)),
            threading.Thread(target=ask, args=(port, talk)),
        ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    stamped.tell({"talked": len(TALKS)})


if __name__ == "__main__":
    main()
