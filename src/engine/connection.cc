// SPDX-License-Identifier: Apache-2.0
#include "engine/connection.h"

#include <fmt/format.h>

#include <string_view>

namespace nano::engine {
namespace {

bool Contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// An extension's words on a statement that another server refused, without that statement: it may hold data.
std::string WithoutStatement(std::string message) {
  constexpr std::string_view kBegin = "Failed to execute query \"", kEnd = "\": ";
  const std::size_t begin = message.find(kBegin), end = message.rfind(kEnd);
  if (begin == std::string::npos || end == std::string::npos || end < begin) return message;
  message.replace(begin, end + kEnd.size() - begin, "the server said ");
  message.erase(message.find_last_not_of(" \n\t") + 1);
  return message;
}

/// What libpq says where a server is gone in the middle of a statement: whether it was done is not known.
bool IsLostConnection(std::string_view text) {
  for (const auto* const sign : {"server closed the connection", "no connection to the server", "terminating connection", "could not receive data from server",
                                 "could not send data to server", "connection to server", "SSL connection has been closed", "the database system is"})
    if (Contains(text, sign)) return true;
  return false;
}

Code CodeOf(std::string_view text, duckdb_error_type type) {
  if (IsLostConnection(text)) return Code::kUnavailable;
  if (Contains(text, "could not serialize access") || Contains(text, "has taken over writing")) return Code::kConflict;
  if (Contains(text, "database is locked") || Contains(text, "SQLITE_BUSY") || Contains(text, "Could not set lock"))
    return Code::kConflict;
  if (Contains(text, "Transaction conflict") || Contains(text, "write-write conflict")) return Code::kConflict;
  switch (type) {
    case DUCKDB_ERROR_TRANSACTION: return Code::kConflict;
    case DUCKDB_ERROR_IO:
    case DUCKDB_ERROR_CONNECTION:
    case DUCKDB_ERROR_NETWORK:
    case DUCKDB_ERROR_HTTP:
    case DUCKDB_ERROR_OUT_OF_MEMORY: return Code::kUnavailable;
    case DUCKDB_ERROR_INTERNAL:
    case DUCKDB_ERROR_FATAL:
    case DUCKDB_ERROR_INTERRUPT: return Code::kInternal;
    case DUCKDB_ERROR_NOT_IMPLEMENTED: return Code::kUnsupported;
    case DUCKDB_ERROR_PERMISSION: return Code::kDenied;
    default: break;
  }
  for (const char* const said : {"IO Error", "disk I/O error", "database or disk is full", "unable to open database file"})   // the last three are SQLite's
    if (Contains(text, said)) return Code::kUnavailable;
  if (Contains(text, "INTERNAL Error") || Contains(text, "FATAL Error")) return Code::kInternal;
  return Code::kInvalid;
}

std::string Int128Text(std::uint64_t lower, std::int64_t upper) {
  __int128 value = (static_cast<__int128>(upper) << 64) | static_cast<__int128>(lower);
  if (value == 0) return "0";
  const bool negative = value < 0;
  auto left = negative ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
  std::string digits;
  while (left > 0) {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(left % 10)));
    left /= 10;
  }
  return negative ? "-" + digits : digits;
}

std::string WithPoint(std::string digits, std::uint8_t scale) {
  if (scale == 0) return digits;
  const bool negative = !digits.empty() && digits[0] == '-';
  if (negative) digits.erase(0, 1);
  while (digits.size() <= scale) digits.insert(digits.begin(), '0');
  digits.insert(digits.size() - scale, ".");
  return negative ? "-" + digits : digits;
}

std::string_view StringAt(duckdb_vector vector, idx_t row) {
  auto* strings = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector));
  const auto length = duckdb_string_t_length(strings[row]);
  return {duckdb_string_t_data(&strings[row]), length};
}

