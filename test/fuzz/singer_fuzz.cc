// SPDX-License-Identifier: Apache-2.0
// Lines of a Singer stream: both ways to tell what a line is must agree, a SCHEMA gives columns, a RECORD its cells.
#include "input.h"
#include "wire/json_scan.h"
#include "wire/record_reader.h"
#include "wire/singer.h"

using namespace nano;
using namespace nano::wire;
using Kind = SingerMessage::Kind;

namespace {

void ReadRecord(std::string_view record, const SingerSchema& schema) {
  std::vector<FieldSpec> fields;
  for (const auto& property : schema.properties) fields.push_back({{property.name}, property.type});
  std::vector<Cell> cells(fields.size());
  RecordReader reader(std::move(fields), Special::kQuarantine);
  std::vector<RecordReader::Misfit> misfits;
  std::vector<RecordReader::Unknown> unknown;
  Arena arena;
  if (!reader.Read(record, arena, cells, misfits, unknown)) return;
  for (const auto& misfit : misfits) fuzz::Require(misfit.field < cells.size() && !misfit.reason.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Input input(data, size);
  SingerLineClassifier classifier;
  SingerSchema schema;
  std::string_view rest = input.text();
  for (int lines = 0; !rest.empty() && lines < 64; ++lines) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    Arena arena;
    const SingerMessage message = ParseSingerLine(line, arena);
    const auto known = classifier.Classify(line);
    if (known.kind == Kind::kRecord && known.record < line.size()) {
      // A record that was told by its beginning is one, if what follows its object ends it.
      ObjectScanner object(line.substr(known.record));
      std::string_view key, value;
      while (object.Next(key, value)) {
      }
      if (object.complete() && EndsSingerRecord(object.rest()) && message.kind == Kind::kRecord) {
        fuzz::Require(known.stream == message.stream);
        fuzz::Require(message.record.data() == line.data() + known.record);
      }
    }
    if (message.kind == Kind::kUnreadable) fuzz::Require(!message.reason.empty());
    if (message.kind == Kind::kSchema) {
      if (auto read = ParseSingerSchema(message.schema, message.key_properties)) {
        schema = *std::move(read);
        for (const auto& property : schema.properties) fuzz::Require(ParseDataType(ToString(property.type)).value() == property.type);
      }
    }
    if (message.kind == Kind::kRecord) ReadRecord(message.record, schema);
  }
  return 0;
}
