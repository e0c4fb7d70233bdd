// SPDX-License-Identifier: Apache-2.0
#include "lake/postgres_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nano::lake {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string Parts(const std::string& text) {
  const auto url = ParsePostgresUrl(text);
  if (!url) return "error: " + url.error().message;
  return url->user + "|" + url->password + "|" + url->host + "|" + url->port + "|" + url->database + "|" + ConnectionText(url->parameters);
}

TEST(PostgresUrl, IsTakenApart) {
  EXPECT_EQ(Parts("postgresql://nano:pw@db.example.com:5433/lakes?sslmode=require"), "nano|pw|db.example.com|5433|lakes|sslmode='require'");
  EXPECT_EQ(Parts("postgres://db/lakes"), "||db||lakes|");
  EXPECT_EQ(Parts("postgresql://"), "|||||");
  EXPECT_EQ(Parts("postgresql:///lakes?host=/var/run/postgresql&user=me"), "me||/var/run/postgresql||lakes|");
}

TEST(PostgresUrl, PasswordsMayHoldAnything) {
  EXPECT_EQ(Parts("postgresql://a%40b:p%3Aw%2F%27%25@h/d"), "a@b|p:w/'%|h||d|");
  EXPECT_EQ(Parts("postgresql://u:p:w@x@h/d"), "u|p:w@x|h||d|");
  EXPECT_EQ(Parts("postgresql://h/d?password=x%26y"), "|x&y|h||d|");
}

TEST(PostgresUrl, HasSeveralHostsAndIpv6) {
  EXPECT_EQ(Parts("postgresql://a:1,b:2/d"), "||a,b|1,2|d|");
  EXPECT_EQ(Parts("postgresql://a,b/d"), "||a,b||d|");
  EXPECT_EQ(Parts("postgresql://[::1]:5433/d"), "||::1|5433|d|");
}

TEST(PostgresUrl, WhatIsNoneIsRefusedWithoutBeingQuoted) {
  for (const char* text : {"mysql://u:geheim@h/d", "postgresql://u:geheim%zz@h/d", "postgresql://u:geheim@h:port/d", "postgresql://u:geheim@[::1/d", "postgresql://h/d?=geheim"})
    EXPECT_THAT(Parts(text), AllOf(HasSubstr("error: "), Not(HasSubstr("geheim")))) << text;
}

TEST(PostgresUrl, ParametersAreQuoted) { EXPECT_EQ(ConnectionText({{"a", "it's \\ so"}, {"b", ""}}), "a='it\\'s \\\\ so' b=''"); }

}  // namespace
}  // namespace nano::lake
