// SPDX-License-Identifier: Apache-2.0
#include "app/run/mailbox.h"

#include <algorithm>

namespace nano::app {

void Mailbox::Open(const std::string& source) {
  const std::lock_guard lock(mutex_);
  boxes_[source] = Box();
}

void Mailbox::Close(const std::string& source) {
  const std::lock_guard lock(mutex_);
  boxes_.erase(source);
  changed_.notify_all();
}

bool Mailbox::Push(const std::string& source, ingest::Step step) {
  std::size_t bytes = 0;
  for (const auto& block : step.blocks) bytes += block->raw_bytes();
  std::unique_lock lock(mutex_);
  auto box = boxes_.end();
  changed_.wait(lock, [&] {
    box = boxes_.find(source);
    return box == boxes_.end() || box->second.bytes == 0 || box->second.bytes + bytes <= most_bytes_;
  });
  if (box == boxes_.end()) return false;
  Mail& mail = box->second.mail;
  mail.blocks.insert(mail.blocks.end(), step.blocks.begin(), step.blocks.end());
  mail.journaled = std::max(mail.journaled, step.journaled);
  mail.end = step.end;
  box->second.bytes += bytes;
  box->second.full = true;
  changed_.notify_all();
  return true;
}

std::map<std::string, Mail> Mailbox::Take(std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, wait, [&] {
    return woken_ || std::any_of(boxes_.begin(), boxes_.end(), [](const auto& box) { return box.second.full; });
  });
  woken_ = false;
  std::map<std::string, Mail> out;
  for (auto& [source, box] : boxes_)
    if (box.full) out.emplace(source, std::exchange(box, Box()).mail);
  changed_.notify_all();
  return out;
}

void Mailbox::Wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_all();
}

}  // namespace nano::app
