// SPDX-License-Identifier: Apache-2.0
#include "app/row_writer.h"

namespace nano::app {
namespace {

class CsvWriter final : public RowWriter {
 public:
  explicit CsvWriter(Output& output) : output_(output) {}

  Status Begin(const std::vector<ResultColumn>& columns) override {
    std::vector<std::optional<std::string_view>> names;
    for (const auto& column : columns) names.emplace_back(column.name);
    return Row(names);
  }

  Status Row(ResultRow row) override {
    line_.clear();
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) line_ += ',';
      if (row[i]) Field(*row[i]);
    }
    line_ += '\n';
    return output_.Write(line_);
  }

  Status End() override { return {}; }

 private:
  void Field(std::string_view text) {
    const bool plain = !text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos && text.front() != ' ' && text.back() != ' ';
    if (plain) {
      line_ += text;
      return;
    }
    line_ += '"';
    for (const char c : text) {
      if (c == '"') line_ += '"';
      line_ += c;
    }
    line_ += '"';
  }

  Output& output_;
  std::string line_;
};

}  // namespace

std::unique_ptr<RowWriter> MakeCsvWriter(Output& output) { return std::make_unique<CsvWriter>(output); }

}  // namespace nano::app
