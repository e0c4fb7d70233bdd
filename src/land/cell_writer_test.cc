// SPDX-License-Identifier: Apache-2.0
// Texts are read as cells, written into DuckDB's vectors, and asked for again in SQL; DuckDB's own casts are the oracle.
#include "land/cell_writer.h"

#include <gmock/gmock.h>

#include <random>

#include "engine/database.h"

namespace nano::land {
namespace {

using engine::RowScan;
using engine::RowSource;
using engine::Vector;
using wire::Cell;
using wire::Special;

/// One column `v` of cells, and `n` that counts them.
class Column final : public RowSource {
 public:
  Column(DataType type, std::vector<Cell> cells) : cells_(std::move(cells)) {
    columns_ = {{"n", DataType{TypeKind::kBigint, 0, 0, {}, {}}}, {"v", std::move(type)}};
  }
  const std::vector<RowSource::Column>& columns() const override { return columns_; }
  Result<std::unique_ptr<RowScan>> Open(std::vector<std::size_t> wanted, const engine::Cursor&) override;
  const std::vector<Cell>& cells() const { return cells_; }

 private:
  std::vector<RowSource::Column> columns_;
  std::vector<Cell> cells_;
};

class ColumnScan final : public RowScan {
 public:
  ColumnScan(const Column& column, std::vector<std::size_t> wanted) : column_(column), wanted_(std::move(wanted)) {}
  Result<std::size_t> Fill(std::vector<Vector>& columns) override {
    const std::size_t count = std::min(engine::kChunkRows, column_.cells().size() - next_);
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      for (std::size_t row = 0; row < count; ++row) {
        if (wanted_[i] == 0) columns[i].data<std::int64_t>()[row] = static_cast<std::int64_t>(next_ + row);
        else WriteCell(column_.columns()[1].type, column_.cells()[next_ + row], columns[i], row);
      }
    }
    next_ += count;
    return count;
  }

