// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A file of lines, read to its end, once or twice.

#include <filesystem>
#include <functional>

#include "base/result.h"
#include "discover/streams.h"
#include "io/byte_source.h"
#include "io/line_reader.h"

namespace nano::discover {

/// Hands each line to `visit`, until it fails.  kNotFound: there is no such file.
Status EachLine(const std::filesystem::path& path, const std::function<Status(const io::Line&)>& visit);

/// Reads a file twice with `seen`: what its streams look like, then, after Again(), whether each value fits that.
template <class Streams>
Result<Seen> ReadTwice(const std::filesystem::path& path, Streams seen) {
  const auto take = [&](const io::Line& line) { return seen.Take(line); };
  TRY(EachLine(path, take));
  seen.Again();
  TRY(EachLine(path, take));
  return seen.Done();
}

}  // namespace nano::discover
