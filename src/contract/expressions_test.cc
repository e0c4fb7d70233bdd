// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "contract/expressions.h"
#include "contract/parse.h"
#include "engine/database.h"

namespace nano::contract {
namespace {

struct Case {
  const char* column;  ///< the column's type
  const char* expression;
  const char* code;       ///< "": accepted
  const char* part = "";  ///< of message or hint
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.column << " <- " << c.expression; }

Parsed Check(const std::string& type, const std::string& expression) {
  std::string quoted;
  for (const char c : expression) quoted += c == '\'' ? "''" : std::string(1, c);
  return Parse(
      {{"nanohouse.yaml",
        "nanohouse: 1\nwarehouse: w\nsources: [{name: s, debezium: {file: x}}]\ntables:\n- name: t\n  source: s\n  columns:\n"
        "  - {name: cents, data_type: bigint}\n  - {name: n, data_type: int}\n  - {name: amount, data_type: \"decimal(18,2)\"}\n"
        "  - {name: ratio, data_type: double}\n  - {name: text, data_type: string}\n  - {name: moment, data_type: timestamp}\n"
        "  - {name: zoned, data_type: timestamptz}\n  - {name: day, data_type: date}\n  - {name: doc, data_type: json}\n"
        "  - {name: list, data_type: list<int>}\n  - {name: city, data_type: string, field: address.city}\n  - {name: zip, "
        "data_type: int, field: address.zip}\n"
        "  - {name: \"odd \\\"name\", data_type: int}\n  - {name: user, data_type: string}\n  - {name: flag, data_type: boolean}\n"
        "  - {name: result, data_type: \"" +
            type + "\", field: raw, source_type: bigint, expr: '" + quoted + "'}\n"}},
      ".");
}

class ExpressionTest : public testing::TestWithParam<Case> {};

TEST_P(ExpressionTest, IsJudged) {
  auto parsed = Check(GetParam().column, GetParam().expression);
  std::erase_if(parsed.findings, [](const Finding& f) { return f.severity == Severity::kWarning; });
  if (!*GetParam().code) {
    for (const auto& f : parsed.findings) ADD_FAILURE() << f.code << ": " << f.message << " | " << f.hint;
    return;
  }
  ASSERT_EQ(parsed.findings.size(), 1U) << (parsed.findings.empty()
                                                ? ""
                                                : parsed.findings[0].message + " && " + parsed.findings.back().message);
  EXPECT_EQ(parsed.findings[0].code, GetParam().code) << parsed.findings[0].message;
  EXPECT_THAT(parsed.findings[0].message + " | " + parsed.findings[0].hint, testing::HasSubstr(GetParam().part));
  EXPECT_EQ(parsed.findings[0].place.at, 23U);
}

INSTANTIATE_TEST_SUITE_P(
    Accepted, ExpressionTest,
    testing::Values(Case{"decimal(18,2)", "cents * 0.01", ""}, Case{"decimal(18,2)", "raw * 0.01", ""},
                    Case{"decimal(18,2)", "round(cents * 0.0081, 2)", ""}, Case{"decimal(18,2)", "amount", ""},
                    Case{"decimal(18,4)", "amount * 0.01", ""}, Case{"decimal(18,2)", "cents", ""},
                    Case{"decimal(18,2)", "CASE WHEN ratio > 0.5 THEN amount ELSE 0 END", ""},
                    Case{"decimal(18,2)", "if(ratio / 2 > 1, amount, 0.5)", ""}, Case{"decimal(18,2)", "coalesce(amount, 0)", ""},
                    Case{"decimal(18,2)", "amount::decimal(18,2)", ""}, Case{"bigint", "n + cents", ""}, Case{"bigint", "n", ""},
                    Case{"int", "cents::int", ""}, Case{"int", "n // 2", ""}, Case{"double", "amount / 100.0", ""},
                    Case{"string", "lower(text) || '-' || n", ""}, Case{"string", "cents", ""},
                    Case{"string", "substr(text, 1, 3)", ""}, Case{"boolean", "text LIKE 'a%' AND NOT flag", ""},
                    Case{"boolean", "n IN (1, 2)", ""}, Case{"boolean", "n BETWEEN 1 AND 2 OR text IS NULL", ""},
                    Case{"int", "nullif(text, 'NA')", ""}, Case{"date", "substr(text, 1, 10)", ""},
                    Case{"date", "moment::date", ""}, Case{"timestamp", "date_trunc('hour', moment)", ""},
                    Case{"timestamp", "day", ""}, Case{"timestamp", "moment + INTERVAL 1 DAY", ""},
                    Case{"bigint", "extract(year FROM day)", ""}, Case{"json", "doc->'a'", ""}, Case{"string", "doc->>'$.a.b'", ""},
                    Case{"json", "to_json(list)", ""}, Case{"bigint", "address.zip", ""}, Case{"string", "upper(address.city)", ""},
                    Case{"bigint", "\"odd \"\"name\" + 1", ""}, Case{"bigint", "ODD_CASE", "expression-field"},
                    Case{"bigint", "CENTS", ""}, Case{"list<int>", "list_transform(list, lambda x: x * n)", ""},
                    Case{"list<int>", "list_filter(list, lambda cents_: cents_ > 1)", ""},
                    Case{"list<string>", "string_split(text, ',')", ""}, Case{"struct<a: bigint>", "{'a': cents}", ""},
                    Case{"string", "sha256(text)", ""}, Case{"string", "user", ""},
                    Case{"timestamp", "strptime(text, '%Y-%m-%d')", ""}, Case{"bigint", "length(text) -- a remark", ""},
                    Case{"decimal(18,2)", "-abs(amount)", ""}, Case{"decimal(38,2)", "list_sum([amount, amount])", ""},
                    Case{"timestamptz", "to_timestamp(cents)", ""}, Case{"decimal(18,0)", "round(amount)", ""},
                    Case{"bigint", "round(amount)::bigint", ""}));

INSTANTIATE_TEST_SUITE_P(
    Refused, ExpressionTest,
    testing::Values(
        Case{"decimal(18,2)", "cents / 100.0", "expression-inexact", "divides"},
        Case{"decimal(18,2)", "(cents / 100)::decimal(18,2)", "expression-inexact", "divides"},
        Case{"decimal(18,2)", "round(cents * 1e-2, 2)::decimal(18,2)", "expression-inexact", "0.01 is a decimal"},
        Case{"decimal(18,2)", "ratio", "expression-inexact", "\"ratio\""},
        Case{"decimal(18,2)", "ratio::decimal(18,2)", "expression-inexact", "\"ratio\""},
        Case{"decimal(18,2)", "sqrt(amount)::decimal(18,2)", "expression-inexact", "\"sqrt\""},
        Case{"decimal(18,2)", "cast(cast(amount / 3 AS varchar) AS decimal(18,2))", "expression-inexact", "divides"},
        Case{"decimal(18,2)", "list_avg([amount])::decimal(18,2)", "expression-inexact", "\"list_avg\""},
        Case{"list<decimal(18,2)>", "list_transform(list, lambda x: x / 100)::decimal(18,2)[]", "expression-inexact", "double"},
        Case{"decimal(18,2)", "CASE WHEN flag THEN amount ELSE ratio END", "expression-inexact", "\"ratio\""},
        Case{"decimal(18,2)", "amount * 0.001", "expression-inexact", "3 digits after the point"},
        Case{"decimal(18,2)", "cents * 0.0081", "expression-inexact", "round(…, 2)"},
        Case{"int", "cents", "expression-type", "::INTEGER"}, Case{"int", "n + cents", "expression-type", "larger"},
        Case{"bigint", "amount", "expression-type", "after the point"},
        Case{"bigint", "cents::hugeint", "expression-function", "HUGEINT"},
        Case{"bigint", "list_sum(list)", "expression-type", "HUGEINT"}, Case{"list<int>", "text", "expression-type", "no list"},
        Case{"bigint", "ratio", "expression-type", "not whole"}, Case{"float", "ratio", "expression-type", "float"},
        Case{"timestamptz", "moment", "expression-type", "zone"}, Case{"date", "moment", "expression-type", "time of day"},
        Case{"bigint", "extract(day FROM now())", "expression-function", "\"now\""},
        Case{"date", "current_date", "expression-function", "run to run"},
        Case{"double", "random()", "expression-function", "\"random\""},
        Case{"string", "strftime(moment, '%Y')", "expression-function", "\"strftime\""},
        Case{"string", "current_setting('TimeZone')", "expression-function", "\"current_setting\""},
        Case{"uuid", "gen_random_uuid()", "expression-function", "\"gen_random_uuid\""},
        Case{"bigint", "sum(cents)", "expression-function", "aggregate"},
        Case{"string", "lowr(text)", "expression-function", "Did you mean `lower`?"},
        Case{"bigint", "(SELECT 1)", "expression-function", "query"},
        Case{"bigint", "row_number() OVER ()", "expression-function", "window"},
        Case{"bigint", "$1", "expression-function", "parameter"},
        Case{"bigint", "sleep_ms(1000)", "expression-function", "sleep_ms"},
        Case{"string", "error(text)", "expression-function", "\"error\""},
        Case{"bigint", "cnts", "expression-field", "Did you mean `cents`?"},
        Case{"bigint", "unheard_of + 1", "expression-field", "field: unheard_of"}, Case{"bigint", "cents +", "expression-syntax"},
        Case{"bigint", "cents, n", "expression-type", "STRUCT(BIGINT, INTEGER)"},
        Case{"bigint", "cents) , (n", "expression-syntax", "more than one"},
        Case{"bigint", "cents); DROP TABLE x; SELECT (1", "expression-syntax"},
        Case{"bigint", "cents) FROM (SELECT 1 AS cents", "expression-syntax", "more than one"},
        Case{"bigint", "cents /* open", "expression-syntax"}, Case{"bigint", "abs(text, 1)", "expression-type", "does not type"},
        Case{"string", "list", "expression-type", "is no text"}, Case{"bigint", "*", "expression-function", "star"}));

TEST(Expression, ThePlaceIsThatOfThePart) {
  const auto parsed = Check("decimal(18,2)", "amount + ratio");
  ASSERT_EQ(parsed.findings.size(), 1U);
  EXPECT_EQ(
      parsed.findings[0].place.column,
      std::string("  - {name: result, data_type: \"decimal(18,2)\", field: raw, source_type: bigint, expr: 'amount + ").size() + 1);
}

TEST(Expression, ItsFieldsAndTheirTypesAreKept) {
  const auto parsed = Check("string", "concat(text, address.city, CENTS, len(list_transform(list, lambda text_: text_)))");
  ASSERT_TRUE(parsed.ok()) << parsed.findings[0].message;
  const Column& column = *parsed.contract->table("t")->column("result");
  std::vector<std::string> inputs;
  for (const auto& input : column.inputs) inputs.push_back(input.field + " " + ToString(input.type));
  EXPECT_THAT(inputs,
              testing::ElementsAre("address struct<city: string, zip: int>", "cents bigint", "list list<int>", "text string"));
  EXPECT_EQ(ToString(*column.expr_type), "string");
  EXPECT_THAT(column.expr_fields, testing::ElementsAre("address", "cents", "list", "text"));
}

TEST(Expression, APartlyDeclaredStructIsMadeOfItsParts) {
  const auto parsed = Check("string", "concat(address.city, address.zip)");
  ASSERT_TRUE(parsed.ok()) << parsed.findings[0].message;
  const auto& input = parsed.contract->table("t")->column("result")->inputs.at(0);
  ASSERT_EQ(input.leaves.size(), 2U);
  EXPECT_THAT(input.leaves[1].path, testing::ElementsAre("address", "zip"));
  EXPECT_EQ(InputSql(input, {"i0", "i1"}), "struct_pack(\"city\" := i0, \"zip\" := i1)");
  EXPECT_EQ(InputSql({"f", {}, {{{"f", "a", "x"}, {}, ""}, {{"f", "b"}, {}, ""}, {{"f", "a", "y"}, {}, ""}}}, {"i0", "i1", "i2"}),
            "struct_pack(\"a\" := struct_pack(\"x\" := i0, \"y\" := i2), \"b\" := i1)");
}

struct Spelling {
  const char* type;
  const char* text;
  const char* value;  ///< nullptr: the column can't hold it
};
TEST(Expression, TextIsReadExactlyOrNotAtAll) {
  engine::Options options;
  options.threads = 1;
  options.extensions = {"icu", "json"};
  const auto database = engine::Database::Open(options);
  ASSERT_TRUE(database.has_value());
  const auto connection = *(*database)->Connect();
  ASSERT_TRUE((*connection).Execute("SET TimeZone = 'UTC'").has_value());
  for (const auto& [type, text, value] :
       std::vector<Spelling>{{"int", "7", "7"},
                             {"int", "+7", "7"},
                             {"int", "7.00", "7"},
                             {"int", "1.9", nullptr},
                             {"int", "1_000", nullptr},
                             {"int", "", nullptr},
                             {"int", " 7", nullptr},
                             {"int", "3000000000", nullptr},
                             {"bigint", "9223372036854775807", "9223372036854775807"},
                             {"decimal(18,2)", "12.34", "12.34"},
                             {"decimal(18,2)", "12.340", "12.34"},
                             {"decimal(18,2)", "12.345", nullptr},
                             {"decimal(18,2)", "1e2", "100.00"},
                             {"decimal(18,2)", "1.5e-3", nullptr},
                             {"decimal(18,2)", "1e39", nullptr},
                             {"decimal(5,2)", "1234.5", nullptr},
                             {"decimal(18,0)", "12.", "12"},
                             {"boolean", "T", "true"},
                             {"boolean", "yes", nullptr},
                             {"boolean", "1", nullptr},
                             {"date", "2024-02-29", "2024-02-29"},
                             {"date", "2024-02-30", nullptr},
                             {"date", "2024-2-9", nullptr},
                             {"timestamp", "2024-02-29T10:00:00.123456", "2024-02-29 10:00:00.123456"},
                             {"timestamp", "2024-02-29 10:00:00.1234567", nullptr},
                             {"timestamp", "2024-02-29 10:00:00+02", nullptr},
                             {"timestamptz", "2024-02-29 10:00:00+02", "2024-02-29 08:00:00+00"},
                             {"timestamptz", "2024-02-29 10:00:00", nullptr},
                             {"time", "10:00", "10:00:00"},
                             {"double", "1e3", "1000.0"},
                             {"double", "x", nullptr},
                             {"json", "{\"a\":1}", "{\"a\":1}"},
                             {"json", "{", nullptr}}) {
    Column column;
    column.type = *ParseDataType(type);
    column.expr = "t -- the text\n";
    column.expr_type = *ParseDataType("string");
    const auto rows =
        connection->Query("SELECT TRY(" + ValueSql(column) + ")::VARCHAR FROM (SELECT $1::VARCHAR AS t)", {std::string(text)});
    ASSERT_TRUE(rows.has_value()) << type << " " << rows.error().message;
    if (value)
      EXPECT_EQ(rows->rows[0][0], std::optional<std::string>(value)) << type << " <- " << text;
    else
      EXPECT_FALSE(rows->rows[0][0].has_value()) << type << " <- " << text << " became " << *rows->rows[0][0];
  }
}

TEST(Expression, TwoTypesForOneFieldAreAMistake) {
  const auto parsed =
      Parse({{"nanohouse.yaml",
              "nanohouse: 1\nwarehouse: w\nsources: [{name: s, debezium: {file: x}}]\ntables:\n- name: t\n  source: s\n  columns:\n"
              "  - {name: a, data_type: bigint, field: f, source_type: bigint}\n  - {name: b, data_type: int, field: f, "
              "source_type: int, expr: f + 1}\n"}},
            ".");
  ASSERT_EQ(parsed.findings.size(), 2U);  // the conflict, and what follows from it
  EXPECT_EQ(parsed.findings[0].code, "type-mismatch");
  EXPECT_EQ(parsed.findings[1].code, "expression-type");
}

}  // namespace
}  // namespace nano::contract
