// SPDX-License-Identifier: Apache-2.0
#include "land/singer_row_reader.h"

namespace nano::land {
namespace {

std::vector<wire::FieldSpec> FieldsOf(const TablePlan& plan) {
  std::vector<wire::FieldSpec> fields;
  for (const auto& input : plan.inputs) fields.push_back({input.path, input.type});
  return fields;
}

}  // namespace

SingerRowReader::SingerRowReader(const TablePlan& plan)
    : classifier_(wire::SingerLineClassifier::Utf8::kTrusted), reader_(FieldsOf(plan), plan.special) {}

bool SingerRowReader::Read(std::string_view line, Arena& arena, std::span<wire::Cell> cells, std::string_view& reason) {
  const auto classified = classifier_.Classify(line);
  std::string_view text = line.substr(std::min(classified.record, line.size()));
  if (classified.kind == wire::SingerMessage::Kind::kRecord && reader_.Read(text, arena, cells, misfits_, unknown_) &&
      wire::EndsSingerRecord(reader_.rest()))
    return true;
  const auto message = wire::ParseSingerLine(line, arena);  // an unusual line
  if (message.kind == wire::SingerMessage::Kind::kRecord && reader_.Read(message.record, arena, cells, misfits_, unknown_)) return true;
  reason = message.reason.empty() ? "is no JSON object" : message.reason;
  return false;
}

}  // namespace nano::land
