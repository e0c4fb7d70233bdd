#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills or fails `nanohouse ingest` at every fault point that it passes, runs it again, and compares with the run that never
was disturbed: tables, quarantine, positions, and the published names. NANO_LONG takes every fault of every passing, NANO_SEED
repeats what was drawn of them; test/crash/faults.py [POINT…] does only these."""
import concurrent.futures
import functools
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import program
from program import ROOT

QUICK, LONG = bool(os.environ.get("NANO_QUICK")), bool(os.environ.get("NANO_LONG"))
#: So many cases at most in an ordinary run; a few of them do not fire.
MOST = 225
WORK = pathlib.Path(tempfile.mkdtemp(prefix="faults-"))

CONTRACT = """nanohouse: 1
warehouse: crash
storage: {journal: {commit_every: 10s, commit_bytes: 64KB}}
sources:
  - {name: crm, singer: {file: crm.jsonl}}
  - {name: cdc, debezium: {file: cdc.jsonl}}
  - {name: full, singer: {file: full.jsonl}}
  - {name: versions, singer: {file: versions.jsonl}}
  - {name: plain, debezium: {file: plain.jsonl}}
  - {name: tapped, singer: {tap: ./tap}}
tables:
  - name: visits
    source: {name: crm, stream: visits}
    mode: append
    columns: [{name: id, data_type: bigint}, {name: page, data_type: string}, {name: paid, data_type: "decimal(10,2)"}]
  - name: accounts
    source: {name: cdc, stream: bank.accounts}
    mode: upsert
    primary_key: [id]
    columns: [{name: id, data_type: int}, {name: balance, data_type: "decimal(12,2)"}]
  - name: ledger
    source: {name: cdc, stream: bank.ledger}
    mode: upsert
    primary_key: [id]
    columns: [{name: id, data_type: int}, {name: account, data_type: int}, {name: delta, data_type: "decimal(12,2)"}]
  - name: balances
    source: {name: cdc, stream: bank.accounts}
    mode: history
    primary_key: [id]
    columns: [{name: id, data_type: int}, {name: balance, data_type: "decimal(12,2)"}]
  - name: notes
    source: {name: cdc, stream: bank.notes}
    deletes: soft
    primary_key: [id]
    columns: [{name: id, data_type: int}, {name: note, data_type: string}]
  - name: note_events
    source: {name: cdc, stream: bank.notes}
    mode: append
    columns: [{name: id, data_type: int}, {name: note, data_type: string}]
  - name: prices
    source: {name: full, stream: prices}
    mode: replace
    primary_key: [id]
    columns: [{name: id, data_type: int}, {name: price, data_type: "decimal(10,2)"}]
  - name: people
    source: {name: versions, stream: people}
    primary_key: [id]
    columns: [{name: id, data_type: int}, {name: version, data_type: int}]
  - name: stock
    source: {name: plain, stream: shop.stock}
    primary_key: [id]
    columns: [{name: id, data_type: int}, {name: amount, data_type: "decimal(12,2)"}, {name: big, data_type: string}]
  - name: rates
    source: {name: tapped, stream: rates}
    primary_key: [id]
    columns: [{name: id, data_type: int}, {name: rate, data_type: "decimal(10,4)"}]
