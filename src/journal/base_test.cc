// SPDX-License-Identifier: Apache-2.0
#include "journal/base.h"

#include <gmock/gmock.h>

#include <fstream>

#include "journal/journal_test_support.h"

namespace nano::journal {
namespace {

using testing::HasSubstr;

class BaseTest : public JournalFolder {
 protected:
  /// Appends and commits, each call a segment of its own.
  void Segment(const std::vector<OwnedRecord>& records) {
    auto writer = Open();
    ASSERT_NE(writer, nullptr);
    for (const auto& record : records) {
      ASSERT_TRUE(writer->Append(record.view()));
      said_.push_back(record);
    }
    ASSERT_TRUE(writer->Commit("{\"said\":" + std::to_string(said_.size()) + "}"));
    ASSERT_TRUE(writer->Roll());
  }
  /// A base image of the positions that `stays` holds true for.
  Status Fold(Position end, const std::function<bool(std::uint64_t)>& stays) {
    std::uint64_t at = 0;
    return WriteBase(folder_, "shop", end, [&]() -> Result<std::optional<BaseRecord>> {
      while (at < end.value && !stays(at)) ++at;
      if (at == end.value) return std::optional<BaseRecord>();
      BaseRecord record{Position{at}, said_[at].view()};
      ++at;
      return std::optional(record);
    });
  }
  /// What a reader sees at each position from the first on.
  void ExpectToRead(const std::function<bool(std::uint64_t)>& stays) {
    auto reader = Reader::Open(folder_);
    ASSERT_TRUE(reader) << reader.error().message;
    for (std::uint64_t at = (*reader)->first().value; at < said_.size();) {
      const auto block = (*reader)->Read({at});
      ASSERT_TRUE(block) << block.error().message;
      ASSERT_NE(*block, nullptr) << at;
      for (; at < (*block)->end().value; ++at) {
        const std::size_t n = at - (*block)->begin().value;
        ASSERT_EQ((*block)->has(n), stays(at)) << at;
        if (stays(at)) { ASSERT_EQ(OwnedRecord::Of((*block)->record(n)), said_[at]) << at; }
        else ASSERT_EQ((*block)->record(n).kind, RecordKind::kGap);
      }
    }
  }
  OwnedRecord Any() {
    OwnedRecord record = RandomRecord(random_);
    record.source_offset >>= 1;
    if (record.committed_at != kNoTime) record.committed_at %= 4'000'000'000'000'000;
    return record;
  }
  std::vector<OwnedRecord> Many(std::size_t count) {
    std::vector<OwnedRecord> records;
    for (std::size_t n = 0; n < count; ++n) records.push_back(Any());
    return records;
  }

  std::mt19937_64 random_{7};
  std::vector<OwnedRecord> said_;
};

TEST_F(BaseTest, WhatStayedIsReadByteForByteAtItsOldPosition) {
  Segment(Many(5000));
  Segment(Many(100));
  const auto stays = [](std::uint64_t at) { return at >= 5000 || at % 7 == 3 || (at > 2000 && at < 4500); };
  ASSERT_TRUE(Fold({5000}, stays));
  ASSERT_TRUE(DropExpired(folder_, {5000}));
  EXPECT_EQ(Segments().size(), 3U);   // the base image, a segment, an empty one
  ExpectToRead(stays);
  EXPECT_EQ(TailSeen().checkpoint, "{\"said\":5100}");
}

TEST_F(BaseTest, ItCountsOnceItHasItsNameWhateverSegmentsAreLeft) {
  Segment(Many(50));
  Segment(Many(50));
  const auto stays = [](std::uint64_t at) { return at >= 50 || at == 49; };
  ASSERT_TRUE(Fold({50}, stays));
  ExpectToRead(stays);
  ASSERT_TRUE(DropExpired(folder_, {50}));
  ASSERT_TRUE(DropExpired(folder_, {50}));
  ExpectToRead(stays);
}

TEST_F(BaseTest, AReaderThatListedTheSegmentsBeforeGoesOn) {
  Segment(Many(50));
  Segment(Many(50));
  auto reader = Reader::Open(folder_);
  ASSERT_TRUE(reader);
  ASSERT_TRUE(Fold({50}, [](std::uint64_t at) { return at == 3; }));
  ASSERT_TRUE(DropExpired(folder_, {50}));
  const auto block = (*reader)->Read({3});
  ASSERT_TRUE(block) << block.error().message;
  EXPECT_EQ(OwnedRecord::Of((*block)->record(3 - (*block)->begin().value)), said_[3]);
}

TEST_F(BaseTest, BackwardsItIsReadTheSame) {
  Segment(Many(300));
  ASSERT_TRUE(Fold({300}, [](std::uint64_t at) { return at % 100 == 0; }));
  auto reader = Reader::Open(folder_);
  ASSERT_TRUE(reader);
  for (std::uint64_t at = 300; at-- > 0;) {
    const auto block = (*reader)->Read({at});
    ASSERT_TRUE(block) << block.error().message;
    ASSERT_EQ((*block)->has(at - (*block)->begin().value), at % 100 == 0) << at;
  }
}

TEST_F(BaseTest, AnEmptyOneHasOnlyEmptyPlaces) {
  Segment(Many(10));
  ASSERT_TRUE(Fold({10}, [](std::uint64_t) { return false; }));
  ExpectToRead([](std::uint64_t) { return false; });
}

TEST_F(BaseTest, ASegmentMustBeginWhereItEnds) {
  Segment(Many(10));
  ASSERT_TRUE(Fold({9}, [](std::uint64_t) { return true; }));
  const auto reader = Reader::Open(folder_);
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code, Code::kCorrupt);
  EXPECT_THAT(reader.error().message, HasSubstr("ends at position 9, but no journal segment starts there"));
}

TEST_F(BaseTest, DamageIsReportedWithTheFile) {
  Segment(Many(10));
  std::ofstream(folder_ / BaseName({10})) << "no Parquet";
  auto reader = Reader::Open(folder_);
  ASSERT_TRUE(reader);
  const auto block = (*reader)->Read({0});
  ASSERT_FALSE(block);
  EXPECT_EQ(block.error().code, Code::kCorrupt);
  EXPECT_THAT(block.error().place.in, HasSubstr(BaseName({10})));
}

TEST_F(BaseTest, OnlySegmentsThatAreOldAndLandedExpire) {
  auto old = Many(10), recent = Many(10);
  for (auto& record : old) record.ingested_at = 1'000;
  for (auto& record : recent) record.ingested_at = 9'000;
  Segment(old);
  Segment(recent);
  EXPECT_EQ(*EndOfExpired(folder_, {20}, 5'000), Position{10});
  EXPECT_EQ(*EndOfExpired(folder_, {9}, 5'000), Position{0});
  EXPECT_EQ(*EndOfExpired(folder_, {20}, 500), Position{0});
  EXPECT_EQ(*EndOfExpired(folder_, {20}, 10'000), Position{20});
}

}  // namespace
}  // namespace nano::journal
