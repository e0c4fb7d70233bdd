// SPDX-License-Identifier: Apache-2.0
#include "ingest/postgres_slot_watch.h"

#include <fmt/format.h>

namespace nano::ingest {
namespace {

/// Of what the slot may hold back, the part from which on people are told.
constexpr double kWarnsFrom = 0.5;

std::string Megabytes(std::int64_t bytes) { return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6); }

}  // namespace

SlotWatch::SlotWatch(const contract::Source& source, const std::string& warehouse) : source_(source), name_(SlotName(source, warehouse)) {}

Result<SlotStanding> SlotWatch::Look() {
  if (!connection_) {
    ASSIGN(const Secret url, source_.postgres.url.Resolve());
    ASSIGN(connection_, io::Postgres::Connect(url, io::Postgres::Mode::kQueries));
  }
  SlotStanding out;
  auto slot = FindSlot(*connection_, name_);
  if (!slot) {
    connection_.reset();
    return tl::make_unexpected(std::move(slot).error());
  }
  out.slot = *std::move(slot);
  if (out.slot.state != SlotState::kThere) return out;
  const auto& most = source_.postgres.max_wal_bytes;
  if (most && out.slot.held_bytes > *most) {
    TRY(SeizeSlot(*connection_, name_));
    out.dropped = fmt::format("replication slot \"{}\" was dropped, as it held back {} of log, more than `max_wal` lets it", name_, Megabytes(out.slot.held_bytes));
    out.slot.state = SlotState::kMissing;
  } else if (most && static_cast<double>(out.slot.held_bytes) > kWarnsFrom * static_cast<double>(*most)) {
    out.warning = fmt::format("replication slot \"{}\" holds back {} of log; at {} it is dropped (`max_wal`)", name_, Megabytes(out.slot.held_bytes), Megabytes(*most));
  } else if (out.slot.safe_bytes && static_cast<double>(out.slot.held_bytes) > kWarnsFrom * static_cast<double>(out.slot.held_bytes + *out.slot.safe_bytes)) {
    out.warning = fmt::format("replication slot \"{}\" holds back {} of log; the server gives it up after {} more (max_slot_wal_keep_size)", name_,
                              Megabytes(out.slot.held_bytes), Megabytes(*out.slot.safe_bytes));
  }
  return out;
}

}  // namespace nano::ingest
