#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each whole Debezium capture through `nanohouse ingest`, then every table value by value against what PostgreSQL held: at the
end, and for the captures with transactions at each of ten moments. Read by a plain DuckDB, through DuckLake, from a folder
that was moved meanwhile. test/peers/debezium_truth.py [CAPTURE…]"""
import csv
import datetime
import gzip
import io
import json
import lzma
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

import duckdb

ROOT = pathlib.Path(__file__).resolve().parents[2]
FULL = ROOT / "test/captures/full"
FORMS = ROOT / "test/captures/debezium"
PROGRAM = os.environ.get("NANOHOUSE", str(ROOT / "build/release/nanohouse"))
EXTENSIONS = pathlib.Path(os.environ.get("DUCKDB_ROOT", str(ROOT / ".deps/duckdb"))) / "extensions"

# name: (streams, mode, key, {column: type}). A table without a key that sends whole rows matches them; one that sends none appends.
PLAIN = {
    "order_lines": (["inv.order_lines"], "upsert", ["order_id", "line_no"],
                    {"order_id": "int", "line_no": "int", "sku": "string", "qty": "int", "price": "decimal(10,2)", "note": "string"}),
    "events_nopk_full": (["inv.events_nopk_full"], "upsert", [], {"ts": "timestamptz", "kind": "string", "payload": "json"}),
    "events_nopk_def": (["inv.events_nopk_def"], "append", [], {"ts": "timestamptz", "kind": "string", "n": "bigint"}),
    "uniq_ident": (["inv.uniq_ident"], "upsert", ["code"], {"code": "string", "v": "int"}),
    "trunc_me": (["inv.trunc_me"], "upsert", ["id"], {"id": "int", "v": "string"}),
    "trunc_child": (["inv.trunc_child"], "upsert", ["id"], {"id": "int", "pid": "int"}),
    "parted": (["inv.parted", "inv.parted_2025", "inv.parted_2026"], "upsert", ["id", "d"], {"id": "int", "d": "date", "v": "string"}),
    "Weird Table": (["inv.Weird Table"], "upsert", ["Id"], {"Id": "int", "Mixed Case": "string", "naïve-col": "string"}),
}
TOAST = {"id": "int", "kind": "string", "big": "string", "bin": "binary", "arr": "list<string>", "doc": "json", "small": "int"}
TX = {
    "marker": (["tx.marker"], "upsert", ["n"], {"n": "int", "label": "string", "at": "timestamptz"}),
    "accounts": (["tx.accounts"], "upsert", ["id"], {"id": "int", "owner": "string", "balance": "decimal(12,2)", "version": "int"}),
    "ledger": (["tx.ledger"], "upsert", ["id"], {"id": "bigint", "account_id": "int", "delta": "decimal(12,2)", "who": "string"}),
    "swap": (["tx.swap"], "upsert", ["k"], {"k": "int", "name": "string", "big": "string"}),
    "pair": (["tx.pair"], "upsert", ["a", "b"], {"a": "int", "b": "string", "val": "string", "big": "string"}),
    "toast": (["tx.toast"], "upsert", ["id"], TOAST),
    "toast_full": (["tx.toast_full"], "upsert", ["id"], TOAST),
    "bulk": (["tx.bulk"], "upsert", ["id"], {"id": "int", "txt": "string"}),
    "trunc_a": (["tx.trunc_a"], "upsert", ["id"], {"id": "int", "v": "string"}),
    "trunc_b": (["tx.trunc_b"], "upsert", ["id"], {"id": "int", "a_id": "int", "v": "string"}),
    "nokey": (["tx.nokey"], "append", [], {"a": "int", "b": "string"}),
    "nokey_full": (["tx.nokey_full"], "upsert", [], {"a": "int", "b": "string"}),
    "late": (["tx.late"], "upsert", ["id"], {"id": "int", "v": "string"}),
}


# Whole runs of the same workload in other forms and modes.
OTHER_FORMS = ["iso-double", "iso-double-noschemas", "connecttime", "connecttime-noschemas", "nanoseconds", "nanoseconds-noschemas",
               "microtime", "microtime-noschemas", "unwrap-noschemas", "unwrap-fields", "unwrap-fields-noschemas",
               "cloudevents", "cloudevents-noschemas", "cloudevents-tx-noschemas", "http-batch-noschemas"]


def yaml(text):
    return json.dumps(text, ensure_ascii=False)


def contract(tables, form):
    lines = ["nanohouse: 1", "warehouse: truth", f"storage: {{iceberg: off, journal: {form}}}", "sources: [{name: cdc, debezium: {file: cdc.jsonl}}]", "tables:"]
    for name, (streams, mode, key, columns) in tables.items():
        sources = [f"{{name: cdc, stream: {yaml(s)}}}" for s in streams]
        lines.append(f"  - name: {yaml(name)}\n    source: {sources[0] if len(sources) == 1 else '[' + ', '.join(sources) + ']'}\n    mode: {mode}")
        if key:
            lines.append(f"    primary_key: {yaml(key)}")
        lines.append("    columns:")
        lines += [f"      - {{name: {yaml(c)}, data_type: {yaml(t)}}}" for c, t in columns.items()]
    return "\n".join(lines) + "\n"


def postgres_text(value, kind):
    """A value as PostgreSQL's COPY writes it."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "t" if value else "f"
    if kind == "json":
        return json.dumps(json.loads(value), sort_keys=True)
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, datetime.datetime):
        text = value.strftime("%Y-%m-%d %H:%M:%S") + (f".{value.microsecond:06d}".rstrip("0") if value.microsecond else "")
        return text + "+00"
    if isinstance(value, list):
        def element(e):
            if e is None:
                return "NULL"
            return '"' + e.replace("\\", "\\\\").replace('"', '\\"') + '"' if e == "" or e.upper() == "NULL" or any(c in e for c in '{},"\\ \t\n') else e
        return "{" + ",".join(map(element, value)) + "}"
    return str(value)


