#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the corpus anew: seeds from test/captures, examples and tests, besides what is in it, fuzzed for a while, and of all that
only the inputs that reach something (libFuzzer's merge). test/fuzz/reseed.py [--seconds N] [TARGET…]"""
import argparse
import glob
import gzip
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import types
from json import dumps as dump

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/fuzz/test/fuzz"
CORPUS = ROOT / "test/fuzz/corpus"
LONGEST = 4096


def lines(pattern, most, longest=LONGEST):
    """Lines that differ most in shape: of those with the same beginning and length only a few."""
    met = {}
    for path in sorted(glob.glob(str(ROOT / pattern))):
        with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
            for line in file:
                line = line.rstrip(b"\n")
                shape = (path, re.sub(rb"[0-9]+", b"0", line[-80:]), len(line) // 256)
                if len(line) <= longest and met.get(shape, 0) < 1 and sum(1 for s in met if s[0] == path) < most:
                    met[shape] = 1
                    yield line


def raw_strings(path):
    """The raw string literals of a unit test."""
    return [body for _, body in re.findall(r'R"(\w*)\((.*?)\)\1"', (ROOT / path).read_text(), re.S)]


def plain_strings(path):
    """The other string literals of a unit test; those that stand side by side are one."""
    for run in re.findall(r'((?:"(?:[^"\\\n]|\\.)*"\s*)+)', (ROOT / path).read_text()):
        parts = re.findall(r'"((?:[^"\\\n]|\\.)*)"', run)
        yield "".join(parts).encode("utf-8").decode("unicode_escape").encode("latin-1")


def singer():
    for body in raw_strings("src/wire/singer_test.cc"):
        flat = body.replace("\n", " ")
        yield flat.encode()
        yield ('{"type":"SCHEMA","stream":"s","key_properties":["a"],"schema":{"properties":{%s}}}\n' % flat).encode() + b'{"type":"RECORD","stream":"s","record":{"a":1,"b":"x","c":[1],"d":{"x":1}}}'
        yield ('{"type":"SCHEMA","stream":"s","schema":{"properties":{"a":{"type":"integer"},"b":{"$ref":"#/definitions/ints"},"d":{"$ref":"#/definitions/tree"}}%s}}' % flat).encode()
    found = list(lines("test/captures/singer/*.jsonl", 60))
    schemas = [line for line in found if b'"SCHEMA"' in line[:40]]
    yield from found
    for schema in schemas:
        rest = [line for line in found if b'"RECORD"' in line[:40]][:4]
        yield b"\n".join([schema, *rest])[:LONGEST]


def debezium():
    yield from lines("test/captures/debezium/*noschemas.jsonl.gz", 12)
    yield from lines("test/captures/debezium/*schemas.jsonl.gz", 6, 40000)
    for test in ("debezium_test.cc", "debezium_variants_test.cc"):
        yield from (body.replace("\n", " ").encode() for body in raw_strings(f"src/wire/{test}"))
    yield from lines("test/captures/connectors/*/*.jsonl", 40, 40000)
    yield from (body.replace("\n", " ").encode() for body in raw_strings("src/wire/debezium_connectors_test.cc"))


def pgoutput():
    """Runs of messages as a server sent them, and structured texts alone."""
    messages = [bytes.fromhex(line) for line in (ROOT / "test/captures/pgoutput/messages.hex").read_text().split()]
    framed = [len(message).to_bytes(2, "big") + message for message in messages]
    for begin in range(0, len(framed), 12):
        yield b"".join(framed[begin : begin + 12])[:LONGEST]
    described = {kind: next(message for message in framed if message[2:3] == kind) for kind in (b"R", b"B")}
    for kind in b"BCORYIUDTMSEcA":
        alike = [message for message in framed if message[2] == kind][:3]
        for message in alike:
            yield described[b"R"] + message
    for text in raw_strings("src/wire/postgres_value_test.cc"):
        yield text.encode()
    for text in ("{1,2,NULL}", "[0:1]={1,2}", "{{1,2},{3,4}}", "(1,,\"x\")", "a\tb\\n\t\\N"):
        yield text.encode()


def json():
    for line in lines("test/captures/singer/*.jsonl", 20):
        yield b"\0" + line
        yield b"\1" + line
    values = [b"12.50", b"-0", b"1e400", b'"2024-02-29T10:00:00.123456+05:30"', b"2024-02-29 24:00", b"infinity", b"NaN", b"0044-03-15 BC",
              b"t", b"true", b"null", b"[1,2,null]", b'{"a":1,"b":["x"]}', b'[{"x":1.5,"y":"2024-01-01"}]', b"\\x00ff",
              b"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", b'"\\ud83d\\ude00\\n"', b"123456789012345678901234567890.12", b"10:00:00.5", b"  7 "]
    for value in values:
        for way in range(4):
            yield bytes([way]) + value
    members = b",".join(b'"%c":%s' % (97 + i, v) for i, v in enumerate(
        [b"true", b"7", b"-9", b"1.5", b"2.5", b"12.50", b"0.1", b'"text"', b'"aGk="', b'"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"', b'"2024-01-01"',
         b'"10:00"', b'"2024-01-01 10:00:00"', b'"2024-01-01T10:00:00Z"', b'{"k":[1]}', b"[1,2]", b'["a",null]', b'{"k":"v"}', b'{"1":"2024-01-01 00:00:00"}',
         b'{"a":1,"b":[]}', b'[{"x":1,"y":null}]']))
    yield b"\1{" + members + b',"ignored":{},"x":{"y":3,"z":{"w":"deep"},"new":1},"v":9}'


def avro():
    for number in range(24):
        yield b"".join(hashlib.sha512(b"%d/%d" % (number, part)).digest() for part in range(1 + number))


def yaml():
    for path in sorted(glob.glob(str(ROOT / "examples/*/nanohouse.yaml"))) + sorted(glob.glob(str(ROOT / "src/app/*template*"))):
        text = pathlib.Path(path).read_bytes()
        if path.endswith(".yaml"):
            tables = sorted(pathlib.Path(path).parent.glob("tables/*.yaml"))
            yield text + b"".join(b"--- tables/%s\n%s" % (t.name.encode(), t.read_bytes()) for t in tables)
    for path in sorted(glob.glob(str(ROOT / "test/golden/*/*.test"))):
        for body in re.findall(r"^file \S+\.yaml <<(\w+)\n(.*?)^\1$", pathlib.Path(path).read_text(), re.S | re.M):
            yield body[1].encode()
    for path in ("docs/reference/schema.md", "docs/reference/types.md", "README.md"):
        for body in re.findall(r"^```yaml\n(.*?)^```", (ROOT / path).read_text(), re.S | re.M):
            yield body.encode()
    top = b"nanohouse: 1\nwarehouse: shop\nsources:\n  - {name: cdc, debezium: {file: changes.jsonl}}\n"
    yield from (body.encode() for body in raw_strings("src/contract/parse_test.cc"))
    for body in plain_strings("src/contract/parse_test.cc"):
        if b":" in body:
            yield top + b"--- tables/t.yaml\n" + body if body.startswith(b"tables") else body if body.startswith(b"nanohouse") else top + body
    table = b"tables:\n  - name: t\n    source: {name: cdc, stream: a.b}\n    columns:\n"
    for body in plain_strings("src/base/data_type_test.cc"):
        yield top + table + b"      - {name: a, data_type: '%s'}\n" % body.replace(b"'", b"''")
    sys.path.insert(0, str(ROOT / "test/schema"))
    sys.modules.setdefault("jsonschema", types.ModuleType("jsonschema"))
    import compare
    yield dump(compare.FULL).encode()
    yield dump(compare.SMALL).encode()
    for text in (b"a: &x [1, 0x1F, 0o17, .inf, -.5, 1., +3, 1e5, ~]\nb: *x\nc: !!str 5\nd: |\n  text\n", b"[" * 500, b"- " * 500, b"a: *b", b"\xff\xfe", b"? [a]\n: b"):
        yield text


def journal():
    """Segments as the program writes them, and what the other ways of the target begin with."""
    program = os.environ.get("NANOHOUSE", str(ROOT / "build/release/nanohouse"))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for number, capture in enumerate(("kafka-string-noschemas", "kafka-precise-schemas", "http-string-noschemas")):
            warehouse = folder / capture
            warehouse.mkdir()
            with gzip.open(ROOT / f"test/captures/debezium/{capture}.jsonl.gz") as source, open(warehouse / "in.jsonl", "wb") as out:
                for line in list(source)[: 6 + 6 * number]:
                    out.write(line)
            (warehouse / "nanohouse.yaml").write_text("nanohouse: 1\nwarehouse: w\nsources: [{name: src, debezium: {file: in.jsonl}}]\n"
                                                      "tables: [{name: t, source: {name: src, stream: x.y}, mode: append, columns: [{name: a, data_type: int}]}]\n")
            for command in (("apply", "--yes"), ("ingest",)):
                subprocess.run([program, "-C", str(warehouse), *command, "--quiet"], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
            for segment in warehouse.glob("data/journal/src/*.nhj"):
                whole = segment.read_bytes()
                if len(whole) <= 65536:
                    yield b"\0" + whole
                    yield b"\1" + whole[36 + 3 + 4:]
    for number in range(16):
        yield bytes([2 + number % 2]) + b"".join(hashlib.sha512(b"%d/%d" % (number, part)).digest() for part in range(1 + number % 5))
    for number in range(4):                                        # many segments, of which the first become a base image
        yield b"\3\xff\xff\x1f" + b"".join(hashlib.sha512(b"%d/%d" % (number, part)).digest() for part in range(3 + number))
    yield b"\2\0\1\2\0\1\2\5\0\0hello" + b"\2\0\1\2\0\3\1\1k\5hello"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("targets", nargs="*", default=[])
    options = parser.parse_args()
    for target in options.targets or ["singer", "debezium", "pgoutput", "json", "avro", "yaml", "journal"]:
        with tempfile.TemporaryDirectory() as name:
            seeds, grown, merged = (pathlib.Path(name) / part for part in ("seeds", "grown", "merged"))
            for folder in (seeds, grown, merged):
                folder.mkdir()
            for number, seed in enumerate(globals()[target]()):
                (seeds / f"{number:04}").write_bytes(seed)
            program, dictionary = str(BUILD / f"{target}_fuzz"), ROOT / f"test/fuzz/{target}.dict"
            common = [f"-dict={dictionary}"] if dictionary.exists() else []
            kept = CORPUS / target
            kept.mkdir(parents=True, exist_ok=True)
            environment = {**os.environ, "LLVM_PROFILE_FILE": "/dev/null"}
            ran = subprocess.run([program, f"-max_total_time={options.seconds}", "-max_len=4096", f"-artifact_prefix={ROOT}/build/fuzz/{target}-", *common, str(grown), str(seeds), str(kept)],
                                 env=environment, capture_output=True, text=True, errors="replace")
            if ran.returncode:
                sys.exit(ran.stderr[-6000:])
            subprocess.run([program, "-merge=1", "-use_counters=0", "-max_len=65536", str(merged), str(kept), str(seeds), str(grown)], env=environment, check=True, capture_output=True)
            shutil.rmtree(kept)
            kept.mkdir()
            for path in merged.iterdir():
                content = path.read_bytes()
                (kept / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)
            sizes = [p.stat().st_size for p in kept.iterdir()]
            print(f"{target}: {len(sizes)} inputs, {sum(sizes)} bytes", flush=True)


if __name__ == "__main__":
    main()
