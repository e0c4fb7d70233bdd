// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Where the lake of a test lies: its catalog is a SQLite file, or, where NANO_TEST_POSTGRES has a server's URL, a schema there, so that
/// every test of the lake runs over both (test/peers/postgres_catalog.py starts a server for it).

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "lake/attach.h"
#include "lake/lake.h"

namespace nano::lake {

inline bool TestsPostgres() { return std::getenv("NANO_TEST_POSTGRES") != nullptr; }

inline Place TestPlace(const std::filesystem::path& folder) {
  Place place{folder / "lake", folder / "catalog.db", folder / "tmp", {}, {}};
  static const std::string schema = "nano_test-" + std::to_string(getpid());   // a child's, too
  if (TestsPostgres()) place.postgres = PostgresCatalog{SecretTemplate("${env:NANO_TEST_POSTGRES}"), schema, folder / "catalog.id"};
  return place;
}

/// Removes folder and catalog.
inline void RemoveTestPlace(const std::filesystem::path& folder) {
  const Place place = TestPlace(folder);
  std::filesystem::remove_all(folder);
  if (!place.postgres) return;
  engine::Options options;
  options.extensions = {"postgres_scanner"};
  const auto database = engine::Database::Open(options);
  ASSERT_TRUE(database) << database.error().message;
  const auto connection = *(*database)->Connect();
  const Status attached = AttachServer(*connection, *place.postgres, "server");
  ASSERT_TRUE(attached) << attached.error().message;
  const Status dropped = connection->Execute("CALL postgres_execute('server', " + engine::Literal("DROP SCHEMA IF EXISTS " + engine::Quote(place.postgres->schema) + " CASCADE") + ")");
  ASSERT_TRUE(dropped) << dropped.error().message;
}

}  // namespace nano::lake
