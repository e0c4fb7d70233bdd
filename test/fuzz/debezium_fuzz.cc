// SPDX-License-Identifier: Apache-2.0
// Lines of a Debezium capture, whatever transport they are of: taken apart, decoded, every field read as every type.
#include <array>

#include "input.h"
#include "wire/debezium.h"
#include "wire/json_scan.h"

using namespace nano;
using namespace nano::wire;

namespace {

constexpr std::array<std::string_view, 18> kSourceTypes{
    "", "timestamp(3)", "timestamp(6)", "time(3)", "datetime(0)", "bytea", "hex", "base64", "numeric", "bit(3)", "bit(1)", "bit varying",
    "_int4", "hstore", "interval", "point", "json", "io.debezium.time.NanoTimestamp"};

void ReadFields(const std::vector<DebeziumField>& fields, Arena& arena) {
  std::string reason;
  std::size_t number = 0;
  for (const auto& field : fields) {
    if (++number > 48) break;
    Cell cell;
    if (ReadDebezium(InferDebezium(field), field, "", Special::kClamp, arena, cell, reason)) fuzz::Require(cell.kind != Cell::Kind::kAbsent);
    for (std::size_t i = 0; i < fuzz::Types().size(); ++i) {
      reason.clear();
      const auto special = static_cast<Special>(i % 3);
      const bool fits = ReadDebezium(fuzz::Types()[i], field, kSourceTypes[(i + number) % kSourceTypes.size()], special, arena, cell, reason);
      fuzz::Require(fits || !reason.empty());
      if (fits && fuzz::Types()[i].kind == TypeKind::kJson && cell.kind == Cell::Kind::kValue) fuzz::Require(IsJson(cell.text, Bare::kTaken));
    }
    for (const std::string_view source_type : kSourceTypes)
      (void)ReadDebezium(fuzz::Types()[number % fuzz::Types().size()], field, source_type, Special::kNull, arena, cell, reason);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Input input(data, size);
  DebeziumDecoder decoder;
  std::string_view rest = input.text();
  for (int lines = 0; !rest.empty() && lines < 8; ++lines) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const auto messages = SplitDebeziumLine(rest.substr(0, end));
    (void)SplitDebeziumPost({{"X-DEBEZIUM-__OP", std::string(rest.substr(0, std::min<std::size_t>(end, 8)))}}, rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!messages) continue;
    std::size_t taken = 0;
    for (const auto& message : *messages) {
      if (++taken > 16) break;
      Arena arena;
      const auto event = decoder.Decode(message.value, message.has_value, message.key, message.has_key, message.headers, message.topic, arena);
      // What an outline leads to is what the whole reading finds.
      const auto seen = decoder.Decode(message.value, message.has_value, message.key, message.has_key, message.headers, message.topic, arena, DebeziumDecoder::Reading::kOutline);
      fuzz::Require(seen || !event);
      if (const DebeziumOutline outline = seen ? OutlineOf(*seen, message.value) : DebeziumOutline{}; outline.op != '\0') {
        DebeziumEvent rows;
        const bool read = decoder.DecodeRows({}, message.value, outline, message.key, message.has_key, seen->stream, arena, rows);
        fuzz::Require(read || !event);
        if (event) fuzz::Require(rows.op == event->op && rows.after.size() == event->after.size() && rows.before.size() == event->before.size());
      }
      if (!event) continue;
      if (event->kind == DebeziumEvent::Kind::kChange) fuzz::Require(event->op != '\0');
      for (const auto* fields : {&event->before, &event->after, &event->key, &event->old_key, &event->new_key}) ReadFields(*fields, arena);
    }
    decoder.Trim();
  }
  return 0;
}
