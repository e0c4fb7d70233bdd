// SPDX-License-Identifier: Apache-2.0
#include "wire/debezium.h"

namespace nano::wire {

Cell PlaceholderAsData(const DataType& type, Arena& arena) {
  constexpr std::string_view kPlaceholder = "__debezium_unavailable_value";
  Cell cell;
  cell.kind = Cell::Kind::kValue;
  if (type.kind == TypeKind::kList && !type.children.empty()) {
    cell.children = arena.Array<Cell>(1);
    cell.children[0].kind = Cell::Kind::kValue;
    cell.children[0].text = kPlaceholder;
  } else {
    cell.text = kPlaceholder;
  }
  return cell;
}

}  // namespace nano::wire
