// SPDX-License-Identifier: Apache-2.0
#include "land/cell_writer.h"

#include <cstring>

#include "base/check.h"

namespace nano::land {
namespace {

using engine::Vector;
using wire::Cell;

/// 128 bits, wherever they lie: a vector promises no alignment of 16.
void WriteWide(wire::Int128 value, Vector& column, std::size_t row) {
  std::memcpy(column.data<char>() + row * sizeof value, &value, sizeof value);
}

void WriteDecimal(int width, wire::Int128 unscaled, Vector& column, std::size_t row) {
  if (width <= 4) column.data<std::int16_t>()[row] = static_cast<std::int16_t>(unscaled);
  else if (width <= 9) column.data<std::int32_t>()[row] = static_cast<std::int32_t>(unscaled);
  else if (width <= 18) column.data<std::int64_t>()[row] = static_cast<std::int64_t>(unscaled);
  else WriteWide(unscaled, column, row);
}

/// A struct that is NULL has NULL fields: readers of a field don't ask its parent.
void WriteNull(const DataType& type, Vector& column, std::size_t row) {
  column.SetNull(row);
  if (type.kind == TypeKind::kStruct) {
    for (std::size_t i = 0; i < type.children.size(); ++i) {
      Vector field = column.Child(i);
      WriteNull(type.children[i], field, row);
    }
  } else if (type.kind == TypeKind::kList || type.kind == TypeKind::kMap) {
    column.SetList(row, column.elements(), 0);
  }
}

/// Makes room for so many elements behind those there are; gives the place of the first.
std::size_t AddElements(Vector& column, std::size_t row, std::size_t count) {
  const std::size_t begin = column.elements();
  column.ReserveElements(begin + count);
  column.SetElements(begin + count);
  column.SetList(row, begin, count);
  return begin;
}

}  // namespace

void WriteCell(const DataType& type, const Cell& cell, Vector& column, std::size_t row) {
  if (cell.kind != Cell::Kind::kValue) return WriteNull(type, column, row);
  switch (type.kind) {
    case TypeKind::kBoolean: column.data<bool>()[row] = cell.boolean; return;
    case TypeKind::kInt:
    case TypeKind::kDate: column.data<std::int32_t>()[row] = cell.i32; return;
    case TypeKind::kBigint:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestamptz: column.data<std::int64_t>()[row] = cell.i64; return;
    case TypeKind::kFloat: column.data<float>()[row] = cell.f32; return;
    case TypeKind::kDouble: column.data<double>()[row] = cell.f64; return;
    case TypeKind::kDecimal: WriteDecimal(type.width, cell.i128, column, row); return;
    // DuckDB's UUIDs sort as signed numbers: the first bit is turned over.
    case TypeKind::kUuid:
      WriteWide(static_cast<wire::Int128>(static_cast<unsigned __int128>(cell.i128) ^ (static_cast<unsigned __int128>(1) << 127)), column, row);
      return;
    case TypeKind::kString:
    case TypeKind::kJson:
    case TypeKind::kBinary: column.SetString(row, cell.text); return;
    case TypeKind::kList: {
      const std::size_t begin = AddElements(column, row, cell.children.size());
      Vector elements = column.Child(0);
      for (std::size_t i = 0; i < cell.children.size(); ++i) WriteCell(type.children[0], cell.children[i], elements, begin + i);
      return;
    }
    case TypeKind::kMap: {
      const std::size_t begin = AddElements(column, row, cell.children.size() / 2);
      Vector entries = column.Child(0);
      for (std::size_t side = 0; side < 2; ++side) {
        Vector cells = entries.Child(side);
        for (std::size_t i = side; i < cell.children.size(); i += 2) WriteCell(type.children[side], cell.children[i], cells, begin + i / 2);
      }
      return;
    }
    case TypeKind::kStruct:
      NANO_CHECK(cell.children.size() == type.children.size());
      for (std::size_t i = 0; i < type.children.size(); ++i) {
        Vector field = column.Child(i);
        WriteCell(type.children[i], cell.children[i], field, row);
      }
      return;
  }
}

}  // namespace nano::land
