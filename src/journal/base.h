// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The base image of a source: what is left of expired segments, as one Parquet file beside the segments that are kept
/// (docs/formats/base.md). Positions stay: a record keeps its own, and the place of one that is gone is empty. Writing the
/// file under its name is the one step that counts; before it the segments are the truth, after it the base image is.
/// The Reader of journal.h reads base image and segments as one. Not for several threads.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "change/record.h"
#include "journal/journal.h"

namespace nano::journal {

constexpr std::string_view kBaseSuffix = ".base.parquet";
constexpr int kBaseFormatNumber = 1;

/// `<20 digits>.base.parquet`: the position at which the segments go on.
std::string BaseName(Position end);
/// Nothing: not the name of a base image.
std::optional<Position> ParseBaseName(std::string_view name);
/// The end of the newest base image in a folder, or nothing where there is none.
Result<std::optional<Position>> FindBase(const std::filesystem::path& folder);

/// Of a base image that is being written: the record that stays next. Its views need to hold until the next call.
struct BaseRecord {
  Position position;
  Record record;
};
using BaseFeed = std::function<Result<std::optional<BaseRecord>>()>;

/// Writes the base image that ends at `end` and makes it durable; positions must ascend. From then on it stands for all
/// segments before `end`, which DropExpired() removes.
Status WriteBase(const std::filesystem::path& folder, const std::string& source, Position end, const BaseFeed& feed);
/// Removes the segments before `end`, and base images that ended before. Doing it again is harmless.
Status DropExpired(const std::filesystem::path& folder, Position end);
/// The end of the segments, from the first on, whose last record was ingested before `before` (µs since 1970) and which
/// lie before `landed`; never the last one, from which the writer goes on.
Result<Position> EndOfExpired(const std::filesystem::path& folder, Position landed, std::int64_t before);

/// An open base image.
class BaseImage {
 public:
  virtual ~BaseImage() = default;
  /// kCorrupt: it is no base image, or that of another source or end.
  static Result<std::unique_ptr<BaseImage>> Open(const std::filesystem::path& folder, Position end);
  virtual Position end() const = 0;
  /// The block that holds `at`, which lies before end().  kCorrupt.
  virtual Result<BlockPtr> Read(Position at) = 0;
};

}  // namespace nano::journal
