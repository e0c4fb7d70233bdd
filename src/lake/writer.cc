// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "base/check.h"
#include "io/fault.h"
#include "io/files.h"
#include "lake/attach.h"
#include "lake/catalog_guard.h"
#include "lake/catalog_sql.h"
#include "lake/direct_writer.h"
#include "lake/kept_files.h"
#include "lake/lake.h"
#include "lake/lane.h"
#include "wire/json_get.h"

namespace nano::lake {
namespace {

namespace fs = std::filesystem;

/// Tables of our own in the lake: what must change together with data or names.
struct OurTable {
  const char* name;
  const char* columns;
  /// What changes with every commit is kept in the catalog itself, not as a file a commit.
  bool inlined;
};
constexpr OurTable kOurTables[] = {
    {"format", "number INTEGER", true},
    {"position", "source VARCHAR, lane VARCHAR, position BIGINT", true},
    {"source", "name VARCHAR, number BIGINT", true},
    {"build", "id VARCHAR, table_name VARCHAR, revision BIGINT, definition VARCHAR, created_at TIMESTAMPTZ", true},
    {"version", "number INTEGER, name VARCHAR, build VARCHAR", true},
    {"bundle", "version INTEGER, contract_version VARCHAR, files VARCHAR, applied_at TIMESTAMPTZ", true},
    {"stream", "source VARCHAR, stream VARCHAR, facts VARCHAR", true},
    {"quarantine",
     "source VARCHAR, position BIGINT, stream VARCHAR, table_name VARCHAR, build VARCHAR, \"column\" VARCHAR, value VARCHAR, "
     "reason VARCHAR, key BLOB, committed_at TIMESTAMPTZ, quarantined_at TIMESTAMPTZ", false},
};

std::vector<std::string> ColumnNames(std::string_view columns) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at < columns.size();) {
    const std::size_t end = std::min(columns.find(", ", at), columns.size());
    names.emplace_back(columns.substr(at, columns.find(' ', at) - at));
    at = end + 2;
  }
  return names;
}

/// `a VARCHAR, b BIGINT` as a relation without rows.
std::string NoRows(std::string_view columns) {
  std::string list;
  for (std::size_t at = 0; at < columns.size();) {
    const std::size_t end = std::min(columns.find(", ", at), columns.size());
    const std::string_view column = columns.substr(at, end - at);
    const std::size_t space = column.find(' ');
    list += fmt::format("{}NULL::{} AS {}", list.empty() ? "" : ", ", column.substr(space + 1), column.substr(0, space));
    at = end + 2;
  }
  return "(SELECT " + list + " WHERE false)";
}

/// The rows that stand in a table of the catalog's. PostgreSQL keeps texts as bytes there, and types that it has not as text.
std::string InlinedRows(const std::string& table, std::string_view columns, bool in_postgres) {
  std::string list;
  for (std::size_t at = 0; at < columns.size();) {
    const std::size_t end = std::min(columns.find(", ", at), columns.size());
    const std::string_view column = columns.substr(at, end - at), name = column.substr(0, column.find(' ')), type = column.substr(name.size() + 1);
    list += list.empty() ? "" : ", ";
    if (in_postgres && type == "VARCHAR") list += fmt::format("decode({}) AS {}", name, name);
    else if (in_postgres && type == "TIMESTAMPTZ") list += fmt::format("{}::TIMESTAMPTZ AS {}", name, name);
    else list += name;
    at = end + 2;
  }
  return fmt::format("(SELECT {} FROM {}.{} WHERE end_snapshot IS NULL)", list, kMetaDatabase, engine::Quote(table));
}

/// A file's time may be so much older than the clock said before it was written.
constexpr auto kClockStep = std::chrono::seconds(2);
constexpr int kFormat = 1;
/// As many replaced rows of nanohouse.position are kept.
constexpr std::int64_t kOldPositions = 1000;

/// The direct writer as a lane.
class DirectLane final : public Lane {
 public:
  explicit DirectLane(DirectWriter& direct) : direct_(direct) {}
  Status Apply(Writer&, const Build& build, const Staged& staged) override { return direct_.Apply(build, staged); }
  Result<std::string> RowsOf(Writer&, const Build& build, const std::string& keys) override { return direct_.RowsOf(build, keys); }

 private:
  DirectWriter& direct_;
};

