#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills `nanohouse quarantine retry` at every fault point that it passes, runs it again, and compares with the run that was
never disturbed: what fits is there once, what has moved on is not, and quarantine holds what is left."""
import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile

from program import must, run

CONTRACT = """nanohouse: 1
warehouse: crash
sources:
  - {name: crm, singer: {file: crm.jsonl}}
tables:
  - name: people
    source: {name: crm, stream: people}
    primary_key: [id]
    columns: [{name: id, data_type: bigint}, {name: credit, data_type: "decimal(5,2)"}]
  - name: visits
    source: {name: crm, stream: visits}
    mode: append
    columns: [{name: id, data_type: bigint}, {name: paid, data_type: "decimal(5,2)"}]
"""
QUESTION = """SELECT 'people' AS t, count(*) AS n, count(DISTINCT id) AS ids, sum(credit)::VARCHAR AS sum FROM people
UNION ALL SELECT 'visits', count(*), count(DISTINCT id), sum(paid)::VARCHAR FROM visits
UNION ALL SELECT 'quarantine', count(*), count(DISTINCT position), min(value) FROM nanohouse.quarantine ORDER BY 1"""


def inputs(folder):
    (folder / "nanohouse.yaml").write_text(CONTRACT)
    number, text = {"type": "integer"}, {"type": ["null", "number"]}
    with open(folder / "crm.jsonl", "w", encoding="utf-8") as out:
        for stream, field, key in (("people", "credit", ["id"]), ("visits", "paid", [])):
            print(json.dumps({"type": "SCHEMA", "stream": stream, "key_properties": key,
                              "schema": {"type": "object", "properties": {"id": number, field: text}}}), file=out)
        for i in range(400):
            wide = f"{i + 1}12345.25" if i % 3 == 0 else "ten" if i % 50 == 1 else f"{i % 9}.50"
            value = f'"{wide}"' if wide == "ten" else wide
            print(f'{{"type":"RECORD","stream":"visits","record":{{"id":{i},"paid":{value}}}}}', file=out)
            print(f'{{"type":"RECORD","stream":"people","record":{{"id":{i % 150},"credit":{value}}}}}', file=out)


def main():
    with tempfile.TemporaryDirectory(prefix="retry-") as work:
        pristine, log = pathlib.Path(work) / "pristine", pathlib.Path(work) / "points"
        pristine.mkdir()
        inputs(pristine)
        must(pristine, "ingest", "--quiet")
        (pristine / "nanohouse.yaml").write_text(CONTRACT.replace("decimal(5,2)", "decimal(14,2)"))
        must(pristine, "apply", "--yes", "--quiet")
        calm = pathlib.Path(work) / "calm"
        shutil.copytree(pristine, calm)
        before = must(calm, "query", "--format", "csv", QUESTION)
        must(calm, "quarantine", "retry", "--all", "--quiet", log=log)
        expected = must(calm, "query", "--format", "csv", QUESTION)
        assert before != expected and "quarantine,10,10," in expected, f"the retry itself is wrong: {before} became {expected}"
        points = sorted(set(log.read_text().split()))
        assert "lake.commit.before" in points, points
        if os.environ.get("NANO_QUICK"):
            points = [point for point in points if point.startswith("lake.")]
        wrong = []
        for point in points:
            for action in ("kill", "eio"):
                folder = pathlib.Path(work) / f"{point}-{action}".replace("/", "_")
                shutil.copytree(pristine, folder)
                done = run(folder, "quarantine", "retry", "--all", "--quiet", fault=f"{point}={action}")
                if action == "kill" and done.returncode != -signal.SIGKILL:
                    wrong.append(f"{point}: it ended with {done.returncode}, not by the kill")
                between = must(folder, "query", "--format", "csv", QUESTION)
                if between not in (before, expected):
                    wrong.append(f"{point} {action}: half of it is there: {between}")
                must(folder, "quarantine", "retry", "--all", "--quiet")
                after = must(folder, "query", "--format", "csv", QUESTION)
                if after != expected:
                    wrong.append(f"{point} {action}: {after} instead of {expected}")
                shutil.rmtree(folder)
        print(f"{len(points)} points: {' '.join(points)}")
        print("FAIL retry at every point: " + "; ".join(wrong).replace("\n", " ") if wrong else "ok retry at every point")
        return 1 if wrong else 0


sys.exit(main())
