# SPDX-License-Identifier: Apache-2.0
"""The program as the crash tests run it: with a fault or without, and where its points are noted."""
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("NANOHOUSE", str(ROOT / "build/release/nanohouse"))


def run(folder, *arguments, fault=None, log=None, limit=300):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NANOHOUSE_FAULT")}
    if fault:
        environment["NANOHOUSE_FAULT"] = fault
    if log:
        environment["NANOHOUSE_FAULT_LOG"] = str(log)
    return subprocess.run([PROGRAM, "-C", str(folder), *arguments], env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=limit)


def must(folder, *arguments, **more):
    done = run(folder, *arguments, **more)
    assert done.returncode == 0, f"{' '.join(arguments)} ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-400:]}"
    return done.stdout


def ask(folder, questions, **more):
    """The answers to SQL questions, all from one look: each answer's rows as text, a line a row."""
    sql = " UNION ALL ".join(f"SELECT '{name}' AS question, (SELECT string_agg(t::VARCHAR, chr(10)) FROM ({text}) t) AS answer" for name, text in questions.items())
    done = run(folder, "query", "--format", "json", sql, **more)
    assert done.returncode == 0, f"query ended with {done.returncode}: {done.stderr.strip()}"
    return {row["question"]: row["answer"] for row in json.loads(done.stdout)}
