// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <system_error>

#include "base/check.h"
#include "io/fault.h"
#include "io/files.h"
#include "lake/attach.h"
#include "lake/lake.h"

namespace nano::lake {
namespace {

namespace fs = std::filesystem;

/// Tables of our own in the lake: what must change together with data or names.
constexpr const char* kOurTables = R"sql(
CREATE SCHEMA IF NOT EXISTS lake.build;
CREATE SCHEMA IF NOT EXISTS lake.nanohouse;
CREATE TABLE IF NOT EXISTS lake.nanohouse.format(number INTEGER);
CREATE TABLE IF NOT EXISTS lake.nanohouse.position(source VARCHAR, lane VARCHAR, position BIGINT);
CREATE TABLE IF NOT EXISTS lake.nanohouse.source(name VARCHAR, number BIGINT);
CREATE TABLE IF NOT EXISTS lake.nanohouse.build(id VARCHAR, table_name VARCHAR, revision BIGINT, definition VARCHAR,
                                                created_at TIMESTAMPTZ);
CREATE TABLE IF NOT EXISTS lake.nanohouse.version(number INTEGER, name VARCHAR, build VARCHAR);
CREATE TABLE IF NOT EXISTS lake.nanohouse.bundle(version INTEGER, contract_version VARCHAR, files VARCHAR, applied_at TIMESTAMPTZ);
CREATE TABLE IF NOT EXISTS lake.nanohouse.stream(source VARCHAR, stream VARCHAR, facts VARCHAR);
CREATE TABLE IF NOT EXISTS lake.nanohouse.quarantine(
  source VARCHAR, position BIGINT, stream VARCHAR, table_name VARCHAR, build VARCHAR, "column" VARCHAR, value VARCHAR,
  reason VARCHAR, key BLOB, committed_at TIMESTAMPTZ, quarantined_at TIMESTAMPTZ);
INSERT INTO lake.nanohouse.format SELECT 1 WHERE NOT EXISTS (FROM lake.nanohouse.format);
)sql";

constexpr int kFormat = 1;
/// As many replaced rows of nanohouse.position are kept.
constexpr std::int64_t kOldPositions = 1000;

class LakeWriter final : public Writer {
 public:
  Status OpenAt(const Place& place, const WriterOptions& options) {
    place_ = place;
    TRY(io::MakeFolders(place.data, "lake.folder"));
    TRY(io::MakeFolders(place.catalog.parent_path(), "lake.folder"));
    TRY(io::MakeFolders(place.spill, "lake.folder"));
    engine::Options engine_options;
    engine_options.threads = options.threads;
    engine_options.memory_limit = options.memory_limit;
    engine_options.temp_directory = place.spill;
    engine_options.preserve_insertion_order = false;
    engine_options.extensions = {"sqlite_scanner", "ducklake"};
    ASSIGN(database_, engine::Database::Open(engine_options));
    ASSIGN(connection_, database_->Connect());
    TRY(connection_->Execute(AttachStatement(place, Access::kReadWrite)));
    TRY(connection_->Execute("BEGIN TRANSACTION"));  // one look at the catalog for all of it
    const auto ours = Look();
    TRY(connection_->Execute("COMMIT"));
    TRY(ours);
    if (settings_["data_path"] != place.data.string() + "/") TRY(MendDataPath());
    if (!*ours) TRY(MakeOurTables());
    const Status head = *ours ? Status() : ReadHead();
    TRY(SetOptions(options));
    TRY(head);
    return old_positions_ > kOldPositions ? DropOldPositions() : Status();
  }

  engine::Database& database() override { return *database_; }
  engine::Connection& connection() override { return *connection_; }
  const Cut& head() const override { return head_; }
  bool in_transaction() const override { return open_; }

  Status Begin() override {
    NANO_CHECK(!open_);
    TRY(connection_->Execute("BEGIN TRANSACTION"));
    open_ = true;
    pending_ = head_.sources;
    return {};
  }

  Status SetPosition(const std::string& source, Position end) override {
    NANO_CHECK(open_);
    pending_[source] = end;
    // Only added, as positions only grow; old ones go when the lake is opened.
    return connection_->Execute("INSERT INTO lake.nanohouse.position VALUES (?, 'main', ?)",
                                {source, static_cast<std::int64_t>(end.value)});
  }

  Status Commit(const std::string& message) override {
    NANO_CHECK(open_);
    nlohmann::json info = {{"positions", nlohmann::json::object()}};
    for (const auto& [source, position] : pending_) info["positions"][source] = position.value;
    Status status = connection_->Execute("CALL lake.set_commit_message('nanohouse', " + engine::Literal(message) +
                                         ", extra_info => " + engine::Literal(info.dump()) + ")");
    if (status) status = io::SyncFileSystem(place_.data, "lake.data");
    if (status) status = io::PassOrFail("lake.commit.before");
    if (!status) {
      Rollback();
      return status;
    }
    status = connection_->Execute("COMMIT");
    open_ = false;
    if (!status) {
      connection_->Execute("ROLLBACK").map_error([](const Error&) { return 0; });
      if (status.error().code == Code::kConflict || status.error().code == Code::kInvalid) return status;
      // The catalog may or may not have it: only the catalog can tell.
      const std::int64_t before = head_.snapshot;
      if (!ReadHead()) {
        status.error().code = Code::kOutcomeUnknown;
        return status;
      }
      if (head_.snapshot > before && head_.sources == pending_) return {};
      return status;
    }
    TRY(io::PassOrFail("lake.commit.after"));
    head_.sources = pending_;
    return ReadSnapshot();
  }

  void Rollback() override {
    if (!open_) return;
    connection_->Execute("ROLLBACK").map_error([](const Error&) { return 0; });
    open_ = false;
  }

