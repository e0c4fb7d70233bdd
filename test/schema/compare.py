# SPDX-License-Identifier: Apache-2.0
"""Holds the program's own checks against the JSON Schema that it publishes.

    python3 test/schema/compare.py <nanohouse> [--sample N] [--seed N]

Takes good warehouses that use every key of the language, changes them in one place each (a value of another type, a key
removed, misspelt or added), and asks both `nanohouse check --json` and a JSON Schema validator about each. Any
difference in the verdict on its shape is a failure. Needs the Python package jsonschema. Files are written as JSON, which
is YAML as well, so that both sides read the same values. Prints a line for each case, as test/README.md has it.
"""

import argparse
import concurrent.futures
import copy
import json
import os
import random
import subprocess
import sys
import tempfile

import jsonschema

SHAPE = {"not-yaml", "not-utf8", "unknown-key", "dbt-file", "wrong-type", "bad-value", "missing-key", "one-of"}

FULL = {
    "nanohouse": 1, "warehouse": "shop", "version": "1.4.0", "domain": "sales",
    "owner": {"team": "checkout", "name": "Ada", "email": "checkout@example.com"},
    "description": "Orders and customers of the web shop.",
    "storage": {
        "root": "./data", "local": "./data", "catalog": "sqlite:catalog.db",
        "format": {"compression": "zstd", "target_file_size": "128MB"},
        "snapshots": {"daily": "00:00", "time_zone": "UTC", "keep": "30d"},
        "journal": {"keep": "7d", "base_image": True, "commit_every": "1s", "commit_bytes": "16MB"},
        "grace": "10m", "iceberg": {"publish_every": "30s"},
    },
    "serve": {
        "postgres": {"listen": "127.0.0.1:5439"}, "http": {"listen": "127.0.0.1:8080"},
        "auth": {"oidc": {"issuer": "https://id.example.com", "audience": "shop"}},
    },
    "sources": [
        {"name": "shop_db", "description": "The shop.", "owner": {"team": "x"}, "tags": ["a"],
         "postgres": {"url": "postgresql://localhost/shop", "publication": "nanohouse", "slot": "s", "streams": ["public.*"],
                      "max_wal": "20GB", "on_slot_lost": "heal"}},
        {"name": "kafka", "debezium": {"kafka": {"brokers": "localhost:9092", "topics": ["srv.public.*"],
                                                 "registry": "http://localhost", "config": {"a.b": 1}}}},
        {"name": "http", "debezium": {"http": "/ingest/shop_cdc"}},
        {"name": "server", "debezium": {"server": {"home": "/opt/debezium", "config": {"a": "b"}}}},
        {"name": "file", "debezium": {"file": "changes.jsonl"}},
        {"name": "marketing", "singer": {"tap": "tap-x", "arguments": ["-v"], "pip": "tap-x==1", "config": {"a": [1, {"b": None}]},
                                         "catalog": "catalog.json", "select": ["campaigns"], "environment": {"TZ": "UTC"}, "every": "15m"}},
        {"name": "stream", "singer": {"file": "-"}},
        {"name": "payments", "warehouse": {"url": "postgresql://payments:5439", "version": 2, "tables": ["payments"]}},
    ],
    "tables": [
        {"name": "orders", "source": {"name": "shop_db", "stream": "public.orders"}, "mode": "upsert", "deletes": "hard",
         "primary_key": ["id"], "partition_by": ["month(created_at)"], "sort_by": ["customer_id"], "description": "One row per order.",
         "owner": {"team": "x"}, "tags": "core", "classification": "internal", "target_file_size": "64MB",
         "on_new_field": "quarantine", "on_type_mismatch": "quarantine", "special_values": "quarantine",
         "data_tests": [{"unique": {"columns": ["id"], "severity": "warn"}}],
         "columns": [
             {"name": "id", "data_type": "bigint", "constraints": ["not_null"]},
             {"name": "customer_id", "data_type": "bigint", "constraints": [{"type": "not_null"}],
              "data_tests": ["not_null", {"relationships": {"to": "customers", "field": "id", "name": "x"}}, {"unique": {"where": "true"}}]},
             {"name": "amount", "data_type": "decimal(18,2)", "field": "amount_cents", "source_type": "bigint", "expr": "amount_cents * 0.01"},
             {"name": "status", "data_type": "string", "field": ["a", "b.c"],
              "data_tests": [{"accepted_values": {"values": ["placed", 1, True], "quote": False}}]},
             {"name": "email", "data_type": "string", "description": "Where.", "classification": "restricted", "tags": ["pii"], "policy": "hash"},
             {"name": "created_at", "data_type": "timestamptz", "was": "created", "up": "created", "down": "created_at"},
         ],
         "backfill": ["journal", "previous", "source"], "freshness": {"warn_after": "5m", "error_after": "1h"},
         "monitors": {"volume": {"min_per_hour": 10, "max_per_hour": 20}, "quarantine": {"max_ratio": 0.001}},
         "snapshots": {"daily": "23:59", "keep": "30d"}, "serve": {"doors": ["postgres", "http", "iceberg"], "endpoint": "/orders"}},
        {"name": "customers", "source": [{"name": "shop_db", "stream": "public.customers"}, {"name": "file"}], "primary_key": "id"},
        {"name": "campaigns", "source": "marketing", "mode": "append"},
    ],
    "models": [{"name": "daily", "materialized": "table", "config": {"a": 1}, "description": "x", "owner": {"team": "x"}, "tags": ["x"],
                "columns": [{"name": "day", "data_type": "date", "data_tests": ["unique"], "policy": "hash"}],
                "freshness": {"warn_after": "1h"}, "serve": {"doors": ["postgres"]}}],
    "policies": {"hash": {"mask": "hmac", "key": "k", "key_version": 1, "join_domain": "email"}, "hidden": {"deny": True}},
    "roles": [{"name": "analyst", "members": {"groups": ["idp:sales"], "users": ["grafana"]}, "read": ["orders"], "read_files": ["orders"],
               "read_journal": ["shop_db"], "rows": {"orders": "true"}, "unmask": ["pii"], "run": ["marketing"], "manage": True,
               "description": "x"}],
    "alerts": [{"webhook": "https://example.com", "on": ["freshness", "quarantine", "slot", "test", "volume"]}],
    "exposures": [{"name": "weekly", "type": "dashboard", "depends_on": ["orders"], "owner": {"team": "finance"}, "uses_version": 1,
                   "url": "https://bi.example.com", "maturity": "high", "description": "x", "tags": ["x"]}],
}
SMALL = {"nanohouse": 1, "warehouse": "shop", "storage": {"iceberg": "off"}, "sources": [{"name": "s", "singer": {"file": "x.jsonl"}}],
         "tables": [{"name": "t", "source": "s"}]}

