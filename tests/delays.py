#!/usr/bin/env python3
"""
Who knows what delay_analysis_in and delay_analysis_out should say.

delays.py capture DEVICE [--out]: print a JSON line for each TCP packet with data
that comes in at DEVICE, from "ready" until SIGTERM; or for each TCP packet, with
data or not, that goes out.
delays.py late MS HOW [--ip 6] [--count N] [--sends N] [--options]: again and
again data, in so many packets, that is read MS milliseconds after it came, by
recv, peek, splice or read in small pieces; or with options of IP. Begins at a
line of standard input; prints who it is, and then what each row is to have.
delays.py held MS: three packets that come while a process works with the socket
and is held up for MS milliseconds (it reads into memory that is not there yet:
userfaultfd). As late, but what is late is the way to the socket.
delays.py softirq: as late, but what is late is the softirq of processor 1, where
the device's packets are to go (RPS), and which has datagrams for many sockets to
look at before each packet; this is sent by processor 0, and read at once.
delays.py refused ADDR...: connect to port 7 of each, where nobody listens.
delays.py unread COUNT: on SIGUSR1, so many packets that are never read.
delays.py sink ADDR PORT: read what one connection brings, to its end.
delays.py bursts ADDR PORT: send it six times three full packets and a piece,
without an end that is marked, and a moment later that.
delays.py behind ADDR PORT: connect, and then again and again send packets of 100
bytes, each to ADDR and behind a tenth of a second of UDP in the same queue (of
2 Mbit/s). delays.py quickack ADDR PORT: again and again, 50 milliseconds after
what came, an acknowledgement that the application asks for. delays.py corked ADDR
PORT --ms MS: 100 bytes and, MS milliseconds later, 100 more, which the first ones
have had to wait for (MSG_MORE). delays.py block ADDR PORT --bytes N: all in one
call. delays.py syns ADDR PORT: 1,000 connects. Each begins at a line of standard
input and prints who it is, and when each call was.
delays.py compare TRUTH ROWS [--once]: is there a row for each captured packet,
and none besides, with stages that add up? (--once: also for what was sent twice;
--sample RATE: for those that are in the sample; --out: of packets that go out,
whose sockets have the same addresses, but for --nat; --without-last: but for what
TIME_WAIT acknowledges.) Exit status 1 and the difference if not.
"""
import argparse
import collections
import ctypes
import datetime
import fcntl
import json
import mmap
import os
import signal
import socket
import struct
import sys
import threading
import time

SIOCOUTQ = 0x5411
OUTGOING = 4  # PACKET_OUTGOING
SO_ATTACH_FILTER = 26
SO_RCVBUFFORCE = 33
SO_TIMESTAMPNS = 35
SO_MAX_PACING_RATE = 47
WITHIN_NS = 5000000 * int(os.environ.get("NB_SLOW", "1"))
FIELDS = ("ip", "saddr", "sport", "daddr", "dport", "seq", "ack", "length")
# Of packets that go out: after NAT.
OUT_FIELDS = (
    "ip",
    "nat_saddr",
    "nat_sport",
    "nat_daddr",
    "nat_dport",
    "seq",
    "ack",
    "length",
    "flags",
)


def parse(frame, protocol):
    """What FIELDS say of a packet, and its flags; None: it is none of TCP's."""
    if protocol == 0x0800:
        ip, at = 4, (frame[0] & 15) * 4
        if frame[9] != 6:
            return None
        end = struct.unpack("!H", frame[2:4])[0]
        saddr = socket.inet_ntop(socket.AF_INET, frame[12:16])
        daddr = socket.inet_ntop(socket.AF_INET, frame[16:20])
    elif protocol == 0x86DD:
        ip, at, following = 6, 40, frame[6]
        while following in (0, 43, 60):
            following, at = frame[at], at + 8 + 8 * frame[at + 1]
        if following != 6:
            return None
        end = 40 + struct.unpack("!H", frame[4:6])[0]
        saddr = socket.inet_ntop(socket.AF_INET6, frame[8:24])
        daddr = socket.inet_ntop(socket.AF_INET6, frame[24:40])
    else:
        return None
    sport, dport, seq, ack, doff, bits = struct.unpack(
        "!HHIIBB", frame[at : at + 14]
    )
    # Of more than 64 KB IP says 0.
    length = (end if end > at else len(frame)) - at - (doff >> 4) * 4
    flags = "".join(c for i, c in enumerate("FSRP.UEW") if bits & 1 << i)
    return dict(
        zip(FIELDS, (ip, saddr, sport, daddr, dport, seq, ack, length)),
        flags=flags,
    )


