// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Rows of ours, scanned by DuckDB as `nano_rows(<handle>)`. A RowSource is shared by the threads of one scan; each
/// opens its own RowScan, which fills one chunk of vectors at a time. Projection is pushed down: Open() is told the
/// columns that are wanted, and a chunk has just these, in that order.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/data_type.h"
#include "base/result.h"

namespace nano::engine {

/// Rows in one chunk, at most (DuckDB's vector size).
constexpr std::size_t kChunkRows = 2048;

/// A column of a chunk that is being filled. Thin: a handle of DuckDB's.
class Vector {
 public:
  explicit Vector(void* handle) : handle_(handle) {}

  /// The values, laid out as DuckDB does: bool, int32, int64, float, double, int128 as {uint64, int64},
  /// date int32 days, time/timestamp/timestamptz int64 µs, decimal int16/int32/int64/int128 by its width.
  template <class T>
  T* data() { return static_cast<T*>(Data()); }
  void SetNull(std::size_t row);
  /// Copies text or bytes into the vector. The text must be valid UTF-8 where the column is VARCHAR.
  void SetString(std::size_t row, std::string_view bytes);
  /// Of a struct: its n-th field. Of a list: its elements; of a map: a struct of key and value.
  Vector Child(std::size_t n);
  /// Of a list or a map: makes room for `count` elements in all and says where those of `row` lie.
  void ReserveElements(std::size_t count);
  void SetList(std::size_t row, std::size_t offset, std::size_t length);
  std::size_t elements() const;
  void SetElements(std::size_t count);

 private:
  void* Data();
  void* handle_;
};

/// What the threads of one scan share, to divide the rows among them; 0 when the scan begins.
using Cursor = std::shared_ptr<std::atomic<std::size_t>>;

class RowScan {
 public:
  virtual ~RowScan() = default;
  /// Fills the vectors with up to kChunkRows rows; 0 at the end.
  virtual Result<std::size_t> Fill(std::vector<Vector>& columns) = 0;
};

class RowSource {
 public:
  struct Column {
    std::string name;
    DataType type;
  };

  virtual ~RowSource() = default;
  virtual const std::vector<Column>& columns() const = 0;
  /// How many threads may scan at once.
  virtual std::size_t max_threads() const { return 1; }
  /// How many rows there are, if known; DuckDB plans with it.
  virtual std::uint64_t cardinality() const { return 0; }
  /// One thread's part of a scan. A source may be scanned several times, also at once, each scan with a cursor of its own.
  virtual Result<std::unique_ptr<RowScan>> Open(std::vector<std::size_t> wanted, const Cursor& cursor) = 0;
};

}  // namespace nano::engine
