// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/display_text.h"
#include "app/row_writer.h"

namespace nano::app {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Le;
using Cell = std::optional<std::string_view>;

std::string Print(const TableOptions& options, const std::vector<ResultColumn>& columns, const std::vector<std::vector<Cell>>& rows) {
  const auto path = std::filesystem::temp_directory_path() / ("table_printer_test." + std::to_string(getpid()));
  {
    auto output = Output::ToFile(path);
    const auto printer = MakeTablePrinter(*output, options);
    EXPECT_TRUE(printer->Begin(columns));
    for (const auto& row : rows) EXPECT_TRUE(printer->Row(row));
    EXPECT_TRUE(printer->End());
    EXPECT_TRUE(output->Finish());
  }
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  std::filesystem::remove(path);
  return text.str();
}

std::vector<std::size_t> LineWidths(const std::string& text) {
  std::vector<std::size_t> out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) out.push_back(DisplayWidth(line));
  return out;
}

TEST(TablePrinterTest, NumbersStandRightAndNullIsSeen) {
  EXPECT_EQ(Print({}, {{"status", "VARCHAR"}, {"n", "BIGINT"}}, {{"placed", "7"}, {Cell(), "1200"}, {"", Cell()}}),
            " status │    n\n"
            "────────┼──────\n"
            " placed │    7\n"
            " ∅      │ 1200\n"
            "        │    ∅\n"
            "(3 rows)\n");
}

TEST(TablePrinterTest, WithoutUnicodeItIsAscii) {
  Terminal plain;
  plain.unicode = false;
  EXPECT_EQ(Print({.terminal = plain, .max_rows = {}}, {{"a", "INTEGER"}, {"b", "VARCHAR"}}, {{"1", Cell()}}),
            " a | b\n---+------\n 1 | NULL\n(1 row)\n");
}

TEST(TablePrinterTest, WideCharactersTakeTwoColumns) {
  EXPECT_EQ(Print({}, {{"a", "VARCHAR"}, {"b", "VARCHAR"}}, {{"日本", "x"}, {"e\u0301", "y"}}),
            " a    │ b\n──────┼───\n 日本 │ x\n e\u0301    │ y\n(2 rows)\n");
}

TEST(TablePrinterTest, ATerminalObeysNothingInTheValues) {
  EXPECT_THAT(Print({}, {{"a", "VARCHAR"}}, {{"x\x1b[31m\ny\xff"}}), HasSubstr("x\\x1b[31m\\ny\\xff"));
}

TEST(TablePrinterTest, ATerminalShowsWhatFits) {
  Terminal narrow;
  narrow.interactive = true;
  narrow.width = 30;
  const std::string text = Print({.terminal = narrow, .max_rows = 2}, {{"name", "VARCHAR"}, {"n", "INTEGER"}, {"note", "VARCHAR"}},
                                 {{"Ada", "1", "a very long note that cannot fit in here"}, {"Bo", "22", "short"}, {"Cy", "3", ""}});
  EXPECT_THAT(text, HasSubstr(" a very long not…\n"));
  EXPECT_THAT(text, HasSubstr("… 1 more rows"));
  const auto widths = LineWidths(text);
  EXPECT_THAT((std::vector<std::size_t>(widths.begin(), widths.begin() + 4)), Each(Le(30u)));
}

TEST(TablePrinterTest, ColumnsWithoutRoomAreLeftOutFromTheMiddle) {
  Terminal narrow;
  narrow.interactive = true;
  narrow.width = 40;
  std::vector<ResultColumn> columns;
  std::vector<Cell> row;
  for (int i = 0; i < 20; ++i) columns.push_back({"column" + std::to_string(i), "VARCHAR"}), row.emplace_back("value");
  const std::string text = Print({.terminal = narrow, .max_rows = {}}, columns, {row});
  EXPECT_THAT(text, HasSubstr(" … "));
  EXPECT_THAT(text, HasSubstr("of 20 columns shown"));
  EXPECT_THAT(LineWidths(text), Each(Le(40u)));
}

TEST(TablePrinterTest, ElsewhereAllRowsComeAndNothingIsCut) {
  std::vector<std::vector<Cell>> rows(5000, std::vector<Cell>{"x"});
  const std::string wide(500, 'w');
  rows.back() = {std::string_view(wide)};
  const std::string text = Print({}, {{"a", "VARCHAR"}}, rows);
  EXPECT_EQ(LineWidths(text).size(), 5003u);
  EXPECT_THAT(text, HasSubstr(wide));
}

TEST(TablePrinterTest, NoRowsStillShowTheHead) {
  EXPECT_EQ(Print({}, {{"a", "INTEGER"}}, {}), " a\n───\n(0 rows)\n");
}

}  // namespace
}  // namespace nano::app
