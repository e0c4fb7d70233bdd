// SPDX-License-Identifier: Apache-2.0
#include "contract/shape.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace nano::contract {
namespace {

using Form = Shape::Form;
using Kind = Node::Kind;

bool FormTakes(const Shape& shape, Kind kind) {
  switch (shape.form) {
    case Form::kText:
    case Form::kWords: return kind == Kind::kText;
    case Form::kInteger: return kind == Kind::kInteger;
    case Form::kNumber: return kind == Kind::kInteger || kind == Kind::kFloat;
    case Form::kBoolean: return kind == Kind::kBoolean;
    case Form::kScalar: return kind != Kind::kNull && kind < Kind::kList;
    case Form::kList: return kind == Kind::kList;
    case Form::kMap:
    case Form::kObject: return kind == Kind::kMap;
    case Form::kAny: return true;
    case Form::kEither:
      return std::any_of(shape.parts.begin(), shape.parts.end(), [&](const Shape& part) { return FormTakes(part, kind); });
  }
  return false;
}

std::string FormName(const Shape& shape) {
  switch (shape.form) {
    case Form::kText: return shape.format == Format::kAny ? "text" : std::string(RuleOf(shape.format).says);
    case Form::kWords: {
      std::string out = shape.words.size() > 1 ? "one of " : "";
      for (std::size_t i = 0; i < shape.words.size(); ++i) out += (i ? ", " : "") + std::string(shape.words[i].text);
      return out;
    }
    case Form::kInteger: return "a whole number";
    case Form::kNumber: return "a number";
    case Form::kBoolean: return "true or false";
    case Form::kScalar: return "one value";
    case Form::kList: return "a list";
    case Form::kMap:
    case Form::kObject: return "a mapping";
    case Form::kAny: return "anything";
    case Form::kEither: {
      std::string out;
      for (std::size_t i = 0; i < shape.parts.size(); ++i) out += (i ? ", or " : "") + FormName(shape.parts[i]);
      return out;
    }
  }
  return "anything";
}

class Checker {
 public:
  Checker(Findings& findings, std::vector<NotYet>& not_yet) : findings_(findings), not_yet_(not_yet) {}

  void CheckObject(const Node& node, const Object& object, bool is_top, bool is_refused) {
    std::set<std::string> seen;
    for (const auto& [name, value] : node.entries) {
      if (!name.scalar() || name.kind == Kind::kNull) {
        Add("wrong-type", "a key must be text, not " + std::string(KindName(name.kind)), "", name);
        continue;
      }
      if (!seen.insert(name.text).second) {
        Add("duplicate-key", fmt::format("key \"{}\" stands twice", name.text), "Keep one of them.", name);
        continue;
      }
      const Key* const key = name.kind == Kind::kText ? object.key(name.text) : nullptr;
      if (!key) {
        Unknown(name, value, object, is_top);
        continue;
      }
      bool refused = is_refused;
      if (key->support == Support::kLater && !refused) {
        refused = true;
        not_yet_.push_back({is_top ? name.text : fmt::format("{}: {}", object.name, name.text), name.place});
      }
      Check(value, key->shape, name.text, refused);
    }
    if (is_top) return;
    for (const auto& key : object.keys)
      if (key.required && !seen.contains(std::string(key.name)))
        Add("missing-key", fmt::format("{} has no \"{}\"", object.name, key.name),
            fmt::format("Add it, such as `{}: {}`.", key.name, key.example), node);
    if (!object.one_of.empty()) {
      std::vector<std::string> present, known;
      for (const auto name : object.one_of) {
        known.push_back(fmt::format("`{}`", name));
        if (seen.contains(std::string(name))) present.push_back(fmt::format("\"{}\"", name));
      }
      if (present.empty())
        Add("one-of", fmt::format("{} has none of {}", object.name, fmt::join(known, ", ")),
            known.size() == 1 ? fmt::format("Add {}.", known[0]) : "Add one of them.", node);
      else if (present.size() > 1)
        Add("one-of", fmt::format("{} has {}", object.name, fmt::join(present, " and ")), "Keep one of them.", node);
    }
  }

  void Check(const Node& node, const Shape& shape, const std::string& name, bool refused) {
    if (!FormTakes(shape, node.kind)) {
      std::string hint;
      const bool wants_text = FormTakes(shape, Kind::kText);
      if (node.kind == Kind::kNull)
        hint = "Give it a value, or remove the key.";
      else if (wants_text && node.scalar())
        hint = fmt::format("Put it in quotes: \"{}\".", node.text);
      else if (shape.form == Form::kList && node.kind != Kind::kMap)
        hint = fmt::format("Write [{}].", node.text);
      else if (shape.form == Form::kBoolean && node.is_text())
        hint = "Write true or false.";
      Add("wrong-type", fmt::format("\"{}\" must be {}, not {}", name, FormName(shape), KindName(node.kind)), std::move(hint),
          node);
      return;
    }
    switch (shape.form) {
      case Form::kText: CheckText(node, shape, name); return;
      case Form::kWords: CheckWord(node, shape, name, refused); return;
      case Form::kInteger: CheckInteger(node, shape, name); return;
      case Form::kList:
        if (shape.not_empty && node.items.empty())
          Add("bad-value", fmt::format("\"{}\" is an empty list", name), "Remove the key, or give it a value.", node);
        for (const auto& item : node.items) Check(item, shape.parts[0], name, refused);
        return;
      case Form::kMap: {
        std::set<std::string> seen;
        for (const auto& [key, value] : node.entries) {
          if (!key.scalar() || key.kind == Kind::kNull) {
            Add("wrong-type", "a key must be text, not " + std::string(KindName(key.kind)), "", key);
            continue;
          }
          if (!seen.insert(key.text).second)
            Add("duplicate-key", fmt::format("key \"{}\" stands twice", key.text), "Keep one of them.", key);
          if (!Matches(shape.format, key.text))
            Add("bad-value", fmt::format("a key of \"{}\" must be {}", name, RuleOf(shape.format).says), "", key);
          if (shape.parts[0].form == Form::kAny)
            CheckAny(value);
          else
            Check(value, shape.parts[0], key.text, refused);
        }
        return;
      }
      case Form::kObject: CheckObject(node, *shape.object, false, refused); return;
      case Form::kEither: {
        const Shape* const part = PartFor(shape, node);
        if (part->form == Form::kText || part->form == Form::kWords) {
          // several scalar forms: one of them must do
          for (const auto& candidate : shape.parts)
            if (candidate.form == Form::kText && FormTakes(candidate, node.kind) && Matches(candidate.format, node.text))
              return CheckText(node, candidate, name);
        }
        Check(node, *part, name, refused);
        return;
      }
      case Form::kNumber:
      case Form::kBoolean:
      case Form::kScalar: return;
      case Form::kAny: CheckAny(node); return;
    }
  }

