// SPDX-License-Identifier: Apache-2.0
#include "io/child.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/line_reader.h"

namespace nano::io {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

struct Ran {
  std::string output;
  std::vector<std::string> errors;
  std::optional<ChildExit> exit;
};

Ran RunToEnd(const ChildOptions& options) {
  Ran run;
  auto child = Child::Start(options, [&](std::string_view line) { run.errors.emplace_back(line); });
  if (!child) {
    run.output = child.error().message;
    return run;
  }
  std::vector<char> chunk(64 << 10);
  for (;;) {
    auto got = (*child)->Read(chunk.data(), chunk.size(), 5s);
    if (!got || got->state == ByteSource::State::kEnd) break;
    run.output.append(chunk.data(), got->bytes);
  }
  auto ended = (*child)->Wait(5s);
  if (ended) run.exit = *ended;
  return run;
}

Ran RunShell(const std::string& script) { return RunToEnd({.arguments = {"sh", "-c", script}}); }

TEST(ChildTest, GivesOutputErrorsAndStatus) {
  const Ran run = RunShell("echo out; echo err1 >&2; printf 'err2\\r\\nlast' >&2; exit 3");
  EXPECT_EQ(run.output, "out\n");
  EXPECT_THAT(run.errors, ElementsAre("err1", "err2", "last"));
  ASSERT_TRUE(run.exit);
  EXPECT_EQ(run.exit->status, 3);
  EXPECT_EQ(run.exit->Describe(), "exited with status 3");
}

TEST(ChildTest, ArgumentsPassNoShellAndTheEnvironmentIsAddedTo) {
  const Ran run = RunToEnd({.arguments = {"sh", "-c", "printf '%s|%s|%s' \"$1\" \"$A\" \"${PATH:+set}\"; pwd", "sh", "$(x) ; 'y\" ü"},
                            .environment = {{"A", "b c=d"}}, .folder = "/"});
  EXPECT_EQ(run.output, "$(x) ; 'y\" ü|b c=d|set/\n");
}

TEST(ChildTest, StandardInputIsEmpty) { EXPECT_EQ(RunShell("cat; echo done").output, "done\n"); }

TEST(ChildTest, MuchOutputOnBothSidesNeverHangs) {
  const Ran run = RunShell("i=0; while [ $i -lt 3000 ]; do printf '%0500d\\n' $i; printf '%0500d\\n' $i >&2; i=$((i+1)); done");
  EXPECT_EQ(run.output.size(), 3000U * 501);
  EXPECT_EQ(run.errors.size(), 3000U);
}

TEST(ChildTest, WhatCannotBeStartedSaysWhy) {
  EXPECT_EQ(Child::Start({.arguments = {"no-such-program-anywhere"}}, {}).error().code, Code::kNotFound);
  EXPECT_EQ(Child::Start({.arguments = {"/etc/passwd"}}, {}).error().code, Code::kDenied);
  EXPECT_EQ(Child::Start({.arguments = {"sh", "-c", "true"}, .folder = "/no/such/folder"}, {}).error().code, Code::kNotFound);
}

TEST(ChildTest, TerminateAsksThenKills) {
  auto polite = Child::Start({.arguments = {"sh", "-c", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done"}}, {});
  ASSERT_TRUE(polite);
  char byte;
  ASSERT_TRUE((*polite)->Read(&byte, 1, 5s));
  EXPECT_EQ((*polite)->Terminate(5s)->status, 7);

  auto stubborn = Child::Start({.arguments = {"sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.01; done"}}, {});
  ASSERT_TRUE(stubborn);
  ASSERT_TRUE((*stubborn)->Read(&byte, 1, 5s));
  EXPECT_EQ((*stubborn)->Terminate(50ms)->signal, SIGKILL);
}

TEST(ChildTest, ADroppedChildIsKilledAndReaped) {
  int pid = 0;
  {
    auto child = Child::Start({.arguments = {"sleep", "1000"}}, {});
    ASSERT_TRUE(child);
    pid = (*child)->pid();
    EXPECT_FALSE(*(*child)->Wait(20ms));
  }
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(::waitpid(pid, nullptr, WNOHANG), -1);
}

TEST(ChildTest, ItDiesWithUs) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t middle = ::fork();
  if (middle == 0) {
    auto child = Child::Start({.arguments = {"sleep", "1000"}}, {});
    const int pid = child ? (*child)->pid() : 0;
    [[maybe_unused]] const auto written = ::write(ends[1], &pid, sizeof pid);
    ::kill(::getpid(), SIGKILL);
  }
  int pid = 0;
  ASSERT_EQ(::read(ends[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
  ASSERT_GT(pid, 0);
  ::waitpid(middle, nullptr, 0);
  // Whoever inherits the orphan reaps it; until then it is a zombie, which runs no more.
  const auto running = [&] {
    std::string stat(512, 0);
    std::FILE* file = std::fopen(fmt::format("/proc/{}/stat", pid).c_str(), "r");
    if (file == nullptr) return false;
    stat.resize(std::fread(stat.data(), 1, stat.size(), file));
    std::fclose(file);
    return stat.find(") Z") == std::string::npos;
  };
  for (int i = 0; i < 200 && running(); ++i) std::this_thread::sleep_for(10ms);
  EXPECT_FALSE(running());
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(ChildTest, ItsOutputIsReadByLines) {
  auto child = Child::Start({.arguments = {"sh", "-c", "printf 'a\\nbc\\nd'"}}, {});
  ASSERT_TRUE(child);
  LineReader reader(std::move(*child), {});
  std::vector<std::string> lines;
  Line line;
  while (*reader.Next(line, 5s) == LineReader::State::kLine) lines.emplace_back(line.text);
  EXPECT_THAT(lines, ElementsAre("a", "bc", "d"));
}

}  // namespace
}  // namespace nano::io
