// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a fallible call gives back. Only this file knows tl::expected.

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace nano {

/// Named for what the caller should do, not for where the error arose.
enum class Code {
  kInvalid,         // the user must change something; carries a location
  kNotFound,
  kExists,
  kConflict,        // re-read and try again
  kUnavailable,     // back off and try again
  kOutcomeUnknown,  // it may have happened: verify, never clean up
  kDenied,
  kUnsupported,
  kCorrupt,         // stop; page a person
  kInternal,        // our bug
};

/// Where a person must look: a line of a file, or a position of a source.
struct Place {
  std::string in;  // "tables/orders.yaml", "shop_db"
  std::uint64_t at = 0, column = 0;
};

struct Error {
  Code code;
  std::string message;  // lower case, no full stop; never carries data
  std::string hint;     // optional; a whole sentence
  Place place;          // optional
  std::string value;    // the offending value; shown only to who may see it
};

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
  using tl::expected<T, Error>::expected;
};
using Status = Result<void>;

template <class... Args>
tl::unexpected<Error> Fail(Code code, fmt::format_string<Args...> format, Args&&... args) {
  return tl::make_unexpected(Error{code, fmt::format(format, std::forward<Args>(args)...), {}, {}, {}});
}

/// The same error, with a hint for the person who reads it.
inline tl::unexpected<Error> WithHint(tl::unexpected<Error> failure, std::string hint) {
  failure.value().hint = std::move(hint);
  return failure;
}

constexpr bool IsRetriable(Code c) { return c == Code::kConflict || c == Code::kUnavailable; }

}  // namespace nano

#define NANO_CONCAT_(a, b) a##b
#define NANO_CONCAT(a, b) NANO_CONCAT_(a, b)

/// Leaves the function with the error of `expr`, if it has one.
#define TRY(expr)                                                       \
  do {                                                                  \
    auto&& nano_r = (expr);                                             \
    if (!nano_r) return tl::make_unexpected(std::move(nano_r).error()); \
  } while (false)

/// `ASSIGN(auto table, lake.Load(id));`
#define ASSIGN(lhs, expr) ASSIGN_(lhs, expr, NANO_CONCAT(nano_r_, __COUNTER__))
#define ASSIGN_(lhs, expr, tmp)                                 \
  auto&& tmp = (expr);                                          \
  if (!tmp) return tl::make_unexpected(std::move(tmp).error()); \
  lhs = *std::move(tmp)
