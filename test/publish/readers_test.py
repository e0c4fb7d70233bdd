#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds lakes with plain DuckDB SQL, publishes them with the program under test, and lets every reader compare.

  readers_test.py [PATTERN]      only scenarios whose name has PATTERN in it (also NANO_FILTER)
Says `ok`, `FAIL`, `skip` by test/README.md. Known limits of a reader are named where a table is checked (`without`)."""
import inspect
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import readers
from readers import Judge, Unit, literal, quote

BUILD = pathlib.Path(os.environ.get("NANO_BUILD") or readers.ROOT / "build/release")
META = "__ducklake_metadata_lake.ducklake_"


def driver():
    found = sorted(BUILD.glob("**/publish_driver"))
    if not found:
        sys.exit(f"no publish_driver below {BUILD}: build it")
    return found[0]


class Lab:
    """One lake in a folder of its own."""

    def __init__(self, judge, folder, inline=0):
        self.judge, self.root, self.units, self.publisher = judge, pathlib.Path(folder), [], None
        (self.root / "lake").mkdir(parents=True, exist_ok=True)
        self.connection = readers.connect("sqlite_scanner", "ducklake")
        self.catalog = f"{self.root}/catalog.db"
        self.sql(f"ATTACH {literal('ducklake:sqlite:' + self.catalog)} AS lake (DATA_PATH {literal(str(self.root) + '/lake/')}, "
                 f"OVERRIDE_DATA_PATH true, DATA_INLINING_ROW_LIMIT {inline}, META_JOURNAL_MODE 'WAL', META_BUSY_TIMEOUT 5000)")
        self.sql("CREATE SCHEMA IF NOT EXISTS lake.build")

    def sql(self, text):
        return self.connection.execute(text)

    def head(self):
        return self.sql(f"SELECT max(snapshot_id) FROM {META}snapshot").fetchone()[0]

    def publish_all(self, requests, environment=None):
        """Asks the publisher that this lake keeps; with an environment, one of its own."""
        child = self.publisher
        if environment or child is None or child.poll() is not None:
            child = subprocess.Popen([driver(), str(self.root), self.catalog], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                     env={**os.environ, "NANOHOUSE_EXTENSIONS": str(readers.EXTENSIONS), **(environment or {})})
            if not environment:
                self.publisher = child
        try:
            child.stdin.write(json.dumps(requests) + "\n")
            child.stdin.flush()
            line = child.stdout.readline()
        except BrokenPipeError:
            line = ""
        if environment or not line:
            child.stdin.close()
            code = child.wait(60)
        if not line:
            raise AssertionError(f"the publisher ended with {code}: {child.stderr.read()[-500:]}")
        answer = json.loads(line)
        for each in answer:
            assert "error" not in each, each["error"]
        return answer

    def close(self):
        if self.publisher:
            self.publisher.stdin.close()
            self.publisher.wait(60)
        self.connection.close()

    def publish(self, table, snapshot=None, **more):
        return self.publish_all([{"name": table, "table": table, "snapshot": self.head() if snapshot is None else snapshot, **more}])[0]

    def expect(self, table, published, lake_snapshot, snapshot_id=None, without=(), columns="*"):
        """What was published must be read as the table is in the lake at that snapshot."""
        assert not published["refused"], published["refused"]
        select = f"SELECT {columns} FROM lake.build.{quote(table)} AT (VERSION => {lake_snapshot})"
        described = [(r[0], r[1]) for r in self.sql(f"DESCRIBE {select}").fetchall()]
        kinds = [(name, "VARCHAR" if kind == "JSON" else kind) for name, kind in described]
        truth = self.judge.keep(self.sql(select).to_arrow_table(), kinds)
        self.units.append(Unit(f"{table}@{lake_snapshot}" + ("" if snapshot_id is None else " by id"), published["metadata"], snapshot_id, truth, kinds, without))

    def check(self, table, without=(), **more):
        """Publishes the newest snapshot and expects it."""
        published = self.publish(table, **more)
        self.expect(table, published, self.head(), without=without)
        return published


def metadata_of(published):
    return json.loads(pathlib.Path(published["metadata"].removeprefix("file://")).read_text())


# ---------------------------------------------------------------------------------------------------- scenarios

def types(lab):
    lab.sql("""CREATE TABLE lake.build.types (a BOOLEAN, b TINYINT, c SMALLINT, d INTEGER, e BIGINT, f FLOAT, g DOUBLE, h DECIMAL(9,2), i DECIMAL(18,6),
        j DECIMAL(38,10), k DATE, l TIMESTAMP, m TIMESTAMPTZ, n VARCHAR, o BLOB, p UUID, q JSON, r INTEGER[], s STRUCT(x INTEGER, y VARCHAR),
        t MAP(VARCHAR, DECIMAL(9,2)), u STRUCT(x INTEGER, y STRUCT(z VARCHAR[], w TIMESTAMP)[])[], v DECIMAL(4,0))""")
    lab.sql(r"""INSERT INTO lake.build.types VALUES
        (true, -128, -32768, -2147483648, -9223372036854775808, -0.0, -0.0, -9999999.99, 0.000001, 9999999999999999999999999999.9999999999, '1970-01-01',
         '1969-12-31 23:59:59.999999', '1969-12-31 23:59:59.999999+00', '', ''::BLOB, '00000000-0000-0000-0000-000000000000', '{"a": [1, null]}', [1, NULL, 3],
         {x: 1, y: NULL}, MAP {'a': 1.25, 'b': NULL}, [{x: 1, y: [{z: ['q', NULL], w: '2020-01-01 00:00:00.5'}]}], 9999),
        (false, 127, 32767, 2147483647, 9223372036854775807, 'infinity', '-infinity', 9999999.99, -0.000001, -9999999999999999999999999999.9999999999, '9999-12-31',
         '9999-12-31 23:59:59.999999', '2024-02-29 12:00:00+05:30', repeat('ž𝒳', 300), '\x00\xFF\x7F'::BLOB, 'ffffffff-ffff-ffff-ffff-ffffffffffff', '"x"', [],
         {x: NULL, y: ''}, MAP {}, [], -9999),
        (NULL, NULL, NULL, NULL, NULL, 'nan', 'nan', NULL, NULL, NULL, '0001-01-01', NULL, NULL, NULL, NULL, NULL, NULL, [NULL], NULL, NULL, [NULL], NULL),
        (NULL, 0, 0, 0, 0, 1.5, 0.1, -1.28, 1, 1, '2020-02-29', '2000-01-01', '2000-01-01 00:00:00+00', 'a''b"c', 'x'::BLOB, uuid(), '1', [7], {x: 0, y: 'ž'}, MAP {'': 0}, [{x: NULL, y: []}], 0)""")
    lab.check("types")
    lab.sql("INSERT INTO lake.build.types (u) VALUES (NULL)")
    lab.check("types", without=["pyiceberg"])   # it reads a NULL list of structs as []
    lab.sql("CREATE TABLE lake.build.times (id BIGINT, t TIME)")
    lab.sql("INSERT INTO lake.build.times VALUES (1, '00:00:00'), (2, '23:59:59.999999'), (3, NULL)")
    published = lab.check("times", without=["spark"])   # it can't open a table with a time
    assert any("Spark" in warning for warning in published["warnings"]), published


def changes(lab):
    lab.sql("CREATE TABLE lake.build.orders (_position BIGINT, _committed_at TIMESTAMPTZ, id BIGINT NOT NULL, name VARCHAR, amount DECIMAL(18,2))")
    cuts = []
    def upsert(low, high, word):
        lab.sql("BEGIN")
        lab.sql(f"DELETE FROM lake.build.orders WHERE id >= {low} AND id < {high}")
        lab.sql(f"INSERT INTO lake.build.orders SELECT range, now(), range, '{word} ' || range, range * 1.25 FROM range({low}, {high})")
        lab.sql("COMMIT")
        cuts.append(lab.head())
    shown = "* EXCLUDE (_position, _committed_at)"
    for step, (low, high) in enumerate([(0, 1000), (500, 700), (650, 1200), (0, 10), (5, 15), (1100, 1101)]):
        upsert(low, high, f"batch{step}")
        published = lab.publish("orders")
        lab.expect("orders", published, cuts[-1], columns=shown)
        assert published["written"] and published["rows"] == lab.sql("SELECT count(*) FROM lake.build.orders").fetchone()[0], published
    again = lab.publish("orders")
    assert not again["written"] and again["metadata"] == published["metadata"]
    schema = metadata_of(published)["schemas"][-1]["fields"]
    assert [f["name"] for f in schema] == ["id", "name", "amount"] and schema[0]["required"], schema
    # The history is there by id, and by tag after compaction took its files away.
    for cut in cuts:
        lab.expect("orders", published, cut, snapshot_id=(1 << 42) + cut, columns=shown)
    tags = {f"cut{cut}": cut for cut in cuts}
    lab.sql("CALL ducklake_merge_adjacent_files('lake')")
    lab.sql("CALL ducklake_rewrite_data_files('lake', 'orders', schema => 'build', delete_threshold => 0.1)")
    compacted = lab.publish("orders", tags=tags)
    lab.expect("orders", compacted, lab.head(), columns=shown)
    for cut in cuts:
        lab.expect("orders", compacted, cut, snapshot_id=(1 << 42) + cut, columns=shown)
    upsert(900, 950, "after")
    lab.sql("DELETE FROM lake.build.orders WHERE id % 7 = 0")
    lab.sql("DELETE FROM lake.build.orders WHERE id % 11 = 0")
    last = lab.publish("orders", tags=tags)
    lab.expect("orders", last, lab.head(), columns=shown)
    for cut in cuts[:3]:
        lab.expect("orders", last, cut, snapshot_id=(1 << 42) + cut, columns=shown)
    lab.sql("CALL ducklake_merge_adjacent_files('lake')")
    lab.sql("DELETE FROM lake.build.orders WHERE id < 3")
    lab.expect("orders", lab.publish("orders"), lab.head(), columns=shown)
    assert not [r for r in metadata_of(lab.publish("orders"))["refs"] if r != "main"]


def inlined_deletes(lab):
    lab = Lab(lab.judge, lab.root / "inlining", inline=10)
    lab.sql("CREATE TABLE lake.build.t AS SELECT range AS id, 'x' || range AS name FROM range(1000)")
    lab.sql("DELETE FROM lake.build.t WHERE id IN (1, 5)")
    first = lab.head()
    lab.sql("DELETE FROM lake.build.t WHERE id IN (7)")
    assert lab.sql(f"SELECT count(*) FROM {META}delete_file").fetchone()[0] == 0, "the deletes were not inlined"
    published = lab.check("t", tags={"first": first})
    lab.expect("t", published, first, snapshot_id=metadata_of(published)["refs"]["first"]["snapshot-id"])
    lab.sql("INSERT INTO lake.build.t VALUES (2000, 'in the catalog')")
    refused = lab.publish("t")
    assert "flush" in refused["refused"] and refused["metadata"] == published["metadata"], refused
    lab.sql("CALL ducklake_flush_inlined_data('lake')")
    lab.check("t")
    return lab


def evolution(lab):
    lab.sql("CREATE TABLE lake.build.e (id INTEGER, name VARCHAR, price FLOAT, amount DECIMAL(9,2), s STRUCT(a INTEGER, b VARCHAR), l STRUCT(a INTEGER)[], small TINYINT)")
    lab.sql("COMMENT ON TABLE lake.build.e IS 'what changes'")
    steps = [
        "INSERT INTO lake.build.e VALUES (1, 'one', 0.1, 1.25, {a: 1, b: 'x'}, [{a: 1}], 1), (2, NULL, 3.5, NULL, NULL, [], 2)",
        "ALTER TABLE lake.build.e ADD COLUMN extra DATE", "INSERT INTO lake.build.e VALUES (3, 'three', 1e10, 7, {a: 3, b: 'z'}, [], 3, '2020-01-01')",
        "ALTER TABLE lake.build.e RENAME name TO \"the name\"", "ALTER TABLE lake.build.e ALTER id TYPE BIGINT", "ALTER TABLE lake.build.e ALTER small TYPE INTEGER",
        "ALTER TABLE lake.build.e ALTER price TYPE DOUBLE", "ALTER TABLE lake.build.e ALTER amount TYPE DECIMAL(18,2)",
        "INSERT INTO lake.build.e VALUES (9223372036854775807, 'four', 0.1, 9999999999999999.99, {a: 4, b: ''}, [{a: 4}], 2147483647, NULL)",
        "ALTER TABLE lake.build.e ADD COLUMN s.c TIMESTAMP", "ALTER TABLE lake.build.e RENAME s.a TO aa", "ALTER TABLE lake.build.e DROP COLUMN s.b",
        "ALTER TABLE lake.build.e ADD COLUMN l.element.b VARCHAR",
        "INSERT INTO lake.build.e VALUES (5, 'five', 5, 5, {aa: 5, c: '2020-01-01'}, [{a: 5, b: 'in a list'}], 5, NULL)",
        "ALTER TABLE lake.build.e DROP COLUMN extra", "ALTER TABLE lake.build.e ADD COLUMN extra VARCHAR",
        "INSERT INTO lake.build.e VALUES (6, 'six', 6, 6, {aa: 6, c: NULL}, NULL, 6, 'text now')",
        "UPDATE lake.build.e SET price = price + 1 WHERE id = 2", "COMMENT ON COLUMN lake.build.e.id IS 'what it is known by'"]
    tags = {}
    for number, step in enumerate(steps):
        lab.sql(step)
        published = lab.check("e", without=["pyiceberg"] if number >= 16 else [])
        tags[f"step{number}"] = lab.head()
    published = lab.publish("e", tags=tags)
    for number, (tag, cut) in enumerate(tags.items()):
        lab.expect("e", published, cut, snapshot_id=metadata_of(published)["refs"][tag]["snapshot-id"], without=["pyiceberg"] if number >= 16 else [])
    document = metadata_of(published)
    assert document["properties"]["comment"] == "what changes"
    schema = next(s for s in document["schemas"] if s["schema-id"] == document["current-schema-id"])
    assert next(f for f in schema["fields"] if f["name"] == "id")["doc"] == "what it is known by"


TRANSFORMS = [
    ("identity", ["b", "tiny", "i", "big", "de", "d", "tz", "ts", "s"]),
    ("bucket(5, {})", ["tiny", "i", "big", "d", "ts", "tz", "s", "bl"]),
    ("year({})", ["d", "ts", "tz"]),
    ("year({0}), month({0})", ["d", "ts", "tz"]),
    ("year({0}), month({0}), day({0})", ["d", "ts", "tz"]),
    ("year({0}), month({0}), day({0}), hour({0})", ["ts", "tz"]),
]
FILTERS = {"b": ["= true"], "tiny": ["= 3", "< 0"], "i": ["= 3", "> 10"], "big": ["= 3", "< 5"], "de": ["= 1.25"], "d": ["= '1969-12-31'", ">= '2020-01-01'"],
           "ts": ["= '1969-12-31T23:30:00'", ">= '2020-02-01T00:00:00'", "< '1970-01-01T00:00:00'"],
           "tz": ["= '1969-12-31T23:30:00+00:00'", ">= '2020-02-01T00:00:00+00:00'"], "s": ["= 'ž'", "= ''", "> 'k'"],
           "bl": ["IS NULL"]}


def partitions(lab):
    columns = "b BOOLEAN, tiny TINYINT, i INTEGER, big BIGINT, de DECIMAL(9,2), d DATE, ts TIMESTAMP, tz TIMESTAMPTZ, s VARCHAR, u UUID, bl BLOB, fl DOUBLE"
    rows = """SELECT x % 2 = 0, (x % 7 - 3)::TINYINT, x % 13, x, (x * 1.25)::DECIMAL(9,2), DATE '1969-12-31' + (x * 997 % 20000)::INTEGER,
        TIMESTAMP '1969-12-31 23:30:00' + INTERVAL (x * 911) HOUR, TIMESTAMPTZ '1969-12-31 23:30:00+00' + INTERVAL (x * 711) HOUR,
        ['ž', '', 'a#b?c%d/e', 'k''"', 'zebra'][x % 5 + 1], ('f0000000-0000-0000-0000-00000000000' || (x % 10))::UUID, encode('b' || x % 3), x / 2 FROM range(30) t(x)
        UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"""
    lab.sql(f"CREATE TABLE lake.build.src ({columns})")
    checks = []
    for transform, names in TRANSFORMS:
        for name in names:
            table = f"{re.sub('[^a-z]', '', transform)} {name}"
            lab.sql(f"CREATE TABLE lake.build.{quote(table)} ({columns})")
            by = name if transform == "identity" else transform.format(name)
            lab.sql(f"ALTER TABLE lake.build.{quote(table)} SET PARTITIONED BY ({by})")
            lab.sql(f"INSERT INTO lake.build.{quote(table)} {rows}")
            lab.sql(f"DELETE FROM lake.build.{quote(table)} WHERE big % 10 = 4")
            checks.append((table, name))
    published = lab.publish_all([{"name": table, "table": table, "snapshot": lab.head()} for table, _ in checks])
    duck = readers.connect("avro", "iceberg")
    from pyiceberg.table import StaticTable
    for (table, name), answer in zip(checks, published):
        lab.expect(table, answer, lab.head())
        assert metadata_of(answer)["default-spec-id"] == 1, f"{table} is published without its partition"
        static = StaticTable.from_metadata(answer["metadata"])
        for condition in FILTERS[name] + ["IS NULL", "IS NOT NULL"]:
            sql_condition = f"{name} {condition}"
            wanted = lab.sql(f"SELECT count(*) FROM lake.build.{quote(table)} WHERE {sql_condition}").fetchone()[0]
            got = duck.execute(f"SELECT count(*) FROM iceberg_scan({literal(answer['metadata'])}) WHERE {sql_condition}").fetchone()[0]
            assert got == wanted, f"DuckDB, {table} WHERE {sql_condition}: {got} rows, not {wanted}"
            got = static.scan(row_filter=sql_condition).to_arrow().num_rows
            assert got == wanted, f"PyIceberg, {table} WHERE {sql_condition}: {got} rows, not {wanted}"
    # What is not the same function in both is published as unpartitioned.
    for number, by in enumerate(["month(ts)", "day(d)", "bucket(4, u)", "bucket(4, de)", "u", "fl", "hour(ts)"]):
        table = f"plain{number}"
        lab.sql(f"CREATE TABLE lake.build.{table} ({columns})")
        lab.sql(f"ALTER TABLE lake.build.{table} SET PARTITIONED BY ({by})")
        lab.sql(f"INSERT INTO lake.build.{table} {rows}")
        answer = lab.check(table)
        assert metadata_of(answer)["default-spec-id"] == 0, by


def changing_partitions(lab):
    lab.sql("CREATE TABLE lake.build.p (id BIGINT, region VARCHAR, ts TIMESTAMP, other VARCHAR)")
    tags = {}
    for number, step in enumerate([
            "INSERT INTO lake.build.p SELECT range, 'r' || range % 3, TIMESTAMP '2020-01-01' + INTERVAL (range) DAY, 'o' FROM range(100)",
            "ALTER TABLE lake.build.p SET PARTITIONED BY (region)",
            "INSERT INTO lake.build.p SELECT range, 'r' || range % 3, TIMESTAMP '2020-01-01' + INTERVAL (range) DAY, 'o' FROM range(100, 200)",
            "ALTER TABLE lake.build.p SET PARTITIONED BY (bucket(4, id), year(ts), month(ts))",
            "INSERT INTO lake.build.p SELECT range, NULL, TIMESTAMP '2020-01-01' + INTERVAL (range) DAY, 'o' FROM range(200, 300)",
            "DELETE FROM lake.build.p WHERE id % 9 = 0",
            "ALTER TABLE lake.build.p SET PARTITIONED BY (bucket(8, id), region)",
            "INSERT INTO lake.build.p SELECT range, 'r' || range % 3, NULL, 'o' FROM range(300, 400)",
            "ALTER TABLE lake.build.p RENAME region TO area", "ALTER TABLE lake.build.p ADD COLUMN region VARCHAR", "ALTER TABLE lake.build.p ADD COLUMN id_bucket VARCHAR",
            "INSERT INTO lake.build.p SELECT range, 'a', NULL, 'o', 'new region', 'b' FROM range(400, 410)",
            "ALTER TABLE lake.build.p RESET PARTITIONED BY", "ALTER TABLE lake.build.p DROP COLUMN area",
            "INSERT INTO lake.build.p SELECT range, NULL, 'o', 'new region', 'b' FROM range(410, 420)", "DELETE FROM lake.build.p WHERE id % 10 = 1"]):
        lab.sql(step)
        lab.check("p")
        tags[f"t{number}"] = lab.head()
    published = lab.publish("p", tags=tags)
    for tag, cut in tags.items():
        lab.expect("p", published, cut, snapshot_id=metadata_of(published)["refs"][tag]["snapshot-id"])


def names(lab):
    odd = ['a b', 'a.b', 'quo"te', "apos'trophe", 'ž𝒳', '1st', 'select', 'per%cent', 'ha#sh', 'que?ry', 'sla/sh', 'UPPER', 'tab\there']
    columns = ", ".join(f"{quote(name)} INTEGER" for name in odd) + ", s STRUCT(\"in ner.x\" INTEGER, \"ž\"\"\" VARCHAR)"
    for number, table in enumerate(odd):
        lab.sql(f"CREATE TABLE lake.build.{quote(table)} ({columns})")
        lab.sql(f"ALTER TABLE lake.build.{quote(table)} SET PARTITIONED BY ({quote(odd[number])})")
        lab.sql(f"INSERT INTO lake.build.{quote(table)} SELECT {', '.join(f'range + {i}' for i in range(len(odd)))}, {{'in ner.x': 1, 'ž\"': 'v'}} FROM range(5)")
        lab.sql(f"DELETE FROM lake.build.{quote(table)} WHERE {quote(odd[0])} = 2")
        lab.check(table)
    names_file = json.loads((lab.root / "iceberg/names.json").read_text())
    assert sorted(names_file["names"]) == sorted(odd), names_file


def empty(lab):
    lab.sql("CREATE TABLE lake.build.never (id BIGINT, name VARCHAR)")
    assert lab.check("never")["rows"] == 0
    lab.sql("CREATE TABLE lake.build.gone AS SELECT range AS id FROM range(10)")
    lab.check("gone")
    lab.sql("DELETE FROM lake.build.gone WHERE id < 9")
    lab.check("gone")
    lab.sql("DELETE FROM lake.build.gone")
    assert lab.check("gone")["rows"] == 0
    lab.sql("INSERT INTO lake.build.gone VALUES (77)")
    assert lab.check("gone")["rows"] == 1


def refused(lab):
    for kind, value in [("HUGEINT", "1"), ("UHUGEINT", "1"), ("UTINYINT", "1"), ("UINTEGER", "1"), ("UBIGINT", "1"), ("INTERVAL", "INTERVAL 1 DAY"),
                        ("TIMESTAMP_NS", "'2020-01-01'"), ("TIMESTAMP_S", "'2020-01-01'"), ("TIMETZ", "'12:00:00+00'"), ("HUGEINT[]", "[1]"), ("STRUCT(a UBIGINT)", "{a: 1}")]:
        lab.sql(f"CREATE OR REPLACE TABLE lake.build.r (id INTEGER, x {kind})")
        lab.sql(f"INSERT INTO lake.build.r VALUES (1, {value})")
        answer = lab.publish("r")
        assert "no exact form" in answer["refused"] and not answer["written"], f"{kind}: {answer}"
    lab.sql("CREATE TABLE lake.build.d AS SELECT 1 AS id")
    lab.check("d")
    lab.sql("ALTER TABLE lake.build.d ADD COLUMN x INTEGER DEFAULT 5")
    answer = lab.publish("d")
    assert "default" in answer["refused"] and answer["metadata"].endswith(".metadata.json"), answer
    lab.sql("UPDATE lake.build.d SET x = x")
    lab.check("d")
    for before, value, after in [("INTEGER", "1", "DOUBLE"), ("DATE", "'2020-01-01'", "TIMESTAMP"), ("DECIMAL(9,2)", "1.25", "DECIMAL(12,3)")]:
        lab.sql(f"CREATE OR REPLACE TABLE lake.build.w (x {before})")
        lab.sql(f"INSERT INTO lake.build.w VALUES ({value})")
        lab.sql(f"ALTER TABLE lake.build.w ALTER x TYPE {after}")
        answer = lab.publish("w")
        assert "older files" in answer["refused"], f"{before} to {after}: {answer}"
        lab.sql("UPDATE lake.build.w SET x = x")
        lab.check("w")
    for name in ["$path", "_file", "_pos"]:
        lab.sql(f"CREATE OR REPLACE TABLE lake.build.n ({quote(name)} INTEGER)")
        assert "reserves" in lab.publish("n")["refused"], name


def idempotent(lab):
    lab.sql("CREATE TABLE lake.build.t AS SELECT range AS id, 'n' || range AS name FROM range(1000)")
    lab.sql("DELETE FROM lake.build.t WHERE id % 3 = 0")
    cut = lab.head()
    lab.publish("t", tags={"first": cut})
    lab.sql("INSERT INTO lake.build.t VALUES (1, 'x')")
    lab.publish("t", tags={"first": cut})
    state = lambda: {str(p): (p.stat().st_mtime_ns, p.read_bytes()) for p in sorted((lab.root / "iceberg").rglob("*")) if p.is_file()}
    before = state()
    assert not lab.publish("t", tags={"first": cut})["written"]
    assert state() == before, "publishing again changed files"
    # A change elsewhere in the lake changes nothing here.
    lab.sql("CREATE TABLE lake.build.other AS SELECT 1 AS x")
    assert not lab.publish("t", tags={"first": cut})["written"] and state() == before
    # From nothing, the same snapshot gives the same files.
    shutil.rmtree(lab.root / "iceberg")
    lab.publish("t", snapshot=cut)
    first = {name: content for name, (_, content) in state().items()}
    shutil.rmtree(lab.root / "iceberg")
    lab.publish("t", snapshot=cut)
    assert {name: content for name, (_, content) in state().items()} == first


def moved(lab):
    home = lab.root / "here"
    inner = Lab(lab.judge, home)
    inner.sql("CREATE TABLE lake.build.t AS SELECT range AS id FROM range(100)")
    inner.sql("DELETE FROM lake.build.t WHERE id < 10")
    cut = inner.head()
    inner.publish("t", tags={"first": cut})
    inner.sql("INSERT INTO lake.build.t VALUES (1000)")
    inner.publish("t", tags={"first": cut})
    inner.close()
    there = lab.root / "over there ž"
    home.rename(there)
    moved_lab = Lab(lab.judge, there)
    answer = moved_lab.check("t", tags={"first": cut})
    assert answer["written"]
    moved_lab.expect("t", answer, cut, snapshot_id=metadata_of(answer)["refs"]["first"]["snapshot-id"])
    return moved_lab


def history(lab):
    lab.sql("CREATE TABLE lake.build.t (id BIGINT)")
    requests = []
    for number in range(110):
        lab.sql(f"INSERT INTO lake.build.t VALUES ({number})")
        requests.append({"name": "t", "table": "t", "snapshot": lab.head(), "tags": {"old": requests[0]["snapshot"]} if requests else {}})
    answer = lab.publish_all(requests)[-1]
    document = metadata_of(answer)
    assert len(document["snapshots"]) == 101 and "old" in document["refs"], len(document["snapshots"])
    assert document["snapshot-log"][-1]["snapshot-id"] == document["current-snapshot-id"]
    lab.expect("t", answer, lab.head())
    lab.expect("t", answer, requests[0]["snapshot"], snapshot_id=document["refs"]["old"]["snapshot-id"])
    for number in (20, 60, 108):
        lab.expect("t", answer, requests[number]["snapshot"], snapshot_id=(1 << 42) + requests[number]["snapshot"])
    # Expiry of the lake ends what it took away.
    versions = ", ".join(str(r["snapshot"]) for r in requests[1:60])
    lab.sql(f"CALL ducklake_expire_snapshots('lake', versions => [{versions}])")
    lab.sql("DELETE FROM lake.build.t WHERE id = 0")
    lab.check("t")


def pruning(lab):
    lab.sql("CREATE TABLE lake.build.t (id BIGINT, name VARCHAR, ts TIMESTAMP, amount DECIMAL(18,2))")
    for number in range(100):
        lab.sql(f"INSERT INTO lake.build.t SELECT range, 'name ' || lpad(range::VARCHAR, 8, '0') || ' and more', TIMESTAMP '2020-01-01' + INTERVAL (range) MINUTE, range * 1.5 "
                f"FROM range({number * 100}, {number * 100 + 100})")
    lab.sql("DELETE FROM lake.build.t WHERE id % 50 = 1")
    answer = lab.check("t")
    from pyiceberg.table import StaticTable
    table = StaticTable.from_metadata(answer["metadata"])
    duck = readers.connect("avro", "iceberg")
    for condition in ["id = 4242", "ts = '2020-01-03T22:42:00'", "amount = 6363.00", "name = 'name 00004242 and more'"]:
        opened = len(list(table.scan(row_filter=condition).plan_files()))
        assert opened <= 2, f"PyIceberg opens {opened} of 100 files for {condition}"
        assert table.scan(row_filter=condition).to_arrow().num_rows == 1, condition
        scan = f"SELECT count(*) FROM iceberg_scan({literal(answer['metadata'])}) WHERE {condition.replace('T', ' ')}"
        assert duck.execute(scan).fetchone()[0] == 1, condition
        plan = duck.execute("EXPLAIN ANALYZE " + scan).fetchall()[0][1]
        files = re.search(r"Total Files Read:\s*(\d+)", plan)
        assert files and int(files[1]) <= 2, f"DuckDB opens {files[1] if files else 'an unknown number of'} files for {condition}: {plan if not files else ''}"


def killed(lab):
    lab.sql("CREATE TABLE lake.build.t AS SELECT range AS id FROM range(1000)")
    lab.sql("DELETE FROM lake.build.t WHERE id % 3 = 0")
    first = lab.publish("t")
    lab.sql("DELETE FROM lake.build.t WHERE id % 5 = 0")
    log = lab.root / "points"
    request = [{"name": "t", "table": "t", "snapshot": lab.head()}]
    kept = lab.root / "before"
    shutil.copytree(lab.root / "iceberg", kept)
    lab.publish_all(request, {"NANOHOUSE_FAULT_LOG": str(log)})
    points = [point for point in dict.fromkeys(log.read_text().split()) if point.startswith("publish.")]
    assert len(points) >= 6, points
    for point in points:
        for way in ("kill", "enospc"):
            shutil.rmtree(lab.root / "iceberg")
            shutil.copytree(kept, lab.root / "iceberg")
            try:
                lab.publish_all(request, {"NANOHOUSE_FAULT": f"{point}={way}"})
                raise RuntimeError(f"{point}={way} did nothing")
            except AssertionError:
                pass
            shown = json.loads((lab.root / "iceberg/names.json").read_text())["names"]["t"]
            assert pathlib.Path(shown.removeprefix("file://")).exists(), point
            answer = lab.publish_all(request)[0]
            assert answer["rows"] == lab.sql("SELECT count(*) FROM lake.build.t").fetchone()[0], point
    lab.expect("t", answer, lab.head())


SCENARIOS = [types, changes, inlined_deletes, evolution, partitions, changing_partitions, names, empty, refused, idempotent, moved, history, pruning, killed]


def main():
    pattern = sys.argv[1] if len(sys.argv) > 1 else ""
    judge, units, failed, started = Judge(), [], False, time.monotonic()
    def say(outcome, name, why=""):
        nonlocal failed
        failed = failed or outcome == "FAIL"
        print(f"{outcome} {name}" + (f": {' '.join(str(why).split())[:600]}" if why else ""), flush=True)
    with tempfile.TemporaryDirectory(prefix="nano-publish-") as folder:
        for scenario in SCENARIOS:
            if pattern and pattern not in scenario.__name__:
                continue
            lab = Lab(judge, f"{folder}/{scenario.__name__}")
            try:
                other = scenario(lab)
                say("ok", f"{scenario.__name__}/publish")
                print(f"    after {time.monotonic() - started:.0f} s")
            except Exception as error:
                frame = inspect.trace()[-1]
                say("FAIL", f"{scenario.__name__}/publish", f"line {frame.lineno}: {type(error).__name__}: {error}")
                other = None
            for each in [lab, other] if other else [lab]:
                each.close()
                for unit in each.units:
                    unit.name = f"{scenario.__name__}/{unit.name}"
                    units.append(unit)
        read = {"pyiceberg": lambda some: readers.read_with_pyiceberg(some, judge), "duckdb": lambda some: readers.read_with_duckdb(some, judge, folder),
                "spark": lambda some: readers.read_with_spark(some, judge, folder)}
        for reader, run in read.items():
            if reader == "spark" and os.environ.get("NANO_QUICK"):
                say("skip", "spark", "it takes a minute")
                continue
            wanted = [unit for unit in units if reader not in unit.without]
            wrong = {}
            try:
                for unit, difference in run(wanted):
                    if difference:
                        wrong.setdefault(unit.name.split("/")[0], []).append(f"{unit.name}: {difference}")
            except Exception as error:
                say("FAIL", reader, f"{type(error).__name__}: {error}")
                continue
            for scenario in dict.fromkeys(unit.name.split("/")[0] for unit in wanted):
                count = sum(unit.name.startswith(scenario + "/") for unit in wanted)
                bad = wrong.get(scenario, [])
                say("FAIL" if bad else "ok", f"{scenario}/{reader}", f"{len(bad)} of {count} tables: {bad[0]}" if bad else "")
                for line in bad[1:]:
                    print("    " + " ".join(line.split())[:400])
                if not bad:
                    print(f"    {count} tables and snapshots read")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
