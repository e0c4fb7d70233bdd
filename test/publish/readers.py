# SPDX-License-Identifier: Apache-2.0
"""Reads published Iceberg tables with PyIceberg, DuckDB's iceberg extension and Spark, and compares rows with the lake's.

A Unit is one table at one snapshot, with the truth as a table of the judging connection. Rows are compared as the text of
each value after a cast to the lake's own type, with EXCEPT ALL in both directions."""
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPS = ROOT / ".deps"
EXTENSIONS = DEPS / "duckdb/extensions"
TEST_EXTENSIONS = DEPS / "test_extensions"
SPARK = DEPS / "spark"


def quote(name):
    return '"' + name.replace('"', '""') + '"'


def literal(text):
    return "'" + text.replace("'", "''") + "'"


def connect(*extensions):
    import duckdb
    connection = duckdb.connect(config={"threads": 2, "autoinstall_known_extensions": False})
    for name in ("icu", "json", *extensions):
        folder = EXTENSIONS if (EXTENSIONS / f"{name}.duckdb_extension").exists() else TEST_EXTENSIONS
        connection.execute(f"LOAD {literal(str(folder / name) + '.duckdb_extension')}")
    connection.execute("SET TimeZone = 'UTC'")
    return connection


class Unit:
    def __init__(self, name, metadata, snapshot, truth, columns, without=()):
        self.name, self.metadata, self.snapshot = name, metadata, snapshot
        self.truth, self.columns, self.without = truth, columns, set(without)   # columns: (name, DuckDB type)


class Judge:
    """Holds the truth; says in a line how rows that a reader gave differ from it, or nothing."""

    def __init__(self):
        self.connection = connect()
        self.count = 0

    def keep(self, relation_of, columns):
        """Stores rows (Arrow) as truth, with columns c0, c1, … of the lake's types."""
        self.count += 1
        name = f"truth{self.count}"
        rows = relation_of.rename_columns([f"c{i}" for i in range(relation_of.num_columns)])
        self.connection.register("incoming", rows)
        self.connection.execute(f"CREATE TABLE {name} AS SELECT {self.texts(columns)} FROM incoming")
        self.connection.unregister("incoming")
        return name

    def texts(self, columns):
        return ", ".join(f"CAST(CAST(c{i} AS {kind}) AS VARCHAR) AS c{i}" for i, (_, kind) in enumerate(columns)) or "1 AS c0"

    def compare(self, unit, source):
        mine = f"(SELECT {self.texts(unit.columns)} FROM {source})"
        said = []
        for left, right, what in ((mine, unit.truth, "extra"), (unit.truth, mine, "missing")):
            found = self.connection.execute(f"SELECT count(*), min(d::VARCHAR) FROM (FROM {left} EXCEPT ALL FROM {right}) d").fetchone()
            if found[0]:
                said.append(f"{found[0]} rows {what}, such as {found[1][:300]}")
        return "; ".join(said)

    def compare_arrow(self, unit, table):
        if table.column_names != [name for name, _ in unit.columns]:
            return f"columns {table.column_names}"
        self.connection.register("incoming", table.rename_columns([f"c{i}" for i in range(table.num_columns)]))
        try:
            return self.compare(unit, "incoming")
        finally:
            self.connection.unregister("incoming")


def read_with_pyiceberg(units, judge):
    import pyarrow
    from pyiceberg.table import StaticTable
    for unit in units:
        try:
            table = StaticTable.from_metadata(unit.metadata).scan(snapshot_id=unit.snapshot).to_arrow()
            plain = [c.cast(c.type.storage_type) if isinstance(c.type, pyarrow.BaseExtensionType) else c for c in table.columns]
            yield unit, judge.compare_arrow(unit, pyarrow.table(plain, names=table.column_names))
        except Exception as error:
            yield unit, f"{type(error).__name__}: {error}"


