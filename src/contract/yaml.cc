// SPDX-License-Identifier: Apache-2.0
#include "contract/yaml.h"

#include <yaml-cpp/anchor.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cctype>
#include <sstream>
#include <unordered_map>

// check-layers: allow throw (a handler has no other way to stop yaml-cpp; it is caught in this file)
namespace nano::contract {
namespace {

constexpr std::size_t kMostNodes = 2'000'000;
constexpr std::size_t kMostCopies = 50'000;  ///< aliases can make a small file a large tree
constexpr int kDeepest = 100;

bool Digits(std::string_view s, std::size_t& i) {
  const std::size_t begin = i;
  while (i < s.size() && std::isdigit(static_cast<unsigned char>(s[i]))) ++i;
  return i > begin;
}

/// The core schema's type of a plain scalar.
Node::Kind Resolve(std::string_view s) {
  if (s.empty() || s == "~" || s == "null" || s == "Null" || s == "NULL") return Node::Kind::kNull;
  if (s == "true" || s == "True" || s == "TRUE" || s == "false" || s == "False" || s == "FALSE") return Node::Kind::kBoolean;
  const auto all = [&](std::size_t from, auto is) {
    if (from >= s.size()) return false;
    for (std::size_t i = from; i < s.size(); ++i)
      if (!is(static_cast<unsigned char>(s[i]))) return false;
    return true;
  };
  if (s.starts_with("0o") && all(2, [](unsigned char c) { return c >= '0' && c <= '7'; })) return Node::Kind::kInteger;
  if (s.starts_with("0x") && all(2, [](unsigned char c) { return std::isxdigit(c) != 0; })) return Node::Kind::kInteger;
  std::size_t i = s[0] == '-' || s[0] == '+' ? 1 : 0;
  const std::string_view unsigned_part = s.substr(i);
  if (unsigned_part == ".inf" || unsigned_part == ".Inf" || unsigned_part == ".INF") return Node::Kind::kFloat;
  if (s == ".nan" || s == ".NaN" || s == ".NAN") return Node::Kind::kFloat;
  const bool whole = Digits(s, i);
  if (whole && i == s.size()) return Node::Kind::kInteger;
  bool fraction = false;
  if (i < s.size() && s[i] == '.') {
    ++i;
    fraction = Digits(s, i);
  }
  if (!whole && !fraction) return Node::Kind::kText;
  if (i < s.size() && (s[i] == 'e' || s[i] == 'E')) {
    ++i;
    if (i < s.size() && (s[i] == '-' || s[i] == '+')) ++i;
    if (!Digits(s, i)) return Node::Kind::kText;
  }
  return i == s.size() ? Node::Kind::kFloat : Node::Kind::kText;
}

struct TooMuch {
  std::string message;
  YAML::Mark mark;
};

std::uint64_t Characters(std::string_view text) {
  return static_cast<std::uint64_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

/// Builds the tree from yaml-cpp's events; what it throws itself is caught in ReadYaml, beside what yaml-cpp throws.
class Builder : public YAML::EventHandler {
 public:
  Builder(const std::string& file, std::string_view text) : file_(file) {
    for (std::size_t begin = 0; begin <= text.size();) {
      const auto end = std::min(text.find('\n', begin), text.size());
      lines_.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
  }

  Node Take() { return std::move(root_); }
  const Node& root() const { return root_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node node;
    node.place = At(mark);
    Add(std::move(node), anchor, mark);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& value) override {
    Node node;
    node.place = At(mark);
    node.text = value;
    node.kind = tag == "?" || tag.empty() ? Resolve(value) : Node::Kind::kText;
    const auto line = static_cast<std::size_t>(mark.line), column = static_cast<std::size_t>(mark.column);
    if (mark.line >= 0 && mark.column >= 0 && line < lines_.size() && column < lines_[line].size()) {
      const std::string_view rest = lines_[line].substr(column);
      if (rest.starts_with(value))
        node.text_column = node.place.column;
      else if ((rest[0] == '"' || rest[0] == '\'') && rest.substr(1).starts_with(value))
        node.text_column = node.place.column + 1;
    }
    Add(std::move(node), anchor, mark);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw TooMuch{"an alias stands inside what it refers to", mark};
    Node node = found->second;
    if ((copies_ += Count(node)) > kMostCopies) throw TooMuch{"aliases make the file too large", mark};
    Add(std::move(node), 0, mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    Open(Node::Kind::kList, mark, anchor);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    Open(Node::Kind::kMap, mark, anchor);
  }
  void OnMapEnd() override { Close(); }

  /// yaml-cpp counts bytes; people count characters.
  Place At(const YAML::Mark& mark) const { return {file_, LineOf(mark), ColumnOf(mark)}; }

 private:
  struct Level {
    Node node;
    YAML::anchor_t anchor = 0;
    bool has_key = false;
    Node key;
    YAML::Mark mark;
  };

  static std::size_t Count(const Node& node) {
    std::size_t n = 1;
    for (const auto& item : node.items) n += Count(item);
    for (const auto& [key, value] : node.entries) n += Count(key) + Count(value);
    return n;
  }
  static std::uint64_t LineOf(const YAML::Mark& mark) { return mark.line < 0 ? 1 : static_cast<std::uint64_t>(mark.line) + 1; }
  std::uint64_t ColumnOf(const YAML::Mark& mark) const {
    if (mark.line < 0 || mark.column < 0) return 1;
    const auto line = static_cast<std::size_t>(mark.line), column = static_cast<std::size_t>(mark.column);
    if (line >= lines_.size() || column > lines_[line].size()) return column + 1;
    return Characters(lines_[line].substr(0, column)) + 1;
  }
  void Open(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (levels_.size() >= static_cast<std::size_t>(kDeepest)) throw TooMuch{"the file is nested too deep", mark};
    Level level;
    level.node.kind = kind;
    level.node.place = At(mark);
    level.anchor = anchor;
    level.mark = mark;
    levels_.push_back(std::move(level));
  }
  void Close() {
    Level level = std::move(levels_.back());
    levels_.pop_back();
    Add(std::move(level.node), level.anchor, level.mark);
  }
  void Add(Node node, YAML::anchor_t anchor, const YAML::Mark& mark) {
    if (++nodes_ > kMostNodes) throw TooMuch{"the file is too large", mark};
    if (anchor) {
      if ((copies_ += Count(node)) > kMostCopies) throw TooMuch{"anchors make the file too large", mark};
      anchors_[anchor] = node;
    }
    if (levels_.empty()) {
      root_ = std::move(node);
      return;
    }
    Level& level = levels_.back();
    if (level.node.kind == Node::Kind::kList) {
      level.node.items.push_back(std::move(node));
    } else if (!level.has_key) {
      level.key = std::move(node);
      level.has_key = true;
    } else {
      if (node.kind == Node::Kind::kNull && node.text.empty()) node.place = level.key.place;  // nothing is written there
      level.node.entries.push_back({std::move(level.key), std::move(node)});
      level.key = Node();
      level.has_key = false;
    }
  }

  const std::string& file_;
  std::vector<std::string_view> lines_;
  Node root_;
  std::vector<Level> levels_;
  std::unordered_map<YAML::anchor_t, Node> anchors_;
  std::size_t nodes_ = 0, copies_ = 0;
};

Place LineOfOffset(const std::string& file, std::string_view text, std::size_t offset) {
  Place place{file, 1, 1};
  for (std::size_t i = 0; i < offset && i < text.size(); ++i) {
    if (text[i] == '\n')
      ++place.at, place.column = 1;
    else if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80)
      ++place.column;
  }
  return place;
}

/// The deepest that brackets and dashes could nest the text: a guard before a recursive parser sees it.
bool MayBeTooDeep(std::string_view text, std::size_t& at) {
  std::size_t open = 0, dashes = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '[' || c == '{')
      ++open;
    else if ((c == ']' || c == '}') && open > 0)
      --open;
    if (c == '\n')
      dashes = 0;
    else if ((c == '-' || c == '?') && i + 1 < text.size() && (text[i + 1] == ' ' || text[i + 1] == '\t'))
      ++dashes;
    if (open > 4 * static_cast<std::size_t>(kDeepest) || dashes > 4 * static_cast<std::size_t>(kDeepest)) {
      at = i;
      return true;
    }
  }
  return false;
}

void AppendJsonText(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += c;
    }
  }
  out += '"';
}

