#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Folds expired segments of a journal into its base image, builds every table again from base image and segments alone, and
compares with the tables as they were: unchanged TOAST values, key changes, truncates, quarantine and whole captures included.
Then kills and fails the folding at every fault point that it passes, and compares after the next run."""
import json
import lzma
import os
import pathlib
import shutil
import signal
import sys
import tempfile

from program import ROOT, must, run

QUICK = bool(os.environ.get("NANO_QUICK"))
UNSENT = "__debezium_unavailable_value"
sys.path.insert(0, str(ROOT / "test/peers"))

CONTRACT = """nanohouse: 1
warehouse: fold
storage: {iceberg: off, journal: {keep: 0s}}
sources:
  - {name: cdc, debezium: {file: cdc.jsonl}}
  - {name: crm, singer: {file: crm.jsonl}}
tables:
  - name: notes
    source: {name: cdc, stream: shop.notes}
    primary_key: [id]
    columns: [{name: id, data_type: int}, {name: title, data_type: string}, {name: body, data_type: string}, {name: price, data_type: "decimal(10,2)"}]
  - name: changes
    source: {name: cdc, stream: shop.log}
    mode: append
    columns: [{name: id, data_type: int}, {name: what, data_type: string}]
  - name: states
    source: {name: cdc, stream: shop.states}
    mode: history
    primary_key: [id]
    columns: [{name: id, data_type: int}, {name: state, data_type: string}]
  - name: people
    source: {name: crm, stream: people}
    primary_key: [id]
    columns: [{name: id, data_type: int}, {name: name, data_type: string}]
"""
TABLES = {"notes": "id, title, body, price, _position, _committed_at", "changes": "id, what, _op, _position, _committed_at",
          "states": "id, state, valid_from, valid_to, _position", "people": "id, name, _position"}


def rows(folder, sql):
    return json.loads(must(folder, "query", "--format", "json", sql))


def answers(folder, tables=TABLES):
    """The rows of each build: with the hidden columns, too."""
    builds = {row["name"]: row["build"] for row in rows(folder, "SELECT name, build FROM nanohouse.version")}
    return {name: rows(folder, f'SELECT {columns} FROM build."{builds[name]}" ORDER BY ALL') for name, columns in tables.items()}


def different(seen, expected):
    for name in expected:
        if seen[name] != expected[name]:
            missing = [r for r in expected[name] if r not in seen[name]][:2]
            more = [r for r in seen[name] if r not in expected[name]][:2]
            return f'"{name}" has {len(seen[name])} rows for {len(expected[name])}; missing {missing}; more {more}'
    return ""


def rebuilt(folder):
    """A warehouse with the same journal, and nothing else of it."""
    again = folder.with_name(folder.name + "-again")
    shutil.rmtree(again, ignore_errors=True)
    shutil.copytree(folder, again)
    for entry in (again / "data").iterdir():
        if entry.name != "journal":
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    must(again, "ingest", "--quiet")
    return again


class Changes:
    """Debezium's messages with keys, as `kcat -J` writes them."""
    def __init__(self):
        self.lines, self.lsn, self.offset = [], 1000, 0

    def add(self, table, op, key, before, after, headers=None):
        self.lsn += 10
        source = {"version": "3.6.0.Final", "connector": "postgresql", "name": "srv", "db": "d", "schema": "shop", "table": table, "ts_ms": 1767225600000 + self.lsn,
                  "snapshot": "false", "txId": self.lsn, "lsn": self.lsn, "sequence": json.dumps([str(self.lsn - 1), str(self.lsn)], separators=(",", ":"))}
        self.put(table, key, {"before": before, "after": after, "op": op, "ts_ms": 1767225600000 + self.lsn, "source": source}, headers)

    def put(self, table, key, value, headers=None):
        line = {"topic": f"srv.shop.{table}", "partition": 0, "offset": self.offset, "key": json.dumps(key) if key else None,
                "payload": json.dumps(value, ensure_ascii=False) if value else None}
        if headers:
            line["headers"] = [part for name, header in headers.items() for part in (name, json.dumps(header))]
        self.lines.append(json.dumps(line, ensure_ascii=False))
        self.offset += 1

    def note(self, op, n, title=None, body=None, price="1.00"):
        after = None if op == "d" else {"id": n, "title": title, "body": body, "price": price}
        self.add("notes", op, {"id": n}, {"id": n, "title": None, "body": None, "price": None} if op == "d" else None, after)
        if op == "d":
            self.put("notes", {"id": n}, None)

    def move(self, old, new, title, body):
        self.add("notes", "d", {"id": old}, {"id": old, "title": None, "body": None, "price": None}, None, {"__debezium.newkey": {"id": new}})
        self.put("notes", {"id": old}, None)
        self.add("notes", "c", {"id": new}, None, {"id": new, "title": title, "body": body, "price": "2.00"}, {"__debezium.oldkey": {"id": old}})


