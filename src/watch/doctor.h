// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Is everything there that the stores name, and is it whole? Every block of every journal against its checksum, every
/// file that the catalog names against its size and footer, every published name against its metadata. Reads only;
/// each check says what it looked at, so that "all is well" has a content. Takes as long as reading the journal does.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "contract/layout.h"
#include "lake/reader.h"

namespace nano::watch {

struct Check {
  std::string name;                ///< "journal shop_cdc"
  std::string looked_at;           ///< "12 segments, 1,204 blocks"
  std::vector<Error> troubles;     ///< none: it is well
};

/// Extensions, their versions, the folders' rights and room.
std::vector<Check> CheckInstallation(const contract::Layout& layout);
/// Catalog and state, journals, tables' files, published metadata. `stop` is asked between files and blocks.
std::vector<Check> CheckStores(const contract::Layout& layout, const std::function<bool()>& stop);

}  // namespace nano::watch
