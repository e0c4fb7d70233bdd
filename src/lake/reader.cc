// SPDX-License-Identifier: Apache-2.0
#include "lake/reader.h"

#include <cctype>
#include <nlohmann/json.hpp>
#include <system_error>

#include "lake/attach.h"
#include "wire/json_get.h"

namespace nano::lake {
namespace {

class LakeReader final : public Reader {
 public:
  Status OpenAt(const Place& place, const ReaderOptions& options) {
    std::error_code error;
    if (!place.postgres && !std::filesystem::exists(place.catalog, error))
      return WithHint(Fail(Code::kNotFound, "the warehouse has no tables yet"), "Run `nanohouse apply` or `nanohouse ingest` first.");
    engine::Options engine_options;
    engine_options.threads = options.threads;
    engine_options.memory_limit = options.memory_limit;
    engine_options.extensions = WithCatalogExtensions(place, engine_options.extensions);
    ASSIGN(database_, engine::Database::Open(engine_options));
    ASSIGN(connection_, database_->Connect());
    return Attach(*connection_, place, Access::kReadOnly, options.snapshot);
  }
  engine::Database& database() override { return *database_; }
  engine::Connection& connection() override { return *connection_; }

 private:
  std::unique_ptr<engine::Database> database_;
  std::unique_ptr<engine::Connection> connection_;
};

bool IsNumber(const std::string& text) {
  return !text.empty() && text.size() < 19 && text.find_first_not_of("0123456789") == std::string::npos;
}

Result<std::int64_t> Found(const engine::Rows& rows, const std::string& at) {
  if (rows.empty() || !rows.rows[0][0]) return Fail(Code::kNotFound, "no snapshot at \"{}\" is kept", at);
  return rows.integer(0, 0);
}

}  // namespace

Result<std::unique_ptr<Reader>> Reader::Open(const Place& place, const ReaderOptions& options) {
  auto reader = std::make_unique<LakeReader>();
  TRY(reader->OpenAt(place, options));
  return std::unique_ptr<Reader>(std::move(reader));
}

Result<std::int64_t> SnapshotAt(engine::Connection& connection, const std::string& at) {
  if (IsNumber(at)) {
    ASSIGN(const auto rows, connection.Query("SELECT snapshot_id FROM __ducklake_metadata_lake.ducklake_snapshot WHERE snapshot_id = ?",
                                             {static_cast<std::int64_t>(std::strtoll(at.c_str(), nullptr, 10))}));
    return Found(rows, at);
  }
  const auto colon = at.rfind(':');
  if (colon != std::string::npos && colon > 0 && IsNumber(at.substr(colon + 1))) {
    const std::string source = at.substr(0, colon);
    ASSIGN(const auto known, connection.Query("SELECT count(*) FROM lake.nanohouse.source WHERE name = ?", {source}));
    if (known.integer(0, 0) > 0) {
      const auto wanted = std::strtoull(at.c_str() + colon + 1, nullptr, 10);
      ASSIGN(const auto rows, connection.Query("SELECT snapshot_id, commit_extra_info FROM __ducklake_metadata_lake.ducklake_snapshot_changes "
                                               "WHERE commit_extra_info IS NOT NULL ORDER BY snapshot_id DESC"));
      for (std::size_t r = 0; r < rows.size(); ++r) {
        const auto info = nlohmann::json::parse(rows.text(r, 1), nullptr, false);
        if (info.is_discarded() || !info.contains("positions")) continue;
        if (wire::Get(info["positions"], source.c_str(), std::uint64_t{0}) <= wanted) return rows.integer(r, 0);
      }
      return Fail(Code::kNotFound, "no snapshot at \"{}\" is kept", at);
    }
  }
  ASSIGN(const auto time, connection.Query("SELECT try_cast(? AS TIMESTAMPTZ)::VARCHAR", {at}));
  if (!time.rows[0][0])
    return WithHint(Fail(Code::kInvalid, "\"{}\" is not a point in time, a snapshot or a source's position", at),
                    "Write a time (2024-05-01 10:00:00+02), a snapshot's number, or SOURCE:POSITION.");
  ASSIGN(const auto rows, connection.Query("SELECT max(snapshot_id) FROM __ducklake_metadata_lake.ducklake_snapshot "
                                           "WHERE snapshot_time::TIMESTAMPTZ <= ?::TIMESTAMPTZ", {at}));
  return Found(rows, at);
}

Result<Cut> CutOf(engine::Connection& connection, std::int64_t snapshot) {
  Cut cut{snapshot, {}};
  ASSIGN(const auto rows, connection.Query("SELECT commit_extra_info FROM __ducklake_metadata_lake.ducklake_snapshot_changes "
                                           "WHERE commit_extra_info IS NOT NULL AND snapshot_id <= ? ORDER BY snapshot_id DESC LIMIT 1",
                                           {snapshot}));
  if (rows.empty()) return cut;
  const auto info = nlohmann::json::parse(rows.text(0, 0), nullptr, false);
  if (info.is_object() && info.contains("positions"))
    for (const auto& [source, position] : info["positions"].items())
      if (position.is_number_unsigned()) cut.sources[source] = Position{position.get<std::uint64_t>()};
  return cut;
}

}  // namespace nano::lake
