#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debezium Server's HTTP sink, as it posts: real captures posted as they were, by a sender that repeats what was not acknowledged,
while the warehouse is killed; what is refused, and who is let in."""
import gzip
import http.client
import json
import random
import sys
import threading
import time

from warehouse import ROOT, run_all, warehouse

CAPTURES = ROOT / "test/captures/debezium"
TOP = """nanohouse: 1
warehouse: posted
storage: {journal: {commit_every: 200ms}, iceberg: off}
serve: {http: {listen: "127.0.0.1:0"%s}}
"""
SHOP = """sources:
  - {name: shop, debezium: {http: /ingest/shop}}
tables:
  - {name: orders, source: {name: shop, stream: public.orders}, primary_key: [id], columns: [{name: id, data_type: bigint}, {name: amount, data_type: "decimal(18,2)"}]}
  - {name: events, source: {name: shop, stream: public.orders}, mode: append, columns: [{name: id, data_type: bigint}, {name: amount, data_type: "decimal(18,2)"}]}
"""


def order(number, amount="1.50", op="c", lsn=None, transaction=None):
    lsn = lsn or 1000 + number
    row = {"id": number, "amount": amount}
    return {"before": row if op == "d" else None, "after": None if op == "d" else row, "op": op, "ts_ms": int(time.time() * 1000),
            "source": {"connector": "postgresql", "schema": "public", "table": "orders", "lsn": lsn, "txId": transaction or lsn, "snapshot": "false",
                       "sequence": f'["{transaction or lsn}","{lsn}"]', "ts_ms": int(time.time() * 1000)}}


def shop(door="", tables=SHOP):
    return warehouse({"nanohouse.yaml": TOP % door + tables})


def rows_of(w, table):
    return w.rows(f'SELECT * FROM "{table}" ORDER BY ALL')


def post(w, body, path="/ingest/shop", headers=None, where=None):
    host, port = (where or w.address()).rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    try:
        connection.request("POST", path, body if isinstance(body, (bytes, str)) else json.dumps(body), {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def count(w, table="orders"):
    return w.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"]


def captured(name):
    """(headers, body) of each request that Debezium Server made."""
    with gzip.open(CAPTURES / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            request = json.loads(line)
            yield {k: v for k, v in request["headers"] if k.lower().startswith("x-debezium") or k.lower() == "content-type"}, request["body"].encode()


def what_is_posted_is_durable_and_lands():
    with shop() as w:
        w.start()
        where = w.address()
        for n in range(10):
            assert post(w, order(n), where=where)[0] == 200
        assert post(w, [order(n) for n in range(10, 20)], where=where) == (200, "10 taken\n")
        w.wait_for(lambda: (count(w), count(w, "events")) == (20, 20), "the rows", 15)
        assert post(w, order(3, op="d", lsn=5000), where=where)[0] == 200
        w.wait_for(lambda: (count(w), count(w, "events")) == (19, 21), "the delete", 15)
        assert w.source("shop")["read"]["records"] == 21
        # What was acknowledged is there, however it ends.
        assert post(w, order(99, lsn=6000), where=where)[0] == 200
        w.kill()
        w.command("ingest", "--quiet")
        assert (count(w), count(w, "events")) == (20, 22)


def what_is_sent_again_has_no_effect():
    with shop() as w:
        w.start()
        where = w.address()
        same = json.dumps(order(1, lsn=10))
        assert [post(w, same, where=where)[0] for _ in range(3)] == [200, 200, 200]
        # Several rows of one statement share their place, and each counts.
        together = [json.dumps(order(n, lsn=20)) for n in (2, 3, 4)]
        for body in together:
            assert post(w, body, where=where)[0] == 200
        assert post(w, together[-1], where=where)[0] == 200
        # Of a sender that names its posts, the name tells.
        named = {"webhook-id": "msg_1"}
        assert [post(w, {"id": 50}, headers=named, where=where)[0] for _ in range(2)] == [200, 200]
        w.kill()
        w.start()
        where = w.address()
        assert post(w, together[-1], where=where)[0] == 200
        assert post(w, {"id": 50}, headers=named, where=where)[0] == 200
        assert post(w, order(5, lsn=30), where=where)[0] == 200
        w.wait_for(lambda: count(w) == 5, "the rows", 15)
        assert count(w, "events") == 5, w.rows("SELECT id, count(*) AS n FROM events GROUP BY id HAVING count(*) > 1")
        kinds = w.rows("SELECT count(*) FILTER (replayed) AS again, count(*) AS n FROM journal.shop")[0]
        assert kinds == {"again": 4, "n": 10}, kinds
        w.stop()


def what_can_not_be_taken_is_refused_whole():
    with shop() as w:
        w.start()
        where = w.address()
        for body, why in (("{", "no JSON"), (b"\xff{}", "UTF-8"), ("[1]", "message 1 of the body is no object"), (f"[{json.dumps(order(1))},7]", "message 2")):
            status, text = post(w, body, where=where)
            assert status == 400 and why in text, (status, text)
        assert post(w, order(1), "/ingest/other", where=where)[0] == 404
        assert post(w, "", where=where) == (200, "0 taken\n")
        # JSON that is no message of Debezium's is kept, and told.
        assert post(w, {"hello": "world"}, where=where)[0] == 200
        assert post(w, order(1), where=where)[0] == 200
        w.wait_for(lambda: count(w) == 1, "the row", 15)
        w.command("source", "stop", "shop")
        status, text = post(w, order(2), where=where)
        assert status == 503 and "not read" in text, (status, text)
        w.command("source", "start", "shop")
        w.wait_for(lambda: post(w, order(2), where=where)[0] == 200, "it is read again", 15)
        w.wait_for(lambda: count(w) == 2, "the second row", 15)
        took = w.stop()
        assert took is None or took < 10, took


def without_its_token_nobody_posts():
    with shop(', token: "${file:token}"') as w:
        w.write("nanohouse.yaml", (w.folder / "nanohouse.yaml").read_text().replace("file:token", f"file:{w.folder}/token"))
        w.write("token", "s3cret-token")
        w.start()
        where = w.address()
        assert post(w, order(1), where=where)[0] == 401
        assert post(w, order(1), headers={"Authorization": "Bearer wrong"}, where=where)[0] == 401
        assert post(w, order(1), headers={"Authorization": "Bearer s3cret-token"}, where=where)[0] == 200
        w.wait_for(lambda: count(w) == 1, "the row", 15)
        w.stop()


def a_transaction_that_says_its_end_is_seen_whole():
    with shop() as w:
        w.start()
        where = w.address()
        begin = {"status": "BEGIN", "id": "7:100", "event_count": None, "data_collections": None, "ts_ms": 1}
        assert post(w, begin, where=where)[0] == 200
        for n in range(3):
            event = order(n, lsn=100 + n, transaction=7)
            event["transaction"] = {"id": "7:%d" % (100 + n), "total_order": n + 1, "data_collection_order": n + 1}
            assert post(w, event, where=where)[0] == 200
            time.sleep(0.8)
        time.sleep(1.5)
        assert count(w) == 0, "half of a transaction is seen"
        assert post(w, {"status": "END", "id": "7:103", "event_count": 3, "data_collections": [{"data_collection": "public.orders", "event_count": 3}], "ts_ms": 2}, where=where)[0] == 200
        w.wait_for(lambda: count(w) == 3, "the whole transaction", 15)
        w.stop()


def captures_posted_under_kills_are_as_from_a_file():
    """One sender that repeats what it was not told to be taken, as Debezium Server does, and the warehouse killed under it."""
    for name in ("http-string-noschemas", "tx-http-string-noschemas-txmeta", "http-batch-noschemas"):
        requests = list(captured(name))
        source = "sources:\n  - {name: shop, debezium: {%s}}\n"
        with warehouse({"nanohouse.yaml": TOP % "" + source % "file: all.jsonl"}) as plain:
            with open(plain.folder / "all.jsonl", "w", encoding="utf-8") as out:
                for headers, body in requests:
                    time.sleep(0.02)
                    out.write(json.dumps({"path": "/ingest", "headers": list(headers.items()), "body": body.decode()}, ensure_ascii=False) + "\n")
            plain.command("discover", "shop", "--write")
            files = {str(path.relative_to(plain.folder)): path.read_text().replace("file: all.jsonl", "http: /ingest") for path in plain.folder.rglob("*.yaml")}
            plain.command("ingest", "--quiet")
            expected = {table["name"]: rows_of(plain, table["name"]) for table in plain.json("status")["tables"]}
        assert sum(map(len, expected.values())) > 20, name
        with warehouse(files) as w:
            w.start()
            stop, failed = threading.Event(), []

            def send():
                where = [w.address()]
                for headers, body in requests:
                    time.sleep(0.02)
                    while not stop.is_set():
                        try:
                            status, text = post(w, body, "/ingest", headers, where[0])
                        except (OSError, http.client.HTTPException):
                            status, text = 503, "no answer"
                        if status == 200:
                            break
                        if status != 503:
                            failed.append((status, text))
                            return
                        time.sleep(0.05)
                        where[0] = w.last_address() or where[0]
            sender = threading.Thread(target=send)
            sender.start()
            kills = 0
            while sender.is_alive() and kills < 12:
                time.sleep(random.uniform(0.02, 0.3))
                w.kill()
                w.start()
                kills += 1
            sender.join(240)
            stop.set()
            assert not sender.is_alive() and not failed, failed[:1]
            w.wait_for(lambda: all(len(rows_of(w, t)) == len(rows) for t, rows in expected.items()), "all rows", 30)
            for table, rows in expected.items():
                found = rows_of(w, table)
                assert found == rows, (name, table, [r for r in rows if r not in found][:2], [r for r in found if r not in rows][:2])
            w.stop()
            print(f"{name}: {len(requests)} posts, {kills} kills, {sum(map(len, expected.values()))} rows", flush=True)


if __name__ == "__main__":
    sys.exit(run_all([what_is_posted_is_durable_and_lands, what_is_sent_again_has_no_effect, what_can_not_be_taken_is_refused_whole,
                      without_its_token_nobody_posts, a_transaction_that_says_its_end_is_seen_whole, captures_posted_under_kills_are_as_from_a_file]))
