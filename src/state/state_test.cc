// SPDX-License-Identifier: Apache-2.0
#include "state/state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "state/sqlite.h"

namespace nano::state {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class StateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "nano-state-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    local_ = fs::path(pattern) / "data" / "local";
  }
  void TearDown() override { fs::remove_all(local_.parent_path().parent_path()); }

  std::unique_ptr<State> Open() {
    auto state = State::Open(local_, {.now = [this] { return now_; }});
    if (!state) {
      ADD_FAILURE() << state.error().message;
      return nullptr;
    }
    return *std::move(state);
  }

  /// A process that holds the writer lease until it is killed; returns once it has it.
  pid_t StartWriter() {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      auto state = State::Open(local_);
      auto lease = state ? (*state)->AcquireWriter() : Fail(Code::kInternal, "no state");
      if (lease) (void)(*state)->StartRun("ingest", (*lease)->epoch());
      const char got = lease ? 'y' : 'n';
      [[maybe_unused]] const auto written = ::write(ends[1], &got, 1);
      for (;;) ::pause();
    }
    char got = 0;
    EXPECT_EQ(::read(ends[0], &got, 1), 1);
    EXPECT_EQ(got, 'y');
    ::close(ends[0]);
    ::close(ends[1]);
    return child;
  }

  fs::path local_;
  std::int64_t now_ = 1'000'000'000;
};

TEST_F(StateTest, EachAcquisitionHasAHigherEpoch) {
  auto state = Open();
  EXPECT_FALSE(*state->writer());
  for (std::uint64_t epoch = 1; epoch <= 3; ++epoch) {
    auto lease = state->AcquireWriter();
    ASSERT_TRUE(lease);
    EXPECT_EQ((*lease)->epoch(), epoch);
    EXPECT_TRUE((*lease)->Check());
    EXPECT_TRUE((*state->writer())->held);
    EXPECT_EQ((*state->writer())->pid, ::getpid());
    lease->reset();
    EXPECT_FALSE((*state->writer())->held);
  }
  state = Open();
  EXPECT_EQ((*state->AcquireWriter())->epoch(), 4U);
}

TEST_F(StateTest, ASecondWriterIsToldWhoWrites) {
  auto state = Open();
  const pid_t other = StartWriter();
  const auto lease = state->AcquireWriter();
  ASSERT_FALSE(lease);
  EXPECT_EQ(lease.error().code, Code::kConflict);
  EXPECT_THAT(lease.error().message, HasSubstr(fmt::format("pid {} on host \"", other)));
  ::kill(other, SIGKILL);
  ::waitpid(other, nullptr, 0);
}

TEST_F(StateTest, ALeaseOfADeadProcessIsTakenOverAndItsRunIsLost) {
  auto state = Open();
  const pid_t other = StartWriter();
  EXPECT_EQ((*state->Runs(10))[0].outcome, Outcome::kRunning);
  ::kill(other, SIGKILL);
  ::waitpid(other, nullptr, 0);
  EXPECT_FALSE((*state->writer())->held);
  auto lease = state->AcquireWriter();
  ASSERT_TRUE(lease) << lease.error().message;
  EXPECT_EQ((*lease)->epoch(), 2U);
  EXPECT_EQ((*state->Runs(10))[0].outcome, Outcome::kLost);
}

TEST_F(StateTest, AnOvertakenWriterIsTold) {
  auto state = Open();
  auto lease = state->AcquireWriter();
  ASSERT_TRUE(lease);
  auto database = Sqlite::Open(local_ / "state.db");
  ASSERT_TRUE((*database)->Script("UPDATE writer SET epoch = epoch + 1"));
  EXPECT_EQ((*lease)->Check().error().code, Code::kConflict);
}

TEST_F(StateTest, SnapshotsAreHeldUntilTheirLeaseEnds) {
  auto state = Open(), other = Open();
  const auto first = state->LeaseSnapshot(7, 60s), second = other->LeaseSnapshot(5, 30s);
  ASSERT_TRUE(first && second);
  const auto held = [&] {
    const auto leases = *state->SnapshotLeases();
    std::vector<std::int64_t> snapshots;
    for (const auto& lease : leases) snapshots.push_back(lease.snapshot);
    return snapshots;
  };
  EXPECT_THAT(held(), ElementsAre(5, 7));
  now_ += 30'000'000;
  EXPECT_THAT(held(), ElementsAre(7));
  EXPECT_EQ(other->RenewLease(*second, 60s).error().code, Code::kNotFound);
  EXPECT_TRUE(state->RenewLease(*first, 60s));
  now_ += 59'000'000;
  EXPECT_THAT(held(), ElementsAre(7));
  EXPECT_TRUE(state->ReleaseLease(*first));
  EXPECT_TRUE(state->ReleaseLease(*first));
  EXPECT_THAT(held(), ElementsAre());
}

