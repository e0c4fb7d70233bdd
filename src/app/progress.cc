// SPDX-License-Identifier: Apache-2.0
#include "app/progress.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdio>

#include "app/display_text.h"

namespace nano::app {
namespace {

constexpr auto kTerminalEvery = std::chrono::milliseconds(100);
constexpr auto kPlainEvery = std::chrono::seconds(5);

}  // namespace

std::string BytesText(std::uint64_t bytes) {
  if (bytes < 1000) return fmt::format("{} bytes", bytes);
  constexpr std::array<const char*, 6> units = {"kB", "MB", "GB", "TB", "PB", "EB"};
  double value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < units.size()) value /= 1000, ++unit;
  return value < 9.95 ? fmt::format("{:.1f} {}", value, units[unit]) : fmt::format("{:.0f} {}", value, units[unit]);
}

std::string CountText(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string TimeText(std::chrono::duration<double> time) {
  const double seconds = std::max(time.count(), 0.0);
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string ProgressText(const Amount& amount, std::chrono::duration<double> elapsed, const Terminal& terminal) {
  std::string out = Printable(amount.label);
  const auto total = amount.total_bytes.value_or(0);
  if (total > 0) {
    const auto percent = static_cast<int>(100.0 * static_cast<double>(std::min(amount.bytes, total)) / static_cast<double>(total));
    out += fmt::format("  {:3} %  {} of {}", percent, BytesText(amount.bytes), BytesText(total));
  } else if (amount.bytes > 0) {
    out += "  " + BytesText(amount.bytes);
  }
  out += fmt::format("  {} {}", CountText(amount.rows), amount.unit);
  const double seconds = elapsed.count();
  if (seconds >= 0.5 && amount.bytes > 0) {
    const double rate = static_cast<double>(amount.bytes) / seconds;
    out += fmt::format("  {}/s", BytesText(static_cast<std::uint64_t>(rate)));
    if (total > amount.bytes && rate > 0)
      out += fmt::format("  {} left", TimeText(std::chrono::duration<double>(static_cast<double>(total - amount.bytes) / rate)));
  }
  return terminal.width > 1 ? Clip(out, terminal.width - 1, terminal.unicode ? "…" : "~") : out;
}

Progress::Progress(const Terminal& terminal, Voice voice) : terminal_(terminal), voice_(voice), began_(Clock::now()), shown_(began_) {}

Progress::~Progress() { Clear(); }

void Progress::Show(const Amount& amount) {
  if (voice_ == Voice::kQuiet) return;
  const auto now = Clock::now();
  if (amount.label != label_) {
    label_ = amount.label;
    began_ = shown_ = now;
    return;
  }
  if (now - shown_ < (terminal_.interactive ? Clock::duration(kTerminalEvery) : Clock::duration(kPlainEvery))) return;
  shown_ = now;
  const std::string text = ProgressText(amount, now - began_, terminal_);
  if (terminal_.interactive) {
    fmt::print(stderr, "\r\x1b[K{}", text);
    line_open_ = true;
  } else {
    fmt::print(stderr, "{}\n", text);
  }
  std::fflush(stderr);
}

void Progress::ShowLine(const std::string& line) {
  const auto now = Clock::now();
  if (voice_ == Voice::kQuiet || !terminal_.interactive || now - shown_ < kTerminalEvery) return;
  shown_ = now;
  fmt::print(stderr, "\r\x1b[K{}", terminal_.width > 1 ? Clip(line, terminal_.width - 1, terminal_.unicode ? "…" : "~") : line);
  std::fflush(stderr);
  line_open_ = true;
}

void Progress::Say(const std::string& line) {
  if (voice_ == Voice::kQuiet) return;
  Clear();
  fmt::print(stderr, "{}\n", line);
}

void Progress::Clear() {
  if (!line_open_) return;
  fmt::print(stderr, "\r\x1b[K");
  std::fflush(stderr);
  line_open_ = false;
}

}  // namespace nano::app
