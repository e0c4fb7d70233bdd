// SPDX-License-Identifier: Apache-2.0
#include "lake/attach.h"

#include <fmt/format.h>

#include "lake/catalog_sql.h"
#include "lake/postgres_url.h"

namespace nano::lake {
namespace {

/// The secret of a session that has the server's address.
constexpr const char* kSecret = "nano_catalog";

/// What goes wrong at the server, without our words around it: those of the extensions repeat the whole address.
Error Plain(Error error) {
  for (const char* begin : {"connection to server", "could not translate host name", "FATAL:"})
    if (const std::size_t at = error.message.find(begin); at != std::string::npos) {
      error.message = "the catalog can't be reached: " + error.message.substr(at);
      error.message.erase(error.message.find_last_not_of(" \n\t") + 1);
      for (char& c : error.message)
        if (c == '\n' || c == '\t') c = ' ';
      error.code = Code::kUnavailable;
      break;
    }
  return error;
}

/// Makes the secret, and gives what else a connection needs as libpq's text.
Result<std::string> Prepare(engine::Connection& connection, const PostgresCatalog& catalog, const std::string& settings) {
  ASSIGN(const Secret resolved, catalog.url.Resolve());
  ASSIGN(PostgresUrl url, ParsePostgresUrl(resolved.Reveal()));
  std::string parts = "TYPE postgres";
  for (const auto& [name, value] : {std::pair{"HOST", &url.host}, {"PORT", &url.port}, {"USER", &url.user}, {"PASSWORD", &url.password}, {"DATABASE", &url.database}})
    if (!value->empty()) parts += fmt::format(", {} {}", name, engine::Literal(*value));
  if (!connection.Execute(fmt::format("CREATE OR REPLACE TEMPORARY SECRET {} ({})", kSecret, parts)))
    return Fail(Code::kInternal, "the catalog's address could not be handed to the engine");   // whose words may hold it
  url.parameters["options"] += fmt::format("{}-c search_path={} -c idle_session_timeout=0 -c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 "
                                           "-c tcp_keepalives_count=3{}", url.parameters["options"].empty() ? "" : " ", engine::Quote(catalog.schema), settings);
  if (!url.parameters.contains("application_name")) url.parameters["application_name"] = "nanohouse";
  return ConnectionText(url.parameters);
}

Status AttachPostgres(engine::Connection& connection, const PostgresCatalog& catalog, const std::string& options, Access access, std::int64_t epoch) {
  ASSIGN(const std::string text, Prepare(connection, catalog,
                                         access == Access::kReadOnly ? " -c default_transaction_read_only=on" : fmt::format(" -c nanohouse.epoch={}", epoch)));
  const Status attached = connection.Execute(fmt::format("ATTACH {} AS {} ({}, METADATA_SCHEMA {}, META_SCHEMA {}, META_SECRET {})", engine::Literal("ducklake:postgres:" + text),
                                                         kCatalog, options, engine::Literal(catalog.schema), engine::Literal(catalog.schema), engine::Literal(kSecret)));
  if (attached) return {};
  if (attached.error().message.find("creating a new DuckLake is explicitly disabled") != std::string::npos)
    return WithHint(Fail(Code::kNotFound, "the warehouse has no tables yet"), "Run `nanohouse apply` or `nanohouse ingest` first.");
  return tl::make_unexpected(Plain(attached.error()));
}

}  // namespace

std::vector<std::string> WithCatalogExtensions(const Place& place, std::vector<std::string> extensions) {
  if (place.postgres) extensions.insert(extensions.begin(), "postgres_scanner");
  return extensions;
}

Status Attach(engine::Connection& connection, const Place& place, Access access, std::optional<std::int64_t> snapshot, std::int64_t epoch) {
  std::string options = "DATA_PATH " + engine::Literal(place.data.string() + "/") + ", OVERRIDE_DATA_PATH true, DATA_INLINING_ROW_LIMIT 0";
  if (access == Access::kReadOnly) options += ", READ_ONLY";
  if (snapshot) options += ", SNAPSHOT_VERSION " + std::to_string(*snapshot);
  if (place.postgres) return AttachPostgres(connection, *place.postgres, options, access, epoch);
  return connection.Execute(fmt::format("ATTACH {} AS {} ({}, META_JOURNAL_MODE 'WAL', META_BUSY_TIMEOUT 5000)",
                                        engine::Literal("ducklake:sqlite:" + place.catalog.string()), kCatalog, options));
}

Status AttachServer(engine::Connection& connection, const PostgresCatalog& catalog, const std::string& name) {
  ASSIGN(const std::string text, Prepare(connection, catalog, ""));
  const Status attached = connection.Execute(fmt::format("ATTACH {} AS {} (TYPE postgres, SECRET {}, SCHEMA {})", engine::Literal(text), name, kSecret,
                                                         engine::Literal(catalog.schema)));
  if (!attached) return tl::make_unexpected(Plain(attached.error()));
  return {};
}

Result<CatalogKind> CatalogKindOf(engine::Connection& connection) {
  ASSIGN(const auto rows, connection.Query("SELECT path FROM duckdb_databases() WHERE database_name = ?", {std::string(kCatalog)}));
  return !rows.empty() && rows.text(0, 0).starts_with("postgres:") ? CatalogKind::kPostgres : CatalogKind::kSqlite;
}

std::string BuildTable(const std::string& build) {
  return std::string(kCatalog) + ".build." + engine::Quote(build);
}

}  // namespace nano::lake
