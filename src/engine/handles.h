// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Owners of DuckDB's C handles, and its errors as ours. Inside engine/ only.

#include <duckdb.h>

#include <string>
#include <utility>

#include "base/data_type.h"
#include "base/result.h"

namespace nano::engine {

/// Destroys a handle of the C API when it goes; `Destroy` takes its address.
template <class Handle, void (*Destroy)(Handle*)>
class Owned {
 public:
  Owned() = default;
  explicit Owned(Handle handle) : handle_(handle) {}
  Owned(Owned&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Owned() {
    if (handle_) Destroy(&handle_);
  }
  Handle get() const { return handle_; }
  Handle* out() { return &handle_; }

 private:
  Handle handle_ = nullptr;
};

using LogicalType = Owned<duckdb_logical_type, duckdb_destroy_logical_type>;
using Prepared = Owned<duckdb_prepared_statement, duckdb_destroy_prepare>;
using Pending = Owned<duckdb_pending_result, duckdb_destroy_pending>;
using Extracted = Owned<duckdb_extracted_statements, duckdb_destroy_extracted>;
using DataChunk = Owned<duckdb_data_chunk, duckdb_destroy_data_chunk>;

/// A result of the C API, destroyed at the end.
class QueryResult {
 public:
  QueryResult() : result_{} {}
  QueryResult(const QueryResult&) = delete;
  QueryResult& operator=(const QueryResult&) = delete;
  ~QueryResult() { duckdb_destroy_result(&result_); }
  duckdb_result* get() { return &result_; }

 private:
  duckdb_result result_;
};

/// DuckDB's error text as an Error whose code says what the caller does.
Error ToError(const char* text, duckdb_error_type type = DUCKDB_ERROR_INVALID);

LogicalType ToLogicalType(const DataType& type);

}  // namespace nano::engine
