// SPDX-License-Identifier: Apache-2.0
#include "lake/catalog_guard.h"

#include <fmt/format.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include "base/check.h"
#include "io/files.h"
#include "lake/attach.h"

namespace nano::lake {
namespace {

constexpr const char* kServer = "nano_guard";
constexpr int kTries = 20;
constexpr auto kBetweenTries = std::chrono::milliseconds(100);

std::string NewId() {
  std::array<unsigned char, 16> random{};
  NANO_CHECK(RAND_bytes(random.data(), static_cast<int>(random.size())) == 1);
  std::string id;
  for (const unsigned char byte : random) id += fmt::format("{:02x}", byte);
  return id;
}

std::string ThisProcess() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  return fmt::format("pid {} on host \"{}\"", ::getpid(), host.data());
}

}  // namespace

Result<std::unique_ptr<CatalogGuard>> CatalogGuard::Take(engine::Database& database, const PostgresCatalog& catalog) {
  std::unique_ptr<CatalogGuard> guard(new CatalogGuard(catalog));
  ASSIGN(guard->connection_, database.Connect());
  TRY(AttachServer(*guard->connection_, catalog, kServer));
  // A session of the pool is only ours, and keeps its lock, within a transaction of DuckDB's; the server's own ends at once, so that
  // it holds up no vacuum, and what follows is committed statement by statement.
  TRY(guard->connection_->Execute("BEGIN TRANSACTION"));
  TRY(guard->Send("COMMIT"));
  TRY(guard->Lock());
  TRY(guard->Claim());
  return guard;
}

CatalogGuard::~CatalogGuard() {
  if (connection_) (void)Send("SELECT pg_advisory_unlock_all()");   // at once; the session's end is seen a little later
}

Status CatalogGuard::Send(const std::string& sql) {
  return connection_->Execute(fmt::format("CALL postgres_execute('{}', {})", kServer, engine::Literal(sql)));
}

Result<engine::Rows> CatalogGuard::Ask(const std::string& sql) {
  return connection_->Query(fmt::format("FROM postgres_query('{}', {})", kServer, engine::Literal(sql)));
}

Status CatalogGuard::Lock() {
  TRY(MakeSchema());
  const std::string ask = fmt::format("SELECT pg_try_advisory_lock(hashtextextended({}, 0)) AS locked", engine::Literal("nanohouse " + catalog_.schema));
  for (int tries = 0; tries < kTries; ++tries) {   // the server may not have seen yet that a process is gone
    ASSIGN(const auto locked, Ask(ask));
    if (locked.text(0, 0) == "true") return {};
    std::this_thread::sleep_for(kBetweenTries);
  }
  const auto holder = Ask("SELECT holder FROM nanohouse_writer");
  return WithHint(Fail(Code::kConflict, "another process writes this warehouse's catalog: {}", holder && !holder->empty() ? holder->text(0, 0) : "it began just now"),
                  "Wait until it has ended.");
}

/// Who may not make a schema may still write one that was made for him.
Status CatalogGuard::MakeSchema() {
  const std::string name = engine::Quote(catalog_.schema);
  ASSIGN(const auto there, Ask(fmt::format("SELECT (to_regnamespace({}) IS NOT NULL)::int AS there", engine::Literal(name))));
  if (there.integer(0, 0) == 0) TRY(Send("CREATE SCHEMA IF NOT EXISTS " + name));
  ASSIGN(const auto table, Ask(fmt::format("SELECT (to_regclass({}) IS NOT NULL)::int AS there", engine::Literal(name + ".nanohouse_writer"))));
  if (table.integer(0, 0) != 0) return {};
  return Send("CREATE TABLE IF NOT EXISTS nanohouse_writer (warehouse text NOT NULL, epoch bigint NOT NULL, holder text NOT NULL)");
}

Status CatalogGuard::Claim() {
  std::string id, schema;
  if (const auto mark = io::ReadFile(catalog_.mark)) {
    id = mark->substr(0, mark->find(' '));
    schema = mark->substr(std::min(mark->size(), id.size() + 1));
    schema = schema.substr(0, schema.find('\n'));
    if (schema != catalog_.schema)
      return WithHint(Fail(Code::kConflict, "the catalog of this warehouse is the schema \"{}\", not \"{}\"", schema, catalog_.schema),
                      "The schema's name is made of the warehouse's: give that back, or rename the schema and write its name into \"catalog.id\".");
  } else if (mark.error().code == Code::kNotFound) {
    id = NewId();
    TRY(io::WriteFileAtomically(catalog_.mark, id + " " + catalog_.schema + "\n", "lake.catalog"));
  } else {
    return tl::make_unexpected(mark.error());
  }
  TRY(Send(fmt::format("INSERT INTO nanohouse_writer SELECT {}, 0, '' WHERE NOT EXISTS (SELECT FROM nanohouse_writer)", engine::Literal(id))));
  ASSIGN(const auto owner, Ask("SELECT warehouse FROM nanohouse_writer"));
  if (owner.size() != 1 || owner.text(0, 0) != id)
    return WithHint(Fail(Code::kConflict, "the schema \"{}\" holds another warehouse's catalog", catalog_.schema),
                    "Give this warehouse another name, or its catalog another database.");
  TRY(Send(fmt::format("UPDATE nanohouse_writer SET epoch = epoch + 1, holder = {}", engine::Literal(ThisProcess()))));
  ASSIGN(const auto epoch, Ask("SELECT epoch FROM nanohouse_writer"));
  epoch_ = epoch.integer(0, 0);
  return {};
}

Status CatalogGuard::Fence() {
  ASSIGN(const auto there, Ask("SELECT count(*) AS n FROM pg_trigger WHERE tgrelid = 'ducklake_snapshot'::regclass AND tgname = 'nanohouse_fence'"));
  if (there.integer(0, 0) > 0) return {};
  const std::string schema = engine::Quote(catalog_.schema);
  return Send(fmt::format(
      "CREATE OR REPLACE FUNCTION nanohouse_fence() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
      "PERFORM 1 FROM {}.nanohouse_writer WHERE epoch::text = current_setting('nanohouse.epoch', true) FOR SHARE; "
      "IF NOT FOUND THEN RAISE EXCEPTION 'another process has taken over writing this catalog' USING ERRCODE = '40001'; END IF; "
      "RETURN NEW; END $$; "
      "CREATE TRIGGER nanohouse_fence BEFORE INSERT ON ducklake_snapshot FOR EACH ROW EXECUTE FUNCTION nanohouse_fence()", schema));
}

/// Who commits has a share of the writer's row until that is done.
Status CatalogGuard::Settle() { return Send("SELECT 1 FROM nanohouse_writer FOR UPDATE"); }

}  // namespace nano::lake
