// SPDX-License-Identifier: Apache-2.0
// What differs from connector to connector; whole events are in test/captures/connectors.
#include <gmock/gmock.h>

#include <deque>

#include "wire/debezium_document.h"
#include "wire/debezium_fixture.h"

namespace nano::wire {
namespace {

using testing::ElementsAre;

class DebeziumConnectorsTest : public testing::Test {
 protected:
  /// An update whose `source` is the given members.
  DebeziumEvent WithSource(const std::string& source, const std::string& rest = R"("before":null,"after":{"id":1})") {
    return Decoded("{" + rest + R"(,"source":{)" + source + R"(},"op":"u"})");
  }
  DebeziumEvent Decoded(const std::string& message, const std::string& key = "") {
    values_.push_back(message);
    keys_.push_back(key);
    auto event = decoder_.Decode(values_.back(), true, keys_.back(), !key.empty(), "", "", arena_);
    EXPECT_TRUE(event) << event.error().message;
    return event ? *event : DebeziumEvent{};
  }
  std::string Read(const std::string& type, std::string_view token) {
    const DataType parsed = ParseDataType(type).value();
    Cell cell;
    std::string reason;
    return ReadDebezium(parsed, {"f", token, &DocumentSchema()}, "", Special::kQuarantine, arena_, cell, reason) ? CellText(parsed, cell) : "misfit: " + reason;
  }