/// A YAML number as JSON writes it: no plus, no bare point, no hexadecimal; text where JSON has none (.inf).
void AppendJsonNumber(const Node& node, std::string& out) {
  std::string_view s = node.text;
  if (s.starts_with("0o") || s.starts_with("0x")) {
    unsigned __int128 value = 0;
    const unsigned base = s[1] == 'o' ? 8 : 16;
    for (const char c : s.substr(2)) {
      const auto digit = static_cast<unsigned>(
          std::isdigit(static_cast<unsigned char>(c)) ? c - '0' : std::tolower(static_cast<unsigned char>(c)) - 'a' + 10);
      value = value * base + digit;
    }
    std::string digits;
    do digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(value % 10))), value /= 10;
    while (value);
    out += digits;
    return;
  }
  const bool negative = s[0] == '-';
  if (s[0] == '-' || s[0] == '+') s.remove_prefix(1);
  if (s.size() > 1 && s[0] == '.' && !std::isdigit(static_cast<unsigned char>(s[1]))) return AppendJsonText(node.text, out);
  while (s.size() > 1 && s[0] == '0' && std::isdigit(static_cast<unsigned char>(s[1]))) s.remove_prefix(1);
  std::string number = negative ? "-" : "";
  if (s[0] == '.') number += '0';
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] == '.' && (i + 1 >= s.size() || !std::isdigit(static_cast<unsigned char>(s[i + 1])))) continue;  // "1."
    number += s[i];
  }
  out += number;
}

