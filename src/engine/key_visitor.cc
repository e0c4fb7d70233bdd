// SPDX-License-Identifier: Apache-2.0
#include "engine/key_visitor.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "engine/handles.h"
#include "engine/key_visitors.h"

namespace nano::engine {
namespace {

constexpr std::size_t kTags = 4;   // the handle and three numbers stand before the key

/// Appends the values of a column to the bytes of each row's key.
class KeyBytes {
 public:
  explicit KeyBytes(std::size_t rows) : rows_(rows) {}

  bool Add(duckdb_vector vector) {
    const LogicalType type(duckdb_vector_get_column_type(vector));
    void* data = duckdb_vector_get_data(vector);
    const std::uint64_t* validity = duckdb_vector_get_validity(vector);
    switch (duckdb_get_type_id(type.get())) {
      case DUCKDB_TYPE_BOOLEAN: return Fixed<std::uint8_t>(data, validity);
      case DUCKDB_TYPE_INTEGER:
      case DUCKDB_TYPE_DATE: return Fixed<std::int32_t>(data, validity);
      case DUCKDB_TYPE_BIGINT:
      case DUCKDB_TYPE_TIME:
      case DUCKDB_TYPE_TIMESTAMP:
      case DUCKDB_TYPE_TIMESTAMP_TZ: return Fixed<std::int64_t>(data, validity);
      case DUCKDB_TYPE_UUID:
      case DUCKDB_TYPE_HUGEINT: return Fixed<duckdb_hugeint>(data, validity);
      case DUCKDB_TYPE_FLOAT: return Floating<float>(data, validity);
      case DUCKDB_TYPE_DOUBLE: return Floating<double>(data, validity);
      case DUCKDB_TYPE_VARCHAR:
      case DUCKDB_TYPE_BLOB: return Text(static_cast<duckdb_string_t*>(data), validity);
      case DUCKDB_TYPE_DECIMAL:
        switch (duckdb_decimal_internal_type(type.get())) {
          case DUCKDB_TYPE_SMALLINT: return Fixed<std::int16_t>(data, validity);
          case DUCKDB_TYPE_INTEGER: return Fixed<std::int32_t>(data, validity);
          case DUCKDB_TYPE_BIGINT: return Fixed<std::int64_t>(data, validity);
          default: return Fixed<duckdb_hugeint>(data, validity);
        }
      default: return false;
    }
  }

  /// The hashes of all rows. A key of one fixed column is hashed where it lies.
  void Hash(std::uint64_t seed, std::vector<KeyHash>& out) const {
    out.resize(rows_);
    for (std::size_t row = 0; row < rows_; ++row) {
      const std::size_t begin = row == 0 ? 0 : ends_[row - 1];
      const XXH128_hash_t hash = XXH3_128bits_withSeed(bytes_.data() + begin, ends_[row] - begin, seed);
      out[row] = {hash.high64, hash.low64};
    }
  }

  /// Puts the columns' parts together, row by row.
  void Join() {
    ends_.assign(rows_, 0);
    std::size_t size = 0;
    for (const Part& part : parts_) size += part.bytes.size();
    bytes_.clear();
    bytes_.reserve(size);
    for (std::size_t row = 0; row < rows_; ++row) {
      for (const Part& part : parts_) {
        const std::size_t begin = row == 0 ? 0 : part.ends[row - 1];
        bytes_.append(part.bytes, begin, part.ends[row] - begin);
      }
      ends_[row] = bytes_.size();
    }
  }

 private:
  struct Part {
    std::string bytes;
    std::vector<std::size_t> ends;
  };

