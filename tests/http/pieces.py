#!/usr/bin/env python3
"""
pieces.py NAME: calls whose messages come in pieces that are hard to tell from
each other, with both ends in this process; each takes so long to be answered
that it is late. The truth is on standard output: an array for each row, of role,
method, path, bytes received and bytes sent.
"""
import json
import os
import socket
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import stamped  # pylint: disable=wrong-import-position

LATE = 0.12
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNK = b"5\r\nhello\r\n"


def pair(listener):
    client = socket.create_connection(listener.getsockname())
    ends = client, listener.accept()[0]
    for end in ends:
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return ends


def recv(sock, size, flags=0):
    while size:
        got = sock.recv(size, flags)
        assert got
        size -= len(got)


def get(number):
    return f"GET /{number} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def head(number, length=5):
    head_of = f"POST /{number} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"
    return head_of.encode()


class Connection:
    def __init__(self, listener):
        self.client, self.server = pair(listener)

    def ask(self, *pieces):
        for piece in pieces:
            self.client.sendall(piece)
            recv(self.server, len(piece))

    def answer(self, data=OK, late=LATE):
        if late:  # to sleep at all is to lose the processor
            time.sleep(late)
        self.server.sendall(data)
        recv(self.client, len(data))

    def post(self, number):
        self.ask(head(number), b"hello")


def called(method, number, sent, received):
    """What is to be told of a call: as many bytes as its client had."""
    path = f"/{number}"
    print(json.dumps(["client", method, path, received, sent]))
    print(json.dumps(["server", method, path, sent, received]))


def newlines(con, _):
    """An answer, and requests, whose lines end in a newline alone."""
    answer = OK.replace(b"\r", b"")
    for i in range(3):
        con.post(i)
        con.answer(answer)
        called("POST", i, len(head(i)) + 5, len(answer))
    for i in range(3, 6):
        con.ask(b"GE", f"T /{i} HTTP/1.0\n\n".encode())
        con.answer()
        called("GET", i, 17, len(OK))


def dropped(con, _):
    """The client has the body of an answer dropped."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"
    for i in range(3):
        con.post(i)
        time.sleep(LATE)
        con.server.sendall(answer + b"x" * 500)
        recv(con.client, len(answer))
        recv(con.client, 500, socket.MSG_TRUNC)
        print(json.dumps(["client", "POST", f"/{i}", len(answer), len(head(i)) + 5]))
        print(
            json.dumps(["server", "POST", f"/{i}", len(head(i)) + 5, len(answer) + 500])
        )


def padded(con, _):
    """Lengths of chunks with zeros in front."""
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n00000010\r\n"
    answer += b"fedcba9876543210" + b"\r\n00000000\r\n\r\n"
    for i in range(3):
        con.post(i)
        con.answer(answer)
        called("POST", i, len(head(i)) + 5, len(answer))


def early(con, _):
    """An answer comes before the chunks of its request have."""
    begin = b"POST /0 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK
    con.ask(begin)
    con.answer()
    con.ask(CHUNK, CHUNK, b"0\r\n\r\n")
    called("POST", 0, len(begin) + 2 * len(CHUNK) + 5, len(OK))


def one_more(con):
    """A POST and a GET are over; another GET."""
    con.ask(get(2))
    con.answer()
    called("POST", 0, len(head(0)) + 5, len(OK))
    for i in 1, 2:
        called("GET", i, len(get(i)), len(OK))


def early_tail(con, _):
    """And the next request comes with the last bytes of the one before."""
    con.ask(head(0))
    con.answer()
    con.ask(b"hello" + get(1))
    con.answer()
    one_more(con)


def some_tail(con, _):
    """The same with a part of the next request."""
    con.ask(head(0), b"hello" + get(1)[:9])
    con.answer()
    con.ask(get(1)[9:])
    con.answer()
    one_more(con)


def late_parts(con, _):
    """Requests that are late before they are all there, and answered at once."""
    con.ask(get(0))
    con.answer()
    called("GET", 0, None, None)
    for i in range(1, 6):
        busy = time.monotonic() + 0.03
        while time.monotonic() < busy:
            pass
        con.ask(get(i)[:2])
        time.sleep(LATE)
        con.ask(get(i)[2:])
        con.answer(late=0)
        called("GET", i, None, None)
    con.ask(head(6), b"hello" + get(7)[:9])
    con.answer()
    called("POST", 6, None, None)
    con.ask(get(7)[9:])
    con.answer(late=0)
    called("GET", 7, None, None)


def no_http(con, _):
    """What looks like requests until it is answered."""
    for i in range(3):
        con.ask(f"GET key{i}\r\n".encode())
        con.answer(b"$-1\r\n")
    con.ask(get(0))
    con.answer()


def expected(con, _):
    """100 Continue, then the body, with the next request."""
    con.ask(head(0))
    con.answer(b"HTTP/1.1 100 Continue\r\n\r\n", late=0)
    con.ask(b"hello" + get(1))
    con.answer(OK + OK)
    called("POST", 0, None, None)
    called("GET", 1, None, None)


def tunnel(con, _):
    """A request in two pieces is what HTTP ends with."""
    request = get(0)
    con.ask(request[:20], request[20:])
    answer = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
    con.answer(answer)
    con.ask(get(1))
    con.answer()
    called("GET", 0, len(request), len(answer))


def fragments(con, listener):
    """TCP takes what is sent in two parts, where its pages end."""
    other = pair(listener)
    requests = [f"GET /{i} HTTP/1.1\r\nHost: {'h' * 70}\r\n\r\n" for i in range(16)]
    data = "".join(requests).encode()
    for _ in range(40):
        other[0].sendall(b"x" * 7)  # which holds the page
        con.ask(data)
        other[0].sendall(b"x" * 7)
        con.answer(OK * 16)
        for i in range(16):
            called("GET", i, None, None)


def refused(con, _):
    """TCP has no room for a request; then it has."""
    con.ask(get(0))
    con.answer()
    called("GET", 0, None, None)
    con.client.setblocking(False)
    size = 0
    while True:
        try:
            size += con.client.send(b"x" * 65536)
        except BlockingIOError:
            break
    for _ in range(3):
        try:
            con.client.send(get(1))
            assert False
        except BlockingIOError:
            pass
    recv(con.server, size)
    con.client.setblocking(True)
    for i in 1, 2:
        con.ask(get(i))
        con.answer()
        called("GET", i, None, None)


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    con = Connection(listener)
    scenario = globals()[sys.argv[1]]
    stamped.wait_for_go()
    scenario(con, listener)
    con.client.close()


if __name__ == "__main__":
    main()
