// SPDX-License-Identifier: Apache-2.0
#include "publish/location.h"

#include <gtest/gtest.h>

namespace nano::publish {
namespace {

TEST(LocationTest, OneFormOfEachPath) {
  EXPECT_EQ(Location("/a/b.parquet"), "file:///a/b.parquet");
  EXPECT_EQ(Location("/a/./x/..//b.parquet"), "file:///a/b.parquet");
  EXPECT_EQ(Location("/ž a/b%20.parquet"), "file:///ž a/b%20.parquet");
}

TEST(LocationTest, ThePathComesBack) {
  for (const char* path : {"/a/b.parquet", "/ž a/b%20.parquet"}) EXPECT_EQ(LocalPath(Location(path)), path);
  EXPECT_EQ(LocalPath("/a/b"), "/a/b");
}

TEST(LocationTest, WhatBeginsAnotherPartOfAUriIsRefused) {
  EXPECT_TRUE(CheckLocation("file:///a b/%23"));
  EXPECT_FALSE(CheckLocation("file:///a#b"));
  EXPECT_FALSE(CheckLocation("file:///a?b"));
}

TEST(LocationTest, FoldersOfBuildsAreTwoForTwoNames) {
  EXPECT_EQ(BuildFolder("/r", "orders_1a-2"), "/r/iceberg/orders_1a-2");
  EXPECT_EQ(BuildFolder("/r", "a/b"), "/r/iceberg/a=2Fb");
  EXPECT_EQ(BuildFolder("/r", ".."), "/r/iceberg/=2E=2E");
  EXPECT_NE(BuildFolder("/r", "a=2Fb"), BuildFolder("/r", "a/b"));
}

}  // namespace
}  // namespace nano::publish