def as_out(row):
    """A captured packet, under the names of delay_analysis_out's JSON."""
    names = ("saddr", "sport", "daddr", "dport")
    return {("nat_" if k in names else "") + k: v for k, v in row.items()}


def capture(args):
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
    wire.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    wire.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    wire.bind((args.device, 3))
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(1))
    print("ready", flush=True)
    wire.settimeout(0.1)
    while True:
        try:
            frame, extra, _, (_, protocol, kind, *_) = wire.recvmsg(
                65600, 64
            )
        except TimeoutError:
            if ended:
                break
            continue
        if (kind == OUTGOING) != args.out:
            continue
        row = parse(frame, protocol)
        if row and args.out:
            row = as_out(row)
        if row and (row["length"] or args.out):
            seconds, ns = struct.unpack("qq", extra[0][2])
            row["captured_ns"] = seconds * 10**9 + ns
            print(json.dumps(row))
    lost = struct.unpack("II", wire.getsockopt(263, 6, 8))[1]
    if lost:
        sys.exit(f"delays.py: {lost} packets were not captured")


def read_some(conn, how, length):
    libc = ctypes.CDLL(None, use_errno=True)
    if how == "recv":
        return len(conn.recv(length))
    if how == "peek":
        conn.recv(length, socket.MSG_PEEK)
        time.sleep(0.001)
        return len(conn.recv(length))
    if how == "pieces":
        return len(conn.recv(min(length, 10)))
    reader, writer = os.pipe()
    got = libc.splice(conn.fileno(), None, writer, None, length, 0)
    os.close(reader)
    os.close(writer)
    if got < 0:
        sys.exit(f"delays.py: cannot splice: {ctypes.get_errno()}")
    return got


def late(args):
    family = socket.AF_INET6 if args.ip == 6 else socket.AF_INET
    addr = "::1" if args.ip == 6 else "127.0.0.1"
    listener = socket.create_server((addr, 0), family=family)
    client = socket.create_connection(listener.getsockname()[:2])
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    conn, _ = listener.accept()
    row = {
        "saddr": addr,
        "sport": client.getsockname()[1],
        "daddr": addr,
        "dport": listener.getsockname()[1],
        "pid": os.getpid(),
        "length": args.length,
    }
    if args.options and args.ip == 6:
        options = b"\x00\x00\x01\x04\x00\x00\x00\x00"
        client.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, options)
    elif args.options:
        client.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, b"\x01" * 8)
    print(json.dumps(row), flush=True)
    sys.stdin.readline()
    for _ in range(args.count):
        sends = []
        for _ in range(args.sends):
            start = time.monotonic_ns()
            client.sendall(b"x" * args.length)
            sends.append((start, time.monotonic_ns()))
            # Or more of them become one packet.
            time.sleep(0.005 if args.sends > 1 else 0)
        time.sleep(args.ms / 1000)
        begin = time.monotonic_ns()
        left = args.length * args.sends
        while left:
            left -= read_some(conn, args.how, left)
        end = time.monotonic_ns()
        for start, sent in sends:
            row["least_us"] = (begin - sent) / 1000
            row["most_us"] = (end - start) / 1000
            print(json.dumps(row), flush=True)


