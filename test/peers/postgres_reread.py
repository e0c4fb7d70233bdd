#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tables of a real PostgreSQL that are read once more: `source resync`, `heal`, `reset` and `verify`, with the warehouse running and without, under
load, with the program killed; slots that are lost in every way. NANO_SEED repeats what is random. postgres_reread.py [CASE…]"""
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
import urllib.request

import postgres_server
from postgres import LOAD, LOADED, QUICK, SEED, Load, PROGRAM, Warehouse, drop_slots

MODES = """
CREATE TABLE plain (id int PRIMARY KEY, v text, n numeric(12,2));
CREATE TABLE soft (id int PRIMARY KEY, v text, n numeric(12,2));
CREATE TABLE past (id int PRIMARY KEY, v text, n numeric(12,2));
CREATE TABLE told (id int PRIMARY KEY, v text, n numeric(12,2));
CREATE TABLE bare (id int, v text);
ALTER TABLE bare REPLICA IDENTITY FULL;
INSERT INTO plain SELECT g, 'v' || g, g / 4.0 FROM generate_series(1, 2000) g;
INSERT INTO soft SELECT * FROM plain; INSERT INTO past SELECT * FROM plain; INSERT INTO told SELECT * FROM plain;
INSERT INTO bare SELECT g % 10, 'b' || g % 3 FROM generate_series(1, 300) g;
"""
EVERY_MODE = ["public.plain", ("public.soft", "    deletes: soft\n"), ("public.past", "    mode: history\n"), ("public.told", "    mode: append\n"), "public.bare"]
KEYED = ["plain", "soft", "past", "told"]
PRESENT = {"plain": "true", "soft": "_deleted_at IS NULL", "past": "valid_to IS NULL"}


def everything(server, name):
    server.sql(f"CREATE DATABASE {name}")
    server.sql(MODES, name)
    return Warehouse(server, name, EVERY_MODE)


def change_unseen(server, name):
    """Of each table with a key 20 rows go, 30 change and 10 come; of the other some."""
    for table in KEYED:
        server.sql(f"DELETE FROM {table} WHERE id <= 20; UPDATE {table} SET v = v || '!' WHERE id BETWEEN 101 AND 130; "
                   f"INSERT INTO {table} SELECT g, 'new', g FROM generate_series(3001, 3010) g", name)
    server.sql("DELETE FROM bare WHERE id = 3; INSERT INTO bare VALUES (77, 'x'), (77, 'x')", name)


def present(warehouse, server, name):
    """The rows of every table as they are now equal the database's."""
    for number, table in enumerate(["plain", "soft", "past"]):
        landed = warehouse.query(f"SELECT c0, c1, c2 FROM t{number} WHERE {PRESENT[table]} ORDER BY c0::int")
        source = [dict(zip(["c0", "c1", "c2"], row)) for row in warehouse.rows(f"SELECT id, v, n FROM {table} ORDER BY id")]
        assert landed == source, f"{table}: {len(source)} rows, landed {len(landed)}: {[a for a in landed if a not in source][:3]} {[b for b in source if b not in landed][:3]}"
    build = warehouse.query("SELECT build FROM nanohouse.version WHERE name = 't3'")[0]["build"]
    last = warehouse.query(f"SELECT c0, c1, c2 FROM (SELECT *, row_number() OVER (PARTITION BY c0 ORDER BY _position DESC) AS nth FROM build.\"{build}\") WHERE nth = 1 AND _op <> 'd' ORDER BY c0::int")
    source = [dict(zip(["c0", "c1", "c2"], row)) for row in warehouse.rows("SELECT id, v, n FROM told ORDER BY id")]
    assert last == source, f"told: {len(source)} rows, {len(last)} by the last events"
    bare = [tuple(row.values()) for row in warehouse.query("SELECT c0, c1 FROM t4 ORDER BY c0, c1")]
    assert bare == sorted(tuple(row) for row in warehouse.rows("SELECT id, v FROM bare")), "bare differs"
    assert warehouse.query("SELECT count(*) AS n FROM nanohouse.quarantine") == [{"n": 0}]


def counts(warehouse):
    return {key: value for row in warehouse.query(
        "SELECT (SELECT count(*) FROM t2) AS versions, (SELECT count(*) FROM t3) AS events, (SELECT count(*) FROM t1 WHERE _deleted_at IS NOT NULL) AS marked") for key, value in row.items()}


