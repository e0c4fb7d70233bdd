#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs `nanohouse ingest` on a disk that fails: from the n-th call that changes a file on, ours, DuckDB's or SQLite's, it is full, broken,
broken once or writes short, or the power goes and what was not synced is lost. Then runs it again, and compares with the run that
was never disturbed: tables, positions, quarantine, and `doctor` finds nothing.
NANO_SEED repeats a run, NANO_QUICK shortens it, NANO_LONG makes it long; test/crash/disk.py WORKLOAD:N:ACTION… does only these."""
import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from program import PROGRAM, ROOT, ask, run

QUICK, LONG = bool(os.environ.get("NANO_QUICK")), bool(os.environ.get("NANO_LONG"))
LIBRARY = pathlib.Path(os.environ.get("NANO_BUILD", ROOT / "build/release")) / "src/app/libdisk_faults.so"
ACTIONS = ("lose", "some", "enospc", "eio", "once", "short")
#: So many faults of each action in each workload.
EACH = 1 if QUICK else 40 if LONG else 2

CONTRACT = """nanohouse: 1
warehouse: disk
storage: {journal: {commit_every: 10s, commit_bytes: 16KB}}
sources:
  - {name: crm, singer: {file: crm.jsonl}}
  - {name: cdc, debezium: {file: cdc.jsonl}}
  - {name: past, debezium: {file: past.jsonl}}
  - {name: full, singer: {file: full.jsonl}}
tables:
  - name: visits
    source: {name: crm, stream: visits}
    mode: append
    columns: [{name: id, data_type: bigint}, {name: page, data_type: string}, {name: paid, data_type: "decimal(10,2)"}]
  - name: stock
    source: {name: cdc, stream: shop.stock}
    primary_key: [id]
    columns: [{name: id, data_type: int}, {name: amount, data_type: "decimal(12,2)"}, {name: note, data_type: string}]
  - name: moves
    source: {name: past, stream: shop.stock}
    mode: history
    primary_key: [id]
    columns: [{name: id, data_type: int}, {name: amount, data_type: "decimal(12,2)"}, {name: note, data_type: string}]
  - name: notes
    source: {name: past, stream: shop.stock}
    deletes: soft
    primary_key: [id]
    columns: [{name: id, data_type: int}, {name: note, data_type: string}]
  - name: prices
    source: {name: full, stream: prices}
    mode: replace
    primary_key: [id]
    columns: [{name: id, data_type: int}, {name: price, data_type: "decimal(10,2)"}]