class Hole:
    """A page of memory that is there only when it is filled."""

    API, REGISTER, ZEROPAGE = 0xC018AA3F, 0xC020AA00, 0xC020AA04
    USERFAULTFD, PAGE = 323, 4096

    def __init__(self):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.syscall(self.USERFAULTFD, os.O_CLOEXEC)
        if self.fd < 0:
            sys.exit(f"delays.py: no userfaultfd: {ctypes.get_errno()}")
        self.page = mmap.mmap(-1, self.PAGE)
        self.at = ctypes.addressof(ctypes.c_char.from_buffer(self.page))
        fcntl.ioctl(self.fd, self.API, struct.pack("QQQ", 0xAA, 0, 0))
        fcntl.ioctl(
            self.fd,
            self.REGISTER,
            struct.pack("QQQQ", self.at, self.PAGE, 1, 0),
        )

    def fill(self):
        fcntl.ioctl(
            self.fd,
            self.ZEROPAGE,
            struct.pack("QQQQ", self.at, self.PAGE, 0, 0),
        )


def await_fault(tid):
    for _ in range(10000):
        with open(f"/proc/self/task/{tid}/wchan", encoding="ascii") as f:
            if "userfault" in f.read():
                return
        time.sleep(0.001)
    sys.exit("delays.py: nobody waits for the page")


def held(args):
    hole = Hole()
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    conn, _ = listener.accept()
    row = {"dport": listener.getsockname()[1], "pid": os.getpid()}
    print(json.dumps(row), flush=True)
    sys.stdin.readline()
    client.sendall(b"a")
    reader = threading.Thread(target=conn.recv_into, args=(hole.page, 1))
    reader.start()
    await_fault(reader.native_id)
    sends = []
    for _ in range(3):
        start = time.monotonic_ns()
        client.sendall(b"x" * 100)
        sends.append((start, time.monotonic_ns()))
    time.sleep(args.ms / 1000)
    begin = time.monotonic_ns()
    hole.fill()
    reader.join()
    left = 300
    while left:
        left -= len(conn.recv(left))
    end = time.monotonic_ns()
    for start, sent in sends:
        row["least_us"] = (begin - sent) / 1000
        row["most_us"] = (end - start) / 1000
        print(json.dumps(row), flush=True)


def slow_listeners(count):
    """Sockets for one broadcast, each of which takes long to refuse it."""
    load, end = struct.pack("HBBI", 0x00, 0, 0, 1), struct.pack("HBBI", 6, 0, 0, 0)
    add = struct.pack("HBBI", 0x24, 0, 0, 3)  # multiply the accumulator
    # As much as net.core.optmem_max lets a socket have everywhere.
    code = ctypes.create_string_buffer(load + add * 2000 + end)
    program = struct.pack("HxxxxxxQ", 2002, ctypes.addressof(code))
    ret = []
    for _ in range(count):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
        sock.bind(("127.255.255.255", 9))
        ret.append(sock)
    return ret


def softirq(args):
    os.sched_setaffinity(0, {0})
    listeners = slow_listeners(args.sockets)
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    conn, _ = listener.accept()
    row = {"dport": listener.getsockname()[1], "pid": os.getpid()}
    print(json.dumps(row), flush=True)
    sys.stdin.readline()
    for _ in range(5):
        for _ in range(args.datagrams):
            sender.sendto(b"x", ("127.255.255.255", 9))
        start = time.monotonic_ns()
        client.sendall(b"x" * 100)
        sent = time.monotonic_ns()
        conn.recv(100)
        got = time.monotonic_ns()
        row["least_us"] = (got - sent) / 1000
        row["most_us"] = (got - start) / 1000
        print(json.dumps(row), flush=True)
        time.sleep(0.05)
    for sock in listeners:
        sock.close()


def refused(args):
    """Connections that nobody accepts: who answers is the kernel itself."""
    for addr in args.addrs:
        family = socket.AF_INET6 if ":" in addr else socket.AF_INET
        conn = socket.socket(family, socket.SOCK_STREAM)
        try:
            conn.connect((addr, 7))
        except ConnectionRefusedError:
            print("refused", flush=True)


def await_acked(conn):
    while struct.unpack("i", fcntl.ioctl(conn, SIOCOUTQ, b"    "))[0]:
        time.sleep(0.001)


def unread(args):
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    conn, _ = listener.accept()
    signal.signal(signal.SIGUSR1, lambda *_: None)
    print("ready", flush=True)
    signal.pause()
    for _ in range(args.count):
        client.sendall(b"x")
        await_acked(client)  # or more become one
    conn.close()