  Result<std::int64_t> SourceNumber(const std::string& source) override {
    if (const auto at = numbers_.find(source); at != numbers_.end()) return at->second;
    ASSIGN(auto rows, connection_->Query("SELECT number FROM lake.nanohouse.source WHERE name = ?", {source}));
    std::int64_t number = 0;
    if (rows.empty()) {
      NANO_CHECK(open_);
      ASSIGN(const auto last, connection_->Query("SELECT coalesce(max(number), 0) FROM lake.nanohouse.source"));
      number = last.integer(0, 0) + 1;
      TRY(connection_->Execute("INSERT INTO lake.nanohouse.source VALUES (?, ?)", {source, number}));
      return number;  // remembered once it is committed and read again
    }
    number = rows.integer(0, 0);
    numbers_[source] = number;
    return number;
  }

 private:
  /// Reads DuckLake's settings and, if our tables are there already (true), their format and the head.
  Result<bool> Look() {
    ASSIGN(const auto rows, connection_->Query("SELECT key, value FROM __ducklake_metadata_lake.ducklake_metadata WHERE scope IS NULL"));
    for (std::size_t r = 0; r < rows.size(); ++r) settings_[rows.text(r, 0)] = rows.text(r, 1);
    ASSIGN(const auto ours, connection_->Query(
        "SELECT count(*) FROM __ducklake_metadata_lake.ducklake_table t JOIN __ducklake_metadata_lake.ducklake_schema s "
        "USING (schema_id) WHERE s.schema_name = 'nanohouse' AND t.table_name = 'quarantine' AND t.end_snapshot IS NULL"));
    if (ours.integer(0, 0) == 0) return false;
    TRY(CheckFormat());
    TRY(ReadHead());
    return true;
  }

  Status MendDataPath() {
    return connection_->Execute(
        "UPDATE __ducklake_metadata_lake.ducklake_metadata SET value = ? WHERE key = 'data_path' AND scope IS NULL",
        {place_.data.string() + "/"});
  }

  Status MakeOurTables() {
    TRY(connection_->Execute("BEGIN TRANSACTION"));
    Status made = connection_->Execute(kOurTables);
    if (made) made = io::SyncFileSystem(place_.data, "lake.data");
    if (made) made = connection_->Execute("COMMIT");
    if (!made) {
      connection_->Execute("ROLLBACK").map_error([](const Error&) { return 0; });
      return made;
    }
    // What changes with every commit is kept in the catalog itself, not as a file a commit.
    for (const char* table : {"position", "stream", "source", "build", "version", "bundle", "format"})
      TRY(connection_->Execute(std::string("CALL lake.set_option('data_inlining_row_limit', 100, schema => 'nanohouse', table_name => '") + table + "')"));
    return {};
  }

  Status CheckFormat() {
    ASSIGN(const auto format, connection_->Query("SELECT max(number) FROM lake.nanohouse.format"));
    if (format.integer(0, 0) > kFormat)
      return WithHint(Fail(Code::kUnsupported, "the lake has format {}, this program reads up to {}", format.integer(0, 0), kFormat),
                      "Use the newer program that wrote it.");
    return {};
  }

  Status SetOptions(const WriterOptions& options) {
    for (const auto& [option, value] : {std::pair<std::string, std::string>{"parquet_compression", options.compression},
                                        {"parquet_compression_level", options.compression == "zstd" ? "1" : ""},
                                        {"target_file_size", std::to_string(options.target_file_bytes)}}) {
      if (value.empty()) continue;
      if (settings_[option] == value) continue;
      const std::string spelled = option == "target_file_size" ? value + "B" : value;
      TRY(connection_->Execute("CALL lake.set_option(" + engine::Literal(option) + ", " + engine::Literal(spelled) + ")"));
    }
    return {};
  }

  Status DropOldPositions() {
    TRY(Begin());
    const Status dropped = connection_->Execute(
        "DELETE FROM lake.nanohouse.position AS p WHERE position < (SELECT max(position) FROM lake.nanohouse.position q "
        "WHERE q.source = p.source AND q.lane = p.lane)");
    if (!dropped) {
      Rollback();
      return dropped;
    }
    return Commit("upkeep");
  }

  Status ReadHead() {
    ASSIGN(const auto rows, connection_->Query("SELECT source, max(position), count(*) FROM lake.nanohouse.position WHERE lane = 'main' GROUP BY source"));
    head_.sources.clear();
    old_positions_ = 0;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      head_.sources[rows.text(r, 0)] = Position{static_cast<std::uint64_t>(rows.integer(r, 1))};
      old_positions_ += rows.integer(r, 2) - 1;
    }
    return ReadSnapshot();
  }

  Status ReadSnapshot() {
    ASSIGN(const auto rows, connection_->Query("SELECT max(snapshot_id) FROM __ducklake_metadata_lake.ducklake_snapshot"));
    head_.snapshot = rows.integer(0, 0);
    return {};
  }

  Place place_;
  std::unique_ptr<engine::Database> database_;
  std::unique_ptr<engine::Connection> connection_;
  std::map<std::string, std::string> settings_;   ///< DuckLake's, of the whole lake, as they were when it was opened
  Cut head_;
  std::map<std::string, Position> pending_;
  std::map<std::string, std::int64_t> numbers_;
  std::int64_t old_positions_ = 0;   ///< rows of nanohouse.position that newer ones replace
  bool open_ = false;
};

}  // namespace

Result<std::unique_ptr<Writer>> Writer::Open(const Place& place, const WriterOptions& options) {
  auto writer = std::make_unique<LakeWriter>();
  TRY(writer->OpenAt(place, options));
  return std::unique_ptr<Writer>(std::move(writer));
}

}  // namespace nano::lake
