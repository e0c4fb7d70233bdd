// SPDX-License-Identifier: Apache-2.0
#include "publish/table_metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nano::publish {
namespace {

using Kind = IcebergType::Kind;

Field Column(int id, const std::string& name) { return {id, name, false, {Kind::kLong, 0, 0, {}}, {}}; }
PartitionField Part(int source, const std::string& transform) { return {source, transform, {Kind::kInt, 0, 0, {}}, {0}, false, 0, {}}; }

class TableMetadataTest : public testing::Test {
 protected:
  void SetUp() override {
    metadata_.uuid = "01a20c69-fcc9-7ab0-a998-e7065158c3d4";
    metadata_.location = "file:///t";
    metadata_.specs.push_back({});
    metadata_.current_schema = metadata_.SchemaId({Column(1, "id")});
    for (std::int64_t id : {10, 11, 12}) {
      metadata_.snapshots[id] = {.id = id, .sequence = id, .timestamp_ms = 1000 + id, .parent = id == 10 ? std::nullopt : std::optional(id - 1),
                                 .manifest_list = "file:///t/l", .schema_id = 0, .summary = {{"operation", "append"}, {"total-records", "5"}}};
      metadata_.snapshot_log.emplace_back(1000 + id, id);
    }
    metadata_.current_snapshot = 12;
    metadata_.tags["jan \"x\""] = 10;
    metadata_.properties["comment"] = "ž";
  }
  TableMetadata metadata_;
};

TEST_F(TableMetadataTest, WhatWasWrittenIsReadBack) {
  const auto again = TableMetadata::Decode(metadata_.Encode());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->Encode(), metadata_.Encode());
  EXPECT_EQ(again->snapshots.at(12).count("total-records"), 5);
  EXPECT_EQ(again->tags.at("jan \"x\""), 10);
}

TEST_F(TableMetadataTest, AFirstSnapshotHasNoParentKey) {
  const auto document = nlohmann::json::parse(metadata_.Encode());
  EXPECT_FALSE(document["snapshots"][0].contains("parent-snapshot-id"));
  EXPECT_TRUE(document["snapshots"][1].contains("parent-snapshot-id"));
}

TEST_F(TableMetadataTest, WithoutASnapshotThereIsNoMain) {
  metadata_.KeepOnly({});
  const auto document = nlohmann::json::parse(metadata_.Encode());
  EXPECT_FALSE(document.contains("current-snapshot-id"));
  EXPECT_TRUE(document["refs"].empty());
}

TEST_F(TableMetadataTest, TheLogLosesAllUpToTheLastSnapshotThatIsGone) {
  metadata_.KeepOnly({10, 12});
  EXPECT_THAT(metadata_.snapshot_log, testing::ElementsAre(std::pair<std::int64_t, std::int64_t>(1012, 12)));
  EXPECT_FALSE(metadata_.snapshots.at(12).parent);
  EXPECT_TRUE(metadata_.tags.contains("jan \"x\""));
}

TEST_F(TableMetadataTest, IdsOfSchemasAndSpecsStay) {
  EXPECT_EQ(metadata_.SchemaId({Column(1, "id"), Column(2, "b")}), 1);
  EXPECT_EQ(metadata_.SchemaId({Column(1, "id")}), 0);
  std::vector<PartitionField> first = {Part(1, "bucket[4]")}, second = {Part(2, "identity"), Part(1, "bucket[4]")}, again = {Part(1, "bucket[4]")};
  EXPECT_EQ(metadata_.SpecId(first), 1);
  EXPECT_EQ(metadata_.SpecId(second), 2);
  EXPECT_EQ(metadata_.SpecId(again), 1);
  EXPECT_EQ(first[0].id, 1000);
  EXPECT_EQ(second[0].id, 1001);
  EXPECT_EQ(second[1].id, 1000);   // the same field has the same id
}

TEST_F(TableMetadataTest, APartitionIsNamedAfterItsColumnAndLikeNoOther) {
  std::vector<PartitionField> fields = {Part(1, "bucket[4]"), Part(1, "bucket[8]"), Part(2, "identity"), Part(3, "year")};
  metadata_.SpecId(fields);
  metadata_.NameSpecs({Column(1, "id"), Column(2, "area"), Column(4, "id_bucket")});
  std::vector<std::string> names;
  for (const SpecField& field : metadata_.specs[1].fields) names.push_back(field.name);
  EXPECT_THAT(names, testing::ElementsAre("id_bucket_1000", "id_bucket_1001", "area", "dropped_3_year"));
}

TEST_F(TableMetadataTest, WhatIsNoMetadataOfOursIsNone) {
  EXPECT_FALSE(TableMetadata::Decode(""));
  EXPECT_FALSE(TableMetadata::Decode("[]"));
  EXPECT_FALSE(TableMetadata::Decode("{\"format-version\": 2}"));
  const std::string good = metadata_.Encode();
  for (std::size_t size = 0; size < good.size(); size += 7) EXPECT_FALSE(TableMetadata::Decode(good.substr(0, size)));
  const auto whole = nlohmann::json::parse(good);
  for (const auto& [key, value] : whole.items()) {
    auto wrong = whole;
    wrong[key] = {{"surprise", true}};
    (void)TableMetadata::Decode(wrong.dump());   // may be refused, must not fail otherwise
  }
  auto wrong = whole;
  wrong["snapshots"][0]["sequence-number"] = "1";
  EXPECT_FALSE(TableMetadata::Decode(wrong.dump()));
}

}  // namespace
}  // namespace nano::publish
