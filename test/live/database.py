#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`nanohouse run` fed by a real PostgreSQL: a random workload while the program, the connection or the database is killed, stopped or cut
off; at the end every table equals the database's, and at every moment each transaction was whole. NANO_SECONDS says how long (60 by
default, 15 with NANO_QUICK); NANO_SEED repeats the draw."""
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "peers"))
import postgres_server                                  # noqa: E402
from postgres import Warehouse                          # noqa: E402
from proxy import Proxy                                 # noqa: E402

SECONDS = int(os.environ.get("NANO_SECONDS", "15" if os.environ.get("NANO_QUICK") else "60"))
SEED = int(os.environ.get("NANO_SEED", random.randrange(1 << 30)))
ACCOUNTS = 40
SCHEMA = f"""
CREATE TABLE giro (id int PRIMARY KEY, balance numeric(12,2) NOT NULL);
CREATE TABLE savings (id int PRIMARY KEY, balance numeric(12,2) NOT NULL);
INSERT INTO giro SELECT n, 100 FROM generate_series(1, {ACCOUNTS}) n;
INSERT INTO savings SELECT n, 100 FROM generate_series(1, {ACCOUNTS}) n;
CREATE TABLE items (id bigint PRIMARY KEY, price numeric, at timestamptz, tags text[], doc jsonb, raw bytea, big text);
INSERT INTO items SELECT n, n / 7.0, now(), ARRAY['a', NULL, 'č'], jsonb_build_object('n', n), decode(md5(n::text), 'hex'), repeat(md5(n::text), 200) FROM generate_series(1, 3000) n;
CREATE TABLE pairs (a int, b text, v float8, PRIMARY KEY (a, b));
CREATE TABLE loose (n int, t text);
ALTER TABLE loose REPLICA IDENTITY FULL;
INSERT INTO loose SELECT n % 50, 't' || n % 7 FROM generate_series(1, 300) n;
CREATE TABLE short (id serial PRIMARY KEY, v text);
CREATE TABLE log (id bigserial PRIMARY KEY, what text);
"""
STREAMS = ["public.giro", "public.savings", "public.items", "public.pairs", "public.loose", "public.short"]


class Load(threading.Thread):
    """One client: transactions as they come into its mind, some rolled back."""

    def __init__(self, server, seed, database):
        super().__init__(daemon=True)
        self.server, self.draw, self.database, self.ending, self.done, self.pace = server, random.Random(seed), database, False, 0, 0.01

    def statements(self):
        draw = self.draw
        kind = draw.random()
        if kind < 0.4:
            a, b, amount = draw.randint(1, ACCOUNTS), draw.randint(1, ACCOUNTS), draw.randint(1, 500) / 100
            yield f"UPDATE giro SET balance = balance - {amount} WHERE id = {a}"
            yield f"UPDATE savings SET balance = balance + {amount} WHERE id = {b}"
        elif kind < 0.75:
            for _ in range(draw.choice([1, 1, 2, 5])):
                n = draw.randint(1, 4000)
                yield draw.choice([
                    f"INSERT INTO items VALUES ({n}, {draw.random()}, clock_timestamp(), '{{x}}', '{{}}', '\\x00', repeat('z', {draw.choice([3, 9000])})) ON CONFLICT (id) DO UPDATE SET price = items.price + 1",
                    f"UPDATE items SET price = coalesce(price, 0) + 1 WHERE id = {n}", f"UPDATE items SET tags = NULL, doc = NULL, at = 'infinity' WHERE id = {n}",
                    f"DELETE FROM items WHERE id = {n}", f"UPDATE items SET id = {n} + 10000 WHERE id = {n} AND NOT EXISTS (SELECT FROM items WHERE id = {n} + 10000)",
                    f"UPDATE items SET big = repeat(md5('{n}'), 300) WHERE id = {n}"])
        elif kind < 0.85:
            n = draw.randint(1, 60)
            yield draw.choice([f"INSERT INTO loose VALUES ({n}, 'new')", f"DELETE FROM loose WHERE ctid = (SELECT ctid FROM loose WHERE n = {n} LIMIT 1)",
                               f"UPDATE loose SET t = t || '+' WHERE n = {n} AND length(t) < 9"])
        elif kind < 0.93:
            yield f"INSERT INTO pairs SELECT n, 'b' || n % 3, 'NaN' FROM generate_series({draw.randint(1, 50)}, {draw.randint(51, 90)}) n ON CONFLICT (a, b) DO UPDATE SET v = pairs.a / 3.0"
        elif kind < 0.97:
            yield "INSERT INTO short (v) SELECT md5(n::text) FROM generate_series(1, 20) n"
        else:
            yield "TRUNCATE short"
        yield f"INSERT INTO log (what) VALUES ('{kind:.3f}')"

    def run(self):
        session = None
        while not self.ending:
            try:
                if session is None:
                    session = self.server.psql(self.database)
                lines = ["BEGIN;"]
                for statement in self.statements():
                    lines.append(statement + ";")
                    if self.draw.random() < 0.1:
                        lines.append(f"SELECT pg_sleep({self.draw.random() * 0.2});")
                lines.append("COMMIT;" if self.draw.random() < 0.9 else "ROLLBACK;")
                lines.append("\\echo done")
                session.stdin.write("\n".join(lines) + "\n")
                session.stdin.flush()
                while (line := session.stdout.readline()) and line.strip() != "done":
                    pass
                if not line:
                    raise OSError
                self.done += 1
                time.sleep(self.pace * self.draw.random())
            except (OSError, ValueError):
                if session:
                    session.kill()
                session = None
                time.sleep(0.2)
        if session:
            session.kill()


class Running:
    """`nanohouse run` in the warehouse, which is begun again whenever it was killed."""

    def __init__(self, warehouse):
        self.warehouse, self.process = warehouse, None

    def start(self):
        log = open(self.warehouse.folder / "run.log", "a")
        self.process = subprocess.Popen([os.environ.get("NANOHOUSE", str(HERE.parents[1] / "build/release/nanohouse")), "-C", str(self.warehouse.folder), "run", "--log", "json"],
                                        stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.warehouse.environment())

    def kill(self):
        self.process.kill()
        self.process.wait()

    def log(self):
        return (self.warehouse.folder / "run.log").read_text()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        code = self.process.wait(20)
        assert code == 0, f"it ended with {code}: {self.log()[-1500:]}"
        assert time.monotonic() - began < 10, "it took more than 10 s to stop"


class ThroughProxy(Warehouse):
    port = None

    def environment(self):
        return os.environ | {"NANO_TEST_URL": f"postgresql://postgres@127.0.0.1:{self.port or self.server.port}/{self.database}?connect_timeout=5&tcp_user_timeout=5000"}


class Watcher(threading.Thread):
    """Reads the tables all the time: money is only moved, so the sum never changes once all accounts are there."""

    def __init__(self, warehouse):
        super().__init__(daemon=True)
        self.warehouse, self.ending, self.wrong, self.looked = warehouse, False, [], 0

    def run(self):
        while not self.ending:
            try:
                rows = self.warehouse.query("SELECT (SELECT count(*) FROM t0) + (SELECT count(*) FROM t1) AS n, (SELECT sum(c1::decimal(18,2)) FROM t0) + (SELECT sum(c1::decimal(18,2)) FROM t1) AS s")
            except AssertionError:
                continue                                # nothing is applied yet
            if rows[0]["n"] == 2 * ACCOUNTS:
                self.looked += 1
                if rows[0]["s"] != 200 * ACCOUNTS:
                    self.wrong.append(rows[0])
            time.sleep(0.2)


def equal(warehouse, limit=90):
    """Waits until the tables are those of the database."""
    until = time.monotonic() + limit
    while True:
        wrong = warehouse.compare()
        if not wrong:
            return
        assert time.monotonic() < until, "\n  ".join(["tables differ:", *wrong])
        time.sleep(1)


def faults(server):
    draw = random.Random(SEED)
    server.sql("CREATE DATABASE bank")
    server.sql(SCHEMA, "bank")
    log = ("public.log", "    mode: append\n")
    warehouse = ThroughProxy(server, "bank", [*STREAMS, log], storage="storage: {journal: {commit_every: 300ms}, iceberg: {publish_every: 2s}}\n")
    proxy = Proxy(server.port)
    warehouse.port = proxy.port
    running, watcher = Running(warehouse), Watcher(warehouse)
    loads = [Load(server, SEED + n, "bank") for n in range(3)]
    done = {}
    try:
        running.start()
        for load in loads:
            load.start()
        watcher.start()
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            time.sleep(draw.uniform(0.3, 2.5))
            what = draw.choice(["kill", "kill", "pause", "walsender", "cut", "stall", "slow", "database", "stop"])
            done[what] = done.get(what, 0) + 1
            if running.process.poll() is not None:
                raise AssertionError(f"it ended with {running.process.returncode}: {running.log()[-1500:]}")
            if what == "kill":
                running.kill()
                running.start()
            elif what == "pause":
                running.process.send_signal(signal.SIGSTOP)
                time.sleep(draw.uniform(0.1, 3))
                running.process.send_signal(signal.SIGCONT)
            elif what == "walsender":
                server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_replication")
            elif what == "cut":
                proxy.cut()
            elif what == "stall":
                proxy.stalled = True
                time.sleep(draw.uniform(0.5, 4))
                proxy.stalled = False
            elif what == "slow":
                proxy.delay = 0.05
                time.sleep(1)
                proxy.delay = 0
            elif what == "database":
                server.stop(signal.SIGQUIT)
                time.sleep(draw.uniform(0, 1))
                server.start()
            elif what == "stop" and draw.random() < 0.5:
                time.sleep(1)
                running.stop()
                running.start()
        for load in loads:
            load.ending = True
        for load in loads:
            load.join(20)
        if running.process.poll() is not None:
            raise AssertionError(f"it ended with {running.process.returncode}: {running.log()[-1500:]}")
        equal(warehouse)
        watcher.ending = True
        watcher.join(30)
        running.stop()
        assert not watcher.wrong, f"half of a transaction was seen: {watcher.wrong[:3]} in {watcher.looked} looks"
        warehouse.run("doctor")
        events = warehouse.query("SELECT count(*) AS n, count(DISTINCT c0) AS d FROM t6 WHERE _op <> 'd'")[0]
        assert events["n"] == events["d"], f"append: {events}"
        print(f"  {sum(load.done for load in loads)} transactions, {sum(done.values())} faults {json.dumps(done)}, {watcher.looked} looks, seed {SEED}")
    finally:
        for load in loads:
            load.ending = True
        watcher.ending = True
        if running.process and running.process.poll() is None:
            running.kill()
        proxy.close()
        warehouse.close()


def main():
    if not postgres_server.available():
        print("skip database: no PostgreSQL server is installed")
        return 0
    with postgres_server.Server(logical_decoding_work_mem="64kB", fsync="on", wal_sender_timeout="10s") as server:
        try:
            faults(server)
            print("ok database, through faults", flush=True)
            return 0
        except (AssertionError, subprocess.TimeoutExpired) as wrong:
            print(f"FAIL database, through faults (seed {SEED}): {' '.join(str(wrong).split())[:2500]}", flush=True)
            return 1


if __name__ == "__main__":
    sys.exit(main())
