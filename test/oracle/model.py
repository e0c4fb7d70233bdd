# SPDX-License-Identifier: Apache-2.0
"""Random histories of one table at its source, as Debezium or a tap says them, and what docs/reference/modes.md says that they become.
Nothing here looks at the program: what a table must hold is worked out from the changes alone, one by one."""
import json

UNSENT = "__debezium_unavailable_value"
LONG = 40                     # a text that PostgreSQL may move out of line, so that a change of another column does not send it
TEXTS = ["", None, "a", "it's \"quoted\"", "ü€𝄞", "NULL", "line\nbreak", "\\N", "{}"]
START = 1767225600000


class Change:
    """One change of one table: `old` and `new` are (id, val, big); `kept`: columns of `new` that the source does not send again."""

    def __init__(self, op, time, old=None, new=None, kept=False, snapshot=False):
        self.op, self.time, self.old, self.new, self.kept, self.snapshot = op, time, old, new, kept, snapshot
        self.other = None     # of the halves of a key change the id of the other one

    def image(self, row, full=True):
        if row is None:
            return None
        if not full:
            return {"id": row[0], "val": None, "big": None}
        return {"id": row[0], "val": row[1], "big": UNSENT if self.kept and row is self.new else row[2]}


class Table:
    """A table of the source, and its changes so far."""

    def __init__(self, name, mode, deletes, keyed, draw):
        self.name, self.mode, self.deletes, self.keyed, self.draw = name, mode, deletes, keyed, draw
        self.rows, self.changes, self.next_key = {}, [], 100

    def text(self):
        if self.draw.random() < 0.4:
            return "".join(self.draw.choice("abcdefgh ü'") for _ in range(LONG + self.draw.randrange(40)))
        return UNSENT if self.draw.random() < 0.03 and self.keyed and self.mode != "append" else self.draw.choice(TEXTS)

    def value(self):
        return None if self.draw.random() < 0.1 else f"{self.draw.randrange(-10**9, 10**9) / 100:.2f}"

    def snapshot(self, time):
        for key in self.draw.sample(range(12), self.draw.randrange(1, 8)):
            self.rows[key] = (key, self.value(), self.text())
            self.changes.append(Change("r", time, new=self.rows[key], snapshot=True))

    def step(self, time):
        """One more change, or two where a key changes; returns them."""
        draw, before = self.draw, len(self.changes)
        key, what = draw.randrange(12), draw.random()
        row = self.rows.get(key)
        if what < 0.02:
            self.changes.append(Change("t", time))
            self.rows.clear()
        elif row is None:
            self.rows[key] = (key, self.value(), self.text())
            self.changes.append(Change("c", time, new=self.rows[key]))
        elif what < 0.2:
            self.changes.append(Change("d", time, old=row))
            del self.rows[key]
        elif what < 0.3 and self.keyed:
            target = draw.choice([k for k in range(14) if k not in self.rows] or [self.next_key])
            self.next_key += 1
            kept = self.is_long(row) and draw.random() < 0.5
            new = (target, self.value(), row[2] if kept else self.text())
            if not kept and new[2] == UNSENT:
                new = (target, new[1], None)
            gone, came = Change("d", time, old=row), Change("c", time, new=new, kept=kept)
            gone.other, came.other = target, key
            self.changes += [gone, came]
            del self.rows[key]
            self.rows[target] = new
        else:
            kept = self.keyed and self.is_long(row) and draw.random() < 0.5
            same = draw.random() < 0.1
            new = (key, row[1] if same else self.value(), row[2] if kept or same else self.text())
            if not kept and new[2] == UNSENT and self.is_long(row):      # the source could not be told from one that did not send it
                new = (key, new[1], None)
            self.changes.append(Change("u", time, old=row, new=new, kept=kept))
            self.rows[key] = new
        return self.changes[before:]

    @staticmethod
    def is_long(row):
        return row[2] is not None and len(row[2].encode()) > 20

    # --- what the table must hold

    def expected(self):
        if self.mode == "append":
            return self.events()
        if self.mode == "history":
            return self.states()
        return self.last() if self.keyed else self.bag()

    def last(self):
        rows = {}
        for c in self.changes:
            if c.new is not None:
                rows[c.new[0]] = (*c.new, None)
            elif self.deletes == "ignore":
                continue
            for key in list(rows) if c.op == "t" else [c.old[0]] if c.op == "d" else []:
                if self.deletes == "hard":
                    rows.pop(key, None)
                elif key in rows and rows[key][3] is None:
                    rows[key] = (*rows[key][:3], c.time)
        out = sorted(rows.values())
        return out if self.deletes == "soft" else [r[:3] for r in out]

    def bag(self):
        """Without a key: rows are told apart by their values only."""
        rows, gone = [], []
        for c in self.changes:
            if c.op == "t":
                if self.deletes == "ignore":
                    continue
                gone += [(*r, c.time) for r in rows]
                rows = []
                continue
            if c.old is not None and (c.op == "u" or self.deletes != "ignore"):
                rows.remove(c.old)
                if c.op == "d":
                    gone.append((*c.old, c.time))
            if c.new is not None:
                rows.append(c.new)
        rows = [(*r, None) for r in rows] + gone if self.deletes == "soft" else rows
        return sorted(rows, key=repr)

    def events(self):
        out = []
        for c in self.changes:
            if self.deletes == "ignore" and c.op in "dt":
                continue
            if c.op == "t":
                out.append(("t", None, None, None))
            elif c.op == "d":
                out.append(("d", c.old[0], None, None))
            elif not c.kept:
                out.append((c.op, *c.new))
        return out

    def states(self):
        told = {}
        for c in self.changes:
            if c.op in "dt" and self.deletes == "ignore":
                continue
            for key in list(told) if c.op == "t" else [c.old[0]] if c.op == "d" else [c.new[0]]:
                state = None if c.op in "dt" else c.new
                of_key = told.setdefault(key, [])
                if (of_key[-1][0] if of_key else None) != state:
                    of_key.append((state, c.time))
        out = []
        for of_key in told.values():
            for n, (state, time) in enumerate(of_key):
                until = of_key[n + 1][1] if n + 1 < len(of_key) else None
                if state is not None and until != time:
                    out.append((*state, time, until))
        return sorted(out, key=lambda r: (r[0], r[3]))

    def quarantined(self):
        """An event with a value that was not sent has no row to take it from in a table of events."""
        return sum(1 for c in self.changes if c.kept) if self.mode == "append" else 0

    def question(self, build):
        epoch = "epoch_ms({})".format
        table = f'lake.build."{build}"'
        if self.mode == "append":
            return f"SELECT _op, id, val, big FROM {table} ORDER BY _position"
        if self.mode == "history":
            return f"SELECT id, val, big, {epoch('valid_from')}, {epoch('valid_to')} FROM {table} ORDER BY id, valid_from"
        deleted = f", {epoch('_deleted_at')}" if self.deletes == "soft" else ""
        return f"SELECT id, val, big{deleted} FROM {table} ORDER BY id"

    def answer(self, rows):
        """Rows of text as those of expected()."""
        out = []
        for row in rows:
            row = list(row)
            for n in {"append": (1,), "history": (0, 3, 4)}.get(self.mode, (0, 3) if self.deletes == "soft" else (0,)):
                row[n] = None if row[n] is None else int(row[n])
            out.append(tuple(row))
        return out if self.keyed or self.mode == "append" else sorted(out, key=repr)

    def contract(self, source):
        key = "primary_key: [id], " if self.keyed and self.mode != "append" else ""
        return (f"  - {{name: {self.name}, source: {{name: {source}, stream: s.{self.name}}}, mode: {self.mode}, deletes: {self.deletes}, {key}columns: "
                '[{name: id, data_type: int}, {name: val, data_type: "decimal(12,2)"}, {name: big, data_type: string}]}\n')


