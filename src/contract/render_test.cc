// SPDX-License-Identifier: Apache-2.0
#include "contract/render.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "contract/parse.h"

namespace nano::contract {
namespace {

Parsed Wrong(const std::string& tables) {
  return Parse({{"nanohouse.yaml", "nanohouse: 1\nwarehouse: shop\nsources: [{name: cdc, debezium: {file: x}}]\n"},
                {"tables/orders.yaml", tables}},
               ".");
}

TEST(RenderText, ShowsThePlaceTheLineAndTheHint) {
  const auto parsed = Wrong("tables:\n  - {name: orders, source: cdc, primry_key: [id]}\n  - {name: žluť, source: cdb}\n");
  EXPECT_EQ(RenderText(parsed.findings, parsed.files, Colour::kOff),
            "error: table has no key \"primry_key\"                    tables/orders.yaml:2:33\n"
            "    2 |   - {name: orders, source: cdc, primry_key: [id]}\n"
            "      |                                 ^~~~~~~~~~\n"
            "hint: Did you mean `primary_key`?\n"
            "\n"
            "error: source \"cdb\" is not declared                     tables/orders.yaml:3:26\n"
            "    3 |   - {name: žluť, source: cdb}\n"
            "      |                          ^~~\n"
            "hint: Did you mean `cdc`?\n");
}

TEST(RenderText, ColoursOnlyWhenAsked) {
  const auto parsed = Wrong("tables: 5\n");
  EXPECT_EQ(RenderText(parsed.findings, parsed.files, Colour::kOff).find('\x1b'), std::string::npos);
  EXPECT_NE(RenderText(parsed.findings, parsed.files, Colour::kOn).find("\x1b[31m"), std::string::npos);
}

TEST(RenderText, WhatATerminalWouldActOnIsNotShown) {
  const auto parsed = Wrong(
      "tables:\n  - {name: \"x\x1b]0;y\", source: cdc, \xC2\x9b"
      "31m: 1}\n");
  ASSERT_FALSE(parsed.ok());
  const std::string text = RenderText(parsed.findings, parsed.files, Colour::kOff);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\x9b'), std::string::npos);
}

TEST(RenderText, ALineWithASecretIsNotShown) {
  const auto parsed = Wrong("sources: [{name: t, singer: {tap: t, config: {password: hunter2}}}]\n");
  ASSERT_EQ(parsed.findings.size(), 1U);
  EXPECT_EQ(RenderText(parsed.findings, parsed.files, Colour::kOff).find("hunter2"), std::string::npos);
}

TEST(RenderText, OfALongLineThePartAroundThePlaceIsShown) {
  const auto parsed = Wrong("tables: [{name: a, source: cdc, description: \"" + std::string(500, 'x') + "\", nonsense: 1}]\n");
  const std::string text = RenderText(parsed.findings, parsed.files, Colour::kOff);
  EXPECT_NE(text.find("nonsense: 1"), std::string::npos);
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    if (text[at] == ' ') {
      EXPECT_LT(end - at, 130U);
    }
    at = end + 1;
  }
}

TEST(RenderJson, HasOneObjectForEachFinding) {
  const auto json =
      nlohmann::json::parse(RenderJson(Wrong("tables:\n  - {name: orders, source: cdc, primry_key: [id]}\n").findings));
  EXPECT_EQ(json["errors"], 1);
  EXPECT_EQ(json["findings"][0], (nlohmann::json{{"severity", "error"},
                                                 {"code", "unknown-key"},
                                                 {"message", "table has no key \"primry_key\""},
                                                 {"hint", "Did you mean `primary_key`?"},
                                                 {"file", "tables/orders.yaml"},
                                                 {"line", 2},
                                                 {"column", 33},
                                                 {"end_column", 43}}));
}

TEST(RenderSarif, NamesRulesPlacesAndLevels) {
  const auto json =
      nlohmann::json::parse(RenderSarif(Wrong("tables:\n  - {name: orders, source: cdc, primry_key: [id]}\n").findings, "1.0.0"));
  EXPECT_EQ(json["version"], "2.1.0");
  const auto& run = json["runs"][0];
  const auto& result = run["results"][0];
  EXPECT_EQ(result["level"], "error");
  EXPECT_EQ(run["tool"]["driver"]["rules"][result["ruleIndex"].get<std::size_t>()]["id"], "unknown-key");
  EXPECT_EQ(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "tables/orders.yaml");
  EXPECT_EQ(result["locations"][0]["physicalLocation"]["region"],
            (nlohmann::json{{"startLine", 2}, {"startColumn", 33}, {"endColumn", 43}}));
}

TEST(Summary, Counts) {
  EXPECT_EQ(Summary({}), "no mistakes");
  EXPECT_EQ(Summary(Wrong("tables: 5\nnonsense: 1\n").findings), "2 errors");
}

}  // namespace
}  // namespace nano::contract
