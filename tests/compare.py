#!/usr/bin/env python3
"""Compare what tcpconnection printed with what a workload says it did.

compare.py json|table TRUTH OUTPUT [options]

TRUTH holds the lines of tests/work/connload: the keys of tcpconnection's JSON,
where [low, high] is a range, a key that is left out is unknown, and a key that
begins with "_" is for --where only. Every row must be in the truth and, unless
--subset is given, all of the truth must be among the rows.
"""
import argparse
import datetime
import json
import os
import re
import sys
import time

KEYS = {
    'time': str, 'pid': int, 'tid': int, 'comm': str, 'uid': int,
    'netns': int, 'ip': int, 'daddr': str, 'dport': int, 'saddr': str,
    'sport': int, 'direction': str, 'state': str, 'latency_us': int,
    'error': str, 'duration_us': int, 'rx_bytes': int, 'tx_bytes': int,
}
NULLABLE = {'latency_us', 'error', 'duration_us', 'rx_bytes', 'tx_bytes'}
SEED = '%-9s %-7s %-12s %-2s %-16s %-5s %-16s %-5s %10s'
SEED_HEADS = ['TIME', 'PID', 'COMM', 'IP', 'DADDR', 'DPORT', 'SADDR', 'SPORT',
              'DIRECTION']
HEADS = {
    'TIME': 'time', 'PID': 'pid', 'COMM': 'comm', 'IP': 'ip',
    'DADDR': 'daddr', 'DPORT': 'dport', 'SADDR': 'saddr', 'SPORT': 'sport',
    'DIRECTION': 'direction', 'STATE': 'state', 'LAT(ms)': 'latency_us',
    'ERROR': 'error', 'DUR(ms)': 'duration_us', 'RX(B)': 'rx_bytes',
    'TX(B)': 'tx_bytes',
}
FLUSH_RIGHT = {'DIRECTION', 'LAT(ms)', 'DUR(ms)', 'RX(B)', 'TX(B)'}
# The clocks are related to each other by reading one after the other.
CLOCK_SLACK_US = 2000 * int(os.environ.get('NB_SLOW', 1))
SHOWN = 6 # problems

problems = []


def problem(text):
    problems.append(text)


def lines_of(path):
    with open(path, 'rb') as f:
        data = f.read().decode('utf-8')
    if data and not data.endswith('\n'):
        problem(f'{path}: the last line is cut off')
    return data.split('\n')[:-1]


def epoch_us(text):
    """RFC 3339 in UTC with microseconds, and nothing else."""
    if not re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z', text):
        raise ValueError(f'time {text!r}')
    t = datetime.datetime.strptime(text, '%Y-%m-%dT%H:%M:%S.%fZ')
    epoch = datetime.datetime(1970, 1, 1)
    return (t - epoch) // datetime.timedelta(microseconds=1)


def check_row(row):
    """The types and the rules that hold for each row by itself."""
    for key, kind in KEYS.items():
        value = row[key]
        if value is None and key in NULLABLE:
            continue
        if type(value) is not kind:
            raise ValueError(f'{key} is {value!r}')
    if row['direction'] not in ('connect', 'accept'):
        raise ValueError(f"direction {row['direction']!r}")
    if row['state'] not in ('ESTABLISHED', 'CLOSE'):
        raise ValueError(f"state {row['state']!r}")
    if row['state'] == 'ESTABLISHED' and row['error'] is not None:
        raise ValueError('established with an error')
    row['time'] = epoch_us(row['time'])


def parse_json(path):
    rows = []
    for n, line in enumerate(lines_of(path), 1):
        try:
            pairs = json.loads(line, object_pairs_hook=list)
            row = dict(pairs)
            if [k for k, _ in pairs] != list(KEYS):
                raise ValueError(f'keys are {[k for k, _ in pairs]}')
            check_row(row)
        except (ValueError, KeyError, TypeError) as e:
            problem(f'line {n} is wrong: {e}: {line}')
            continue
        rows.append(row)
    return rows


def cells(line):
    return [(m.group(), m.start(), m.end()) for m in re.finditer(r'\S+', line)]


def aligned(head, cell):
    """Flush with the end of the column's name that it should be."""
    end = 2 if head[0] in FLUSH_RIGHT else 1
    return cell[end] == head[end]


def table_value(key, text):
    if key == 'time':
        if not re.fullmatch(r'\d\d:\d\d:\d\d(\.\d{6})?', text):
            raise ValueError(f'time {text!r}')
        return text
    if text == '-' and key in NULLABLE:
        return None
    if key in ('latency_us', 'duration_us'):
        if not re.fullmatch(r'\d+\.\d{3}', text):
            raise ValueError(f'{key} {text!r} is no time in ms')
        return int(text.replace('.', ''))
    if KEYS[key] is int:
        return int(text)
    return text