class Truth:
    def __init__(self):
        self.files = {}
        with tarfile.open(FULL / "truth.tar.xz") as archive:
            for member in archive:
                if member.isfile():
                    self.files[member.name] = archive.extractfile(member).read().decode("utf-8")

    def rows(self, run, moment, table, columns):
        """None where the moment has no such table."""
        text = self.files.get(f"{run}/truth/{moment}/{table}.csv")
        if text is None:
            return None
        found = []
        for row in csv.DictReader(io.StringIO(text, newline="")):
            values = [None if row[c] == "\\N" else row[c] for c in columns]
            found.append(tuple(json.dumps(json.loads(v), sort_keys=True) if v is not None and t == "json" else v for v, t in zip(values, columns.values())))
        return sorted(found, key=repr)


def difference(seen, expected):
    missing, extra = list(expected), []
    for row in seen:
        missing.remove(row) if row in missing else extra.append(row)
    short = lambda rows: ", ".join(str(tuple(v if v is None or len(v) < 40 else v[:37] + "…" for v in r)) for r in rows[:3])
    return "" if not missing and not extra else f"{len(missing)} missing: {short(missing)}; {len(extra)} too many: {short(extra)}"


class Lake:
    """The tables as a plain DuckDB sees them."""

    def __init__(self, folder):
        self.folder = folder
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")
        for name in ("sqlite_scanner", "ducklake"):
            self.connection.load_extension(str(EXTENSIONS / f"{name}.duckdb_extension"))
        self.number = 0

    def at(self, snapshot=None):
        self.number += 1
        name = f"cut{self.number}"
        version = "" if snapshot is None else f", SNAPSHOT_VERSION {snapshot}"
        self.connection.execute(f"ATTACH 'ducklake:sqlite:{self.folder}/data/catalog.db' AS {name} (READ_ONLY{version})")
        return name

    def snapshots(self):
        name = self.at()
        found = [n for n, in self.connection.execute(f"SELECT snapshot_id FROM ducklake_snapshots('{name}') ORDER BY 1").fetchall()]
        self.connection.execute(f"DETACH {name}")
        return found

    def rows(self, cut, table, columns):
        names = ", ".join('"' + c.replace('"', '""') + '"' for c in columns)
        quoted = '"' + table.replace('"', '""') + '"'
        found = self.connection.execute(f"SELECT {names} FROM {cut}.main.{quoted}").fetchall()
        return sorted((tuple(postgres_text(v, t) for v, t in zip(row, columns.values())) for row in found), key=repr)


def known(table, moment, rows):
    """What nobody can know from the events: README of the captures."""
    if table == "toast" and (moment == "final" or moment >= "marker-08"):     # real data that reads like a placeholder
        rows = [r if r[0] != "5" else (*r[:2], "?", *r[3:]) for r in rows]
    if table == "late":                                                       # there before it was published, never sent
        rows = [r for r in rows if r[0] != "1"]
    return rows


