// SPDX-License-Identifier: Apache-2.0
/// Real messages of one table with every type of PostgreSQL, in every converter mode that was captured, against the
/// rows that PostgreSQL itself wrote as CSV at that moment. What differs is listed here, each with its reason; the same
/// list is in docs/reference/debezium.md.

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "wire/debezium.h"
#include "wire/debezium_fixture.h"

namespace nano::wire {
namespace {

using Row = std::map<std::string, std::string>;   // column -> PostgreSQL's text, or NULL

/// `\copy … csv header null '\N'`
std::map<std::string, Row> ReadTruth(const std::string& file) {
  std::ifstream in(CaptureFolder() + "truth/" + file);
  std::stringstream all;
  all << in.rdbuf();
  const std::string text = all.str();
  std::vector<std::vector<std::string>> lines(1);
  std::string field;
  bool quoted = false, was_quoted = false;
  const auto end_field = [&] {
    lines.back().push_back(!was_quoted && field == "\\N" ? "NULL" : field);
    field.clear();
    was_quoted = false;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '"' && i + 1 < text.size() && text[i + 1] == '"') field += text[++i];
      else if (c == '"') quoted = false;
      else field += c;
    } else if (c == '"') {
      quoted = was_quoted = true;
    } else if (c == ',') {
      end_field();
    } else if (c == '\n') {
      end_field();
      lines.emplace_back();
    } else {
      field += c;
    }
  }
  lines.pop_back();
  std::map<std::string, Row> rows;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    Row row;
    for (std::size_t k = 0; k < lines[0].size(); ++k) row[lines[0][k]] = lines[i][k];
    rows[row["id"]] = row;
  }
  return rows;
}

struct Target {
  const char* column;
  const char* type;
  const char* source_type;
};

/// What a person would declare, and what the source calls it.
constexpr Target kTargets[] = {
    {"id", "bigint", "bigint"}, {"c_smallint", "int", "smallint"}, {"c_int", "int", "integer"}, {"c_bigint", "bigint", "bigint"},
    {"c_num_10_2", "decimal(10,2)", "numeric(10,2)"}, {"c_num_38_10", "decimal(38,10)", "numeric(38,10)"}, {"c_num_free", "string", "numeric"},
    {"c_real", "float", "real"}, {"c_double", "double", "double precision"}, {"c_money", "decimal(19,2)", "money"},
    {"c_bool", "boolean", "boolean"}, {"c_text", "string", "text"}, {"c_varchar", "string", "varchar(40)"}, {"c_char", "string", "char(8)"},
    {"c_bytea", "binary", "bytea"}, {"c_date", "date", "date"}, {"c_time", "time", "time"}, {"c_time3", "time", "time(3)"},
    {"c_timetz", "time", "timetz"}, {"c_ts", "timestamp", "timestamp"}, {"c_ts3", "timestamp", "timestamp(3)"},
    {"c_tstz", "timestamptz", "timestamptz"}, {"c_interval", "string", "interval"}, {"c_uuid", "uuid", "uuid"}, {"c_json", "json", "json"},
    {"c_jsonb", "json", "jsonb"}, {"c_int_arr", "list<int>", "int[]"}, {"c_text_arr", "list<string>", "text[]"},
    {"c_num_arr", "list<decimal(8,3)>", "numeric(8,3)[]"}, {"c_tstz_arr", "list<timestamptz>", "timestamptz[]"}, {"c_enum", "string", "mood"},
    {"c_inet", "string", "inet"}, {"c_cidr", "string", "cidr"}, {"c_mac", "string", "macaddr"}, {"c_hstore", "string", "hstore"},
    {"c_xml", "string", "xml"}, {"c_bit", "boolean", "bit(1)"}, {"c_bits", "string", "bit(5)"}, {"c_varbit", "string", "varbit(12)"},
    {"c_point", "string", "point"}, {"c_int4range", "string", "int4range"}, {"c_tstzrange", "string", "tstzrange"}, {"c_big", "string", "text"}};

