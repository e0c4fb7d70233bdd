#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes the lines that the unit tests need out of the project's full Debezium captures, byte for byte.

    extract.py CAPTURES     the folder that holds debezium/ and debezium-tx/
"""
import gzip
import json
import pathlib
import sys

ALL = "all_types"
# File of the captures -> file here, and which of its messages: of a table, by key or place.
PICKS = {
    "debezium/debezium-kafka-precise-schemas.jsonl": "kafka-precise-schemas.jsonl",
    "debezium/debezium-kafka-string-noschemas.jsonl": "kafka-string-noschemas.jsonl",
    "debezium/debezium-http-precise-schemas.jsonl": "http-precise-schemas.jsonl",
    "debezium/debezium-http-string-noschemas.jsonl": "http-string-noschemas.jsonl",
    "debezium-tx/debezium-tx-kafka-precise-schemas-txmeta.jsonl": "tx-kafka-precise-schemas-txmeta.jsonl",
    "debezium-tx/debezium-tx-http-string-noschemas-txmeta.jsonl": "tx-http-string-noschemas-txmeta.jsonl",
}


def event(line):
    value = line.get("payload", line.get("body"))
    if value is None:
        return {}
    value = json.loads(value)
    return value["payload"] if set(value) == {"schema", "payload"} else value


def table(line):
    return (event(line).get("source") or {}).get("table") or line.get("topic", "")


def wanted(name, line, seen):
    """At most a few messages of each kind; of all_types every kind of row."""
    e, t = event(line), table(line)
    row = e.get("after") or e.get("before") or {}
    if name.startswith("tx-"):
        if t == "toast" or (t == "" and e.get("status")) or t.startswith("trunc"):
            kind = (t, e.get("op"), e.get("status"))
            limit = 30 if t == "toast" and "string" in name else 3
        else:
            kind, limit = (t, e.get("op"), line.get("payload", 0) is None), 2
    elif t == ALL or t.endswith("." + ALL):
        if name.startswith("http-") and row.get("id") not in (1, 2, 201, 101):
            return False
        kind, limit = (ALL, e.get("op"), row.get("id")), 1 if "schemas" in name and "noschemas" not in name else 3
    else:
        kind, limit = (t, e.get("op"), e.get("status"), line.get("payload", 0) is None, line.get("key") is None), 2
    seen[kind] = seen.get(kind, 0) + 1
    return seen[kind] <= limit


def main():
    captures, here = pathlib.Path(sys.argv[1]), pathlib.Path(__file__).parent
    for source, target in PICKS.items():
        seen = {}
        with open(captures / source, "rb") as lines:
            kept = b"".join(line for line in lines if wanted(target, json.loads(line), seen))
        (here / (target + ".gz")).write_bytes(gzip.compress(kept, 9, mtime=0))
    truth = here / "truth"
    truth.mkdir(exist_ok=True)
    for cut in ("at-snapshot", "final"):
        (truth / f"all_types-{cut}.csv").write_bytes((captures / "debezium" / "truth" / cut / "all_types.csv").read_bytes())


main()
