#!/usr/bin/env python3
"""
client.py [OPTION]... HOW PORT: calls of a server whose answers are late, and the
truth about them on standard output (stamped.py). It is connected before it says
that it is ready, and begins when a line is read from standard input.
"""
import argparse
import http.client
import os
import select
import socket
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import stamped  # pylint: disable=wrong-import-position


def connection(args):
    sock = stamped.connect(args.host, args.port)
    conn = http.client.HTTPConnection(args.host, args.port)
    conn.sock = sock
    return conn


def make_call(conn, method, path, body=None):
    """The function that a client's stack begins with."""
    sock, begun = conn.sock, len(conn.sock.log)
    conn.request(method, path, body)
    answer = conn.getresponse()
    answer.read()
    stamped.tell(
        stamped.client_call(sock, sock.log[begun:], method, path, answer.status)
    )


def plain(args, conn):
    for ms in args.ms:
        make_call(conn, args.method, f"{args.path}?ms={ms}", args.body)


def read_answer(sock, body=True, data=b"", more=None):
    """
    All of one answer, by its Content-Length; @data: what is there of it. What
    came with it of the next one goes to the list @more, if there may be any.
    """
    while b"\r\n\r\n" not in data:
        data += sock.recv(65536)
    head, _, rest = data.partition(b"\r\n\r\n")
    if head[9:12] == b"100":
        return read_answer(sock, body, rest, more)
    size = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:") and body:
            size = int(line.split(b":")[1])
    while len(rest) < size:
        rest += sock.recv(65536)
    if more is not None:
        more.append(rest[size:])
    assert len(rest) == size or more or not body, "two answers at once"
    return int(head[9:12])


def request(path, *headers, method="GET"):
    lines = [f"{method} {path} HTTP/1.1", "Host: test", *headers, "", ""]
    return "\r\n".join(lines).encode()


def by_hand(args, sock, send):
    for ms in args.ms:
        path, begun = f"{args.path}?ms={ms}", len(sock.log)
        method = send(sock, path)
        status = read_answer(sock)
        stamped.tell(
            stamped.client_call(sock, sock.log[begun:], method, path, status)
        )


def bytewise(args, conn):
    """The request line, a byte each time, and then the rest."""

    def send(sock, path):
        line, _, rest = request(path).partition(b"\r\n")
        for byte in line + b"\r\n":
            sock.sendall(bytes([byte]))
        sock.sendall(rest)
        return "GET"

    by_hand(args, conn.sock, send)


def expect(args, conn):
    """100 Continue, and then the body."""

    def send(sock, path):
        headers = "Content-Length: 10", "Expect: 100-continue"
        sock.sendall(request(path, *headers, method="POST"))
        assert sock.recv(4096).startswith(b"HTTP/1.1 100 ")
        sock.sendall(b"0123456789")
        return "POST"

    by_hand(args, conn.sock, send)


def epoll(args, conn):
    """Reads find nothing at first."""
    sock = conn.sock
    sock.setblocking(False)
    poll = select.epoll()
    poll.register(sock, select.EPOLLIN)
    for ms in args.ms:
        path, begun, data = f"{args.path}?ms={ms}", len(sock.log), b""
        sock.sendall(request(path))
        while b"slow\n" * 100 not in data:
            try:
                data += sock.recv(65536)
            except BlockingIOError:
                poll.poll()
        stamped.tell(
            stamped.client_call(sock, sock.log[begun:], "GET", path, 200)
        )


def reuse(args, conn):
    """A connection for each, always with the same descriptor."""
    number = conn.sock.fileno()
    for ms in args.ms:
        if conn.sock.fileno() < 0:
            conn.sock = stamped.connect(args.host, args.port)
        assert conn.sock.fileno() == number
        make_call(conn, "GET", f"/slow?ms={ms}")
        conn.sock.close()


def pipelined(args, conn):
    """All requests at once."""
    sock, begun = conn.sock, len(conn.sock.log)
    paths = [f"/slow?ms={ms}" for ms in args.ms]
    sock.sendall(b"".join(map(request, paths)))
    sent, data = sock.log[begun], b""
    for path in paths:
        begun, more = len(sock.log) - bool(data), []
        read_answer(sock, data=data, more=more)
        log, data = [sent, *sock.log[begun:]], more[0]
        found = stamped.client_call(sock, log, "GET", path, 200)
        del found["rx_bytes"], found["tx_bytes"]
        stamped.tell(found)


def upgrade(args, conn):
    """What looks like calls afterwards is none."""
    sock, path = conn.sock, f"/upgrade?ms={args.ms[0]}"
    begun = len(sock.log)
    sock.sendall(request(path, "Connection: Upgrade", "Upgrade: echo"))
    status = read_answer(sock)
    found = stamped.client_call(sock, sock.log[begun:], "GET", path, status)
    stamped.tell(found)
    for data in (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"):
        sock.sendall(data)
        assert sock.recv(4096)


def threads(args, conn):
    """A connection for each, all at once."""
    conns = [connection(args) for _ in args.ms]
    conn.sock.close()
    workers = [
        threading.Thread(target=make_call, args=(c, "GET", f"/slow?ms={ms}"))
        for c, ms in zip(conns, args.ms)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--method", default="GET")
    parser.add_argument("--path", default="/slow")
    parser.add_argument("--body")
    parser.add_argument("--late", action="store_true", help="connect then")
    parser.add_argument("how")
    parser.add_argument("port", type=int)
    parser.add_argument("ms", type=int, nargs="+")
    args = parser.parse_args()
    conn = None if args.late else connection(args)
    stamped.wait_for_go()
    globals()[args.how](args, conn or connection(args))


if __name__ == "__main__":
    main()
