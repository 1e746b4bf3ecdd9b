#!/usr/bin/env python3
"""
tls_aclient.py PORT CONNECTIONS MS...: as aclient.py, over TLS. Its bytes are
asyncio's business, so that the truth is what the coroutine sees.
"""
import asyncio
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import stamped  # pylint: disable=wrong-import-position

SIZE = 500


async def make_calls(reader, writer, delays):
    for ms in delays:
        path, start = f"/slow?ms={ms}", time.monotonic_ns()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        first = time.monotonic_ns()
        await reader.readexactly(SIZE)
        sock, last = writer.get_extra_info("socket"), time.monotonic_ns()
        stamped.tell(
            stamped.call("client", sock, "GET", path, 200, start, first, last)
        )
    writer.close()


async def main():
    port, count, *delays = map(int, sys.argv[1:])
    context = stamped.tls_context(server=False)
    ends = [
        await asyncio.open_connection("127.0.0.1", port, ssl=context)
        for _ in range(count)
    ]
    stamped.wait_for_go()
    turns = [
        delays[n % len(delays) :] + delays[: n % len(delays)]
        for n in range(count)
    ]
    await asyncio.gather(
        *(make_calls(*end, turn) for end, turn in zip(ends, turns))
    )


asyncio.run(main())
