#!/usr/bin/env python3
"""
httpcalls.py TRUTH ROWS [OPTION]...: compare what trace_http has printed (--json)
with the truth of tests/http and tests/work/httpload.c: each call whose answer was
as late as the threshold is there once, and nothing else is.

The truth is measured by the program, outside a client's system calls and between
a server's. So a client's call takes at least as long for the program as for the
kernel, and longer by what it waits for a processor; a server's at most as long.
A client's latency has to be in [truth - slack, truth + 0.2 ms], a server's in
[truth - 0.2 ms, truth + slack]. Where no system call waits, the truth has two
bounds, from which it is at most 0.2 ms away, however long the program waits for a
processor. One that has the lower one only, as the program knows no better, is in
[that - slack, truth + slack]. Durations are in [truth - slack, truth + slack].

A program that waits for a processor, or a thread for Python's interpreter, reads
its clocks late. Where both ends of a connection tell the truth, what the server
measured is a bound from below of what the client's call took, and what the client
measured one from above of the server's, whoever waited for what: a time beyond the
slack has to be between what the two ends have measured. Where both were in time
that allows nothing more. A call with the key "untold" is only such an other end.
Exit status 1 when something differs.
"""
import argparse
import collections
import json
import sys

ABOVE = 200  # us: between a clock and a system call
EXACT = ("tid", "comm", "ip", "status", "rx_bytes", "tx_bytes")
KEYS = (
    "time role pid tid comm ip saddr sport daddr dport method path status"
    " latency_us duration_us rx_bytes tx_bytes stack"
).split()


def read(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def key_of(call):
    names = ("role", "pid", "saddr", "sport", "daddr", "dport", "method", "path")
    return tuple(call.get(name) for name in names)


def find_peers(truth):
    """Each call's other end, if that has told of it: the same of as many."""
    calls = collections.defaultdict(lambda: {"client": [], "server": []})
    for call in truth:
        names = ("saddr", "sport", "daddr", "dport", "method", "path")
        calls[tuple(call.get(name) for name in names)][call["role"]].append(call)
    for ends in calls.values():
        if len(ends["client"]) == len(ends["server"]):
            for client, server in zip(ends["client"], ends["server"]):
                client["peer"], server["peer"] = server, client


def time_differs(call, row, name, slack):
    if call.get(name) is None:
        return None
    got = row.get(name)
    if got is None:
        return f"{name} is null, {call[name]:.0f} in truth"
    least, most = call[name] - slack, call[name] + slack
    bounds = [call.get(name.replace("us", end)) for end in ("least_us", "most_us")]
    if None not in bounds:
        least, most = bounds[0] - ABOVE, bounds[1] + ABOVE
    elif bounds[0] is not None:
        least = bounds[0] - slack
    elif name == "latency_us" and call["role"] == "client":
        most = call[name] + ABOVE
    elif name == "latency_us":
        least = call[name] - ABOVE
    peer = call.get("peer", {}).get(name)
    if peer is not None and call["role"] == "server":
        most = max(most, peer + ABOVE)
    elif peer is not None:
        least = min(least, peer - ABOVE)
    if least <= got <= most:
        return None
    return f"{name} is {got}, {call[name]:.0f} in truth"


def least_of(call, slack):
    """What a call's latency is at least."""
    if "latency_least_us" in call:
        return call["latency_least_us"]
    if call["role"] == "client" and "peer" in call:
        return call["peer"]["latency_us"] - ABOVE
    return call["latency_us"] - slack


def differences(call, row, slack):
    found = [
        f"{name} is {row.get(name)}, {call[name]} in truth"
        for name in EXACT
        if name in call and row.get(name) != call[name]
    ]
    found += [f"no key '{name}'" for name in KEYS if name not in row]
    for name in ("latency_us", "duration_us"):
        found.append(time_differs(call, row, name, slack))
    return [words for words in found if words]


def compare(truth, rows, args):
    """What is wrong, in words."""
    wanted = collections.defaultdict(list)
    for call in truth:
        if not call.get("untold"):
            wanted[key_of(call)].append(call)
    bad, threshold = [], args.threshold * 1000
    for row in rows:
        calls = wanted[key_of(row)]
        if not calls:
            bad.append(f"not in truth, or once more: {json.dumps(row)}")
            continue
        # Of several alike one that it can be, and of these the most like it.
        calls.sort(
            key=lambda c: (
                bool(differences(c, row, args.slack)),
                abs(c["latency_us"] - (row["latency_us"] or 0)),
            )
        )
        call = calls.pop(0)
        words = differences(call, row, args.slack)
        if words:
            bad.append(f"{'; '.join(words)}: {json.dumps(row)}")
    for calls in wanted.values():
        for call in calls:
            if least_of(call, args.slack) >= threshold:
                call.pop("peer", None)
                bad.append(f"missing: {json.dumps(call)}")
    return bad


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("truth")
    parser.add_argument("rows")
    parser.add_argument("--threshold", type=float, default=100, help="ms")
    parser.add_argument("--slack", type=float, default=2000, help="us")
    parser.add_argument("--role", help="only clients, or servers")
    parser.add_argument("--rows-least", type=int, default=1)
    args = parser.parse_args()
    truth = [call for call in read(args.truth) if "role" in call]
    find_peers(truth)
    if args.role:
        truth = [call for call in truth if call["role"] == args.role]
    rows = read(args.rows)
    bad = compare(truth, rows, args)
    if len(rows) < args.rows_least:
        bad.append(f"{len(rows)} rows, not {args.rows_least}")
    for words in bad[:20]:
        print(words)
    print(f"{len(truth)} calls, {len(rows)} rows, {len(bad)} wrong")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
