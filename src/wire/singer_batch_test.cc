// SPDX-License-Identifier: Apache-2.0
#include "wire/singer_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nano::wire {
namespace {

using testing::ElementsAre;

Result<SingerBatchFiles> Read(std::string_view line) {
  static Arena arena;
  return ReadSingerBatch(ParseSingerLine(line, arena));
}

TEST(SingerBatch, NamesItsFiles) {
  const auto batch = Read(R"({"type":"BATCH","stream":"a \"b\"","version":7,"encoding":{"format":"jsonl","compression":"gzip"},)"
                          R"("manifest":["file:///tmp/a%20b.gz","file://localhost/c","d.jsonl"]})");
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_THAT(batch->paths, ElementsAre("/tmp/a b.gz", "/c", "d.jsonl"));
  EXPECT_TRUE(batch->gzip);
  std::string record;
  ASSERT_TRUE(BatchRecord(*batch, R"( {"id":1.10,"x":NaN} )", record));
  EXPECT_EQ(record, R"({"type":"RECORD","stream":"a \"b\"","record": {"id":1.10,"x":NaN},"version":7})");
}

TEST(SingerBatch, ALineThatSaysMoreThanOneObjectIsNoRecord) {
  std::string record;
  for (const char* line : {"[1]", "{\"a\":1},\"type\":\"STATE\"", "{\"a\":1", "{\"a\":1}{}", "", "{\"a\":\"\xff\"}"})
    EXPECT_FALSE(BatchRecord({"a", {}, false, {}}, line, record)) << line;
}

TEST(SingerBatch, WhatCantBeReadHereIsRefused) {
  EXPECT_EQ(Read(R"({"type":"BATCH","stream":"a","encoding":{"format":"parquet"},"manifest":[]})").error().code, Code::kUnsupported);
  EXPECT_EQ(Read(R"({"type":"BATCH","stream":"a","encoding":{"compression":"zstd"},"manifest":[]})").error().code, Code::kUnsupported);
  EXPECT_EQ(Read(R"({"type":"BATCH","stream":"a","manifest":["s3://b/c"]})").error().code, Code::kUnsupported);
  EXPECT_EQ(Read(R"({"type":"BATCH","stream":"a","manifest":["file://host/c"]})").error().code, Code::kUnsupported);
  EXPECT_EQ(Read(R"({"type":"BATCH","stream":"a","manifest":[1]})").error().code, Code::kInvalid);
}

TEST(SingerVersion, IsFoundBesideTheRecordOnly) {
  Arena arena;
  const std::string padding(500, 'x');
  EXPECT_EQ(SingerVersion(R"({"type":"RECORD","stream":"a","version":7,"record":{"v":")" + padding + R"("}})", arena), 7);
  EXPECT_EQ(SingerVersion(R"({"type":"RECORD","stream":"a","record":{"v":")" + padding + R"("},"version":7,"time_extracted":"2026-01-01T00:00:00Z"})", arena), 7);
  EXPECT_EQ(SingerVersion(R"({"type":"RECORD","stream":"a","record":{"version":7}})", arena), std::nullopt);
  EXPECT_EQ(SingerTime(R"({"type":"RECORD","stream":"a","record":{},"time_extracted":"1970-01-01T00:00:01Z"})", arena), 1'000'000);
}

}  // namespace
}  // namespace nano::wire
