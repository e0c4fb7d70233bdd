#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random histories against a model: inserts, updates with and without unsent values, deletes, truncates, key changes, events
that are said again, files that grow (also by half a line), batches cut anywhere, steps that fail and kills; every mode, both lanes.
test/oracle/histories.py [SEED [LANE]] does one lake. NANO_SEED=n chooses the seeds of a whole run; a failure prints its own."""
import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from model import Source, Table  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("NANO_BUILD", ROOT / "build/release"))
QUICK = bool(os.environ.get("NANO_QUICK"))
#: Processes are killed here, not the machine, so the lakes may lie in memory.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) and shutil.disk_usage("/dev/shm").free > 1 << 30 else None
SOURCES, TABLES, ROUNDS = 5, 5, 3
POINTS = ["journal.segment.write", "journal.segment.sync", "journal.segment.folder", "lake.file", "lake.deletes", "lake.data.sync", "lake.data.folder",
          "lake.data.syncfs", "lake.commit.before", "lake.commit.locked", "lake.commit.after", "lake.compact", "index.run.write", "index.run.sync",
          "index.list.write", "index.list.rename"]
#: What the direct lane takes, and what goes through the extension.
ROWS = [("upsert", "hard", True), ("upsert", "ignore", True), ("append", "hard", True), ("append", "ignore", True), ("upsert", "hard", False)]
MARKS = [("upsert", "soft", True), ("history", "hard", True), ("history", "ignore", True), ("upsert", "hard", True), ("upsert", "soft", False),
         ("append", "soft", True)]


class Driver:
    """The program's own reading and landing, in one process until it is killed."""

    def __init__(self, folder, lane, build):
        self.environment = {**os.environ, "NANOHOUSE_LANE": lane}
        if build != BUILD:
            self.environment.update(ASAN_OPTIONS="detect_leaks=0", UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1")
        self.command, self.folder, self.child = [str(build / "src/app/oracle_driver"), str(folder)], folder, None

    def ask(self, command, kill_after=None):
        """The answer; None if it was killed on the way."""
        if self.child is None:
            self.errors = open(self.folder / "stderr", "ab")
            self.child = subprocess.Popen(self.command, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True)
        self.child.stdin.write(json.dumps(command) + "\n")
        self.child.stdin.flush()
        if kill_after is not None:
            time.sleep(kill_after)
            self.child.send_signal(signal.SIGKILL)
        answer = self.child.stdout.readline()
        if answer and kill_after is None:
            return json.loads(answer)
        code = self.close()
        assert code == -signal.SIGKILL, f"the driver ended with {code}: {(self.folder / 'stderr').read_text(errors='replace')[-1500:]}"
        return None

    def close(self):
        if self.child is None:
            return 0
        self.child.stdin.close()
        code = self.child.wait(120)
        self.child.stdout.close()
        self.errors.close()
        self.child = None
        return code


def grow(file, lines, draw, last):
    """Appends lines, and perhaps half of the last one; what is left of it comes first the next time."""
    text = "".join(line + "\n" for line in lines).encode()
    cut = len(text)
    if not last and draw.random() < 0.3:
        cut = draw.randrange(max(len(text) - 300, 0), len(text))
    with open(file, "ab") as out:
        out.write(text[:cut])
    return text[cut:]


def contract(sources):
    return ("nanohouse: 1\nwarehouse: oracle\nstorage: {iceberg: off}\nsources:\n" + "".join(f"  - {{name: {s.name}, debezium: {{file: {s.name}.jsonl}}}}\n" for s in sources)
            + "tables:\n" + "".join(t.contract(s.name) for s in sources for t in s.tables))


def one(seed, lane, kills, build):
    """A lake of histories. Returns how many, how many steps failed or were killed, and what was wrong."""
    draw, folder = random.Random(seed), pathlib.Path(tempfile.mkdtemp(prefix="oracle-", dir=MEMORY))
    tables = [Table(f"t{n:02d}", *draw.choice(ROWS if n // TABLES % 5 < 3 else MARKS), draw) for n in range(SOURCES * TABLES)]
    sources = [Source(f"s{n}", tables[n * TABLES:(n + 1) * TABLES], draw) for n in range(SOURCES)]
    (folder / "nanohouse.yaml").write_text(contract(sources))
    driver, disturbed, rest = Driver(folder, lane, build), 0, {s.name: b"" for s in sources}
    try:
        for turn in range(ROUNDS):
            for source in sources:
                file = folder / f"{source.name}.jsonl"
                with open(file, "ab") as out:
                    out.write(rest[source.name])
                rest[source.name] = grow(file, source.more(draw.randrange(5, 30)), draw, turn == ROUNDS - 1)
            for _ in range(20):
                command = {"ingest": [s.name for s in sources], "commit_bytes": draw.choice([400, 2000, 8000, 100000])}
                kill_after = None
                if draw.random() < 0.7 and _ < 6:
                    action = "kill" if kills and draw.random() < 0.5 else draw.choice(["eio", "enospc"])
                    command["fault"] = f"{draw.choice(POINTS)}:{draw.choice([1, 2, 3, 5, 9, 17])}={action}"
                elif kills and _ < 6 and draw.random() < 0.7:
                    kill_after = draw.uniform(0, 1.5)
                answer = driver.ask(command, kill_after)
                if answer is None:
                    disturbed += 1
                elif "error" in answer:
                    disturbed += 1
                    told = ("injected fault", "Input/output error", "No space left on device")     # by the point, or by the system in its name
                    assert "fault" in command and any(text in answer["error"] for text in told), f"ingest: {answer['error']}"
                    if draw.random() < 0.5:
                        driver.ask({"reopen": True})
                else:
                    break
            else:
                raise AssertionError("twenty runs, and none came to its end")
        return len(tables), disturbed, compare(driver, tables, draw)
    except (AssertionError, subprocess.TimeoutExpired) as error:
        return len(tables), disturbed, str(error)
    finally:
        if driver.child is not None:
            driver.close()
        if os.environ.get("NANO_KEEP"):
            print(f"kept {folder}", flush=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def compare(driver, tables, draw):
    if draw.random() < 0.5:
        driver.ask({"reopen": True})
    builds = driver.ask({"query": "SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake' AND schema_name = 'build'"})["rows"]
    build_of = {name.rsplit("_", 1)[0]: name for (name,) in builds}
    quarantined = dict(driver.ask({"query": "SELECT table_name, count(DISTINCT position) FROM lake.nanohouse.quarantine GROUP BY 1"})["rows"])
    wrong = []
    for table in tables:
        answer = driver.ask({"query": table.question(build_of[table.name])}) if table.name in build_of else {"rows": []}
        seen, expected = table.answer(answer["rows"]) if "rows" in answer else answer["error"], table.expected()
        what = f"{table.name} ({table.mode}, {table.deletes}{'' if table.keyed else ', no key'})"
        if seen != expected:
            odd = next((n for n, (a, b) in enumerate(zip(seen, expected)) if a != b), min(len(seen), len(expected)))
            wrong.append(f"{what} has {len(seen)} rows, not {len(expected)}; row {odd} is {seen[odd:odd + 1]}, not {expected[odd:odd + 1]}")
        if int(quarantined.get(table.name, 0)) != table.quarantined():
            wrong.append(f"{what}: {quarantined.get(table.name, 0)} events in quarantine, not {table.quarantined()}")
    return "; ".join(wrong)


def main():
    first = int(os.environ.get("NANO_SEED") or time.time_ns() % 1_000_000_000)
    asan = ROOT / "build/asan"
    lakes = 2 if QUICK else 34
    plan = [("histories, by both lanes", "direct", False, BUILD, lakes), ("histories, by the extension alone", "extension", False, BUILD, max(lakes // 4, 1)),
            ("histories under SIGKILL", "direct", True, BUILD, 1 if QUICK else 3)]
    if (asan / "src/app/oracle_driver").exists() and not QUICK:
        plan.append(("histories under ASan", "direct", False, asan, 4))
    if len(sys.argv) > 1:
        seed, kind = int(sys.argv[1]), plan[int(sys.argv[2]) if len(sys.argv) > 2 else 0]
        print(one(seed, *kind[1:4]))
        return
    print(f"NANO_SEED={first}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("NANO_JOBS", "2"))) as pool:
        for number, (name, lane, kills, build, count) in enumerate(plan):
            seeds = [first + 1000 * number + n for n in range(count)]
            histories, disturbed, failed = 0, 0, []
            for seed, (some, steps, wrong) in zip(seeds, pool.map(lambda seed: one(seed, lane, kills, build), seeds)):
                histories, disturbed = histories + some, disturbed + steps
                if wrong:
                    failed.append(f"test/oracle/histories.py {seed} {number}: {wrong}".replace("\n", " "))
            print(f"{histories} {name}, {disturbed} runs that failed or were killed", flush=True)
            print(f"FAIL {name}: {failed[0][:1500]} ({len(failed)} lakes of {count})" if failed else f"ok {name}", flush=True)


main()
