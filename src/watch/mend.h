// SPDX-License-Identifier: Apache-2.0
#pragma once
/// `doctor --fix`: looks under the writer's lease, and puts right what can be. Nothing is deleted but left-overs that are older
/// than the grace time; what is damaged is set aside under another name. What can't be mended stays as it is.

#include <functional>
#include <memory>
#include <vector>

#include "engine/database.h"
#include "watch/doctor.h"

namespace nano::watch {

struct Tools {
  std::function<Result<std::unique_ptr<lake::Writer>>()> open_lake;
  std::function<Status(engine::Connection&)> publish;
};

/// The checks, with what came of each trouble.  kConflict: another process writes; the message names it.
Result<std::vector<Check>> Mend(const contract::Layout& layout, const Looking& looking, const Tools& tools);

}  // namespace nano::watch
