#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# capture.sh WORK VARIANT…: captures real Debezium messages, one file WORK/VARIANT.jsonl each.
# WORK is a folder with lib/ (Debezium's engine and PostgreSQL connector, see README.md) and classes/.
# A PostgreSQL 15 with wal_level=logical must listen on 127.0.0.1:$PGPORT and let in user postgres.
set -euo pipefail
work=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
export PGHOST=127.0.0.1 PGPORT=${PGPORT:-38432} PGUSER=postgres PGOPTIONS='-c timezone=UTC'

settings() {
  case $1 in
    cloudevents*-noschemas) echo converter.json.schemas.enable=false ;;
    *-noschemas) echo converter.schemas.enable=false ;;
    *) echo converter.schemas.enable=true ;;
  esac
  case $1 in
    iso-double*) printf '%s\n' time.precision.mode=isostring decimal.handling.mode=double interval.handling.mode=string \
      binary.handling.mode=hex hstore.handling.mode=map ;;
    connecttime*) printf '%s\n' time.precision.mode=connect decimal.handling.mode=string binary.handling.mode=base64 ;;
    nanoseconds*) printf '%s\n' time.precision.mode=nanoseconds decimal.handling.mode=precise binary.handling.mode=base64-url-safe ;;
    microtime*) printf '%s\n' time.precision.mode=adaptive_time_microseconds decimal.handling.mode=string ;;
    *) echo decimal.handling.mode=string ;;
  esac
  case $1 in
    unwrap-fields*) printf '%s\n' transforms=unwrap transforms.unwrap.type=io.debezium.transforms.ExtractNewRecordState \
      transforms.unwrap.delete.tombstone.handling.mode=rewrite-with-tombstone transforms.unwrap.add.fields=op,table,lsn,source.ts_ms \
      transforms.unwrap.add.headers=op,source.txId ;;
    unwrap*) printf '%s\n' transforms=unwrap transforms.unwrap.type=io.debezium.transforms.ExtractNewRecordState \
      transforms.unwrap.delete.tombstone.handling.mode=rewrite-with-tombstone ;;
    *tx-noschemas) echo provide.transaction.metadata=true ;;
  esac
}

for variant in "$@"; do
  name=c_${variant//-/_}
  case $variant in
    cloudevents*) form=cloudevents ;;
    http-batch*) form=http-batch ;;
    *) form=kafka ;;
  esac
  psql -q -d postgres -c "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '$name'" >/dev/null
  psql -q -d postgres -c "DROP DATABASE IF EXISTS $name" -c "CREATE DATABASE $name" 2>/dev/null
  psql -q -v ON_ERROR_STOP=1 -d "$name" -f "$here/01-schema-seed.sql" -f "$here/03-toast-seed.sql" >/dev/null
  rm -f "$work/$variant.offsets"
  {
    printf '%s\n' name=capture connector.class=io.debezium.connector.postgresql.PostgresConnector \
      offset.storage=org.apache.kafka.connect.storage.FileOffsetBackingStore "offset.storage.file.filename=$work/$variant.offsets" \
      offset.flush.interval.ms=0 plugin.name=pgoutput "slot.name=$name" "publication.name=${name}_pub" "database.hostname=$PGHOST" \
      "database.port=$PGPORT" database.user=postgres database.password=x "database.dbname=$name" topic.prefix=srv \
      schema.include.list=inv skipped.operations=none
    settings "$variant"
  } >"$work/$variant.properties"
  java -Xmx256m -cp "$work/classes:$work/lib/*" Capture "$form" "$work/$variant.properties" "$work/$variant.jsonl" >"$work/$variant.log" 2>&1 &
  engine=$!
  until [ "$(psql -At -d "$name" -c "SELECT count(*) FROM pg_stat_replication s JOIN pg_replication_slots r ON s.pid = r.active_pid WHERE r.slot_name = '$name'")" = 1 ]; do
    kill -0 $engine
    sleep 0.3
  done
  sleep 1
  psql -q -v ON_ERROR_STOP=1 -d "$name" -f "$here/04-toast-stream.sql" -f "$here/02-stream.sql" >/dev/null
  wait $engine
  psql -q -d postgres -c "SELECT pg_drop_replication_slot('$name')" -c "DROP DATABASE $name" >/dev/null
  echo "$variant: $(wc -l <"$work/$variant.jsonl") lines"
done
