// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Is everything there that the stores name, and is it whole? Every block of every journal against its checksum, the
/// catalog's rows against each other, every file that the catalog names against its size, footer and rows, the key indexes,
/// every published name against its metadata. Looking only reads; each check says what it looked at, so that "all is well"
/// has a content. What can be put right says how, and watch/mend.h does it.

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "contract/layout.h"
#include "lake/lake.h"
#include "state/state.h"

namespace nano::watch {

/// What mending works with; whoever has it holds the writer's lease.
class Hands {
 public:
  virtual ~Hands() = default;
  /// The lake, opened at the first call.
  virtual Result<lake::Writer*> lake() = 0;
  virtual state::State& state() = 0;
  /// Publishes every name anew.
  virtual Status Publish() = 0;
};

enum class Fix { kNotTried, kDone, kFailed };

struct Trouble : Error {
  bool harmless = false;                 ///< a left-over: nothing is wrong with what is stored
  std::string cure;                      ///< "cut back to its last commit"; empty: only a person can
  std::function<Status(Hands&)> mend;    ///< does that; none where there is no cure
  Fix fix = Fix::kNotTried;
  std::string failure;                   ///< why mending failed
};

struct Check {
  std::string name;                ///< "journal shop_cdc"
  std::string looked_at;           ///< "12 segments, 1,204 blocks"
  std::vector<Trouble> troubles;   ///< none: it is well

  bool well() const;               ///< no trouble but left-overs and what was mended
};

struct Looking {
  std::chrono::seconds grace{600};         ///< what is younger stays
  std::function<bool()> stop = [] { return false; };   ///< asked between files and blocks
};

/// Extensions, their versions, the folders' rights and room.
std::vector<Check> CheckInstallation(const contract::Layout& layout);
/// The operational records: whole, and of processes that live.
Check CheckState(const contract::Layout& layout);
/// Journals, catalog, tables' files, key indexes, published metadata, left-overs.
std::vector<Check> CheckStores(const contract::Layout& layout, const Looking& looking);

}  // namespace nano::watch
