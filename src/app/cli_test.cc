// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "app/command.h"

namespace nano::app {
namespace {

using ::testing::HasSubstr;

struct Outcome {
  int exit = 0;
  std::string out, error;
};

Outcome Nanohouse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "nanohouse");
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Outcome run;
  run.exit = Main(static_cast<int>(argv.size()), argv.data());
  run.out = testing::internal::GetCapturedStdout();
  run.error = testing::internal::GetCapturedStderr();
  return run;
}

TEST(CommandLineTest, WrongUseEndsWith64) {
  for (const std::vector<std::string>& line : std::vector<std::vector<std::string>>{
           {}, {"frobnicate"}, {"query", "--nothing"}, {"query", "a", "b"}, {"query", "--format", "xml"}, {"quarantine"},
           {"quarantine", "lst"}, {"quarantine", "show"}, {"-C"}, {"query", "--max-rows", "many"}})
    EXPECT_EQ(Nanohouse(line).exit, 64) << testing::PrintToString(line);
}

TEST(CommandLineTest, TheNearestNameIsProposed) {
  EXPECT_THAT(Nanohouse({"querry", "SELECT 1"}).error, HasSubstr("Did you mean `query`?"));
  EXPECT_THAT(Nanohouse({"-C", "check", "chek"}).error, HasSubstr("Did you mean `check`?"));
  EXPECT_THAT(Nanohouse({"query", "--formt", "csv"}).error, HasSubstr("Did you mean `--format`?"));
  EXPECT_THAT(Nanohouse({"quarantine", "lst"}).error, HasSubstr("there is no command \"quarantine lst\""));
}

TEST(CommandLineTest, GlobalOptionsStandBeforeOrAfterTheVerb) {
  for (const auto& line : {std::vector<std::string>{"--json", "-C", "/nowhere", "check"}, {"check", "-C", "/nowhere", "--json"}}) {
    const Outcome run = Nanohouse(line);
    EXPECT_EQ(run.exit, 3);
    EXPECT_EQ(nlohmann::json::parse(run.error)["error"]["code"], "not_found");
  }
}

TEST(CommandLineTest, AParameterTakesOneWordOnly) {
  // The statement after `-p a=1` is not another parameter.
  EXPECT_THAT(Nanohouse({"query", "-C", "/nowhere", "-p", "a=1", "SELECT $a"}).error, HasSubstr("nanohouse.yaml"));
}

TEST(CommandLineTest, LaterVerbsAreKnownAndRefused) {
  const Outcome run = Nanohouse({"backup", "create", "--to", "x"});
  EXPECT_EQ(run.exit, 3);
  EXPECT_THAT(run.error, HasSubstr("\"backup\" is not supported yet"));
}

TEST(CommandLineTest, EveryVerbHasHelpWithExamples) {
  for (const char* verb : {"init", "check", "plan", "apply", "ingest", "query", "status", "quarantine", "publish", "doctor", "schema"}) {
    const Outcome run = Nanohouse({verb, "--help"});
    EXPECT_EQ(run.exit, 0);
    EXPECT_THAT(run.out, HasSubstr("Examples:")) << verb;
  }
}

}  // namespace
}  // namespace nano::app
