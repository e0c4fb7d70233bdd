// SPDX-License-Identifier: Apache-2.0
// Times batches of the direct lane inside one process; bench/run lane calls it. Prints one JSON object a line.
//   lane_bench rows N bigint|uuid     10,000 changed random keys (a tenth of them new) into a table of N rows
//   lane_bench files N                10 changed keys into a table of N data files, 100 rows each
//   lane_bench commits N              100 changed keys after N commits of as many
//   lane_bench publish N              publishing after 10 changed keys in a table of N data files
//   lane_bench index N                memory of the key index of N keys
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "lake/build.h"
#include "lake/key_index.h"
#include "lake/lake.h"
#include "lake/lane.h"
#include "publish/publisher.h"

namespace nano::lake {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

void Ok(const Status& status) {
  if (status) return;
  fmt::print(stderr, "{}\n", status.error().message);
  std::exit(1);
}
template <class T>
T Ok(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "{}\n", result.error().message);
  std::exit(1);
}

double Milliseconds(Clock::time_point since) { return std::chrono::duration<double, std::milli>(Clock::now() - since).count(); }
double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

std::int64_t ResidentKilobytes(const char* what) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(what)) return std::strtoll(line.c_str() + std::string(what).size() + 1, nullptr, 10);
  return 0;
}

class Bench {
 public:
  explicit Bench(bool uuid) : uuid_(uuid), folder_(fs::temp_directory_path() / fmt::format("lane-bench-{}", getpid())) {
    fs::remove_all(folder_);
    writer_ = Ok(Writer::Open({folder_ / "lake", folder_ / "catalog.db", folder_ / "tmp"}, {.memory_limit = "1GB"}));
    build_.id = "t_1";
    build_.definition.table = "t";
    build_.definition.identity = Identity::kKey;
    build_.definition.key = {"id"};
    build_.definition.columns = {{"id", *ParseDataType(uuid ? "uuid" : "bigint"), true, ""}, {"grp", *ParseDataType("int"), false, ""},
                                 {"s", *ParseDataType("string"), false, ""}, {"amount", *ParseDataType("decimal(18,2)"), false, ""},
                                 {"ts", *ParseDataType("timestamptz"), false, ""}};
    Ok(writer_->Begin());
    Ok(CreateBuild(*writer_, build_));
    Ok(writer_->Commit("apply"));
  }
  ~Bench() {
    writer_.reset();
    fs::remove_all(folder_);
  }

  /// Rows [from, to), appended in one commit.
  void Load(std::int64_t from, std::int64_t to) {
    Staged staged;
    staged.rows = Rows(fmt::format("range({}, {}) t(i)", from, to));
    Land(staged);
    next_ = std::max(next_, to);
  }
  /// A batch; its milliseconds, and those of merging files afterwards.
  std::pair<double, double> Change(std::int64_t old_keys, std::int64_t new_keys) {
    std::string list;
    for (std::int64_t i = 0; i < old_keys; ++i) list += fmt::format("{}{}", i == 0 ? "" : ",", random_() % static_cast<std::uint64_t>(next_));
    auto& connection = writer_->connection();
    Ok(connection.Execute(fmt::format("CREATE OR REPLACE TEMP TABLE batch AS SELECT DISTINCT unnest([{}]::BIGINT[]) AS i UNION ALL FROM range({}, {})", list, next_,
                                      next_ + new_keys)));
    next_ += new_keys;
    Staged staged;
    staged.rows = Rows("temp.batch t");
    staged.removed = fmt::format("(SELECT {} AS id FROM temp.batch t)", Key());
    const auto begin = Clock::now();
    Land(staged);
    const double batch = Milliseconds(begin);
    const auto merge = Clock::now();
    if (tidies_) Ok(writer_->Tidy(build_));
    return {batch, Milliseconds(merge)};
  }
  std::int64_t files() {
    return Ok(writer_->connection().Query("SELECT count(*) FROM __ducklake_metadata_lake.ducklake_data_file WHERE end_snapshot IS NULL AND table_id = "
                                          "(SELECT max(table_id) FROM __ducklake_metadata_lake.ducklake_table WHERE table_name = 't_1')")).integer(0, 0);
  }
  /// Leaves all files as they are.
  void KeepFiles() { tidies_ = false; }
  double Publish() {
    const auto begin = Clock::now();
    publish::Publisher publisher(writer_->connection(), folder_);
    publish::PublishRequest request;
    request.schema = "build";
    request.table = build_.id;
    request.snapshot = writer_->head().snapshot;
    request.hidden_columns = {kPositionColumn, kCommittedAtColumn};
    Ok(publisher.Publish(request));
    return Milliseconds(begin);
  }

