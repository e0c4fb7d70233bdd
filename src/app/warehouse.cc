// SPDX-License-Identifier: Apache-2.0
#include "app/warehouse.h"


namespace nano::app {

Result<Warehouse> FindWarehouse(const std::filesystem::path& folder) {
  auto parsed = contract::Load(folder, {.resolve_references = false});
  if (!parsed) {
    if (parsed.error().code != Code::kNotFound) return tl::make_unexpected(std::move(parsed).error());
    return WithHint(Fail(Code::kNotFound, "there is no warehouse in \"{}\": it has no nanohouse.yaml", folder.string()),
                    "Make one with `nanohouse init`, or name its folder with -C.");
  }
  Warehouse out;
  out.contract = parsed->contract;
  out.layout = contract::LayoutOf(*parsed->contract);
  out.parsed = *std::move(parsed);
  return out;
}

lake::Place LakePlace(const contract::Layout& layout) { return {layout.lake(), layout.catalog(), layout.spill()}; }

Result<std::unique_ptr<lake::Reader>> OpenReader(const contract::Layout& layout, const std::string& at) {
  lake::ReaderOptions options;
  if (!at.empty()) {
    ASSIGN(const auto newest, lake::Reader::Open(LakePlace(layout), options));
    ASSIGN(const std::int64_t snapshot, lake::SnapshotAt(newest->connection(), at));
    options.snapshot = snapshot;
  }
  ASSIGN(auto reader, lake::Reader::Open(LakePlace(layout), options));
  TRY(reader->connection().Execute(std::string("USE ") + lake::kCatalog + ".main"));
  return reader;
}

Result<std::unique_ptr<lake::Writer>> OpenWriter(const contract::Contract& contract, const contract::Layout& layout) {
  return lake::Writer::Open(LakePlace(layout), {.compression = contract.storage.compression, .target_file_bytes = contract.storage.target_file_bytes});
}

}  // namespace nano::app