def sink(args):
    family = socket.AF_INET6 if ":" in args.addr else socket.AF_INET
    # "::" is for both families.
    listener = socket.create_server(
        (args.addr, args.port), family=family, dualstack_ipv6=args.addr == "::"
    )
    print("ready", flush=True)
    conn, _ = listener.accept()
    while conn.recv(65536):
        pass


def bursts(args):
    conn = socket.create_connection((args.addr, args.port))
    # Timestamps take twelve bytes of each packet.
    full = conn.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
    for _ in range(6):
        conn.sendall(b"x" * (3 * full + 100), socket.MSG_MORE)
        time.sleep(0.1)
        conn.sendall(b"z")
        time.sleep(0.1)


def begin(args):
    """Connect, and say who this is; the next call comes after a line."""
    addr = socket.getaddrinfo(args.addr, args.port, type=socket.SOCK_STREAM)
    conn = socket.socket(addr[0][0], socket.SOCK_STREAM)
    if args.device:
        device = args.device.encode()
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
    if args.source:
        conn.bind((args.source, 0))
    conn.connect(addr[0][4])
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    row = {
        "saddr": conn.getsockname()[0],
        "sport": conn.getsockname()[1],
        "daddr": conn.getpeername()[0],
        "dport": conn.getpeername()[1],
        "pid": os.getpid(),
    }
    print(json.dumps(row), flush=True)
    sys.stdin.readline()
    return conn


def call(conn, data, flags=0):
    start = time.time_ns()
    conn.sendall(data, flags)
    row = {"called_ns": start, "returned_ns": time.time_ns()}
    print(json.dumps(row), flush=True)


def end(conn):
    """Until there is no packet to come any more."""
    conn.shutdown(socket.SHUT_WR)
    while conn.recv(1):
        pass
    conn.close()
    time.sleep(0.1)


def behind(args):
    conn = begin(args)
    filler = socket.socket(conn.family, socket.SOCK_DGRAM)
    for _ in range(5):
        for _ in range(24):
            filler.sendto(b"x" * 1000, (args.addr, 9))
        call(conn, b"y" * 100)
        # Until the queue is empty.
        time.sleep(0.4 if WITHIN_NS == 5000000 else 1)
    end(conn)


def calls(args):
    conn = begin(args)
    for _ in range(5):
        call(conn, b"y" * 100)
        time.sleep(args.ms / 1000)
    end(conn)


def paced(args):
    """5000 bytes a second: what comes behind 1000 has to wait."""
    conn = begin(args)
    conn.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, 5000)
    # The first ten packets with data are not paced.
    for _ in range(12):
        conn.sendall(b"w")
        await_acked(conn)
    time.sleep(0.1)
    for _ in range(5):
        conn.sendall(b"x" * 1000)
        call(conn, b"y" * 100)
        await_acked(conn)
        time.sleep(0.1)
    end(conn)


def corked(args):
    conn = begin(args)
    for _ in range(5):
        call(conn, b"a" * 100, socket.MSG_MORE)
        time.sleep(args.ms / 1000)
        call(conn, b"b" * 100)
        time.sleep(0.05)
    end(conn)


def syns(args):
    """A thousand at once, which nobody answers."""
    print(json.dumps({"pid": os.getpid()}), flush=True)
    sys.stdin.readline()
    conns = []
    for _ in range(1000):
        conn = socket.socket()
        conn.setblocking(False)
        conn.connect_ex((args.addr, args.port))
        conns.append(conn)
    # Until the queue is empty: 74 bytes each.
    time.sleep(1)
    for conn in conns:
        conn.close()


def quickack(args):
    conn = begin(args)
    for _ in range(5):
        for _ in range(3):
            call(conn, b"q")
            conn.recv(1)
        time.sleep(0.05)
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
    end(conn)


def echo(args):
    listener = socket.create_server((args.addr, args.port))
    print("ready", flush=True)
    conn, _ = listener.accept()
    while data := conn.recv(65536):
        conn.sendall(data)


