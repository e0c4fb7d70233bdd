-- Run when the stream is on, before 02-stream.sql: nothing but `n` changes; then the key.
UPDATE inv.toasted SET n = 2 WHERE id = 1;
UPDATE inv.toasted SET id = 2 WHERE id = 1;
DELETE FROM inv.toasted WHERE id = 2;
