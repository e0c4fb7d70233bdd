// SPDX-License-Identifier: Apache-2.0
#include "wire/pgoutput.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

namespace nano::wire {
namespace {

using Kind = PgMessage::Kind;

std::string Unhex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

/// The messages of test/captures/pgoutput, as PostgreSQL 15 sent them.
const std::vector<std::string>& Captured() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> messages;
    std::ifstream in(std::string(NANO_SOURCE_DIR) + "/test/captures/pgoutput/messages.hex");
    for (std::string line; std::getline(in, line);) messages.push_back(Unhex(line));
    EXPECT_GT(messages.size(), 800u);
    return messages;
  }();
  return all;
}

/// Calls `look(message, in a stream block)` for each.
template <class Look>
void Read(const Look& look) {
  InStream in = InStream::kNo;
  PgMessage message;
  for (const auto& bytes : Captured()) {
    const Status read = DecodePgOutput(bytes, in, message);
    ASSERT_TRUE(read) << read.error().message;
    if (message.kind == Kind::kStreamStart) in = InStream::kYes;
    if (message.kind == Kind::kStreamStop) in = InStream::kNo;
    look(message, in);
  }
}

TEST(PgOutput, ReadsEveryMessageOfAServer) {
  std::map<Kind, int> counts;
  Read([&](const PgMessage& message, InStream) { ++counts[message.kind]; });
  EXPECT_EQ(counts[Kind::kBegin], counts[Kind::kCommit]);
  EXPECT_EQ(counts[Kind::kStreamStart], counts[Kind::kStreamStop]);
  EXPECT_EQ(counts[Kind::kStreamCommit], 1);
  EXPECT_EQ(counts[Kind::kStreamAbort], 2);
  EXPECT_EQ(counts[Kind::kTruncate], 1);
  EXPECT_EQ(counts[Kind::kMessage], 2);
}

TEST(PgOutput, RelationsTellColumnsAndWhatTheKeyIs) {
  std::map<std::string, std::string> keys;
  Read([&](const PgMessage& message, InStream) {
    if (message.kind != Kind::kRelation) return;
    std::string& key = keys[std::string(message.name)];
    key = std::string(1, static_cast<char>(message.identity));
    for (const auto& column : message.columns)
      if (column.in_key) key += " " + std::string(column.name);
  });
  EXPECT_EQ(keys["kinds"], "d id");
  EXPECT_EQ(keys["whole"], "f a b");
  EXPECT_EQ(keys["coded"], "i code");
}

TEST(PgOutput, ValuesAreTextNullOrNotSent) {
  std::vector<std::string> seen;
  Read([&](const PgMessage& message, InStream) {
    if (message.kind != Kind::kUpdate || message.after.size() != 8) return;
    seen.push_back(std::string(message.after[3].text));
    EXPECT_EQ(message.after[7].kind, PgValue::Kind::kUnchanged);
    EXPECT_EQ(message.after[1].text, "12.50");
    EXPECT_EQ(message.has_before, message.after[0].text == "10");
    EXPECT_EQ(message.before_is_key, message.has_before);
  });
  EXPECT_THAT(seen, testing::ElementsAre("same big", "same big"));
}

TEST(PgOutput, WhatIsRolledBackOfAStreamedTransactionIsToldByItsSubtransaction) {
  std::uint32_t top = 0, aborted = 0;
  std::map<std::uint32_t, int> inserts;
  Read([&](const PgMessage& message, InStream in) {
    if (message.kind == Kind::kInsert && in == InStream::kYes) ++inserts[message.xid];
    if (message.kind == Kind::kStreamCommit) top = message.xid;
    if (message.kind == Kind::kStreamAbort && message.xid != message.subxid) aborted = message.subxid;
  });
  EXPECT_EQ(inserts[top], 401);
  EXPECT_GT(inserts[aborted], 0);
}

TEST(PgOutput, NoBeginningOfAMessageIsAMessage) {
  PgMessage message;
  InStream in = InStream::kNo;
  std::map<char, int> tried;
  for (const auto& bytes : Captured()) {
    if (bytes[0] == 'E') in = InStream::kNo;
    const bool whole = ++tried[bytes[0]] <= 4;
    for (std::size_t size = 0; whole && size < bytes.size(); ++size) {
      EXPECT_FALSE(DecodePgOutput(std::string_view(bytes).substr(0, size), in, message)) << bytes[0] << size;
    }
    EXPECT_FALSE(DecodePgOutput(bytes + "x", in, message)) << bytes[0];
    if (bytes[0] == 'S') in = InStream::kYes;
  }
}

TEST(PgOutput, PreparedTransactionsAreRead) {
  const std::string numbers(8 * 3, '\1');
  PgMessage message;
  const std::string begin = "b" + numbers + std::string("\0\0\0\7gid\0", 8);   // the message's name lies in it
  ASSERT_TRUE(DecodePgOutput(begin, InStream::kNo, message));
  EXPECT_EQ(message.kind, Kind::kBeginPrepare);
  EXPECT_EQ(message.xid, 7u);
  EXPECT_EQ(message.name, "gid");
  ASSERT_TRUE(DecodePgOutput(std::string("K\0", 2) + numbers + std::string("\0\0\0\7gid\0", 8), InStream::kNo, message));
  EXPECT_EQ(message.kind, Kind::kCommitPrepared);
  ASSERT_TRUE(DecodePgOutput(std::string("r\0", 2) + numbers + std::string(8, '\1') + std::string("\0\0\0\7gid\0", 8), InStream::kNo, message));
  EXPECT_EQ(message.kind, Kind::kRollbackPrepared);
}

TEST(PgOutput, AnUnknownKindIsSaid) {
  PgMessage message;
  const Status read = DecodePgOutput("Z", InStream::kNo, message);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::kUnsupported);
}

TEST(WalFrame, DataAndKeepalives) {
  const auto number = [](char last) { return std::string(7, '\0') + last; };
  const std::string frame = "w" + number('\5') + number('\6') + number('\0') + "B";   // its data lies in it
  const auto data = DecodeWalFrame(frame);
  ASSERT_TRUE(data);
  EXPECT_EQ(data->begin, Lsn{5});
  EXPECT_EQ(data->data, "B");
  const auto alive = DecodeWalFrame("k" + number('\7') + number('\0') + "\1");
  ASSERT_TRUE(alive);
  EXPECT_EQ(alive->end, Lsn{7});
  EXPECT_TRUE(alive->wants_reply);
  EXPECT_FALSE(DecodeWalFrame("k" + number('\7')));
  EXPECT_FALSE(DecodeWalFrame(""));
}

TEST(WalFrame, AnAnswerSaysWhatIsDurable) {
  const std::string status = StandbyStatus(Lsn{0x0102}, Lsn{0x03}, 946'684'800'000'001);
  ASSERT_EQ(status.size(), 34u);
  EXPECT_EQ(status[0], 'r');
  EXPECT_EQ(status.substr(7, 2), "\1\2");
  EXPECT_EQ(status[16], '\3');
  EXPECT_EQ(status[24], '\3');
  EXPECT_EQ(status[32], '\1');
}

TEST(LsnTest, IsWrittenAsPostgresDoes) {
  EXPECT_EQ(LsnText(Lsn{0x16B374D848}), "16/B374D848");
  EXPECT_EQ(ParseLsn("16/B374D848"), Lsn{0x16B374D848});
  EXPECT_FALSE(ParseLsn("16-B3"));
  EXPECT_FALSE(ParseLsn("x/1"));
}

}  // namespace
}  // namespace nano::wire
