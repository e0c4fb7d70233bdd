// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the YAML of a warehouse says, parsed and checked: plain values that every later floor reads.
/// docs/reference/schema.md is the same in words. Immutable once made; shared as shared_ptr<const Contract>.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/data_type.h"
#include "base/result.h"
#include "base/secret.h"

namespace nano::contract {

enum class Mode { kAppend, kUpsert, kReplace, kHistory };
enum class Deletes { kHard, kSoft, kIgnore };
enum class OnNewField { kQuarantine, kAppendNewColumns, kIgnore, kFail };
enum class OnTypeMismatch { kQuarantine, kNull, kFail };
enum class SpecialValues { kQuarantine, kNull, kClamp };

/// One item of partition_by: `region`, `month(created_at)`, `bucket(16, id)`.
struct PartitionField {
  enum class Transform { kIdentity, kYear, kMonth, kDay, kHour, kBucket };
  Transform transform = Transform::kIdentity;
  std::string column;
  int buckets = 0;
};

/// A field of the source that an expression reads, as its outermost name, and the type it is read as.
struct ExpressionInput {
  struct Leaf {
    std::vector<std::string> path;
    DataType type;
    std::string source_type;                ///< as written, where a column gives it
  };
  std::string field;
  DataType type;
  std::vector<Leaf> leaves;                 ///< the field itself, or, of a struct of which only parts are declared, these
};

/// A test, as declared; `test` runs it.
struct Test {
  std::string name;                         ///< "not_null", "relationships", …
  std::string arguments;                    ///< JSON
  Place place;
};

struct Column {
  std::string name;
  DataType type;
  std::vector<std::string> field;           ///< path into the source's record; {name} where none is given
  std::optional<std::string> source_type;   ///< as written: a type of the language, or the source's own (`timestamp(3)`)
  std::optional<std::string> expr;          ///< SQL over the source's fields
  std::vector<std::string> expr_fields;     ///< the source's fields that expr reads, as DuckDB's parser finds them
  std::vector<ExpressionInput> inputs;      ///< the same fields with the types that they are read as
  std::optional<DataType> expr_type;        ///< what `expr` gives; text for a column of another type is to be read as text from the source is
  bool not_null = false;                    ///< constraints: [not_null], or a column of the primary key
  std::vector<std::string> tags;
  std::vector<Test> tests;
  std::string description;
  Place place;
};

struct TableSource {
  std::string source;   ///< name of a source
  std::string stream;
};

struct Table {
  std::string name;
  std::vector<TableSource> sources;         ///< one, or the shards
  Mode mode = Mode::kUpsert;                ///< default: upsert where there is a key, else append
  bool mode_given = false;
  bool of_changes = false;                  ///< a source of it sends changes (creates, updates, deletes), not only records
  Deletes deletes = Deletes::kHard;
  std::vector<std::string> primary_key;     ///< empty: the source's own key
  std::vector<PartitionField> partition_by;
  std::vector<std::string> sort_by;
  OnNewField on_new_field = OnNewField::kQuarantine;
  OnTypeMismatch on_type_mismatch = OnTypeMismatch::kQuarantine;
  SpecialValues special_values = SpecialValues::kQuarantine;
  std::vector<Column> columns;              ///< empty: all fields of the source, with inferred types
  std::string description;
  std::optional<std::int64_t> target_file_bytes;
  std::vector<std::string> tags;
  std::vector<Test> tests;
  Place place;
  std::map<std::string, Place> places;      ///< of the keys that it has: "primary_key", "mode"

  const Column* column(const std::string& column_name) const;
};

struct SingerTap {
  std::string tap;                          ///< the program
  std::vector<std::string> arguments;
  std::string pip;                          ///< "tap-x==1.2", for people; never installed by us unasked
  std::string config_json;                  ///< may hold secrets once resolved; never printed
  std::optional<std::filesystem::path> catalog;
  std::vector<std::string> select;          ///< streams; empty: what the tap selects by default
  std::map<std::string, SecretTemplate> environment;
  std::optional<std::int64_t> every_ms;     ///< how often `run` starts it; nothing: once
};

/// A database that is read by its own logical replication.
struct PostgresSource {
  enum class OnSlotLost { kFail, kResync, kHeal };
  SecretTemplate url;
  std::string publication = "nanohouse";
  std::string slot;                         ///< empty: named after warehouse and source
  std::vector<std::string> streams;         ///< `schema.table`, `*` for any; those that tables name are read without
  std::optional<std::int64_t> max_wal_bytes;   ///< how much log the slot may hold back
  OnSlotLost on_slot_lost = OnSlotLost::kFail;
};

struct Source {
  enum class Kind { kSingerTap, kSingerFile, kDebeziumFile, kDebeziumHttp, kPostgres, kUnsupported };
  std::string name;
  Kind kind = Kind::kUnsupported;
  std::string file;                         ///< of a file source: a path, or "-"
  std::string http_path;                    ///< on which it is posted to
  SingerTap tap;
  PostgresSource postgres;
  SecretTemplate tap_config;                ///< JSON of the tap's config with ${…} in place
  std::string unsupported;                  ///< the key whose capability is not there yet: "warehouse", "debezium.kafka"
  Place place;

  /// Creates, updates and deletes, not only records.
  bool sends_changes() const { return kind == Kind::kDebeziumFile || kind == Kind::kDebeziumHttp || kind == Kind::kPostgres; }
};

struct Storage {
  std::string root = "./data";              ///< a path (relative to the warehouse's folder) or s3://…
  std::string local;                        ///< default: root
  std::string catalog = "sqlite:catalog.db";
  std::string compression = "zstd";
  std::int64_t target_file_bytes = 128LL << 20;
  std::int64_t commit_every_ms = 1000;
  std::int64_t commit_bytes = 16LL << 20;
  std::optional<std::int64_t> journal_keep_ms;   ///< nothing: everything stays in segments
  bool journal_base_image = true;           ///< what is left of expired segments is kept
  std::int64_t grace_seconds = 600;
  std::int64_t keep_free_bytes = 1'000'000'000;   ///< where a disk has less, `run` reads no more
  bool publish = true;                      ///< iceberg: off
  std::int64_t publish_every_seconds = 30;
  Place place;
};

/// The HTTP door of a running warehouse.
struct HttpServe {
  std::string listen;                       ///< `127.0.0.1:8080`; empty: there is none
  SecretTemplate token;                     ///< what a client must bring; needed off loopback
};

/// Who reads the warehouse, as in dbt.
struct Exposure {
  std::string name, type;
  std::vector<std::string> depends_on;
  std::optional<int> uses_version;
  Place place;
};

/// A key that the language has and this release can't do yet; `apply` refuses it.
struct NotYet {
  std::string what;                         ///< "mode: history"
  Place place;
};

struct Contract {
  std::filesystem::path folder;
  std::string warehouse;
  std::string version = "1.0.0";
  Place version_place;                      ///< of `version`, or of the file it is missing from
  std::string domain, description;
  Storage storage;
  HttpServe http;
  std::vector<Source> sources;
  std::vector<Table> tables;
  std::vector<Exposure> exposures;
  std::vector<NotYet> not_yet;
  std::string bundle;                       ///< every file of it, canonical JSON [{path, text}]; no secret is in it

  int major() const;
  const Source* source(const std::string& name) const;
  /// Sources that feed some table.
  std::set<std::string> used_sources() const;
  const Table* table(const std::string& name) const;
};

}  // namespace nano::contract
