#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A warehouse whose catalog is in PostgreSQL: the lake's own tests over it, a whole capture against what PostgreSQL held, ten kills,
a second writer, one that was taken for dead, a connection that is lost in a COMMIT, and a password that is seen nowhere.
NANO_SEED repeats the kills."""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time

import debezium_truth as truth
import postgres_server
from losing_proxy import LosingProxy
from postgres_server import Server

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("NANOHOUSE", str(ROOT / "build/release/nanohouse"))
LAKE_TEST = pathlib.Path(os.environ.get("NANO_BUILD", ROOT / "build/release")) / "src/lake/lake_test"
QUICK = bool(os.environ.get("NANO_QUICK"))
CAPTURE, SCHEMA, KILLS = "debezium-tx-http-string-noschemas", "nanohouse_truth", 10


def report(name, wrong):
    print(f"FAIL {name}: {wrong}".replace("\n", " ")[:1500] if wrong else f"ok {name}", flush=True)


class PlainDuckdb(truth.Lake):
    """The tables as a DuckDB sees them that knows nothing of us: it has the server's URL and the schema's name."""
    def __init__(self, url, data):
        super().__init__(data)
        self.connection.load_extension(str(truth.EXTENSIONS / "postgres_scanner.duckdb_extension"))
        self.url = url

    def at(self, snapshot=None):
        self.number += 1
        version = "" if snapshot is None else f", SNAPSHOT_VERSION {snapshot}"
        self.connection.execute(f"ATTACH 'ducklake:postgres:{self.url}' AS cut{self.number} (READ_ONLY, METADATA_SCHEMA '{SCHEMA}'{version})")
        return f"cut{self.number}"


class Warehouse:
    """A machine's folder; `data` is shared by those that have the same catalog."""
    def __init__(self, folder, server, data, storage=""):
        self.folder, self.data = folder, data
        self.url = server.url.replace(server.password, "${env:CATALOG_PASSWORD}").replace(f":{server.port}/", ":${env:CATALOG_PORT}/")
        self.environment = {**{k: v for k, v in os.environ.items() if not k.startswith("NANOHOUSE_FAULT")}, "CATALOG_PASSWORD": server.password,
                            "CATALOG_PORT": str(server.port)}
        folder.mkdir(exist_ok=True)
        text = truth.contract(truth.TX, "{commit_bytes: 64KB}")
        (folder / "nanohouse.yaml").write_text(text.replace("storage: {iceberg: off, ", f"storage: {{catalog: {json.dumps(self.url)}, root: {json.dumps(str(data))}, local: ./local, {storage}"),
                                               encoding="utf-8")

    def feed(self, lines):
        (self.folder / "cdc.jsonl").write_bytes(b"".join(lines))

    def start(self, *arguments, fault=None):
        environment = self.environment | ({"NANOHOUSE_FAULT": fault} if fault else {})
        return subprocess.Popen([PROGRAM, "-C", str(self.folder), *arguments], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *arguments, fault=None):
        child = self.start(*arguments, fault=fault)
        out, errors = child.communicate(timeout=600)
        return child.returncode, out, errors

    def must(self, *arguments):
        code, out, errors = self.run(*arguments)
        assert code == 0, f"{' '.join(arguments)} ended with {code}: {(errors or out).strip()[-500:]}"
        return out


