// SPDX-License-Identifier: Apache-2.0
#include "io/postgres.h"

#include <gtest/gtest.h>

namespace nano::io {
namespace {

/// What is said of a URL that leads nowhere.
Error ErrorOf(const std::string& url) {
  const auto connection = Postgres::Connect(Secret(url), Postgres::Mode::kQueries);
  EXPECT_FALSE(connection);
  return connection ? Error{} : connection.error();
}

TEST(PostgresTest, AServerThatIsNotThereIsUnavailable) {
  const Error error = ErrorOf("postgresql://user:hunter2@127.0.0.1:1/shop");
  EXPECT_EQ(error.code, Code::kUnavailable) << error.message;
  EXPECT_EQ((error.message + error.hint + error.value).find("hunter2"), std::string::npos) << error.message;
}

TEST(PostgresTest, WhatIsNoUrlIsToldWithoutRepeatingIt) {
  const Error error = ErrorOf("postgresql://user:hunter2@[nowhere/shop");
  EXPECT_EQ(error.code, Code::kInvalid) << error.message;
  EXPECT_EQ((error.message + error.hint + error.value).find("hunter2"), std::string::npos) << error.message;
}

}  // namespace
}  // namespace nano::io
