// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The words in which keys are declared (keys_*.cc): short makers of a Shape, and the groups that the declarations of
/// one file take from another. For the declaration only; readers of it include keys.h.

#include <string_view>
#include <utility>
#include <vector>

#include "contract/keys.h"

namespace nano::contract {

inline Shape Text(Format format = Format::kAny) { return {.form = Shape::Form::kText, .format = format}; }
/// Text that may hold `${env:X}`.
inline Shape Referring(Format format = Format::kUrl) { return {.form = Shape::Form::kText, .format = format, .references = true}; }
inline Shape Integer(std::int64_t least, std::int64_t most = INT64_MAX) {
  return {.form = Shape::Form::kInteger, .least = least, .most = most};
}
inline Shape Number() { return {.form = Shape::Form::kNumber}; }
inline Shape Boolean() { return {.form = Shape::Form::kBoolean}; }
inline Shape Scalar() { return {.form = Shape::Form::kScalar}; }
inline Shape Any() { return {.form = Shape::Form::kAny}; }
inline Shape Words(std::vector<Word> words) { return {.form = Shape::Form::kWords, .words = std::move(words)}; }
inline Shape List(Shape item) { return {.form = Shape::Form::kList, .parts = {std::move(item)}}; }
inline Shape Some(Shape item) { return {.form = Shape::Form::kList, .parts = {std::move(item)}, .not_empty = true}; }
inline Shape Map(Format keys, Shape value) { return {.form = Shape::Form::kMap, .format = keys, .parts = {std::move(value)}}; }
/// A mapping of free keys, in whose text references may stand.
inline Shape Free() { return {.form = Shape::Form::kMap, .format = Format::kAny, .references = true, .parts = {Any()}}; }
inline Shape In(const Object& object) { return {.form = Shape::Form::kObject, .object = &object}; }
inline Shape Either(std::vector<Shape> forms) { return {.form = Shape::Form::kEither, .parts = std::move(forms)}; }
inline Shape OneOrMore(Shape item) { return Either({item, Some(item)}); }

const Object& StorageKeys();
const Object& SnapshotKeys();
const Object& ServeKeys();
const Object& TableServeKeys();
const Object& PolicyKeys();
const Object& RoleKeys();
const Object& AlertKeys();
const Object& ExposureKeys();
const Object& SourceKeys();
const Object& TableKeys();
const Object& ModelKeys();
Key OwnerKey();
Key DescriptionKey(std::string_view example);
Key TagsKey();

}  // namespace nano::contract
