// SPDX-License-Identifier: Apache-2.0
#include "wire/postgres_type.h"

#include <set>

namespace nano::wire {
namespace {

constexpr int kDeepestType = 16;

/// `numeric(12,2)` and `bit(8)`, whose modifiers tell more than how a value is written.
std::string NameWithModifier(const std::string& name, std::int32_t modifier) {
  constexpr std::int32_t kHeader = 4;   // numeric's modifier counts from there
  if (name == "numeric" && modifier >= kHeader) {
    const std::int32_t bits = modifier - kHeader;
    const std::int32_t scale = ((bits & 0x7ff) ^ 1024) - 1024;
    return fmt::format("numeric({},{})", (bits >> 16) & 0xffff, scale);
  }
  if (name == "bit" && modifier > 0) return fmt::format("bit({})", modifier);
  return name;
}

}  // namespace

std::vector<std::uint32_t> PgTypes::Missing() const {
  std::set<std::uint32_t> missing;
  const auto need = [&](std::uint32_t oid) {
    if (!Knows(oid)) missing.insert(oid);
  };
  for (const auto& [oid, type] : types_) {
    if (type.kind == PgType::Kind::kArray || type.kind == PgType::Kind::kDomain) need(type.of);
    for (const auto& field : type.fields) need(field.type);
  }
  return {missing.begin(), missing.end()};
}

std::string PgTypes::SchemaMembers(std::uint32_t oid, std::int32_t modifier, int depth) const {
  const auto found = types_.find(oid);
  const auto plain = [](const std::string& name) { return fmt::format(R"("type":"{}","name":{})", kPostgresField, Escape(name)); };
  if (found == types_.end() || depth > kDeepestType) return plain("text");
  const PgType& type = found->second;
  switch (type.kind) {
    case PgType::Kind::kBase: return plain(NameWithModifier(type.name, modifier));
    case PgType::Kind::kDomain: return SchemaMembers(type.of, type.modifier, depth + 1);
    case PgType::Kind::kArray: {
      const auto item = types_.find(type.of);
      const bool semicolon = item != types_.end() && item->second.delimiter == ';';
      return plain("array") + (semicolon ? R"(,"parameters":{"delimiter":";"})" : "") + ",\"fields\":[{" + SchemaMembers(type.of, modifier, depth + 1) + "}]";
    }
    case PgType::Kind::kComposite: {
      std::string fields;
      for (const auto& field : type.fields)
        fields += fmt::format("{}{{\"field\":{},{}}}", fields.empty() ? "" : ",", Escape(field.name), SchemaMembers(field.type, field.modifier, depth + 1));
      return plain("composite") + ",\"fields\":[" + fields + "]";
    }
  }
  return plain("text");
}

std::string PgTypes::FieldSchema(std::string_view field, std::uint32_t oid, std::int32_t modifier) const {
  return fmt::format("{{\"field\":{},{}}}", Escape(field), SchemaMembers(oid, modifier, 0));
}

PostgresType PgTypes::TypeOf(std::uint32_t oid, std::int32_t modifier) const {
  auto found = types_.find(oid);
  for (int depth = 0; found != types_.end() && found->second.kind == PgType::Kind::kDomain && depth < kDeepestType; ++depth) {
    modifier = found->second.modifier;
    found = types_.find(found->second.of);
  }
  if (found == types_.end()) return PostgresType::kText;
  switch (found->second.kind) {
    case PgType::Kind::kArray: return PostgresType::kArray;
    case PgType::Kind::kComposite: return PostgresType::kComposite;
    default: return PostgresTypeOf(NameWithModifier(found->second.name, modifier));
  }
}

}  // namespace nano::wire