 private:
  const Column& column_;
  std::vector<std::size_t> wanted_;
  std::size_t next_ = 0;
};

Result<std::unique_ptr<RowScan>> Column::Open(std::vector<std::size_t> wanted, const engine::Cursor&) {
  return std::unique_ptr<RowScan>(std::make_unique<ColumnScan>(*this, std::move(wanted)));
}

/// A text, and the same value in a form that DuckDB's cast takes: it knows no `10:00+02`, and not every exponent.
struct Spelling {
  Spelling(std::string both) : text(both), plain(std::move(both)) {}  // NOLINT: a text is its own plain form
  Spelling(const char* both) : text(both), plain(both) {}             // NOLINT
  Spelling(std::string as_sent, std::string for_duckdb) : text(std::move(as_sent)), plain(std::move(for_duckdb)) {}
  std::string text, plain;
};

class CellWriterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = engine::Database::Open({});
    ASSERT_TRUE(opened) << opened.error().message;
    database_ = std::move(*opened);
    connection_ = *database_->Connect();
    ASSERT_TRUE(connection_->Execute("SET TimeZone = 'UTC'"));
  }

  static Cell Json(const DataType& type, std::string_view token, Arena& arena) {
    Cell cell;
    std::string reason;
    EXPECT_TRUE(ReadJson(type, token, Special::kQuarantine, arena, cell, reason)) << ToString(type) << " " << token << ": " << reason;
    return cell;
  }

  /// What `sql` over the scanned column `v` gives, row by row.
  std::vector<std::string> Ask(const DataType& type, std::vector<Cell> cells, const std::string& sql) {
    const auto handle = database_->Register(std::make_shared<Column>(type, std::move(cells)));
    const auto rows = connection_->Query(fmt::format("SELECT ({})::VARCHAR FROM nano_rows({}) ORDER BY n", sql, handle));
    EXPECT_TRUE(rows) << rows.error().message;
    database_->Release(handle);
    std::vector<std::string> out;
    if (rows) for (const auto& row : rows->rows) out.push_back(row[0].value_or("NULL"));
    return out;
  }

  /// Tokens as a column of the type, read back as DuckDB prints them.
  std::vector<std::string> Round(const std::string& type_text, const std::vector<std::string>& tokens, const std::string& sql = "v") {
    const DataType type = *ParseDataType(type_text);
    std::vector<Cell> cells;
    for (const auto& token : tokens) cells.push_back(Json(type, token, arena_));
    return Ask(type, std::move(cells), sql);
  }

  /// Whatever of `texts` a column takes is what DuckDB makes of its plain form; says how many it took.
  std::size_t Compare(const std::string& type_text, const std::vector<Spelling>& texts) {
    const DataType type = *ParseDataType(type_text);
    std::vector<Cell> cells;
    std::vector<std::string> taken;
    for (const auto& [text, plain] : texts) {
      Cell cell;
      std::string reason;
      if (!ReadText(type, arena_.Keep(text), Special::kQuarantine, arena_, cell, reason)) continue;
      cells.push_back(cell);
      taken.push_back(plain);
    }
    DataType text_type;
    std::vector<Cell> text_cells;
    for (const auto& text : taken) {
      Cell cell;
      cell.kind = Cell::Kind::kValue;
      cell.text = text;
      text_cells.push_back(cell);
    }
    const auto ours = database_->Register(std::make_shared<Column>(type, std::move(cells)));
    const auto theirs = database_->Register(std::make_shared<Column>(text_type, std::move(text_cells)));
    const std::string sql_type = engine::SqlType(type);
    const auto rows = connection_->Query(fmt::format(
        "SELECT t.v, o.v::VARCHAR, TRY_CAST(t.v AS {0})::VARCHAR FROM nano_rows({1}) o JOIN nano_rows({2}) t USING (n) "
        "WHERE o.v IS DISTINCT FROM TRY_CAST(t.v AS {0}) OR o.v IS DISTINCT FROM o.v::VARCHAR::{0}", sql_type, ours, theirs));
    EXPECT_TRUE(rows) << rows.error().message;
    if (rows) {
      for (std::size_t i = 0; i < std::min<std::size_t>(rows->size(), 5); ++i)
        ADD_FAILURE() << type_text << " from '" << rows->text(i, 0) << "': we have " << rows->text(i, 1) << ", DuckDB " << rows->text(i, 2);
    }
    database_->Release(ours);
    database_->Release(theirs);
    return taken.size();
  }

  Arena arena_;
  std::unique_ptr<engine::Database> database_;
  std::unique_ptr<engine::Connection> connection_;
};

using ::testing::ElementsAre;

