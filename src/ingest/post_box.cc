// SPDX-License-Identifier: Apache-2.0
#include "ingest/post_box.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>

#include "base/check.h"

namespace nano::ingest {
namespace {

tl::unexpected<Error> Refused(const std::string& reason) { return WithHint(Fail(Code::kUnavailable, "{}", reason), "Send it again later."); }

}  // namespace

std::string DigestOf(const std::vector<wire::DebeziumMessage>& messages) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  NANO_CHECK(context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1);
  const auto add = [&](const std::string& text) {
    const std::string size = std::to_string(text.size()) + ":";
    NANO_CHECK(EVP_DigestUpdate(context.get(), size.data(), size.size()) == 1 && EVP_DigestUpdate(context.get(), text.data(), text.size()) == 1);
  };
  for (const auto& message : messages) {
    add(message.headers);
    add(message.value);
  }
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  NANO_CHECK(EVP_DigestFinal_ex(context.get(), digest, &size) == 1);
  return fmt::format("{:02x}", fmt::join(digest, digest + 12, ""));
}

Status PostBox::Deliver(Post post, std::chrono::milliseconds patience) {
  const auto waiting = std::make_shared<Waiting>();
  waiting->post = std::make_shared<const Post>(std::move(post));
  std::unique_lock lock(mutex_);
  if (!open_) return Refused(reason_);
  if (!waiting_.empty() && bytes_ + waiting->post->bytes > most_bytes_) return Refused("too much waits to be journaled");
  waiting_.push_back(waiting);
  bytes_ += waiting->post->bytes;
  came_.notify_one();
  if (!answered_.wait_for(lock, patience, [&] { return waiting->answered || waiting->taken; })) {
    waiting_.erase(std::find(waiting_.begin(), waiting_.end(), waiting));
    bytes_ -= waiting->post->bytes;
    return Refused("it was not taken in time");
  }
  answered_.wait(lock, [&] { return waiting->answered; });   // who took it answers, or goes
  return waiting->outcome;
}

void PostBox::Open() {
  const std::lock_guard lock(mutex_);
  open_ = true;
}

void PostBox::Close(const std::string& reason) { RefuseWaiting(reason, true); }
void PostBox::Refuse(const std::string& reason) { RefuseWaiting(reason, false); }

void PostBox::RefuseWaiting(const std::string& reason, bool taken_too) {
  const std::lock_guard lock(mutex_);
  open_ = false;
  reason_ = reason;
  std::erase_if(waiting_, [&](const auto& waiting) {
    if (waiting->taken && !taken_too) return false;
    waiting->answered = true;
    waiting->outcome = Refused(reason);
    bytes_ -= waiting->post->bytes;
    return true;
  });
  answered_.notify_all();
}

std::vector<std::shared_ptr<const Post>> PostBox::Take(std::size_t bytes, std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  const auto untaken = [&] { return !waiting_.empty() && !waiting_.back()->taken; };
  came_.wait_for(lock, wait, untaken);
  std::vector<std::shared_ptr<const Post>> posts;
  std::size_t taken = 0;
  for (const auto& waiting : waiting_) {
    if (waiting->taken) continue;
    if (!posts.empty() && taken + waiting->post->bytes > bytes) break;
    waiting->taken = true;
    taken += waiting->post->bytes;
    posts.push_back(waiting->post);
  }
  if (!posts.empty()) answered_.notify_all();
  return posts;
}

void PostBox::Answer(const Status& status) {
  const std::lock_guard lock(mutex_);
  std::erase_if(waiting_, [&](const auto& waiting) {
    if (!waiting->taken) return false;
    waiting->answered = true;
    waiting->outcome = status;
    bytes_ -= waiting->post->bytes;
    return true;
  });
  answered_.notify_all();
}

}  // namespace nano::ingest
