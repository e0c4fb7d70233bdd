# SPDX-License-Identifier: Apache-2.0
"""A warehouse in a folder of its own, and `nanohouse run` in it, for the tests beside this file."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("NANOHOUSE", str(ROOT / "build/release/nanohouse"))


class Warehouse:
    def __init__(self, folder, files):
        self.folder, self.process, self.log, self.starts = pathlib.Path(folder), None, pathlib.Path(folder) / "run.log", 0
        for name, text in files.items():
            self.write(name, text)

    def write(self, name, text):
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)

    def append(self, name, *messages):
        with open(self.folder / name, "a", encoding="utf-8") as file:
            file.writelines(json.dumps(message, ensure_ascii=False) + "\n" for message in messages)

    def command(self, *arguments, expect=0):
        done = subprocess.run([PROGRAM, "-C", str(self.folder), *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
        assert done.returncode == expect, f"{' '.join(arguments)} ended with {done.returncode}, not {expect}: {done.stdout[-300:]}{done.stderr[-500:]}"
        return done.stdout if expect == 0 else done.stdout + done.stderr

    def json(self, *arguments):
        return json.loads(self.command(*arguments, "--json"))

    def rows(self, sql):
        return json.loads(self.command("query", "--format", "json", sql))

    def start(self, *arguments, wait=True):
        self.starts += 1
        with open(self.log, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen([PROGRAM, "-C", str(self.folder), "run", "--log", "json", "--log-level", "debug", *arguments], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=subprocess.STDOUT, cwd=self.folder)
        if wait:
            self.wait_for(lambda: (self.folder / "data/run.sock").exists() or self.process.poll() is not None, "it listens")
            assert self.process.poll() is None, self.log.read_text()[-800:]

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, limit=10):
        """SIGTERM; how long it took."""
        began = time.monotonic()
        self.signal(signal.SIGTERM)
        code = self.process.wait(limit + 5)
        took = time.monotonic() - began
        assert code == 0, f"it ended with {code}: {self.log.read_text()[-800:]}"
        assert took < limit, f"it took {took:.1f} s to stop"
        return took

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait()

    def wait_for(self, what, name, limit=30):
        until = time.monotonic() + limit
        while True:
            try:
                if what():
                    return
            except AssertionError:
                if time.monotonic() > until:
                    raise
            assert time.monotonic() < until, f"not within {limit} s: {name}; its log ends with {self.log.read_text()[-800:]}"
            time.sleep(0.1)

    def source(self, name):
        return next(source for source in self.json("source", "list") if source["name"] == name)

    def wait_for_state(self, name, state, limit=30):
        self.wait_for(lambda: self.source(name)["state"] == state, f"source {name} is {state}", limit)
        return self.source(name)

    def last_address(self):
        """Of the HTTP door that was opened last; its log is all runs'. None: none was."""
        running = [line for line in self.logged() if line["message"] == "running"]
        return running[-1]["http"] if running else None

    def address(self):
        """Of the HTTP door of the run that was started last."""
        self.wait_for(lambda: len([line for line in self.logged() if line["message"] == "running"]) >= self.starts, "it runs")
        return self.last_address()

    def logged(self):
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]


@contextlib.contextmanager
def warehouse(files):
    folder = tempfile.mkdtemp(prefix="live-")
    made = Warehouse(folder, files)
    try:
        yield made
    finally:
        if made.process and made.process.poll() is None:
            made.process.kill()
            made.process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def run_all(tests):
    """Each test as a line of the suite."""
    failed = False
    for test in tests:
        name = test.__name__.replace("_", " ")
        try:
            test()
            print(f"ok {name}", flush=True)
        except (AssertionError, subprocess.TimeoutExpired, KeyError, StopIteration, json.JSONDecodeError) as wrong:
            failed = True
            print(f"FAIL {name}: {type(wrong).__name__} {' '.join(str(wrong).split())[:900]}", flush=True)
    return 1 if failed else 0