def read_with_duckdb(units, judge, folder):
    """In a process of its own: on some malformed manifests this reader takes its process with it."""
    job = [{"metadata": unit.metadata, "snapshot": unit.snapshot, "out": f"{folder}/duckdb{i}.parquet"} for i, unit in enumerate(units)]
    child = subprocess.run([sys.executable, __file__, "duckdb"], input=json.dumps(job), text=True, capture_output=True, timeout=600)
    answers = [json.loads(line) for line in child.stdout.splitlines()]
    for i, unit in enumerate(units):
        if i >= len(answers):
            yield unit, f"DuckDB died: {child.stderr[-300:]}"
            continue
        yield unit, answers[i]["error"] or judge.compare_arrow(unit, judge.connection.read_parquet(job[i]["out"]).to_arrow_table())


def duckdb_job():
    connection = connect("avro", "iceberg")
    for unit in json.load(sys.stdin):
        at = f", snapshot_from_id = {unit['snapshot']}::UBIGINT" if unit["snapshot"] else ""
        try:
            connection.execute(f"COPY (FROM iceberg_scan({literal(unit['metadata'])}{at})) TO {literal(unit['out'])} (FORMAT parquet)")
            error = ""
        except Exception as failure:
            error = str(failure) or type(failure).__name__
        print(json.dumps({"error": error}), flush=True)


def read_with_spark(units, judge, folder):
    if not (SPARK / "pyspark").exists():
        raise FileNotFoundError(f"{SPARK} is not there: run tools/setup --tests")
    java = subprocess.run([ROOT / "tools/find-java"], capture_output=True, text=True)
    if java.returncode:
        raise FileNotFoundError(java.stderr.strip())
    job = [{"metadata": unit.metadata, "snapshot": unit.snapshot, "out": f"{folder}/spark{i}"} for i, unit in enumerate(units)]
    environment = {**os.environ, "JAVA_HOME": java.stdout.strip(), "SPARK_HOME": str(SPARK / "deps"), "SPARK_LOCAL_IP": "127.0.0.1",
                   "PYSPARK_PYTHON": sys.executable, "PYTHONPATH": f"{SPARK}:{next((SPARK / 'lib').glob('py4j*.zip'))}", "SPARK_LOCAL_DIRS": str(folder)}
    child = subprocess.run([sys.executable, __file__, "spark"], input=json.dumps(job), text=True, capture_output=True, timeout=900, env=environment, cwd=folder)
    answers = [json.loads(line) for line in child.stdout.splitlines() if line.startswith("{")]
    for i, unit in enumerate(units):
        if i >= len(answers):
            yield unit, f"Spark did not run: {child.stderr[-500:]}"
            continue
        if answers[i]["error"]:
            yield unit, answers[i]["error"]
            continue
        table = judge.connection.read_parquet(job[i]["out"] + "/*.parquet").to_arrow_table()
        yield unit, judge.compare_arrow(unit, table.rename_columns(answers[i]["names"]))


def spark_job():
    from pyspark.sql import SparkSession
    units = json.load(sys.stdin)
    builder = SparkSession.builder.master("local[2]")
    for key, value in {"spark.ui.enabled": "false", "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
                       "spark.sql.session.timeZone": "UTC", "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
                       "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED", "spark.log.level": "OFF", "spark.driver.memory": "1g",
                       "spark.sql.catalogImplementation": "in-memory"}.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    for unit in units:
        names = []
        try:
            reader = session.read.format("iceberg")
            if unit["snapshot"]:
                reader = reader.option("versionAsOf", str(unit["snapshot"]))
            frame = reader.load(unit["metadata"])
            names = frame.columns
            frame.toDF(*[f"c{i}" for i in range(len(names))]).coalesce(1).write.mode("overwrite").parquet(unit["out"])
            error = ""
        except Exception as failure:
            error = str(getattr(failure, "_desc", None) or failure)[:600]
        print(json.dumps({"error": error, "names": names}), flush=True)
    session.stop()


if __name__ == "__main__":
    {"duckdb": duckdb_job, "spark": spark_job}[sys.argv[1]]()
