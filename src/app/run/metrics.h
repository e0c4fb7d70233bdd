// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What Prometheus reads of a running warehouse. Counters and histograms are filled as things happen, the rest when they
/// are asked for; docs/reference/metrics.md lists them. Any thread.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/run/health.h"
#include "app/run/publishing.h"
#include "land/lander.h"
#include "watch/standing.h"

namespace nano::app {

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// A commit of a source's rows, and what it brought to which tables.
  void Committed(const std::string& source, const std::map<std::string, land::TableLanded>& tables, std::chrono::duration<double> took);
  /// The text that Prometheus reads, with how things stand now.
  std::string Text(const std::map<std::string, SourceHealth>& sources, const std::vector<watch::TableStatus>& tables, const PublishingState& publishing);

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace nano::app
