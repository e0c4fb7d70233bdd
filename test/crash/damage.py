#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Damages a warehouse in every way that `doctor` knows, each in a copy of its own: it is found and named, a look changes
nothing, `--fix` mends what can be mended and leaves the rest, and what has landed is the same as before.
test/crash/damage.py [NAME…] does only these."""
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("NANOHOUSE", str(ROOT / "build/release/nanohouse"))
WORK = pathlib.Path(tempfile.mkdtemp(prefix="damage-"))
OLD = 1_600_000_000            # a time far past any grace

CONTRACT = """nanohouse: 1
warehouse: shop
sources:
  - {name: crm, singer: {file: crm.jsonl}}
tables:
  - name: people
    source: {name: crm, stream: people}
    primary_key: [id]
    columns: [{name: id, data_type: bigint}, {name: credit, data_type: "decimal(18,2)"}]
"""


def run(folder, *arguments, **environment):
    done = subprocess.run([PROGRAM, "-C", str(folder), *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300,
                          env={**os.environ, **environment})
    return done.returncode, done.stdout, done.stderr


def doctor(folder, *flags, **environment):
    code, out, errors = run(folder, "doctor", "--json", *flags, **environment)
    assert code in (0, 1), errors
    found = json.loads(out)
    return code, [trouble for check in found["checks"] for trouble in check["troubles"]]


def rows(folder):
    code, out, errors = run(folder, "query", "--format", "csv", "SELECT * FROM people ORDER BY id")
    assert code == 0, errors
    return out


def messages(*ids):
    schema = {"type": "object", "properties": {"id": {"type": "integer"}, "credit": {"type": ["null", "number"]}}}
    lines = [json.dumps({"type": "SCHEMA", "stream": "people", "key_properties": ["id"], "schema": schema})]
    return "\n".join(lines + [json.dumps({"type": "RECORD", "stream": "people", "record": {"id": n, "credit": n * 5}}) for n in ids]) + "\n"


def make():
    folder = WORK / "whole"
    folder.mkdir()
    (folder / "nanohouse.yaml").write_text(CONTRACT)
    text = messages(*range(20))
    (folder / "crm.jsonl").write_text(text)
    assert run(folder, "ingest", "--quiet")[0] == 0
    (folder / "crm.jsonl").write_text(text + messages(3, 4, 50))
    code, _, errors = run(folder, "ingest", "--quiet")
    assert code == 0, errors
    return folder


def content(folder):
    """Every file but the state of readers and writers, so that a look can be seen to change nothing."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.name.startswith(("state.db", "catalog.db", "run.lock"))}


def catalog(folder, sql):
    with sqlite3.connect(folder / "data/catalog.db") as connection:
        changed = connection.execute(sql).rowcount
        assert changed > 0, sql
    connection.close()


def one(folder, pattern):
    return sorted(folder.glob("data/" + pattern))[0]


def flip(path, at):
    damaged = bytearray(path.read_bytes())
    damaged[at] ^= 0xFF
    path.write_bytes(damaged)


def old(path, text=b"left"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)
    os.utime(path, (OLD, OLD))


BUILD = "(SELECT table_id FROM ducklake_table WHERE table_name LIKE 'people_%')"


def torn_tail(folder):
    with open(one(folder, "journal/crm/*.nhj"), "ab") as journal:
        journal.write(b"half a frame")


def torn_header(folder):
    first = one(folder, "journal/crm/*.nhj")
    first.with_name("00000000000000000999.nhj").write_bytes(first.read_bytes()[:17])


