// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Members of JSON that we wrote ourselves and read back, without exceptions: what is missing or of another type is the
/// fallback. Pure.

#include <nlohmann/json.hpp>
#include <string>

namespace nano::wire {

/// Of a json or an ordered_json.
template <class Json, class T>
T Get(const Json& object, const char* name, T fallback) {
  if (!object.is_object()) return fallback;
  const auto at = object.find(name);
  if (at == object.end()) return fallback;
  try {
    return at->template get<T>();
  } catch (const nlohmann::json::exception&) {
    return fallback;
  }
}

template <class Json>
std::string Get(const Json& object, const char* name, const char* fallback) {
  return Get(object, name, std::string(fallback));
}

/// The n-th item of an array, likewise.
template <class T>
T Item(const nlohmann::json& array, std::size_t n, T fallback) {
  if (!array.is_array() || n >= array.size()) return fallback;
  try {
    return array[n].template get<T>();
  } catch (const nlohmann::json::exception&) {
    return fallback;
  }
}

}  // namespace nano::wire
