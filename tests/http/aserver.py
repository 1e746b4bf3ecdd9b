#!/usr/bin/env python3
"""
aserver.py: an HTTP server of one thread with asyncio, which is as slow as it is
asked to be, and the truth about it on standard output (stamped.py).
"""
import asyncio
import os
import socket
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import stamped  # pylint: disable=wrong-import-position

BODY = b"slow\n" * 100


async def serve(reader, writer):
    sock = writer.get_extra_info("socket")._sock  # pylint: disable=protected-access
    while True:
        begun = len(sock.log)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            break
        # What was read before the reader was asked is of this call too.
        while begun and sock.log[begun - 1].way == "rx":
            begun -= 1
        path = head.split()[1].decode()
        await asyncio.sleep(int(path.partition("ms=")[2]) / 1000)
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
        )
        stamped.tell(
            stamped.server_call(sock, sock.log[begun:], "GET", path, 200)
        )
    writer.close()


async def main():
    sock = stamped.Stamped(socket.AF_INET, socket.SOCK_STREAM)
    sock.bind(("127.0.0.1", 0))
    server = await asyncio.start_server(serve, sock=sock, backlog=1000)
    stamped.ready(sock.getsockname()[1])
    async with server:
        await server.serve_forever()


asyncio.run(main())