def a_slot_that_was_dropped(server):
    """It is told at once and not passed over; heal writes what differs and what is gone, into tables of every mode, and no more."""
    warehouse = everything(server, "dropped")
    try:
        warehouse.run("ingest", "--quiet")
        present(warehouse, server, "dropped")
        before = counts(warehouse)
        drop_slots(server)
        change_unseen(server, "dropped")
        warehouse.run("ingest", "--quiet", fails="is gone")
        warehouse.run("ingest", "--quiet", fails="source heal db")
        warehouse.run("source", "heal", "db", "--quiet")
        present(warehouse, server, "dropped")
        after = counts(warehouse)
        assert after["marked"] - before["marked"] == 20, after
        assert after["versions"] - before["versions"] == 40, f"a history got {after['versions'] - before['versions']} rows for 30 changed and 10 new ones"
        assert after["events"] - before["events"] == 60, f"events: {after['events'] - before['events']} for 20 gone, 30 changed and 10 new rows"
        assert warehouse.query("SELECT count(*) AS n FROM journal.db WHERE kind = 'gap'") == [{"n": 1}]
        server.sql("UPDATE plain SET v = 'after' WHERE id = 500; INSERT INTO told VALUES (9000, 'after', 1)", "dropped")
        warehouse.run("ingest", "--quiet")
        present(warehouse, server, "dropped")
        # A slot that is well needs no new one, and what equals is not written again.
        warehouse.run("source", "heal", "db", "--quiet")
        assert counts(warehouse)["events"] == after["events"] + 1 and counts(warehouse)["versions"] == after["versions"]
        assert warehouse.query("SELECT count(*) AS n FROM journal.db WHERE kind = 'gap'") == [{"n": 1}]
    finally:
        warehouse.close()


