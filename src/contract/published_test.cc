// SPDX-License-Identifier: Apache-2.0
#include "contract/published.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "contract/functions.h"
#include "contract/keys.h"
#include "contract/shape.h"
#include "contract/type_fit.h"
#include "contract/type_table.h"
#include "engine/database.h"

namespace nano::contract {
namespace {

/// The committed file is what the program makes. NANO_UPDATE_DOCS=1 writes it.
void ExpectCommitted(const std::string& path, const std::string& made) {
  const std::filesystem::path file = std::filesystem::path(NANO_SOURCE_DIR) / path;
  if (std::getenv("NANO_UPDATE_DOCS")) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << made;
  }
  std::stringstream committed;
  committed << std::ifstream(file, std::ios::binary).rdbuf();
  EXPECT_TRUE(committed.str() == made)
      << path << " is not what the program makes; NANO_UPDATE_DOCS=1 contract_test --gtest_filter='Published.*' writes it";
}

TEST(Published, TheCommittedFilesAreWhatTheProgramMakes) {
  ExpectCommitted("docs/schema.json", JsonSchema());
  ExpectCommitted("docs/reference/schema.md", SchemaReferenceMarkdown());
  ExpectCommitted("docs/reference/types.md", TypesMarkdown());
}

TEST(Published, TheSchemaIsJsonAndEveryReferenceIsDefined) {
  const std::string text = JsonSchema();
  const auto schema = nlohmann::json::parse(text, nullptr, false);
  ASSERT_TRUE(schema.is_object());
  for (const Object* const object : AllObjects())
    EXPECT_TRUE(schema["definitions"].contains(std::string(object->name))) << object->name;
  for (std::size_t at = text.find("#/definitions/"); at != std::string::npos; at = text.find("#/definitions/", at + 1)) {
    const auto begin = at + std::string_view("#/definitions/").size();
    EXPECT_TRUE(schema["definitions"].contains(text.substr(begin, text.find('"', begin) - begin)));
  }
}

TEST(Published, EveryKeyIsDescribedAndItsExampleIsGood) {
  std::set<std::string_view> names;
  for (const Object* const object : AllObjects()) {
    EXPECT_TRUE(names.insert(object->name).second) << object->name;
    for (const auto& key : object->keys) {
      const std::string path = fmt::format("{}.{}", object->name, key.name);
      EXPECT_TRUE(key.doc.ends_with('.')) << path;
      ASSERT_FALSE(key.example.empty()) << path;
      Findings findings;
      std::vector<NotYet> not_yet;
      const Node node = ReadYaml("example.yaml", fmt::format("{}: {}\n", key.name, key.example), findings);
      CheckShape(node, *object, findings, not_yet);
      for (const auto& finding : findings) ADD_FAILURE() << path << ": " << finding.message;
      EXPECT_EQ(!not_yet.empty(), key.support == Support::kLater) << path;
    }
    for (const auto name : object->one_of) EXPECT_NE(object->key(name), nullptr) << name;
  }
}

TEST(Published, AnExampleThatIsWrongWouldBeFound) {
  Findings findings;
  std::vector<NotYet> not_yet;
  CheckShape(ReadYaml("x", "storage: {grace: soon}\n", findings), WarehouseKeys(), findings, not_yet);
  ASSERT_EQ(findings.size(), 1U);
}

engine::Options OneThread() {
  engine::Options options;
  options.threads = 1;
  options.extensions = {"icu", "json"};
  return options;
}

class EngineTest : public testing::Test {
 protected:
  void SetUp() override {
    auto database = engine::Database::Open(OneThread());
    ASSERT_TRUE(database.has_value());
    database_ = *std::move(database);
    connection_ = *database_->Connect();
  }
  std::unique_ptr<engine::Database> database_;
  std::unique_ptr<engine::Connection> connection_;
};

TEST_F(EngineTest, EveryFunctionOfTheListIsOneOfTheEngine) {
  const auto rows = connection_->Query("SELECT DISTINCT function_name FROM duckdb_functions()");
  ASSERT_TRUE(rows.has_value());
  std::set<std::string> known{"coalesce", "if", "nvl", "ifnull", "!~~", "!~~*"};
  for (std::size_t i = 0; i < rows->size(); ++i) known.insert(rows->text(i, 0));
  for (const auto function : ImmutableFunctions()) EXPECT_TRUE(known.contains(std::string(function))) << function;
}

TEST_F(EngineTest, ItsNameOfEachTypeIsReadBack) {
  for (const auto* text :
       {"boolean", "int", "bigint", "float", "double", "decimal(38,10)", "string", "binary", "uuid", "date", "time", "timestamp",
        "timestamptz", "list<list<int>>", "struct<a: int, \"b c\": string, \"d\"\"e\": list<decimal(9,2)>>",
        "map<string, struct<x: map<int, bigint>>>"}) {
    const DataType type = *ParseDataType(text);
    const auto described = connection_->Describe("SELECT a FROM (SELECT NULL::" + engine::SqlType(type) + " AS a)");
    ASSERT_TRUE(described.has_value()) << text;
    const auto again = ReadSqlType((*described)[0].second);
    ASSERT_TRUE(again.has_value()) << (*described)[0].second;
    EXPECT_EQ(*again, type) << (*described)[0].second;
  }
}

}  // namespace
}  // namespace nano::contract
