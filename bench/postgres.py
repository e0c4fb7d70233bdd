#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL source: the first reading of a table against `COPY` of it to a file, and the stream into the journal alone and into a
table, in one run on one server. bench/postgres.py [ROWS] [CHANGES]"""
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "test/peers"))
import postgres_server  # noqa: E402

PROGRAM = os.environ.get("NANOHOUSE", str(ROOT / "build/release/nanohouse"))
ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
CHANGES = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
TABLE = """CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint, status text, amount numeric(12,2), currency text, note text, created_at timestamptz, ok boolean);
INSERT INTO orders SELECT g, g % 100000, (ARRAY['placed','shipped','returned'])[1 + g % 3], (g % 1000000) / 100.0, 'EUR', 'note of order ' || g, '2024-01-01'::timestamptz + g * interval '1 second', g % 2 = 0 FROM generate_series(1, {rows}) g;
VACUUM ANALYZE orders;"""
COLUMNS = "".join(f"      - {{name: {name}, data_type: \"{kind}\"}}\n" for name, kind in
                  [("id", "bigint"), ("customer_id", "bigint"), ("status", "string"), ("amount", "decimal(12,2)"), ("currency", "string"), ("note", "string"),
                   ("created_at", "timestamptz"), ("ok", "boolean")])


def warehouse(place, name, lands):
    folder = place / name
    folder.mkdir()
    tables = f"tables:\n  - name: orders\n    source: {{name: db, stream: public.orders}}\n    columns:\n{COLUMNS}" if lands else "tables: []\n"
    streams = "" if lands else ", streams: [public.orders]"
    (folder / "nanohouse.yaml").write_text(f"nanohouse: 1\nwarehouse: {name}\nsources:\n  - name: db\n    postgres: {{url: \"${{env:BENCH_URL}}\"{streams}}}\n{tables}")
    return folder


def ingest(folder, url):
    """Seconds, and the most memory that it had in MB."""
    began = time.monotonic()
    program = subprocess.Popen([PROGRAM, "-C", str(folder), "ingest", "db", "--quiet"], env=os.environ | {"BENCH_URL": url}, stdin=subprocess.DEVNULL)
    _, status, used = os.wait4(program.pid, 0)
    assert status == 0, f"ingest ended with {status}"
    return time.monotonic() - began, used.ru_maxrss / 1024


def main():
    place = pathlib.Path(tempfile.mkdtemp(prefix="nano-bench-pg-"))
    with postgres_server.Server(max_wal_size="8GB", shared_buffers="256MB") as server:
        try:
            server.sql(TABLE.format(rows=ROWS))
            out = place / "orders.copy"
            began = time.monotonic()
            server.sql(f"\\copy orders TO '{out}'")
            copy = time.monotonic() - began
            size = out.stat().st_size
            out.unlink()
            print(f"COPY to a file: {ROWS} rows, {size / 1e6:.0f} MB in {copy:.1f} s", flush=True)
            kept, landed = warehouse(place, "kept", False), warehouse(place, "landed", True)
            for folder in (kept, landed):
                seconds, memory = ingest(folder, server.url)
                print(f"first reading, {folder.name}: {seconds:.1f} s, {seconds / copy:.1f} x COPY, {ROWS / seconds / 1000:.0f} k rows/s, {memory:.0f} MB", flush=True)
            server.sql("".join(f"UPDATE orders SET amount = amount + 0.01 WHERE id BETWEEN {n} AND {n + 99};\n" for n in range(1, min(CHANGES, ROWS), 100)))
            for folder in (kept, landed):
                seconds, memory = ingest(folder, server.url)
                print(f"stream of {CHANGES} updates, 100 a transaction, {folder.name}: {seconds:.1f} s, {CHANGES / seconds / 1000:.0f} k changes/s, {memory:.0f} MB", flush=True)
        finally:
            shutil.rmtree(place, ignore_errors=True)


main()
