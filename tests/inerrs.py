#!/usr/bin/env python3
"""
inerrs.py TRUTH ROWS [--without KEY]... [--rename WORD=WORD]... [--ignore WORD]...

Do tcp_inerrs' JSON rows say what badtcp says that it did, each as often, and
nothing else? --without leaves a field out that a kernel can't tell, --rename
has its word for one of the truth's reasons, --ignore leaves a reason out. Exit
status 1 and the difference when they don't.
"""
import argparse
import collections
import json
import sys

FIELDS = ("reason", "ip", "saddr", "sport", "daddr", "dport", "state", "pid",
          "comm")


def count(rows, fields):
    ret = collections.Counter()
    for row in rows:
        ret[tuple(row[f] for f in fields)] += row.get("count", 1)
    return ret


def read(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.strip()]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("truth")
    parser.add_argument("rows")
    parser.add_argument("--rename", action="append", default=[])
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("--ignore", action="append", default=[])
    args = parser.parse_args()
    fields = [f for f in FIELDS if f not in args.without]
    words = dict(word.split("=") for word in args.rename)
    truth = [r for r in read(args.truth) if "reason" in r]
    for row in truth:
        row["reason"] = words.get(row["reason"], row["reason"])
    truth = count((r for r in truth if r["reason"] not in args.ignore), fields)
    rows = count(
        (r for r in read(args.rows) if r["reason"] not in args.ignore), fields
    )
    if not truth:
        sys.exit("inerrs.py: no truth")
    if truth == rows:
        return
    for key in sorted(set(truth) | set(rows), key=str):
        if truth[key] != rows[key]:
            print(f"{truth[key]} due, {rows[key]} shown: {key}")
    sys.exit(1)


if __name__ == "__main__":
    main()
