#!/usr/bin/env python3
"""
burst.py server [ADDRESS] | client [OPTION]... PORT [KIND:]MS...: pipelined
calls, of which several come in one piece. The client sends all requests at once
(or in so many parts, or cut at places that --cut names); the server answers each
after so many milliseconds, together with those behind it that want none. What
requests and answers are like is different from one to the next, unless a kind is
named. The truth is on standard output (stamped.py).
"""
import argparse
import os
import select
import socket
import sys
import threading
import time
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import stamped  # pylint: disable=wrong-import-position

# What it looks like inside is none of anybody's business.
FAKE = b"\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nGET / HTTP/1.1\r\n\r\n"
BIG = b"GET / HTTP/1.1\r\n\r\n" * 60000
ALONE = "&alone=1"
KINDS = ("slow", "fake", "none", "head", "chunked", "continue", "post", "long")


def plain(body, status="200 OK"):
    head = f"HTTP/1.1 {status}\r\nServer: burst\r\ncontent-length:{len(body)}\r\n\r\n"
    return head.encode() + body


def answer(path):
    """The answer to this path, all of its bytes."""
    kind = path[1 : path.index("?")]
    if kind == "fake":
        return plain(FAKE)
    if kind == "none":
        return b"HTTP/1.1 204 No Content\r\nServer: burst\r\n\r\n"
    if kind == "head":  # without the body that it tells of
        return b"HTTP/1.1 200 OK\r\nContent-Length: 12345678\r\n\r\n"
    if kind == "chunked":
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        return head + b"5\r\nchunk\r\n3\r\n\r\n0\r\n0\r\n\r\n"
    if kind == "continue":
        return b"HTTP/1.1 100 Continue\r\n\r\n" + plain(b"x" * 20)
    if kind == "long":
        return plain(b"long\n" * 2000, "404 Not Found")
    return plain(b"slow\n" * 100)


def status_of(path):
    data = answer(path)
    return 404 if b" 404 " in data[:20] else 204 if b" 204 " in data[:20] else 200


def method_of(path):
    methods = {"/head": "HEAD", "/post": "POST", "/big": "POST", "/put": "PUT"}
    return methods.get(path[: path.index("?")], "GET")


def body_of(path):
    """Of a request whose length it says."""
    bodies = {"/post": FAKE, "/big": BIG}
    return bodies.get(path[: path.index("?")], b"")


def head_of(path):
    """The request to this path, up to its body."""
    host = f"burst.{'y' * 200}" if path.startswith("/put?") else "burst"
    head = f"{method_of(path)} {path} HTTP/1.1\r\nHost: {host}\r\nX-Y: {'z' * 40}\r\n"
    if body_of(path):
        head += f"Content-Length: {len(body_of(path))}\r\n"
    if path.startswith("/put?"):
        head += "transfer-encoding:chunked\r\n"
    return head.encode() + b"\r\n"


def request(path):
    body = body_of(path)
    if path.startswith("/put?"):
        chunk = f"{len(FAKE):x}".encode() + b";name=value\r\n" + FAKE + b"\r\n"
        body = chunk + b"1aB\r\n" + b"0\r\n\r\n" * 85 + b"00\r\n" + chunk
        body += b"0\r\nX-Trailer: 1\r\n\r\n"
    return head_of(path) + body


def places(paths, cuts):
    """Where to cut what is sent: REQUEST:BYTES, from its end where less than 0,
    or REQUEST:head, behind its head."""
    for cut in cuts:
        number, at = cut.split(":")
        before = sum(len(request(path)) for path in paths[: int(number)])
        path = paths[int(number)]
        at = len(head_of(path)) if at == "head" else int(at)
        yield before + at + (len(request(path)) if at < 0 else 0)


def using(uses, byte):
    """Which of these (end, use) has this byte of the connection's."""
    return next(use for end, use in uses if end > byte)


def used(way, use):
    """When @use was, which may have begun with something else."""
    copy = stamped.Use(way, use.begin, 0, b"")
    copy.end = use.end
    return copy


def tell(make, sock, log, path):
    found = make(sock, log, method_of(path), path, status_of(path))
    del found["rx_bytes"], found["tx_bytes"]  # of all in the same piece
    if path.endswith(ALONE):
        sizes = len(answer(path)), len(request(path))
        if make is stamped.server_call:
            sizes = sizes[::-1]
        found["rx_bytes"], found["tx_bytes"] = sizes
    stamped.tell(found)


