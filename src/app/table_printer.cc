// SPDX-License-Identifier: Apache-2.0
// Widths come from the first rows; where all rows are shown, later rows widen a column when they must.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "app/display_text.h"
#include "app/row_writer.h"

namespace nano::app {
namespace {

constexpr std::size_t kSampleRows = 1000, kSampleBytes = 4 << 20, kTerminalRows = 100;
constexpr std::size_t kNarrowest = 6;             // of a text column that gives way
constexpr std::size_t kDropped = static_cast<std::size_t>(-1);   // the "…" that stands for columns without room

class TablePrinter final : public RowWriter {
 public:
  TablePrinter(Output& output, const TableOptions& options)
      : output_(output), terminal_(options.terminal), footer_(options.footer),
        max_rows_(options.max_rows.value_or(options.terminal.interactive ? kTerminalRows : 0)) {}

  Status Begin(const std::vector<ResultColumn>& columns) override {
    for (const auto& column : columns) {
      names_.push_back(Printable(column.name));
      widths_.push_back(DisplayWidth(names_.back()));
      const ValueShape shape = ShapeOf(column.type);
      right_.push_back(shape == ValueShape::kNumber || shape == ValueShape::kFloat);
    }
    return {};
  }

  Status Row(ResultRow row) override {
    ++count_;
    if (max_rows_ > 0 && count_ > max_rows_) return {};
    Cells cells;
    cells.reserve(row.size());
    for (std::size_t i = 0; i < row.size(); ++i) {
      cells.push_back(row[i] ? std::optional(Printable(*row[i])) : std::nullopt);
      const std::size_t width = DisplayWidth(cells.back() ? *cells.back() : null());
      if (!head_done_ || terminal_.width == 0) widths_[i] = std::max(widths_[i], width);
      sample_bytes_ += cells.back() ? cells.back()->size() : 0;
    }
    if (head_done_) return Line(cells);
    sample_.push_back(std::move(cells));
    return sample_.size() >= kSampleRows || sample_bytes_ >= kSampleBytes ? Head() : Status{};
  }

  Status End() override {
    if (!head_done_) TRY(Head());
    if (!footer_) return {};
    if (max_rows_ > 0 && count_ > max_rows_)
      TRY(output_.Write(terminal_.Dim(fmt::format("{} {} more rows (--max-rows 0 shows all)", ellipsis(), count_ - max_rows_)) + "\n"));
    std::string footer = fmt::format("({} row{}", count_, count_ == 1 ? "" : "s");
    if (hidden_ > 0) footer += fmt::format(", {} of {} columns shown", names_.size() - hidden_, names_.size());
    return output_.Write(terminal_.Dim(footer + ")") + "\n");
  }

 private:
  using Cells = std::vector<std::optional<std::string>>;

  std::string_view null() const { return terminal_.unicode ? "∅" : "NULL"; }
  std::string_view ellipsis() const { return terminal_.unicode ? "…" : "..."; }
  std::string_view cut_mark() const { return terminal_.unicode ? "…" : "~"; }

  /// Decides which columns are shown and how wide, prints the head and the rows kept so far.
  Status Head() {
    head_done_ = true;
    Fit();
    std::string head, rule;
    const std::string_view bar = terminal_.unicode ? "│" : "|", dash = terminal_.unicode ? "─" : "-", cross = terminal_.unicode ? "┼" : "+";
    for (std::size_t s = 0; s < shown_.size(); ++s) {
      if (s > 0) head += bar, rule += cross;
      const std::size_t width = shown_[s] == kDropped ? DisplayWidth(ellipsis()) : widths_[shown_[s]];
      const std::string name = shown_[s] == kDropped ? std::string(ellipsis()) : Clip(names_[shown_[s]], width, cut_mark());
      head += " " + Padded(terminal_.Bold(name), DisplayWidth(name), width, shown_[s] != kDropped && right_[shown_[s]]) + " ";
      for (std::size_t i = 0; i < width + 2; ++i) rule += dash;
    }
    TRY(output_.Write(Trimmed(head) + "\n" + rule + "\n"));
    for (const Cells& cells : sample_) TRY(Line(cells));
    sample_.clear();
    return {};
  }

