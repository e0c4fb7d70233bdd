-- Tables of every kind, and rows of every type with their extremes.
SET client_min_messages = warning;
CREATE EXTENSION hstore;
CREATE EXTENSION citext;
CREATE EXTENSION ltree;
CREATE SCHEMA inv;
CREATE TYPE inv.mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN inv.price AS numeric(12,2) CHECK (VALUE >= 0);
CREATE DOMAIN inv.tags AS text[];
CREATE TYPE inv.address AS (street text, number int, tags text[]);

CREATE TABLE inv.all_types (
  id bigint PRIMARY KEY,
  c_smallint smallint, c_int integer, c_bigint bigint, c_num_10_2 numeric(10,2), c_num_38_10 numeric(38,10), c_num_free numeric,
  c_real real, c_double double precision, c_money money, c_bool boolean,
  c_text text, c_varchar varchar(40), c_char char(8), c_bytea bytea,
  c_date date, c_time time, c_time3 time(3), c_timetz timetz, c_ts timestamp, c_ts3 timestamp(3), c_tstz timestamptz, c_interval interval,
  c_uuid uuid, c_json json, c_jsonb jsonb,
  c_int_arr int[], c_text_arr text[], c_num_arr numeric(8,3)[], c_tstz_arr timestamptz[],
  c_enum inv.mood, c_enum_arr inv.mood[], c_inet inet, c_cidr cidr, c_mac macaddr, c_hstore hstore, c_citext citext, c_ltree ltree, c_xml xml,
  c_bit bit(1), c_bits bit(5), c_varbit varbit(12), c_point point, c_box_arr box[],
  c_int4range int4range, c_tstzrange tstzrange, c_multi int4multirange,
  c_price inv.price, c_tags inv.tags, c_address inv.address, c_addresses inv.address[], c_oid oid, c_tsvector tsvector,
  c_big text
);
ALTER TABLE inv.all_types ALTER COLUMN c_big SET STORAGE EXTERNAL;

CREATE TABLE inv.order_lines (order_id int, line_no smallint, sku text NOT NULL, qty int DEFAULT 1, price numeric(10,2), note text, PRIMARY KEY (order_id, line_no));
ALTER TABLE inv.order_lines REPLICA IDENTITY FULL;
ALTER TABLE inv.order_lines ALTER COLUMN note SET STORAGE EXTERNAL;

CREATE TABLE inv.events_full (ts timestamptz, kind text, payload jsonb);
ALTER TABLE inv.events_full REPLICA IDENTITY FULL;

CREATE TABLE inv.uniq_ident (code text NOT NULL, v int);
CREATE UNIQUE INDEX uniq_ident_code ON inv.uniq_ident (code);
ALTER TABLE inv.uniq_ident REPLICA IDENTITY USING INDEX uniq_ident_code;

CREATE TABLE inv.only_added (id int PRIMARY KEY, v text);
ALTER TABLE inv.only_added REPLICA IDENTITY NOTHING;

CREATE TABLE inv.trunc_me (id int PRIMARY KEY, v text);
CREATE TABLE inv.trunc_child (id int PRIMARY KEY, pid int REFERENCES inv.trunc_me (id));

CREATE TABLE inv.parted (id int, d date, v text, PRIMARY KEY (id, d)) PARTITION BY RANGE (d);
CREATE TABLE inv.parted_2025 PARTITION OF inv.parted FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE inv.parted_2026 PARTITION OF inv.parted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

CREATE TABLE inv."Weird Table" ("Id" int PRIMARY KEY, "Mixed Case" text, "naïve-col" text, gen int GENERATED ALWAYS AS ("Id" * 2) STORED);

