// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The fields of a stream as they are seen, each with the narrowest type that is known to hold all its values: begun with
/// what the source declares, widened where a value does not fit. Types only get wider. Pure.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/data_type.h"

namespace nano::discover {

struct SeenField {
  std::string name;
  DataType type;
  bool typed = false;           ///< false: only NULL was seen, and nothing was declared
  std::string description;
  std::string widened_by;       ///< why the declared type does not do: what the first value that did not fit is told
};

struct SeenStream {
  std::string name, description;
  std::vector<SeenField> fields;
  std::vector<std::string> key;            ///< fields
  bool key_is_null = false;                ///< a record has no value in it
  std::uint64_t records = 0;

  SeenField& field(std::string_view field_name);

  /// What the source declares of a field; with a type that it had not declared before, the one that holds both.
  void Declare(std::string_view field_name, const DataType& type);
  /// A value. `fits` says whether a type takes it, and why not. `inferred`: its type, should nothing be declared.
  using Fits = std::function<bool(const DataType& type, std::string& reason)>;
  void See(std::string_view field_name, std::string_view token, const DataType& inferred, const Fits& fits);

 private:
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

/// The narrowest type of the language that holds the values of both.
DataType Wider(const DataType& a, const DataType& b);

}  // namespace nano::discover