"""
QUESTIONS = {
    "visits": "SELECT count(*) AS n, count(DISTINCT id) AS ids, sum(id) AS sum, sum(paid) AS paid, bit_xor(hash(id, page, paid)) AS hash FROM visits",
    "accounts": "SELECT * FROM accounts ORDER BY id",
    "ledger": "SELECT count(*) AS n, sum(delta) AS delta, bit_xor(hash(id, account, delta)) AS hash FROM ledger",
    "balances": "SELECT count(*) AS wrong FROM accounts a WHERE balance <> (SELECT 1000.00 + sum(delta) FROM ledger WHERE account = a.id)",
    "history": "SELECT count(*) AS n, count(*) FILTER (valid_to IS NULL) AS now, bit_xor(hash(id, balance, valid_from, valid_to)) AS hash FROM balances",
    "gaps of the history": "SELECT count(*) AS wrong FROM (SELECT valid_to, lead(valid_from) OVER (PARTITION BY id ORDER BY valid_from) AS next FROM balances) WHERE valid_to IS DISTINCT FROM next",
    "notes": "SELECT count(*) AS n, count(_deleted_at) AS deleted, bit_xor(hash(id, note, _deleted_at)) AS hash FROM notes",
    "note events": "SELECT _op, count(*) AS n, bit_xor(hash(id, note)) AS hash FROM note_events GROUP BY _op ORDER BY _op",
    "prices": "SELECT count(*) AS n, min(price) AS least, bit_xor(hash(id, price)) AS hash FROM prices",
    "people": "SELECT count(*) AS n, min(version) AS version, sum(id) AS sum FROM people",
    "stock": "SELECT count(*) AS n, sum(amount) AS amount, bit_xor(hash(id, amount, big)) AS hash FROM stock",
    "rates": "SELECT count(*) AS n, sum(rate) AS rate, bit_xor(hash(id, rate)) AS hash FROM rates",
    "plain messages": "SELECT count(*) AS n FROM journal.plain",
    "full messages": "SELECT count(*) AS n FROM journal.full",
    "crm messages": "SELECT count(*) AS n FROM journal.crm",
    "cdc messages": "SELECT count(*) AS n FROM journal.cdc",
    "quarantine": "SELECT count(*) AS n, count(DISTINCT position) AS positions, min(value) AS least FROM nanohouse.quarantine",
}


def inputs(folder):
    (folder / "nanohouse.yaml").write_text(CONTRACT)
    with open(folder / "crm.jsonl", "w", encoding="utf-8") as out:
        print(json.dumps({"type": "SCHEMA", "stream": "visits", "key_properties": [], "schema": {"type": "object", "properties": {
            "id": {"type": "integer"}, "page": {"type": ["null", "string"]}, "paid": {"type": ["null", "number"]}}}}), file=out)
        for i in range(3000):
            paid = "12.345" if i % 500 == 250 else f"{i % 97}.{i % 100:02d}"      # a digit too many: quarantine
            out.write(f'{{"type":"RECORD","stream":"visits","record":{{"id":{i},"page":"/p/{"ü" * (i % 30)}{i}","paid":{paid}}}}}\n')
            if i % 1000 == 999:
                out.write(f'{{"type":"STATE","value":{{"n":{i}}}}}\n')
    with open(folder / "cdc.jsonl", "w", encoding="utf-8") as out:
        balance, lsn, last = {n: 100000 for n in range(1, 6)}, 1000, 500

        def event(table, op, before, after, transaction):
            nonlocal lsn
            lsn += 10
            print(json.dumps({"before": before, "after": after, "op": op, "ts_ms": 1767225600000 + lsn, "source": {
                "version": "3.6.0.Final", "connector": "postgresql", "name": "srv", "db": "d", "schema": "bank", "table": table, "ts_ms": 1767225600000 + lsn,
                "snapshot": "false", "txId": transaction, "lsn": lsn, "sequence": json.dumps([str(last), str(lsn)], separators=(",", ":"))}}), file=out)

        for n in balance:
            event("accounts", "c", None, {"id": n, "balance": "1000.00"}, 1)
        for transfer in range(400):
            last = lsn + 1
            giver, taker, amount = transfer % 5 + 1, (transfer * 3 + 1) % 5 + 1, transfer + 1
            if giver == taker:
                continue
            for who, delta, entry in ((giver, -amount, 2 * transfer), (taker, amount, 2 * transfer + 1)):
                balance[who] += delta
                event("ledger", "c", None, {"id": entry, "account": who, "delta": f"{delta / 100:.2f}"}, 2 + transfer)
                event("accounts", "u", None, {"id": who, "balance": f"{balance[who] / 100:.2f}"}, 2 + transfer)


        for note in range(200):
            last = lsn + 1
            event("notes", "c", None, {"id": note, "note": f"note {note}"}, 5000 + note)
            event("notes", "u", None, {"id": note, "note": f"note {note}, mended"}, 5000 + note)
            if note % 3 == 0:
                event("notes", "d", {"id": note, "note": None}, None, 5000 + note)
    prices(folder, 1)
    stock(folder)
    (folder / "tap").write_text("#!/bin/sh\n" + "".join(f"echo '{line}'\n" for line in (
        '{"type":"SCHEMA","stream":"rates","key_properties":["id"],"schema":{"type":"object","properties":{"id":{"type":"integer"},"rate":{"type":"number"}}}}',
        *(f'{{"type":"RECORD","stream":"rates","record":{{"id":{i},"rate":{i}.{i:04d}}}}}' for i in range(200)), '{"type":"STATE","value":{"seen":200}}')))
    (folder / "tap").chmod(0o755)
    with open(folder / "versions.jsonl", "w", encoding="utf-8") as out:
        print(json.dumps({"type": "SCHEMA", "stream": "people", "key_properties": ["id"], "schema": {"type": "object", "properties": {
            "id": {"type": "integer"}, "version": {"type": "integer"}}}}), file=out)
        for version in (1, 2, 3):
            for i in range(version * 100, version * 100 + 1200):      # each version leaves some of the one before it out
                out.write(f'{{"type":"RECORD","stream":"people","record":{{"id":{i},"version":{version}}},"version":{version}}}\n')
            out.write(f'{{"type":"ACTIVATE_VERSION","stream":"people","version":{version}}}\n')


def stock(folder):
    """Changes of one table in small transactions: many commits, so that its files are merged and its index is written."""
    live, lsn = {}, 1000
    with open(folder / "plain.jsonl", "w", encoding="utf-8") as out:
        def event(op, transaction, before, after):
            nonlocal lsn
            lsn += 10
            print(json.dumps({"before": before, "after": after, "op": op, "ts_ms": 1767225600000 + lsn, "source": {
                "version": "3.6.0.Final", "connector": "postgresql", "name": "srv", "db": "d", "schema": "shop", "table": "stock", "ts_ms": 1767225600000 + lsn,
                "snapshot": "false", "txId": transaction, "lsn": lsn, "sequence": json.dumps([str(transaction * 1000), str(lsn)], separators=(",", ":"))}}), file=out)

        for n in range(1400):
            key, amount = n * 7919 % 600, f"{n * 31 % 9973}.{n % 100:02d}"
            if key not in live:
                live[key] = "long text " * 6 + str(n)
                event("c", n // 4, None, {"id": key, "amount": amount, "big": live[key]})
            elif n % 5 == 0:
                del live[key]
                event("d", n // 4, {"id": key, "amount": None, "big": None}, None)
            else:      # the long text is as it was, so it is not sent
                event("u", n // 4, None, {"id": key, "amount": amount, "big": "__debezium_unavailable_value"})


def prices(folder, load):
    """A whole set; that of load 2 has fewer rows, and other prices."""
    with open(folder / "full.jsonl", "w", encoding="utf-8") as out:
        print(json.dumps({"type": "SCHEMA", "stream": "prices", "key_properties": ["id"], "schema": {"type": "object", "properties": {
            "id": {"type": "integer"}, "price": {"type": "number"}}}}), file=out)
        for i in range(2500 - 500 * load):
            out.write(f'{{"type":"RECORD","stream":"prices","record":{{"id":{i},"price":{load}.{i % 100:02d}}}}}\n')


#: The points are many, and a commit may wait for a busy disk.
run = functools.partial(program.run, limit=600)


def answers(folder, names=tuple(QUESTIONS)):
    return program.ask(folder, {name: text for name, text in QUESTIONS.items() if name in names}, limit=600)


#: What is ingested when the fault comes, and the questions that tell whether it is as if there had been none.
WORKLOADS = {
    "append": ("crm", ["visits", "crm messages", "quarantine"]),
    "upsert": ("plain", ["stock", "plain messages"]),
    "history": ("cdc", ["accounts", "ledger", "balances", "history", "gaps of the history", "notes", "note events", "cdc messages"]),
    "replace": ("full", ["prices", "full messages"]),
    "versions": ("versions", ["people"]),
    "tap": ("tapped", ["rates"]),
    "recovery": ("crm", ["visits", "crm messages", "quarantine"]),
    "first run": ("plain", ["stock", "plain messages"]),
}


def one(case, expected, first, pristine):
    """The point's name is its own text in the log; returns what was wrong, or nothing; None if it was never reached."""
    workload, point, passing, action = case
    source, questions = WORKLOADS[workload]
    folder = WORK / f"{workload}-{point}-{passing}-{action}".replace("/", "_").replace(" ", "_")
    shutil.copytree(pristine[workload], folder)
    log = folder / "acted"
    try:
        done = run(folder, "ingest", "--quiet", source, fault=f"{point}:{passing}={action}", log=log)
        if not log.exists() or f"{point}!" not in log.read_text().split():
            return None
        if action == "kill" and done.returncode != -signal.SIGKILL:
            return f"it ended with {done.returncode}, not by the kill: {done.stderr.strip()[-300:]}"
        if action != "kill" and (done.returncode < 0 or done.returncode == 64):
            return f"it ended with {done.returncode}: {done.stderr.strip()[-300:]}"
        if action != "kill" and done.returncode != 0 and not done.stderr.strip():
            return "it failed without a word"
        if workload == "replace" and (seen := answers(folder, ["prices"])["prices"]) not in (expected[workload]["prices"], first["prices"]):
            return f"readers see a set that is not whole: {seen}"
        for turn in ("next", "one after it") if passing > 1 else ("next",):
            done = run(folder, "ingest", "--quiet", source)
            if done.returncode != 0:
                return f"the {turn} run ended with {done.returncode}: {done.stderr.strip()[-300:]}"
            seen = answers(folder, questions)
            if different := [f"{name}: {seen[name]}, undisturbed {expected[workload][name]}" for name in questions if seen[name] != expected[workload][name]]:
                return f"after the {turn} run {'; '.join(different)[:600]}"
        done = run(folder, "doctor")
        if done.returncode != 0:
            return f"doctor ended with {done.returncode}: {(done.stdout + done.stderr).strip()[-300:]}"
        return ""
    except (AssertionError, subprocess.TimeoutExpired) as error:
        return str(error)[:600]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


