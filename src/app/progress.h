// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How far long work is, on standard error: one line that is written over on a terminal, plain lines every few seconds
/// elsewhere, nothing with --quiet. Called as often as the work likes; from one thread at a time.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "app/terminal.h"

namespace nano::app {

/// How far the work is.
struct Amount {
  std::string label;                     ///< what is being worked on: a source's name
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> total_bytes;   ///< where the end is known
  std::string unit = "records";          ///< what rows are called
};

/// `shop_cdc  45 %  168 MB of 368 MB  12 MB/s  1.2 M records  17 s left`, cut to the terminal's width.
std::string ProgressText(const Amount& amount, std::chrono::duration<double> elapsed, const Terminal& terminal);

/// `1.2 GB`, `368 MB`, `17 bytes`: powers of 1000, as disks are sold.
std::string BytesText(std::uint64_t bytes);
/// `1,234,567`
std::string CountText(std::uint64_t count);
/// `0.4 s`, `17 s`, `2 min 05 s`, `1 h 12 min`.
std::string TimeText(std::chrono::duration<double> time);

class Progress {
 public:
  enum class Voice { kQuiet, kSpeaks };
  Progress(const Terminal& terminal, Voice voice);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Show(const Amount& amount);
  /// A line of ours, written over as the amounts are; on a terminal only.
  void ShowLine(const std::string& line);
  /// A line that stays; the progress line goes on below it.
  void Say(const std::string& line);
  /// Takes the progress line away, before something else is printed.
  void Clear();

 private:
  using Clock = std::chrono::steady_clock;
  Terminal terminal_;
  Voice voice_;
  std::string label_;
  Clock::time_point began_, shown_;
  bool line_open_ = false;
};

}  // namespace nano::app
