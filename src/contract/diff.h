// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a change of the contract would do: between the deployed one and the wanted one, named change by change, each by
/// a row of the reference's table. `plan` shows it; `apply` makes what is additive and refuses the rest. Pure.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "contract/finding.h"
#include "contract/model.h"

namespace nano::contract {

enum class ChangeClass {
  kAdditive,   ///< readers notice nothing; made in place
  kRewrite,    ///< the same columns, but rows or files must be made anew
  kBreaking,   ///< a reader may break: a new major version
  kForbidden,  ///< not by a change of the contract
};
std::string_view ClassName(ChangeClass change_class);

/// A row of the reference's table.
struct ChangeRule {
  std::string_view id;
  ChangeClass change_class;
  std::string_view says;
};
const std::vector<ChangeRule>& ChangeRules();

struct Change {
  const ChangeRule* rule = nullptr;
  std::string object;                ///< "orders", "orders.amount", "shop_cdc", "storage"
  std::string what;                  ///< "column "amount" changed from int to bigint"
  Place place;                       ///< in the wanted files; of what is gone, in the deployed ones
  std::vector<std::string> readers;  ///< exposures that read the object
  std::string fill;                  ///< of a new column: what older rows have

  ChangeClass change_class() const { return rule->change_class; }
};

/// The columns that tables without `columns` have in the lake, by table: they are compared in place of the contract's.
using BuiltColumns = std::map<std::string, std::vector<Column>>;

/// Every change, tables first in the wanted order. Empty: nothing to do.
std::vector<Change> Diff(const Contract& deployed, const Contract& wanted, const BuiltColumns& built = {});
/// What a first `apply` makes.
std::vector<Change> DiffFromNothing(const Contract& wanted);

/// Holds the version against the changes: breaking ones need a new major (an error), others a new minor (a warning).
Findings CheckVersion(const Contract& deployed, const Contract& wanted, const std::vector<Change>& changes);

/// `{"changes":[{"class":…,"rule":…,"object":…,"what":…,"place":{"file":…,"line":…,"column":…},"readers":[…],"fill":…}]}`
std::string RenderChangesJson(const std::vector<Change>& changes);

}  // namespace nano::contract