TEST_F(CellWriterTest, EveryScalarArrives) {
  EXPECT_THAT(Round("boolean", {"true", "null", "false"}), ElementsAre("true", "NULL", "false"));
  EXPECT_THAT(Round("int", {"-2147483648", "2147483647"}), ElementsAre("-2147483648", "2147483647"));
  EXPECT_THAT(Round("bigint", {"-9223372036854775808", "null", "9223372036854775807"}), ElementsAre("-9223372036854775808", "NULL", "9223372036854775807"));
  EXPECT_THAT(Round("float", {"1.5", "NaN", "-Infinity", "3.4028235e38"}), ElementsAre("1.5", "nan", "-inf", "3.4028235e+38"));
  EXPECT_THAT(Round("double", {"5e-324", "-0.0", "Infinity"}), ElementsAre("5e-324", "-0.0", "inf"));
  EXPECT_THAT(Round("decimal(4,2)", {"-99.99", "0"}), ElementsAre("-99.99", "0.00"));
  EXPECT_THAT(Round("decimal(9,2)", {"-9999999.99", "null"}), ElementsAre("-9999999.99", "NULL"));
  EXPECT_THAT(Round("decimal(18,2)", {"-9999999999999999.99", "1"}), ElementsAre("-9999999999999999.99", "1.00"));
  EXPECT_THAT(Round("decimal(38,18)", {"12345678901234567890.123456789012345678", "-1e-18"}), ElementsAre("12345678901234567890.123456789012345678", "-0.000000000000000001"));
  EXPECT_THAT(Round("string", {R"("")", R"("\u65e5\u672c \ud83d\ude00 longer than what is kept inline")", "null"}), ElementsAre("", "日本 😀 longer than what is kept inline", "NULL"));
  EXPECT_THAT(Round("json", {R"({"a": 1.0})", R"("x")"}), ElementsAre(R"({"a": 1.0})", R"("x")"));
  EXPECT_THAT(Round("binary", {R"("\\x00ff10")", R"("\\x")"}, "hex(v)"), ElementsAre("00FF10", ""));
  EXPECT_THAT(Round("uuid", {R"("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")", R"("00000000-0000-0000-0000-000000000000")", R"("ffffffff-ffff-ffff-ffff-ffffffffffff")"}),
              ElementsAre("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"));
  EXPECT_THAT(Round("date", {R"("2024-02-29")", R"("0044-03-15 BC")", R"("5881580-07-10")"}), ElementsAre("2024-02-29", "0044-03-15 (BC)", "5881580-07-10"));
  EXPECT_THAT(Round("time", {R"("23:59:59.999999")", R"("00:00")"}), ElementsAre("23:59:59.999999", "00:00:00"));
  EXPECT_THAT(Round("timestamp", {R"("2024-02-29T23:59:59.999999")", R"("0001-01-01 00:00:00")"}), ElementsAre("2024-02-29 23:59:59.999999", "0001-01-01 00:00:00"));
  EXPECT_THAT(Round("timestamptz", {R"("2024-02-29 23:59:59.999999+02")", R"("9999-12-31T23:59:59.999Z")"}), ElementsAre("2024-02-29 21:59:59.999999+00", "9999-12-31 23:59:59.999+00"));
}

TEST_F(CellWriterTest, NestedValuesArrive) {
  EXPECT_THAT(Round("list<int>", {"[1,null,3]", "null", "[]", "[4]"}), ElementsAre("[1, NULL, 3]", "NULL", "[]", "[4]"));
  EXPECT_THAT(Round("list<list<string>>", {R"([["a"],[],null,["b","c"]])", R"([["d"]])"}), ElementsAre("[[a], [], NULL, [b, c]]", "[[d]]"));
  EXPECT_THAT(Round("struct<a: int, b: struct<c: string>>", {R"({"a":1,"b":{"c":"x"}})", "null", R"({"b":null})", R"({"a":2,"b":{}})"}),
              ElementsAre("{'a': 1, 'b': {'c': x}}", "NULL", "{'a': NULL, 'b': NULL}", "{'a': 2, 'b': {'c': NULL}}"));
  EXPECT_THAT(Round("struct<a: int, b: struct<c: string>>", {R"({"a":1,"b":{"c":"x"}})", "null", R"({"b":null})"}, "v.b.c"), ElementsAre("x", "NULL", "NULL"));
  EXPECT_THAT(Round("map<string, decimal(9,2)>", {R"({"k":1.5,"l":null})", "{}", "null", R"({"m":2})"}), ElementsAre("{k=1.50, l=NULL}", "{}", "NULL", "{m=2.00}"));
  EXPECT_THAT(Round("map<string, list<struct<a: int>>>", {R"({"k":[{"a":1},null,{}]})", R"({"l":[]})"}, "v['k']"),
              ElementsAre("[{'a': 1}, NULL, {'a': NULL}]", "NULL"));
}

TEST_F(CellWriterTest, WhatIsNoValueIsNull) {
  const DataType type = *ParseDataType("int");
  Cell absent, unchanged;
  unchanged.kind = Cell::Kind::kUnchanged;
  EXPECT_THAT(Ask(type, {absent, unchanged}, "v IS NULL"), ElementsAre("true", "true"));
}