/// PostgreSQL's {…} as the test shows lists.
std::string ListText(const std::string& array) {
  std::string text;
  bool quoted = false;
  for (std::size_t i = 0; i < array.size(); ++i) {
    const char c = array[i];
    if (c == '"') quoted = !quoted;
    else if (c == '\\') text += array[++i];
    else if (c == '{' && !quoted) text += '[';
    else if (c == '}' && !quoted) text += ']';
    else text += c;
  }
  return text;
}

/// PostgreSQL's text in the spelling that CellText has for the type.
std::string Expected(const std::string& type, const std::string& truth) {
  if (truth == "NULL") return truth;
  if (type == "boolean") return truth == "t" || truth == "1" ? "true" : "false";
  if (type.starts_with("list<")) return ListText(truth);
  return truth;
}

enum class Sent { kStringModes, kPreciseWithSchemas, kIso, kConnect, kNanoseconds };

/// What the source's message can't say, or says otherwise: the value that lands instead; nullptr: equal to the truth.
const char* Otherwise(Sent sent, const std::string& column, const std::string& id, const std::string& truth) {
  static std::string text;
  const bool time = column.starts_with("c_time") && column != "c_timetz", timestamp = column.starts_with("c_ts") && !column.starts_with("c_tstz");
  const bool extreme = id == "4" || id == "104";
  const auto is = [&](const char* name) { return column == name; };
  if (truth == "NULL") return nullptr;
  if ((sent == Sent::kPreciseWithSchemas || sent == Sent::kNanoseconds) && is("c_num_free")) {
    if (truth == "NaN" || truth == "Infinity" || truth == "-Infinity") return "NULL";     // fact 6
    if (truth == "1.10") return "1.1";                                                    // trailing zeros are not sent
  }
  if (sent == Sent::kIso) {
    // Doubles: what they can't hold was lost at the source.
    static const std::map<std::string, const char*> doubles{
        {"1234567890123456789012345678.0123456789", "1234567890123456900000000000.0000000000"},
        {"3.14159265358979323846264338327950288", "3.141592653589793"},
        {"100000000000000000000000000000000000000000000000000", "1e+50|1.0E50"},
        {"0.000000000000000000000000000001", "1e-30|1.0E-30"},
        {"100", "100|100.0"},
        {"1.10", "1.1"}};
    if (is("c_num_38_10") || is("c_num_free"))
      if (const auto found = doubles.find(truth); found != doubles.end()) return found->second;
    if (time && truth == "24:00:00") return "00:00:00";                                   // ISO has no 24:00
  }
  // Nanoseconds of 64 bits reach from 1677 to 2262; what is beyond comes as null.
  if (sent == Sent::kNanoseconds && timestamp && !truth.ends_with("infinity") && (truth < "1677" || truth > "2263")) return "NULL";
  if (sent == Sent::kConnect && (time || timestamp) && truth != "24:00:00" && !truth.ends_with("infinity") && truth.find('.') != std::string::npos) {
    text = truth.substr(0, truth.find('.') + 4);                                          // cut to milliseconds
    while (text.back() == '0') text.pop_back();
    if (text.back() == '.') text.pop_back();
    return text.c_str();
  }
  if (is("c_money")) {                                                                    // the currency is not sent
    text.clear();
    for (const char c : truth)
      if (c != '$' && c != ',') text += c;
    return text.c_str();
  }
  if (is("c_timetz")) {                                                                   // sent as UTC, its zone is lost
    static const std::map<std::string, const char*> utc{{"12:34:56.789012+02", "10:34:56.789012"}, {"00:00:00+00", "00:00:00"},
                                                        {"23:59:59.999999-12", "11:59:59.999999"}, {"00:00:00+14", "10:00:00"},
                                                        {"00:00:00-12", "12:00:00"}};
    return utc.at(truth);
  }
  if (is("c_interval")) {                                                                 // sent as microseconds, a month as 30.4375 days
    static const std::map<std::string, const char*> micros{{"1 year 2 mons 3 days 04:05:06.789", "37091106789000"},
                                                           {"-1 mons -1 days -00:00:01", "-2716201000000"},
                                                           {"178000000 years", "9223372036854775807"},
                                                           {"00:00:00", "0"}, {"1 day", "86400000000"}};
    if (sent != Sent::kIso) return micros.at(truth);
  }
  if (is("c_int_arr") && extreme) return "[NULL,NULL]";                                   // fact 9: only one dimension is sent
  if (truth == "infinity" || truth == "-infinity") return "misfit: ";                     // fact 7; these types have none
  if (is("c_date") && id == "7") return "0044-03-15";                                     // fact 7: the snapshot forgets BC
  if ((is("c_time") || is("c_time3")) && truth == "24:00:00") return "misfit: ";
  return nullptr;
}

