// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <map>
#include <mutex>
#include <set>

#include "engine/database.h"
#include "engine/key_visitor.h"
#include "engine/row_source.h"

namespace nano::engine {
namespace {

class EngineTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = Database::Open({});
    ASSERT_TRUE(opened) << opened.error().message;
    database_ = std::move(*opened);
    connection_ = *database_->Connect();
  }
  std::unique_ptr<Database> database_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(EngineTest, ValuesComeBackExact) {
  const auto rows = connection_->Query(
      "SELECT true, (-32768)::SMALLINT, 9223372036854775807, (-170141183460469231731687303715884105727)::HUGEINT, 0.1::DOUBLE, "
      "-0.05::DECIMAL(4,2), 12345678901234567890123456789012345.678::DECIMAL(38,3), 'ž''\"', NULL");
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(rows->text(0, 0), "true");
  EXPECT_EQ(rows->text(0, 1), "-32768");
  EXPECT_EQ(rows->text(0, 2), "9223372036854775807");
  EXPECT_EQ(rows->text(0, 3), "-170141183460469231731687303715884105727");
  EXPECT_EQ(rows->text(0, 4), "0.1");
  EXPECT_EQ(rows->text(0, 5), "-0.05");
  EXPECT_EQ(rows->text(0, 6), "12345678901234567890123456789012345.678");
  EXPECT_EQ(rows->text(0, 7), "ž'\"");
  EXPECT_FALSE(rows->rows[0][8]);
}

TEST_F(EngineTest, ParametersAreBound) {
  const auto rows = connection_->Query("SELECT ?::VARCHAR, ?::BIGINT, ?", {std::string("a'; DROP"), std::int64_t{7}, std::monostate{}});
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(rows->text(0, 0), "a'; DROP");
  EXPECT_EQ(rows->integer(0, 1), 7);
}

TEST_F(EngineTest, AStreamGivesEveryRow) {
  auto stream = connection_->Stream("SELECT range::VARCHAR FROM range(10000)");
  ASSERT_TRUE(stream) << stream.error().message;
  std::size_t rows = 0;
  while (true) {
    const auto count = (*stream)->Next();
    ASSERT_TRUE(count);
    if (*count == 0) break;
    EXPECT_EQ((*stream)->at(0, 0), std::to_string(rows));
    rows += *count;
  }
  EXPECT_EQ(rows, 10000);
}

TEST_F(EngineTest, AnErrorSaysWhatTheCallerDoes) {
  EXPECT_EQ(connection_->Execute("SELEC").error().code, Code::kInvalid);
  EXPECT_EQ(connection_->Execute("SELECT * FROM read_parquet('/nowhere/x.parquet')").error().code, Code::kUnavailable);
  const Status attached = connection_->Execute("ATTACH '/nowhere/x.db' AS nowhere (TYPE sqlite)");
  EXPECT_EQ(attached ? connection_->Execute("CREATE TABLE nowhere.t (a INTEGER)").error().code : attached.error().code, Code::kUnavailable);
}

TEST_F(EngineTest, NothingIsFetchedFromOutside) {
  EXPECT_FALSE(connection_->Execute("INSTALL spatial"));
  EXPECT_FALSE(connection_->Execute("LOAD spatial"));
}

/// Rows 0..n-1 as bigint and text, filled by several threads.
class Numbers final : public RowSource {
 public:
  explicit Numbers(std::size_t count) : count_(count) {}
  const std::vector<Column>& columns() const override { return columns_; }
  std::size_t max_threads() const override { return 2; }
  Result<std::unique_ptr<RowScan>> Open(std::vector<std::size_t> wanted, const engine::Cursor&) override;
  std::atomic<std::size_t> next = 0;
  std::size_t count_;

 private:
  std::vector<Column> columns_{{"n", {TypeKind::kBigint, 0, 0, {}, {}}}, {"t", {TypeKind::kString, 0, 0, {}, {}}}};
};

class NumberScan final : public RowScan {
 public:
  NumberScan(Numbers& numbers, std::vector<std::size_t> wanted) : numbers_(numbers), wanted_(std::move(wanted)) {}
  Result<std::size_t> Fill(std::vector<Vector>& columns) override {
    const std::size_t begin = numbers_.next.fetch_add(kChunkRows);
    if (begin >= numbers_.count_) return std::size_t{0};
    const std::size_t rows = std::min(kChunkRows, numbers_.count_ - begin);
    for (std::size_t i = 0; i < wanted_.size(); ++i)
      for (std::size_t r = 0; r < rows; ++r) {
        if (wanted_[i] == 0) columns[i].data<std::int64_t>()[r] = static_cast<std::int64_t>(begin + r);
        else if ((begin + r) % 3 == 0) columns[i].SetNull(r);
        else columns[i].SetString(r, std::to_string(begin + r));
      }
    return rows;
  }

