#!/usr/bin/env python3
"""
server.py [ADDRESS]: an HTTP server that is as slow as it is asked to be. It says
on standard output, one JSON object a line, what the truth about each call is
(stamped.py).
"""
import time


def slow_database_query(ms):
    time.sleep(ms / 1000)


def hard_work(ms):
    end = time.thread_time() + ms / 1000
    while time.thread_time() < end:
        sum(range(1000))


# What is above has line numbers that tests know.
# pylint: disable=wrong-import-position
import http.server
import os
import socket
import sys
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import stamped


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    begun = 0  # what of the socket's log belongs to this call

    def log_message(self, *_):
        pass

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        ms = int(dict(urllib.parse.parse_qsl(url.query)).get("ms", 0))
        getattr(self, "get" + url.path.replace("/", "_"), self.get_slow)(ms)

    do_HEAD = do_GET

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def get_slow(self, ms):
        slow_database_query(ms)
        self.answer(b"slow\n" * 100)

    def get_work(self, ms):
        hard_work(ms)
        self.answer(b"work\n")

    def get_both(self, ms):
        slow_database_query(ms)
        hard_work(ms)
        self.answer(b"both\n")

    def get_big(self, ms):
        slow_database_query(ms)
        self.answer(b"big\n" * 100000)

    def get_early(self, ms):
        hard_work(20)
        slow_database_query(ms)
        self.answer(b"early\n")

    def get_fail(self, ms):
        slow_database_query(ms)
        self.answer(b"sorry\n", 503)

    def get_chunked(self, ms):
        """The first byte late, and then more of them."""
        slow_database_query(ms)
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for _ in range(3):
            time.sleep(0.03)
            self.wfile.write(b"5\r\nchunk\r\n")
        self.wfile.write(b"0\r\n\r\n")
        self.told(200)

    def get_upgrade(self, ms):
        """From here on it is no HTTP, whatever it looks like."""
        slow_database_query(ms)
        self.send_response(101)
        self.send_header("Upgrade", "echo")
        self.send_header("Connection", "Upgrade")
        self.end_headers()
        self.told(101)
        self.close_connection = True
        while data := self.connection.recv(4096):
            time.sleep(ms / 1000)
            self.connection.sendall(data)

    def answer(self, body, status=200):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.told(status)

    def told(self, status):
        log = self.connection.log
        stamped.tell(
            stamped.server_call(
                self.connection,
                log[self.begun :],
                self.command,
                self.path,
                status,
                log[: self.begun],
            )
        )
        self.begun = len(log)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1000

    def get_request(self):
        sock, address = self.socket.accept()
        sock = stamped.Stamped(fileno=sock.detach())
        return stamped.with_tls(sock, server=True), address


def main():
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
    if ":" in address:
        Server.address_family = socket.AF_INET6
    server = Server((address, 0), Handler)
    stamped.ready(server.server_address[1])
    server.serve_forever()


if __name__ == "__main__":
    main()