def client(args):
    paths = []
    for i, word in enumerate(args.ms):
        kind, _, ms = word.rpartition(":")
        paths.append(f"/{kind or KINDS[i % len(KINDS)]}?ms={ms}")
    if len(paths) == 1:
        paths = [paths[0] + ALONE]
    sock = None if args.late else stamped.connect(args.host, args.port)
    stamped.wait_for_go()
    sock = sock or stamped.connect(args.host, args.port)
    sock.setblocking(not args.nonblock)
    for _ in range(args.times):
        burst(sock, paths, args)


def burst(sock, paths, args):
    """All of these calls, once."""
    each = -(-len(paths) // args.parts)
    data = b"".join(map(request, paths))
    cuts = list(places(paths, args.cut))
    if not cuts:
        cuts = list(places(paths, [f"{i}:0" for i in range(each, len(paths), each)]))
    at, sent = 0, []
    for end in cuts + [len(data)]:
        while at < end:
            try:
                at += sock.send(data[at:end])
                sent.append((at, sock.log[-1]))
            except BlockingIOError:
                select.select((), (sock,), ())
        time.sleep(args.pause / 1000)
    asked, need, got, data = 0, 0, [], b""
    for path in paths:
        use = using(sent, asked)
        asked += len(request(path))
        size, first = len(answer(path)), len(data)
        # Where its answer proper begins, which takes so many bytes to see.
        first = need + answer(path).rindex(b"HTTP/1.1 ") + 12
        if path.startswith("/fake?"):
            first = need + 12
        while len(data) < need + size:
            if args.nonblock:
                select.select((sock,), (), ())
            data += sock.recv(args.read)
            got.append((len(data), sock.log[-1]))
        need += size
        begin = [u for end, u in got if end > first - 12][0]
        last = [u for end, u in got if end >= need][0]
        log = [use, used("rx", begin), used("rx", last)]
        tell(stamped.client_call, sock, log, path)
    expected = b"".join(map(answer, paths))
    assert data == expected


def paths_in(data):
    """The paths of the requests that are all there, and what is left of it."""
    paths = []
    while b"\r\n\r\n" in data:
        path = data.split(b" ", 2)[1].decode()
        size = len(request(path))
        if len(data) < size:
            break
        assert data.startswith(request(path))
        paths.append(path)
        data = data[size:]
    return paths, data


def serve(sock):
    data, waiting, got, done = b"", [], [], 0

    def flush():
        if not waiting:
            return
        sock.sendall(b"".join(answer(path) for path, _ in waiting))
        sent = used("tx", sock.log[-1])
        for path, use in waiting:
            tell(stamped.server_call, sock, [use, sent], path)
        waiting.clear()

    while more := sock.recv(65536):
        got.append((done + len(data) + len(more), sock.log[-1]))
        paths, data = paths_in(data + more)
        for path in paths:
            use = using(got, done)
            done += len(request(path))
            query = urllib.parse.urlsplit(path).query
            ms = int(dict(urllib.parse.parse_qsl(query))["ms"])
            if ms:
                flush()
                time.sleep(ms / 1000)
            waiting.append((path, use))
        flush()


def server(args):
    family = socket.AF_INET6 if ":" in args.host else socket.AF_INET
    listener = stamped.Stamped(family, socket.SOCK_STREAM)
    listener.bind((args.host, 0))
    listener.listen()
    stamped.ready(listener.getsockname()[1])
    while True:
        sock, _ = listener.accept()
        sock = stamped.with_tls(sock, server=True)
        threading.Thread(target=serve, args=(sock,), daemon=True).start()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--parts", type=int, default=1, help="sends")
    parser.add_argument("--pause", type=int, default=0, help="ms, behind each")
    parser.add_argument("--cut", action="append", default=[], help="REQUEST:BYTES")
    parser.add_argument("--times", type=int, default=1, help="all of it, that often")
    parser.add_argument("--nonblock", action="store_true", help="that is the client")
    parser.add_argument("--read", type=int, default=65536, help="bytes at most")
    parser.add_argument("--late", action="store_true", help="connect then")
    parser.add_argument("role", choices=("server", "client"))
    parser.add_argument("port", type=int, nargs="?")
    parser.add_argument("ms", nargs="*")
    args = parser.parse_args()
    globals()[args.role](args)


if __name__ == "__main__":
    main()
