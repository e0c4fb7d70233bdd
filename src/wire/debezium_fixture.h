// SPDX-License-Identifier: Apache-2.0
#pragma once
/// For tests: the kept captures of test/captures/debezium, and cells as PostgreSQL would write them.

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "wire/debezium.h"
#include "wire/debezium_number.h"
#include "wire/debezium_time.h"

namespace nano::wire {

inline std::string CaptureFolder() { return std::string(NANO_SOURCE_DIR) + "/test/captures/debezium/"; }

inline std::string Unpacked(const std::string& path) {
  std::string text;
  std::FILE* const pipe = ::popen(("gzip -dc '" + path + "'").c_str(), "r");
  if (pipe == nullptr) return text;
  char buffer[65536];
  while (const std::size_t got = std::fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, got);
  EXPECT_EQ(::pclose(pipe), 0) << path;
  return text;
}

/// All messages of a kept capture.
inline std::vector<DebeziumMessage> Capture(const std::string& name) {
  const std::string text = Unpacked(CaptureFolder() + name + ".jsonl.gz");
  EXPECT_FALSE(text.empty()) << name;
  std::vector<DebeziumMessage> all;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    auto messages = SplitDebeziumLine(std::string_view(text).substr(at, end - at));
    EXPECT_TRUE(messages) << name;
    if (messages) std::move(messages->begin(), messages->end(), std::back_inserter(all));
    at = end + 1;
  }
  return all;
}

inline DebeziumField Value(const std::vector<DebeziumField>& fields, std::string_view name) {
  for (const DebeziumField& field : fields)
    if (field.name == name) return field;
  return {};
}

inline std::string DecimalCellText(Int128 value, int scale) {
  std::string bytes;
  for (int shift = 120; shift >= 0; shift -= 8) bytes += static_cast<char>(static_cast<unsigned char>(value >> shift));
  return DecimalText(bytes, scale);
}

inline std::string CellText(const DataType& type, const Cell& cell) {
  switch (cell.kind) {
    case Cell::Kind::kAbsent: return "absent";
    case Cell::Kind::kNull: return "NULL";
    case Cell::Kind::kUnchanged: return "unchanged";
    case Cell::Kind::kValue: break;
  }
  switch (type.kind) {
    case TypeKind::kBoolean: return cell.boolean ? "true" : "false";
    case TypeKind::kInt: return std::to_string(cell.i32);
    case TypeKind::kBigint: return std::to_string(cell.i64);
    case TypeKind::kFloat: return FloatText(cell.f32);
    case TypeKind::kDouble: return DoubleText(cell.f64);
    case TypeKind::kDecimal: return DecimalCellText(cell.i128, type.scale);
    case TypeKind::kString: case TypeKind::kJson: return std::string(cell.text);
    case TypeKind::kBinary: return ByteaText(cell.text);
    case TypeKind::kDate: return DateText(cell.i32);
    case TypeKind::kTime: return TimeText(cell.i64);
    case TypeKind::kTimestamp: return TimestampText(cell.i64);
    case TypeKind::kTimestamptz: {
      const std::string text = TimestampText(cell.i64);
      return text.ends_with(" BC") ? text.substr(0, text.size() - 3) + "+00 BC" : text + "+00";
    }
    case TypeKind::kUuid: {
      std::string text;
      for (int shift = 120; shift >= 0; shift -= 8) {
        text += fmt::format("{:02x}", static_cast<unsigned>(static_cast<unsigned char>(cell.i128 >> shift)));
        if (shift == 96 || shift == 80 || shift == 64 || shift == 48) text += '-';
      }
      return text;
    }
    case TypeKind::kList: case TypeKind::kStruct: case TypeKind::kMap: break;
  }
  const bool map = type.kind == TypeKind::kMap, list = type.kind == TypeKind::kList;
  std::string text = list ? "[" : "{";
  for (std::size_t i = 0; i < cell.children.size(); ++i) {
    if (i != 0) text += map && i % 2 == 1 ? ":" : ",";
    text += CellText(type.children[list ? 0 : map ? i % 2 : i], cell.children[i]);
  }
  return text + (list ? "]" : "}");
}

}  // namespace nano::wire
