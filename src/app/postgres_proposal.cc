// SPDX-License-Identifier: Apache-2.0
#include "app/postgres_proposal.h"

#include <fmt/format.h>

#include <cctype>

#include "ingest/postgres_discover.h"

namespace nano::app {

bool IsPostgresUrl(const std::string& text) { return text.starts_with("postgresql://") || text.starts_with("postgres://"); }

Result<SeenDatabase> SeePostgres(const Secret& url, const contract::PostgresSource& source) {
  ASSIGN(const auto database, ingest::DescribeDatabase(url, source));
  SeenDatabase out;
  out.name = database.name;
  out.seen.kind = discover::StreamKind::kPostgres;
  for (const auto& table : database.tables) {
    discover::SeenStream& stream = out.seen.streams.emplace_back();
    stream.name = table.stream;
    stream.description = table.description;
    stream.key = table.key;
    for (const auto& column : table.columns) {
      stream.Declare(column.name, column.type);
      stream.field(column.name).description = column.description;
    }
    for (const auto& note : table.notes) out.seen.notes.push_back(fmt::format("{}: {}", table.stream, note));
  }
  return out;
}

discover::ProposedSource PostgresSourceOf(const std::string& name) {
  std::string variable;
  for (const char c : name) variable += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  discover::ProposedSource out;
  out.name = name;
  out.definition = fmt::format("postgres: {{url: \"${{env:{}_URL}}\"}}", variable);
  out.note = fmt::format("the database's URL is in the environment: export {}_URL=postgresql://…", variable);
  return out;
}

}  // namespace nano::app