TEST_F(StateTest, RunsKeepWhatBecameOfThem) {
  auto state = Open();
  const auto first = state->StartRun("ingest", 3), second = state->StartRun("query \"ü\"", 0);
  ASSERT_TRUE(first && second);
  now_ += 5;
  ASSERT_TRUE(state->FinishRun(*first, Outcome::kFailed, "tap \"x\" exited with status 3", R"({"rows":12})"));
  EXPECT_EQ(state->FinishRun(99, Outcome::kOk, "", "{}").error().code, Code::kNotFound);
  const auto runs = *state->Runs(10);
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0].command, "query \"ü\"");
  EXPECT_FALSE(runs[0].finished);
  EXPECT_EQ(runs[1].outcome, Outcome::kFailed);
  EXPECT_EQ(runs[1].counters, R"({"rows":12})");
  EXPECT_EQ(*runs[1].finished - runs[1].started, 5);
  EXPECT_EQ(ToString(runs[1].outcome), "failed");
  EXPECT_EQ(state->Runs(1)->size(), 1U);
}

TEST_F(StateTest, SettingsArePutAndRemoved) {
  auto state = Open();
  EXPECT_FALSE(*state->Get("a"));
  ASSERT_TRUE(state->Put("a", std::string("x\0y", 3)));
  EXPECT_EQ(*state->Get("a"), std::string("x\0y", 3));
  ASSERT_TRUE(state->Put("a", ""));
  EXPECT_EQ(*state->Get("a"), "");
  ASSERT_TRUE(state->Remove("a"));
  EXPECT_FALSE(*state->Get("a"));
}

TEST_F(StateTest, AnotherProgramsDatabaseAndANewerFormatAreRefused) {
  (void)Open();
  {
    auto database = Sqlite::Open(local_ / "state.db");
    ASSERT_TRUE((*database)->Script("PRAGMA user_version = 2"));
  }
  EXPECT_EQ(State::Open(local_).error().code, Code::kUnsupported);
  fs::remove_all(local_);
  fs::create_directories(local_);
  {
    auto database = Sqlite::Open(local_ / "state.db");
    ASSERT_TRUE((*database)->Script("CREATE TABLE theirs (x)"));
  }
  EXPECT_EQ(State::Open(local_).error().code, Code::kInvalid);
  fs::remove_all(local_);
  fs::create_directories(local_);
  std::ofstream(local_ / "state.db") << std::string(5000, 'x');
  EXPECT_EQ(State::Open(local_).error().code, Code::kCorrupt);
}

TEST_F(StateTest, ManyProcessesMakeAndUseItAtOnce) {
  std::vector<pid_t> children;
  for (int n = 0; n < 6; ++n) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto state = State::Open(local_);
      if (!state) ::_exit(1);
      int acquired = 0;
      for (int i = 0; i < 10; ++i) {
        auto run = (*state)->StartRun("r", 0);
        auto lease = (*state)->LeaseSnapshot(i, 60s);
        if (!run || !lease || !(*state)->FinishRun(*run, Outcome::kOk, "", "{}")) ::_exit(2);
        while (acquired <= i) {
          auto writer = (*state)->AcquireWriter();
          if (writer) ++acquired;
          else if (writer.error().code != Code::kConflict) ::_exit(3);
        }
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  auto state = Open();
  now_ = 0;
  EXPECT_EQ(state->Runs(1000)->size(), 60U);
  EXPECT_EQ(state->SnapshotLeases()->size(), 60U);
  EXPECT_EQ((*state->writer())->epoch, 60U);
}

TEST_F(StateTest, SeveralThreadsUseOneState) {
  auto state = Open();
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        const auto lease = state->LeaseSnapshot(i, 60s);
        EXPECT_TRUE(lease && state->RenewLease(*lease, 60s) && state->ReleaseLease(*lease));
      }
    });
  }
  threads.clear();
  EXPECT_TRUE(state->SnapshotLeases()->empty());
}

}  // namespace
}  // namespace nano::state
