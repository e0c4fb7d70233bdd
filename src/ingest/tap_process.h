// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A Singer tap as a program: its arguments, config and environment, what it discovers, what it logs. Its config lies in a
/// folder that only we can read and that goes with the TapProcess. One thread.

#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "contract/model.h"
#include "io/child.h"
#include "io/descriptor.h"

namespace nano::ingest {

/// A folder for the tap's config, catalog and state, which only we can read; removed at the end. Of a process that was killed the
/// next one removes it: whoever is alive holds a lock on its own.
class PrivateFolder {
 public:
  PrivateFolder() = default;
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  ~PrivateFolder();
  Status Make();
  /// Writes a file and gives its path.
  Result<std::string> Put(const std::string& name, const std::string& content);

 private:
  std::filesystem::path path_;
  io::Descriptor lock_;
};

class TapProcess {
 public:
  /// `folder`: paths of the contract are relative to it. `on_log` gets each line of the tap's error output.
  TapProcess(const contract::Source& source, std::filesystem::path folder, std::function<void(std::string_view)> on_log)
      : source_(source), folder_(std::move(folder)), on_log_(std::move(on_log)) {}

  /// Writes the config; the program and the arguments that it always has.
  Result<std::vector<std::string>> Arguments();
  PrivateFolder& files() { return files_; }
  /// kNotFound: it is not installed.
  Result<std::unique_ptr<io::Child>> Run(const std::vector<std::string>& arguments);
  /// What it prints with --discover: JSON.
  Result<std::string> Discover(std::vector<std::string> arguments);
  /// The error of a tap that failed, with the last line that it logged.
  tl::unexpected<Error> Failed(std::string message) const;

 private:
  std::string Program() const;
  void TakeLog(std::string_view line);

  const contract::Source& source_;
  const std::filesystem::path folder_;
  const std::function<void(std::string_view)> on_log_;
  PrivateFolder files_;
  std::string last_log_;
};

/// Runs the tap of a source with --discover and gives its catalog: JSON, of which some object is the whole.
Result<std::string> DiscoverTap(const contract::Source& source, const std::filesystem::path& folder,
                                const std::function<void(std::string_view)>& on_log);

}  // namespace nano::ingest