#: Points that `ingest` does not pass, and where they are.
ELSEWHERE = {
    "base.": "fold.py kills and fails a fold at each of them",
    "doctor.": "damage.py lets doctor set things aside",
    "lake.catalog.": "made once for a catalog in PostgreSQL: test/peers/postgres_catalog.py", "lake.kept.": "put back where the answer to such a catalog's COMMIT is lost: the same",
    "state.folder": "made by the apply before the workload", "state.mkdir": "made by the apply before the workload",
    "publish.metadata.mkdir": "made by the first publishing, before the workload", "publish.names.mkdir": "made by the first publishing, before the workload","init.": "`init` makes a folder that was not there", "publish.deletes.": "delete files are written anew only after a move of the warehouse"}


def registered():
    """Every point that the sources name, with the endings that io/ gives it."""
    endings = {"PassOrFail": ("",), "PassPoint": ("",), "SyncFile": (".sync",), "SyncFiles": (".sync", ".folder"), "SyncFolder": (".folder",), "SyncFileSystem": (".syncfs",), "RenameFile": (".rename",),
               "MakeFolders": (".mkdir", ".folder"), "WriteFileAtomically": (".write", ".sync", ".rename", ".folder"), "AppendFile::Open": (".write", ".sync")}
    points = set()
    for path in sorted((ROOT / "src").rglob("*.cc")):
        if path.stem.endswith("_test") or path.parent.name == "io":
            continue
        text = path.read_text(encoding="utf-8")
        constant = re.search(r'kPoint = "([^"]+)"', text)
        for call, arguments in re.findall(rf"\b({'|'.join(endings)})\(([^;]*);", text):
            name = re.search(r'"([a-z]+(?:\.[a-z]+)*)"\)', arguments)
            name = name[1] if name else constant[1] if constant and "kPoint" in arguments else None
            points |= {name + ending for ending in endings[call]} if name else set()
    return points


