#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL sources against a real server: every type and kind of table, snapshots under load with the program killed, slots that
are lost. At the end each table equals the database's, value by value, as PostgreSQL itself spells it. The seed of what is
random is printed; NANO_SEED repeats it. postgres.py [CASE…]"""
import csv
import io
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import postgres_server

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PROGRAM = os.environ.get("NANOHOUSE", str(ROOT / "build/release/nanohouse"))
QUICK = bool(os.environ.get("NANO_QUICK"))
SEED = int(os.environ.get("NANO_SEED", random.randrange(1 << 30)))
SETTINGS = "SET datestyle = ISO; SET timezone = 'UTC'; SET extra_float_digits = 3; SET bytea_output = hex; SET intervalstyle = postgres;\n"


class Warehouse:
    """A folder whose tables take every column as text, so that what lands is what PostgreSQL wrote."""

    def __init__(self, server, database, tables, source="", storage=""):
        self.server, self.database = server, database
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nano-pgsource-"))
        self.tables = {}
        self.role = "postgres"
        self.source, self.storage = source, storage
        self.declare(tables)

    def declare(self, tables):
        """`tables`: schema.table, or (schema.table, more YAML of the table)."""
        text = [f"nanohouse: 1\nwarehouse: shop\n{self.storage}sources:\n  - name: db\n    postgres: {{url: \"${{env:NANO_TEST_URL}}\"{self.source}}}\ntables:\n"]
        for number, entry in enumerate(tables):
            stream, more = entry if isinstance(entry, tuple) else (entry, "")
            schema, table = stream.split(".", 1)
            columns = [row[0] for row in self.rows(f"SELECT attname FROM pg_attribute a WHERE attrelid = '{schema}.\"{table}\"'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum")]
            name = f"t{number}"
            self.tables[name] = (stream, columns)
            text.append(f"  - name: {name}\n    source: {{name: db, stream: {json.dumps(stream)}}}\n{more}    columns:\n")
            for at, column in enumerate(columns):
                text.append(f"      - {{name: c{at}, field: {json.dumps(column, ensure_ascii=False)}, data_type: string}}\n")
        (self.folder / "nanohouse.yaml").write_text("".join(text))

    def environment(self):
        return os.environ | {"NANO_TEST_URL": f"postgresql://{self.role}@127.0.0.1:{self.server.port}/{self.database}"}

    def run(self, *arguments, fails=None):
        done = subprocess.run([PROGRAM, "-C", str(self.folder), *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=600, env=self.environment())
        said = (done.stdout + done.stderr).strip()
        if fails is None:
            assert done.returncode == 0, f"{' '.join(arguments)} ended with {done.returncode}: {said[-1500:]}"
        else:
            assert done.returncode != 0 and fails in said, f"{' '.join(arguments)} ended with {done.returncode}, without \"{fails}\": {said[-1500:]}"
        assert "s3cret" not in said, f"a password was printed: {said}"
        return done.stdout

    def start(self, *arguments):
        return subprocess.Popen([PROGRAM, "-C", str(self.folder), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL,
                                env=self.environment())

    def query(self, sql):
        return json.loads(self.run("query", "--format", "json", sql))

    def rows(self, sql):
        """Rows of the database, each value as its output function spells it."""
        text = self.server.sql(f"{SETTINGS}COPY ({sql}) TO STDOUT WITH (FORMAT csv, NULL '\\N', FORCE_QUOTE *)", self.database)
        return [[None if value == "\\N" else value for value in row] for row in csv.reader(io.StringIO(text))]

    def compare(self):
        """What differs, in words; empty: nothing."""
        wrong = []
        for name, (stream, columns) in self.tables.items():
            schema, table = stream.split(".", 1)
            kinds = {row[0]: row[1:] for row in self.rows(
                f"SELECT attname, t.typname, CASE WHEN t.typtype = 'd' THEN (SELECT typcategory FROM pg_type b WHERE b.oid = t.typbasetype) ELSE t.typcategory END, coalesce((SELECT e.typtype FROM pg_type e WHERE e.oid = t.typelem), '') "
                f"FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE attrelid = '{schema}.\"{table}\"'::regclass AND attnum > 0")}
            chosen = []
            for column in columns:
                quoted = '"' + column.replace('"', '""') + '"'
                type_name, category, item = kinds[column]
                if type_name == "money":
                    chosen.append(f"{quoted}::numeric::text")
                elif type_name == "bool":
                    chosen.append(f"{quoted}::text")
                elif category == "A" and item == "c":
                    chosen.append(f"to_jsonb({quoted})::text")
                elif category == "A":
                    chosen.append(f"CASE WHEN {quoted} IS NOT NULL THEN (SELECT coalesce(jsonb_agg(e::text), '[]')::text FROM unnest({quoted}) e) END")
                else:
                    chosen.append(quoted)
            source = self.rows(f"SELECT {', '.join(chosen)} FROM {schema}.\"{table}\"")
            landed = [[row[f"c{n}"] for n in range(len(columns))] for row in self.query(f"SELECT {', '.join(f'c{n}' for n in range(len(columns)))} FROM {name}")]
            for n, column in enumerate(columns):
                if kinds[column][1] != "A":
                    continue
                flat = (lambda value: json.dumps(value if isinstance(value, (dict, type(None))) else str(value) if not isinstance(value, str) else value, sort_keys=True))
                for rows in (source, landed):
                    for row in rows:
                        if row[n] is not None:
                            row[n] = json.dumps([flat(item) for item in parse(row[n])])
            order = lambda row: [("", "") if value is None else ("x", value) for value in row]
            source.sort(key=order)
            landed.sort(key=order)
            if source == landed:
                continue
            extra = [row for row in landed if row not in source][:3]
            missing = [row for row in source if row not in landed][:3]
            differences = [f"{columns[n]}: {a[n]!r} is {b[n]!r}" for a, b in zip(missing[:1], extra[:1]) for n in range(len(columns)) if a[n] != b[n]]
            wrong.append(f"{stream}: {len(source)} rows, landed {len(landed)}; {'; '.join(differences)[:600]} missing {str(missing)[:300]} too many {str(extra)[:300]}")
        quarantined = self.query("SELECT reason, count(*) AS n FROM nanohouse.quarantine GROUP BY 1")
        return wrong + [f"quarantine: {row}" for row in quarantined]

    def check(self):
        wrong = self.compare()
        assert not wrong, "\n  ".join(["tables differ:", *wrong])

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def parse(text):
    """JSON whose numbers stay as they are written."""
    return json.loads(text, parse_float=str, parse_int=str)


def drop_slots(server):
    server.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active")


TABLES = ["inv.all_types", "inv.order_lines", "inv.events_full", "inv.uniq_ident", "inv.only_added", "inv.trunc_me", "inv.trunc_child", "inv.parted", "inv.Weird Table"]


def every_type(server):
    """Every type and kind of table, by the snapshot and by the stream."""
    server.sql("CREATE DATABASE types")
    server.sql((HERE / "postgres_schema.sql").read_text(), "types")
    server.sql("CREATE PUBLICATION nanohouse FOR TABLE inv.only_added WITH (publish_via_partition_root = true)", "types")
    warehouse = Warehouse(server, "types", TABLES)
    try:
        warehouse.run("ingest", "--quiet")
        warehouse.check()
        server.sql((HERE / "postgres_changes.sql").read_text(), "types")
        warehouse.run("ingest", "--quiet")
        warehouse.check()
        before = warehouse.query("SELECT count(*) AS n FROM journal.db")
        warehouse.run("ingest", "--quiet")
        assert warehouse.query("SELECT count(*) AS n FROM journal.db") == before, "an ingest without changes journaled something"
        warehouse.run("doctor", "--quiet")
    finally:
        warehouse.close()


LOAD = """
CREATE SCHEMA load;
CREATE TABLE load.items (id bigint PRIMARY KEY, n int, big text, note text);
ALTER TABLE load.items ALTER COLUMN big SET STORAGE EXTERNAL;
CREATE TABLE load.pairs (a int, b text, v numeric(12,2), PRIMARY KEY (b, a));
CREATE TABLE load.rows (n int, t text);
ALTER TABLE load.rows REPLICA IDENTITY FULL;
CREATE TABLE load.emptied (id int PRIMARY KEY, v text);
INSERT INTO load.items SELECT g, 0, CASE WHEN g % 10 = 0 THEN repeat(md5(g::text), 90) END, 'seed' FROM generate_series(1, {items}) g;
INSERT INTO load.pairs SELECT g % 100, 'k' || g, g FROM generate_series(1, {items} / 4) g;
INSERT INTO load.rows SELECT g % 50, 'r' || g % 7 FROM generate_series(1, 500) g;
INSERT INTO load.emptied SELECT g, 'e' || g FROM generate_series(1, 500) g;
"""
LOADED = ["load.items", "load.pairs", "load.rows", "load.emptied"]


def transactions(rng, count, items):
    """Statements as several sessions write them: short and long transactions, some of which are rolled back."""
    for _ in range(count):
        text = ["BEGIN;"]
        for _ in range(rng.choice([1, 1, 1, 2, 4, 8])):
            one, other = rng.randrange(1, items + items // 4), rng.randrange(1, items + items // 4)
            text.append(rng.choice([
                f"INSERT INTO load.items VALUES ({one}, 1, repeat('{one} ', {rng.choice([1, 800])}), 'new') ON CONFLICT DO NOTHING;",
                f"UPDATE load.items SET n = n + 1 WHERE id = {one};",
                f"UPDATE load.items SET n = n + 1 WHERE id BETWEEN {one} AND {one + 30};",
                f"UPDATE load.items SET n = n + 1 WHERE id = {one - one % 10};",
                f"UPDATE load.items SET big = repeat('{other}', 700) WHERE id = {one};",
                f"UPDATE load.items SET id = {other} WHERE id = {one - one % 10} AND NOT EXISTS (SELECT FROM load.items WHERE id = {other});",
                f"DELETE FROM load.items WHERE id = {one};",
                f"UPDATE load.pairs SET v = v + 0.01 WHERE a = {one % 100} AND b = 'k{one}';",
                f"UPDATE load.pairs SET b = b || '+' WHERE b = 'k{one}';",
                f"INSERT INTO load.rows VALUES ({one % 50}, 'x{other % 9}');",
                f"UPDATE load.rows SET t = 'y{other % 9}' WHERE ctid = (SELECT ctid FROM load.rows WHERE n = {one % 50} LIMIT 1);",
                f"DELETE FROM load.rows WHERE ctid = (SELECT ctid FROM load.rows WHERE n = {other % 50} LIMIT 1);",
                f"INSERT INTO load.emptied VALUES ({one}, 'again') ON CONFLICT DO NOTHING;",
            ]))
        if rng.random() < 0.01:
            text.append("TRUNCATE load.emptied;")
        if rng.random() < 0.1:
            text.append("SELECT pg_sleep(0.05);")
        text.append("ROLLBACK;" if rng.random() < 0.05 else "COMMIT;")
        yield " ".join(text) + "\n"


class Load:
    """Sessions that change tables until they have said all, or are stopped."""

    def __init__(self, server, database, sessions, count, items):
        self.stopped = False
        self.threads = [threading.Thread(target=self.say, args=(server, database, random.Random(SEED + n), count, items)) for n in range(sessions)]
        for thread in self.threads:
            thread.start()

    def say(self, server, database, rng, count, items):
        session = server.psql(database)
        drain = [threading.Thread(target=stream.read, daemon=True) for stream in (session.stdout, session.stderr)]
        for thread in drain:
            thread.start()
        for text in transactions(rng, count, items):
            if self.stopped:
                break
            session.stdin.write(text)
            session.stdin.flush()
        session.stdin.close()
        session.wait(300)

    def busy(self):
        return any(thread.is_alive() for thread in self.threads)

    def stop(self):
        self.stopped = True
        for thread in self.threads:
            thread.join()


class AbsentStandby:
    """Now and then commits wait for a standby that is not there: they are in the stream, and nobody sees them."""

    def __init__(self, server):
        self.server, self.stopped = server, threading.Event()
        self.thread = threading.Thread(target=self.toggle)
        self.thread.start()

    def set(self, name):
        self.server.sql(f"SET synchronous_commit = local; ALTER SYSTEM SET synchronous_standby_names = '{name}'")
        self.server.sql("SELECT pg_reload_conf()")

    def toggle(self):
        while not self.stopped.wait(0.3):
            self.set("nobody")
            self.stopped.wait(0.3)
            self.set("")

    def stop(self):
        self.stopped.set()
        self.thread.join()
        self.set("")


def killed_under_load(server):
    """Tables are read while they change, and the program is killed again and again."""
    items = 6000 if QUICK else 30000
    server.sql("CREATE DATABASE killed")
    server.sql(LOAD.format(items=items), "killed")
    warehouse = Warehouse(server, "killed", LOADED)
    load = Load(server, "killed", 3, 600 if QUICK else 4000, items)
    standby = AbsentStandby(server)
    kills = 0
    try:
        while load.busy() and kills < 200:
            program = warehouse.start("ingest", "--quiet")
            try:
                program.wait(random.uniform(0.1, 1.5))
                said = program.stderr.read()
                # The server's session of the one that was killed may still be at the publication, which PostgreSQL calls an internal error.
                assert program.returncode == 0 or (program.returncode == 3 and "XX000" in said), said[-800:]
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
                kills += 1
        load.stop()
        warehouse.run("ingest", "--quiet")
        warehouse.check()
        print(f"  killed {kills} times")
    finally:
        standby.stop()
        load.stop()
        warehouse.close()


def a_table_that_is_added(server):
    """A table that is added later is read alone, and what a transaction did to it before it was published is not lost."""
    server.sql("CREATE DATABASE added")
    server.sql("CREATE TABLE first (id int PRIMARY KEY, v text); CREATE TABLE second (id int PRIMARY KEY, v text); "
               "INSERT INTO first SELECT g, 'f' FROM generate_series(1, 100) g; INSERT INTO second SELECT g, 's' FROM generate_series(1, 100) g", "added")
    warehouse = Warehouse(server, "added", ["public.first"])
    try:
        warehouse.run("ingest", "--quiet")
        warehouse.check()
        session = server.psql("added")
        session.stdin.write("BEGIN; UPDATE second SET v = 'before it was published' WHERE id = 7;\n")
        session.stdin.flush()
        time.sleep(0.5)
        warehouse.tables.clear()
        warehouse.declare(["public.first", "public.second"])
        warehouse.run("apply", "--yes", "--quiet")
        program = warehouse.start("ingest", "--quiet")
        time.sleep(3)
        assert program.poll() is None, "the table was read beside a transaction that had changed it before"
        session.stdin.write("COMMIT;\n")
        session.stdin.close()
        session.wait(60)
        assert program.wait(60) == 0, program.stderr.read()[-800:]
        warehouse.check()
    finally:
        warehouse.close()


def a_standby_that_is_away(server):
    """Commits that wait for a standby are in the stream before others see them; reading waits for nobody."""
    server.sql("CREATE DATABASE standby")
    server.sql("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, 'v' FROM generate_series(1, 1000) g", "standby")
    warehouse = Warehouse(server, "standby", ["public.t"])
    session = server.psql("standby")
    try:
        warehouse.run("ingest", "--quiet")
        server.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        server.sql("SELECT pg_reload_conf()")
        time.sleep(0.5)
        session.stdin.write("UPDATE t SET v = 'waits' WHERE id = 5;\n")
        session.stdin.flush()
        server.sql("SET synchronous_commit = local; UPDATE t SET v = 'done' WHERE id = 6", "standby")
        time.sleep(0.5)
        warehouse.run("ingest", "--quiet")
        assert server.sql("SELECT v FROM t WHERE id = 5", "standby").strip() == "v", "the commit did not wait"
        assert warehouse.query("SELECT c1 FROM t0 WHERE c0 IN ('5', '6') ORDER BY c0") == [{"c1": "waits"}, {"c1": "done"}]
    finally:
        server.sql("SET synchronous_commit = local; ALTER SYSTEM RESET synchronous_standby_names")
        server.sql("SELECT pg_reload_conf()")
        session.stdin.close()
        session.wait(30)
        warehouse.close()


def a_slot_that_is_lost(server):
    """A slot that is gone, or that the server gave up, is told; with resync all tables are read anew."""
    server.sql("CREATE DATABASE lost")
    server.sql("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, 'v' FROM generate_series(1, 1000) g", "lost")
    warehouse = Warehouse(server, "lost", ["public.t"])
    try:
        warehouse.run("ingest", "--quiet")
        drop_slots(server)
        server.sql("DELETE FROM t WHERE id <= 10; UPDATE t SET v = 'w' WHERE id > 900", "lost")
        for _ in range(2):
            warehouse.run("ingest", "--quiet", fails="is gone")
        warehouse.source = ", on_slot_lost: resync"
        warehouse.tables.clear()
        warehouse.declare(["public.t"])
        warehouse.run("apply", "--yes", "--quiet")
        warehouse.run("ingest", "--quiet")
        warehouse.check()
        assert warehouse.query("SELECT count(*) AS n FROM journal.db WHERE kind = 'gap'")[0]["n"] == 1
        server.sql("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
        server.sql("SELECT pg_reload_conf()")
        for _ in range(3):
            server.sql("UPDATE t SET v = v || '!' WHERE id = 500; SELECT pg_switch_wal(); CHECKPOINT", "lost")
        server.sql("ALTER SYSTEM RESET max_slot_wal_keep_size")
        server.sql("SELECT pg_reload_conf()")
        state = server.sql("SELECT wal_status FROM pg_replication_slots").split()
        assert "lost" in state, f"the slot is {state}"
        warehouse.run("ingest", "--quiet")
        warehouse.check()
        assert warehouse.query("SELECT count(*) AS n FROM journal.db WHERE kind = 'gap'")[0]["n"] == 2
    finally:
        warehouse.close()


def what_the_database_lacks(server):
    """A table without an identity is not published in silence, and doctor says the SQL."""
    server.sql("CREATE DATABASE lacking")
    server.sql("CREATE TABLE t (id int, v text)", "lacking")
    warehouse = Warehouse(server, "lacking", ["public.t"])
    try:
        warehouse.run("ingest", "--quiet", fails="REPLICA IDENTITY FULL")
        warehouse.run("doctor", fails='Run in the database: ALTER TABLE "public"."t" REPLICA IDENTITY FULL;')
        server.sql("ALTER TABLE t REPLICA IDENTITY FULL; INSERT INTO t VALUES (1, 'x'), (1, 'x')", "lacking")
        warehouse.run("ingest", "--quiet")
        warehouse.check()
        warehouse.run("doctor")
    finally:
        warehouse.close()


def a_role_with_few_rights(server):
    """What the guide grants is enough; a wrong password and a missing right are told, and no password is printed."""
    server.sql("CREATE DATABASE rights")
    server.sql("CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, 'v' FROM generate_series(1, 100) g; CREATE TABLE bare (n int); "
               "ALTER TABLE bare REPLICA IDENTITY FULL; INSERT INTO bare VALUES (1); CREATE ROLE reader LOGIN PASSWORD 's3cret-right'", "rights")
    rules = server.data / "pg_hba.conf"
    rules.write_text("host all reader 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
    server.sql("SELECT pg_reload_conf()")
    warehouse = Warehouse(server, "rights", ["public.t", "public.bare"])
    try:
        warehouse.role = "reader:s3cret-wrong"
        warehouse.run("ingest", "--quiet", fails="refused the password")
        warehouse.role = "reader:s3cret-right"
        warehouse.run("ingest", "--quiet", fails="Run in the database: CREATE PUBLICATION")
        warehouse.run("doctor", fails='ALTER ROLE "reader" REPLICATION')
        server.sql("CREATE PUBLICATION nanohouse FOR TABLE t, bare WITH (publish_via_partition_root = true)", "rights")
        warehouse.run("ingest", "--quiet", fails="ALTER ROLE")
        server.sql("ALTER ROLE reader REPLICATION", "rights")
        warehouse.run("doctor", fails='GRANT SELECT ON "public"."t" TO "reader"')
        warehouse.run("ingest", "--quiet", fails="permission denied for table")
        server.sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader", "rights")
        warehouse.run("doctor")
        warehouse.run("ingest", "--quiet")
        server.sql("UPDATE t SET v = 'w' WHERE id = 1; DELETE FROM bare", "rights")
        warehouse.run("ingest", "--quiet")
        warehouse.check()
    finally:
        warehouse.close()


def a_warehouse_from_a_database(server):
    """init --from proposes tables that check takes and that land without quarantine."""
    server.sql("CREATE DATABASE proposed")
    server.sql("CREATE TABLE orders (id bigint PRIMARY KEY, amount numeric(12,2), at timestamptz, tags text[], data jsonb, ok boolean); "
               "COMMENT ON TABLE orders IS 'One row an order.'; COMMENT ON COLUMN orders.amount IS 'In euros.'; "
               "INSERT INTO orders SELECT g, g / 4.0, now(), '{a,b}', '{\"n\":1}', true FROM generate_series(1, 1000) g", "proposed")
    with tempfile.TemporaryDirectory(prefix="nano-pgfrom-") as place:
        url = f"postgresql://postgres@127.0.0.1:{server.port}/proposed"
        environment = os.environ | {"PROPOSED_URL": url}
        def run(*arguments):
            done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, env=environment)
            assert done.returncode == 0, f"{' '.join(arguments)}: {(done.stdout + done.stderr)[-800:]}"
            return done.stdout
        folder = f"{place}/shop"
        run("init", folder, "--from", url, "--quiet")
        written = "".join(path.read_text() for path in pathlib.Path(folder).rglob("*.yaml"))
        assert url not in written and "In euros." in written, written
        run("-C", folder, "check", "--quiet")
        run("-C", folder, "ingest", "--quiet")
        found = json.loads(run("-C", folder, "query", "--format", "json", "SELECT count(*) AS n, sum(amount)::varchar AS s, max(len(tags)) AS l, bool_and(ok) AS ok FROM orders"))
        assert found == [{"n": 1000, "s": "125125.00", "l": 2, "ok": True}], found
        assert json.loads(run("-C", folder, "query", "--format", "json", "SELECT count(*) AS n FROM nanohouse.quarantine")) == [{"n": 0}]


def main():
    if not postgres_server.available():
        print("skip postgres: no PostgreSQL server is installed")
        return 0
    cases = [every_type, killed_under_load, a_table_that_is_added, a_standby_that_is_away, a_slot_that_is_lost, what_the_database_lacks, a_role_with_few_rights, a_warehouse_from_a_database]
    chosen = [case for case in cases if not sys.argv[1:] or case.__name__ in sys.argv[1:]]
    failed = 0
    with postgres_server.Server(logical_decoding_work_mem="64kB") as server:
        for case in chosen:
            began = time.monotonic()
            random.seed(SEED)
            try:
                case(server)
                print(f"ok postgres {case.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
            except (AssertionError, subprocess.TimeoutExpired) as wrong:
                failed += 1
                print(f"FAIL postgres {case.__name__} (seed {SEED}): {wrong}", flush=True)
            drop_slots(server)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
