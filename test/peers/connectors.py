#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Events of Debezium's other connectors, from a line to a queried row: test/captures/connectors/<name> has events, the
contract, and by hand what each row must then hold. Ingested once, then again with what the connector sends a second time
after a restart: exactly that is known as replayed. test/peers/connectors.py [NAME…]"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CAPTURES = ROOT / "test/captures/connectors"
PROGRAM = os.environ.get("NANOHOUSE", str(ROOT / "build/release/nanohouse"))


def nanohouse(folder, *arguments):
    ran = subprocess.run([PROGRAM, "-C", str(folder), *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if ran.returncode:
        raise AssertionError(f"{' '.join(arguments)} ended with {ran.returncode}: {ran.stderr.strip()[-400:]}")
    return ran.stdout


def lines(text):
    """Rows as they were printed: numbers keep every digit."""
    return [line for line in text.splitlines() if line.strip()]


def differences(seen, expected):
    for number in range(max(len(seen), len(expected))):
        ours, theirs = (rows[number] if number < len(rows) else "(none)" for rows in (seen, expected))
        if ours != theirs:
            a, b = (json.loads(row) if row.startswith("{") else {} for row in (ours, theirs))
            fields = [f"{name}: {a.get(name)!r} in place of {b.get(name)!r}" for name in {**b, **a} if a.get(name) != b.get(name)]
            yield f"row {number + 1}: " + ("; ".join(fields) if a and b and fields else f"{ours} in place of {theirs}")


def check(name, folder):
    capture = CAPTURES / name
    expected = json.loads((capture / "expected.json").read_text())
    shutil.copy(capture / "nanohouse.yaml", folder)
    nanohouse(folder, "apply", "--yes", "--quiet")
    for part in ("events", "again"):
        with open(folder / "cdc.jsonl", "ab") as cdc:
            cdc.write((capture / f"{part}.jsonl").read_bytes())
        nanohouse(folder, "ingest", "--quiet")
        rows = lines(nanohouse(folder, "query", "--format", "jsonl", f"SELECT * FROM {expected['table']} ORDER BY 1"))
        yield from (f"after {part}, {text}" for text in differences(rows, (capture / f"rows-{part}.jsonl").read_text().splitlines()))
        records = [json.loads(line) for line in lines(nanohouse(folder, "query", "--format", "jsonl", "SELECT position, kind, ends_transaction, replayed FROM journal.cdc ORDER BY position"))]
        said = "".join("R" if record["replayed"] else "]" if record["kind"] == "end" else "." for record in records)
        if said != expected["records"][part]:
            yield f"after {part}, the journal has {said} in place of {expected['records'][part]}"
        reasons = [json.loads(line)["reason"] for line in lines(nanohouse(folder, "query", "--format", "jsonl", "SELECT reason FROM nanohouse.quarantine"))]
        if reasons != expected["quarantine"]:
            yield f"after {part}, the quarantine has {reasons} in place of {expected['quarantine']}"


def main():
    failed = 0
    for name in sys.argv[1:] or sorted(path.name for path in CAPTURES.iterdir() if path.is_dir()):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="connectors-"))
        try:
            wrong = list(check(name, folder))
        except AssertionError as error:
            wrong = [str(error)]
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        failed += bool(wrong)
        print(f"FAIL connector/{name}: {wrong[0]}" if wrong else f"ok connector/{name}", *(f"  {text}" for text in wrong), sep="\n", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