"""
TABLES = {"visits": "id, page, paid", "stock": "id, amount, note", "moves": "id, amount, note, valid_from, valid_to",
          "notes": "id, note, _deleted_at", "prices": "id, price"}
#: Which source is ingested while the disk fails, whether it is the first run of all, and which lane writes.
WORKLOADS = {
    "first run": ("crm", True, "direct"),
    "append": ("crm", False, "direct"),
    "upsert": ("cdc", False, "direct"),
    "upsert by the extension": ("cdc", False, "extension"),
    "history": ("past", False, "direct"),
    "replace": ("full", False, "direct"),
}


def singer(folder, name, stream, fields, rows):
    with open(folder / name, "a", encoding="utf-8") as out:
        print(json.dumps({"type": "SCHEMA", "stream": stream, "key_properties": [], "schema": {"type": "object", "properties": {
            field: {"type": kind} for field, kind in fields.items()}}}), file=out)
        for row in rows:
            out.write(f'{{"type":"RECORD","stream":"{stream}","record":{row}}}\n')
        out.write(f'{{"type":"STATE","value":{{"n":{len(rows)}}}}}\n')


def changes(folder, name, numbers):
    """Changes of one table in small transactions; one amount in a hundred does not fit."""
    with open(folder / name, "a", encoding="utf-8") as out:
        for n in numbers:
            key, transaction = n * 7919 % 90, n // 4
            before, after, op = None, {"id": key, "amount": f"{n}.{n % 100:02d}" if n % 100 != 50 else "12345678901.00", "note": f"note {n} " + "ß" * (n % 40)}, "u"
            if n % 9 == 0:
                before, after, op = {"id": key, "amount": None, "note": None}, None, "d"
            print(json.dumps({"before": before, "after": after, "op": op, "ts_ms": 1767225600000 + n, "source": {
                "version": "3.6.0.Final", "connector": "postgresql", "name": "srv", "db": "d", "schema": "shop", "table": "stock", "ts_ms": 1767225600000 + n * 1000,
                "snapshot": "false", "txId": transaction, "lsn": 1000 + n, "sequence": json.dumps([str(transaction * 10), str(1000 + n)], separators=(",", ":"))}}), file=out)


def inputs(folder, part):
    (folder / "nanohouse.yaml").write_text(CONTRACT)
    numbers = range(part * 400, part * 400 + 400)
    singer(folder, "crm.jsonl", "visits", {"id": "integer", "page": "string", "paid": "number"},
           [f'{{"id":{i},"page":"/p/{"ü" * (i % 30)}{i}","paid":{"12.345" if i % 100 == 50 else f"{i % 97}.{i % 100:02d}"}}}' for i in numbers])
    for name in ("cdc.jsonl", "past.jsonl"):
        changes(folder, name, numbers)
    (folder / "full.jsonl").unlink(missing_ok=True)
    singer(folder, "full.jsonl", "prices", {"id": "integer", "price": "number"}, [f'{{"id":{i},"price":{part}.{i % 100:02d}}}' for i in range(700 - 200 * part)])


def ingest(folder, workload, fault=None, log=None):
    source, _, lane = WORKLOADS[workload]
    environment = {**os.environ, "NANOHOUSE_LANE": lane}
    if log:
        environment |= {"LD_PRELOAD": str(LIBRARY), "NANO_DISK_ROOT": str(folder / "data"), "NANO_DISK_LOG": str(log), "NANO_DISK_FAULT": fault or ""}
    return subprocess.run([PROGRAM, "-C", str(folder), "ingest", "--quiet", source], env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300)


def answers(folder):
    """Every row of every table, of quarantine, and how far each source has come."""
    asked = {name: f"SELECT {columns} FROM {name} ORDER BY ALL" for name, columns in TABLES.items()}
    asked["quarantine"] = 'SELECT source, position, stream, table_name, "column", value FROM nanohouse.quarantine ORDER BY ALL'
    asked["positions"] = "SELECT source, max(position) AS position FROM nanohouse.position WHERE lane = 'main' GROUP BY source ORDER BY source"
    return ask(folder, asked)


def different(seen, expected):
    for name, text in expected.items():
        if seen[name] != text:
            lines, wanted = (seen[name] or "").splitlines(), (text or "").splitlines()
            return f'"{name}" has {len(lines)} rows for {len(wanted)}; missing {[l for l in wanted if l not in lines][:2]}; more {[l for l in lines if l not in wanted][:2]}'
    return ""


def prepare(work):
    """Each workload's folder before the fault, what an undisturbed run leaves, and how many calls it makes."""
    full = work / "full"
    full.mkdir()
    inputs(full, 0)
    done = run(full, "ingest", "--quiet")
    assert done.returncode == 0, f"the first load ended with {done.returncode}: {done.stderr.strip()}"
    inputs(full, 1)
    empty = work / "empty"
    empty.mkdir()
    inputs(empty, 0)
    pristine, expected, calls = {}, {}, {}
    for workload, (_, first, _) in WORKLOADS.items():
        pristine[workload] = empty if first else full
        plain, log = work / f"plain {workload}", work / f"calls of {workload}"
        shutil.copytree(pristine[workload], plain)
        done = ingest(plain, workload, log=log)
        assert done.returncode == 0, f"undisturbed {workload} ended with {done.returncode}: {done.stderr.strip()}"
        expected[workload] = answers(plain)
        calls[workload] = len(log.read_text().splitlines())
    return pristine, expected, calls