 private:
  void Add(std::string code, std::string message, std::string hint, const Node& at) {
    findings_.push_back({Severity::kError, std::move(code), std::move(message), std::move(hint), at.place, EndOf(at)});
  }

  void Unknown(const Node& name, const Node& value, const Object& object, bool is_top) {
    if (is_top && name.text == "<<") {
      Add("unknown-key", "merge keys are not read", "Write the keys out.", name);
      return;
    }
    (void)value;
    std::vector<std::string> known;
    for (const auto& key : object.keys) {
      known.emplace_back(key.name);
      for (const auto mistaken : key.mistaken)
        if (mistaken == name.text) {
          Add("unknown-key", fmt::format("{} has no key \"{}\"", object.name, name.text),
              fmt::format("Write `{}: {}`.", key.name, key.example), name);
          return;
        }
    }
    std::string hint;
    if (const std::string nearest = Nearest(name.text, known); !nearest.empty()) {
      hint = fmt::format("Did you mean `{}`?", nearest);
    } else {
      for (auto& word : known) word = "`" + word + "`";
      hint = fmt::format("It takes {}.", fmt::join(known, ", "));
    }
    Add("unknown-key", fmt::format("{} has no key \"{}\"", object.name, name.text), std::move(hint), name);
  }

  void CheckText(const Node& node, const Shape& shape, const std::string& name) {
    const bool has_reference = node.text.find("${") != std::string::npos;
    if (!Matches(shape.format, node.text)) {
      if (has_reference && shape.format == Format::kPath)
        Add("bad-value", fmt::format("\"{}\" takes no reference `${{…}}`", name), "Write the path itself.", node);
      else
        Add("bad-value", fmt::format("\"{}\" must be {}", name, RuleOf(shape.format).says), "", node);
    }
  }

  void CheckWord(const Node& node, const Shape& shape, const std::string& name, bool refused) {
    std::vector<std::string> known;
    for (const auto& word : shape.words) {
      if (word.text == node.text) {
        if (word.support == Support::kLater && !refused) not_yet_.push_back({fmt::format("{}: {}", name, node.text), node.place});
        return;
      }
      known.emplace_back(word.text);
    }
    const std::string nearest = Nearest(node.text, known);
    Add("bad-value", fmt::format("\"{}\" must be {}, not \"{}\"", name, FormName(shape), node.text),
        nearest.empty() ? "" : fmt::format("Did you mean `{}`?", nearest), node);
  }

  void CheckInteger(const Node& node, const Shape& shape, const std::string& name) {
    std::string_view digits = node.text;
    int base = 10;
    if (digits.starts_with("0x") || digits.starts_with("0o")) base = digits[1] == 'x' ? 16 : 8, digits.remove_prefix(2);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    if (error == std::errc() && end == digits.data() + digits.size() && value >= shape.least && value <= shape.most) return;
    if (shape.least == shape.most)
      Add("bad-value", fmt::format("\"{}\" must be {}", name, shape.least), "This release reads that version of the language.",
          node);
    else if (shape.most == INT64_MAX)
      Add("bad-value", fmt::format("\"{}\" must be a whole number from {}", name, shape.least), "", node);
    else
      Add("bad-value", fmt::format("\"{}\" must be a whole number from {} to {}", name, shape.least, shape.most), "", node);
  }

  /// What is inside a free mapping may be anything, but a key may not stand twice.
  void CheckAny(const Node& node) {
    std::set<std::string> seen;
    for (const auto& item : node.items) CheckAny(item);
    for (const auto& [key, value] : node.entries) {
      if (!key.scalar() || key.kind == Kind::kNull)
        Add("wrong-type", "a key must be text, not " + std::string(KindName(key.kind)), "", key);
      else if (!seen.insert(key.text).second)
        Add("duplicate-key", fmt::format("key \"{}\" stands twice", key.text), "Keep one of them.", key);
      CheckAny(value);
    }
  }

  Findings& findings_;
  std::vector<NotYet>& not_yet_;
};

}  // namespace

const Shape* PartFor(const Shape& shape, const Node& node) {
  if (shape.form != Form::kEither) return &shape;
  for (const auto& part : shape.parts)
    if (FormTakes(part, node.kind)) return PartFor(part, node);
  return &shape;
}

void CheckShape(const Node& node, const Object& object, Findings& findings, std::vector<NotYet>& not_yet) {
  Checker(findings, not_yet).CheckObject(node, object, true, false);
}

}  // namespace nano::contract