 private:
  std::string Key() const { return uuid_ ? "md5(i::VARCHAR)::UUID" : "(i * 2654435761) % 4294967296"; }
  std::string Rows(const std::string& from) const {
    return fmt::format("(SELECT (1::BIGINT << 48) + i AS p, now() AS c, {} AS id, (i % 100)::INTEGER AS grp, 'name ' || i AS s, (i % 100000)::DECIMAL(18,2) AS amount, "
                       "now() AS ts FROM {})", Key(), from);
  }
  void Land(const Staged& staged) {
    Ok(writer_->Begin(LaneKind::kDirect));
    Ok(writer_->lane().Apply(*writer_, build_, staged));
    Ok(writer_->SetPosition("s", Position{++position_}));
    Ok(writer_->Commit("land"));
  }

  const bool uuid_;
  bool tidies_ = true;
  const fs::path folder_;
  std::unique_ptr<Writer> writer_;
  Build build_;
  std::int64_t next_ = 0;
  std::uint64_t position_ = 0;
  std::mt19937_64 random_{7};
};

void Batches(Bench& bench, const char* what, std::int64_t size, std::int64_t changed, std::int64_t added, int rounds) {
  std::vector<double> batches;
  double merging = 0;
  bench.Change(changed, added);   // makes the index
  for (int i = 0; i < rounds; ++i) {
    const auto [batch, merge] = bench.Change(changed, added);
    batches.push_back(batch);
    merging += merge;
  }
  fmt::print("{{\"what\": \"{}\", \"size\": {}, \"batch_ms\": {:.1f}, \"merge_ms\": {:.1f}, \"files\": {}}}\n", what, size, Median(batches), merging / rounds, bench.files());
}

int Main(const std::string& what, std::int64_t size, bool uuid) {
  if (what == "index") {
    const fs::path folder = fs::temp_directory_path() / fmt::format("index-bench-{}", getpid());
    auto index = Ok(KeyIndex::Open(folder, {"bench", 1, "1:bigint"}));
    std::mt19937_64 random(3);
    for (std::int64_t done = 0; done < size;) {
      std::vector<KeyedPlace> rows;
      for (int i = 0; i < 262144 && done < size; ++i, ++done) rows.push_back({{random(), random()}, {done >> 20, static_cast<std::uint32_t>(done & 0xfffff), done}});
      Ok(index->Add(std::move(rows)));
      if (index->unsaved() >= (1 << 20)) Ok(index->Save(nullptr));
    }
    Ok(index->Save(nullptr));
    std::vector<KeyHash> keys;
    for (int i = 0; i < 10000; ++i) keys.push_back({random(), random()});
    const auto begin = Clock::now();
    index->Find(keys, [](std::size_t, const RowPlace&) { return true; });
    const double misses = Milliseconds(begin);
    fmt::print("{{\"what\": \"index\", \"size\": {}, \"resident_bytes_a_key\": {:.3f}, \"anonymous_kb\": {}, \"look_up_10k_ms\": {:.1f}}}\n", index->size(),
               static_cast<double>(index->resident_bytes()) / static_cast<double>(size), ResidentKilobytes("RssAnon"), misses);
    index.reset();
    fs::remove_all(folder);
    return 0;
  }
  Bench bench(uuid);
  constexpr std::int64_t kStep = 1'000'000;
  if (what == "rows") {
    for (std::int64_t at = 0; at < size; at += kStep) bench.Load(at, std::min(size, at + kStep));
    Batches(bench, uuid ? "rows uuid" : "rows bigint", size, 9000, 1000, 24);
  } else if (what == "files" || what == "publish") {
    bench.KeepFiles();
    for (std::int64_t at = 0; at < size; ++at) bench.Load(at * 100, at * 100 + 100);
    if (what == "files") {
      Batches(bench, "files", size, 9, 1, 7);   // fewer than make a merge
      return 0;
    }
    bench.Publish();
    std::vector<double> times;
    for (int i = 0; i < 5; ++i) {
      bench.Change(9, 1);
      times.push_back(bench.Publish());
    }
    fmt::print("{{\"what\": \"publish\", \"size\": {}, \"publish_ms\": {:.1f}, \"files\": {}}}\n", size, Median(times), bench.files());
  } else if (what == "commits") {
    bench.Load(0, 10000);
    for (std::int64_t i = 0; i < size; ++i) bench.Change(90, 10);
    Batches(bench, "commits", size, 90, 10, 16);
  } else {
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace nano::lake

int main(int count, char** arguments) {
  if (count < 3) return 2;
  return nano::lake::Main(arguments[1], std::strtoll(arguments[2], nullptr, 10), count > 3 && std::string(arguments[3]) == "uuid");
}
