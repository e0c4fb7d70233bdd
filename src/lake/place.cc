// SPDX-License-Identifier: Apache-2.0
#include "lake/place.h"

namespace nano::lake {

Place PlaceOf(const contract::Layout& layout) {
  Place place{layout.lake(), layout.catalog(), layout.spill(), layout.index(), {}};
  if (layout.catalog_url.empty()) return place;
  place.catalog = layout.local / "catalog.db";   // which is not there
  place.postgres = PostgresCatalog{layout.catalog_url, layout.catalog_schema, layout.catalog()};
  return place;
}

}  // namespace nano::lake
