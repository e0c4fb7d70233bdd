// SPDX-License-Identifier: Apache-2.0
#include "ingest/post_box.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace nano::ingest {
namespace {

using std::chrono::milliseconds;

Post Of(const std::string& value, std::size_t bytes = 1) {
  Post post;
  post.messages.emplace_back().value = value;
  post.bytes = bytes;
  return post;
}

TEST(PostBox, APostIsAnsweredByWhoReadIt) {
  PostBox box;
  box.Open();
  Status good, bad;
  std::jthread first([&] { good = box.Deliver(Of("1"), milliseconds(10'000)); });
  auto posts = box.Take(100, milliseconds(10'000));
  ASSERT_EQ(posts.size(), 1u);
  EXPECT_EQ(posts[0]->messages[0].value, "1");
  EXPECT_TRUE(box.Take(100, milliseconds(0)).empty());
  box.Answer({});
  first.join();
  EXPECT_TRUE(good);
  std::jthread second([&] { bad = box.Deliver(Of("2"), milliseconds(10'000)); });
  ASSERT_EQ(box.Take(100, milliseconds(10'000)).size(), 1u);
  box.Answer(Fail(Code::kUnavailable, "the disk is full"));
  second.join();
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "the disk is full");
}

TEST(PostBox, WhatIsNotTakenInTimeIsRefusedAndWhatIsTakenIsWaitedFor) {
  PostBox box;
  EXPECT_EQ(box.Deliver(Of("0"), milliseconds(0)).error().message, "the source has not been started yet");
  box.Open();
  EXPECT_EQ(box.Deliver(Of("1"), milliseconds(20)).error().message, "it was not taken in time");
  EXPECT_TRUE(box.Take(100, milliseconds(0)).empty()) << "a post that was refused is read";
  std::atomic<bool> ended{false};
  Status outcome;
  std::jthread post([&] {
    outcome = box.Deliver(Of("2"), milliseconds(2000));
    ended = true;
  });
  ASSERT_EQ(box.Take(100, milliseconds(2000)).size(), 1u);
  std::this_thread::sleep_for(milliseconds(30));
  EXPECT_FALSE(ended);
  box.Close("the source is stopped");
  post.join();
  EXPECT_EQ(outcome.error().message, "the source is stopped");
  EXPECT_EQ(box.Deliver(Of("3"), milliseconds(0)).error().message, "the source is stopped");
}

TEST(PostBox, WhoIsAboutToGoAnswersWhatItTook) {
  PostBox box;
  box.Open();
  Status taken, waits;
  std::jthread first([&] { taken = box.Deliver(Of("1"), milliseconds(10'000)); });
  ASSERT_EQ(box.Take(100, milliseconds(10'000)).size(), 1u);
  std::jthread second([&] { waits = box.Deliver(Of("2"), milliseconds(10'000)); });
  while (true) {   // it waits
    box.Refuse("it stops");
    if (const Status late = box.Deliver(Of("3"), milliseconds(0)); late.error().message == "it stops") break;
  }
  second.join();
  EXPECT_EQ(waits.error().message, "it stops");
  box.Answer({});
  first.join();
  EXPECT_TRUE(taken);
}

TEST(PostBox, SoMuchMayWait) {
  PostBox box(10);
  box.Open();
  std::vector<std::jthread> senders;
  std::atomic<int> refused{0}, good{0};
  for (int n = 0; n < 8; ++n)
    senders.emplace_back([&] {
      const Status outcome = box.Deliver(Of("x", 4), milliseconds(10'000));
      ++(outcome ? good : refused);
    });
  while (refused < 6) std::this_thread::sleep_for(milliseconds(1));
  EXPECT_EQ(box.Take(5, milliseconds(10'000)).size(), 1u);   // up to about so many bytes
  EXPECT_EQ(box.Take(5, milliseconds(10'000)).size(), 1u);
  box.Answer({});
  senders.clear();
  EXPECT_EQ(good, 2);
  EXPECT_TRUE(box.Deliver(Of("x", 40), milliseconds(0)).error().message == "it was not taken in time") << "one alone may be larger";
}

TEST(PostBox, ADigestTellsPostsApart) {
  const auto digest = [](std::initializer_list<std::string> values) {
    std::vector<wire::DebeziumMessage> messages;
    for (const auto& value : values) messages.emplace_back().value = value;
    return DigestOf(messages);
  };
  EXPECT_EQ(digest({"ab", "c"}), digest({"ab", "c"}));
  EXPECT_NE(digest({"ab", "c"}), digest({"a", "bc"}));
  EXPECT_NE(digest({"ab"}), digest({"ab", ""}));
  EXPECT_EQ(digest({}).size(), 24u);
}

}  // namespace
}  // namespace nano::ingest
