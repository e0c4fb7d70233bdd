// SPDX-License-Identifier: Apache-2.0
#include "journal/dictionary.h"

#include "journal/format.h"

namespace nano::journal {

DictionaryBuilder::DictionaryBuilder() : DictionaryBuilder(std::make_shared<const Dictionary>()) {}

DictionaryBuilder::DictionaryBuilder(DictionaryPtr entries) : entries_(std::move(entries)) {
  for (const auto& name : entries_->streams) {
    streams_.emplace(*name, static_cast<std::uint32_t>(streams_.size()));
    bytes_ += name->size();
  }
  for (const auto& text : entries_->schemas) {
    schemas_.emplace(*text, static_cast<std::uint32_t>(schemas_.size()));
    bytes_ += text->size();
  }
}

std::uint32_t DictionaryBuilder::Find(Kind kind, std::string_view text) const {
  const Numbers& numbers = kind == Kind::kStream ? streams_ : schemas_;
  const auto found = numbers.find(text);
  return found == numbers.end() ? kNone : found->second;
}

std::uint32_t DictionaryBuilder::Add(Kind kind, std::string_view text) {
  Numbers& numbers = kind == Kind::kStream ? streams_ : schemas_;
  const std::size_t longest = kind == Kind::kStream ? kMaxStreamName : kMaxSchemaText;
  if (text.size() > longest || numbers.size() >= kMaxDictionaryEntries || bytes_ + text.size() > kMaxDictionaryBytes) return kNone;
  auto grown = std::make_shared<Dictionary>(*entries_);
  auto& list = kind == Kind::kStream ? grown->streams : grown->schemas;
  list.push_back(std::make_shared<const std::string>(text));
  const auto number = static_cast<std::uint32_t>(numbers.size());
  numbers.emplace(*list.back(), number);
  bytes_ += text.size();
  entries_ = std::move(grown);
  return number;
}

}  // namespace nano::journal