TEST_F(CellWriterTest, NestedValuesKeepTheirPlaceOverManyChunks) {
  const DataType type = *ParseDataType("map<string, list<int>>");
  std::vector<Cell> cells;
  for (int i = 0; i < 10000; ++i) {
    std::string token = i % 7 == 0 ? "null" : "{";
    if (i % 7 != 0) {
      for (int k = 0; k < i % 4; ++k) token += fmt::format("{}\"k{}\":[{},null{}]", k == 0 ? "" : ",", k, i, i % 3 == 0 ? ",7" : "");
      token += "}";
    }
    cells.push_back(Json(type, arena_.Keep(token), arena_));
  }
  const auto handle = database_->Register(std::make_shared<Column>(type, std::move(cells)));
  const auto rows = connection_->Query(fmt::format(
      "SELECT count(*) FILTER (v IS NULL AND n % 7 = 0), count(*) FILTER (cardinality(v) = n % 4), "
      "count(*) FILTER (n % 7 <> 0 AND n % 4 > 1 AND v['k1'] IS NOT DISTINCT FROM (CASE WHEN n % 3 = 0 THEN [n::INT, NULL, 7] ELSE [n::INT, NULL] END)) "
      "FROM nano_rows({})", handle));
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(rows->text(0, 0), "1429");
  EXPECT_EQ(rows->text(0, 1), "8571");
  int expected = 0;
  for (int i = 0; i < 10000; ++i) expected += i % 7 != 0 && i % 4 > 1;
  EXPECT_EQ(rows->text(0, 2), std::to_string(expected));
  database_->Release(handle);
}

/// Random texts that look like what a type takes, a good part of them just wrong. Years end at 280000: beyond, DuckDB
/// prints a timestamptz through a double, and wrong by a millisecond.
class Texts {
 public:
  std::vector<Spelling> Numbers(std::size_t count) {
    return Many(count, [&] {
      const std::string sign = Pick({"", "", "-", "+"});
      std::string whole = Digits(Upto(3) == 0 ? Upto(40) : Upto(12));
      if (Upto(2) == 0) return Spelling(sign + whole);
      std::string fraction = Digits(Upto(Upto(4) == 0 ? 20 : 4)) + Pick({"", "", "000"});
      std::string text = sign + whole + "." + fraction, plain = text;
      if (whole.empty() && fraction.empty()) return Spelling(text);
      if (Upto(4) == 0) {
        const int power = static_cast<int>(Upto(Upto(3) == 0 ? 400 : 12)) * (Upto(2) == 0 ? 1 : -1);
        text += Pick({"e", "E"}) + (power > 0 ? Pick({"", "+"}) : "") + std::to_string(power);
        if (power > 0) {
          fraction.append(static_cast<std::size_t>(power), '0');
          whole += fraction.substr(0, static_cast<std::size_t>(power));
          fraction.erase(0, static_cast<std::size_t>(power));
        } else {
          whole.insert(0, static_cast<std::size_t>(-power), '0');
          fraction.insert(0, whole.substr(whole.size() - static_cast<std::size_t>(-power)));
          whole.resize(whole.size() - static_cast<std::size_t>(-power));
        }
        plain = sign + "0" + whole + "." + fraction;
      }
      return Spelling(text, plain);
    });
  }
  std::vector<Spelling> Moments(std::size_t count, bool date, bool time, const std::vector<std::string>& zones) {
    return Many(count, [&] {
      std::string text;
      if (date) {
        text += fmt::format("{:04}-{:02}-{:02}", Upto(4) == 0 ? Upto(280000) : 1600 + Upto(500), Number(1, 12), Number(1, 31));
        if (Upto(8) == 0) text += " (BC)";
      }
      if (date && time) text += Pick({"T", " "});
      if (!time) return Spelling(text);
      text += fmt::format("{:02}:{:02}", Number(0, 23), Number(0, 59));
      const std::string zone = Pick(zones);
      if (Upto(8) == 0) return Spelling(text + zone, text + ":00" + zone);
      text += fmt::format(":{:02}", Number(0, 59));
      if (Upto(2) == 0) text += "." + Digits(1 + Upto(Upto(10) == 0 ? 9 : 6));
      return Spelling(text + zone);
    });
  }
  std::vector<Spelling> Hex(std::size_t count) {
    return Many(count, [&] {
      std::string text;
      for (std::uint32_t i = 0; i < 32; ++i) text += "0123456789abcdefABCDEFg"[Upto(Upto(40) == 0 ? 23 : 22)];
      for (const std::size_t at : {20u, 16u, 12u, 8u}) text.insert(at, "-");
      return Spelling(text);
    });
  }