/// One value as text; false where the type must be cast in SQL first.
bool ValueText(duckdb_vector vector, duckdb_logical_type logical, idx_t row, std::string& out) {
  void* data = duckdb_vector_get_data(vector);
  switch (duckdb_get_type_id(logical)) {
    case DUCKDB_TYPE_BOOLEAN: out = static_cast<bool*>(data)[row] ? "true" : "false"; return true;
    case DUCKDB_TYPE_TINYINT: out = fmt::format("{}", static_cast<std::int8_t*>(data)[row]); return true;
    case DUCKDB_TYPE_SMALLINT: out = fmt::format("{}", static_cast<std::int16_t*>(data)[row]); return true;
    case DUCKDB_TYPE_INTEGER: out = fmt::format("{}", static_cast<std::int32_t*>(data)[row]); return true;
    case DUCKDB_TYPE_BIGINT: out = fmt::format("{}", static_cast<std::int64_t*>(data)[row]); return true;
    case DUCKDB_TYPE_UTINYINT: out = fmt::format("{}", static_cast<std::uint8_t*>(data)[row]); return true;
    case DUCKDB_TYPE_USMALLINT: out = fmt::format("{}", static_cast<std::uint16_t*>(data)[row]); return true;
    case DUCKDB_TYPE_UINTEGER: out = fmt::format("{}", static_cast<std::uint32_t*>(data)[row]); return true;
    case DUCKDB_TYPE_UBIGINT: out = fmt::format("{}", static_cast<std::uint64_t*>(data)[row]); return true;
    case DUCKDB_TYPE_FLOAT: out = fmt::format("{}", static_cast<float*>(data)[row]); return true;
    case DUCKDB_TYPE_DOUBLE: out = fmt::format("{}", static_cast<double*>(data)[row]); return true;
    case DUCKDB_TYPE_HUGEINT: {
      const auto& value = static_cast<duckdb_hugeint*>(data)[row];
      out = Int128Text(value.lower, value.upper);
      return true;
    }
    case DUCKDB_TYPE_VARCHAR:
    case DUCKDB_TYPE_BLOB: out = std::string(StringAt(vector, row)); return true;
    case DUCKDB_TYPE_SQLNULL: out.clear(); return true;
    case DUCKDB_TYPE_DECIMAL: {
      const std::uint8_t scale = duckdb_decimal_scale(logical);
      switch (duckdb_decimal_internal_type(logical)) {
        case DUCKDB_TYPE_SMALLINT: out = fmt::format("{}", static_cast<std::int16_t*>(data)[row]); break;
        case DUCKDB_TYPE_INTEGER: out = fmt::format("{}", static_cast<std::int32_t*>(data)[row]); break;
        case DUCKDB_TYPE_BIGINT: out = fmt::format("{}", static_cast<std::int64_t*>(data)[row]); break;
        default: {
          const auto& value = static_cast<duckdb_hugeint*>(data)[row];
          out = Int128Text(value.lower, value.upper);
        }
      }
      out = WithPoint(std::move(out), scale);
      return true;
    }
    default: return false;
  }
}

bool Valid(duckdb_vector vector, idx_t row) {
  std::uint64_t* validity = duckdb_vector_get_validity(vector);
  return validity == nullptr || duckdb_validity_row_is_valid(validity, row);
}

/// A map of texts, at a row of a MAP vector.
template <class Value, class Read>
std::map<std::string, Value> MapAt(duckdb_vector vector, idx_t row, Read read) {
  std::map<std::string, Value> out;
  if (!Valid(vector, row)) return out;
  const auto [offset, length] = static_cast<duckdb_list_entry*>(duckdb_vector_get_data(vector))[row];
  const duckdb_vector entries = duckdb_list_vector_get_child(vector);
  const duckdb_vector keys = duckdb_struct_vector_get_child(entries, 0), values = duckdb_struct_vector_get_child(entries, 1);
  for (idx_t i = offset; i < offset + length; ++i)
    if (Valid(values, i)) out.emplace(StringAt(keys, i), read(values, i));
  return out;
}

std::string TextAt(duckdb_vector vector, idx_t row) { return std::string(StringAt(vector, row)); }

