// SPDX-License-Identifier: Apache-2.0
#include "app/run_query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace nano::app {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class RunQueryTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    engine::Options options;
    options.threads = 2;
    options.extensions = {"icu", "json"};
    auto database = engine::Database::Open(options);
    ASSERT_TRUE(database) << database.error().message;
    database_ = std::move(*database);
    connection_ = std::move(*database_->Connect());
  }
  static void TearDownTestSuite() {
    connection_.reset();
    database_.reset();
  }

  std::string Run(const std::string& sql, QueryFormat format, std::map<std::string, std::string> parameters = {}) {
    const auto path = std::filesystem::temp_directory_path() / ("run_query_test." + std::to_string(getpid()));
    QueryOptions options{.format = format, .parameters = std::move(parameters), .terminal = {}, .max_rows = {}};
    {
      auto output = Output::ToFile(path);
      if (!output) return output.error().message;
      const auto done = RunQuery(*connection_, sql, options, *output);
      if (!done) return "error: " + done.error().message;
      if (auto finished = output->Finish(); !finished) return finished.error().message;
    }
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    std::filesystem::remove(path);
    return text.str();
  }

  static std::unique_ptr<engine::Database> database_;
  static std::unique_ptr<engine::Connection> connection_;
};
std::unique_ptr<engine::Database> RunQueryTest::database_;
std::unique_ptr<engine::Connection> RunQueryTest::connection_;

TEST_F(RunQueryTest, JsonKeepsEveryDigitAndTheOrderOfColumns) {
  EXPECT_EQ(Run("SELECT 9007199254740993::bigint AS z, 12345678901234567890.123456789::decimal(38,9) AS a, 1.10::decimal(4,2) AS m",
                QueryFormat::kJson),
            "[{\"z\":9007199254740993,\"a\":12345678901234567890.123456789,\"m\":1.10}]\n");
}

TEST_F(RunQueryTest, JsonOfNoRowsIsAnEmptyArray) {
  EXPECT_EQ(Run("SELECT 1 AS a WHERE false", QueryFormat::kJson), "[]\n");
  EXPECT_EQ(Run("SELECT 1 AS a WHERE false", QueryFormat::kJsonLines), "");
}

TEST_F(RunQueryTest, JsonHasNoNaNSoItIsText) {
  EXPECT_EQ(Run("SELECT 'nan'::double AS a, '-inf'::float AS b, 'inf'::double AS c, NULL AS d, true AS e, 1e300 AS f",
                QueryFormat::kJsonLines),
            "{\"a\":\"NaN\",\"b\":\"-Infinity\",\"c\":\"Infinity\",\"d\":null,\"e\":true,\"f\":1e+300}\n");
}

TEST_F(RunQueryTest, JsonOfNestedValuesIsNestedAndExact) {
  EXPECT_EQ(Run("SELECT {'a b': 1.10::decimal(4,2), 'q\"': [NULL, 2.50::decimal(18,2)], 'n': NULL} AS s, "
                "MAP {'k''': [1.0::double, 'nan'::double]} AS m, [[1],[]] AS l, ['é\"\n'] AS t, '{\"a\": [1]}'::json AS j, "
                "NULL::int[] AS n, [1,2]::int[2] AS f",
                QueryFormat::kJsonLines),
            "{\"s\":{\"a b\":1.10,\"q\\\"\":[null,2.50],\"n\":null},\"m\":{\"k'\":[1.0,\"NaN\"]},\"l\":[[1],[]],"
            "\"t\":[\"é\\\"\\n\"],\"j\":{\"a\": [1]},\"n\":null,\"f\":[1,2]}\n");
}

TEST_F(RunQueryTest, JsonNamesThatComeTwiceAreToldApart) {
  EXPECT_EQ(Run("SELECT 1 AS a, 2 AS a, 3 AS a_2", QueryFormat::kJsonLines), "{\"a\":1,\"a_3\":2,\"a_2\":3}\n");
}

TEST_F(RunQueryTest, EveryTypeOfTheEngineIsValidJson) {
  const std::string text = Run("SELECT * FROM test_all_types()", QueryFormat::kJson);
  EXPECT_TRUE(nlohmann::json::accept(text)) << text;
}

