#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGKILLs a run of 1,000,000 records fifty times, at random moments, and then counts: every row once, to the last digit.
test/crash/kills.py [SEED]"""
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("NANOHOUSE", str(ROOT / "build/release/nanohouse"))
RECORDS, KILLS = 1_000_000, 50
COLUMNS = {"id": "BIGINT", "customer_id": "BIGINT", "name": "VARCHAR", "email": "VARCHAR", "amount": "DECIMAL(18,2)", "score": "DOUBLE",
           "active": "BOOLEAN", "created_at": "TIMESTAMPTZ", "birth_date": "DATE", "note": "VARCHAR"}
SUMS = "count(*)::BIGINT AS n, count(DISTINCT id)::BIGINT AS ids, sum(id)::VARCHAR AS sum, sum(amount)::VARCHAR AS amount, " \
       "bit_xor(hash(" + ", ".join(COLUMNS) + "))::VARCHAR AS hash"


def main():
    if os.environ.get("NANO_QUICK"):
        print("skip kills/every row once: minutes")
        return
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else time.time_ns() % 1_000_000
    print(f"seed {seed}", flush=True)
    draw = random.Random(seed)
    work = pathlib.Path(tempfile.mkdtemp(prefix="kills-"))
    try:
        file = work / "orders.jsonl"
        with open(file, "wb") as out:
            subprocess.run([sys.executable, str(ROOT / "bench/gen_singer.py"), str(RECORDS)], stdout=out, check=True)
        types = ", ".join(f'{{name: {c}, data_type: "{t.lower().replace("varchar", "string")}"}}' for c, t in COLUMNS.items())
        (work / "nanohouse.yaml").write_text(
            f"nanohouse: 1\nwarehouse: kills\nsources: [{{name: shop, singer: {{file: orders.jsonl}}}}]\n"
            f"tables:\n  - {{name: orders, source: {{name: shop, stream: orders}}, mode: append, columns: [{types}]}}\n")
        kills, runs, longest = 0, 0, 0.8
        while True:
            runs += 1
            child = subprocess.Popen([PROGRAM, "-C", str(work), "ingest", "--quiet"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if kills < KILLS:
                try:
                    child.wait(draw.uniform(0.02, longest))
                except subprocess.TimeoutExpired:
                    child.send_signal(signal.SIGKILL)
            output, _ = child.communicate(timeout=300)
            if child.returncode == -signal.SIGKILL:
                kills += 1
            elif child.returncode != 0:
                print(f"FAIL kills/every row once: after {kills} kills it ended with {child.returncode}: {output.decode().strip()[-400:]} (seed {seed})")
                return
            elif kills >= KILLS:
                break
            else:
                # Done before fifty kills: what follows are kills of a run with nothing to do, so begin anew.
                check(work, file, seed, f"after {kills} kills")
                shutil.rmtree(work / "data")
                longest *= 0.7
        check(work, file, seed, f"after {kills} kills in {runs} runs")
        done = subprocess.run([PROGRAM, "-C", str(work), "doctor"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        print("ok kills/doctor finds nothing" if done.returncode == 0 else f"FAIL kills/doctor finds nothing: {(done.stdout + done.stderr).strip()[-400:]}")
    finally:
        shutil.rmtree(work, ignore_errors=True)


def check(work, file, seed, when):
    import duckdb  # the tests' own Python
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    struct = ", ".join(f"{c} {t}" for c, t in COLUMNS.items())
    expected = connection.execute(f"SELECT {SUMS} FROM (SELECT record.* FROM read_ndjson('{file}', columns = {{type: 'VARCHAR', record: 'STRUCT({struct})'}}) "
                                  "WHERE type = 'RECORD')").fetchone()
    done = subprocess.run([PROGRAM, "-C", str(work), "query", "--format", "csv", f"SELECT {SUMS} FROM orders"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    seen = done.stdout.strip().split("\n")[-1]
    if seen == ",".join(map(str, expected)):
        print(f"ok kills/every row once, {when}", flush=True)
    else:
        print(f"FAIL kills/every row once, {when}: {seen or done.stderr.strip()}, expected {expected} (seed {seed})", flush=True)


main()
