// SPDX-License-Identifier: Apache-2.0
#include "io/local_socket.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

namespace nano::io {
namespace {

namespace fs = std::filesystem;

class LocalSocketTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "local-socket-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path folder_;
};

TEST_F(LocalSocketTest, ARequestHasAnAnswer) {
  const fs::path path = folder_ / "run.sock";
  std::ofstream(path) << "left over";
  auto server = LocalServer::Open(path, [](const std::string& request) { return "said " + request; });
  ASSERT_TRUE(server) << server.error().message;
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  const std::string longest(100'000, 'x');
  for (const std::string& request : {std::string("one"), std::string(), longest}) {
    const auto answer = AskLocal(path, request);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(*answer, "said " + request);
  }
  server->reset();
  EXPECT_FALSE(fs::exists(path));
  EXPECT_EQ(AskLocal(path, "x").error().code, Code::kNotFound);
}

TEST_F(LocalSocketTest, ManyAskAtOnce) {
  const fs::path path = folder_ / "run.sock";
  const auto server = LocalServer::Open(path, [](const std::string& request) { return request + request; });
  ASSERT_TRUE(server);
  std::vector<std::jthread> asking;
  std::atomic<int> right{0};
  for (int n = 0; n < 40; ++n)
    asking.emplace_back([&, n] {
      const std::string text = std::to_string(n);
      const auto answer = AskLocal(path, text);
      if (answer && *answer == text + text) ++right;
    });
  asking.clear();
  EXPECT_EQ(right, 40);
}

TEST_F(LocalSocketTest, AFolderMayBeDeep) {
  fs::path deep = folder_;
  for (int n = 0; n < 6; ++n) deep /= std::string(30, 'd');
  fs::create_directories(deep);
  const auto server = LocalServer::Open(deep / "run.sock", [](const std::string&) { return "here"; });
  ASSERT_TRUE(server) << server.error().message;
  EXPECT_EQ(AskLocal(deep / "run.sock", "?").value_or(""), "here");
}

TEST_F(LocalSocketTest, NobodyIsNotFound) { EXPECT_EQ(AskLocal(folder_ / "none" / "run.sock", "x").error().code, Code::kNotFound); }

}  // namespace
}  // namespace nano::io