def fastopen(args):
    """Three connections with data in the SYN, which is answered at once."""
    listener = fastopen_server("127.0.0.1", 0)
    addr = listener.getsockname()
    print(json.dumps({"dport": addr[1], "pid": os.getpid()}), flush=True)
    sys.stdin.readline()
    for _ in range(3):
        client = socket.socket()
        client.sendto(b"q" * 100, socket.MSG_FASTOPEN, addr)
        conn, _ = listener.accept()
        conn.recv(100)
        conn.sendall(b"a" * 300)
        client.recv(300)
        client.close()
        conn.close()


def fastopen_server(addr, port):
    ret = socket.create_server((addr, port))
    ret.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 8)
    return ret


def early(args):
    """Answer data of a SYN, before the handshake is over."""
    listener = fastopen_server(args.addr, args.port)
    print("ready", flush=True)
    conn, _ = listener.accept()
    conn.recv(100)
    conn.sendall(b"a" * 300)
    signal.pause()


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def fastsyn(args):
    """A SYN with data, and no more."""
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
    raw.connect((args.addr, 0))
    options = b"\x02\x04\x05\xb4" + b"\x22\x02\x01\x01"
    head = struct.pack(
        "!HHIIBBHHH", 5000, args.port, 1000, 0, 7 << 4, 2, 65535, 0, 0
    )
    segment = bytearray(head + options + b"q" * 100)
    pseudo = (
        socket.inet_aton(raw.getsockname()[0])
        + socket.inet_aton(args.addr)
        + struct.pack("!HH", socket.IPPROTO_TCP, len(segment))
    )
    segment[16:18] = struct.pack("!H", checksum(pseudo + bytes(segment)))
    raw.send(segment)


def block(args):
    conn = begin(args)
    call(conn, b"x" * args.bytes)
    end(conn)


def read(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(l) for l in f if l.startswith("{")]


def check_stages(row, captured_ns):
    """Those that are known are its parts, and begin when it was captured."""
    ns = {
        k[:-3]: round(v * 1000)
        for k, v in row.items()
        if k.endswith("_us") and v is not None
    }
    if ns["mac"] + ns["ip"] + ns["tcp"] != ns["total"]:
        sys.exit(f"delays.py: does not add up: {row}")
    for whole, some in (("mac", ("gro", "softirq")), ("tcp", ("backlog", "app"))):
        if sum(ns.get(part, 0) for part in some) > ns[whole]:
            sys.exit(f"delays.py: more than {whole}: {row}")
    came = datetime.datetime.fromisoformat(row["time"]).timestamp() * 1e9
    # Captured where the protocols get it.
    if abs(captured_ns - came - ns["mac"]) > WITHIN_NS:
        sys.exit(f"delays.py: not at {captured_ns}, when it came: {row}")


def check_out(row, captured_ns):
    """It was captured when the driver got it."""
    ns = {
        k[:-3]: round(v * 1000)
        for k, v in row.items()
        if k.endswith("_us") and v is not None
    }
    if ns["qdisc"] + ns.get("ip", 0) + ns.get("tcp", 0) != ns["total"]:
        sys.exit(f"delays.py: does not add up: {row}")
    begun = datetime.datetime.fromisoformat(row["time"]).timestamp() * 1e9
    if abs(captured_ns - begun - ns["total"]) > WITHIN_NS:
        sys.exit(f"delays.py: not at {captured_ns}, when it went: {row}")


def is_sampled(row, rate):
    """As delay_analysis_in(8) and delay_analysis_out(8) have it."""
    empty = not row["length"] and not set("SF") & set(row.get("flags", ""))
    number = row["ack"] if "nat_saddr" in row and empty else row["seq"]
    return number * 0x9E3779B1 % (1 << 32) < (1 << 32) // rate


def without_last(packets):
    """But for acknowledgements after a packet's own FIN, as in TIME_WAIT."""
    ended, ret = set(), []
    for p in packets:
        flow = (p["nat_saddr"], p["nat_sport"], p["nat_daddr"], p["nat_dport"])
        if flow in ended and p["flags"] == "." and not p["length"]:
            continue
        if "F" in p["flags"]:
            ended.add(flow)
        ret.append(p)
    return ret


