// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What is posted to a source over HTTP, on its way from the threads that answer posts to the one that journals them: a post is
/// answered well once what it said is durable, and not before. So much may wait and no more. Any thread.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "wire/debezium.h"

namespace nano::ingest {

/// One request.
struct Post {
  std::vector<wire::DebeziumMessage> messages;
  std::string id;             ///< of its sender, else a digest of what it says: the same again where it is sent again
  bool id_is_senders = false;   ///< the sender promises that no other post has it
  std::size_t bytes = 0;
};

/// Of messages that came without an id of their sender's.
std::string DigestOf(const std::vector<wire::DebeziumMessage>& messages);

class PostBox {
 public:
  /// `most_bytes`: of posts that wait; one alone may be larger.
  explicit PostBox(std::size_t most_bytes = 64 << 20) : most_bytes_(most_bytes) {}

  /// Hands a post over, and waits until it is durable.  kUnavailable: it is not, for the source is not read just now (the reason says
  /// why), or too much waits, or it was not taken within `patience`; sending it again does no harm.
  Status Deliver(Post post, std::chrono::milliseconds patience);

  /// Posts are taken from now on.
  void Open();
  /// No more, for this reason; those that wait, or were taken and not answered, are refused.
  void Close(const std::string& reason);
  /// Who is about to go takes no more posts, but answers those it has.
  void Refuse(const std::string& reason);

  /// For the one that reads: what waits, up to about `bytes`; at once if something does. They are its to answer.
  std::vector<std::shared_ptr<const Post>> Take(std::size_t bytes, std::chrono::milliseconds wait);
  /// Of all that was taken.
  void Answer(const Status& status);

 private:
  struct Waiting {
    std::shared_ptr<const Post> post;
    bool taken = false, answered = false;
    Status outcome;
  };
  void RefuseWaiting(const std::string& reason, bool taken_too);

  const std::size_t most_bytes_;
  std::mutex mutex_;                                  // guards all that follows
  std::condition_variable came_, answered_;
  std::deque<std::shared_ptr<Waiting>> waiting_;      ///< in the order in which they came; those taken first
  std::size_t bytes_ = 0;                             ///< of all of them
  bool open_ = false;
  std::string reason_ = "the source has not been started yet";
};

}  // namespace nano::ingest
