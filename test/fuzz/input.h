// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What every fuzz target needs: its bytes as text in memory of exactly that size (so that one byte too far is seen), and
/// the types that values are read as.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "base/data_type.h"

namespace nano::fuzz {

/// The bytes of one run, copied: nothing readable stands before or after them.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : bytes_(new char[size]), size_(size) {
    if (size != 0) std::memcpy(bytes_.get(), data, size);
  }
  std::string_view text() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_;
};

/// Ends the run as a finding: the code's promise does not hold.
inline void Require(bool holds) {
  if (!holds) std::abort();
}

/// One of each kind of type, and those that nest.
inline const std::vector<DataType>& Types() {
  static const std::vector<DataType> types = [] {
    std::vector<DataType> made;
    for (const char* text : {"boolean", "int", "bigint", "float", "double", "decimal(18,2)", "decimal(38,10)", "string", "binary", "uuid", "date",
                             "time", "timestamp", "timestamptz", "json", "list<int>", "list<string>", "map<string, string>",
                             "map<int, timestamp>", "struct<a: int, b: list<string>>", "list<struct<x: double, y: date>>"})
      made.push_back(ParseDataType(text).value());
    return made;
  }();
  return types;
}

}  // namespace nano::fuzz