  /// Text columns give way first; what still has no room is left out from the middle.
  void Fit() {
    shown_.resize(names_.size());
    std::iota(shown_.begin(), shown_.end(), std::size_t{0});
    if (terminal_.width == 0 || names_.empty()) return;
    const auto lowest = [&](std::size_t s) {
      if (s == kDropped) return DisplayWidth(ellipsis());
      return right_[s] ? widths_[s] : std::min(widths_[s], kNarrowest);
    };
    const auto needed = [&] {
      std::size_t sum = shown_.size() * 3 - 1;
      for (const std::size_t s : shown_) sum += lowest(s);
      return sum;
    };
    while (needed() > terminal_.width && names_.size() - hidden_ > 1) {
      const auto dots = std::find(shown_.begin(), shown_.end(), kDropped);
      if (dots == shown_.end()) {
        shown_[shown_.size() / 2] = kDropped;
      } else {
        const auto before = dots - shown_.begin(), after = shown_.end() - dots - 1;
        shown_.erase(after >= before ? dots + 1 : dots - 1);
      }
      ++hidden_;
    }
    std::size_t room = terminal_.width > shown_.size() * 3 - 1 ? terminal_.width - (shown_.size() * 3 - 1) : 1;
    std::vector<std::size_t> flexible;
    for (const std::size_t s : shown_) {
      if (s != kDropped && (!right_[s] || shown_.size() == 1)) flexible.push_back(s);
      else room -= std::min(room, lowest(s));
    }
    std::sort(flexible.begin(), flexible.end(), [&](std::size_t a, std::size_t b) { return widths_[a] < widths_[b]; });
    for (std::size_t i = 0; i < flexible.size(); ++i) {
      const std::size_t share = std::max<std::size_t>(room / (flexible.size() - i), 1);
      widths_[flexible[i]] = std::min(widths_[flexible[i]], share);
      room -= std::min(room, widths_[flexible[i]]);
    }
  }

  Status Line(const Cells& cells) {
    line_.clear();
    for (std::size_t s = 0; s < shown_.size(); ++s) {
      if (s > 0) line_ += terminal_.unicode ? "│" : "|";
      line_ += ' ';
      if (shown_[s] == kDropped) {
        line_ += ellipsis();
      } else {
        const std::size_t c = shown_[s];
        const std::string text = Clip(cells[c] ? *cells[c] : null(), widths_[c], cut_mark());
        line_ += Padded(cells[c] ? text : terminal_.Dim(text), DisplayWidth(text), widths_[c], right_[c]);
      }
      line_ += ' ';
    }
    return output_.Write(Trimmed(line_) + "\n");
  }

  static std::string Padded(const std::string& text, std::size_t columns, std::size_t width, bool right) {
    const std::string pad(width > columns ? width - columns : 0, ' ');
    return right ? pad + text : text + pad;
  }
  static std::string Trimmed(std::string_view text) {
    while (text.ends_with(' ')) text.remove_suffix(1);
    return std::string(text);
  }

  Output& output_;
  Terminal terminal_;
  bool footer_;
  std::size_t max_rows_;
  std::vector<std::string> names_;
  std::vector<std::size_t> widths_;
  std::vector<bool> right_;
  std::vector<std::size_t> shown_;
  std::vector<Cells> sample_;
  std::string line_;
  std::size_t sample_bytes_ = 0, count_ = 0, hidden_ = 0;
  bool head_done_ = false;
};

}  // namespace

std::unique_ptr<RowWriter> MakeTablePrinter(Output& output, const TableOptions& options) {
  return std::make_unique<TablePrinter>(output, options);
}

}  // namespace nano::app
