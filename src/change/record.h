// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One message of a source as the journal keeps it: the bytes as they came, and what was known of them when they
/// arrived. Positions number the records of one source from 0 and are never used again.

#include <compare>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/debezium_outline.h"

namespace nano {

/// A place in one source's journal: the number of records before it.
struct Position {
  std::uint64_t value = 0;
  auto operator<=>(const Position&) const = default;
};

/// How the raw bytes are to be read.
enum class Format : std::uint8_t {
  kSinger = 1,       ///< one Singer message, a line
  kDebezium = 2,     ///< a Debezium message's value: envelope, unwrapped row or CloudEvent, as JSON
};

/// What a record is to its readers.
enum class RecordKind : std::uint8_t {
  kData = 1,
  kSchema = 2,           ///< Singer SCHEMA
  kState = 3,            ///< Singer STATE
  kActivateVersion = 4,
  kBegin = 5,            ///< transaction BEGIN of the source's metadata
  kEnd = 6,
  kTruncate = 7,
  kSnapshotEdge = 8,
  kGap = 9,
  kTombstone = 10,       ///< a key with a null value
  kUnreadable = 11,      ///< bytes that are no message; they go to quarantine
  kOther = 12,           ///< a message that moves no row (schema change, heartbeat, unknown Singer type)
};

/// Bits of Record::flags.
enum RecordFlag : std::uint8_t {
  kEndsTransaction = 1,  ///< a batch may end after this record
  kReplayed = 2,         ///< the source said it before; landing passes it over
  kBeginsTransaction = 4,  ///< a batch may end before this record
  kFilled = 8,             ///< in the base image: values that the source had not sent again were put in from earlier messages
};

/// What a record of kind kSnapshotEdge says, in a source whose messages have no such mark: a run of it begins, or has said all.
constexpr std::string_view kRunBegins = R"({"edge":"begin"})";
constexpr std::string_view kRunEnds = R"({"edge":"end"})";
/// The same of a stream whose rows are read once more: they take the place of those that are there, or are compared with them.
constexpr std::string_view kRereadReplaces = R"({"edge":"begin","rows":"replace"})";
constexpr std::string_view kRereadCompares = R"({"edge":"begin","rows":"compare"})";
constexpr std::string_view kRereadEnds = kRunEnds;

constexpr std::int64_t kNoTime = std::numeric_limits<std::int64_t>::min();

/// The views lie in the buffer of whoever hands the record out, and are valid as long as it is.
struct Record {
  RecordKind kind = RecordKind::kData;
  Format format = Format::kSinger;
  std::uint8_t flags = 0;
  std::string_view stream;        ///< as the source calls it; empty where unknown
  std::string_view bytes;         ///< the value, byte for byte as it came (but for `opening`)
  std::string_view opening;       ///< what stands before `bytes` and was set apart: an inline schema; mostly empty
  std::string_view key;           ///< the message's key (Debezium, Kafka), as it came
  bool has_key = false;
  bool has_value = true;          ///< false: a Kafka null
  std::string_view headers;       ///< JSON object of text, or empty
  std::uint64_t source_offset = 0;  ///< of a file: the byte after the message's line
  std::int64_t committed_at = kNoTime;  ///< µs since 1970, UTC
  std::int64_t ingested_at = kNoTime;   ///< µs since 1970, UTC
  wire::DebeziumOutline outline = {};   ///< of a change that has one, by its whole value; in memory only

  std::string Whole() const { return std::string(opening).append(bytes); }
};

}  // namespace nano
