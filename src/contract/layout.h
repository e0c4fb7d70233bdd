// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Where everything of a warehouse lies: what is durable and locked under storage.local, the rest under storage.root.

#include <filesystem>

#include "base/secret.h"
#include "contract/model.h"

namespace nano::contract {

struct Layout {
  std::filesystem::path root, local;  ///< absolute, without . and ..

  std::filesystem::path lake() const { return root / "lake"; }
  std::filesystem::path iceberg() const { return root / "iceberg"; }
  std::filesystem::path catalog() const { return local / catalog_name; }
  std::filesystem::path journal(const std::string& source) const { return local / "journal" / source; }
  std::filesystem::path state() const { return local / "state.db"; }
  std::filesystem::path index() const { return local / "index"; }
  std::filesystem::path spill() const { return local / "tmp"; }

  std::filesystem::path catalog_name = "catalog.db";   ///< or, where the catalog is in PostgreSQL, the file that says which one it is
  SecretTemplate catalog_url;                          ///< empty: the catalog is the SQLite file
  std::string catalog_schema;                          ///< in PostgreSQL: letters, digits, - and _
};

/// The schema of a warehouse's catalog in PostgreSQL; names there have up to 63 bytes.
inline std::string CatalogSchemaOf(const std::string& warehouse) { return ("nanohouse_" + warehouse).substr(0, 63); }

/// The layout of a contract, for local storage (`apply` refuses other by Contract::not_yet).
inline Layout LayoutOf(const Contract& contract) {
  Layout layout;
  const auto absolute = [&](const std::string& text) {
    auto path = std::filesystem::absolute(contract.folder / text).lexically_normal();
    return path.has_filename() ? path : path.parent_path();
  };
  layout.root = absolute(contract.storage.root);
  layout.local = contract.storage.local.empty() ? layout.root : absolute(contract.storage.local);
  if (contract.storage.catalog.rfind("sqlite:", 0) == 0) layout.catalog_name = contract.storage.catalog.substr(7);
  else {
    layout.catalog_name = "catalog.id";
    layout.catalog_url = SecretTemplate(contract.storage.catalog);
    layout.catalog_schema = CatalogSchemaOf(contract.warehouse);
  }
  return layout;
}

}  // namespace nano::contract
