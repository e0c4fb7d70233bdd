// SPDX-License-Identifier: Apache-2.0
#include "app/warehouse.h"


namespace nano::app {

namespace {

Result<Warehouse> Load(const std::filesystem::path& folder, const contract::Options& options) {
  auto parsed = contract::Load(folder, options);
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

}  // namespace

Result<Warehouse> FindWarehouse(const std::filesystem::path& folder) { return Load(folder, {.resolve_references = false}); }

Result<Warehouse> LoadWarehouse(const std::filesystem::path& folder) { return Load(folder, {.resolve_references = true}); }

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

namespace {

class Writing final : public WarehouseWriter {
 public:
  explicit Writing(std::unique_ptr<lake::Writer> lake) : lake_(std::move(lake)) {}
  lake::Writer& lake() override { return *lake_; }

 private:
  std::unique_ptr<lake::Writer> lake_;
};

}  // namespace

Result<std::unique_ptr<WarehouseWriter>> OpenWriter(const Warehouse& warehouse) {
  const contract::Storage& storage = warehouse.contract->storage;
  ASSIGN(auto lake, lake::Writer::Open(LakePlace(warehouse.layout),
                                       {.compression = storage.compression, .target_file_bytes = storage.target_file_bytes}));
  return std::unique_ptr<WarehouseWriter>(std::make_unique<Writing>(std::move(lake)));
}

}  // namespace nano::app
