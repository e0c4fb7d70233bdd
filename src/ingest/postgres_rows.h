// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The rows of a database's tables as they are now, as records that the journal might hold, for those who only look. Nothing is
/// locked, and no snapshot is held for longer than a chunk of rows takes. One thread.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "change/record.h"
#include "contract/model.h"
#include "ingest/postgres_catalog.h"

namespace nano::ingest {

class PostgresTableRows {
 public:
  static Result<std::unique_ptr<PostgresTableRows>> Open(const contract::Source& source);

  using Take = std::function<Status(const Record& record)>;
  /// All rows of a stream. The record's bytes are valid during the call.
  Status ReadAll(const std::string& stream, const Take& take);
  /// Those whose columns have one of these values, as PostgreSQL writes them; a key without a row gives none.
  Status ReadSome(const std::string& stream, const std::vector<std::string>& columns, const std::vector<std::vector<std::string>>& values, const Take& take);

  /// Writes a mark into the log: whoever reads the stream soon notes that it has come. Its place; all that was read has been committed before it.
  Result<wire::Lsn> Mark();

 private:
  PostgresTableRows(std::unique_ptr<io::Postgres> connection, std::string publication) : connection_(std::move(connection)), publication_(std::move(publication)) {}
  struct Described;
  Result<Described> Describe(const std::string& stream);
  Status Copy(const std::string& stream, const Described& table, const std::string& sql, const Take& take, const std::function<void(const std::vector<std::string>&)>& key);

  std::unique_ptr<io::Postgres> connection_;
  std::string publication_;
  wire::PgTypes types_;
};

/// The place in the database's log up to which the journal of a source holds all, by its checkpoint.
Result<wire::Lsn> JournaledLsn(const std::string& checkpoint);

}  // namespace nano::ingest
