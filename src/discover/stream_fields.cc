// SPDX-License-Identifier: Apache-2.0
#include "discover/stream_fields.h"

#include <algorithm>

namespace nano::discover {
namespace {

DataType Of(TypeKind kind) { return {kind, 0, 0, {}, {}}; }

/// Digits before the point that a whole type has; 0: it is none.
int WholeDigits(const DataType& type) {
  switch (type.kind) {
    case TypeKind::kInt: return 10;
    case TypeKind::kBigint: return 19;
    case TypeKind::kDecimal: return type.width - type.scale;
    default: return 0;
  }
}

bool IsNumber(const DataType& type) { return type.kind == TypeKind::kInt || type.kind == TypeKind::kBigint || type.kind == TypeKind::kDecimal; }

}  // namespace

DataType Wider(const DataType& a, const DataType& b) {
  if (a == b) return a;
  if (IsNumber(a) && IsNumber(b)) {
    if (a.kind != TypeKind::kDecimal && b.kind != TypeKind::kDecimal) return Of(TypeKind::kBigint);
    const int scale = std::max(a.scale, b.scale), width = scale + std::max(WholeDigits(a), WholeDigits(b));
    return width <= 38 ? DataType{TypeKind::kDecimal, static_cast<std::uint8_t>(width), static_cast<std::uint8_t>(scale), {}, {}} : Of(TypeKind::kString);
  }
  if (a.kind == TypeKind::kFloat && b.kind == TypeKind::kDouble) return b;
  if (a.kind == TypeKind::kDouble && b.kind == TypeKind::kFloat) return a;
  return a.nested() || b.nested() || a.kind == TypeKind::kJson || b.kind == TypeKind::kJson ? Of(TypeKind::kJson) : Of(TypeKind::kString);
}

SeenField& SeenStream::field(std::string_view field_name) {
  if (const auto at = by_name_.find(field_name); at != by_name_.end()) return fields[at->second];
  by_name_.emplace(std::string(field_name), fields.size());
  fields.push_back({std::string(field_name), Of(TypeKind::kString), false, {}, {}});
  return fields.back();
}

void SeenStream::Declare(std::string_view field_name, const DataType& type) {
  SeenField& seen = field(field_name);
  seen.type = seen.typed ? Wider(seen.type, type) : type;
  seen.typed = true;
}

void SeenStream::See(std::string_view field_name, std::string_view token, const DataType& inferred, const Fits& fits) {
  SeenField& seen = field(field_name);
  if (token == "null") return;
  if (!seen.typed) {
    seen.type = inferred;
    seen.typed = true;
  }
  std::string reason;
  if (fits(seen.type, reason)) return;
  if (seen.widened_by.empty()) seen.widened_by = reason;
  const DataType wider = Wider(seen.type, inferred);
  seen.type = wider != seen.type && fits(wider, reason) ? wider : Of(fits(Of(TypeKind::kString), reason) && !seen.type.nested() ? TypeKind::kString : TypeKind::kJson);
}

}  // namespace nano::discover