def parts():
    """What the sources say, in three parts; what a part leaves unsaid, only the base image of those before it has."""
    long = lambda n: f"body {n} “quoted” \\ " + "ß" * 500
    first, second, third = Changes(), None, None
    for n in range(40):
        first.note("c", n, f"note {n}", long(n))
    for n in range(0, 40, 2):
        first.note("u", n, f"note {n}, mended", UNSENT)
    for n in range(0, 40, 5):
        first.note("d", n)
    first.note("u", 3, "of a price that does not fit", UNSENT, "12345678901.99")
    first.note("u", 3, "after it", UNSENT)
    first.note("u", 9, "short before", "short")
    first.note("u", 9, "what looks unsent is data", UNSENT)
    for n in range(10):
        first.add("log", "c", {"id": n}, None, {"id": n, "what": f"w{n}"})
        first.add("states", "c" if n < 5 else "u", {"id": n % 5}, None, {"id": n % 5, "state": f"s{n}"})
    cut1 = len(first.lines)
    for n in (7, 11):
        first.move(n, n + 100, f"moved {n}", UNSENT)
    first.move(13, 113, "moved 13, body too", long(1300))
    for n in (2, 4, 6):
        first.note("u", n, f"note {n}, again", UNSENT)
    first.note("c", 5, "back again", long(55))
    cut2 = len(first.lines)
    first.note("u", 107, "once more", UNSENT)
    first.note("d", 111)
    first.add("states", "d", {"id": 2}, {"id": 2, "state": None}, None)
    first.add("log", "d", {"id": 3}, {"id": 3, "what": None}, None)
    cdc = [first.lines[:cut1], first.lines[cut1:cut2], first.lines[cut2:]]
    schema = json.dumps({"type": "SCHEMA", "stream": "people", "key_properties": ["id"], "schema": {"type": "object", "properties": {
        "id": {"type": "integer"}, "name": {"type": ["null", "string"]}}}})
    person = lambda n, name: json.dumps({"type": "RECORD", "stream": "people", "record": {"id": n, "name": name}}, ensure_ascii=False)
    crm = [[schema] + [person(n % 20, f"name {n}") for n in range(60)] + ['{"type":"STATE","value":{"n":60}}'],
           [schema] + [person(n, None) for n in range(3)], [person(50, "Žofie")]]
    return list(zip(cdc, crm))


def say(folder, part):
    for name, lines in zip(("cdc.jsonl", "crm.jsonl"), part):
        with open(folder / name, "a", encoding="utf-8") as out:
            out.write("".join(line + "\n" for line in lines))


def plain(work, said):
    """The tables of a warehouse that never folds."""
    folder = work / "plain"
    folder.mkdir()
    (folder / "nanohouse.yaml").write_text(CONTRACT.replace(", journal: {keep: 0s}", ""))
    for part in said:
        say(folder, part)
        must(folder, "ingest", "--quiet")
    return folder, answers(folder)


def folded(work, said, expected):
    folder = work / "folds"
    folder.mkdir()
    (folder / "nanohouse.yaml").write_text(CONTRACT)
    for part in said:
        say(folder, part)
        must(folder, "ingest", "--quiet")
    wrong = different(answers(folder), expected)
    assert not wrong, f"folding changed {wrong}"
    counted = rows(folder, "SELECT count(*) AS n, count(*) FILTER (filled) AS filled, max(position) AS last FROM journal.cdc")[0]
    total = sum(len(cdc) for cdc, _ in said)
    assert counted["last"] == total - 1 and counted["n"] < total * 3 / 4, f"{counted} of {total} messages"
    assert counted["filled"] >= 15, f"{counted} are filled"
    assert len(list((folder / "data/journal/cdc").glob("*.base.parquet"))) == 1, "there is not one base image"
    assert len(list((folder / "data/journal/cdc").glob("*.nhj"))) == 1, "expired segments are still there"
    wrong = different(answers(rebuilt(folder)), expected)
    assert not wrong, f"built again {wrong}"
    assert "base image to" in must(folder, "doctor"), "doctor says nothing of the base image"
    return folder