def tear(folder):
    """What a power cut may leave: a last commit of which a part is there, and a segment of which only the beginning is."""
    segment = sorted((folder / "data/journal/crm").iterdir())[-1]
    number = re.search(r"[0-9a-f]+", segment.name)[0]
    (segment.parent / segment.name.replace(number, f"{int(number) + 10**6:0{len(number)}}")).write_bytes(segment.read_bytes()[:40])
    with open(segment, "ab") as out:
        out.write(b"torn" * 40)


def prepare(work, folder):
    """Every workload's folder before the fault, its answers after an undisturbed run, and the points that one passes."""
    pristine, expected, points = {}, {}, {}
    for workload, (source, questions) in WORKLOADS.items():
        pristine[workload] = folder if workload != "recovery" and workload != "first run" else work / workload.replace(" ", "_")
        if workload == "recovery":
            shutil.copytree(folder, pristine[workload])
            run(pristine[workload], "ingest", "--quiet", source, fault="journal.write:6=kill")
            tear(pristine[workload])
        elif workload == "first run":
            pristine[workload].mkdir()
            inputs(pristine[workload])
        plain, log = work / f"plain-{workload}".replace(" ", "_"), work / f"points-{workload}".replace(" ", "_")
        shutil.copytree(pristine[workload], plain)
        done = run(plain, "ingest", "--quiet", source, log=log)
        assert done.returncode == 0, f"undisturbed {workload} ended with {done.returncode}: {done.stderr.strip()}"
        expected[workload] = answers(plain, questions)
        points[workload] = set(log.read_text().split())
    return pristine, expected, points


