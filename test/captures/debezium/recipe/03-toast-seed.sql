-- Run after 01-schema-seed.sql, before the snapshot: one column of every type that can be stored out of line, none of
-- it compressed, so that an update of `n` leaves all of them unsent.
CREATE TABLE inv.toasted (
  id int PRIMARY KEY, n int,
  t text, b bytea, j json, jb jsonb, x xml, num numeric, h hstore, vb varbit, e inv.mood[],
  text_a text[], int_a int[], big_a bigint[], num_a numeric(8,3)[], f8_a float8[], bool_a boolean[], uuid_a uuid[],
  date_a date[], ts_a timestamp[], tstz_a timestamptz[], bytea_a bytea[], jsonb_a jsonb[], varchar_a varchar(40)[]
);
DO $$
DECLARE c record;
BEGIN
  FOR c IN SELECT attname FROM pg_attribute WHERE attrelid = 'inv.toasted'::regclass AND attnum > 2 AND attstorage <> 'p' LOOP
    EXECUTE format('ALTER TABLE inv.toasted ALTER COLUMN %I SET STORAGE EXTERNAL', c.attname);
  END LOOP;
END $$;
INSERT INTO inv.toasted
SELECT 1, 1, s, decode(repeat('ab', 3000), 'hex'), to_json(s), to_jsonb(s), ('<x>' || s || '</x>')::xml, repeat('7', 9000)::numeric,
  hstore('k', s), repeat('10', 12000)::varbit, array_fill('ok'::inv.mood, ARRAY[800]),
  array_fill('abcdefgh'::text, ARRAY[400]), array_fill(7, ARRAY[800]), array_fill(7::bigint, ARRAY[800]), array_fill(1.5::numeric(8,3), ARRAY[400]),
  array_fill(1.5::float8, ARRAY[800]), array_fill(true, ARRAY[3000]), array_fill('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, ARRAY[400]),
  array_fill('2024-02-29'::date, ARRAY[800]), array_fill('2024-02-29 12:34:56.789'::timestamp, ARRAY[800]),
  array_fill('2024-02-29 12:34:56.789+00'::timestamptz, ARRAY[800]), array_fill('\x616263'::bytea, ARRAY[400]),
  array_fill('{"a":1}'::jsonb, ARRAY[400]), array_fill('abcdefgh'::varchar(40), ARRAY[400])
FROM (SELECT repeat('long text ', 600) AS s) AS text;