def captures(work):
    """Whole captures in four parts, each folded; every table built again is as it was, and was not there for nothing."""
    import debezium_truth as truth
    for capture, tables in (("debezium-kafka-precise-schemas", truth.PLAIN), ("debezium-tx-kafka-precise-schemas-txmeta", truth.TX)):
        folder = work / capture
        folder.mkdir()
        (folder / "nanohouse.yaml").write_text(truth.contract(tables, "{keep: 0s}"))
        with lzma.open(truth.FULL / f"{capture}.jsonl.xz", "rt", encoding="utf-8") as file:
            lines = file.read().splitlines(True)
        for n in range(4):
            with open(folder / "cdc.jsonl", "a", encoding="utf-8") as out:
                out.writelines(lines[len(lines) * n // 4:len(lines) * (n + 1) // 4])
            must(folder, "ingest", "--quiet")
        asked = {name: ", ".join(f'"{column}"' for column in columns) for name, (_, _, _, columns) in tables.items()}
        before = answers(folder, asked)
        assert sum(len(found) for found in before.values()) > 50, "the capture left no rows"
        wrong = different(answers(rebuilt(folder), asked), before)
        assert not wrong, f"{capture} built again: {wrong}"
        shape = rows(folder, "SELECT count(*) AS n, count(*) FILTER (filled) AS filled, max(position) + 1 AS messages FROM journal.cdc")[0]
        print(f"ok fold/{capture} built again", flush=True)
        print(f"{capture}: {shape['n']} of {shape['messages']} messages stay, {shape['filled']} filled, {sum(map(len, before.values()))} rows", flush=True)


def faults(work, said, expected):
    pristine, log = work / "pristine", work / "points"
    pristine.mkdir()
    (pristine / "nanohouse.yaml").write_text(CONTRACT)
    say(pristine, said[0])
    must(pristine, "ingest", "--quiet")
    for part in said[1:]:
        say(pristine, part)
    done = work / "done"
    shutil.copytree(pristine, done)
    must(done, "ingest", "--quiet", log=log)
    points = sorted({p for p in log.read_text().split() if p.startswith(("base", "journal"))})
    assert {"base.write", "base.sync", "base.rename", "base.folder", "base.remove"} <= set(points), points
    for point in points:
        for passing, action in ((1, "kill"), (2, "kill"), (1, "eio")):
            if QUICK and not point.startswith("base"):
                continue
            folder = work / "faulty"
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(pristine, folder)
            ended = run(folder, "ingest", "--quiet", fault=f"{point}:{passing}={action}").returncode
            if ended == 0:
                continue      # not passed so often
            name = f"fold/{action} at {point} {passing}"
            try:
                assert ended == (-signal.SIGKILL if action == "kill" else 3), f"it ended with {ended}"
                answers(folder)
                must(folder, "doctor")
                must(folder, "ingest", "--quiet")
                wrong = different(answers(folder), expected) or different(answers(rebuilt(folder)), expected)
                assert not wrong, f"after the next run {wrong}"
                left = sorted(p.name for p in (folder / "data/journal/cdc").iterdir())
                assert len(left) <= 3, f"left over: {left}"       # the base image, the open segment, perhaps one to be folded next
                print("ok " + name, flush=True)
            except AssertionError as error:
                print(f"FAIL {name}: {error}", flush=True)


def main():
    work = pathlib.Path(tempfile.mkdtemp(prefix="fold-"))
    try:
        said = parts()
        _, expected = plain(work, said)
        assert len(expected["notes"]) > 25 and any(r["body"] == UNSENT for r in expected["notes"]), "the tables are not what was said"
        folded(work, said, expected)
        print("ok fold/every table built again", flush=True)
        captures(work)
        faults(work, said, expected)
    except AssertionError as error:
        print(f"FAIL fold: {error}")
    finally:
        shutil.rmtree(work, ignore_errors=True)


main()