CREATE FUNCTION inv.extremes(first bigint) RETURNS SETOF inv.all_types LANGUAGE sql AS $$
SELECT (first + 1, 32767, 2147483647, 9223372036854775807, 12345678.90, 1234567890123456789012345678.0123456789, 3.14159265358979323846264338327950288, 1.5, 2.718281828459045, '$1,234.56', true,
  'plain text', 'varchar é', 'chr', '\xdeadbeef00ff', '2024-02-29', '12:34:56.789012', '12:34:56.789', '12:34:56.789012+02', '2024-02-29 12:34:56.789012', '2024-02-29 12:34:56.789', '2024-02-29 12:34:56.789012+02',
  '1 year 2 mons 3 days 04:05:06.789', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": 1,  "b":[1,2,{"c":null}]}', '{"b":[1,2,{"c":null}],"a":1.50}', '{1,2,NULL,4}', '{"a","b,c",NULL,"q\"x"}', '{1.000,2.5}', '{2024-01-01 00:00:00+00,NULL}', 'happy', '{happy,NULL,sad}',
  '192.168.1.10/24', '10.0.0.0/8', '08:00:2b:01:02:03', 'k1=>v1,k2=>NULL', 'MiXed', 'Top.Science.Stars', '<r a="1">x</r>', B'1', B'10101', B'110', '(1.5,-2.5)', '{(1,1),(0,0);(2,2),(1,1)}', '[1,10)', '[2024-01-01 00:00+00,2024-02-01 00:00+00)', '{[1,3),[5,7)}',
  12.50, '{x,"y z"}', '("Long, ""St"" \\",7,"{a,""b c""}")', '{"(a,1,{})",NULL}', 4294967295, '''a'':1 ''b'':2A', (SELECT string_agg(md5(g::text), '') FROM generate_series(1, 600) g))::inv.all_types
UNION ALL SELECT (first + 2, -32768, -2147483648, -9223372036854775808, -99999999.99, -0.0000000001, 'NaN', 'NaN', 'Infinity', '-$0.01', false,
  '', '', '', '', '0001-01-01', '00:00:00', '00:00:00', '00:00:00+00', '0001-01-01 00:00:00', '0001-01-01 00:00:00', '0001-01-01 00:00:00+00',
  '-1 mons -1 days -00:00:01', '00000000-0000-0000-0000-000000000000', 'null', 'null', '{}', '{}', '{}', '{}', 'sad', '{}',
  '::1', '::/0', 'ff:ff:ff:ff:ff:ff', '', '', '', '<e/>', B'0', B'00000', B'', '(0,0)', '{}', 'empty', 'empty', '{}', 0, '{}', '(,,)', '{}', 0, '', '')::inv.all_types
UNION ALL SELECT (jsonb_populate_record(NULL::inv.all_types, jsonb_build_object('id', first + 3)))
UNION ALL SELECT (first + 4, 0, 0, 0, 0, 0, 1e50, '-Infinity', '-Infinity', '0', false, E'multi\nline\ttab "quote" \\ back 漢字 😀 \x01', 'x', 'y', '\x00', '9999-12-31', '23:59:59.999999', '23:59:59.999', '23:59:59.999999-12', '9999-12-31 23:59:59.999999', '9999-12-31 23:59:59.999', '9999-12-31 23:59:59.999999+00',
  '178000000 years', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '[]', '[]', '[0:1]={8,9}', '{""}', '{0}', '{}', 'ok', NULL, '0.0.0.0', '0.0.0.0/0', '00:00:00:00:00:00', 'a=>b', NULL, NULL, '<a>漢</a>', B'1', B'11111', B'111111111111', '(1e10,1e-10)', NULL, '(,5)', '[,)', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'x')::inv.all_types
UNION ALL SELECT jsonb_populate_record(NULL::inv.all_types, jsonb_build_object('id', first + 5, 'c_date', 'infinity', 'c_time', '24:00:00', 'c_ts', 'infinity', 'c_tstz', 'infinity', 'c_num_free', 'Infinity', 'c_text', '__debezium_unavailable_value'))
UNION ALL SELECT jsonb_populate_record(NULL::inv.all_types, jsonb_build_object('id', first + 6, 'c_date', '-infinity', 'c_ts', '-infinity', 'c_tstz', '-infinity', 'c_num_free', '-Infinity', 'c_text', '{"__unchanged":true}'))
UNION ALL SELECT jsonb_populate_record(NULL::inv.all_types, jsonb_build_object('id', first + 7, 'c_date', '0044-03-15 BC', 'c_ts', '0044-03-15 00:00:00 BC', 'c_ts3', '1582-10-10 00:00:00', 'c_tstz', '0044-03-15 00:00:00+00 BC'))
$$;

INSERT INTO inv.all_types SELECT * FROM inv.extremes(0);
INSERT INTO inv.order_lines SELECT o, l, 'SKU-' || o || '-' || l, l * 2, (o * 10 + l)::numeric / 4, CASE WHEN l = 1 THEN repeat('n', 3000) END FROM generate_series(1, 3) o, generate_series(1, 3) l;
INSERT INTO inv.events_full VALUES ('2024-01-01 00:00:00+00', 'a', '{"n":1}'), ('2024-01-01 00:00:00+00', 'a', '{"n":1}'), ('2024-01-02 00:00:00+00', 'b', NULL);
INSERT INTO inv.uniq_ident VALUES ('x', 1), ('y', 2);
INSERT INTO inv.only_added VALUES (1, 'one');
INSERT INTO inv.trunc_me VALUES (1, 'a'), (2, 'b'), (3, 'c');
INSERT INTO inv.trunc_child VALUES (10, 1);
INSERT INTO inv.parted VALUES (1, '2025-06-01', 'p1'), (2, '2026-06-01', 'p2');
INSERT INTO inv."Weird Table" ("Id", "Mixed Case", "naïve-col") VALUES (1, 'Mc', 'ñ');
