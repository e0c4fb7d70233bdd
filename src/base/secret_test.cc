// SPDX-License-Identifier: Apache-2.0
#include "base/secret.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace nano {
namespace {

TEST(SecretTemplate, TextWithoutReferencesIsItself) {
  const SecretTemplate plain("a $ b {c}");
  EXPECT_FALSE(plain.has_references());
  EXPECT_EQ(plain.Resolve()->Reveal(), "a $ b {c}");
}

TEST(SecretTemplate, VariablesAndFilesAreReplacedWhereTheyStand) {
  ::setenv("NANO_SECRET_TEST", "pa}ss", 1);
  const auto file = std::filesystem::temp_directory_path() / "nano_secret_test";
  std::ofstream(file) << "from file\n";
  const SecretTemplate text("x=${env:NANO_SECRET_TEST};y=${file:" + file.string() + "}!");
  EXPECT_EQ(text.Resolve()->Reveal(), "x=pa}ss;y=from file!");
  EXPECT_THAT(text.references(), testing::ElementsAre("env:NANO_SECRET_TEST", "file:" + file.string()));
  std::filesystem::remove(file);
}

TEST(SecretTemplate, ValuesAreEscapedInJson) {
  ::setenv("NANO_SECRET_TEST", "a\"b\\c\n\x01", 1);
  EXPECT_EQ(SecretTemplate(R"({"k":"${env:NANO_SECRET_TEST}"})").ResolveInJson()->Reveal(), R"({"k":"a\"b\\c\u000a\u0001"})");
}

TEST(SecretTemplate, WhatCantBeResolvedIsNamed) {
  ::unsetenv("NANO_SECRET_TEST");
  for (const auto* text :
       {"${env:NANO_SECRET_TEST}", "${file:/does/not/exist}", "${env:NANO_SECRET_TEST", "${what:x}", "${}", "${env:}"}) {
    const auto result = SecretTemplate(text).Resolve();
    ASSERT_FALSE(result.has_value()) << text;
    EXPECT_EQ(result.error().code, Code::kInvalid) << text;
    EXPECT_FALSE(result.error().hint.empty()) << text;
  }
}

}  // namespace
}  // namespace nano