def not_told(capture):
    """Tables that the form can't tell whole: docs/reference/debezium.md."""
    tables = set()
    if capture.startswith("unwrap"):                  # no truncates; no old images, so equal rows without a key can't be told apart
        tables |= {"trunc_me", "trunc_child", "events_nopk_full"}
    if capture == "unwrap-noschemas":                 # nothing says the table but the topic, whose name is cleaned
        tables |= {"Weird Table"}
    if capture == "nanoseconds-noschemas":            # precise decimals without schema have no scale
        tables |= {"order_lines"}
    return tables


def ingest(work, capture, tables, journal):
    folder = work / f"{capture}-{len(list(work.iterdir()))}"
    folder.mkdir()
    packed = FULL / f"{capture}.jsonl.xz"
    messages = lzma.decompress(packed.read_bytes()) if packed.exists() else gzip.decompress((FORMS / f"{capture}.jsonl.gz").read_bytes())
    (folder / "cdc.jsonl").write_bytes(messages)
    (folder / "nanohouse.yaml").write_text(contract(tables, journal), encoding="utf-8")
    for _ in range(2):                                                        # the second time nothing is new
        done = subprocess.run([PROGRAM, "-C", str(folder), "ingest", "--quiet"], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300)
        assert done.returncode == 0, f"ingest ended with {done.returncode}: {done.stderr.strip()[-500:]}"
    moved = folder.with_name(folder.name + "-moved")
    folder.rename(moved)
    done = subprocess.run([PROGRAM, "-C", str(moved), "ingest", "--quiet"], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300)
    assert done.returncode == 0, f"ingest after the move ended with {done.returncode}: {done.stderr.strip()[-500:]}"
    return Lake(moved)


def compare(lake, cut, truth, run, moment, tables):
    wrong = []
    for table, (_, _, _, columns) in tables.items():
        expected = truth.rows(run, moment, table, columns)
        if expected is None:
            continue
        if different := difference(known(table, moment, lake.rows(cut, table, columns)), known(table, moment, expected)):
            wrong.append(f"{table}: {different}")
    return wrong


def report(name, wrong):
    print(f"FAIL {name}: {' | '.join(wrong)[:1500]}" if wrong else f"ok {name}", flush=True)


def main():
    truth = Truth()
    work = pathlib.Path(tempfile.mkdtemp(prefix="truth-"))
    try:
        for path in sorted(FULL.glob("*.jsonl.xz")):
            capture = path.name.removesuffix(".jsonl.xz")
            if sys.argv[1:] and capture not in sys.argv[1:]:
                continue
            run = "debezium-tx" if capture.startswith("debezium-tx") else "debezium"
            tables = TX if run == "debezium-tx" else PLAIN
            for journal in ("{}", "{commit_bytes: 1B}") if run == "debezium-tx" else ("{}",):
                name = f"truth of {capture}" + (", every transaction a commit" if journal != "{}" else "")
                try:
                    lake = ingest(work, capture, tables, journal)
                    report(f"{name}/final", compare(lake, lake.at(), truth, run, "final", tables))
                    if journal == "{}":
                        continue
                    first = {}
                    for snapshot in lake.snapshots():
                        cut = lake.at(snapshot)
                        try:
                            seen = {int(r[0]) for r in lake.rows(cut, "marker", {"n": "int"})}
                        except duckdb.CatalogException:                       # before the tables were made
                            seen = set()
                        for n in seen:
                            first.setdefault(n, cut)
                    for n in range(1, 11):
                        moment = f"marker-{n:02d}"
                        report(f"{name}/{moment}", compare(lake, first[n], truth, run, moment, tables) if n in first else ["no snapshot has the marker"])
                except Exception as error:
                    report(name, [f"{type(error).__name__}: {error}".replace("\n", " ")])
        for capture in OTHER_FORMS:
            if sys.argv[1:] and capture not in sys.argv[1:]:
                continue
            tables = {n: t for n, t in PLAIN.items() if n not in not_told(capture)}
            try:
                lake = ingest(work, capture, tables, "{}")
                report(f"truth of {capture}/final", compare(lake, lake.at(), truth, "debezium", "final", tables))
            except Exception as error:
                report(f"truth of {capture}", [f"{type(error).__name__}: {error}".replace("\n", " ")])
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
