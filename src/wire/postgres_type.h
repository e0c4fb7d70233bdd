// SPDX-License-Identifier: Apache-2.0
#pragma once
/// PostgreSQL's types by their oids, as its catalog tells them, and what a schema says of a column: its type's own name for
/// base types, `array` with the item, `composite` with the fields; a domain is the type that it stands for. Pure.

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "wire/postgres_value.h"

namespace nano::wire {

/// A row of pg_type, as far as it matters here.
struct PgType {
  enum class Kind : std::uint8_t { kBase, kArray, kDomain, kComposite };
  struct Field {
    std::string name;
    std::uint32_t type = 0;
    std::int32_t modifier = -1;
  };
  Kind kind = Kind::kBase;
  std::string name = {};          ///< typname
  std::uint32_t of = 0;           ///< of an array its item, of a domain its base type
  std::int32_t modifier = -1;     ///< of a domain: that of its base type
  char delimiter = ',';           ///< between the items of an array of it
  std::vector<Field> fields = {};   ///< of a composite type
};

class PgTypes {
 public:
  void Add(std::uint32_t oid, PgType type) { types_[oid] = std::move(type); }
  bool Knows(std::uint32_t oid) const { return types_.contains(oid); }
  /// Those that are named by known ones and not known themselves.
  std::vector<std::uint32_t> Missing() const;
  /// The schema of a field (wire/debezium_form.h) as JSON. A type that is not known counts as text.
  std::string FieldSchema(std::string_view field, std::uint32_t oid, std::int32_t modifier) const;
  /// What a value of it is.
  PostgresType TypeOf(std::uint32_t oid, std::int32_t modifier) const;

 private:
  std::string SchemaMembers(std::uint32_t oid, std::int32_t modifier, int depth) const;
  std::unordered_map<std::uint32_t, PgType> types_;
};

}  // namespace nano::wire