def parse_table(path):
    rows, head, headers = [], None, []
    for n, line in enumerate(lines_of(path), 1):
        if line.startswith('TIME '):
            if line in headers:
                problem(f'line {n}: the same header again')
            head = cells(line)
            headers.append(line)
            unknown = [c[0] for c in head if c[0] not in HEADS]
            if unknown:
                problem(f'line {n}: unknown columns {unknown}')
            continue
        row = cells(line)
        if head is None or len(row) != len(head):
            problem(f'line {n} has {len(row)} cells: {line!r}')
            continue
        skew = [h[0] for h, c in zip(head, row) if not aligned(h, c)]
        if skew:
            problem(f'line {n}: {skew} not below the header: {line!r}')
        try:
            rows.append({HEADS[h[0]]: table_value(HEADS[h[0]], c[0])
                         for h, c in zip(head, row)})
        except (ValueError, KeyError) as e:
            problem(f'line {n} is wrong: {e}: {line!r}')
    if not headers:
        problem('no header')
    return rows


def check_seed_format(path):
    """Byte for byte what the seed's format gives."""
    lines = lines_of(path)
    if not lines or lines[0] != SEED % tuple(SEED_HEADS):
        problem(f'the header is not the seed\'s: {lines[:1]!r}')
    for line in lines[1:]:
        if line != SEED % tuple(line.split()):
            problem(f'not in the seed\'s format: {line!r}')


def truth_of(path, args):
    """The rows that the command must show, given its options."""
    rows = []
    for line in lines_of(path):
        row = json.loads(line)
        if 'ready' in row:
            continue
        is_end = row['state'] == 'CLOSE' and row['error'] is None
        if is_end and not args.life or row['error'] and not args.failed:
            continue
        if not args.latency or is_end:
            row['latency_us'] = None
        if not is_end:
            row['duration_us'] = row['rx_bytes'] = row['tx_bytes'] = None
        if 'time' in row:
            low, high = row['time']
            row['time'] = [low - CLOCK_SLACK_US, high + CLOCK_SLACK_US]
        rows.append(row)
    if not args.where:
        return rows
    wanted = [r for r in rows if eval(args.where, {}, r)]
    if not wanted or len(wanted) == len(rows):
        problem(f'--where picks {len(wanted)} of {len(rows)} rows: '
                'it tests nothing')
    return wanted


def in_range(row, key, bounds):
    value = row[key]
    if key == 'time' and isinstance(value, str):
        micro = '.' in value
        day = [time.strftime('%H:%M:%S', time.localtime(us // 1000000)) +
               (f'.{us % 1000000:06d}' if micro else '') for us in bounds]
        # At midnight there is no order.
        return day[0] > day[1] or day[0] <= value <= day[1]
    return value is not None and bounds[0] <= value <= bounds[1]


def compare(truth, rows, subset):
    left = list(rows)
    index = {}
    missing = 0

    def find(want):
        exact = tuple(k for k, v in want.items() if not k.startswith('_') and
                      not isinstance(v, list) and rows and k in rows[0])
        if exact not in index:
            by = index[exact] = {}
            for row in left:
                by.setdefault(tuple(row[k] for k in exact), []).append(row)
        found = index[exact].get(tuple(want[k] for k in exact), [])
        return [r for r in found if not r.get('_taken')]

    # The best known first, so that a vague one doesn't take its row.
    for want in sorted(truth, key=len, reverse=True):
        found = find(want)
        if not found:
            missing += 1
            if not subset:
                problem(f'missing: {want}')
            continue
        bad = {}
        for row in found:
            bad = {k: row[k] for k, v in want.items()
                   if isinstance(v, list) and k in row and
                   not in_range(row, k, v)}
            if not bad:
                break
        if bad:
            problem(f'out of range: {bad}, should be {want}')
        row['_taken'] = True
    for row in rows:
        if not row.get('_taken'):
            problem(f'not in the truth: {row}')
    return len(truth) - missing


def main():
    p = argparse.ArgumentParser()
    p.add_argument('form', choices=['json', 'table'])
    p.add_argument('truth')
    p.add_argument('output')
    p.add_argument('--where', help='only these rows of the truth')
    p.add_argument('--latency', action='store_true', help='it ran with -t')
    p.add_argument('--life', action='store_true', help='it ran with -l')
    p.add_argument('--failed', action='store_true', help='it ran with -f')
    p.add_argument('--seed', action='store_true',
                   help='the table is byte for byte in the old format')
    p.add_argument('--subset', action='store_true')
    p.add_argument('--missed', type=int, default=0,
                   help='events that it says it did not see; each may make a '
                        'row missing, or change it')
    p.add_argument('--rows', type=int, help='how many there must be')
    args = p.parse_args()

    rows = (parse_json if args.form == 'json' else parse_table)(args.output)
    if args.seed:
        check_seed_format(args.output)
    truth = truth_of(args.truth, args)
    if not truth and args.rows != 0:
        problem('the truth is empty')
    agreed = compare(truth, rows, args.subset)
    if args.rows is not None and len(rows) != args.rows:
        problem(f'{len(rows)} rows instead of {args.rows}')
    for text in problems[:SHOWN]:
        print(text)
    if len(problems) > SHOWN:
        print(f'and {len(problems) - SHOWN} more')
    print(f'{agreed} of {len(truth)} agree, {len(rows)} rows, '
          f'{len(problems)} problems, {args.missed} events missed')
    return 1 if len(problems) > 2 * args.missed else 0


if __name__ == '__main__':
    sys.exit(main())
