-- What the messages in this folder are of: run in a new database of PostgreSQL 15 with wal_level=logical and
-- logical_decoding_work_mem=64kB, by psql -X -A -t -o messages.hex. One message of pgoutput a line, hexadecimal.
\set QUIET on
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE kinds (id bigint PRIMARY KEY, n numeric(10,2), b boolean, t text, x bytea, a int[], m mood, big text);
ALTER TABLE kinds ALTER COLUMN big SET STORAGE EXTERNAL;
CREATE TABLE whole (a int, b text);
ALTER TABLE whole REPLICA IDENTITY FULL;
CREATE TABLE coded (code text NOT NULL UNIQUE, v int);
ALTER TABLE coded REPLICA IDENTITY USING INDEX coded_code_key;
CREATE PUBLICATION all_of_it FOR ALL TABLES;
SELECT FROM pg_create_logical_replication_slot('seen', 'pgoutput');
INSERT INTO kinds VALUES (1, 12.50, true, E'tab\tand "quote"', '\xff00', '{1,NULL,3}', 'ok', repeat('z', 3000)), (2, NULL, false, NULL, NULL, '{}', NULL, NULL);
UPDATE kinds SET t = 'same big' WHERE id = 1;
UPDATE kinds SET id = 10 WHERE id = 1;
DELETE FROM kinds WHERE id = 2;
INSERT INTO whole VALUES (1, 'one'), (1, 'one');
UPDATE whole SET b = 'two' WHERE ctid = '(0,1)';
DELETE FROM whole WHERE b = 'one';
INSERT INTO coded VALUES ('x', 1);
UPDATE coded SET code = 'y' WHERE code = 'x';
SELECT FROM pg_logical_emit_message(true, 'nanohouse', 'in a transaction');
SELECT FROM pg_logical_emit_message(false, 'other', 'outside');
BEGIN;
INSERT INTO kinds (id, t) SELECT g, repeat('t', 20) FROM generate_series(100, 500) g;
SAVEPOINT s;
INSERT INTO kinds (id, t) SELECT g, repeat('u', 20) FROM generate_series(600, 1000) g;
ROLLBACK TO s;
INSERT INTO whole VALUES (7, 'seven');
COMMIT;
BEGIN;
INSERT INTO kinds (id, t) SELECT g, repeat('v', 20) FROM generate_series(2000, 2500) g;
ROLLBACK;
TRUNCATE kinds, whole RESTART IDENTITY CASCADE;
\set QUIET off
SELECT encode(data, 'hex') FROM pg_logical_slot_get_binary_changes('seen', NULL, NULL, 'proto_version', '2', 'publication_names', 'all_of_it', 'streaming', 'on', 'messages', 'true');