class DebeziumTruthTest : public ::testing::Test {
 protected:
  std::string Read(const Target& target, const DebeziumField& field, std::string_view source_type) {
    const DataType type = *ParseDataType(target.type);
    Cell cell;
    std::string reason;
    if (!ReadDebezium(type, field, source_type, Special::kQuarantine, arena_, cell, reason)) return "misfit: " + reason;
    return CellText(type, cell);
  }

  /// Every field of every snapshot row, and of the rows that were inserted as copies of them.
  void Check(const std::string& capture, Sent sent, const std::map<std::string, std::string>& source_types = {}) {
    const auto truth = ReadTruth("all_types-at-snapshot.csv");
    ASSERT_EQ(truth.size(), 7u);
    const std::vector<DebeziumMessage> messages = Capture(capture);
    int rows = 0;
    for (const DebeziumMessage& message : messages) {
      auto event = decoder_.Decode(message.value, message.has_value, message.key, message.has_key, message.headers, message.topic, arena_);
      ASSERT_TRUE(event) << event.error().message;
      if (event->kind != DebeziumEvent::Kind::kChange || !event->stream.ends_with("all_types") || (event->op != 'r' && event->op != 'c')) continue;
      std::string id(Value(event->after, "id").token);
      if (event->op == 'c' && id != "101" && id != "102" && id != "104") continue;
      const std::string copied = event->op == 'c' ? id.substr(2) : id;
      ++rows;
      ASSERT_EQ(event->after.size(), std::size(kTargets));
      for (const Target& target : kTargets) {
        if (target.column == std::string("id")) continue;
        const std::string& expected = truth.at(copied).at(target.column);
        const char* const otherwise = Otherwise(sent, target.column, id, expected);
        const std::string got = Read(target, Value(event->after, target.column),
                                     source_types.contains(target.column) ? source_types.at(target.column) : target.source_type);
        if (otherwise != nullptr && std::string_view(otherwise) == "misfit: ")
          EXPECT_TRUE(got.starts_with("misfit: ")) << capture << " " << target.column << " of " << id << ": " << got;
        else if (otherwise != nullptr && std::string_view(otherwise).find('|') != std::string_view::npos)
          EXPECT_TRUE(("|" + std::string(otherwise) + "|").find("|" + got + "|") != std::string::npos) << got << " for " << otherwise;
        else
          EXPECT_EQ(got, otherwise != nullptr ? otherwise : Expected(target.type, expected)) << capture << " " << target.column << " of " << id;
      }
    }
    EXPECT_GE(rows, 7);
  }

