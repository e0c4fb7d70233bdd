// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "contract/keys.h"
#include "contract/published.h"
#include "contract/type_table.h"

namespace nano::contract {
namespace {

using Json = nlohmann::ordered_json;
using Form = Shape::Form;

Json ShapeSchema(const Shape& shape);

Json Formatted(Format format) {
  Json out = {{"type", "string"}};
  const auto& rule = RuleOf(format);
  if (rule.pattern.empty()) return out;
  out["pattern"] = rule.pattern;
  if (format != Format::kSql && format != Format::kDataType) out["maxLength"] = kLongestFormatted;
  if (format == Format::kDataType) {
    out["examples"] = Json::array();
    for (const auto& type : TypeTable()) out["examples"].push_back(type.name);
  }
  return out;
}

Json ShapeSchema(const Shape& shape) {
  switch (shape.form) {
    case Form::kText: return Formatted(shape.format);
    case Form::kInteger: {
      Json out = {{"type", "integer"}, {"minimum", shape.least}};
      if (shape.most != INT64_MAX) out["maximum"] = shape.most;
      return out;
    }
    case Form::kNumber: return {{"type", "number"}};
    case Form::kBoolean: return {{"type", "boolean"}};
    case Form::kScalar: return {{"type", {"string", "number", "boolean"}}};
    case Form::kWords: {
      Json out = {{"enum", Json::array()}};
      for (const auto& word : shape.words) out["enum"].push_back(word.text);
      return out;
    }
    case Form::kList: {
      Json out = {{"type", "array"}, {"items", ShapeSchema(shape.parts[0])}};
      if (shape.not_empty) out["minItems"] = 1;
      return out;
    }
    case Form::kMap: {
      Json out = {{"type", "object"}};
      if (const auto& rule = RuleOf(shape.format); !rule.pattern.empty())
        out["propertyNames"] = {{"pattern", rule.pattern}, {"maxLength", kLongestFormatted}};
      if (shape.parts[0].form != Form::kAny) out["additionalProperties"] = ShapeSchema(shape.parts[0]);
      return out;
    }
    case Form::kObject: return {{"$ref", "#/definitions/" + std::string(shape.object->name)}};
    case Form::kEither: {
      Json out = {{"anyOf", Json::array()}};
      for (const auto& part : shape.parts) out["anyOf"].push_back(ShapeSchema(part));
      return out;
    }
    case Form::kAny: return Json::object();
  }
  return Json::object();
}

std::string Description(const Key& key) {
  std::string out(key.doc);
  if (!key.fallback.empty()) out += fmt::format(" Default: {}.", key.fallback);
  if (key.support == Support::kLater) out += " Not supported yet.";
  const auto words = [&](const Shape& shape) {
    for (const auto& word : shape.words)
      if (!word.doc.empty()) out += fmt::format("\n{}: {}", word.text, word.doc);
  };
  words(key.shape);
  for (const auto& part : key.shape.parts) words(part);
  return out;
}

Json ObjectSchema(const Object& object) {
  Json properties = Json::object(), required = Json::array();
  for (const auto& key : object.keys) {
    Json schema = ShapeSchema(key.shape);
    if (schema.contains("$ref")) schema = {{"allOf", Json::array({schema})}};  // draft 7 ignores what stands beside a $ref
    schema["description"] = Description(key);
    properties[std::string(key.name)] = std::move(schema);
    if (key.required) required.push_back(key.name);
  }
  Json out = {{"type", "object"}, {"description", object.doc}, {"properties", std::move(properties)}};
  if (!required.empty()) out["required"] = std::move(required);
  if (!object.one_of.empty()) {
    out["oneOf"] = Json::array();
    for (const auto name : object.one_of) out["oneOf"].push_back({{"required", {name}}});
  }
  out["additionalProperties"] = false;
  return out;
}

}  // namespace

std::string JsonSchema() {
  Json definitions = Json::object();
  for (const Object* const object : AllObjects()) definitions[std::string(object->name)] = ObjectSchema(*object);
  Json top = {{"$schema", "http://json-schema.org/draft-07/schema#"}, {"title", "nanohouse"}};
  Json file = ObjectSchema(WarehouseKeys());
  file.erase("required");
  file["type"] = {"object", "null"};  // a file may be empty
  for (auto& [key, value] : file.items()) top[key] = value;
  top["definitions"] = std::move(definitions);
  return top.dump(2) + "\n";
}

}  // namespace nano::contract