class Source:
    """A Debezium source of some tables: transactions, each a list of messages as they go to one Kafka topic a table."""

    def __init__(self, name, tables, draw):
        self.name, self.tables, self.draw = name, tables, draw
        self.lsn, self.time, self.number, self.run = 1000, START, 1, 1
        self.said = []        # transactions: lists of (topic, key, payload, header)

    def message(self, table, change, commit):
        source = {"version": "3.6.0.Final", "connector": "postgresql", "name": "srv", "db": "d", "schema": "s", "table": table.name, "ts_ms": change.time,
                  "snapshot": "true" if change.snapshot else "false", "txId": self.number, "lsn": self.lsn,
                  "sequence": json.dumps([None if change.snapshot else str(commit), str(self.lsn)], separators=(",", ":"))}
        old = change.image(change.old, full=not table.keyed) if change.op != "u" or not table.keyed else None
        payload = {"before": old, "after": change.image(change.new), "op": change.op, "ts_ms": change.time + 5, "source": source}
        row = change.new or change.old
        key = {"id": row[0]} if row is not None and table.keyed else None
        header = None
        if change.other is not None:
            header = ("__debezium.newkey" if change.op == "d" else "__debezium.oldkey", json.dumps({"id": change.other}))
        return f"srv.s.{table.name}", key, payload, header

    def snapshot(self):
        messages = []
        for table in self.tables:
            table.snapshot(self.time)
            messages += [self.message(table, c, None) for c in table.changes]
        self.number += 1
        return [messages]

    def transaction(self):
        self.number += 1
        self.time += self.draw.choice([0, 1, 1, 1000, 86400000])
        commit, messages = self.lsn + 1, []
        for _ in range(self.draw.choice([1, 1, 2, 3, 8])):
            table = self.draw.choice(self.tables)
            self.lsn += 10
            for change in table.step(self.time):
                message = self.message(table, change, commit)
                messages.append(message)
                if change.op == "d" and table.keyed and self.draw.random() < 0.5:
                    messages.append((message[0], message[1], None, None))      # its tombstone
        self.said.append(messages)
        return messages

    def lines(self, messages):
        out = []
        for topic, key, payload, header in messages:
            headers = ["__debezium.context.runId", f"run-{self.run}"] + (list(header) if header else [])
            out.append(json.dumps({"topic": topic, "partition": 0, "key": key, "headers": headers, "payload": payload}, ensure_ascii=self.draw.random() < 0.5))
        return out

    def more(self, transactions):
        """Lines of further transactions; now and then the connector was started again, and says the last ones once more."""
        out = []
        if not self.said and self.draw.random() < 0.5:
            out += self.lines(self.snapshot()[0])
        for _ in range(transactions):
            if self.said and self.draw.random() < 0.06:
                self.run += 1
                for again in self.said[-self.draw.randrange(1, 8):]:
                    out += self.lines(again)
            out += self.lines(self.transaction())
        return out
