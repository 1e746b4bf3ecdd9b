#!/usr/bin/env python3
"""
sums TRUTH ROWS [--where FIELD=VALUE]... [--by-pid] [--rows N]: are the
sums of tcptop's JSON rows, for each process and connection, those of the truth
("connload bytes")? To the byte, and with no row that the truth has not. Prints
what differs; exit status 1 if anything does.
"""
import argparse
import collections
import json
import sys

BYTES = ("rx_bytes", "tx_bytes")
CONN = ("ip", "saddr", "sport", "daddr", "dport", "netns")
PROCESS = ("pid", "comm", "uid")


def rows_of(path):
    with open(path, encoding="utf-8") as f:
        for line in f:
            row = json.loads(line)
            if "ready" not in row:
                yield row


def sums(path, names, wanted):
    total = collections.defaultdict(lambda: [0, 0])
    for row in rows_of(path):
        if any(str(row[name]) != value for name, value in wanted):
            continue
        both = total[tuple(row[name] for name in names)]
        for i, name in enumerate(BYTES):
            both[i] += row[name]
    return {key: both for key, both in total.items() if any(both)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("truth")
    parser.add_argument("rows")
    parser.add_argument("--where", action="append", default=[])
    parser.add_argument("--by-pid", action="store_true")
    parser.add_argument("--rows", type=int, dest="least", default=1)
    args = parser.parse_args()
    names = PROCESS if args.by_pid else PROCESS + CONN
    where = [w.split("=", 1) for w in args.where]
    truth = sums(args.truth, names, where)
    told = sums(args.rows, names, [])
    bad = 0
    for key in sorted(truth.keys() | told.keys(), key=str):
        want, got = truth.get(key), told.get(key)
        if want != got:
            print(f"{dict(zip(names, key))}: {got}, and the truth is {want}")
            bad += 1
    if len(truth) < args.least:
        print(f"the truth has {len(truth)} rows only")
        bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