def compare(args):
    fields = OUT_FIELDS if args.out else FIELDS
    key_of = lambda row: tuple(row[f] for f in fields)
    rows, packets = read(args.rows), read(args.truth)
    if args.without_last:
        rows, packets = without_last(rows), without_last(packets)
    if args.sample:
        packets = [p for p in packets if is_sampled(p, args.sample)]
    truth = collections.Counter(map(key_of, packets))
    shown = collections.Counter(map(key_of, rows))
    if args.once:
        truth = collections.Counter(set(truth))
    if not truth:
        sys.exit("delays.py: no truth")
    for key in sorted(set(truth) | set(shown), key=str):
        if truth[key] != shown[key]:
            print(f"{truth[key]} captured, {shown[key]} shown: {key}")
    if truth != shown:
        sys.exit(1)
    captured = {}
    for packet in packets:
        captured.setdefault(key_of(packet), []).append(packet["captured_ns"])
    for row in rows:
        if args.out and not args.nat:
            for end in ("saddr", "sport", "daddr", "dport"):
                if row[end] != row["nat_" + end]:
                    sys.exit(f"delays.py: another {end}: {row}")
        if args.out:
            check_out(row, captured[key_of(row)].pop(0))
        else:
            check_stages(row, captured[key_of(row)][0])
    print(f"{len(rows)} rows")


def main():
    parser = argparse.ArgumentParser()
    sub = parser.add_subparsers(required=True)
    one = sub.add_parser("capture")
    one.add_argument("device")
    one.add_argument("--out", action="store_true")
    one.set_defaults(run=capture)
    for name, run in (
        ("behind", behind),
        ("calls", calls),
        ("paced", paced),
        ("corked", corked),
        ("block", block),
        ("quickack", quickack),
        ("syns", syns),
    ):
        one = sub.add_parser(name)
        one.add_argument("addr")
        one.add_argument("port", type=int)
        one.add_argument("--source")
        one.add_argument("--device")
        one.add_argument("--ms", type=float, default=100)
        one.add_argument("--bytes", type=int, default=100000)
        one.add_argument("--wait", action="store_true")
        one.set_defaults(run=run)
    one = sub.add_parser("late")
    one.add_argument("ms", type=float)
    one.add_argument("how", choices=("recv", "peek", "splice", "pieces"))
    one.add_argument("--ip", type=int, default=4)
    one.add_argument("--count", type=int, default=5)
    one.add_argument("--length", type=int, default=100)
    one.add_argument("--sends", type=int, default=1)
    one.add_argument("--options", action="store_true")
    one.add_argument("--wait", action="store_true")  # it always does
    one.set_defaults(run=late)
    one = sub.add_parser("held")
    one.add_argument("ms", type=float)
    one.add_argument("--wait", action="store_true")
    one.set_defaults(run=held)
    one = sub.add_parser("softirq")
    one.add_argument("--sockets", type=int, default=100)
    one.add_argument("--datagrams", type=int, default=100)
    one.add_argument("--wait", action="store_true")
    one.set_defaults(run=softirq)
    one = sub.add_parser("refused")
    one.add_argument("addrs", nargs="+")
    one.set_defaults(run=refused)
    one = sub.add_parser("unread")
    one.add_argument("count", type=int)
    one.set_defaults(run=unread)
    one = sub.add_parser("fastopen")
    one.add_argument("--wait", action="store_true")  # it always does
    one.set_defaults(run=fastopen)
    for name, run in (
        ("sink", sink),
        ("echo", echo),
        ("bursts", bursts),
        ("early", early),
        ("fastsyn", fastsyn),
    ):
        one = sub.add_parser(name)
        one.add_argument("addr")
        one.add_argument("port", type=int)
        one.set_defaults(run=run)
    one = sub.add_parser("compare")
    one.add_argument("truth")
    one.add_argument("rows")
    one.add_argument("--once", action="store_true")
    one.add_argument("--out", action="store_true")
    one.add_argument("--nat", action="store_true")
    one.add_argument("--without-last", action="store_true")
    one.add_argument("--sample", type=int)
    one.set_defaults(run=compare)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
