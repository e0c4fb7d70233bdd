#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`nanohouse run` by files that grow and taps: what lands, what is retried and what waits for a person, how it is told what to do,
how it stops."""
import json
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

from warehouse import ROOT, run_all, warehouse

TOP = "nanohouse: 1\nwarehouse: live\nversion: 1.0.0\nstorage: {journal: {commit_every: 200ms}, iceberg: {publish_every: 1s}}\n"
ORDERS = """tables:
  - name: orders
    source: {name: shop, stream: public.orders}
    primary_key: [id]
    on_new_field: %s
    columns:
      - {name: id, data_type: bigint}
      - {name: amount, data_type: "decimal(18,2)"}
"""
SHOP = "sources:\n  - {name: shop, debezium: {file: shop.jsonl}}\n"


def order(number, amount="1.50", op="c", lsn=None, **more):
    row = {"id": number, "amount": amount, **more}
    lsn = lsn or 1000 + number
    return {"op": op, "before": row if op == "d" else None, "after": None if op == "d" else row, "ts_ms": int(time.time() * 1000),
            "source": {"connector": "postgresql", "schema": "public", "table": "orders", "lsn": lsn, "txId": lsn, "sequence": f'["{lsn}","{lsn}"]',
                       "ts_ms": int(time.time() * 1000), "snapshot": "false"}}


def shop(extra="", new_field="quarantine"):
    return warehouse({"nanohouse.yaml": TOP + extra + SHOP + ORDERS % new_field, "shop.jsonl": ""})


def count(w):
    return w.rows("SELECT count(*) AS n FROM orders")[0]["n"]


def what_is_written_appears_within_seconds():
    with shop() as w:
        w.append("shop.jsonl", *(order(n) for n in range(5)))
        w.start()
        w.wait_for(lambda: count(w) == 5, "the first rows")
        for n in range(5, 15):
            w.append("shop.jsonl", order(n))
            time.sleep(0.1)
        w.wait_for(lambda: count(w) == 15, "rows that came later", 10)
        w.append("shop.jsonl", order(3, op="d", lsn=5000), order(4, "9.99", op="u", lsn=5001))
        w.wait_for(lambda: w.rows("SELECT count(*) AS n, sum(amount) AS s FROM orders") == [{"n": 14, "s": 29.49}], "changes", 10)
        assert w.source("shop")["state"] == "running"
        w.stop()
        assert w.json("status")["runs"][0]["state"] == "ok"


def the_last_transaction_of_a_file_waits_until_it_rests():
    with shop() as w:
        w.append("shop.jsonl", order(1, lsn=7), order(2, lsn=7))
        w.start()
        w.wait_for(lambda: count(w) == 2, "the transaction", 10)
        w.stop()


def a_stop_lands_what_was_received_and_a_second_one_loses_nothing():
    with shop() as w:
        w.append("shop.jsonl", *(order(n) for n in range(20000)))
        w.start()
        w.wait_for(lambda: w.source("shop")["read"]["records"] > 0, "it reads")
        took = w.stop()
        first = count(w)
        w.start()
        w.signal(signal.SIGTERM)
        w.signal(signal.SIGTERM)
        w.process.wait(5)
        w.start()
        w.wait_for(lambda: count(w) == 20000, "all rows once")
        w.stop()
        assert w.rows("SELECT count(*) AS n, count(DISTINCT id) AS d FROM orders") == [{"n": 20000, "d": 20000}], (took, first)


def a_kill_at_any_time_loses_and_doubles_nothing():
    with shop(ORDERS and "") as w:
        w.append("shop.jsonl", *(order(n) for n in range(500)))
        for round_ in range(6):
            w.start()
            w.append("shop.jsonl", *(order(500 + round_ * 300 + n) for n in range(300)))
            time.sleep(0.3 + 0.25 * round_)
            w.kill()
        w.start()
        w.wait_for(lambda: count(w) == 2300, "all rows")
        w.stop()
        assert w.rows("SELECT count(DISTINCT id) AS d FROM orders") == [{"d": 2300}]
        w.command("doctor")


def a_source_that_needs_a_person_waits_and_the_others_go_on():
    other = "  - {name: other, debezium: {file: other.jsonl}}\n"
    table = "  - {name: more, source: {name: other, stream: public.orders}, primary_key: [id], columns: [{name: id, data_type: bigint}, {name: amount, data_type: string}]}\n"
    with warehouse({"nanohouse.yaml": TOP + SHOP + other + ORDERS % "fail" + table, "shop.jsonl": "", "other.jsonl": ""}) as w:
        w.append("shop.jsonl", order(1))
        w.append("other.jsonl", order(1))
        w.start()
        w.wait_for(lambda: count(w) == 1, "the first row")
        w.append("shop.jsonl", order(2, colour="red"))
        failed = w.wait_for_state("shop", "failed")
        assert "colour" in failed["reason"] and "source restart shop" in failed["hint"], failed
        w.append("other.jsonl", order(2))
        w.wait_for(lambda: w.rows("SELECT count(*) AS n FROM more") == [{"n": 2}], "the other source")
        status = w.json("status")
        assert [source["state"] for source in status["sources"]] == ["running", "failed"], status["sources"]
        # Mended: the field is taken, and the source tried again.
        w.write("nanohouse.yaml", TOP.replace("1.0.0", "1.1.0") + SHOP + other + ORDERS % "ignore" + table)
        w.command("reload")
        w.wait_for(lambda: count(w) == 2, "the row that waited")
        assert w.source("shop")["state"] == "running"
        w.stop()


def a_file_that_is_not_there_is_waited_for():
    with shop() as w:
        (w.folder / "shop.jsonl").unlink()
        w.start()
        waiting = w.wait_for_state("shop", "backoff")
        assert waiting["reason"], waiting
        w.append("shop.jsonl", order(1))
        w.wait_for(lambda: count(w) == 1, "its row", 90)
        w.stop()


def sources_are_told_to_stop_and_start():
    with shop() as w:
        assert w.source("shop")["state"] == "stopped"
        w.command("source", "stop", "shop", expect=3)
        w.start()
        w.append("shop.jsonl", order(1))
        w.wait_for(lambda: count(w) == 1, "a row")
        w.command("source", "stop", "shop")
        assert w.source("shop")["state"] == "stopped"
        w.append("shop.jsonl", order(2))
        time.sleep(1)
        assert count(w) == 1
        w.command("source", "start", "shop")
        w.command("source", "start", "shop")
        w.wait_for(lambda: count(w) == 2, "the row that waited")
        w.command("source", "restart", "shop")
        w.append("shop.jsonl", order(3))
        w.wait_for(lambda: count(w) == 3, "a row after the restart")
        assert "no source" in w.command("source", "stop", "nobody", expect=3)
        w.stop()


def commands_go_to_the_running_warehouse():
    with shop() as w:
        w.append("shop.jsonl", order(1), order(2, amount="much"))
        w.start()
        w.wait_for(lambda: w.rows("SELECT count(*) AS n FROM nanohouse.quarantine") == [{"n": 1}], "a value in quarantine")
        assert "writes" in w.command("ingest", expect=3)
        # A new column, by apply; v1 goes on.
        w.write("nanohouse.yaml", (TOP + SHOP + ORDERS % "quarantine").replace("1.0.0", "1.1.0") + "      - {name: note, data_type: string}\n")
        assert "changed  orders" in w.command("apply", "--yes")
        assert "nothing to do" in w.command("apply", "--yes")
        w.append("shop.jsonl", order(3, note="new"))
        w.wait_for(lambda: w.rows("SELECT note FROM orders WHERE id = 3") == [{"note": "new"}], "the new column")
        # What breaks is refused, and everything goes on.
        w.write("nanohouse.yaml", (TOP + SHOP + ORDERS % "quarantine").replace("bigint", "string"))
        w.command("reload", expect=1)
        retried = w.json("quarantine", "retry", "--all")
        assert (retried["landed"], retried["stays"]) == (0, 1), retried
        published = w.json("publish")
        assert published["names"]["orders"].endswith(".metadata.json"), published
        w.append("shop.jsonl", order(4))
        w.wait_for(lambda: w.rows("SELECT count(*) AS n FROM orders WHERE id = 4") == [{"n": 1}], "a row after all that")
        w.stop()


def a_hangup_reloads():
    with shop() as w:
        w.append("shop.jsonl", order(1))
        w.start()
        w.wait_for(lambda: count(w) == 1, "a row")
        w.write("nanohouse.yaml", (TOP + SHOP + ORDERS % "quarantine").replace("1.0.0", "1.1.0") + "      - {name: note, data_type: string}\n")
        w.signal(signal.SIGHUP)
        w.wait_for(lambda: any(line["message"] == "applied" for line in w.logged()), "it says that it applied", 10)
        w.append("shop.jsonl", order(2, note="x"))
        w.wait_for(lambda: w.rows("SELECT note FROM orders WHERE id = 2") == [{"note": "x"}], "the new column")
        w.stop()


def a_full_disk_pauses_the_sources():
    with shop() as w:
        w.write("nanohouse.yaml", TOP.replace("storage: {", "storage: {keep_free: 900TB, ") + SHOP + ORDERS % "quarantine")
        w.append("shop.jsonl", order(1))
        w.start()
        paused = w.wait_for_state("shop", "paused")
        assert "keep_free" in paused["reason"], paused
        w.write("nanohouse.yaml", TOP.replace("storage: {", "storage: {keep_free: 1MB, ") + SHOP + ORDERS % "quarantine")
        w.command("reload")
        w.wait_for(lambda: count(w) == 1, "the row, once there is room")
        assert w.source("shop")["state"] == "running"
        w.stop()


def get(address, path, token=None):
    request = urllib.request.Request(f"http://{address}{path}", headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def health_and_metrics_are_served():
    with shop("serve: {http: {listen: \"127.0.0.1:0\"}}\n", "fail") as w:
        w.append("shop.jsonl", order(1), order(2), order(3, "much"))
        w.start()
        w.wait_for(lambda: w.rows("SELECT count(*) AS n FROM nanohouse.quarantine") == [{"n": 1}], "rows, and a value in quarantine")
        at = w.address()
        assert get(at, "/healthz") == (200, "ok\n")
        assert get(at, "/readyz") == (200, "ok\n")
        assert get(at, "/nothing")[0] == 404
        status, text = get(at, "/metrics")
        assert status == 200
        for line in ('nanohouse_source_state{source="shop",state="running"} 1', 'nanohouse_table_rows_total{table="orders"} 2', 'nanohouse_table_rows{table="orders"} 2',
                     'nanohouse_table_quarantined_total{table="orders"} 1', 'nanohouse_source_lag_records{source="shop"} 0'):
            assert line in text, f"{line} is not in the metrics: {text[:2000]}"
        page = (ROOT / "docs/reference/metrics.md").read_text()
        has, said = set(re.findall(r"^# TYPE (\S+)", text, re.M)), set(re.findall(r"^\| `(\w+)`", page, re.M))
        assert has == said, f"not in the page: {sorted(has - said)}; not in the program: {sorted(said - has)}"
        promtool = shutil.which("promtool")
        assert promtool, "promtool is not installed"
        checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        w.append("shop.jsonl", order(4, colour="red"))
        w.wait_for_state("shop", "failed")
        status, text = get(at, "/readyz")
        assert status == 503 and "colour" in text, (status, text)
        assert get(at, "/healthz")[0] == 200
        w.stop()


def off_loopback_there_is_a_token_or_nothing():
    with shop("serve: {http: {listen: \"0.0.0.0:0\"}}\n") as w:
        assert "token" in w.command("check", expect=1)
    with shop("serve: {http: {listen: \"0.0.0.0:0\", token: \"${file:token}\"}}\n") as w:
        w.write("nanohouse.yaml", (w.folder / "nanohouse.yaml").read_text().replace("file:token", f"file:{w.folder}/token"))
        w.write("token", "s3cret")
        w.start()
        at = w.address().replace("0.0.0.0", "127.0.0.1")
        assert get(at, "/healthz")[0] == 200
        assert get(at, "/metrics")[0] == 401
        assert get(at, "/metrics", "wrong")[0] == 401
        assert get(at, "/metrics", "s3cret")[0] == 200
        w.stop()
        assert "s3cret" not in w.log.read_text()


def a_tap_runs_as_often_as_it_says():
    tap = """#!/bin/sh
