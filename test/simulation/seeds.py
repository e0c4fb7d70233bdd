#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the simulation: seeds from 1 on and some that nobody has seen, in two processes. NANO_SEED begins with another seed, and with it alone
where NANO_QUICK is set; NANO_LONG goes on for hours (NANO_SECONDS says for how long)."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("NANO_BUILD", ROOT / "build/release")) / "test/simulation/simulation"
QUICK, LONG = bool(os.environ.get("NANO_QUICK")), bool(os.environ.get("NANO_LONG"))
SECONDS = int(os.environ.get("NANO_SECONDS", "0" if QUICK else "10800" if LONG else "40"))
#: Faults in a minute of processor time that must be reached, however busy the machine is.
FAULTS = 1000
SUMMARY = re.compile(r"(\d+) seeds, (\d+) failed; (\d+) faults in ([\d.]+) s, (\d+) a minute")


def main():
    work = pathlib.Path(tempfile.mkdtemp(prefix="nano-simulation-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
    if os.environ.get("NANO_SEED"):
        plan = [(int(os.environ["NANO_SEED"]), 1)]
    elif QUICK:
        plan = [(1, 2), (time.time_ns() % 10**9, 2)]
    else:
        plan = [(1, 10), (time.time_ns() % 10**9, 10)]
    try:
        running = [subprocess.Popen([PROGRAM, work / str(first), str(first), str(least), str(SECONDS)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                   for first, least in plan]
        outputs = [process.communicate()[0] for process in running]
    finally:
        shutil.rmtree(work, ignore_errors=True)
    failed = False
    for (first, _), process, output in zip(plan, running, outputs):
        print(output, end="")
        said, alike = SUMMARY.search(output), "ran twice alike" in output
        name = f"seeds from {'1' if first == 1 else 'one that nobody has seen'} on"
        wrong = "; ".join(line for line in output.splitlines() if re.match(r"seed \d+ (failed|ran differently)", line))
        if not said:
            wrong = f"seed {first} or one after it: it ended with {process.returncode}: {' '.join(output.split())[-600:]}"
        elif not alike and not wrong:
            wrong = f"seed {first} was not run twice"
        elif not QUICK and not wrong and int(said[5]) < FAULTS:
            wrong = f"only {said[5]} faults a minute of processor time"
        print(f"FAIL {name}: {wrong[:2000]}" if wrong else f"ok {name}", flush=True)
        failed = failed or bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