 private:
  Numbers& numbers_;
  std::vector<std::size_t> wanted_;
};

Result<std::unique_ptr<RowScan>> Numbers::Open(std::vector<std::size_t> wanted, const engine::Cursor&) {
  return std::unique_ptr<RowScan>(std::make_unique<NumberScan>(*this, std::move(wanted)));
}

TEST_F(EngineTest, RowsOfOursAreScanned) {
  const auto handle = database_->Register(std::make_shared<Numbers>(100000));
  auto rows = connection_->Query(fmt::format("SELECT count(*), sum(n), count(t), max(length(t)) FROM nano_rows({})", handle));
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_EQ(rows->text(0, 0), "100000");
  EXPECT_EQ(rows->text(0, 1), "4999950000");
  EXPECT_EQ(rows->text(0, 2), "66666");
  database_->Release(handle);
  EXPECT_FALSE(connection_->Query(fmt::format("SELECT 1 FROM nano_rows({})", handle)));
}

TEST(Sql, QuotesWhateverAnIdentifierHolds) {
  EXPECT_EQ(Quote("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(Literal("it's"), "'it''s'");
}

TEST_F(EngineTest, CopySaysWhatItWrote) {
  const auto path = std::filesystem::temp_directory_path() / ("engine_copy_" + std::to_string(getpid()) + ".parquet");
  const auto files = connection_->Copy("COPY (SELECT i AS \"a\"\"b\", {'x': i * 2} AS st, NULL::INTEGER AS n FROM range(10) t(i)) TO " +
                                       Literal(path.string()) + " (FORMAT parquet, RETURN_STATS)");
  ASSERT_TRUE(files) << files.error().message;
  ASSERT_EQ(files->size(), 1U);
  const WrittenFile& file = files->front();
  EXPECT_EQ(file.path, path.string());
  EXPECT_EQ(file.records, 10);
  EXPECT_EQ(file.bytes, static_cast<std::int64_t>(std::filesystem::file_size(path)));
  EXPECT_GT(file.footer_bytes, 0);
  EXPECT_EQ(file.columns.at("\"a\"\"b\"").at("max"), "9");
  EXPECT_EQ(file.columns.at("\"st\".\"x\"").at("max"), "18");
  EXPECT_EQ(file.columns.at("\"n\"").at("null_count"), "10");
  EXPECT_FALSE(file.columns.at("\"n\"").contains("min"));
  std::filesystem::remove(path);
}

class Collector final : public KeyVisitor {
 public:
  std::uint64_t seed() const override { return 7; }
  void Visit(std::span<const KeyHash> keys, std::span<const std::int64_t> a, std::span<const std::int64_t>, std::span<const std::int64_t>,
             std::span<std::int64_t> out) override {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      seen[a[i]].push_back(keys[i]);
      out[i] = 1;
    }
  }
  std::map<std::int64_t, std::vector<KeyHash>> seen;

 private:
  std::mutex mutex_;
};

TEST_F(EngineTest, EqualKeysHaveEqualHashes) {
  const auto collector = std::make_shared<Collector>();
  const std::int64_t handle = database_->Register(std::shared_ptr<KeyVisitor>(collector));
  const auto visit = [&](const std::string& keys, const std::string& from) {
    const auto rows = connection_->Query("SELECT count(*), sum(nano_visit(" + std::to_string(handle) + ", a, 0, 0, " + keys + ")) FROM " + from);
    EXPECT_TRUE(rows) << rows.error().message;
    EXPECT_EQ(rows->text(0, 0), rows->text(0, 1));
  };
  visit("k", "(VALUES (1, 0.0::DOUBLE), (1, -0.0::DOUBLE), (2, 'nan'::DOUBLE), (2, -('nan'::DOUBLE)), (3, NULL)) t(a, k)");
  visit("k, l", "(VALUES (4, 'a', 'bc'), (5, 'ab', 'c'), (6, NULL, 'abc'), (7, 'abc', NULL), (8, '', 'abc')) t(a, k, l)");
  visit("i * 3 + 1", "(SELECT 100 + i AS a, i FROM range(5000) t(i))");
  visit("i * 3 + 1", "(SELECT 100 + i AS a, i FROM range(5000) t(i) ORDER BY i DESC)");
  EXPECT_EQ(collector->seen.at(1)[0], collector->seen.at(1)[1]);
  EXPECT_EQ(collector->seen.at(2)[0], collector->seen.at(2)[1]);
  std::set<KeyHash> distinct;
  for (const auto& [a, hashes] : collector->seen) {
    for (const auto& hash : hashes) EXPECT_EQ(hash, hashes[0]) << a;
    distinct.insert(hashes[0]);
  }
  EXPECT_EQ(distinct.size(), collector->seen.size());
  database_->Dismiss(handle);
  EXPECT_FALSE(connection_->Query("SELECT nano_visit(" + std::to_string(handle) + "::BIGINT, 0::BIGINT, 0::BIGINT, 0::BIGINT, 1)"));
}

}  // namespace
}  // namespace nano::engine
