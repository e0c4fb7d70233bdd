// SPDX-License-Identifier: Apache-2.0
#include "app/statement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nano::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Refused(std::string_view text) {
  const auto statement = ReadStatement(text);
  return statement ? "accepted: " + statement->sql : statement.error().message;
}

TEST(StatementTest, SeveralStatementsAreRefused) {
  EXPECT_THAT(Refused("SELECT 1; SELECT 2"), HasSubstr("several"));
  EXPECT_EQ(ReadStatement("SELECT ';' ; ;; /* ; */ -- ;")->sql, "SELECT ';'");
}

TEST(StatementTest, SemicolonsInQuotesAreText) {
  EXPECT_EQ(ReadStatement("SELECT $$;$$, \"a;\", E'\\';', 'it''s;', $t$ $$; $t$")->sql, "SELECT $$;$$, \"a;\", E'\\';', 'it''s;', $t$ $$; $t$");
}

TEST(StatementTest, ParametersAreNumberedInOrder) {
  const auto statement = ReadStatement("SELECT $b, $a, $b, '$c', \"$d\", x$e -- $f\n, /* $g /* $h */ */ $é");
  EXPECT_EQ(statement->sql, "SELECT $1, $2, $1, '$c', \"$d\", x$e -- $f\n, /* $g /* $h */ */ $3");
  EXPECT_THAT(statement->parameters, ElementsAre("b", "a", "é"));
}

TEST(StatementTest, WhatDoesNotReadIsRefused) {
  EXPECT_THAT(Refused("DROP TABLE x"), HasSubstr("begins with \"DROP\""));
  EXPECT_THAT(Refused("COPY (SELECT 1) TO 'x'"), HasSubstr("begins with \"COPY\""));
  EXPECT_THAT(Refused("  -- nothing\n"), HasSubstr("no statement"));
  EXPECT_THAT(Refused(""), HasSubstr("no statement"));
}

TEST(StatementTest, AnUnfinishedQuoteIsNamed) {
  EXPECT_THAT(Refused("SELECT 'a"), HasSubstr("text in quotes"));
  EXPECT_THAT(Refused("SELECT \"a"), HasSubstr("quoted name"));
  EXPECT_THAT(Refused("SELECT 1 /* a"), HasSubstr("comment"));
  EXPECT_THAT(Refused("SELECT 1 /*"), HasSubstr("comment"));
  EXPECT_THAT(Refused("SELECT $$a"), HasSubstr("dollar"));
  EXPECT_THAT(Refused("SELECT E'\\"), HasSubstr("text in quotes"));
}

TEST(StatementTest, LineNumbersAreThePersonsOwn) {
  EXPECT_EQ(ForPerson("Binder Error: x\n\nLINE 10: ab\n         ^", 2), "Binder Error: x\n\nLINE 9: ab\n        ^");
  EXPECT_EQ(ForPerson("no place", 2), "no place");
}

}  // namespace
}  // namespace nano::app
