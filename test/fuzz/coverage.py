#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Line coverage of each decoder's files by its corpus, one table; exit 1 where a file's or a decoder's is below the least.
test/fuzz/coverage.py [TARGET…]"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/fuzz/test/fuzz"
LEAST = 80.0

# What each target is there for.
FILES = {
    "singer": ["wire/singer.cc", "wire/singer_schema.cc"],
    "debezium": ["wire/debezium.cc", "wire/debezium_document.cc", "wire/debezium_origin.cc", "wire/debezium_form.cc", "wire/debezium_infer.cc", "wire/debezium_lines.cc", "wire/debezium_number.cc",
                 "wire/debezium_time.cc", "wire/debezium_value.cc"],
    "pgoutput": ["wire/pgoutput.cc", "wire/postgres_envelope.cc", "wire/postgres_text.cc", "wire/postgres_type.cc", "wire/postgres_value.cc"],
    "json": ["wire/json_scan.cc", "wire/json_scan.h", "wire/json_string.cc", "wire/json_token.cc", "wire/record_reader.cc", "wire/cell.cc",
             "wire/number.cc", "wire/moment.cc"],
    "avro": ["wire/avro.cc", "wire/avro.h"],
    "yaml": ["contract/yaml.cc", "contract/tree.cc", "contract/shape.cc", "contract/read.cc", "contract/cross_check.cc", "contract/units.cc",
             "base/data_type.cc"],
    "journal": ["journal/block.cc", "journal/format.cc", "journal/format.h", "journal/recovery.cc", "journal/segment.cc", "journal/reader.cc",
                "journal/dictionary.cc", "journal/base_reader.cc"],
}


def tool(name):
    return next(found for found in (shutil.which(f"{name}-14"), shutil.which(name)) if found)


def covered(target):
    """Lines and covered lines of each file."""
    program = BUILD / f"{target}_fuzz"
    with tempfile.TemporaryDirectory() as folder:
        raw, data = f"{folder}/raw", f"{folder}/data"
        corpus = [str(ROOT / "test/fuzz" / kind / target) for kind in ("corpus", "regressions") if (ROOT / "test/fuzz" / kind / target).is_dir()]
        subprocess.run([str(program), "-runs=0", *corpus], check=True, stderr=subprocess.DEVNULL,
                       env={**os.environ, "LLVM_PROFILE_FILE": raw, "ASAN_OPTIONS": "detect_leaks=0"})
        subprocess.run([tool("llvm-profdata"), "merge", "-sparse", raw, "-o", data], check=True)
        out = subprocess.run([tool("llvm-cov"), "export", "-summary-only", f"-instr-profile={data}", str(program)], check=True, capture_output=True).stdout
    found = {}
    for file in json.loads(out)["data"][0]["files"]:
        path = (ROOT / "build/fuzz" / file["filename"]).resolve()    # the compiler cache makes it relative
        if path.is_relative_to(ROOT / "src"):
            found[str(path.relative_to(ROOT / "src"))] = file["summary"]["lines"]
    return {name: found[name] for name in FILES[target]}


def report(target):
    """Prints each file's lines; gives the names of those below the least, and the decoder's sum in words."""
    lines = covered(target)
    for name, of in lines.items():
        print(f"  {name:28} {of['covered']:5} of {of['count']:5} lines {of['percent']:6.1f} %")
    count, hit = (sum(of[what] for of in lines.values()) for what in ("count", "covered"))
    return [name for name, of in lines.items() if of["percent"] < LEAST], f"{hit} of {count} lines, {100 * hit / count:.1f} %"


def main():
    some_low = False
    for target in sys.argv[1:] or FILES:
        low, total = report(target)
        some_low |= bool(low)
        print(f"{target}: {total}", flush=True)
    return 1 if some_low else 0


if __name__ == "__main__":
    sys.exit(main())
