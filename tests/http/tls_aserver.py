#!/usr/bin/env python3
"""
tls_aserver.py: as aserver.py, over TLS. Its bytes are asyncio's business, so that
the truth is what the coroutine sees.
"""
import asyncio
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import stamped  # pylint: disable=wrong-import-position

BODY = b"slow\n" * 100


async def serve(reader, writer):
    sock = writer.get_extra_info("socket")
    while True:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            break
        start = time.monotonic_ns()
        path = head.split()[1].decode()
        await asyncio.sleep(int(path.partition("ms=")[2]) / 1000)
        first = time.monotonic_ns()
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
        )
        stamped.tell(
            stamped.call("server", sock, "GET", path, 200, start, first, first)
        )
    writer.close()


async def main():
    server = await asyncio.start_server(
        serve, "127.0.0.1", 0, ssl=stamped.tls_context(server=True)
    )
    stamped.ready(server.sockets[0].getsockname()[1])
    async with server:
        await server.serve_forever()


asyncio.run(main())
