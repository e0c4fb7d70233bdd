#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes plain Debezium envelopes, the same ones each time; the rows are those of gen_singer.py.

  gen_debezium.py N             a snapshot of N rows, then the delete of every hundredth
  gen_debezium.py N --keys K    N streamed changes over K keys: inserts, then four updates to a delete, ten to a transaction"""
import argparse
import random
import sys

import gen_singer

SOURCE = '"source": {"version": "3.6.0.Final", "connector": "postgresql", "name": "srv", "db": "shop", "schema": "public", "table": "orders", '
COLUMNS = ("customer_id", "name", "email", "amount", "score", "active", "created_at", "birth_date", "note")


def snapshot(count, out):
    source, done = list(gen_singer.drawn(min(count, gen_singer.DRAWN))), 0
    while done < count:
        for rest, _ in source:
            edge = "first" if done == 0 else "last" if done == count - 1 else "true"
            out.write(f'{{"before": null, "after": {{"id": {done}, {rest}}}, {SOURCE}"snapshot": "{edge}", "ts_ms": 1767225600000, '
                      f'"sequence": "[null,\\"1000\\"]", "lsn": 1000, "txId": 700}}, "op": "r", "ts_ms": 1767225600000}}\n')
            done += 1
            if done == count:
                break
    for n, key in enumerate(range(0, count, 100)):
        lsn = 2000 + 100 * n
        out.write(f'{{"before": {{"id": {key}}}, "after": null, {SOURCE}"snapshot": "false", "ts_ms": 1767225700000, '
                  f'"sequence": "[\\"{lsn - 50}\\",\\"{lsn}\\"]", "lsn": {lsn}, "txId": {701 + n // 1000}}}, "op": "d", "ts_ms": 1767225700000}}\n')


def changes(count, keys):
    """The operation and the key of each event."""
    draw, live = random.Random(7), bytearray(keys)
    for _ in range(count):
        key = draw.randrange(keys)
        op = "c" if not live[key] else "d" if draw.random() < 0.2 else "u"
        live[key] = op != "d"
        yield op, key


def rows_left(count, keys):
    live = set()
    for op, key in changes(count, keys):
        (live.discard if op == "d" else live.add)(key)
    return len(live)


def stream(count, keys, out):
    """As PostgreSQL's connector sends them without schemas, `REPLICA IDENTITY DEFAULT`."""
    gone = ",".join(f'"{name}":null' for name in COLUMNS)
    rows = list(gen_singer.drawn(min(count, 200_000)))
    commit = 98_000_000
    for n, (op, key) in enumerate(changes(count, keys)):
        transaction, lsn = n // 10, 98_000_000 + 300 * n
        if n % 10 == 0:
            commit = lsn - 40
        micros = 1_795_487_035_028_365 + 1000 * transaction
        before, after = (f'{{"id":{key},{gone}}}', "null") if op == "d" else ("null", f'{{"id":{key},{rows[n % len(rows)][0].replace(": ", ":").replace(", ", ",")}}}')
        out.write(f'{{"before":{before},"after":{after},"source":{{"version":"3.6.0.Final","connector":"postgresql","name":"srv","ts_ms":{micros // 1000},'
                  f'"snapshot":"false","db":"shop","sequence":"[\\"{commit}\\",\\"{lsn}\\"]","ts_us":{micros},"ts_ns":{micros}000,"schema":"public",'
                  f'"table":"orders","txId":{2022 + transaction},"lsn":{lsn},"xmin":null,"origin":null,"origin_lsn":null}},"transaction":null,"op":"{op}",'
                  f'"ts_ms":{micros // 1000 + 294},"ts_us":{micros + 294_657},"ts_ns":{micros + 294_657}121}}\n')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int)
    parser.add_argument("--keys", type=int, default=0)
    options = parser.parse_args()
    out = open(sys.stdout.fileno(), "w", encoding="utf-8", newline="\n", buffering=1 << 20, closefd=False)
    if options.keys:
        stream(options.count, options.keys, out)
    else:
        snapshot(options.count, out)
    out.flush()


if __name__ == "__main__":
    main()