def a_slot_that_was_invalidated(server):
    """As it held back too much log; `on_slot_lost: heal` heals by itself."""
    warehouse = everything(server, "invalidated")
    try:
        warehouse.run("ingest", "--quiet")
        before = counts(warehouse)
        change_unseen(server, "invalidated")
        server.sql("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
        server.sql("SELECT pg_reload_conf()")
        for _ in range(3):
            server.sql("UPDATE plain SET v = v || '?' WHERE id = 500; SELECT pg_switch_wal(); CHECKPOINT", "invalidated")
        server.sql("ALTER SYSTEM RESET max_slot_wal_keep_size")
        server.sql("SELECT pg_reload_conf()")
        assert "lost" in server.sql("SELECT wal_status FROM pg_replication_slots").split()
        warehouse.run("ingest", "--quiet", fails="was invalidated")
        warehouse.source = ", on_slot_lost: heal"
        warehouse.tables.clear()
        warehouse.declare(EVERY_MODE)
        warehouse.run("apply", "--yes", "--quiet")
        warehouse.run("ingest", "--quiet")
        present(warehouse, server, "invalidated")
        assert counts(warehouse)["events"] - before["events"] == 60
        assert warehouse.query("SELECT count(*) AS n FROM journal.db WHERE kind = 'gap'") == [{"n": 1}]
    finally:
        warehouse.close()


def a_database_that_was_restored(_):
    """From a copy, slot and all: before its log has come as far as the journal, and when it is far beyond."""
    for beyond in [False, True]:
        with postgres_server.Server() as server:
            warehouse = everything(server, "restored")
            try:
                warehouse.run("ingest", "--quiet")
                server.stop()
                shutil.copytree(server.data, server.folder / "backup", copy_function=shutil.copy2)
                server.start()
                server.sql("UPDATE plain SET v = 'lost' WHERE id BETWEEN 1000 AND 1100; INSERT INTO told SELECT g, 'lost', 0 FROM generate_series(5001, 5100) g", "restored")
                warehouse.run("ingest", "--quiet")
                server.stop()
                shutil.rmtree(server.data)
                shutil.copytree(server.folder / "backup", server.data, copy_function=shutil.copy2)
                subprocess.run(["chown", "-R", server.user or str(os.getuid()), str(server.data)], check=True)
                server.start()
                if beyond:
                    change_unseen(server, "restored")
                    server.sql("CREATE TABLE noise AS SELECT g, repeat('x', 200) AS x FROM generate_series(1, 20000) g", "restored")
                warehouse.run("ingest", "--quiet", fails="restored from a backup")
                warehouse.run("ingest", "--quiet", fails="restored from a backup")
                warehouse.run("source", "heal", "db", "--quiet")
                present(warehouse, server, "restored")
                server.sql("UPDATE plain SET v = 'goes on' WHERE id = 7", "restored")
                warehouse.run("ingest", "--quiet")
                present(warehouse, server, "restored")
                # Nothing was restored here: the server only forgot the last acknowledgement.
                server.sql("UPDATE plain SET v = 'again' WHERE id = 8", "restored")
                warehouse.run("ingest", "--quiet")
                server.stop(signal.SIGQUIT)
                server.start()
                server.sql("UPDATE plain SET v = 'and again' WHERE id = 9", "restored")
                warehouse.run("ingest", "--quiet")
                present(warehouse, server, "restored")
            finally:
                warehouse.close()


def rows_are_old_until_they_are_new(server):
    """A resync that is killed again and again, under load: at no moment does a reader see a table that is half new."""
    items = 4000 if QUICK else 20000
    server.sql("CREATE DATABASE resync")
    server.sql(LOAD.format(items=items), "resync")
    warehouse = Warehouse(server, "resync", LOADED)
    try:
        warehouse.run("ingest", "--quiet")
        warehouse.check()
        server.sql("CREATE TABLE steady (id int PRIMARY KEY, v text); INSERT INTO steady SELECT g, 'old' FROM generate_series(1, 30000) g", "resync")
        warehouse.tables.clear()
        warehouse.declare([*LOADED, "public.steady"])
        warehouse.run("apply", "--yes", "--quiet")
        warehouse.run("ingest", "--quiet")
        # What the warehouse can't know: all of them at once, past the stream.
        server.sql("SET session_replication_role = replica; UPDATE steady SET v = 'old' WHERE false", "resync")
        drop_slots(server)
        server.sql("UPDATE steady SET v = 'new'; DELETE FROM steady WHERE id <= 100", "resync")
        load = Load(server, "resync", 2, 300 if QUICK else 1500, items)
        kills, seen, first = 0, set(), True
        for _ in range(200):
            program = warehouse.start(*(["source", "resync", "db"] if first else ["ingest"]), "--quiet")
            first = False
            try:
                program.wait(random.uniform(0.3, 1.0) if kills < 8 else 120)
                assert program.returncode == 0, program.stderr.read()[-800:]
                done = True
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
                kills += 1
                done = False
            seen.add(tuple(tuple(row.values()) for row in warehouse.query("SELECT c1, count(*) AS n FROM t4 GROUP BY 1 ORDER BY 1")))
            if done:
                break
            if not json.loads(warehouse.run("query", "--format", "json", "SELECT count(*) AS n FROM journal.db WHERE kind = 'gap'"))[0]["n"]:
                first = True   # it was killed before it could note what was asked, or could make a slot
        load.stop()
        warehouse.run("ingest", "--quiet")
        warehouse.check()
        assert seen <= {(("old", 30000),), (("new", 29900),)}, f"a reader saw {seen}"
        print(f"  killed {kills} times")
    finally:
        warehouse.close()


def a_running_warehouse_is_asked(server):
    """resync, heal and reset by the control socket: one table alone, all tables, and a new slot."""
    warehouse = everything(server, "asked")
    run = None
    try:
        warehouse.run("ingest", "--quiet")
        log = open(warehouse.folder / "run.log", "w")
        run = subprocess.Popen([PROGRAM, "-C", str(warehouse.folder), "run", "--log", "json"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=warehouse.environment())
        wait(lambda: state(warehouse)["state"] == "running", "it runs")
        reads = lambda: warehouse.query("SELECT count(*) AS n FROM journal.db WHERE kind = 'snapshot_edge'")[0]["n"]
        assert reads() == 0
        warehouse.run("source", "resync", "db", "t0", "--quiet")
        wait(lambda: reads() == 2, "one table is read")
        warehouse.run("source", "heal", "db", "--quiet")
        wait(lambda: reads() == 12, "all tables are read")
        slot = server.sql("SELECT catalog_xmin FROM pg_replication_slots WHERE database = 'asked'")
        server.sql("UPDATE plain SET v = 'meanwhile' WHERE id = 5", "asked")
        warehouse.run("source", "reset", "db", "--quiet")
        wait(lambda: reads() == 22, "all tables are read anew")
        assert warehouse.query("SELECT count(*) AS n FROM journal.db WHERE kind = 'gap'") == [{"n": 1}]
        assert server.sql("SELECT catalog_xmin FROM pg_replication_slots WHERE database = 'asked'") != slot, "the slot is the old one"
        warehouse.run("source", "resync", "db", "nothing", "--quiet", fails='fills no table "nothing"')
        wait(lambda: lag(warehouse) == 0, "everything has landed")
        present(warehouse, server, "asked")
        # A slot that is lost while it runs waits for a person, who heals.
        server.sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = 'asked'; SELECT pg_sleep(0.1); "
                   "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = 'asked'")
        wait(lambda: state(warehouse)["state"] == "failed" and "is gone" in state(warehouse)["reason"] and "source heal db" in state(warehouse)["hint"], "the loss is told")
        change_unseen(server, "asked")
        warehouse.run("source", "heal", "db", "--quiet")
        wait(lambda: reads() == 32 and lag(warehouse) == 0, "it is healed")
        present(warehouse, server, "asked")
    finally:
        if run:
            run.terminate()
            run.wait(30)
        warehouse.close()


def verified(warehouse, *arguments, differs=False):
    """What verify says, as JSON; it ends with 1 where something differs."""
    done = subprocess.run([PROGRAM, "-C", str(warehouse.folder), "source", "verify", "db", "--json", *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300,
                          env=warehouse.environment())
    assert done.returncode == (1 if differs else 0), f"verify ended with {done.returncode}: {done.stdout[-1500:]}{done.stderr[-800:]}"
    return {table["table"]: table for table in json.loads(done.stdout)["tables"]}


def tables_are_held_against_the_database(server):
    """verify finds what differs, in tables of every mode, while the database changes, with the warehouse running and without; heal mends it."""
    warehouse = everything(server, "held")
    run = None
    try:
        warehouse.run("ingest", "--quiet")
        assert all(not table["diverging"] for table in verified(warehouse).values())
        # Changes that the warehouse never sees: the tables leave the publication for a moment.
        server.sql("ALTER PUBLICATION nanohouse DROP TABLE plain, soft, past, told, bare", "held")
        change_unseen(server, "held")
        server.sql("ALTER PUBLICATION nanohouse ADD TABLE plain, soft, past, told, bare", "held")
        server.sql("UPDATE plain SET v = 'seen' WHERE id = 1000", "held")
        for running in [False, True]:
            if running:
                log = open(warehouse.folder / "run.log", "w")
                run = subprocess.Popen([PROGRAM, "-C", str(warehouse.folder), "run", "--log", "json"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=warehouse.environment())
                wait(lambda: state(warehouse)["state"] == "running", "it runs")
            found = verified(warehouse, differs=True)
            for number in range(4):
                rows = found[f"t{number}"]["diverging"]
                kinds = {what: sorted(int(row["key"]["c0"]) for row in rows if row["what"] == what) for what in ["missing", "extra", "differs"]}
                assert kinds == {"missing": list(range(3001, 3011)), "extra": list(range(1, 21)), "differs": list(range(101, 131))}, f"{KEYED[number]}: {kinds}"
                assert all(row["columns"] == ["c1"] for row in rows if row["what"] == "differs")
            bare = {tuple(row["key"]): (row["what"], row["times"]) for row in found["t4"]["diverging"]}
            assert bare[("77", "x")] == ("missing", 2) and ("3", "b0") in bare and bare[("3", "b0")][0] == "extra", bare
        text = subprocess.run([PROGRAM, "-C", str(warehouse.folder), "source", "verify", "db", "t0"], capture_output=True, text=True, env=warehouse.environment()).stdout
        assert "t0: 1,990 rows, 60 diverge" in text and "│ 3001" in text, text
        # Under load nothing differs that is merely on its way.
        warehouse.run("source", "heal", "db", "--quiet")
        edges = lambda: warehouse.query("SELECT count(*) AS n FROM journal.db WHERE kind = 'snapshot_edge'")[0]["n"]
        wait(lambda: edges() == 10 and lag(warehouse) == 0, "it is healed")
        session = server.psql("held")
        session.stdin.write("".join(f"UPDATE plain SET n = n + 1 WHERE id % 7 = {n % 7}; UPDATE told SET v = v || '.' WHERE id % 50 = {n % 50}; SELECT pg_sleep(0.01);\n" for n in range(400)))
        session.stdin.flush()
        found = verified(warehouse)
        assert all(not table["diverging"] for table in found.values()), found
        session.kill()
    finally:
        if run:
            run.terminate()
            run.wait(30)
        warehouse.close()


def what_ddl_does_to_rows(server):
    """With the trigger, defaults of new columns, rewritten columns and renamed words reach rows that no change was sent of."""
    server.sql("CREATE DATABASE ddl")
    server.sql("CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TABLE t (id int PRIMARY KEY, m mood, n int); CREATE TABLE other (id int PRIMARY KEY); "
               "INSERT INTO t SELECT g, 'good', g FROM generate_series(1, 500) g", "ddl")
    warehouse = Warehouse(server, "ddl", ["public.t", "public.other"])
    reads = lambda: warehouse.query("SELECT count(*) AS n FROM journal.db WHERE kind = 'snapshot_edge'")[0]["n"]
    try:
        warehouse.run("ingest", "--quiet")
        assert "CREATE EVENT TRIGGER" in warehouse.run("doctor", "--ddl-trigger")
        warehouse.run("doctor", "--ddl-trigger", "--fix")
        assert "DDL that changes rows is told" in warehouse.run("doctor")
        server.sql("ALTER TYPE mood RENAME VALUE 'good' TO 'fine'", "ddl")
        warehouse.run("ingest", "--quiet")
        warehouse.check()
        assert reads() == 2
        server.sql("ALTER TABLE t ALTER COLUMN n TYPE numeric(12,2) USING n / 4.0", "ddl")
        warehouse.run("ingest", "--quiet")
        warehouse.check()
        assert reads() == 4
        server.sql("BEGIN; SAVEPOINT s; ALTER TABLE t ADD COLUMN c text DEFAULT 'given'; RELEASE s; COMMIT", "ddl")
        warehouse.tables.clear()
        warehouse.declare(["public.t", "public.other"])
        warehouse.run("apply", "--yes", "--quiet")
        warehouse.run("ingest", "--quiet")
        warehouse.check()
        assert reads() == 6
        # What changes no row reads nothing.
        server.sql("ALTER TABLE t ADD COLUMN bare int; ALTER TABLE t ALTER COLUMN c SET STATISTICS 10; ALTER TYPE mood ADD VALUE 'worse'; "
                   "ALTER TABLE other RENAME TO another; ALTER TABLE another RENAME TO other; BEGIN; ALTER TABLE t ALTER COLUMN id TYPE bigint; ROLLBACK", "ddl")
        warehouse.run("ingest", "--quiet")
        assert reads() in (6, 8), reads()   # SET STATISTICS looks like a new default
        warehouse.run("doctor", "--ddl-trigger", "--fix")
    finally:
        server.sql("DROP EVENT TRIGGER IF EXISTS nanohouse_ddl; DROP EVENT TRIGGER IF EXISTS nanohouse_rewrite", "ddl")
        warehouse.close()


def a_slot_that_holds_back_too_much(server):
    """A source that is not read warns, and its slot is dropped above max_wal, told in state, log and metrics; heal brings the rows."""
    server.sql("CREATE DATABASE full_disk")
    server.sql("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, 'v' FROM generate_series(1, 1000) g", "full_disk")
    port = postgres_server.free_port()
    warehouse = Warehouse(server, "full_disk", ["public.t"], ", max_wal: 60MB", storage=f"serve: {{http: {{listen: \"127.0.0.1:{port}\"}}}}\n")
    run = None
    try:
        warehouse.run("ingest", "--quiet")
        log = open(warehouse.folder / "run.log", "w")
        run = subprocess.Popen([PROGRAM, "-C", str(warehouse.folder), "run", "--log", "json"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=warehouse.environment())
        wait(lambda: state(warehouse)["state"] == "running", "it runs")
        warehouse.run("source", "stop", "db", "--quiet")
        write = lambda mb: server.sql(f"CREATE TABLE noise AS SELECT g, repeat(md5(g::text), 30) AS x FROM generate_series(1, {mb} * 1000) g; DROP TABLE noise", "full_disk")
        for _ in range(6):
            write(8)
            time.sleep(6)
            if state(warehouse)["warning"]:
                break
        assert "it is dropped (`max_wal`)" in (state(warehouse)["warning"] or ""), state(warehouse)
        assert server.sql("SELECT count(*) FROM pg_replication_slots WHERE database = 'full_disk'").strip() == "1"
        metrics = lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
        assert 'nanohouse_source_slot_warning{source="db"} 1' in metrics()
        write(40)
        wait(lambda: server.sql("SELECT count(*) FROM pg_replication_slots WHERE database = 'full_disk'").strip() == "0", "the slot is dropped")
        wait(lambda: 'nanohouse_source_slots_dropped{source="db"} 1' in metrics(), "it is counted")
        assert "slot dropped" in (warehouse.folder / "run.log").read_text()
        server.sql("UPDATE t SET v = 'unseen' WHERE id = 7", "full_disk")
        warehouse.run("source", "start", "db", "--quiet")
        wait(lambda: state(warehouse)["state"] == "failed" and "more than `max_wal`" in state(warehouse)["reason"], "the reason is told")
        warehouse.run("source", "heal", "db", "--quiet")
        wait(lambda: warehouse.query("SELECT c1 FROM t0 WHERE c0 = '7'") == [{"c1": "unseen"}], "it is healed")
        warehouse.check()
    finally:
        if run:
            run.terminate()
            run.wait(30)
        warehouse.close()


def three_hundred_tables(server):
    """In one source: read, then changed."""
    tables = 300 if os.environ.get("NANO_LONG") else 60
    server.sql("CREATE DATABASE many")
    server.sql("".join(f"CREATE TABLE t{n} (id int PRIMARY KEY, v text); INSERT INTO t{n} SELECT g, 'v' || g FROM generate_series(1, {5 + n % 20}) g;\n" for n in range(tables)), "many")
    warehouse = Warehouse.__new__(Warehouse)
    warehouse.server, warehouse.database, warehouse.folder, warehouse.tables = server, "many", pathlib.Path(tempfile.mkdtemp(prefix="nano-pgsource-")), {}
    warehouse.role, warehouse.source, warehouse.storage = "postgres", "", ""
    try:
        text = ["nanohouse: 1\nwarehouse: many\nsources:\n  - name: db\n    postgres: {url: \"${env:NANO_TEST_URL}\"}\ntables:\n"]
        for n in range(tables):
            text.append(f"  - {{name: t{n}, source: {{name: db, stream: public.t{n}}}, primary_key: [id], columns: [{{name: id, data_type: int}}, {{name: v, data_type: string}}]}}\n")
        (warehouse.folder / "nanohouse.yaml").write_text("".join(text))
        began = time.monotonic()
        warehouse.run("ingest", "--quiet")
        first = time.monotonic() - began
        sums = lambda: " UNION ALL ".join(f"SELECT {n} AS n, count(*) AS c, coalesce(max(v), '') AS v FROM t{n}" for n in range(tables))
        same = lambda: [[str(value) for value in row.values()] for row in warehouse.query(f"SELECT * FROM ({sums()}) ORDER BY n")] == warehouse.rows(f"SELECT * FROM ({sums()}) all_tables ORDER BY n")
        assert same(), "the tables differ after the first reading"
        server.sql("".join(f"UPDATE t{n} SET v = 'w' || id WHERE id % 2 = 0; DELETE FROM t{n} WHERE id = 1;\n" for n in range(tables)), "many")
        began = time.monotonic()
        warehouse.run("ingest", "--quiet")
        assert same(), "the tables differ after changes"
        print(f"  read in {first:.1f} s, changed in {time.monotonic() - began:.1f} s")
    finally:
        warehouse.close()


def state(warehouse):
    return next(source for source in json.loads(warehouse.run("source", "list", "--json")) if source["name"] == "db")


def lag(warehouse):
    return state(warehouse)["lag"]["records"]


def wait(what, name, limit=60):
    until = time.monotonic() + limit
    while not what():
        assert time.monotonic() < until, f"not within {limit} s: {name}"
        time.sleep(0.2)


CASES = [a_slot_that_was_dropped, a_slot_that_was_invalidated, a_database_that_was_restored, rows_are_old_until_they_are_new, a_running_warehouse_is_asked,
         tables_are_held_against_the_database, what_ddl_does_to_rows, a_slot_that_holds_back_too_much, three_hundred_tables]


def main():
    if not postgres_server.available():
        print("skip postgres_reread: no PostgreSQL server is installed")
        return 0
    chosen = [case for case in CASES if not sys.argv[1:] or case.__name__ in sys.argv[1:]]
    failed = 0
    with postgres_server.Server(logical_decoding_work_mem="64kB") as server:
        for case in chosen:
            began = time.monotonic()
            random.seed(SEED)
            try:
                case(server)
                print(f"ok postgres_reread {case.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
            except (AssertionError, subprocess.TimeoutExpired) as wrong:
                failed += 1
                print(f"FAIL postgres_reread {case.__name__} (seed {SEED}): {wrong}", flush=True)
            drop_slots(server)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