class Stream final : public TextStream {
 public:
  Stream(Prepared prepared, std::unique_ptr<QueryResult> result) : prepared_(std::move(prepared)), result_(std::move(result)) {
    const idx_t count = duckdb_column_count(result_->get());
    for (idx_t i = 0; i < count; ++i) names_.emplace_back(duckdb_column_name(result_->get(), i));
  }
  const std::vector<std::string>& names() const override { return names_; }
  Result<std::size_t> Next() override {
    chunk_ = DataChunk(duckdb_fetch_chunk(*result_->get()));
    if (!chunk_.get()) {
      if (const char* error = duckdb_result_error(result_->get()))
        return tl::make_unexpected(ToError(error, duckdb_result_error_type(result_->get())));
      return std::size_t{0};
    }
    vectors_.clear();
    for (idx_t i = 0; i < names_.size(); ++i) vectors_.push_back(duckdb_data_chunk_get_vector(chunk_.get(), i));
    return static_cast<std::size_t>(duckdb_data_chunk_get_size(chunk_.get()));
  }
  std::optional<std::string_view> at(std::size_t column, std::size_t row) const override {
    if (!Valid(vectors_[column], row)) return std::nullopt;
    return StringAt(vectors_[column], row);
  }

 private:
  Prepared prepared_;
  std::unique_ptr<QueryResult> result_;
  DataChunk chunk_;
  std::vector<std::string> names_;
  std::vector<duckdb_vector> vectors_;
};

class CConnection final : public Connection {
 public:
  explicit CConnection(duckdb_connection handle) : handle_(handle) {}
  ~CConnection() override { duckdb_disconnect(&handle_); }

  Status Execute(const std::string& sql, const std::vector<Value>& parameters) override {
    QueryResult result;
    if (parameters.empty()) {
      if (duckdb_query(handle_, sql.c_str(), result.get()) == DuckDBError) return tl::make_unexpected(ErrorOf(result));
      return {};
    }
    ASSIGN(const Prepared prepared, Prepare(sql, parameters));
    if (duckdb_execute_prepared(prepared.get(), result.get()) == DuckDBError) return tl::make_unexpected(ErrorOf(result));
    return {};
  }

  Result<Rows> Query(const std::string& sql, const std::vector<Value>& parameters) override {
    QueryResult result;
    if (parameters.empty()) {
      if (duckdb_query(handle_, sql.c_str(), result.get()) == DuckDBError) return tl::make_unexpected(ErrorOf(result));
    } else {
      ASSIGN(const Prepared prepared, Prepare(sql, parameters));
      if (duckdb_execute_prepared(prepared.get(), result.get()) == DuckDBError) return tl::make_unexpected(ErrorOf(result));
    }
    Rows out;
    const idx_t columns = duckdb_column_count(result.get());
    std::vector<LogicalType> types;
    for (idx_t c = 0; c < columns; ++c) {
      out.names.emplace_back(duckdb_column_name(result.get(), c));
      types.emplace_back(duckdb_column_logical_type(result.get(), c));
    }
    while (true) {
      const DataChunk chunk(duckdb_fetch_chunk(*result.get()));
      if (!chunk.get()) {
        if (const char* error = duckdb_result_error(result.get()))
          return tl::make_unexpected(ToError(error, duckdb_result_error_type(result.get())));
        return out;
      }
      const idx_t size = duckdb_data_chunk_get_size(chunk.get());
      const std::size_t base = out.rows.size();
      out.rows.resize(base + size, std::vector<std::optional<std::string>>(columns));
      for (idx_t c = 0; c < columns; ++c) {
        const duckdb_vector vector = duckdb_data_chunk_get_vector(chunk.get(), c);
        for (idx_t r = 0; r < size; ++r) {
          if (!Valid(vector, r)) continue;
          std::string text;
          if (!ValueText(vector, types[c].get(), r, text))
            return Fail(Code::kInternal, "column \"{}\" of a query must be cast to VARCHAR", out.names[c]);
          out.rows[base + r][c] = std::move(text);
        }
      }
    }
  }

  Result<std::vector<WrittenFile>> Copy(const std::string& sql) override {
    QueryResult result;
    if (duckdb_query(handle_, sql.c_str(), result.get()) == DuckDBError) return tl::make_unexpected(ErrorOf(result));
    if (duckdb_column_count(result.get()) != 6) return Fail(Code::kInternal, "a COPY gave no statistics");
    std::vector<WrittenFile> files;
    while (true) {
      const DataChunk chunk(duckdb_fetch_chunk(*result.get()));
      if (!chunk.get()) return files;
      const auto column = [&](idx_t n) { return duckdb_data_chunk_get_vector(chunk.get(), n); };
      const auto number = [&](idx_t n, idx_t r) { return static_cast<std::int64_t*>(duckdb_vector_get_data(column(n)))[r]; };
      for (idx_t r = 0; r < duckdb_data_chunk_get_size(chunk.get()); ++r) {
        WrittenFile& file = files.emplace_back();
        file.path = TextAt(column(0), r);
        file.records = number(1, r);
        file.bytes = number(2, r);
        file.footer_bytes = Valid(column(3), r) ? number(3, r) : 0;
        file.columns = MapAt<std::map<std::string, std::string>>(
            column(4), r, [](duckdb_vector values, idx_t i) { return MapAt<std::string>(values, i, TextAt); });
        file.partition = MapAt<std::string>(column(5), r, TextAt);
      }
    }
  }

