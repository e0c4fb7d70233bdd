// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Writes Avro object container files whose schema keeps every attribute (`field-id`, `logicalType`, …) as given, as
/// Iceberg's manifests need it. The bytes depend on the input only. Pure functions of memory; an object is used by one
/// thread.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace nano::wire {

/// Appends values in Avro's binary form; the caller follows the schema.
class AvroEncoder {
 public:
  void Boolean(bool value) { bytes_.push_back(value ? '\1' : '\0'); }
  /// int and long are one form.
  void Long(std::int64_t value);
  /// string and bytes are one form.
  void Bytes(std::string_view value);
  void Fixed(std::string_view value) { bytes_.append(value); }
  /// The branch of a union ["null", T]; after Present() follows the value.
  void Null() { Long(0); }
  void Present() { Long(1); }
  /// An array is one block: its items follow, then EndItems(). Nothing to call Items() for where it is empty.
  void Items(std::size_t count) { Long(static_cast<std::int64_t>(count)); }
  void EndItems() { Long(0); }

  const std::string& bytes() const { return bytes_; }
  void Clear() { bytes_.clear(); }

 private:
  std::string bytes_;
};

/// A container with the codec deflate.
class AvroFile {
 public:
  /// `schema` is JSON, kept byte for byte; `metadata` are the file's key-value pairs besides.
  AvroFile(std::string_view schema, const std::vector<std::pair<std::string, std::string>>& metadata);
  /// Adds one record that an AvroEncoder made.
  Status Append(std::string_view record);
  /// The whole file. Nothing may be added after it.
  Result<std::string> Finish();

 private:
  Status EndBlock();

  std::string sync_, file_, block_;
  std::int64_t records_ = 0;
};

}  // namespace nano::wire
