// SPDX-License-Identifier: Apache-2.0
#include "engine/database.h"

#include <unistd.h>

#include <cstdlib>
#include <system_error>

#include "engine/connection.h"
#include "engine/handles.h"
#include "engine/key_visitors.h"
#include "engine/row_sources.h"

namespace nano::engine {
namespace {

namespace fs = std::filesystem;

class CDatabase final : public Database {
 public:
  ~CDatabase() override {
    keeper_.reset();
    if (handle_) duckdb_close(&handle_);
    std::error_code ignored;
    if (!own_temp_.empty()) fs::remove_all(own_temp_, ignored);
  }

  Status OpenWith(const Options& options) {
    duckdb_config config = nullptr;
    duckdb_create_config(&config);
    const auto set = [&](const char* name, const std::string& value) { duckdb_set_config(config, name, value.c_str()); };
    if (options.threads > 0) set("threads", std::to_string(options.threads));
    set("memory_limit", options.memory_limit);
    set("autoinstall_known_extensions", "false");
    set("autoload_known_extensions", "false");
    set("allow_community_extensions", "false");
    // The files are pinned by hash where they are installed; hashing 70 MB again at every start costs 0.2 s.
    set("allow_unsigned_extensions", "true");
    set("preserve_insertion_order", options.preserve_insertion_order ? "true" : "false");
    fs::path temp = options.temp_directory;
    if (temp.empty()) {
      std::string name = (fs::temp_directory_path() / "nanohouse-XXXXXX").string();
      if (mkdtemp(name.data()) == nullptr) return Fail(Code::kUnavailable, "no temporary folder could be made");
      own_temp_ = temp = name;
    }
    set("temp_directory", temp.string());
    char* error = nullptr;
    const auto state = duckdb_open_ext(nullptr, &handle_, config, &error);
    duckdb_destroy_config(&config);
    if (state == DuckDBError) {
      Error failure = ToError(error);
      duckdb_free(error);
      return tl::make_unexpected(std::move(failure));
    }
    ASSIGN(keeper_, MakeConnection(handle_));
    const fs::path folder = ExtensionFolder();
    for (const auto& name : options.extensions) {
      const fs::path file = folder / (name + ".duckdb_extension");
      std::error_code missing;
      if (!fs::exists(file, missing))
        return WithHint(Fail(Code::kNotFound, "DuckDB extension \"{}\" is not in {}", name, folder.string()),
                        "Run tools/setup, or set NANOHOUSE_EXTENSIONS to the folder of the extension files.");
      TRY(keeper_->Execute("LOAD " + Literal(file.string())));
    }
    // Every session computes in UTC, also the parts of partition keys (timestamptz).
    TRY(keeper_->Execute("SET GLOBAL TimeZone = 'UTC'"));
    duckdb_connection connection = nullptr;
    if (duckdb_connect(handle_, &connection) == DuckDBError) return Fail(Code::kInternal, "no connection to DuckDB");
    Status registered = RegisterRowFunction(connection, sources_);
    if (registered) registered = RegisterVisitFunction(connection, visitors_);
    duckdb_disconnect(&connection);
    return registered;
  }

  Result<std::unique_ptr<Connection>> Connect() override { return MakeConnection(handle_); }
  std::int64_t Register(std::shared_ptr<RowSource> source) override { return sources_.Add(std::move(source)); }
  void Release(std::int64_t handle) override { sources_.Remove(handle); }
  std::int64_t Register(std::shared_ptr<KeyVisitor> visitor) override { return visitors_.Add(std::move(visitor)); }
  void Dismiss(std::int64_t handle) override { visitors_.Remove(handle); }
  Result<Rows> Versions() override {
    return keeper_->Query(
        "SELECT 'duckdb' AS name, version() AS version UNION ALL (SELECT extension_name, extension_version "
        "FROM duckdb_extensions() WHERE loaded AND extension_name NOT IN ('core_functions', 'parquet', 'jemalloc') "
        "ORDER BY extension_name)");
  }

 private:
  RowSources sources_;
  KeyVisitors visitors_;
  duckdb_database handle_ = nullptr;
  std::unique_ptr<Connection> keeper_;
  fs::path own_temp_;
};

}  // namespace

fs::path ExtensionFolder() {
  if (const char* folder = std::getenv("NANOHOUSE_EXTENSIONS")) return folder;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    const fs::path installed = program.parent_path().parent_path() / "lib" / "nanohouse" / "extensions";
    if (fs::exists(installed, error)) return installed;
  }
  return NANO_EXTENSIONS;
}

Result<std::unique_ptr<Database>> Database::Open(const Options& options) {
  auto database = std::make_unique<CDatabase>();
  TRY(database->OpenWith(options));
  return std::unique_ptr<Database>(std::move(database));
}

}  // namespace nano::engine