def until_stopped(child):
    """Waits until a process stands still at its fault point."""
    for _ in range(600):
        if child.poll() is not None:
            raise AssertionError(f"it ended with {child.returncode}: {child.communicate()[1].strip()[-400:]}")
        if pathlib.Path(f"/proc/{child.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T":
            return
        time.sleep(0.05)
    child.kill()
    raise AssertionError("it did not come to its fault point")


def unit_tests(server):
    if not LAKE_TEST.exists():
        return "lake_test is not built"
    command = [str(LAKE_TEST), "--gtest_brief=1"] + (["--gtest_filter=*LaneTest*"] if QUICK else [])
    done = subprocess.run(command, env={**os.environ, "NANO_TEST_POSTGRES": server.url}, capture_output=True, text=True, timeout=1200)
    print(done.stdout[-3000:])
    failed = [line for line in done.stdout.splitlines() if line.startswith("[  FAILED  ]")]
    return f"{done.returncode}: {failed[:3]}" if done.returncode != 0 else ""


def wrong_rows(warehouse, server, held):
    lake = PlainDuckdb(server.url, warehouse.data)
    return " | ".join(truth.compare(lake, lake.at(), held, "debezium-tx", "final", truth.TX))


def kill_once(warehouse, draw):
    """Starts a run and kills it at some moment; whether it was killed before its end."""
    child = warehouse.start("ingest", "--quiet")
    try:
        child.wait(draw.uniform(0.2, 2.0))
    except subprocess.TimeoutExpired:
        child.kill()
    _, errors = child.communicate()
    assert child.returncode in (0, -signal.SIGKILL), f"it ended with {child.returncode}: {errors.strip()[-400:]}"
    return child.returncode != 0


def two_writers(first, second):
    """The first stands still before its commit: the second, on another machine, is refused."""
    child = first.start("ingest", "--quiet", fault="lake.commit.before=stop")
    try:
        until_stopped(child)
        code, _, errors = second.run("ingest", "--quiet")
        return "" if code in (1, 3) and "another process writes this warehouse's catalog" in errors else f"the second ended with {code}: {errors.strip()[-300:]}"
    finally:
        child.kill()
        child.communicate()


def taken_for_dead(first, second, server):
    """The first stands still, its sessions are ended, the second takes over and lands; then the first goes on, and must not commit."""
    child = first.start("ingest", "--quiet", fault="lake.commit.before=stop")
    try:
        until_stopped(child)
        server.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'nanohouse'")
        second.must("ingest", "--quiet")
        before = server.sql(f'SELECT max(snapshot_id) FROM "{SCHEMA}".ducklake_snapshot')
        child.send_signal(signal.SIGCONT)
        _, errors = child.communicate(timeout=120)
        after = server.sql(f'SELECT max(snapshot_id) FROM "{SCHEMA}".ducklake_snapshot')
        if child.returncode not in (1, 3) or not errors.startswith("error: "):
            return f"the first ended with {child.returncode}: {errors.strip()[-300:]}"
        return "" if before == after else f"it committed all the same: snapshot {before} became {after}"
    finally:
        if child.poll() is None:
            child.kill()
            child.communicate()


def lost_in_commit(warehouse, server):
    """Every session ends while a commit is on its way: the run fails readably, the next one is right."""
    child = warehouse.start("ingest", "--quiet", fault="lake.commit.locked=stop")
    try:
        until_stopped(child)
        server.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'nanohouse'")
        child.send_signal(signal.SIGCONT)
        _, errors = child.communicate(timeout=120)
        return "" if child.returncode in (1, 3) and errors.startswith("error: ") else f"it ended with {child.returncode}: {errors.strip()[-300:]}"
    finally:
        if child.poll() is None:
            child.kill()
            child.communicate()


def lost_answer(warehouse, server, lane, cut):
    """The server does a commit, and its answer is lost; with it one session or all of them."""
    environment = dict(warehouse.environment)
    with LosingProxy(server.port, cut) as proxy:
        warehouse.environment |= {"CATALOG_PORT": str(proxy.listens), "NANOHOUSE_LANE": lane}
        code, _, errors = warehouse.run("ingest", "--quiet")
    warehouse.environment = environment
    if proxy.lost != 1:
        return "no answer was lost"
    if code not in (0, 1, 3) or (code != 0 and not errors.startswith("error: ")) or (code == 0 and cut == "all"):
        return f"it ended with {code}: {errors.strip()[-300:]}"
    print(f"{lane}, {cut}: it ended with {code}: {errors.strip()}", flush=True)
    warehouse.must("ingest", "--quiet")
    code, out, errors = warehouse.run("doctor")
    return "" if code == 0 else f"doctor: {(out + errors).strip()[-500:]}"


def seen_password(warehouse, server, said):
    """Where the password stands; it is nowhere but in the environment."""
    places = [name for name, text in said.items() if server.password in text]
    for top in (warehouse.folder, warehouse.data):
        places += [str(path) for path in top.rglob("*") if path.is_file() and server.password.encode() in path.read_bytes()]
    dump = "\n".join(server.sql(f'SELECT t::text FROM "{SCHEMA}"."{table}" t') for table in server.sql(
        f"SELECT relname FROM pg_class WHERE relnamespace = '{SCHEMA}'::regnamespace AND relkind = 'r'").splitlines())
    return ", ".join(places + (["the catalog"] if server.password in dump else []))


def unreachable(warehouse, server):
    """A wrong password, and a server that is not there: an error that says so, and not the password."""
    wrong = []
    for name, password, port in (("wrong password", "geheim-geheim", server.port), ("no server", server.password, 1)):
        folder = warehouse.folder.with_name(f"{name}".replace(" ", "-"))
        other = Warehouse(folder, server, warehouse.data)
        other.environment["CATALOG_PORT"] = str(port)
        shutil.copytree(warehouse.folder / "local", folder / "local")
        (folder / "cdc.jsonl").write_bytes(b"")
        other.environment["CATALOG_PASSWORD"] = password
        for verb in (("ingest", "--quiet"), ("query", "SELECT 1")):
            code, out, errors = other.run(*verb)
            if code != 3 or "the catalog can't be reached" not in errors or password in out + errors:
                wrong.append(f"{name}, {verb[0]}: it ended with {code}: {(out + errors).strip()[-300:]}")
    return "; ".join(wrong)


def capture(work, server):
    held = truth.Truth()
    lines = truth.lzma.decompress((truth.FULL / f"{CAPTURE}.jsonl.xz").read_bytes()).splitlines(keepends=True)
    data = work / "data"
    first = Warehouse(work / "first", server, data)
    seed = int(os.environ.get("NANO_SEED") or time.time_ns() % 1_000_000)
    print(f"seed {seed}", flush=True)
    draw, part, killed = random.Random(seed), max(1, len(lines) // 40), 0
    for end in range(part, len(lines), part):       # what is there to be read grows, so that each run has something to do
        first.feed(lines[:end])
        killed += killed < KILLS and kill_once(first, draw)
    first.feed(lines)
    first.must("ingest", "--quiet")
    report(f"postgres_catalog/{KILLS} kills", "" if killed >= KILLS else f"there were {killed}")
    report("postgres_catalog/every row is there once, read by a plain DuckDB", wrong_rows(first, server, held))
    before = server.sql(f'SELECT max(snapshot_id) FROM "{SCHEMA}".ducklake_snapshot')
    first.must("ingest", "--quiet")
    report("postgres_catalog/a second run has nothing to do", "" if server.sql(f'SELECT max(snapshot_id) FROM "{SCHEMA}".ducklake_snapshot') == before else "it committed")
    said = {" ".join(verb): "".join(map(str, first.run(*verb))) for verb in (("status",), ("status", "--json"), ("doctor",), ("doctor", "--json"), ("plan",), ("check",),
                                                                         ("query", "--format", "csv", "FROM nanohouse.bundle"), ("query", "FROM duckdb_databases()"))}
    report("postgres_catalog/doctor finds nothing", "" if said["doctor"].startswith("0") else said["doctor"][-600:])
    number = first.must("query", "--format", "csv", "SELECT count(*) AS n FROM accounts").split()[-1]
    report("postgres_catalog/query reads it", "" if number == str(len(held.rows("debezium-tx", "final", "accounts", {"id": "int"}))) else f"{number} accounts")
    return first, said


def writers(work, server):
    """Of a warehouse of its own, two machines' folders."""
    lines = truth.lzma.decompress((truth.FULL / f"{CAPTURE}.jsonl.xz").read_bytes()).splitlines(keepends=True)
    server.sql(f'DROP SCHEMA "{SCHEMA}" CASCADE')
    first = Warehouse(work / "one", server, work / "shared")
    first.feed(lines[:len(lines) // 3])
    first.must("ingest", "--quiet")
    shutil.copytree(first.folder, work / "two")
    second = Warehouse(work / "two", server, first.data)
    for machine in (first, second):
        machine.feed(lines[:len(lines) // 2])
    report("postgres_catalog/a second writer is refused", two_writers(first, second))
    first.feed(lines)
    report("postgres_catalog/a writer that was taken for dead does not commit", taken_for_dead(first, second, server))
    second.feed(lines[:len(lines) * 3 // 5])
    report("postgres_catalog/a connection that is lost in a commit", lost_in_commit(second, server))
    second.must("ingest", "--quiet")
    for n, (lane, cut) in enumerate((("direct", "session"), ("direct", "all"), ("extension", "session"), ("extension", "all"))):
        second.feed(lines[:len(lines) * (7 + n) // 10])
        report(f"postgres_catalog/a lost answer, {lane} lane, cut {cut}", lost_answer(second, server, lane, cut))
    report("postgres_catalog/every row is there once after these", wrong_rows(second, server, truth.Truth()))
    code, out, errors = second.run("doctor")
    report("postgres_catalog/doctor finds nothing after these", "" if code == 0 else (out + errors).strip()[-600:])
    stranger = Warehouse(work / "stranger", server, work / "elsewhere")
    stranger.feed(lines[:10])
    code, _, errors = stranger.run("ingest", "--quiet")
    report("postgres_catalog/another warehouse of that name is refused",
           "" if code in (1, 3) and "another warehouse's catalog" in errors else f"it ended with {code}: {errors.strip()[-300:]}")


def main():
    if not postgres_server.available():
        print("skip postgres_catalog: PostgreSQL is not installed")
        return
    work = pathlib.Path(tempfile.mkdtemp(prefix="catalog-"))
    try:
        with Server(password=True) as server:
            report("postgres_catalog/the lake's own tests", unit_tests(server))
            first, said = capture(work, server)
            report("postgres_catalog/the password is seen nowhere", seen_password(first, server, said))
            report("postgres_catalog/a server that can't be reached", unreachable(first, server))
            writers(work, server)
    except Exception as error:
        print(f"FAIL postgres_catalog: {type(error).__name__}: {error}".replace("\n", " ")[:1500], flush=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