TEST_F(RunQueryTest, CsvTellsNullFromTheEmptyText) {
  EXPECT_EQ(Run("SELECT NULL AS \"a,b\", '' AS b, 'x' AS c, 'say \"hi\"' AS d, E'two\\nlines' AS e", QueryFormat::kCsv),
            "\"a,b\",b,c,d,e\n,\"\",x,\"say \"\"hi\"\"\",\"two\nlines\"\n");
}

TEST_F(RunQueryTest, ParametersAreBound) {
  EXPECT_EQ(Run("SELECT i FROM range(5) t(i) WHERE i >= $low AND i < $high::int -- $no", QueryFormat::kCsv, {{"low", "1"}, {"high", "3"}}),
            "i\n1\n2\n");
  EXPECT_EQ(Run("SELECT $a AS x, '$b' AS y", QueryFormat::kCsv, {{"a", "'; DROP TABLE x"}}), "x,y\n'; DROP TABLE x,$b\n");
  EXPECT_THAT(Run("SELECT $a", QueryFormat::kCsv), HasSubstr("parameter \"a\" has no value"));
  EXPECT_THAT(Run("SELECT 1", QueryFormat::kCsv, {{"a", "1"}}), HasSubstr("parameter \"a\" is not in the statement"));
}

TEST_F(RunQueryTest, ATrailingCommentOrSemicolonDoesNoHarm) {
  EXPECT_EQ(Run("SELECT 1 AS a; -- done", QueryFormat::kCsv), "a\n1\n");
  EXPECT_EQ(Run("/* a */ FROM (VALUES (1)) t(a) -- x", QueryFormat::kCsv), "a\n1\n");
}

TEST_F(RunQueryTest, OtherReadingStatementsRun) {
  EXPECT_THAT(Run("DESCRIBE SELECT 1 AS a", QueryFormat::kCsv), HasSubstr("a,INTEGER"));
  EXPECT_THAT(Run("SUMMARIZE SELECT 1 AS a", QueryFormat::kCsv), HasSubstr("a,INTEGER"));
  EXPECT_EQ(Run("WITH t AS (SELECT 1 AS a) SELECT * FROM t", QueryFormat::kCsv), "a\n1\n");
  EXPECT_EQ(Run("VALUES (1, 2)", QueryFormat::kJsonLines), "{\"col0\":1,\"col1\":2}\n");
  EXPECT_EQ(Run("(SELECT 1 AS a)", QueryFormat::kCsv), "a\n1\n");
  EXPECT_THAT(Run("EXPLAIN SELECT 1", QueryFormat::kTable), HasSubstr("DUMMY_SCAN"));
  EXPECT_EQ(Run("PIVOT (SELECT 1 AS k, 'x' AS n, 2 AS v) ON n IN ('x') USING sum(v)", QueryFormat::kCsv), "k,x\n1,2\n");
}

TEST_F(RunQueryTest, ErrorsPointIntoTheStatementAsItWasTyped) {
  const std::string text = Run("SELECT 1,\n  nothere\nFROM range(1)", QueryFormat::kTable);
  EXPECT_THAT(text, HasSubstr("nothere"));
  EXPECT_THAT(text, HasSubstr("LINE 2:   nothere\n          ^"));
  EXPECT_THAT(Run("SELEC 1", QueryFormat::kTable), StartsWith("error: query only reads"));
  EXPECT_THAT(Run("SELECT 1 +", QueryFormat::kTable), HasSubstr("end of input"));
}

TEST_F(RunQueryTest, AFailureWhileRowsAreReadIsAnError) {
  EXPECT_THAT(Run("SELECT CASE WHEN i = 5000 THEN error('broken at ' || i) ELSE 'x' END FROM range(10000) t(i)", QueryFormat::kCsv),
              HasSubstr("broken at 5000"));
}

TEST_F(RunQueryTest, ParquetTakesNamesThatComeTwice) {
  const auto path = std::filesystem::temp_directory_path() / ("run_query_test." + std::to_string(getpid()) + ".parquet");
  const auto done = RunQueryToParquet(*connection_, "SELECT $v AS a, 2 AS a", {.format = QueryFormat::kParquet, .parameters = {{"v", "7"}}, .terminal = {}, .max_rows = {}}, path.string());
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(Run("FROM '" + path.string() + "'", QueryFormat::kCsv), "a,a_2\n7,2\n");
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace nano::app