OTHERS = [None, True, 5, -1, 1.5, "text", "", "10m", "name with space", "${env:NANO_UNSET_FOR_COMPARISON}", "x" * 300, [], ["x"], [5], [{}], {}, {"x": 1}]


def places(value, path=()):
    """Every place in a document, outermost first."""
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], path + (key,))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, path + (index,))


def at(document, path):
    for step in path:
        document = document[step]
    return document


def changed(document, path, change):
    document = copy.deepcopy(document)
    change(at(document, path[:-1]), path[-1]) if path else None
    return document


def shown(value):
    return json.dumps(value, separators=(",", ":"))[:40]


def misspelt(parent, key):
    parent[key[:-1] if len(key) > 2 else key + key] = parent.pop(key)


def mutations(document):
    """(what was done, document)"""
    yield "nothing", document
    for path in places(document):
        value = at(document, path)
        name = "/".join(str(step) for step in path)
        if path:
            for other in OTHERS:
                if other != value or type(other) is not type(value):
                    yield f"{name} = {shown(other)}", changed(document, path, lambda parent, key: parent.__setitem__(key, copy.deepcopy(other)))
            yield f"without {name}", changed(document, path, lambda parent, key: parent.__delitem__(key))
            if isinstance(path[-1], str):
                yield f"misspelt {name}", changed(document, path, misspelt)
        if isinstance(value, dict):
            yield f"more in {name}", changed(document, path + ("nonsense",), lambda parent, key: parent.__setitem__(key, 1))


def program_says(binary, document):
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "nanohouse.yaml"), "w", encoding="utf-8") as file:
            json.dump(document, file)
        run = subprocess.run([binary, "-C", folder, "check", "--json"], capture_output=True, text=True, timeout=60)
        try:
            findings = json.loads(run.stdout)["findings"]
        except (json.JSONDecodeError, KeyError, TypeError):
            return None, f"exit {run.returncode}: {run.stdout[:200]} {run.stderr[:200]}"
        shape = [finding for finding in findings if finding["severity"] == "error" and finding["code"] in SHAPE]
        return not shape, "; ".join(f"{finding['code']}: {finding['message']}" for finding in shape[:2])


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("binary")
    arguments.add_argument("--sample", type=int, default=400, help="how many of the changes; 0: every one")
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()

    schema = json.loads(subprocess.run([options.binary, "schema", "json-schema"], capture_output=True, text=True, check=True).stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    whole = {"$schema": schema["$schema"], "definitions": schema["definitions"], "$ref": "#/definitions/warehouse"}
    validator = jsonschema.Draft7Validator(whole)

    cases = list(mutations(SMALL)) + list(mutations(FULL))
    if options.sample:
        good = [case for case in cases if case[0] == "nothing"]
        cases = good + random.Random(options.seed).sample([case for case in cases if case[0] != "nothing"], options.sample)

    passed, failed, accepted = 0, 0, 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for (what, document), (verdict, why) in zip(cases, pool.map(lambda case: program_says(options.binary, case[1]), cases)):
            error = next(iter(validator.iter_errors(document)), None)
            expected = error is None
            accepted += expected
            if verdict == expected and (what != "nothing" or expected):
                passed += 1
                print(f"ok {what}")
                continue
            failed += 1
            print(f"FAIL {what}: the schema says {'good' if expected else error.message[:120]}, the program {'good' if verdict else why}")
    if accepted < 10 or accepted > len(cases) - 10:
        failed += 1
        print(f"FAIL the cases are a test: {accepted} of {len(cases)} are good")
    print(f"{passed} agree, {failed} do not; {accepted} of {len(cases)} are good")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
