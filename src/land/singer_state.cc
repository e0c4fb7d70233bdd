// SPDX-License-Identifier: Apache-2.0
#include "land/singer_state.h"

#include "base/arena.h"
#include "wire/singer.h"

namespace nano::land {

Result<std::string> SingerState(journal::Reader& reader, Position landed) {
  while (landed > reader.first()) {
    ASSIGN(const journal::BlockPtr block, reader.Read(Position{landed.value - 1}));
    if (!block) break;
    for (std::size_t n = static_cast<std::size_t>(landed.value - block->begin().value); n-- > 0;) {
      const Record record = block->record(n);
      if (record.kind != RecordKind::kState) continue;
      Arena arena;
      const auto message = wire::ParseSingerLine(record.bytes, arena);
      if (!message.value.empty() && message.value != "null" && message.value != "{}") return std::string(message.value);
    }
    landed = block->begin();
  }
  return std::string();
}

}  // namespace nano::land