def cases_of(points, draw):
    """Each point of each workload by a kill, and of its other faults, and of later passings, as many as make MOST cases in all."""
    plan = ((1, "kill"), (1, "eio"), (3, "kill"), (2, "enospc"), (1, "short"))
    cases = [(workload, point, passing, action) for passing, action in (plan[:1] if QUICK else plan) for workload in WORKLOADS for point in sorted(points[workload])
             if (action != "short" or point.endswith(".write")) and (passing == 1 or workload in ("append", "upsert", "history"))
             and (not QUICK or workload in ("append", "upsert")) and (len(sys.argv) < 2 or point in sys.argv[1:])]
    first = [case for case in cases if case[2:] == plan[0]]
    others = cases[len(first):]
    return cases if LONG or len(sys.argv) > 1 else first + sorted(draw.sample(others, max(0, min(len(others), MOST - len(first)))), key=others.index)


def main():
    folder = WORK / "pristine"
    folder.mkdir()
    inputs(folder)
    done = run(folder, "ingest", "--quiet", "full")
    if done.returncode != 0:
        print(f"FAIL faults/first load: ended with {done.returncode}: {done.stderr.strip()}")
        return 1
    first = answers(folder, ["prices"])
    prices(folder, 2)
    pristine, expected, points = prepare(WORK, folder)
    history = expected["history"]
    whole = ("'n': 2000" in first["prices"] and "'n': 1500" in expected["replace"]["prices"] and "'deleted': 67" in history["notes"]
             and "'n': 1200, 'version': 3" in expected["versions"]["people"] and "'wrong': 0" in history["gaps of the history"])
    if not whole or "'wrong': 0" not in history["balances"] or "'n': 6" not in expected["append"]["quarantine"] or "'n': 200" not in expected["tap"]["rates"]:
        print(f"FAIL faults/undisturbed: {expected}")
        return 1
    print("ok faults/undisturbed", flush=True)
    missed = sorted(p for p in registered() - set().union(*points.values()) if not p.startswith(tuple(ELSEWHERE)))
    print(f"FAIL faults/every registered point is reached: {' '.join(missed)} are not" if missed else "ok faults/every registered point is reached", flush=True)
    seed = int(os.environ.get("NANO_SEED") or time.time_ns() % 1_000_000)
    print(f"seed {seed}", flush=True)
    cases, fired = cases_of(points, random.Random(seed)), 0
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("NANO_JOBS", "2"))) as pool:
        for (workload, point, passing, action), wrong in zip(cases, pool.map(lambda case: one(case, expected, first, pristine), cases)):
            if wrong is not None:
                fired += 1
                name = f"faults/{workload}: {action} at {point} {passing}".replace(":", ",", 1)
                print(f"FAIL {name}: {wrong}" if wrong else f"ok {name}", flush=True)
    if not QUICK and len(sys.argv) < 2:
        print(f"{'ok' if fired >= 200 else 'FAIL'} faults/200 pairs: {fired} faults acted")
    return 0


try:
    sys.exit(main())
finally:
    shutil.rmtree(WORK, ignore_errors=True)