  /// Every column as a string: PostgreSQL's own text, but where the message itself is a text, or can't say it.
  void CheckStrings(const std::string& capture, Sent sent) {
    const auto truth = ReadTruth("all_types-at-snapshot.csv");
    const std::vector<DebeziumMessage> messages = Capture(capture);
    int rows = 0;
    for (const DebeziumMessage& message : messages) {
      auto event = decoder_.Decode(message.value, message.has_value, message.key, message.has_key, message.headers, message.topic, arena_);
      ASSERT_TRUE(event) << event.error().message;
      if (event->stream != "inv.all_types" || event->op != 'r') continue;
      const std::string id(Value(event->after, "id").token);
      ++rows;
      for (const Target& target : kTargets) {
        const std::string column = target.column;
        const DebeziumField field = Value(event->after, column);
        const std::string& expected = truth.at(id).at(column);
        const std::string got = Read({target.column, "string", ""}, field, target.source_type);
        if (expected != "NULL" && (column == "c_tstz" || column == "c_timetz" || column.ends_with("_arr") || column == "c_bool")) {
          if (column == "c_num_arr" && expected.starts_with("{1")) { EXPECT_EQ(got, "[1.000,2.500]"); }
          if (column == "c_tstz" && id == "1") { EXPECT_EQ(got, "2024-02-29T10:34:56.789012Z"); }
          if (column == "c_bool") { EXPECT_EQ(got, expected == "t" ? "true" : "false"); }
          continue;
        }
        const bool same = column == "c_time" || column == "c_time3" || expected.ends_with("infinity");
        const char* const otherwise = same ? nullptr : Otherwise(sent, column, id, expected);
        EXPECT_EQ(got, otherwise != nullptr ? otherwise : expected) << capture << " " << column << " of " << id;
      }
    }
    EXPECT_EQ(rows, 7);
  }

  DebeziumDecoder decoder_;
  Arena arena_;
};

TEST_F(DebeziumTruthTest, PreciseWithSchemas) { Check("kafka-precise-schemas", Sent::kPreciseWithSchemas); }
TEST_F(DebeziumTruthTest, StringsWithoutSchemas) { Check("kafka-string-noschemas", Sent::kStringModes); }
TEST_F(DebeziumTruthTest, AllAsStringsPreciseWithSchemas) { CheckStrings("kafka-precise-schemas", Sent::kPreciseWithSchemas); }
TEST_F(DebeziumTruthTest, AllAsStringsWithoutSchemas) { CheckStrings("kafka-string-noschemas", Sent::kStringModes); }
TEST_F(DebeziumTruthTest, IsoTextsDoublesAndHex) { Check("iso-double", Sent::kIso, {{"c_bytea", "hex"}}); }
TEST_F(DebeziumTruthTest, IsoTextsDoublesAndHexWithoutSchemas) { Check("iso-double-noschemas", Sent::kIso, {{"c_bytea", "hex"}}); }
TEST_F(DebeziumTruthTest, ConnectTimesAndBase64) { Check("connecttime", Sent::kConnect, {{"c_bytea", "base64"}}); }
TEST_F(DebeziumTruthTest, ConnectTimesAndBase64WithoutSchemas) {
  Check("connecttime-noschemas", Sent::kConnect, {{"c_bytea", "base64"}, {"c_time", "time(3)"}, {"c_ts", "timestamp(3)"}});
}
TEST_F(DebeziumTruthTest, NanosecondsAndUrlSafeBase64) { Check("nanoseconds", Sent::kNanoseconds, {{"c_bytea", "base64-url-safe"}}); }
TEST_F(DebeziumTruthTest, AdaptiveMicroseconds) { Check("microtime", Sent::kStringModes); }
TEST_F(DebeziumTruthTest, AdaptiveMicrosecondsWithoutSchemas) { Check("microtime-noschemas", Sent::kStringModes, {{"c_time3", "time(6)"}}); }
TEST_F(DebeziumTruthTest, UnwrappedRows) { Check("unwrap-fields-noschemas", Sent::kStringModes); }
TEST_F(DebeziumTruthTest, UnwrappedRowsWithSchemas) { Check("unwrap-fields", Sent::kStringModes); }
TEST_F(DebeziumTruthTest, CloudEvents) { Check("cloudevents", Sent::kStringModes); }
TEST_F(DebeziumTruthTest, CloudEventsWithoutSchemas) { Check("cloudevents-noschemas", Sent::kStringModes); }
TEST_F(DebeziumTruthTest, ArraysOfAnHttpBatch) { Check("http-batch-noschemas", Sent::kStringModes); }

}  // namespace
}  // namespace nano::wire
