// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Changes of PostgreSQL written as Debezium's envelope, so that all that follows the journal reads them as it reads Debezium's
/// own: {"schema":{the row's columns and types},"payload":{"op","before","after","source"}}. The schema is the same text for
/// every change of a table, and the journal keeps it once. Values stay as PostgreSQL spelled them. Pure.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "wire/debezium_outline.h"
#include "wire/pgoutput.h"
#include "wire/postgres_type.h"

namespace nano::wire {

/// A table as its changes are written.
struct PgTable {
  enum class Writes : std::uint8_t { kQuoted, kBare, kReal, kBoolean };
  struct Column {
    std::string name;
    std::string member;                ///< `"id":`, escaped
    Writes writes = Writes::kQuoted;
  };
  std::string schema, name, stream;    ///< stream: schema.table
  std::vector<Column> columns;
  std::vector<std::size_t> key;        ///< of `columns`, in their order; empty: rows have no key
  std::string opening;                 ///< of every message, up to its op
  std::string source;                  ///< members of `source` that are always the same
};

struct PgTableColumn {
  std::string name;
  std::uint32_t type = 0;
  std::int32_t modifier = -1;
};

/// `key` names columns; a name that is none is left out.
PgTable MakePgTable(std::string schema, std::string name, const std::vector<PgTableColumn>& columns, const std::vector<std::string>& key,
                    const PgTypes& types);

/// Where and when a change was.
struct PgOrigin {
  enum class Snapshot : std::uint8_t { kNone, kChunk, kWhole };
  Snapshot snapshot = Snapshot::kNone;   ///< a row that was read, not changed: by a chunk, or with all of its table
  std::uint64_t xid = 0;
  Lsn commit;                            ///< of its transaction
  Lsn lsn;                               ///< of the change
  std::int64_t time = 0;                 ///< µs since 1970
  bool pending = false;                  ///< its table's snapshot is under way
};

/// A row by its values, in the order of the table's columns.
using PgRow = std::span<const PgValue>;

/// Appends a change to `out`, the table's `opening` first. `op` is c, u, d, r or t; an empty image is null. Of a before that is a key only its key is written.
/// Gives where its rows stand, from where it begins; none of one that must be looked at whole.
DebeziumOutline WriteChange(const PgTable& table, char op, PgRow before, bool before_is_key, PgRow after, const PgOrigin& origin, std::string& out);
/// The same without the `opening`, which the outline counts all the same.
DebeziumOutline WriteChangeBody(const PgTable& table, char op, PgRow before, bool before_is_key, PgRow after, const PgOrigin& origin, std::string& out);

/// The row's key as a JSON object. False: the table has none, or a value of it is missing.
bool WriteKey(const PgTable& table, PgRow row, std::string& out);

/// A record's headers that say where a row's key went, or where it came from.
std::string NewKeyHeader(std::string_view key);
std::string OldKeyHeader(std::string_view key);

}  // namespace nano::wire
