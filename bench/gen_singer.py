#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes N Singer records of ten typed columns to standard output, the same ones each time: gen_singer.py N [--long-line BYTES]

One SCHEMA, N RECORDs of about 368 bytes (NULLs, decimals, doubles, times with microseconds, text with quotes, escapes and
Unicode), a STATE every 100,000. The first million is drawn; what follows repeats it under new ids."""
import argparse
import datetime
import json
import random
import sys

DRAWN = 1_000_000
NULLABLE = {"customer_id": {"type": ["null", "integer"]}, "name": {"type": ["null", "string"], "maxLength": 64},
            "email": {"type": ["null", "string"]}, "amount": {"type": ["null", "number"], "multipleOf": 0.01},
            "score": {"type": ["null", "number"]}, "active": {"type": ["null", "boolean"]},
            "created_at": {"type": ["null", "string"], "format": "date-time"},
            "birth_date": {"type": ["null", "string"], "format": "date"}, "note": {"type": ["null", "string"]}}
WORDS = 'alpha beta gamma delta épsilon zeta eta theta iota kappa lambda "quoted" back\\slash tab\tend 日本'.split(" ")


def schema():
    return {"type": "SCHEMA", "stream": "orders", "key_properties": ["id"], "bookmark_properties": ["created_at"],
            "schema": {"type": "object", "properties": {"id": {"type": "integer"}, **NULLABLE}}}


def drawn(count):
    """The records without their ids: the JSON text that stands behind `"id": N`, and the creation time."""
    draw = random.Random(42)
    begin, birth = datetime.datetime(2024, 1, 1), datetime.date(2024, 1, 1)
    words = [json.dumps(w, ensure_ascii=False)[1:-1] for w in WORDS]
    for i in range(count):
        created = (begin + datetime.timedelta(seconds=7 * i)).strftime("%Y-%m-%dT%H:%M:%S") + f".{draw.randrange(1_000_000):06d}Z"
        born = birth - datetime.timedelta(days=draw.randrange(7000, 25000))
        customer = draw.randrange(1, 100_000) if i % 17 else "null"
        email = f'"user{i}@example.com"' if i % 5 else "null"
        active = ("true" if i % 3 == 0 else "false") if i % 11 else "null"
        yield (f'"customer_id": {customer}, "name": "Customer {i % 9973}", "email": {email}, '
               f'"amount": {draw.randrange(10_000_000) / 100!r}, "score": {draw.random() * 1000!r}, "active": {active}, '
               f'"created_at": "{created}", "birth_date": "{born}", "note": "{" ".join(draw.choice(words) for _ in range(4))}"', created)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--long-line", type=int, default=0, metavar="BYTES", help="one more record, with a note of so many bytes")
    options = parser.parse_args()
    out = open(sys.stdout.fileno(), "w", encoding="utf-8", newline="\n", buffering=1 << 20, closefd=False)
    out.write(json.dumps(schema()) + "\n")
    source = list(drawn(min(options.count, DRAWN))) if options.count > DRAWN else drawn(options.count)
    done = 0
    while done < options.count:
        for rest, created in source:
            out.write(f'{{"type": "RECORD", "stream": "orders", "record": {{"id": {done}, {rest}}}, '
                      '"time_extracted": "2026-01-01T00:00:00.000000Z"}\n')
            done += 1
            if done % 100_000 == 0:
                out.write('{"type": "STATE", "value": {"bookmarks": {"orders": {"replication_key": "created_at", '
                          f'"replication_key_value": "{created}"}}}}}}}}\n')
            if done == options.count:
                break
    if options.long_line:
        out.write('{"type": "RECORD", "stream": "orders", "record": {"id": -1, "note": "' + "n" * options.long_line + '"}}\n')
    out.flush()


if __name__ == "__main__":
    main()
