// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A JSON object into cells, one for each field that is asked for, in one pass and without allocation where all fits.
/// It learns the order in which a stream sends its members, and then finds each by one comparison. For the rows that
/// landing reads; one reader a thread, as it learns.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/data_type.h"
#include "wire/cell.h"

namespace nano::wire {

using FieldPath = std::vector<std::string>;

/// A field: the names that lead to it from the record's object, and the type that it is read as.
struct FieldSpec {
  FieldPath path;
  DataType type;
};

class RecordReader {
 public:
  struct Misfit {
    std::size_t field;
    std::string reason;        ///< as ReadJson says it
    std::string_view token;
  };
  struct Unknown {
    std::string_view name;     ///< unescaped; of one inside a path that is walked, with the path: "a.b"
    std::string_view token;
  };

  /// Members in `ignored` are nobody's field and no news either.
  RecordReader(std::vector<FieldSpec> fields, Special special, const std::vector<FieldPath>& ignored = {});
  ~RecordReader();
  RecordReader(RecordReader&&) noexcept;
  RecordReader& operator=(RecordReader&&) noexcept;

  /// Reads the object that `text` (valid UTF-8) begins with into `cells`, one a field: kAbsent if the object lacks it,
  /// kNull if it is null, inside of null, or a misfit. Of a repeated member the last counts. Both lists are emptied
  /// first; names and tokens in them are valid as long as `text`, the arena and the reader. False: no JSON object
  /// (NaN and Infinity aside); nothing that was given back counts.
  bool Read(std::string_view text, Arena& arena, std::span<Cell> cells, std::vector<Misfit>& misfits,
            std::vector<Unknown>& unknown);
  /// What followed the object of the last Read() that was true.
  std::string_view rest() const { return rest_; }
  const std::vector<FieldSpec>& fields() const { return fields_; }

 private:
  struct Target;
  struct Object;
  struct Key;
  struct Row;
  const Key& Find(Object& object, std::string_view token, Arena& arena, std::uint32_t& index);
  const char* Walk(Object& object, const char* at, const char* end, Row& row);
  const char* Value(const Key& key, const char* at, const char* end, Row& row);
  const char* Field(std::uint32_t field, const char* at, const char* end, Row& row);
  void Forget(const Target& target, Row& row);

  std::vector<FieldSpec> fields_;
  Special special_;
  std::unique_ptr<Object> root_;
  std::unique_ptr<Key> passing_;   ///< of a member that is not kept, as there are too many
  std::uint64_t number_ = 0;       ///< of the record
  std::string reason_;
  std::string_view rest_;
};

}  // namespace nano::wire