  DebeziumDecoder decoder_;
  Arena arena_;
  std::deque<std::string> values_, keys_;
};

TEST_F(DebeziumConnectorsTest, APlaceOfMySqlIsFileNumberPositionAndRowOfOneServersBinlog) {
  const auto event = WithSource(R"("connector":"mysql","db":"shop","table":"orders","server_id":7,"gtid":"uuid:9","file":"mysql-bin.000012","pos":484,"row":3)");
  ASSERT_TRUE(event.place);
  EXPECT_THAT(event.place->parts, ElementsAre(12, 484, 3, 0, 0));
  EXPECT_EQ(event.place->epoch, "7.mysql-bin");
  EXPECT_EQ(event.transaction, "uuid:9");
  EXPECT_EQ(event.stream, "shop.orders");
}

TEST_F(DebeziumConnectorsTest, APlaceOfSqlServerIsItsTwoLsnsAndTheSerialNumber) {
  const auto event = WithSource(R"("schema":"dbo","table":"t","change_lsn":"00000027:00000ac0:0002","commit_lsn":"00000027:00000AC0:0003","event_serial_no":2)");
  ASSERT_TRUE(event.place);
  EXPECT_THAT(event.place->parts, ElementsAre(0x27'0000'0ac0, 3, 0x27'0000'0ac0, 2, 2));
  EXPECT_EQ(event.transaction, "00000027:00000AC0:0003");
  EXPECT_FALSE(WithSource(R"("table":"t","change_lsn":"27:ac0","commit_lsn":"27:ac0:3","event_serial_no":2)").place);
  EXPECT_FALSE(WithSource(R"("table":"t","change_lsn":"000000027:ac0:1","commit_lsn":"27:ac0:3","event_serial_no":2)").place);
}

TEST_F(DebeziumConnectorsTest, PlacesOfOracleAndMongoMayBeShared) {
  const auto oracle = WithSource(R"("schema":"S","table":"T","txId":"6.28.807","scn":"5","commit_scn":"9007199254740993")");
  ASSERT_TRUE(oracle.place);
  EXPECT_EQ(oracle.place->parts[0], 9007199254740993ULL);
  EXPECT_TRUE(oracle.place->may_resume_inside);
  const auto mongo = WithSource(R"("db":"d","collection":"c","rs":"rs0","ts_ms":1558965508000,"ord":31,"lsid":"s","txnNumber":4)");
  ASSERT_TRUE(mongo.place);
  EXPECT_THAT(mongo.place->parts, ElementsAre(1558965508, 31, 0, 0, 0));
  EXPECT_EQ(mongo.place->epoch, "rs0");
  EXPECT_EQ(mongo.transaction, "4.s");
}

TEST_F(DebeziumConnectorsTest, ASnapshotIsNamedByWhereItWasTaken) {
  const auto named = [&](const std::string& source) { return SnapshotOf(WithSource(R"("snapshot":"true","table":"t",)" + source)); };
  EXPECT_EQ(named(R"("lsn":500,"txId":7)"), "500/7/");
  EXPECT_EQ(named(R"("server_id":1,"gtid":"u:1-9","file":"b.000003","pos":154,"row":0)"), "b.000003.154//");
  EXPECT_EQ(named(R"("change_lsn":null,"commit_lsn":"1:2:3")"), "1:2:3//");
  EXPECT_EQ(named(R"("scn":"212","commit_scn":null)"), "212//");
  EXPECT_EQ(named(R"("ts_ms":1000,"ord":2)"), "1000//");
  EXPECT_EQ(SnapshotOf(WithSource(R"("snapshot":"incremental","file":"b.000003","pos":154)")), "");
  EXPECT_FALSE(WithSource(R"("snapshot":"incremental","file":"b.000003","pos":154)").place);
}

TEST_F(DebeziumConnectorsTest, OnlyPostgresIdsAreCutAtTheirColon) {
  const auto id = [&](const std::string& text) {
    return std::string(Decoded(R"({"status":"BEGIN","id":")" + text + R"(","event_count":null})").transaction);
  };
  EXPECT_EQ(id("4711:65082936"), "4711");
  EXPECT_EQ(id("00000025:00000d08:0025"), "00000025:00000d08:0025");
  EXPECT_EQ(id("5.6.641"), "5.6.641");
  EXPECT_EQ(id("file=mysql-bin.000004,pos=1234"), "file=mysql-bin.000004,pos=1234");
}

TEST_F(DebeziumConnectorsTest, ADocumentsKeyIsItsId) {
  const auto event = Decoded(R"({"before":null,"after":null,"source":{"connector":"mongodb","db":"d","collection":"c"},"op":"d"})", R"({"id":"{\"$oid\":\"5d50\"}"})");
  ASSERT_EQ(event.key.size(), 1u);
  EXPECT_EQ(event.key[0].name, "_id");
  EXPECT_EQ(event.key[0].token, R"({"$oid":"5d50"})");
}

TEST_F(DebeziumConnectorsTest, AnUpdateWithoutADocumentSaysWhatChanged) {
  const auto event = WithSource(R"("connector":"mongodb","db":"d","collection":"c")",
                                R"("after":null,"updateDescription":{"updatedFields":"{\"a\":1}","removedFields":["b"],"truncatedArrays":null})");
  EXPECT_TRUE(event.partial);
  ASSERT_EQ(event.after.size(), 2u);
  EXPECT_EQ(event.after[0].token, "1");
  EXPECT_EQ(event.after[1].token, "null");
  EXPECT_EQ(event.unfit, "");
  EXPECT_NE(WithSource(R"("connector":"mongodb")", R"("updateDescription":{"updatedFields":null,"truncatedArrays":[{"field":"x","newSize":1}]})").unfit, "");
}

TEST_F(DebeziumConnectorsTest, ExtendedJsonIsReadAsItsType) {
  EXPECT_EQ(Read("string", R"({"$oid":"5d50"})"), "5d50");
  EXPECT_EQ(Read("bigint", R"({"$numberLong":"9007199254740993"})"), "9007199254740993");
  EXPECT_EQ(Read("string", R"({"$numberLong":"12"})"), "12");
  EXPECT_EQ(Read("decimal(4,2)", R"({"$numberDecimal":"1.50"})"), "1.50");
  EXPECT_EQ(Read("timestamptz", R"({"$date":{"$numberLong":"-62167219200000"}})"), Read("timestamptz", R"({"$date":"0000-01-01T00:00:00Z"})"));
  EXPECT_EQ(Read("string", R"({"$date":1})"), "1970-01-01 00:00:00.001+00");
  EXPECT_EQ(Read("string", R"({"$date":-93000000000000})"), "0979-12-13 02:40:00+00 BC");
  EXPECT_EQ(Read("binary", R"({"$binary":"AAE=","$type":"00"})"), R"(\x0001)");
  EXPECT_EQ(Read("json", R"({"$numberDecimal":"1.50"})"), R"({"$numberDecimal":"1.50"})");
  EXPECT_EQ(Read("string", R"({"$timestamp":{"t":1,"i":2}})"), R"({"$timestamp":{"t":1,"i":2}})");
  EXPECT_EQ(Read("bigint", R"({"$timestamp":{"t":1,"i":2}})"), "misfit: is of a type of MongoDB's that the column has no counterpart of");
  EXPECT_EQ(Read("uuid", R"({"$binary":{"base64":"AAE=","subType":"04"}})"), "misfit: is no uuid of 16 bytes");
}

}  // namespace
}  // namespace nano::wire
