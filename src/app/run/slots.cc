// SPDX-License-Identifier: Apache-2.0
#include "app/run/slots.h"

#include <condition_variable>
#include <mutex>

#include "io/log.h"

namespace nano::app {
namespace {

constexpr auto kLookEvery = std::chrono::seconds(5);

}  // namespace

Slots::Slots(Health& health, std::function<std::shared_ptr<const contract::Contract>()> contract, std::function<void(const std::string&, const std::string&)> dropped)
    : health_(health), contract_(std::move(contract)), dropped_(std::move(dropped)), thread_([this](const std::stop_token& stop) { Run(stop); }) {}

void Slots::Run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  while (!wake.wait_for(lock, stop, kLookEvery, [] { return false; }) && !stop.stop_requested()) LookAtAll(*contract_());
}

void Slots::LookAtAll(const contract::Contract& contract) {
  if (const auto now = contract_(); now != seen_) {
    watches_.clear();
    seen_ = now;
  }
  for (const auto& name : contract.used_sources()) {
    const contract::Source* const source = contract.source(name);
    if (!source || source->kind != contract::Source::Kind::kPostgres) continue;
    const auto watch = watches_.try_emplace(name, *source, contract.warehouse).first;
    LookAt(*source, watch->second);
  }
}

void Slots::LookAt(const contract::Source& source, ingest::SlotWatch& watch) {
  const auto standing = watch.Look();
  if (!standing) return;   // whoever reads it says why the database can't be reached
  const bool there = standing->slot.state == ingest::SlotState::kThere;
  health_.SlotSeen(source.name, there ? std::optional(standing->slot.held_bytes) : std::optional<std::int64_t>(0), standing->warning);
  if (standing->dropped.empty()) return;
  health_.SlotDropped(source.name);
  io::Log(io::LogLevel::kError, "slot dropped", {{"source", source.name}, {"reason", standing->dropped}});
  dropped_(source.name, standing->dropped);
}

}  // namespace nano::app
