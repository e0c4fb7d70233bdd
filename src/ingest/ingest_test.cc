// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "ingest/feed.h"
#include "ingest/replay_filter.h"
#include "ingest/transaction_order.h"

namespace nano::ingest {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

/// One event of a PostgreSQL source, as Debezium's HTTP sink posts it.
std::string Event(const std::string& a, const std::string& b, const std::string& tx, int id, const std::string& snapshot = "false") {
  return R"({"before":null,"after":{"id":)" + std::to_string(id) + R"(},"source":{"connector":"postgresql","ts_ms":1,"ts_us":)" + b +
         R"(,"snapshot":")" + snapshot + R"(","sequence":"[)" + (a == "null" ? a : "\\\"" + a + "\\\"") + R"(,\")" + b +
         R"(\"]","schema":"s","table":"t","txId":)" + tx + R"(,"lsn":)" + b + R"(},"transaction":null,"op":")" +
         (snapshot == "false" ? "c" : "r") + R"(","ts_ms":2})";
}

class FeedTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("ingest_test_" + std::to_string(getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  void Write(const std::string& text) { std::ofstream(folder_ / "in.jsonl", std::ios::binary) << text; }
  void Append(const std::string& text) { std::ofstream(folder_ / "in.jsonl", std::ios::binary | std::ios::app) << text; }

  /// Reads to the end; each record as `<bytes or kind>` with R for a replay, [ and ] for where a batch may end.
  std::vector<std::string> Run(contract::Source::Kind kind, std::size_t bytes = 1 << 20, int steps = 1000) {
    contract::Source source;
    source.name = "s";
    source.kind = kind;
    source.file = "in.jsonl";
    auto journal = *journal::Writer::Open(folder_ / "journal", "s");
    const auto feed = OpenFeed(source, *journal, {folder_, "", {}, std::chrono::milliseconds(10), marks_run_});
    EXPECT_TRUE(feed) << feed.error().message;
    std::vector<std::string> seen;
    while (steps-- > 0) {
      const auto step = (*feed)->Next(bytes);
      EXPECT_TRUE(step) << step.error().message;
      if (!step) break;
      for (const auto& block : step->blocks)
        for (std::size_t n = 0; n < block->size(); ++n) {
          const Record record = block->record(n);
          std::string text;
          if (record.flags & kBeginsTransaction) text += "[";
          const auto json = nlohmann::json::parse(record.bytes, nullptr, false);
          if (record.kind == RecordKind::kUnreadable) text += "?";
          else if (json.contains("after")) text += std::to_string(json["after"]["id"].get<int>());
          else text += json.value("type", "-");
          if (record.flags & kEndsTransaction) text += "]";
          if (record.flags & kReplayed) text += "R";
          seen.push_back(text);
        }
      if (step->end) break;
    }
    return seen;
  }

  fs::path folder_;
  bool marks_run_ = false;
  static constexpr auto kDebezium = contract::Source::Kind::kDebeziumFile;
  static constexpr auto kSinger = contract::Source::Kind::kSingerFile;
};

TEST_F(FeedTest, AFileThatHasGrownIsReadOn) {
  Write(Event("1", "10", "7", 1) + "\n");
  EXPECT_THAT(Run(kDebezium), ElementsAre("[1"));
  EXPECT_THAT(Run(kDebezium), ElementsAre());
  Append(Event("1", "11", "7", 2) + "\n" + Event("20", "21", "8", 3) + "\n");
  EXPECT_THAT(Run(kDebezium), ElementsAre("2", "[3"));
}

TEST_F(FeedTest, AFileThatWasReplacedStartsAnewAndWhatWasSaidBeforeIsAReplay) {
  Write(Event("1", "10", "7", 1) + "\n" + Event("20", "21", "8", 2) + "\n");
  EXPECT_THAT(Run(kDebezium), ElementsAre("[1", "[2"));
  Write(Event("20", "21", "8", 2) + "\n" + Event("30", "31", "9", 3) + "\n");
  EXPECT_THAT(Run(kDebezium), ElementsAre("[2R", "[3"));
}

TEST_F(FeedTest, HalfALineWaitsForItsRest) {
  const std::string second = Event("20", "21", "8", 2);
  Write(Event("1", "10", "7", 1) + "\n" + second.substr(0, 50));
  EXPECT_THAT(Run(kDebezium), ElementsAre("[1"));
  Append(second.substr(50) + "\n");
  EXPECT_THAT(Run(kDebezium), ElementsAre("[2"));
}

TEST_F(FeedTest, SingerLinesAreRecordsAndGarbageIsKept) {
  Write("{\"type\":\"SCHEMA\",\"stream\":\"a\",\"schema\":{\"properties\":{}},\"key_properties\":[]}\n\n"
        "{\"type\":\"RECORD\",\"stream\":\"a\",\"record\":{}}\nnot json\n{\"type\":\"STATE\",\"value\":{}}\n{\"type\":\"RECORD\",\"str");
  EXPECT_THAT(Run(kSinger), ElementsAre("SCHEMA]", "RECORD]", "?]", "STATE]"));
  Append("eam\":\"a\",\"record\":{}}");
  EXPECT_THAT(Run(kSinger, 1), ElementsAre("RECORD]"));
}

constexpr const char* kBatch = R"({"type":"BATCH","stream":"a","encoding":{"format":"jsonl"},"manifest":["one.jsonl","two.jsonl"]})";

TEST_F(FeedTest, ABatchThatWasInterruptedGoesOnWhereItWas) {
  std::ofstream(folder_ / "one.jsonl") << "{\"id\":1}\n\n{\"id\":2}\n";
  std::ofstream(folder_ / "two.jsonl") << "{\"id\":3}";
  Write(std::string(kBatch) + "\n{\"type\":\"STATE\",\"value\":{}}\n");
  std::vector<std::string> seen;
  for (int runs = 0; runs < 20; ++runs)  // each takes one step, and is gone
    for (auto& text : Run(kSinger, 1, 1)) seen.push_back(text);
  EXPECT_THAT(seen, ElementsAre("BATCH]", "RECORD]", "RECORD]", "RECORD]", "STATE]"));
}

TEST_F(FeedTest, ABatchOfWhichAFileIsMissingIsNotBegun) {
  std::ofstream(folder_ / "one.jsonl") << "{\"id\":1}\n";
  Write("{\"type\":\"STATE\",\"value\":{}}\n" + std::string(kBatch) + "\n{\"type\":\"STATE\",\"value\":1}\n");
  EXPECT_THAT(Run(kSinger, 1 << 20, 1), ElementsAre("STATE]"));
  auto journal = *journal::Writer::Open(folder_ / "journal", "s");
  contract::Source source;
  source.kind = kSinger;
  source.file = "in.jsonl";
  const auto feed = OpenFeed(source, *journal, {folder_, "", {}, std::chrono::milliseconds(10)});
  const auto step = (*feed)->Next(1 << 20);
  ASSERT_FALSE(step);
  EXPECT_NE(step.error().message.find("two.jsonl"), std::string::npos);
  EXPECT_EQ(journal->tail().end.value, 1);
}

TEST_F(FeedTest, TheEdgesOfARunAreMarkedOnceThoughItWasInterrupted) {
  marks_run_ = true;
  Write("{\"type\":\"STATE\",\"value\":{}}\n{\"type\":\"STATE\",\"value\":{}}\n");
  EXPECT_THAT(Run(kSinger, 1, 1), ElementsAre("-]", "STATE]"));
  EXPECT_THAT(Run(kSinger), ElementsAre("STATE]", "-]"));
  EXPECT_THAT(Run(kSinger), ElementsAre());  // nothing came, so no run
  Append("{\"type\":\"STATE\",\"value\":{}}\n{\"type\":\"ST");
  EXPECT_THAT(Run(kSinger), ElementsAre("-]", "STATE]"));  // half a line is no end
}

wire::DebeziumEvent Streamed(std::uint64_t a, std::uint64_t b, std::string_view run = "") {
  wire::DebeziumEvent event;
  event.kind = wire::DebeziumEvent::Kind::kChange;
  event.sequence_a = a;
  event.sequence_b = b;
  event.place.emplace().parts = {a, b};
  event.committed_at = static_cast<std::int64_t>(a);
  event.run_id = run;
  return event;
}

TEST(ReplayFilter, EqualPlacesInOneRunAllCount) {
  ReplayFilter filter;
  const wire::DebeziumMessage message;
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(filter.IsReplay(Streamed(10, 20, "one"), message));
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(filter.IsReplay(Streamed(10, 20, "two"), message));
  EXPECT_FALSE(filter.IsReplay(Streamed(10, 20, "two"), message));
}

TEST(ReplayFilter, AnLsnThatGoesDownInALaterTransactionIsNoReplay) {
  ReplayFilter filter;
  const wire::DebeziumMessage message;
  EXPECT_FALSE(filter.IsReplay(Streamed(100, 500), message));
  EXPECT_FALSE(filter.IsReplay(Streamed(200, 300), message));
  EXPECT_TRUE(filter.IsReplay(Streamed(100, 500), message));
  EXPECT_TRUE(filter.IsReplay(Streamed(200, 300), message));
  EXPECT_FALSE(filter.IsReplay(Streamed(1000, 400), message));
}

TEST(ReplayFilter, WhatItKnowsSurvivesAsJson) {
  ReplayFilter filter;
  const wire::DebeziumMessage message;
  EXPECT_FALSE(filter.IsReplay(Streamed(18446744073709551615ULL, 1, "one"), message));
  ReplayFilter again = ReplayFilter::FromJson(filter.ToJson());
  EXPECT_EQ(again.ToJson(), filter.ToJson());
  again.NewInput();
  EXPECT_TRUE(again.IsReplay(Streamed(18446744073709551615ULL, 1, "one"), message));
}

TEST(ReplayFilter, ASnapshotSeenBeforeIsAReplayAndANewOneIsNot) {
  ReplayFilter filter;
  const wire::DebeziumMessage message;
  const auto row = [](std::uint64_t lsn) {
    wire::DebeziumEvent event = Streamed(0, lsn);
    event.sequence_a.reset();
    event.lsn = lsn;
    event.snapshot = "true";
    return event;
  };
  EXPECT_FALSE(filter.IsReplay(row(500), message));
  EXPECT_FALSE(filter.IsReplay(row(500), message));
  EXPECT_FALSE(filter.IsReplay(Streamed(600, 550), message));
  EXPECT_TRUE(filter.IsReplay(row(500), message));
  EXPECT_TRUE(filter.IsReplay(row(500), message));
  EXPECT_TRUE(filter.IsReplay(Streamed(600, 550), message));
  EXPECT_FALSE(filter.IsReplay(row(900), message));
  EXPECT_FALSE(filter.IsReplay(Streamed(0, 910), message));
}

TEST(ReplayFilter, ASourceMayGoOnInTheMidstOfEventsThatShareAPlace) {
  ReplayFilter filter;
  const wire::DebeziumMessage message;
  const auto event = [](std::uint64_t place, std::string_view value, std::string_view run) {
    wire::DebeziumEvent made = Streamed(place, 0, run);
    made.place->may_resume_inside = true;
    made.op = 'u';
    made.images[1] = value;
    return made;
  };
  // Set to 1, 2, and 1 again: all of it counts.
  for (const auto* value : {"1", "2", "1"}) EXPECT_FALSE(filter.IsReplay(event(7, value, "one"), message)) << value;
  // The next run goes on with the second: what follows the last one known is new, also where it looks like an old one.
  EXPECT_TRUE(filter.IsReplay(event(7, "2", "two"), message));
  EXPECT_TRUE(filter.IsReplay(event(7, "1", "two"), message));
  EXPECT_FALSE(filter.IsReplay(event(7, "2", "two"), message));
  EXPECT_FALSE(filter.IsReplay(event(8, "1", "two"), message));
  filter = ReplayFilter::FromJson(filter.ToJson());
  EXPECT_TRUE(filter.IsReplay(event(7, "9", "three"), message));
  EXPECT_TRUE(filter.IsReplay(event(8, "1", "three"), message));
  EXPECT_FALSE(filter.IsReplay(event(8, "2", "three"), message));
}

TEST(ReplayFilter, EachServerHasPlacesOfItsOwn) {
  ReplayFilter filter;
  const wire::DebeziumMessage message;
  const auto event = [](std::string_view epoch, std::uint64_t place) {
    wire::DebeziumEvent made = Streamed(place, 0);
    made.committed_at = 5;
    made.place->epoch = epoch;
    return made;
  };
  EXPECT_FALSE(filter.IsReplay(event("1.bin", 500), message));
  EXPECT_FALSE(filter.IsReplay(event("2.bin", 100), message));
  EXPECT_TRUE(filter.IsReplay(event("1.bin", 400), message));
  filter = ReplayFilter::FromJson(filter.ToJson());
  EXPECT_TRUE(filter.IsReplay(event("2.bin", 99), message));
  EXPECT_FALSE(filter.IsReplay(event("2.bin", 101), message));
}

PlacedMessage OnTopic(const std::string& topic, const std::string& value) {
  PlacedMessage placed;
  placed.message.topic = topic;
  placed.message.partition = 0;
  placed.message.value = value;
  return placed;
}
wire::DebeziumEvent InTransaction(std::string_view id, std::uint64_t order) {
  wire::DebeziumEvent event;
  event.kind = wire::DebeziumEvent::Kind::kChange;
  event.transaction = id;
  event.total_order = order;
  return event;
}

TEST(TransactionOrder, OrderAcrossTopicsIsRestored) {
  TransactionOrder order;
  wire::DebeziumEvent begin, end, tombstone;
  begin.kind = wire::DebeziumEvent::Kind::kBegin;
  end.kind = wire::DebeziumEvent::Kind::kEnd;
  begin.transaction = end.transaction = "7";
  end.event_count = 3;
  tombstone.kind = wire::DebeziumEvent::Kind::kTombstone;
  std::vector<std::string> out;
  const auto take = [&](PlacedMessage message, const wire::DebeziumEvent& event) {
    for (const auto& placed : order.Take(std::move(message), event)) out.push_back(placed.message.value);
  };
  take(OnTopic("b", "b2"), InTransaction("7", 2));
  take(OnTopic("b", "b2x"), tombstone);
  take(OnTopic("tx", "BEGIN"), begin);
  take(OnTopic("tx", "END"), end);
  take(OnTopic("a", "a3"), InTransaction("7", 3));
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(order.lowest_begin(), 0);
  take(OnTopic("a", "a1"), InTransaction("7", 1));
  EXPECT_THAT(out, ElementsAre("BEGIN", "a1", "b2", "b2x", "a3", "END"));
}

}  // namespace
}  // namespace nano::ingest