  static bool Valid(const std::uint64_t* validity, std::size_t row) {
    return validity == nullptr || ((validity[row / 64] >> (row % 64)) & 1) != 0;
  }
  /// A tag first, so that NULL is no value and two texts are not one.
  template <class Put>
  bool Each(const std::uint64_t* validity, Put put) {
    Part& part = parts_.emplace_back();
    part.ends.reserve(rows_);
    for (std::size_t row = 0; row < rows_; ++row) {
      if (Valid(validity, row)) {
        part.bytes += '\1';
        put(row, part.bytes);
      } else {
        part.bytes += '\0';
      }
      part.ends.push_back(part.bytes.size());
    }
    return true;
  }
  template <class T>
  bool Fixed(const void* data, const std::uint64_t* validity) {
    return Each(validity, [&](std::size_t row, std::string& out) { out.append(static_cast<const char*>(data) + row * sizeof(T), sizeof(T)); });
  }
  template <class T>
  bool Floating(const void* data, const std::uint64_t* validity) {
    return Each(validity, [&](std::size_t row, std::string& out) {
      T value = static_cast<const T*>(data)[row];
      if (value == T(0)) value = T(0);
      if (std::isnan(value)) value = std::numeric_limits<T>::quiet_NaN();
      out.append(reinterpret_cast<const char*>(&value), sizeof value);
    });
  }
  bool Text(duckdb_string_t* strings, const std::uint64_t* validity) {
    return Each(validity, [&](std::size_t row, std::string& out) {
      const std::uint64_t size = duckdb_string_t_length(strings[row]);
      out.append(reinterpret_cast<const char*>(&size), sizeof size);
      out.append(duckdb_string_t_data(&strings[row]), size);
    });
  }

  std::size_t rows_;
  std::vector<Part> parts_;
  std::string bytes_;
  std::vector<std::size_t> ends_;
};

void Visit(duckdb_function_info info, duckdb_data_chunk input, duckdb_vector output) {
  auto& visitors = *static_cast<KeyVisitors*>(duckdb_scalar_function_get_extra_info(info));
  const std::size_t rows = duckdb_data_chunk_get_size(input);
  const std::size_t columns = duckdb_data_chunk_get_column_count(input);
  if (rows == 0) return;
  if (columns <= kTags) return duckdb_scalar_function_set_error(info, "nano_visit: there is no key");
  const auto numbers = [&](std::size_t n) {
    return std::span<std::int64_t>(static_cast<std::int64_t*>(duckdb_vector_get_data(duckdb_data_chunk_get_vector(input, n))), rows);
  };
  const auto visitor = visitors.Find(numbers(0)[0]);
  if (!visitor) return duckdb_scalar_function_set_error(info, "nano_visit: no such handle");
  KeyBytes bytes(rows);
  for (std::size_t c = kTags; c < columns; ++c)
    if (!bytes.Add(duckdb_data_chunk_get_vector(input, c)))
      return duckdb_scalar_function_set_error(info, "nano_visit: a column of this type can't be part of a key");
  bytes.Join();
  std::vector<KeyHash> keys;
  bytes.Hash(visitor->seed(), keys);
  visitor->Visit(keys, numbers(1), numbers(2), numbers(3), {static_cast<std::int64_t*>(duckdb_vector_get_data(output)), rows});
}

}  // namespace

Status RegisterVisitFunction(duckdb_connection connection, KeyVisitors& visitors) {
  duckdb_scalar_function function = duckdb_create_scalar_function();
  duckdb_scalar_function_set_name(function, "nano_visit");
  const LogicalType bigint(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT)), any(duckdb_create_logical_type(DUCKDB_TYPE_ANY));
  for (std::size_t i = 0; i < kTags; ++i) duckdb_scalar_function_add_parameter(function, bigint.get());
  duckdb_scalar_function_set_varargs(function, any.get());
  duckdb_scalar_function_set_return_type(function, bigint.get());
  duckdb_scalar_function_set_special_handling(function);
  duckdb_scalar_function_set_volatile(function);
  duckdb_scalar_function_set_extra_info(function, &visitors, nullptr);
  duckdb_scalar_function_set_function(function, Visit);
  const auto state = duckdb_register_scalar_function(connection, function);
  duckdb_destroy_scalar_function(&function);
  if (state == DuckDBError) return Fail(Code::kInternal, "function nano_visit could not be registered");
  return {};
}

}  // namespace nano::engine
