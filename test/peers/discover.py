#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `nanohouse discover` proposes for each capture passes `check` and lands the capture without quarantine, but for what no
schema could land: counted here, with its reason."""
import gzip
import json
import lzma
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CAPTURES = ROOT / "test/captures"
PROGRAM = os.environ.get("NANOHOUSE", str(ROOT / "build/release/nanohouse"))
OPEN = {".gz": gzip.open, ".xz": lzma.open, ".jsonl": open}
NO_ROW = "has values that the source did not send, and the table has no such row"
NO_NAME = "changes a row that it does not name: the table has no key and the source sent no old values"
PART = 'tells only a part of field "address": set capture.mode to change_streams_update_full, which sends whole documents'
IN_QUARANTINE = "has values that the source did not send, and the change before it is in quarantine"
# By capture: what stays in quarantine, since the messages lack what it would take. Without message keys the two halves of a
# key change are not known as such, so unsent values have no row to come from; nor have they in extracts that begin after it.
UNKEYED = {NO_ROW: 2, IN_QUARANTINE: 1}
INHERENT = {
    "quirks.jsonl": {"is a record of a stream that has sent no SCHEMA": 1},
    "debezium-tx-http-string-noschemas.jsonl": UNKEYED,
    "debezium-tx-http-string-noschemas-txmeta.jsonl": UNKEYED,
    "tx-http-string-noschemas-txmeta.jsonl": {NO_ROW: 5, IN_QUARANTINE: 1},
    "tx-kafka-precise-schemas-txmeta.jsonl": {NO_ROW: 4},
    "cloudevents-noschemas.jsonl": {NO_ROW: 1},
    "cloudevents-tx-noschemas.jsonl": {NO_ROW: 1},
    "cloudevents.jsonl": {NO_ROW: 1},
    "http-batch-noschemas.jsonl": {NO_ROW: 1},
    # A change of a part of a document names the part, not the whole of it.
    "connectors/mongodb/events.jsonl": {PART: 1},
    "connectors/mongodb/again.jsonl": {PART: 1, NO_ROW: 1},
    # Unwrapping drops old values, by which alone a row of a table without a key is known.
    "unwrap-fields-noschemas.jsonl": {NO_NAME: 1},
    "unwrap-fields.jsonl": {NO_NAME: 1},
}


def run(folder, *arguments):
    done = subprocess.run([PROGRAM, "-C", str(folder), *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300, cwd=folder)
    assert done.returncode == 0, f"{' '.join(arguments)} ended with {done.returncode}: {(done.stdout + done.stderr).strip()[-600:]}"
    return done.stdout


def one(capture):
    with tempfile.TemporaryDirectory(prefix="discover-") as work:
        folder = pathlib.Path(work)
        name = capture.name if capture.suffix == ".jsonl" else capture.stem
        with OPEN[capture.suffix](capture, "rb") as source:
            (folder / name).write_bytes(source.read())
        proposal = json.loads(run(folder, "discover", name, "--write", "--json"))
        assert proposal["tables"], "no table is proposed"
        assert sorted(proposal["files"]) == sorted(str(path.relative_to(folder)) for path in folder.rglob("*.yaml")), proposal["files"]
        run(folder, "check")
        run(folder, "ingest", "--quiet")
        rows = json.loads(run(folder, "query", "--format", "json", "SELECT reason, count(*) AS n FROM nanohouse.quarantine GROUP BY 1"))
        found = {row["reason"]: row["n"] for row in rows}
        expected = INHERENT.get(str(capture.relative_to(CAPTURES)), INHERENT.get(name, {}))
        assert found == expected, f"quarantine holds {found}, not {expected}"
        landed = json.loads(run(folder, "status", "--json"))["tables"]
        assert sum(table["rows"] for table in landed) > 0, "no row landed"


def main():
    failed = 0
    captures = sorted(path for path in CAPTURES.rglob("*.jsonl*") if path.suffix in OPEN)
    captures = [path for path in captures if not path.name.startswith("rows-")]      # what the tables must hold
    captures = [path for path in captures if not sys.argv[1:] or path.name in sys.argv[1:]]
    assert captures, "there are no captures"
    for capture in captures:
        name = f"discover {capture.relative_to(CAPTURES)}"
        if os.environ.get("NANO_QUICK") and "full" in capture.parts:
            print(f"skip {name}: takes long")
            continue
        try:
            one(capture)
            print(f"ok {name}", flush=True)
        except (AssertionError, subprocess.TimeoutExpired) as wrong:
            failed += 1
            print(f"FAIL {name}: {' '.join(str(wrong).split())}", flush=True)
    return 1 if failed else 0


sys.exit(main())
