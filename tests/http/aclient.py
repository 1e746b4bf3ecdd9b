#!/usr/bin/env python3
"""
aclient.py PORT CONNECTIONS MS...: keep-alive connections at once, with asyncio;
each makes as many calls as there are delays, beginning with another one. The
truth about them is on standard output (stamped.py).
"""
import asyncio
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import stamped  # pylint: disable=wrong-import-position

SIZE = 500


async def make_calls(sock, delays):
    sock.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=sock)
    for ms in delays:
        path, begun = f"/slow?ms={ms}", len(sock.log)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(SIZE)
        stamped.tell(
            stamped.client_call(sock, sock.log[begun:], "GET", path, 200)
        )
    writer.close()


async def main():
    port, count, *delays = map(int, sys.argv[1:])
    socks = [stamped.connect("127.0.0.1", port) for _ in range(count)]
    stamped.wait_for_go()
    turns = [
        delays[n % len(delays) :] + delays[: n % len(delays)]
        for n in range(count)
    ]
    await asyncio.gather(*map(make_calls, socks, turns))


asyncio.run(main())