  Result<std::unique_ptr<TextStream>> Stream(const std::string& sql, const std::vector<Value>& parameters) override {
    ASSIGN(Prepared prepared, Prepare(sql, parameters));
    Pending pending;
    if (duckdb_pending_prepared_streaming(prepared.get(), pending.out()) == DuckDBError)
      return tl::make_unexpected(ToError(duckdb_pending_error(pending.get())));
    auto result = std::make_unique<QueryResult>();
    if (duckdb_execute_pending(pending.get(), result->get()) == DuckDBError) return tl::make_unexpected(ErrorOf(*result));
    const idx_t columns = duckdb_column_count(result->get());
    for (idx_t c = 0; c < columns; ++c)
      if (duckdb_column_type(result->get(), c) != DUCKDB_TYPE_VARCHAR)
        return Fail(Code::kInternal, "column \"{}\" of a stream must be cast to VARCHAR", duckdb_column_name(result->get(), c));
    return std::unique_ptr<TextStream>(new engine::Stream(std::move(prepared), std::move(result)));
  }

  Result<std::vector<std::pair<std::string, std::string>>> Describe(const std::string& sql) override {
    ASSIGN(const Rows rows, Query("DESCRIBE " + sql, {}));
    std::vector<std::pair<std::string, std::string>> out;
    for (std::size_t r = 0; r < rows.size(); ++r) out.emplace_back(rows.text(r, 0), rows.text(r, 1));
    return out;
  }

  void Interrupt() override { duckdb_interrupt(handle_); }
  double progress() override { return duckdb_query_progress(handle_).percentage; }

 private:
  static Error ErrorOf(QueryResult& result) {
    return ToError(duckdb_result_error(result.get()), duckdb_result_error_type(result.get()));
  }

  Result<Prepared> Prepare(const std::string& sql, const std::vector<Value>& parameters) {
    Prepared prepared;
    if (duckdb_prepare(handle_, sql.c_str(), prepared.out()) == DuckDBError)
      return tl::make_unexpected(ToError(duckdb_prepare_error(prepared.get())));
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const idx_t n = i + 1;
      duckdb_state state = DuckDBSuccess;
      std::visit(
          [&](const auto& value) {
            using T = std::decay_t<decltype(value)>;
            if constexpr (std::is_same_v<T, std::monostate>) state = duckdb_bind_null(prepared.get(), n);
            else if constexpr (std::is_same_v<T, bool>) state = duckdb_bind_boolean(prepared.get(), n, value);
            else if constexpr (std::is_same_v<T, std::int64_t>) state = duckdb_bind_int64(prepared.get(), n, value);
            else if constexpr (std::is_same_v<T, double>) state = duckdb_bind_double(prepared.get(), n, value);
            else state = duckdb_bind_varchar_length(prepared.get(), n, value.data(), value.size());
          },
          parameters[i]);
      if (state == DuckDBError) return Fail(Code::kInvalid, "parameter {} could not be bound", n);
    }
    return prepared;
  }

  duckdb_connection handle_;
};

}  // namespace

Error ToError(const char* text, duckdb_error_type type) {
  const std::string message = WithoutStatement(text ? text : "DuckDB gave no reason");
  return Error{CodeOf(message, type), message, {}, {}, {}};
}

Result<std::unique_ptr<Connection>> MakeConnection(duckdb_database database) {
  duckdb_connection handle = nullptr;
  if (duckdb_connect(database, &handle) == DuckDBError) return Fail(Code::kInternal, "no connection to DuckDB");
  return std::unique_ptr<Connection>(std::make_unique<CConnection>(handle));
}

}  // namespace nano::engine
