// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What happened in a run: its last lines, and a digest of all of them by which two runs are compared.

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <deque>
#include <map>
#include <string>

namespace nano::simulation {

class Trace {
 public:
  explicit Trace(bool prints) : prints_(prints) {}
  template <class... Parts>
  void Say(fmt::format_string<Parts...> text, Parts&&... parts) { Add(fmt::format(text, std::forward<Parts>(parts)...)); }
  /// The same of a fault, which is counted.
  void SayFault(const std::string& kind, const std::string& detail = "") {
    ++faults_[kind];
    Add("! " + kind + (detail.empty() ? "" : ": " + detail));
  }
  std::uint64_t digest() const { return digest_; }
  std::uint64_t lines() const { return lines_; }
  const std::deque<std::string>& last() const { return last_; }
  const std::map<std::string, std::uint64_t>& faults() const { return faults_; }
  std::uint64_t fault_count() const {
    std::uint64_t sum = 0;
    for (const auto& [kind, count] : faults_) sum += count;
    return sum;
  }

 private:
  void Add(std::string line) {
    ++lines_;
    for (const char c : line) digest_ = (digest_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;   // FNV-1a
    line = fmt::format("{:6} {}", lines_, line);
    if (prints_) std::fprintf(stderr, "%s\n", line.c_str());
    last_.push_back(std::move(line));
    constexpr std::size_t kKept = 60;
    if (last_.size() > kKept) last_.pop_front();
  }
  const bool prints_;
  std::uint64_t digest_ = 0xcbf29ce484222325ULL, lines_ = 0;
  std::deque<std::string> last_;
  std::map<std::string, std::uint64_t> faults_;
};

}  // namespace nano::simulation
