// SPDX-License-Identifier: Apache-2.0
#include "contract/diff.h"

#include <gmock/gmock.h>

#include "contract/parse.h"

namespace nano::contract {
namespace {

using testing::ElementsAre;

constexpr const char* kOrders =
    "tables:\n- name: orders\n  source: cdc\n  primary_key: [id]\n  columns:\n  - {name: id, data_type: int}\n  - {name: amount, "
    "data_type: \"decimal(9,2)\"}\n"
    "  - {name: note, data_type: string, constraints: [not_null]}\n  - {name: ratio, data_type: float}\n";

std::shared_ptr<const Contract> Of(const std::string& tables, const std::string& top = "") {
  const auto parsed =
      Parse({{"nanohouse.yaml", "nanohouse: 1\nwarehouse: shop\nsources: [{name: cdc, debezium: {file: x}}]\n" + top},
             {"tables/t.yaml", tables}},
            ".");
  for (const auto& f : parsed.findings)
    if (f.severity == Severity::kError) ADD_FAILURE() << f.message << " " << f.place.at;
  return parsed.contract;
}

std::string With(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::vector<std::string> Rows(const std::vector<Change>& changes) {
  std::vector<std::string> out;
  for (const auto& change : changes)
    out.push_back(fmt::format("{} {} {}:{}", change.rule->id, change.object, change.place.in, change.place.at));
  return out;
}

TEST(Diff, NothingChangedIsNothing) { EXPECT_THAT(Diff(*Of(kOrders), *Of(kOrders)), testing::IsEmpty()); }

TEST(Diff, CommentsAndOrderOfKeysDoNotMatter) {
  EXPECT_THAT(Diff(*Of(kOrders), *Of(With(kOrders, "{name: id, data_type: int}", "{data_type: INT, name: id} # the key"))),
              testing::IsEmpty());
}

struct Case {
  const char* rule;
  const char* from;
  const char* to;
  const char* place = "tables/t.yaml:2";
  const char* object = "orders";
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.rule << " " << c.to; }
class DiffTest : public testing::TestWithParam<Case> {};
TEST_P(DiffTest, NamesTheChangeAndItsPlace) {
  EXPECT_THAT(Rows(Diff(*Of(kOrders), *Of(With(kOrders, GetParam().from, GetParam().to)))),
              ElementsAre(fmt::format("{} {} {}", GetParam().rule, GetParam().object, GetParam().place)));
}
INSTANTIATE_TEST_SUITE_P(
    Every, DiffTest,
    testing::Values(Case{"new-column", "  - {name: ratio", "  - {name: city, data_type: string}\n  - {name: ratio",
                         "tables/t.yaml:9", "orders.city"},
                    Case{"new-required-column", "  - {name: ratio",
                         "  - {name: city, data_type: string, constraints: [not_null]}\n  - {name: ratio", "tables/t.yaml:9",
                         "orders.city"},
                    Case{"dropped-column", "  - {name: ratio, data_type: float}\n", "", "tables/t.yaml:2", "orders.ratio"},
                    Case{"wider-type", "data_type: int}", "data_type: bigint}", "tables/t.yaml:6", "orders.id"},
                    Case{"wider-type", "float", "double", "tables/t.yaml:9", "orders.ratio"},
                    Case{"wider-type", "decimal(9,2)", "decimal(18,2)", "tables/t.yaml:7", "orders.amount"},
                    Case{"other-type", "decimal(9,2)", "decimal(18,3)", "tables/t.yaml:7", "orders.amount"},
                    Case{"other-type", "decimal(9,2)", "decimal(8,2)", "tables/t.yaml:7", "orders.amount"},
                    Case{"other-type", "data_type: int}", "data_type: string}", "tables/t.yaml:6", "orders.id"},
                    Case{"description", "data_type: int}", "data_type: int, description: The key}", "tables/t.yaml:6", "orders.id"},
                    Case{"tests", "data_type: int}", "data_type: int, data_tests: [unique]}", "tables/t.yaml:6", "orders.id"},
                    Case{"values", "data_type: int}", "data_type: int, field: key}", "tables/t.yaml:6", "orders.id"},
                    Case{"values", "data_type: int}", "data_type: int, expr: id + 1}", "tables/t.yaml:6", "orders.id"},
                    Case{"constraint", "float}", "float, constraints: [not_null]}", "tables/t.yaml:9", "orders.ratio"},
                    Case{"dropped-constraint", ", constraints: [not_null]", "", "tables/t.yaml:8", "orders.note"},
                    Case{"key", "[id]", "[id, amount]", "tables/t.yaml:4"},
                    Case{"mode", "  columns:", "  mode: append\n  columns:", "tables/t.yaml:5"},
                    Case{"partition", "  columns:", "  partition_by: [note]\n  columns:", "tables/t.yaml:5"},
                    Case{"sort", "  columns:", "  sort_by: [note]\n  columns:", "tables/t.yaml:5"},
                    Case{"misfits", "  columns:", "  special_values: clamp\n  columns:", "tables/t.yaml:5"},
                    Case{"new-fields", "  columns:", "  on_new_field: ignore\n  columns:", "tables/t.yaml:5"},
                    Case{"files", "  columns:", "  target_file_size: 8MB\n  columns:", "tables/t.yaml:5"},
                    Case{"table-source", "source: cdc", "source: {name: cdc, stream: other}", "tables/t.yaml:3"},
                    Case{"description", "  columns:", "  description: Orders\n  columns:", "tables/t.yaml:5"}));

TEST(Diff, TablesComeAndGo) {
  EXPECT_THAT(Rows(Diff(*Of(kOrders), *Of(With(kOrders, "name: orders", "name: orders2")))),
              testing::UnorderedElementsAre("new-table orders2 tables/t.yaml:2", "dropped-table orders tables/t.yaml:2"));
  EXPECT_THAT(Rows(DiffFromNothing(*Of(kOrders))), ElementsAre("new-table orders tables/t.yaml:2"));
}

TEST(Diff, SourcesAndStorage) {
  const auto change = [](const std::string& old, const std::string& now) {
    std::vector<std::string> out;
    const std::string top = "nanohouse: 1\nwarehouse: shop\n";
    for (const auto& c :
         Diff(*Parse({{"nanohouse.yaml", top + old}}, ".").contract, *Parse({{"nanohouse.yaml", top + now}}, ".").contract))
      out.emplace_back(c.rule->id);
    return out;
  };
  EXPECT_THAT(change("", "sources: [{name: a, singer: {file: x}}]"), ElementsAre("new-source"));
  EXPECT_THAT(change("sources: [{name: a, singer: {file: x}}]", ""), ElementsAre("dropped-source"));
  EXPECT_THAT(change("sources: [{name: a, singer: {file: x}}]", "sources: [{name: a, singer: {file: y}}]"),
              ElementsAre("source-settings"));
  EXPECT_THAT(change("sources: [{name: a, singer: {file: x}}]", "sources: [{name: a, debezium: {file: x}}]"),
              ElementsAre("source-kind"));
  EXPECT_THAT(change("", "storage: {root: ./elsewhere}"), ElementsAre("moved"));
  EXPECT_THAT(change("", "storage: {grace: 1h, iceberg: off}"), ElementsAre("settings", "settings"));
  EXPECT_THAT(change("", "storage: {format: {compression: snappy}}"), ElementsAre("files"));
  EXPECT_THAT(
      change("sources: [{name: a, singer: {tap: t, config: {x: 1}}}]", "sources: [{name: a, singer: {tap: t, config: {x: 2}}}]"),
      ElementsAre("source-settings"));
}

TEST(Diff, InferredColumnsAreComparedAsBuilt) {
  const std::string inferred = "tables:\n- {name: orders, source: cdc, primary_key: [id]}\n";
  const auto declared = Of(kOrders);
  EXPECT_THAT(Rows(Diff(*Of(inferred), *declared)), ElementsAre("declared orders tables/t.yaml:2"));
  BuiltColumns built{{"orders", declared->tables[0].columns}};
  EXPECT_THAT(Diff(*Of(inferred), *declared, built), testing::IsEmpty());
  built["orders"].pop_back();
  EXPECT_THAT(Rows(Diff(*Of(inferred), *declared, built)), ElementsAre("new-column orders.ratio tables/t.yaml:9"));
}

TEST(Diff, ReadersAreTheExposuresOfTheTable) {
  const auto changes = Diff(*Of(kOrders, "exposures: [{name: report, depends_on: [orders]}]\n"),
                            *Of(With(kOrders, "[id]", "[id, amount]"), "exposures: [{name: report, depends_on: [orders]}]\n"));
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_THAT(changes[0].readers, ElementsAre("report"));
}

TEST(Diff, JsonNamesClassRulePlaceReadersAndFill) {
  EXPECT_EQ(RenderChangesJson(Diff(*Of(kOrders), *Of(With(kOrders, "  - {name: ratio",
                                                          "  - {name: \"c\\\"ity\", data_type: string}\n  - {name: ratio")))),
            R"({
  "changes": [
    {
      "class": "additive",
      "rule": "new-column",
      "object": "orders.c\"ity",
      "what": "column \"c\"ity\" string is new",
      "place": {
        "file": "tables/t.yaml",
        "line": 9,
        "column": 5
      },
      "readers": [],
      "fill": "NULL in older rows"
    }
  ]
}
)");
}

TEST(Version, MustRiseWithTheChange) {
  const auto check = [](const char* from, const char* to, std::string_view text, std::string_view replacement) {
    const auto old = Of(kOrders, fmt::format("version: {}\n", from)),
               now = Of(text.empty() ? kOrders : With(kOrders, text, replacement), fmt::format("version: {}\n", to));
    const auto findings = CheckVersion(*old, *now, Diff(*old, *now));
    if (findings.empty()) return std::string("fine");
    return fmt::format("{} {}", findings[0].severity == Severity::kError ? "error" : "warning", findings[0].hint);
  };
  EXPECT_EQ(check("1.4.0", "1.4.0", "", ""), "fine");
  EXPECT_EQ(check("1.4.0", "1.4.0", "[id]", "[note]"), "error Write version: 2.0.0.");
  EXPECT_EQ(check("1.4.0", "2.0.0", "[id]", "[note]"), "fine");
  EXPECT_EQ(check("1.4.0", "1.4.1", "data_type: int}", "data_type: bigint}"), "warning Write version: 1.5.0.");
  EXPECT_EQ(check("1.4.0", "1.5.0", "data_type: int}", "data_type: bigint}"), "fine");
  EXPECT_EQ(check("1.10.0", "1.9.0", "", ""), "error Write 1.10.0 or a later one.");
}

}  // namespace
}  // namespace nano::contract
