// SPDX-License-Identifier: Apache-2.0
#include "io/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "io/fault.h"

namespace nano::io {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class FilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "nano-files-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    ::unsetenv("NANOHOUSE_FAULT");
    ::unsetenv("NANOHOUSE_FAULT_LOG");
    ReloadFaults();
    fs::remove_all(folder_);
  }
  static void SetFault(const std::string& fault) {
    ::setenv("NANOHOUSE_FAULT", fault.c_str(), 1);
    ReloadFaults();
  }
  std::string Content(const fs::path& path) {
    auto content = ReadFile(path);
    return content ? *content : "<" + content.error().message + ">";
  }
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }
  fs::path folder_;
};

TEST_F(FilesTest, AnAppendFileGrowsAtItsEndAndIsCut) {
  {
    auto file = AppendFile::Open(folder_ / "a", "t");
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->Append("one"));
    ASSERT_TRUE((*file)->Append("two"));
    ASSERT_TRUE((*file)->Sync());
    EXPECT_EQ((*file)->size(), 6U);
  }
  auto file = AppendFile::Open(folder_ / "a", "t");
  ASSERT_TRUE(file);
  EXPECT_EQ((*file)->size(), 6U);
  ASSERT_TRUE((*file)->Truncate(3));
  ASSERT_TRUE((*file)->Append("!"));
  EXPECT_EQ(Content(folder_ / "a"), "one!");
}

TEST_F(FilesTest, FoldersAreMadeWithThoseAboveThem) {
  EXPECT_TRUE(MakeFolders(folder_ / "a" / "b c" / "ü", "t"));
  EXPECT_TRUE(fs::is_directory(folder_ / "a" / "b c" / "ü"));
  EXPECT_TRUE(MakeFolders(folder_ / "a" / "b c" / "", "t"));
  std::ofstream(folder_ / "file") << "x";
  EXPECT_EQ(MakeFolders(folder_ / "file", "t").error().code, Code::kNotFound);
}

TEST_F(FilesTest, AnAtomicWriteReplacesTheWholeFile) {
  ASSERT_TRUE(WriteFileAtomically(folder_ / "f", "first", "t"));
  ASSERT_TRUE(WriteFileAtomically(folder_ / "f", "second", "t"));
  EXPECT_EQ(Content(folder_ / "f"), "second");
  EXPECT_THAT(Names(), ElementsAre("f"));
}

TEST_F(FilesTest, AnAtomicWriteThatFailsLeavesTheOldFile) {
  ASSERT_TRUE(WriteFileAtomically(folder_ / "f", "first", "t"));
  for (const std::string fault : {"t.write=eio", "t.write=enospc", "t.write=short", "t.sync=eio", "t.rename=eio"}) {
    SetFault(fault);
    const auto status = WriteFileAtomically(folder_ / "f", "second", "t");
    ASSERT_FALSE(status) << fault;
    EXPECT_EQ(status.error().code, Code::kUnavailable);
    EXPECT_EQ(Content(folder_ / "f"), "first") << fault;
    EXPECT_THAT(Names(), ElementsAre("f")) << fault;
  }
}

TEST_F(FilesTest, AShortWriteLeavesAPartAndSaysSo) {
  auto file = AppendFile::Open(folder_ / "a", "t");
  ASSERT_TRUE(file);
  SetFault("t.write:2=short");
  ASSERT_TRUE((*file)->Append("0123456789"));
  const auto status = (*file)->Append("0123456789");
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("No space left"));
  EXPECT_EQ((*file)->size(), 15U);
  EXPECT_EQ(fs::file_size(folder_ / "a"), 15U);
  EXPECT_TRUE((*file)->Append("x")) << "only the second passing fails";
}

TEST_F(FilesTest, AKillPointEndsTheProcess) {
  const pid_t child = ::fork();
  if (child == 0) {
    SetFault("t.sync=kill");
    auto file = AppendFile::Open(folder_ / "a", "t");
    (void)(*file)->Append("written");
    (void)(*file)->Sync();
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  EXPECT_EQ(Content(folder_ / "a"), "written");
}

TEST_F(FilesTest, ThePointsThatWerePassedAreLoggedOnceEach) {
  ::setenv("NANOHOUSE_FAULT_LOG", (folder_ / "log").c_str(), 1);
  ReloadFaults();
  ASSERT_TRUE(MakeFolders(folder_ / "x", "t"));
  ASSERT_TRUE(WriteFileAtomically(folder_ / "x" / "f", "1", "t"));
  ASSERT_TRUE(WriteFileAtomically(folder_ / "x" / "f", "2", "t"));
  EXPECT_EQ(Content(folder_ / "log"), "t.mkdir\nt.folder\nt.write\nt.sync\nt.rename\n");
}

TEST_F(FilesTest, ReadingTellsWhatIsWrong) {
  EXPECT_EQ(ReadFile(folder_ / "none").error().code, Code::kNotFound);
  EXPECT_EQ(ReadFile(folder_).error().code, Code::kInvalid);
  std::ofstream(folder_ / "f") << std::string(5000, 'x');
  EXPECT_EQ(ReadFile(folder_ / "f", 4999).error().code, Code::kInvalid);
  EXPECT_EQ(ReadFile(folder_ / "f", 5000)->size(), 5000U);
}

}  // namespace
}  // namespace nano::io
