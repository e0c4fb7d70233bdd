-- What happens to them while they are read.
SET client_min_messages = warning;
INSERT INTO inv.all_types SELECT * FROM inv.extremes(100);
-- unchanged values that were moved out of line, under the default identity
UPDATE inv.all_types SET c_int = c_int - 1 WHERE id IN (1, 101);
UPDATE inv.all_types SET c_big = repeat('Z', 5000) WHERE id = 101;
UPDATE inv.all_types SET c_text = '__debezium_unavailable_value' WHERE id = 103;
UPDATE inv.all_types SET c_int = c_int WHERE id = 2;
-- another key, with an unchanged value
UPDATE inv.all_types SET id = 201 WHERE id = 101;
DELETE FROM inv.all_types WHERE id = 102;
-- the whole row as identity
UPDATE inv.order_lines SET qty = 99 WHERE order_id = 1 AND line_no = 1;
UPDATE inv.order_lines SET line_no = 9 WHERE order_id = 1 AND line_no = 2;
DELETE FROM inv.order_lines WHERE order_id = 3 AND line_no = 3;
BEGIN;
DELETE FROM inv.order_lines WHERE order_id = 2 AND line_no = 1;
INSERT INTO inv.order_lines VALUES (2, 1, 'SKU-re', 7, 0.10, 'again');
UPDATE inv.order_lines SET qty = 8 WHERE order_id = 2 AND line_no = 1;
COMMIT;
-- two rows change places in one transaction
BEGIN;
UPDATE inv.order_lines SET order_id = 77 WHERE order_id = 2 AND line_no = 2;
UPDATE inv.order_lines SET order_id = 2, line_no = 2 WHERE order_id = 2 AND line_no = 3;
UPDATE inv.order_lines SET order_id = 2, line_no = 3 WHERE order_id = 77 AND line_no = 2;
COMMIT;
BEGIN; INSERT INTO inv.order_lines VALUES (500, 1, 'ROLLED', 1, 1, NULL); ROLLBACK;
BEGIN; INSERT INTO inv.order_lines VALUES (501, 1, 'KEEP', 1, 1, NULL); SAVEPOINT s; INSERT INTO inv.order_lines VALUES (502, 1, 'DROPPED', 1, 1, NULL); ROLLBACK TO s; INSERT INTO inv.order_lines VALUES (503, 1, 'KEEP2', 1, 1, NULL); COMMIT;
-- rows without a key: one of two that are equal
UPDATE inv.events_full SET kind = 'a2' WHERE ctid = (SELECT min(ctid) FROM inv.events_full);
DELETE FROM inv.events_full WHERE kind = 'b';
INSERT INTO inv.events_full VALUES ('2024-01-03 00:00:00+00', 'c', '{"n":3}'), ('2024-01-03 00:00:00+00', 'c', '{"n":3}');
-- an index as identity
UPDATE inv.uniq_ident SET v = 20 WHERE code = 'y';
UPDATE inv.uniq_ident SET code = 'z' WHERE code = 'x';
DELETE FROM inv.uniq_ident WHERE code = 'y';
INSERT INTO inv.only_added VALUES (2, 'two');
-- partitions
INSERT INTO inv.parted VALUES (3, '2025-07-01', 'p3');
UPDATE inv.parted SET d = '2026-07-01' WHERE id = 3;
UPDATE inv."Weird Table" SET "Mixed Case" = 'changed' WHERE "Id" = 1;
INSERT INTO inv."Weird Table" ("Id", "Mixed Case") VALUES (2, 'two');
TRUNCATE inv.trunc_me CASCADE;
INSERT INTO inv.trunc_me VALUES (4, 'after truncate');
-- a transaction that is streamed before its commit, with a part that is rolled back, beside others
BEGIN;
INSERT INTO inv.trunc_me SELECT g, repeat('bulk ' || g, 10) FROM generate_series(1000, 5000) g;
SAVEPOINT s;
INSERT INTO inv.trunc_me SELECT g, repeat('gone ' || g, 10) FROM generate_series(6000, 9000) g;
ROLLBACK TO s;
UPDATE inv.trunc_me SET v = v || '!' WHERE id BETWEEN 1000 AND 1500;
DELETE FROM inv.trunc_me WHERE id BETWEEN 4900 AND 5000;
COMMIT;
BEGIN; INSERT INTO inv.trunc_me SELECT g, repeat('never', 20) FROM generate_series(10000, 14000) g; ROLLBACK;
