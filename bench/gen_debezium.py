#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes plain Debezium envelopes: a snapshot of N rows (those of gen_singer.py), then the delete of every hundredth.
gen_debezium.py N"""
import sys

import gen_singer

SOURCE = '"source": {"version": "3.6.0.Final", "connector": "postgresql", "name": "srv", "db": "shop", "schema": "public", "table": "orders", '


def main():
    count = int(sys.argv[1])
    out = open(sys.stdout.fileno(), "w", encoding="utf-8", newline="\n", buffering=1 << 20, closefd=False)
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
    out.flush()


if __name__ == "__main__":
    main()