class LakeWriter final : public Writer {
 public:
  ~LakeWriter() override {
    if (direct_) (void)direct_->Close();   // an index that could not be saved is made again
  }

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
    engine_options.extensions = WithCatalogExtensions(place, {"sqlite_scanner", "ducklake"});
    ASSIGN(database_, engine::Database::Open(engine_options));
    ASSIGN(connection_, database_->Connect());
    if (place.postgres) { ASSIGN(guard_, CatalogGuard::Take(*database_, *place.postgres)); }
    TRY(Attach(*connection_, place, Access::kReadWrite, std::nullopt, guard_ ? guard_->epoch() : 0));
    if (guard_) TRY(guard_->Fence());
    kept_ = std::make_unique<KeptFiles>(place.data);
    TRY(kept_->Restore(*connection_));
    kept_->Drop();
    TRY(connection_->Execute("BEGIN TRANSACTION"));  // one look at the catalog for all of it
    const auto ours = Look();
    TRY(connection_->Execute("COMMIT"));  // it only read
    TRY(ours);
    if (settings_["data_path"] != place.data.string() + "/") TRY(MendDataPath());
    if (!*ours) TRY(MakeOurTables());
    TRY(LimitInlining());
    const Status head = *ours ? Status() : ReadHead();
    TRY(SetOptions(options));
    TRY(head);
    TRY(EnsureInlined());
    if (options.direct) {
      direct_ = std::make_unique<DirectWriter>(*database_, *connection_, DirectOptions{place.data, place.index.empty() ? place.catalog.parent_path() / "index" : place.index, options.compression, options.target_file_bytes,
                                                                                               catalog(),
                                                                                               [this] { return Settle(); }});
      direct_lane_ = std::make_unique<DirectLane>(*direct_);
    }
    return old_positions_ > kOldPositions ? DropOldPositions() : Status();
  }

  engine::Database& database() override { return *database_; }
  engine::Connection& connection() override { return *connection_; }
  const Cut& head() const override { return head_; }
  bool in_transaction() const override { return open_; }

  Status Begin(LaneKind lane) override {
    NANO_CHECK(!open_);
    kind_ = lane;
    if (lane == LaneKind::kDirect) TRY(direct_->Begin());
    else TRY(connection_->Execute("BEGIN TRANSACTION"));
    begun_ = std::filesystem::file_time_type::clock::now() - kClockStep;
    open_ = true;
    new_numbers_.clear();
    pending_ = head_.sources;
    return {};
  }

  Result<LaneKind> LaneFor(const std::vector<const Build*>& builds) override {
    if (!direct_) return LaneKind::kExtension;
    for (const Build* build : builds) {
      ASSIGN(const bool fits, direct_->Fits(*build));
      if (!fits) return LaneKind::kExtension;
    }
    return LaneKind::kDirect;
  }

  Lane& lane() override { return kind_ == LaneKind::kDirect ? *direct_lane_ : *extension_lane_; }

  Status Append(const std::string& schema, const std::string& table, const std::string& select) override {
    NANO_CHECK(open_);
    if (kind_ == LaneKind::kDirect) return direct_->Append(schema, table, select);
    return connection_->Execute(fmt::format("INSERT INTO {}.{}.{} {}", kCatalog, engine::Quote(schema), engine::Quote(table), select));
  }

  Status Put(const std::string& table, const std::vector<std::string>& values, std::size_t key) override {
    NANO_CHECK(open_);
    if (kind_ == LaneKind::kDirect) {
      direct_->Put(table, values, key);
      return {};
    }
    const OurTable* const ours = std::find_if(std::begin(kOurTables), std::end(kOurTables), [&](const OurTable& one) { return table == one.name; });
    NANO_CHECK(ours != std::end(kOurTables));
    std::string same, marks;
    std::vector<engine::Value> bound;
    const auto names = ColumnNames(ours->columns);
    for (std::size_t c = 0; c < values.size(); ++c) {
      marks += c == 0 ? "?" : ", ?";
      bound.emplace_back(values[c]);
      if (c < key) same += (c == 0 ? "" : " AND ") + names[c] + " = ?";
    }
    if (key > 0)
      TRY(connection_->Execute(fmt::format("DELETE FROM lake.nanohouse.{} WHERE {}", table, same),
                               {bound.begin(), bound.begin() + static_cast<std::ptrdiff_t>(key)}));
    return connection_->Execute(fmt::format("INSERT INTO lake.nanohouse.{} VALUES ({})", table, marks), bound);
  }

  Status Amend(const std::function<Status()>& ddl) override {
    NANO_CHECK(open_);
    if (kind_ == LaneKind::kExtension) return ddl();
    return direct_->Amend([&]() -> Status {
      TRY(connection_->Execute("BEGIN TRANSACTION"));
      kind_ = LaneKind::kExtension;
      const auto pending = std::exchange(pending_, head_.sources);
      Status done = ddl();
      if (done) {
        done = Commit("learn");
      } else {
        Rollback();
      }
      kind_ = LaneKind::kDirect;
      open_ = true;
      pending_ = pending;
      return done;
    });
  }

  Status Tidy(const Build& build) override {
    NANO_CHECK(!open_);
    if (!direct_) return {};
    pending_ = head_.sources;
    TRY(direct_->Compact(build, Info()));
    return ReadSnapshot();
  }

  Status SetPosition(const std::string& source, Position end) override {
    NANO_CHECK(open_);
    pending_[source] = end;
    // Only added, as positions only grow; old ones go when the lake is opened.
    return Put("position", {source, "main", std::to_string(end.value)}, 0);
  }

  Status Commit(const std::string& message) override {
    NANO_CHECK(open_);
    if (kind_ == LaneKind::kDirect) return CommitDirect(message);
    Status status = connection_->Execute("CALL lake.set_commit_message('nanohouse', " + engine::Literal(message) +
                                         ", extra_info => " + engine::Literal(Info()) + ")");
    if (status) status = io::SyncFileSystem(place_.data, "lake.data");
    if (status) status = kept_->Keep(begun_);
    if (status) status = io::PassOrFail("lake.commit.before");
    if (!status) {
      Rollback();
      return status;
    }
    status = connection_->Execute("COMMIT");
    open_ = false;
    // After a failure they stay: what SQLite could not sync may be found committed by whoever opens the catalog next.
    if (status) kept_->Drop();
    if (!status) {
      connection_->Execute("ROLLBACK").map_error([](const Error&) { return 0; });
      if (!IsOpen(status.error().code)) return status;
      // The catalog may or may not have it: only the catalog can tell, once it is no more at it.
      const std::int64_t before = head_.snapshot;
      if (!Settle() || !ReadHead()) {
        status.error().code = Code::kOutcomeUnknown;
        return status;
      }
      TRY(kept_->Restore(*connection_));
      if (guard_) kept_->Drop();
      if (head_.snapshot > before && head_.sources == pending_) return {};
      return status;
    }
    inlined_.clear();
    head_.sources = pending_;
    TRY(io::PassOrFail("lake.commit.after"));
    return ReadSnapshot();
  }

  void Rollback() override {
    if (!open_) return;
    if (kind_ == LaneKind::kDirect) direct_->Rollback();
    else connection_->Execute("ROLLBACK").map_error([](const Error&) { return 0; });
    open_ = false;
  }

  std::string Committed(const std::string& table) override {
    if (inlined_.empty() && !FindInlined()) inlined_.clear();
    const auto at = inlined_.find(table);
    return at == inlined_.end() || at->second.empty() ? "lake.nanohouse." + table : at->second;
  }

  Result<std::int64_t> SourceNumber(const std::string& source) override {
    if (const auto at = numbers_.find(source); at != numbers_.end()) return at->second;
    ASSIGN(const auto rows, connection_->Query("SELECT name, number FROM " + Committed("source")));
    std::int64_t last = 0;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      numbers_[rows.text(r, 0)] = rows.integer(r, 1);
      last = std::max(last, rows.integer(r, 1));
    }
    if (const auto at = numbers_.find(source); at != numbers_.end()) return at->second;
    if (const auto at = new_numbers_.find(source); at != new_numbers_.end()) return at->second;
    NANO_CHECK(open_);
    for (const auto& [name, number] : new_numbers_) last = std::max(last, number);
    TRY(Put("source", {source, std::to_string(last + 1)}, 0));
    return new_numbers_[source] = last + 1;  // remembered for good once it is committed and read again
  }

 private:
  CatalogKind catalog() const { return guard_ ? CatalogKind::kPostgres : CatalogKind::kSqlite; }

  /// What a snapshot says of itself: the end position of every source.
  std::string Info() const {
    nlohmann::json info = {{"format", kFormat}, {"positions", nlohmann::json::object()}};
    for (const auto& [source, position] : pending_) info["positions"][source] = position.value;
    return info.dump();
  }

  /// Whether a COMMIT that ended so may have been done.
  static bool IsOpen(Code code) { return code != Code::kConflict && code != Code::kInvalid; }

  /// Waits until the catalog is no more at a commit that failed. Our own session on a SQLite file is not, then.
  Status Settle() { return guard_ ? guard_->Settle() : Status(); }

  Status CommitDirect(const std::string& message) {
    auto snapshot = direct_->Commit(message, Info());
    if (!snapshot) {
      if (snapshot.error().code == Code::kOutcomeUnknown) (void)ReadHead();
      Rollback();
      return tl::make_unexpected(snapshot.error());
    }
    open_ = false;
    inlined_.clear();
    head_.sources = pending_;
    head_.snapshot = *snapshot;
    return io::PassOrFail("lake.commit.after");
  }

  /// Of tables that batches write to, the catalog's own relations must be there, which the first row makes.
  Status EnsureInlined() {
    std::string sql;
    for (const char* table : {"position", "source", "stream"}) {
      if (!Committed(table).ends_with(" WHERE false)")) continue;   // NoRows()
      const bool numbered = std::string(table) != "stream";
      sql += fmt::format("INSERT INTO lake.nanohouse.{0} VALUES ({1}); DELETE FROM lake.nanohouse.{0}; ", table,
                         std::string(table) == "position" ? "'', '', 0" : numbered ? "'', 0" : "'', '', ''");
    }
    if (sql.empty()) return {};
    TRY(connection_->Execute("BEGIN TRANSACTION"));
    Status made = connection_->Execute(sql);
    if (made) made = io::PassOrFail("lake.inlined");
    if (made) made = connection_->Execute("COMMIT");
    if (!made) connection_->Execute("ROLLBACK").map_error([](const Error&) { return 0; });
    inlined_.clear();
    return made;
  }

  /// Reads DuckLake's settings and, if our tables are there already (true), their format and the head.
  Result<bool> Look() {
    ASSIGN(const auto rows, connection_->Query("SELECT key, value, coalesce(scope_id, -1) FROM __ducklake_metadata_lake.ducklake_metadata "
                                               "WHERE scope IS NULL OR (scope = 'table' AND key = 'data_inlining_row_limit')"));
    std::set<std::int64_t> limited;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      if (rows.integer(r, 2) < 0) settings_[rows.text(r, 0)] = rows.text(r, 1);
      else limited.insert(rows.integer(r, 2));
    }
    TRY(FindInlined());
    for (const auto& [name, id] : our_ids_)
      if (!limited.contains(id)) unlimited_.insert(name);
    if (!inlined_.contains("quarantine")) return false;
    TRY(CheckFormat());
    TRY(ReadHead());
    return true;
  }

  /// Finds, for each of our tables, the relation in the catalog that holds all its rows; none where some lie in files.
  Status FindInlined() {
    ASSIGN(const auto tables, connection_->Query(
        "SELECT table_id, table_name FROM __ducklake_metadata_lake.ducklake_table WHERE end_snapshot IS NULL AND schema_id = "
        "(SELECT schema_id FROM __ducklake_metadata_lake.ducklake_schema WHERE schema_name = 'nanohouse' AND end_snapshot IS NULL)"));
    ASSIGN(const auto inlined, connection_->Query("SELECT table_id, table_name FROM __ducklake_metadata_lake.ducklake_inlined_data_tables"));
    std::map<std::int64_t, std::vector<std::string>> parts;
    for (std::size_t r = 0; r < inlined.size(); ++r) parts[inlined.integer(r, 0)].push_back(inlined.text(r, 1));
    std::string ids;
    for (std::size_t r = 0; r < tables.size(); ++r) our_ids_[tables.text(r, 1)] = tables.integer(r, 0);
    for (std::size_t r = 0; r < tables.size(); ++r) ids += (ids.empty() ? "" : ", ") + tables.text(r, 0);
    std::set<std::int64_t> in_files;
    if (!ids.empty()) {
      ASSIGN(const auto files, connection_->Query("SELECT table_id FROM " + AskCatalog(
          catalog(), "SELECT DISTINCT table_id FROM ducklake_data_file WHERE end_snapshot IS NULL AND table_id IN (" + ids + ")")));
      for (std::size_t r = 0; r < files.size(); ++r) in_files.insert(files.integer(r, 0));
    }
    inlined_.clear();
    for (std::size_t r = 0; r < tables.size(); ++r) {
      std::string& relation = inlined_[tables.text(r, 1)];
      const auto part = parts.find(tables.integer(r, 0));
      if (in_files.contains(tables.integer(r, 0)) || (part != parts.end() && part->second.size() > 1)) continue;
      for (const auto& ours : kOurTables)
        if (tables.text(r, 1) == ours.name) relation = part == parts.end() ? NoRows(ours.columns) : InlinedRows(part->second.front(), ours.columns, guard_ != nullptr);
    }
    return {};
  }

  Status MendDataPath() {
    return connection_->Execute(
        "UPDATE __ducklake_metadata_lake.ducklake_metadata SET value = ? WHERE key = 'data_path' AND scope IS NULL",
        {place_.data.string() + "/"});
  }

  Status MakeOurTables() {
    TRY(connection_->Execute("BEGIN TRANSACTION"));
    std::string sql = "CREATE SCHEMA IF NOT EXISTS lake.build; CREATE SCHEMA IF NOT EXISTS lake.nanohouse; ";
    for (const auto& table : kOurTables) sql += fmt::format("CREATE TABLE IF NOT EXISTS lake.nanohouse.{}({}); ", table.name, table.columns);
    sql += "INSERT INTO lake.nanohouse.format SELECT 1 WHERE NOT EXISTS (FROM lake.nanohouse.format);";
    Status made = connection_->Execute(sql);
    if (made) made = io::SyncFileSystem(place_.data, "lake.data");
    if (made) made = io::PassOrFail("lake.made");
    if (made) made = connection_->Execute("COMMIT");
    if (!made) {
      connection_->Execute("ROLLBACK").map_error([](const Error&) { return 0; });
      return made;
    }
    for (const auto& table : kOurTables) unlimited_.insert(table.name);
    inlined_.clear();
    return {};
  }

  /// Has DuckLake keep the rows of our tables in the catalog: each table's own commit, so an earlier program may have been stopped
  /// before it came to all. Before any row is put into them.
  Status LimitInlining() {
    for (const auto& table : kOurTables) {
      if (!table.inlined || !unlimited_.contains(table.name)) continue;
      TRY(connection_->Execute(std::string("CALL lake.set_option('data_inlining_row_limit', 100, schema => 'nanohouse', table_name => '") + table.name + "')"));
      unlimited_.erase(table.name);
    }
    return {};
  }

  /// Of the newest commit of ours, or, where a lake has none yet, of its table.
  Status CheckFormat() {
    ASSIGN(const auto newest, connection_->Query(
        "SELECT commit_extra_info FROM __ducklake_metadata_lake.ducklake_snapshot_changes WHERE author = 'nanohouse' ORDER BY snapshot_id DESC LIMIT 1"));
    std::int64_t format = newest.empty() ? 0 : wire::Get(nlohmann::json::parse(newest.text(0, 0), nullptr, false), "format", std::int64_t{0});
    if (format == 0) {
      ASSIGN(const auto rows, connection_->Query("SELECT max(number) FROM lake.nanohouse.format"));
      format = rows.integer(0, 0);
    }
    if (format > kFormat)
      return WithHint(Fail(Code::kUnsupported, "the lake has format {}, this program reads up to {}", format, kFormat),
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
    TRY(Begin(LaneKind::kExtension));
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
    ASSIGN(const auto rows, connection_->Query("SELECT source, max(position), count(*) FROM " + Committed("position") + " WHERE lane = 'main' GROUP BY source"));
    head_.sources.clear();
    old_positions_ = 0;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      head_.sources[rows.text(r, 0)] = Position{static_cast<std::uint64_t>(rows.integer(r, 1))};
      old_positions_ += rows.integer(r, 2) - 1;
    }
    return ReadSnapshot();
  }

  Status ReadSnapshot() {
    ASSIGN(const auto rows, connection_->Query("SELECT newest FROM " + AskCatalog(catalog(), "SELECT max(snapshot_id) AS newest FROM ducklake_snapshot")));
    head_.snapshot = rows.integer(0, 0);
    return {};
  }

  Place place_;
  std::unique_ptr<engine::Database> database_;
  std::unique_ptr<CatalogGuard> guard_;   ///< of a catalog in PostgreSQL
  std::unique_ptr<KeptFiles> kept_;
  std::filesystem::file_time_type begun_;  ///< when the open transaction began
  std::unique_ptr<engine::Connection> connection_;
  std::unique_ptr<Lane> extension_lane_ = MakeExtensionLane();
  std::unique_ptr<DirectWriter> direct_;
  std::unique_ptr<Lane> direct_lane_;
  LaneKind kind_ = LaneKind::kExtension;   ///< of the open transaction
  std::map<std::string, std::string> settings_;   ///< DuckLake's, of the whole lake, as they were when it was opened
  Cut head_;
  std::map<std::string, Position> pending_;
  std::map<std::string, std::int64_t> numbers_;
  std::map<std::string, std::int64_t> new_numbers_;   ///< given in the open transaction
  std::map<std::string, std::int64_t> our_ids_;       ///< of our tables, in the catalog
  std::set<std::string> unlimited_;                   ///< of our tables, those whose rows DuckLake was not yet told to keep in the catalog
  std::map<std::string, std::string> inlined_;        ///< relations of our tables; empty: not looked up since the last commit
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
