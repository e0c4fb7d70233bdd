// SPDX-License-Identifier: Apache-2.0
#include "base/data_type.h"

#include <gtest/gtest.h>

namespace nano {
namespace {

TEST(DataType, EverySpellingReadsBack) {
  for (const char* text : {"boolean", "int", "bigint", "float", "double", "decimal(38,10)", "string", "binary", "uuid", "date",
                           "time", "timestamp", "timestamptz", "json", "list<int>", "map<string, bigint>",
                           "struct<a: int, \"b \"\"c\": list<decimal(9,2)>>"}) {
    const auto type = ParseDataType(text);
    ASSERT_TRUE(type) << text << ": " << type.error().message;
    EXPECT_EQ(ToString(*type), text);
  }
}

TEST(DataType, CaseAndSpacesDoNotMatter) { EXPECT_EQ(ToString(*ParseDataType(" Decimal( 18 , 2 ) ")), "decimal(18,2)"); }

TEST(DataType, SaysWhatIsWrong) {
  for (const char* text : {"", "varchar", "decimal", "decimal(39,0)", "decimal(3,4)", "list<", "list<int", "int x", "struct<>",
                           "struct<a: int, a: int>", "map<int>", "decimal(99999999999999,1)"})
    EXPECT_FALSE(ParseDataType(text)) << text;
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "list<";
  EXPECT_FALSE(ParseDataType(deep));
}

}  // namespace
}  // namespace nano
