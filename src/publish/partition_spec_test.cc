// SPDX-License-Identifier: Apache-2.0
#include "publish/partition_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nano::publish {
namespace {

using Kind = IcebergType::Kind;

const std::vector<PartitionSource> kColumns = {
    {1, {Kind::kLong, 0, 0, {}}}, {2, {Kind::kTimestamp, 0, 0, {}}}, {3, {Kind::kDate, 0, 0, {}}}, {4, {Kind::kString, 0, 0, {}}},
    {5, {Kind::kDecimal, 9, 2, {}}}, {6, {Kind::kUuid, 0, 0, {}}}, {7, {Kind::kDouble, 0, 0, {}}}, {8, {Kind::kBoolean, 0, 0, {}}}};

std::string Transforms(const std::vector<PartitionKey>& keys) {
  const auto fields = ToPartitionFields(keys, kColumns);
  if (!fields) return "none";
  std::string text;
  for (const PartitionField& field : *fields) text += fmt::format("{}:{}:{} ", field.source, field.transform, Spelling(field.type));
  return text;
}

TEST(PartitionSpecTest, KeysOfATimeAreOneTransform) {
  EXPECT_EQ(Transforms({{2, "year"}}), "2:year:int ");
  EXPECT_EQ(Transforms({{2, "year"}, {2, "month"}}), "2:month:int ");
  EXPECT_EQ(Transforms({{2, "year"}, {2, "month"}, {2, "day"}}), "2:day:date ");
  EXPECT_EQ(Transforms({{2, "year"}, {2, "month"}, {2, "day"}, {2, "hour"}}), "2:hour:int ");
  EXPECT_EQ(Transforms({{2, "month"}, {2, "year"}}), "2:month:int ");
  EXPECT_EQ(Transforms({{1, "bucket(16)"}, {2, "year"}, {4, "identity"}, {2, "month"}}), "1:bucket[16]:int 2:month:int 4:identity:string ");
}

TEST(PartitionSpecTest, WhatIsNotTheSameFunctionIsNone) {
  EXPECT_EQ(Transforms({{2, "month"}}), "none");                        // 1..12 in the lake
  EXPECT_EQ(Transforms({{2, "year"}, {2, "day"}}), "none");
  EXPECT_EQ(Transforms({{3, "year"}, {3, "month"}, {3, "day"}, {3, "hour"}}), "none");
  EXPECT_EQ(Transforms({{5, "bucket(4)"}}), "none");                    // another hash
  EXPECT_EQ(Transforms({{6, "bucket(4)"}}), "none");
  EXPECT_EQ(Transforms({{6, "identity"}}), "none");
  EXPECT_EQ(Transforms({{7, "identity"}}), "none");
  EXPECT_EQ(Transforms({{8, "bucket(4)"}}), "none");
  EXPECT_EQ(Transforms({{1, "bucket(0)"}}), "none");
  EXPECT_EQ(Transforms({{1, "bucket(4"}}), "none");
  EXPECT_EQ(Transforms({{9, "identity"}}), "none");                     // a hidden or dropped column
  EXPECT_EQ(Transforms({{1, "identity"}, {7, "identity"}}), "none");
  EXPECT_EQ(Transforms({{1, "identity"}, {1, "identity"}}), "none");
}

/// The tuple's numbers or bytes; "NULL"; "none" where a file has no exact place.
std::vector<std::string> Place(const std::vector<PartitionKey>& keys, const std::vector<std::optional<std::string>>& values) {
  const auto fields = ToPartitionFields(keys, kColumns);
  const auto tuple = ToTuple(*fields, values);
  if (!tuple) return {"none"};
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < tuple->size(); ++i) {
    const auto& value = (*tuple)[i];
    if (!value) texts.push_back("NULL");
    else if ((*fields)[i].type.kind == Kind::kString) texts.push_back(value->bytes);
    else texts.push_back(std::to_string(static_cast<std::int64_t>(value->number)));
  }
  return texts;
}

TEST(PartitionSpecTest, ValuesCountFrom1970) {
  using testing::ElementsAre;
  EXPECT_THAT(Place({{2, "year"}}, {"1969"}), ElementsAre("-1"));
  EXPECT_THAT(Place({{3, "year"}, {3, "month"}}, {"1969", "12"}), ElementsAre("-1"));
  EXPECT_THAT(Place({{2, "year"}, {2, "month"}}, {"2020", "1"}), ElementsAre("600"));
  EXPECT_THAT(Place({{2, "month"}, {2, "year"}}, {"1", "2020"}), ElementsAre("600"));
  EXPECT_THAT(Place({{3, "year"}, {3, "month"}, {3, "day"}}, {"2017", "11", "16"}), ElementsAre("17486"));
  EXPECT_THAT(Place({{2, "year"}, {2, "month"}, {2, "day"}, {2, "hour"}}, {"1969", "12", "31", "23"}), ElementsAre("-1"));
  EXPECT_THAT(Place({{4, "identity"}}, {""}), ElementsAre(""));
  EXPECT_THAT(Place({{4, "identity"}}, {std::nullopt}), ElementsAre("NULL"));
  EXPECT_THAT(Place({{1, "bucket(16)"}, {4, "identity"}}, {"7", "x"}), ElementsAre("7", "x"));
  EXPECT_THAT(Place({{8, "identity"}}, {"true"}), ElementsAre("1"));
  EXPECT_THAT(Place({{5, "identity"}}, {"-1.25"}), ElementsAre("-125"));
}

TEST(PartitionSpecTest, MonthsAndDaysOfInstantsBefore1970HaveNoPlace) {
  using testing::ElementsAre;
  EXPECT_THAT(Place({{2, "year"}, {2, "month"}}, {"1969", "12"}), ElementsAre("none"));
  EXPECT_THAT(Place({{2, "year"}, {2, "month"}, {2, "day"}}, {"1969", "12", "31"}), ElementsAre("none"));
  EXPECT_THAT(Place({{2, "year"}, {2, "month"}, {2, "day"}}, {"1970", "1", "1"}), ElementsAre("0"));
}

TEST(PartitionSpecTest, AValueThatIsNotExactHasNoPlace) {
  using testing::ElementsAre;
  EXPECT_THAT(Place({{3, "identity"}}, {"infinity"}), ElementsAre("none"));
  EXPECT_THAT(Place({{2, "year"}, {2, "month"}}, {"2020", std::nullopt}), ElementsAre("none"));
  EXPECT_THAT(Place({{2, "year"}, {2, "month"}}, {std::nullopt, "1"}), ElementsAre("none"));
  EXPECT_THAT(Place({{2, "year"}, {2, "month"}}, {"2020", "13"}), ElementsAre("none"));
  EXPECT_THAT(Place({{2, "year"}, {2, "month"}}, {"2020"}), ElementsAre("none"));
  EXPECT_THAT(Place({{2, "year"}}, {"x"}), ElementsAre("none"));
}

}  // namespace
}  // namespace nano::publish
