// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The way from a warehouse's folder to a Contract: reads every file, reports every mistake of all of them in one run.
/// `check` shows the findings; `plan`, `apply` and `ingest` go on only without errors. What `apply` stored (the bundle)
/// is parsed by the same code. Any thread; each call stands alone.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "contract/finding.h"
#include "contract/model.h"
#include "contract/tree.h"

namespace nano::contract {

struct Options {
  bool resolve_references = true;  ///< false: `${env:X}` may be unset, as it isn't used now
};

struct Parsed {
  std::shared_ptr<const Contract> contract;  ///< never null; good for use only where ok()
  Findings findings;                         ///< sorted by file and line
  std::vector<SourceFile> files;             ///< what was read, sorted by path

  bool ok() const { return !HasErrors(findings); }
};

/// Reads `nanohouse.yaml` and every *.yaml, *.yml and *.sql under sources/, tables/, models/ and roles/.
/// kNotFound: the folder has no nanohouse.yaml; kUnavailable: a file can't be read. Mistakes in files are findings.
Result<Parsed> Load(const std::filesystem::path& folder, const Options& options = {});

/// The same for files that were read already; `folder` is where relative paths in them begin.
Parsed Parse(std::vector<SourceFile> files, const std::filesystem::path& folder, const Options& options = {});

/// The Contract of a bundle that `apply` stored.  kCorrupt: it is no bundle, or its files have mistakes, which a
/// stored one never had: the message says which.
Result<std::shared_ptr<const Contract>> LoadBundle(const std::string& bundle, const std::filesystem::path& folder);

/// The bundle of files: canonical JSON `[{"path":…,"text":…}]`, sorted by path.
std::string MakeBundle(const std::vector<SourceFile>& files);

}  // namespace nano::contract
