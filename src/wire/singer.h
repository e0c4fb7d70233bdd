// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Singer's messages, a line each: what a line is, and what columns a SCHEMA means. As lenient as real taps need: any
/// case in `type`, types that nobody knows, blank lines, CR and a byte order mark, NaN and Infinity, any order of
/// members, of repeated ones the last. What is no message at all is kUnreadable. Pure functions.
/// Singer's specification 0.3.0, and what the Meltano SDK and pipelinewise taps really send.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/data_type.h"
#include "base/result.h"

namespace nano::wire {

/// What a line says. Views lie in the line, or in the arena where a text was escaped; tokens are raw JSON.
struct SingerMessage {
  enum class Kind : std::uint8_t { kRecord, kSchema, kState, kActivateVersion, kBatch, kUnknown, kBlank, kUnreadable };
  Kind kind = Kind::kUnreadable;
  std::string_view type;               ///< as written; of kUnreadable maybe empty
  std::string_view stream;             ///< of all but STATE
  std::string_view record;             ///< of RECORD: its object's token
  std::string_view schema;             ///< of SCHEMA: its object's token
  std::string_view key_properties;     ///< of SCHEMA: a token, or empty
  std::string_view value;              ///< of STATE: a token
  std::optional<std::int64_t> version; ///< of RECORD and ACTIVATE_VERSION
  std::string_view encoding;           ///< of BATCH: its object's token, or empty
  std::string_view manifest;           ///< of BATCH: its array's token
  std::string_view time_extracted;     ///< of RECORD: text, or empty
  std::string_view reason;             ///< of kUnreadable: why, without data
};

SingerMessage ParseSingerLine(std::string_view line, Arena& arena);

/// The version of a RECORD's line; looked for near its ends only, where the members beside its record are.
std::optional<std::int64_t> SingerVersion(std::string_view line, Arena& arena);

/// When the tap read the RECORD of a line, µs since 1970, where it says so.
std::optional<std::int64_t> SingerTime(std::string_view line, Arena& arena);

/// Tells what lines are, fast: a RECORD that begins as an earlier one of its stream did is known by one comparison, and
/// nothing behind its record's first brace is looked at. One a thread, as it learns.
class SingerLineClassifier {
 public:
  enum class Utf8 : bool { kTrusted, kChecked };
  struct Line {
    SingerMessage::Kind kind;
    std::string_view stream;     ///< valid until the next call
    std::size_t record = 0;      ///< of kRecord: where in the line its object begins
    std::string_view reason;     ///< of kUnreadable
  };

  explicit SingerLineClassifier(Utf8 utf8 = Utf8::kChecked) : utf8_(utf8) {}
  Line Classify(std::string_view line);

 private:
  struct Known {
    std::string prefix;          ///< the line up to its record's brace, that included
    std::string stream;
  };
  std::vector<Known> known_;     ///< the last one met first
  std::string stream_;
  Utf8 utf8_;
};

/// Whether `rest`, what follows a record's object in a line that Classify() called a record, ends the message as it
/// should, and says nothing that would change it. False: ask ParseSingerLine, which knows.
bool EndsSingerRecord(std::string_view rest);

struct SingerProperty {
  std::string name;
  DataType type;
  bool nullable = true;          ///< its type takes null, or it may be missing
};

struct SingerSchema {
  std::vector<SingerProperty> properties;   ///< in the schema's order
  std::vector<std::string> key_properties;
};

/// The columns that a schema means, and its key (a token, or empty):
///   boolean                                    boolean
///   integer                                    bigint; int where minimum and maximum fit; decimal(p,0) where they are wider
///   number                                     double; with multipleOf decimal(p,s), p by minimum and maximum, else 38
///   string                                     string; date-time timestamptz, date date, singer.decimal decimal(p,s)
///   object with properties                     struct; json where names clash or further ones are allowed
///   array                                      list of its items; json where these are of no one type
///   several of these, anyOf, oneOf             what holds them all: string, or json with an object or an array among them
///   nothing, or a number too wide for decimal  string: the source's own text
/// kInvalid: not a schema's object, or key_properties that are none.
Result<SingerSchema> ParseSingerSchema(std::string_view schema, std::string_view key_properties);

}  // namespace nano::wire
