// SPDX-License-Identifier: Apache-2.0
#include "app/statement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace nano::app {
namespace {

bool IsWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || static_cast<unsigned char>(c) >= 0x80; }

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  Result<Statement> Read() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (std::isspace(static_cast<unsigned char>(c))) {
        Copy(1);
      } else if (Starts("--")) {
        Copy(std::min(text_.find('\n', at_), text_.size()) - at_);
      } else if (Starts("/*")) {
        TRY(Comment());
      } else if (c == ';') {
        if (!first_word_.empty() || any_token_) ended_ = true;
        ++at_;
      } else {
        if (ended_) return Several();
        TRY(Token(c));
      }
    }
    return Finish();
  }

 private:
  bool Starts(std::string_view part) const { return text_.substr(at_).starts_with(part); }
  void Copy(std::size_t count) {
    if (!ended_) out_.sql += text_.substr(at_, count);
    at_ += count;
  }
  static tl::unexpected<Error> Several() {
    return WithHint(Fail(Code::kInvalid, "query takes one statement, and there are several"), "Run them one at a time.");
  }
  static Status Unfinished(const char* what) { return Fail(Code::kInvalid, "the statement ends inside {}", what); }

  /// Comments nest, as in PostgreSQL.
  Status Comment() {
    std::size_t end = at_ + 2;
    for (int depth = 1; depth > 0;) {
      const std::size_t mark = text_.find_first_of("*/", end);
      if (mark == std::string_view::npos || mark + 1 >= text_.size()) return Unfinished("a comment");
      if (text_.substr(mark, 2) == "*/") --depth, end = mark + 2;
      else if (text_.substr(mark, 2) == "/*") ++depth, end = mark + 2;
      else end = mark + 1;
    }
    Copy(end - at_);
    return {};
  }

  Status Token(char c) {
    any_token_ = true;
    if (c == '\'') return Quoted('\'', escapes_next_);
    escapes_next_ = false;
    if (c == '"') return Quoted('"', false);
    if (c == '$') return Dollar();
    if (IsWord(c)) {
      std::size_t end = at_;
      while (end < text_.size() && (IsWord(text_[end]) || text_[end] == '$')) ++end;
      const std::string_view word = text_.substr(at_, end - at_);
      if (first_word_.empty())
        std::transform(word.begin(), word.end(), std::back_inserter(first_word_),
                       [](unsigned char letter) { return static_cast<char>(std::toupper(letter)); });
      escapes_next_ = (word == "e" || word == "E") && end < text_.size() && text_[end] == '\'';
      Copy(end - at_);
      return {};
    }
    Copy(1);
    return {};
  }

  Status Quoted(char quote, bool escapes) {
    std::size_t end = at_ + 1;
    for (;; ++end) {
      if (end >= text_.size()) return Unfinished(quote == '"' ? "a quoted name" : "a text in quotes");
      if (escapes && text_[end] == '\\') ++end;
      else if (text_[end] == quote) break;
    }
    escapes_next_ = false;
    Copy(end + 1 - at_);   // a doubled quote is read as two texts side by side: the same to us
    if (escapes && at_ < text_.size() && text_[at_] == quote) escapes_next_ = true;
    return {};
  }

  /// `$name`, `$1`, or a text in `$tag$ … $tag$`.
  Status Dollar() {
    std::size_t end = at_ + 1;
    while (end < text_.size() && IsWord(text_[end])) ++end;
    if (end < text_.size() && text_[end] == '$' && !(end > at_ + 1 && std::isdigit(static_cast<unsigned char>(text_[at_ + 1])))) {
      const std::string_view tag = text_.substr(at_, end + 1 - at_);
      const std::size_t close = text_.find(tag, end + 1);
      if (close == std::string_view::npos) return Unfinished("a text in dollar quotes");
      Copy(close + tag.size() - at_);
      return {};
    }
    if (end == at_ + 1) {
      Copy(1);
      return {};
    }
    const std::string name(text_.substr(at_ + 1, end - at_ - 1));
    auto found = std::find(out_.parameters.begin(), out_.parameters.end(), name);
    if (found == out_.parameters.end()) found = out_.parameters.insert(found, name);
    out_.sql += fmt::format("${}", found - out_.parameters.begin() + 1);
    at_ = end;
    return {};
  }

  Result<Statement> Finish() {
    if (!any_token_) return Fail(Code::kInvalid, "there is no statement to run");
    while (!out_.sql.empty() && std::isspace(static_cast<unsigned char>(out_.sql.back()))) out_.sql.pop_back();
    if (first_word_ == "EXPLAIN") {
      out_.explains = true;
    } else if (first_word_ == "DESCRIBE" || first_word_ == "DESC" || first_word_ == "SHOW" || first_word_ == "SUMMARIZE") {
      out_.describes = true;
    } else {
      constexpr std::string_view reading[] = {"SELECT", "WITH", "FROM", "VALUES", "TABLE", "PIVOT", "UNPIVOT"};
      if (std::find(std::begin(reading), std::end(reading), first_word_) == std::end(reading))
        return WithHint(Fail(Code::kInvalid, "query only reads, and this statement begins with \"{}\"", first_word_),
                        "Begin with SELECT, WITH, FROM, VALUES, DESCRIBE, SUMMARIZE, SHOW or EXPLAIN.");
    }
    return std::move(out_);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Statement out_;
  std::string first_word_;
  bool any_token_ = false, ended_ = false, escapes_next_ = false;
};

}  // namespace

Result<Statement> ReadStatement(std::string_view text) { return Scanner(text).Read(); }

std::string ForPerson(std::string message, int first_line) {
  const std::size_t at = message.rfind("\nLINE ");
  if (at == std::string::npos) return message;
  const std::size_t digits = at + 6;
  const std::size_t colon = message.find(": ", digits);
  int line = 0;
  if (colon == std::string::npos || std::from_chars(message.data() + digits, message.data() + colon, line).ptr != message.data() + colon)
    return message;
  const std::string number = std::to_string(std::max(line - first_line + 1, 1));
  const std::size_t narrower = (colon - digits) - number.size();
  message.replace(digits, colon - digits, number);
  const std::size_t caret_line = message.find('\n', digits);
  if (caret_line != std::string::npos && message.compare(caret_line + 1, narrower, std::string(narrower, ' ')) == 0)
    message.erase(caret_line + 1, narrower);
  return message;
}

}  // namespace nano::app