void AppendJson(const Node& node, std::string& out) {
  switch (node.kind) {
    case Node::Kind::kNull: out += "null"; break;
    case Node::Kind::kBoolean: out += node.text[0] == 't' || node.text[0] == 'T' ? "true" : "false"; break;
    case Node::Kind::kInteger:
    case Node::Kind::kFloat:
      if (node.text == ".nan" || node.text == ".NaN" || node.text == ".NAN")
        AppendJsonText(node.text, out);
      else
        AppendJsonNumber(node, out);
      break;
    case Node::Kind::kText: AppendJsonText(node.text, out); break;
    case Node::Kind::kList:
      out += '[';
      for (std::size_t i = 0; i < node.items.size(); ++i) {
        if (i) out += ',';
        AppendJson(node.items[i], out);
      }
      out += ']';
      break;
    case Node::Kind::kMap:
      out += '{';
      for (std::size_t i = 0; i < node.entries.size(); ++i) {
        if (i) out += ',';
        AppendJsonText(node.entries[i].key.text, out);
        out += ':';
        AppendJson(node.entries[i].value, out);
      }
      out += '}';
      break;
  }
}

}  // namespace

const Node* Node::Get(std::string_view key) const {
  for (const auto& [name, value] : entries)
    if (name.scalar() && name.text == key) return &value;
  return nullptr;
}

const Node* Node::KeyNode(std::string_view key) const {
  for (const auto& [name, value] : entries)
    if (name.scalar() && name.text == key) return &name;
  return nullptr;
}

std::string_view KindName(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::kNull: return "nothing";
    case Node::Kind::kBoolean: return "true or false";
    case Node::Kind::kInteger: return "a whole number";
    case Node::Kind::kFloat: return "a number";
    case Node::Kind::kText: return "text";
    case Node::Kind::kList: return "a list";
    case Node::Kind::kMap: return "a mapping";
  }
  return "nothing";
}

bool IsUtf8(std::string_view text, std::size_t& at) {
  std::size_t i = 0;
  const auto byte = [&](std::size_t n) { return n < text.size() ? static_cast<unsigned char>(text[n]) : 0U; };
  while (i < text.size()) {
    const unsigned c = byte(i);
    std::size_t more = 0;
    unsigned low = 0x80, high = 0xBF;
    if (c < 0x80)
      more = 0;
    else if (c >= 0xC2 && c <= 0xDF)
      more = 1;
    else if (c >= 0xE0 && c <= 0xEF)
      more = 2, low = c == 0xE0 ? 0xA0 : 0x80, high = c == 0xED ? 0x9F : 0xBF;
    else if (c >= 0xF0 && c <= 0xF4)
      more = 3, low = c == 0xF0 ? 0x90 : 0x80, high = c == 0xF4 ? 0x8F : 0xBF;
    else {
      at = i;
      return false;
    }
    for (std::size_t n = 1; n <= more; ++n) {
      const unsigned next = byte(i + n);
      if (i + n >= text.size() || next < low || next > high) {
        at = i;
        return false;
      }
      low = 0x80, high = 0xBF;
    }
    i += more + 1;
  }
  return true;
}

Node ReadYaml(const std::string& file, std::string_view text, Findings& findings) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const auto add = [&](std::string code, std::string message, std::string hint, const Place& place) {
    findings.push_back({Severity::kError, std::move(code), std::move(message), std::move(hint), place, place});
  };
  std::size_t at = 0;
  if (!IsUtf8(text, at)) {
    add("not-utf8", "the file is not UTF-8", "Save the file as UTF-8.", LineOfOffset(file, text, at));
    return {};
  }
  at = text.find('\0');
  if (at != std::string_view::npos) {
    add("not-yaml", "the file holds a zero byte", "Save the file as plain UTF-8 text.", LineOfOffset(file, text, at));
    return {};
  }
  if (MayBeTooDeep(text, at)) {
    add("not-yaml", "the file is nested too deep", "", LineOfOffset(file, text, at));
    return {};
  }
  Builder builder(file, text);
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    if (!parser.HandleNextDocument(builder)) return {};
    Node first = builder.Take();
    Builder rest(file, text);
    if (parser.HandleNextDocument(rest) && rest.root().kind != Node::Kind::kNull)
      add("not-yaml", "the file holds a second document", "Give each document a file of its own.", rest.root().place);
    return first;
  } catch (const TooMuch& e) {
    add("not-yaml", e.message, "", builder.At(e.mark));
  } catch (const YAML::Exception& e) {
    add("not-yaml", fmt::format("this is no YAML: {}", e.msg),
        "Check indentation, quotes and brackets here and in the line before.", builder.At(e.mark));
  } catch (const std::exception& e) {
    add("not-yaml", fmt::format("this is no YAML: {}", e.what()), "", Place{file, 1, 1});
  }
  return {};
}

std::string ToJson(const Node& node) {
  std::string out;
  AppendJson(node, out);
  return out;
}

Place EndOf(const Node& node) {
  Place end = node.place;
  if (node.text_column) end.column = node.text_column + Characters(node.text);
  return end;
}

}  // namespace nano::contract