n=$(cat count 2>/dev/null || echo 0); n=$((n + 1)); echo $n > count
state=0; while [ $# -gt 0 ]; do [ "$1" = --state ] && state=$(tr -dc 0-9 < "$2"); shift; done
echo '{"type":"SCHEMA","stream":"ticks","key_properties":["id"],"schema":{"properties":{"id":{"type":"integer"},"from":{"type":"integer"}}}}'
echo "{\\"type\\":\\"RECORD\\",\\"stream\\":\\"ticks\\",\\"record\\":{\\"id\\":$n,\\"from\\":$state}}"
echo "{\\"type\\":\\"STATE\\",\\"value\\":{\\"n\\":$n}}"
[ $n = 3 ] && { echo "it broke" >&2; exit 1; }
exit 0
"""
    with warehouse({"nanohouse.yaml": TOP + "sources:\n  - {name: ticker, singer: {tap: ./tap, every: 1s}}\ntables:\n  - {name: ticks, source: {name: ticker, stream: ticks}}\n", "tap": tap}) as w:
        (w.folder / "tap").chmod(0o755)
        w.start()
        w.wait_for(lambda: w.rows("SELECT count(*) AS n FROM ticks")[0]["n"] >= 5, "five runs of the tap", 60)
        rows = w.rows('SELECT id, "from" FROM ticks ORDER BY id')
        assert all(row["from"] == row["id"] - 1 for row in rows), f"each run goes on from the last STATE: {rows}"
        assert any("it broke" in json.dumps(line) or line.get("state") == "backoff" for line in w.logged()), "its failure is logged"
        w.stop()


def only_one_runs():
    with shop() as w:
        w.start()
        again = subprocess.run([w.process.args[0], "-C", str(w.folder), "run"], capture_output=True, text=True, timeout=60)
        assert again.returncode == 3 and "writes" in again.stderr, again
        assert (w.folder / "data/run.sock").exists()
        w.command("source", "list")
        w.stop()
        assert not (w.folder / "data/run.sock").exists()


if __name__ == "__main__":
    tests = [what_is_written_appears_within_seconds, the_last_transaction_of_a_file_waits_until_it_rests, a_stop_lands_what_was_received_and_a_second_one_loses_nothing,
             a_kill_at_any_time_loses_and_doubles_nothing, a_source_that_needs_a_person_waits_and_the_others_go_on, a_file_that_is_not_there_is_waited_for,
             sources_are_told_to_stop_and_start, commands_go_to_the_running_warehouse, a_hangup_reloads, a_full_disk_pauses_the_sources,
             health_and_metrics_are_served, off_loopback_there_is_a_token_or_nothing, a_tap_runs_as_often_as_it_says, only_one_runs]
    sys.exit(run_all([test for test in tests if not sys.argv[1:] or test.__name__ in sys.argv[1:]]))