def judge(folder, workload, action, done, expected):
    """What was wrong with a disturbed run and what follows it; empty where nothing was."""
    cut = action in ("lose", "some")
    if cut and done.returncode != -signal.SIGKILL:
        return f"it ended with {done.returncode}, not by the kill: {done.stderr.strip()[-300:]}"
    if not cut and done.returncode not in (0, 1, 3):
        return f"it ended with {done.returncode}: {done.stderr.strip()[-300:]}"
    if not cut and done.returncode != 0 and not done.stderr.startswith("error: "):
        return f"it failed with {done.returncode} and said {done.stderr.strip()!r}"
    if done.returncode == 0 and (wrong := different(answers(folder), expected)):
        return f"it said that all was well, but {wrong}"
    again = ingest(folder, workload)
    if again.returncode != 0:
        return f"the next run ended with {again.returncode}: {again.stderr.strip()[-300:]} (after {done.stderr.strip()[-200:]!r})"
    if wrong := different(answers(folder), expected):
        return f"after the next run {wrong}"
    looked = run(folder, "doctor")
    return f"doctor ended with {looked.returncode}: {(looked.stdout + looked.stderr).strip()[-400:]}" if looked.returncode != 0 else ""


def one(work, case, pristine, expected):
    """What was wrong, and the disturbed call; None where the run ended before it."""
    workload, n, action = case
    folder, log = work / f"{workload}-{n}-{action}", work / f"log-{workload}-{n}-{action}"
    shutil.copytree(pristine[workload], folder)
    try:
        done = ingest(folder, workload, f"{n}={action}", log)
        met = next((line[1:] for line in log.read_text(errors="replace").splitlines() if line.startswith("!")), None)
        return None if met is None else (judge(folder, workload, action, done, expected[workload]), met)
    except (AssertionError, subprocess.TimeoutExpired) as error:
        return str(error)[:600], "?"
    finally:
        if not os.environ.get("NANO_KEEP"):
            shutil.rmtree(folder, ignore_errors=True)


def cases(draw, calls):
    """In each workload each action at calls that lie all over the run."""
    if sys.argv[1:]:
        return [(workload, int(n), action) for workload, n, action in (argument.rsplit(":", 2) for argument in sys.argv[1:])]
    drawn = []
    for workload, count in calls.items():
        for action in ACTIONS:
            step = count / EACH
            drawn += [(workload, max(1, int(step * part + draw.random() * step)), action) for part in range(EACH)]
    return drawn


def main(work):
    if not LIBRARY.exists():
        print(f"FAIL disk/the library is built: {LIBRARY.name} is missing")
        return
    seed = int(os.environ.get("NANO_SEED") or time.time_ns() % 1_000_000)
    print(f"seed {seed}", flush=True)
    try:
        pristine, expected, calls = prepare(work)
    except AssertionError as error:
        print(f"FAIL disk/undisturbed: {error}")
        return
    print("calls: " + ", ".join(f"{workload} {count}" for workload, count in calls.items()), flush=True)
    drawn, fired, passed = cases(random.Random(seed), calls), 0, {}
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("NANO_JOBS", "2"))) as pool:
        for case, found in zip(drawn, pool.map(lambda c: one(work, c, pristine, expected), drawn)):
            workload, n, action = case
            if found is None:
                continue
            fired += 1
            wrong, met = found
            if wrong:
                print(f"FAIL disk/{workload}, {action} at {n}: {met}; {wrong}".replace("\n", " ") + f" (seed {seed})", flush=True)
            else:
                passed.setdefault((workload, action), []).append(met)
    for (workload, action), met in passed.items():
        print(f"ok disk/{workload}, {action}", flush=True)
        print(f"{len(met)} times: {', '.join(met)}", flush=True)
    enough = fired >= len(drawn) * 9 // 10
    print(f"{'ok' if enough else 'FAIL'} disk/faults fired: {fired} of {len(drawn)}", flush=True)


folder = pathlib.Path(tempfile.mkdtemp(prefix="disk-"))
try:
    main(folder)
finally:
    if not os.environ.get("NANO_KEEP"):
        shutil.rmtree(folder, ignore_errors=True)