def journal_middle(folder):
    segment = one(folder, "journal/crm/*.nhj")
    flip(segment, segment.stat().st_size // 3)


def narrow(folder):
    catalog(folder, f"UPDATE ducklake_table_column_stats SET max_value = '9.00' WHERE max_value = '250.00' AND table_id = {BUILD}")


def row_id(folder):
    catalog(folder, f"UPDATE ducklake_table_stats SET next_row_id = 1 WHERE table_id = {BUILD}")


def position(folder):
    with sqlite3.connect(folder / "data/catalog.db") as connection:
        name = connection.execute("SELECT i.table_name FROM ducklake_inlined_data_tables i JOIN ducklake_table t USING (table_id) WHERE t.table_name = 'position'").fetchone()[0]
    catalog(folder, f'DELETE FROM "{name}"')


def missing_file(folder):
    one(folder, "lake/build/people_*/*.parquet").unlink()


def orphans(folder):
    build = one(folder, "lake/build/people_*")
    old(build / "nh-00000000-0000-4000-8000-000000000001.parquet")
    old(build / "ducklake-00000000-0000-4000-8000-000000000002.parquet")
    old(build / "mine.parquet")                                                 # somebody's own
    (build / "nh-00000000-0000-4000-8000-000000000003.parquet").write_bytes(b"young")


def dead_process():
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def state(folder, sql, *values):
    with sqlite3.connect(folder / "data/state.db") as connection:
        connection.execute(sql, values)
    connection.close()


def writer(folder):
    state(folder, "UPDATE writer SET released = NULL, pid = ?", dead_process())
    state(folder, "INSERT INTO run (command, epoch, pid, host, started, outcome, message, counters) VALUES ('ingest', 1, ?, ?, 1, 'running', '', '{}')",
          dead_process(), os.uname().nodename)


def lease(folder):
    state(folder, "INSERT INTO snapshot_lease (snapshot, pid, host, expires) VALUES (4, ?, ?, 9000000000000000)", dead_process(), os.uname().nodename)


def index(folder):
    path = one(folder, "index/people_*/*.run")
    flip(path, path.stat().st_size // 2)


def state_damaged(folder):
    (folder / "data/state.db").write_bytes(b"this is no database" * 100)


def state_missing(folder):
    (folder / "data/state.db").unlink()


def moved(folder):
    catalog(folder, "UPDATE ducklake_metadata SET value = '/elsewhere/data/lake/' WHERE key = 'data_path' AND scope IS NULL")


def temporary(folder):
    old(folder / "data/tmp/duckdb_temp_storage-0.tmp")
    old(folder / "data/iceberg/.names.json.17.0.tmp")


def names(folder):
    (folder / "data/iceberg/names.json").write_text('{"half":')


def metadata(folder):
    sorted(folder.glob("data/iceberg/people_*/metadata/*.metadata.json"))[-1].write_text('{"half":')


def no_extensions(folder):
    return {"NANOHOUSE_EXTENSIONS": str(folder)}


# what is damaged: the damage, what doctor says, "fixed" | "stays" (only a person can) | "left" (harmless, fixed)
DAMAGES = {
    "journal tail torn": (torn_tail, "behind its last commit", "left"),
    "journal segment hardly begun": (torn_header, "half a header", "left"),
    "journal damaged in the middle": (journal_middle, "is damaged at byte", "stays"),
    "statistics too narrow": (narrow, "do not cover", "fixed"),
    "next_row_id too low": (row_id, "next_row_id is 1", "fixed"),
    "position missing": (position, 'source "crm" is at', "fixed"),
    "data file missing": (missing_file, "is missing", "stays"),
    "orphans": (orphans, "2 files of tables that nothing names", "left"),
    "stale writer": (writer, "never ended", "left"),
    "stale snapshot lease": (lease, "which is gone", "left"),
    "index damaged": (index, ".run", "fixed"),
    "state damaged": (state_damaged, "is not a database", "fixed"),
    "state missing": (state_missing, "is missing", "fixed"),
    "root moved": (moved, "the catalog says that the tables' files lie in", "fixed"),
    "temporary files": (temporary, "2 temporary files", "left"),
    "names damaged": (names, "names.json is not JSON", "fixed"),
    "published metadata damaged": (metadata, "is missing or torn", "fixed"),
    "extensions missing": (no_extensions, "extension", "stays"),
}


def check(name, whole, before):
    damage, says, becomes = DAMAGES[name]
    folder = WORK / name.replace(" ", "-")
    shutil.copytree(whole, folder)
    run(folder, "doctor", "--fix", "--quiet")                  # the copy lies elsewhere: its paths are set right, names published
    run(folder, "publish", "--quiet")
    code, troubles = doctor(folder)
    assert (code, troubles) == (0, []), troubles
    environment = damage(folder) or {}
    looked = content(folder)
    code, troubles = doctor(folder, **environment)
    named = [one for one in troubles if says in one["message"]]
    assert len(named) == 1, f"not named: {troubles}"
    assert code == (0 if becomes == "left" else 1), (code, troubles)
    assert named[0]["harmless"] == (becomes == "left"), named
    assert (named[0]["cure"] is None) == (becomes == "stays"), named
    if becomes == "stays":
        assert named[0]["hint"], "it does not say what to do"
    code, dry = doctor(folder, "--fix", "--dry-run", **environment)
    assert dry == troubles and content(folder) == looked, "a look changed something"
    code, fixed = doctor(folder, "--fix", **environment)
    if becomes == "stays":
        assert code == 1 and not any(one["fixed"] for one in fixed if says in one["message"]), fixed
        assert content(folder) == looked, "what can't be mended was changed"
        return "named"
    assert code == 0, fixed
    assert any(one["fixed"] for one in fixed if says in one["message"]), fixed
    code, after = doctor(folder)
    assert code == 0 and not any(says in one["message"] for one in after), after
    if name == "orphans":
        left = sorted(path.name for path in one(folder, "lake/build/people_*").iterdir() if path.read_bytes() in (b"left", b"young"))
        assert left == ["mine.parquet", "nh-00000000-0000-4000-8000-000000000003.parquet"], left
    code, _, errors = run(folder, "ingest", "--quiet")
    assert code == 0, errors
    assert rows(folder) == before, "rows have changed"
    return fixed[[says in one["message"] for one in fixed].index(True)]["cure"]


def main():
    whole = make()
    before = rows(whole)
    assert before.count("\n") == 22, before
    failed = 0
    for name in sys.argv[1:] or DAMAGES:
        try:
            print(f"ok {name}: {check(name, whole, before)}", flush=True)
        except (AssertionError, subprocess.TimeoutExpired, IndexError) as error:
            failed += 1
            print(f"FAIL {name}: {error}", flush=True)
    if failed == 0:
        shutil.rmtree(WORK)
    else:
        print(f"kept: {WORK}")
    print(f"{len(sys.argv[1:] or DAMAGES)} damages, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
