// SPDX-License-Identifier: Apache-2.0
#include "app/warehouse.h"

#include "contract/yaml.h"
#include "io/files.h"

namespace nano::app {

Result<contract::Layout> FindLayout(const std::filesystem::path& folder) {
  auto text = io::ReadFile(folder / "nanohouse.yaml", 16 << 20);
  if (!text) {
    if (text.error().code != Code::kNotFound) return tl::make_unexpected(std::move(text).error());
    return WithHint(Fail(Code::kNotFound, "there is no warehouse in \"{}\": it has no nanohouse.yaml", folder.string()),
                    "Make one with `nanohouse init`, or name its folder with -C.");
  }
  contract::Contract contract;
  contract.folder = folder;
  contract::Findings findings;
  const contract::Node file = contract::ReadYaml("nanohouse.yaml", *text, findings);
  const contract::Node* storage = file.Get("storage");
  const auto setting = [&](const char* key, std::string& value) {
    const contract::Node* node = storage ? storage->Get(key) : nullptr;
    if (node && node->is_text()) value = node->text;
  };
  setting("root", contract.storage.root);
  setting("local", contract.storage.local);
  setting("catalog", contract.storage.catalog);
  return contract::LayoutOf(contract);
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

}  // namespace nano::app
