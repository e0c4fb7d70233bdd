// SPDX-License-Identifier: Apache-2.0
#include "change/key.h"

#include <bit>
#include <cmath>
#include <cstdint>

namespace nano {
namespace {

enum Tag : char { kNullTag = 0, kBooleanTag, kInt32Tag, kInt64Tag, kInt128Tag, kFloatTag, kDoubleTag, kTextTag, kListTag };

void Big(std::uint64_t value, int bytes, std::string& out) {
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>((value >> (8 * i)) & 0xff);
}

}  // namespace

void AppendKey(const DataType& type, const wire::Cell& cell, std::string& out) {
  if (cell.kind != wire::Cell::Kind::kValue) {
    out += kNullTag;
    return;
  }
  switch (type.kind) {
    case TypeKind::kBoolean:
      out += kBooleanTag;
      out += cell.boolean ? '\1' : '\0';
      return;
    case TypeKind::kInt:
    case TypeKind::kDate:
      out += kInt32Tag;
      Big(static_cast<std::uint32_t>(cell.i32), 4, out);
      return;
    case TypeKind::kBigint:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestamptz:
      out += kInt64Tag;
      Big(static_cast<std::uint64_t>(cell.i64), 8, out);
      return;
    case TypeKind::kDecimal:
    case TypeKind::kUuid: {
      out += kInt128Tag;
      const auto value = static_cast<unsigned __int128>(cell.i128);
      Big(static_cast<std::uint64_t>(value >> 64), 8, out);
      Big(static_cast<std::uint64_t>(value), 8, out);
      return;
    }
    case TypeKind::kFloat: {
      out += kFloatTag;  // -0.0 equals 0.0, every NaN equals every other
      const float value = cell.f32 == 0.0F ? 0.0F : (std::isnan(cell.f32) ? std::nanf("") : cell.f32);
      Big(std::bit_cast<std::uint32_t>(value), 4, out);
      return;
    }
    case TypeKind::kDouble: {
      out += kDoubleTag;
      const double value = cell.f64 == 0.0 ? 0.0 : (std::isnan(cell.f64) ? std::nan("") : cell.f64);
      Big(std::bit_cast<std::uint64_t>(value), 8, out);
      return;
    }
    case TypeKind::kString:
    case TypeKind::kJson:
    case TypeKind::kBinary:
      out += kTextTag;
      Big(cell.text.size(), 8, out);
      out += cell.text;
      return;
    case TypeKind::kList:
    case TypeKind::kStruct:
    case TypeKind::kMap:
      out += kListTag;
      Big(cell.children.size(), 8, out);
      for (std::size_t i = 0; i < cell.children.size(); ++i) {
        const std::size_t child = type.kind == TypeKind::kList ? 0 : type.kind == TypeKind::kMap ? i % 2 : i;
        AppendKey(type.children[child], cell.children[i], out);
      }
  }
}

}  // namespace nano
