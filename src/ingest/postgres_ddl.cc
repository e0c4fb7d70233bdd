// SPDX-License-Identifier: Apache-2.0
#include "ingest/postgres_ddl.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ingest/postgres_changes.h"
#include "wire/json_get.h"

namespace nano::ingest {
namespace {

/// Of the trigger's function; it stands in its comment.
constexpr std::string_view kForm = "nanohouse ddl 1";
constexpr std::string_view kMark = "ddl ";

/// Rows of partitions are those of the root. A column whose old rows have a value that was never written (atthasmissing) is new if
/// this transaction made it: then its row in the catalog is no older than the transaction.
constexpr std::string_view kSql = R"sql(CREATE SCHEMA IF NOT EXISTS nanohouse;
GRANT USAGE ON SCHEMA nanohouse TO PUBLIC;
CREATE OR REPLACE FUNCTION nanohouse.tell(changed oid, because text) RETURNS void LANGUAGE sql SET search_path = pg_catalog AS $nanohouse$
  SELECT pg_logical_emit_message(true, 'nanohouse', 'ddl ' || json_build_object('stream', n.nspname || '.' || c.relname, 'because', because))
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid = coalesce(pg_partition_root(changed), changed) AND c.relpersistence = 'p' AND c.relkind IN ('r', 'p')
$nanohouse$;
CREATE OR REPLACE FUNCTION nanohouse.tell_ddl() RETURNS event_trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $nanohouse$
DECLARE
  command record;
BEGIN
  IF tg_event = 'table_rewrite' THEN
    PERFORM nanohouse.tell(pg_event_trigger_table_rewrite_oid(), 'it was rewritten');
    RETURN;
  END IF;
  FOR command IN SELECT DISTINCT classid, objid FROM pg_event_trigger_ddl_commands() WHERE command_tag IN ('ALTER TABLE', 'ALTER TYPE') LOOP
    IF command.classid = 'pg_class'::regclass THEN
      PERFORM nanohouse.tell(command.objid, 'a new column has a default') WHERE EXISTS (
        SELECT FROM pg_attribute WHERE attrelid = command.objid AND attnum > 0 AND atthasmissing AND NOT attisdropped AND age(xmin) <= 0);
    ELSIF command.classid = 'pg_type'::regclass AND position('rename' IN lower(current_query())) > 0 THEN
      PERFORM nanohouse.tell(used.attrelid, 'a word of a type was renamed') FROM (
        SELECT DISTINCT a.attrelid FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        WHERE a.attnum > 0 AND NOT a.attisdropped AND command.objid IN (t.oid, t.typelem, t.typbasetype)) used;
    END IF;
  END LOOP;
END
$nanohouse$;
COMMENT ON FUNCTION nanohouse.tell_ddl() IS 'nanohouse ddl 1';
DROP EVENT TRIGGER IF EXISTS nanohouse_ddl;
CREATE EVENT TRIGGER nanohouse_ddl ON ddl_command_end WHEN TAG IN ('ALTER TABLE', 'ALTER TYPE') EXECUTE FUNCTION nanohouse.tell_ddl();
DROP EVENT TRIGGER IF EXISTS nanohouse_rewrite;
CREATE EVENT TRIGGER nanohouse_rewrite ON table_rewrite EXECUTE FUNCTION nanohouse.tell_ddl();
)sql";

}  // namespace

std::string DdlTriggerSql() { return std::string(kSql); }

Result<bool> HasDdlTrigger(io::Postgres& connection) {
  ASSIGN(const auto rows, connection.Query("SELECT count(*) FROM pg_event_trigger e JOIN pg_proc p ON p.oid = e.evtfoid JOIN pg_namespace n ON n.oid = p.pronamespace "
                                           "WHERE n.nspname = 'nanohouse' AND p.proname = 'tell_ddl' AND e.evtenabled <> 'D' AND obj_description(p.oid, 'pg_proc') = $1",
                                           {std::string(kForm)}));
  return rows.integer(0, 0) >= 2;
}

Status InstallDdlTrigger(io::Postgres& connection) {
  Status made = connection.Execute("BEGIN;" + DdlTriggerSql() + "COMMIT");
  if (!made) (void)connection.Execute("ROLLBACK");
  if (made || made.error().code != Code::kDenied) return made;
  return WithHint(Fail(Code::kDenied, "{}", made.error().message), "Only a superuser may make event triggers: have one run what `nanohouse doctor --ddl-trigger` prints.");
}

std::optional<DdlMark> ParseDdlMark(std::string_view mark) {
  if (!mark.starts_with(kMark)) return std::nullopt;
  const auto json = nlohmann::json::parse(mark.substr(kMark.size()), nullptr, false);
  if (!json.is_object()) return std::nullopt;
  DdlMark out{wire::Get(json, "stream", ""), wire::Get(json, "because", "")};
  return out.stream.empty() ? std::nullopt : std::optional(std::move(out));
}

}  // namespace nano::ingest
