// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The structured texts of PostgreSQL taken apart, an item at a time: arrays, rows and hstore, and the lines of COPY. Views are
/// valid until the next item. Pure; a text that is no such thing ends as broken.

#include <string>
#include <string_view>
#include <vector>

namespace nano::wire {

/// `{1,NULL,"a \"b\""}`, `[0:1]={1,2}`, `{{1,2},{3,4}}`.
class ArrayText {
 public:
  struct Item {
    enum class Kind { kNull, kText, kOpen };   ///< kOpen: an array begins; its items follow, up to the next false of Next()
    Kind kind = Kind::kNull;
    std::string_view text;
  };
  ArrayText(std::string_view text, char delimiter);
  /// False: the array that was opened last has ended, or the text is broken.
  bool Next(Item& item);
  bool broken() const { return broken_; }

 private:
  bool Break();
  std::string_view rest_;
  char delimiter_;
  std::vector<bool> first_;   ///< of each open array: whether an item is still to come first
  bool broken_ = false;
  std::string buffer_;
};

/// `(1,,"a ""b""")`.
class RowText {
 public:
  struct Item {
    bool is_null = false;
    std::string_view text;
  };
  explicit RowText(std::string_view text);
  bool Next(Item& item);
  bool broken() const { return broken_; }

 private:
  std::string_view rest_;
  bool done_ = false, broken_ = false;
  std::string buffer_;
};

/// `"a"=>"1", "b"=>NULL`.
class HstoreText {
 public:
  struct Pair {
    std::string key, value;
    bool is_null = false;
  };
  explicit HstoreText(std::string_view text) : rest_(text) {}
  bool Next(Pair& pair);
  bool broken() const { return broken_; }

 private:
  bool TakeQuoted(std::string& out);
  std::string_view rest_;
  bool first_ = true, broken_ = false;
};

/// Takes a line of COPY's text format apart, without its line end; values are unescaped inside `line`.
struct CopyValue {
  bool is_null = false;
  std::string_view text;
};
void SplitCopyLine(std::string& line, std::vector<CopyValue>& values);

}  // namespace nano::wire