 private:
  template <class Make>
  std::vector<Spelling> Many(std::size_t count, Make make) {
    std::vector<Spelling> texts;
    for (std::size_t i = 0; i < count; ++i) texts.push_back(make());
    return texts;
  }
  std::string Digits(std::uint32_t count) {
    std::string digits;
    for (; count > 0; --count) digits += static_cast<char>('0' + Upto(10));
    return digits;
  }
  std::uint32_t Upto(std::uint32_t bound) { return static_cast<std::uint32_t>(random_() % bound); }
  /// Now and then one outside.
  std::uint32_t Number(std::uint32_t low, std::uint32_t high) { return Upto(50) == 0 ? high + 1 : low + Upto(high - low + 1); }
  std::string Pick(const std::vector<std::string>& of) { return of[Upto(static_cast<std::uint32_t>(of.size()))]; }

  std::mt19937 random_{42};
};

TEST_F(CellWriterTest, NumbersThatAreTakenAreDuckDbsOwn) {
  Texts texts;
  EXPECT_GT(Compare("int", texts.Numbers(6000)), 1000u);
  EXPECT_GT(Compare("bigint", texts.Numbers(6000)), 1500u);
  EXPECT_GT(Compare("decimal(4,1)", texts.Numbers(6000)), 400u);
  EXPECT_GT(Compare("decimal(9,3)", texts.Numbers(6000)), 1500u);
  EXPECT_GT(Compare("decimal(18,6)", texts.Numbers(6000)), 2000u);
  EXPECT_GT(Compare("decimal(38,10)", texts.Numbers(6000)), 2500u);
  EXPECT_GT(Compare("double", texts.Numbers(6000)), 4000u);
  EXPECT_GT(Compare("float", texts.Numbers(6000)), 4500u);
}

TEST_F(CellWriterTest, MomentsThatAreTakenAreDuckDbsOwn) {
  Texts texts;
  EXPECT_GT(Compare("date", texts.Moments(6000, true, false, {})), 5000u);
  EXPECT_GT(Compare("time", texts.Moments(6000, false, true, {""})), 5000u);
  EXPECT_GT(Compare("timestamp", texts.Moments(6000, true, true, {"", "", "Z", "+00", "+01:00"})), 3500u);
  EXPECT_GT(Compare("timestamptz", texts.Moments(6000, true, true, {"", "Z", "+00", "+02", "-0330", "+05:45", "-12:00:30"})), 3000u);
}

TEST_F(CellWriterTest, UuidsThatAreTakenAreDuckDbsOwn) {
  Texts texts;
  EXPECT_GT(Compare("uuid", texts.Hex(3000)), 1000u);
}

/// DuckDB's limits are where wire/moment.cc says.
TEST_F(CellWriterTest, TheEndsOfTimeAreDuckDbs) {
  EXPECT_EQ(Compare("date", {"5881580-07-10", "5877642-06-25 (BC)", "5881580-07-11", "5877642-06-24 (BC)"}), 2u);
  EXPECT_EQ(Compare("timestamp", {"294247-01-10 04:00:54.775806", "290309-12-22 (BC) 00:00:00", "294247-01-10 04:00:54.775807", "290309-12-21 (BC) 23:59:59.999999"}), 2u);
}

}  // namespace
}  // namespace nano::land
