// SPDX-License-Identifier: Apache-2.0
#include "app/run/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <mutex>

namespace nano::app {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

const Histogram::BucketBoundaries kSeconds{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800};

double Now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

double ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  double pages = 0, resident = 0;
  statm >> pages >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double CpuSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double OpenFiles() {
  std::error_code error;
  double count = 0;
  for (auto entry = std::filesystem::directory_iterator("/proc/self/fd", error); !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) ++count;
  return count;
}

}  // namespace

struct Metrics::Families {
  std::mutex asking;   // the gauges below are set by one request at a time
  prometheus::Registry registry;
  const double started = Now();

  Family<Counter>& AddCounter(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
  }
  Family<Gauge>& AddGauge(const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
  }
  Family<Histogram>& AddHistogram(const char* name, const char* help) {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
  }

  Family<Gauge>& state = AddGauge("nanohouse_source_state", "1 for the state that the source is in: running, paused, backoff, failed or stopped.");
  Family<Gauge>& failures = AddGauge("nanohouse_source_failures", "Failures of the source since the program began.");
  Family<Gauge>& read_bytes = AddGauge("nanohouse_source_read_bytes", "Bytes read since the source was started last.");
  Family<Gauge>& read_records = AddGauge("nanohouse_source_read_records", "Records read since the source was started last.");
  Family<Gauge>& replayed = AddGauge("nanohouse_source_replayed_records", "Of these, said before.");
  Family<Gauge>& lag_records = AddGauge("nanohouse_source_lag_records", "Records that are journaled and not landed.");
  Family<Gauge>& lag_bytes = AddGauge("nanohouse_source_lag_bytes", "Bytes that are journaled and not landed.");
  Family<Gauge>& lag_seconds = AddGauge("nanohouse_source_lag_seconds", "For how long something has been journaled and not landed.");
  Family<Gauge>& slot_bytes = AddGauge("nanohouse_source_slot_held_bytes", "Log of the database that the source's replication slot holds back.");
  Family<Gauge>& slot_warns = AddGauge("nanohouse_source_slot_warning", "1: the replication slot may soon be lost, as it holds back too much.");
  Family<Gauge>& slots_dropped = AddGauge("nanohouse_source_slots_dropped", "Replication slots of the source that were dropped since the program began, as they held back more than max_wal.");
  Family<Histogram>& commits = AddHistogram("nanohouse_commit_seconds", "How long it took to land and commit a batch of the source.");
  Family<Counter>& rows = AddCounter("nanohouse_table_rows_total", "Rows written into the table.");
  Family<Counter>& quarantined = AddCounter("nanohouse_table_quarantined_total", "Values of the table that did not fit.");
  Family<Histogram>& freshness = AddHistogram("nanohouse_table_freshness_seconds", "From the source's commit of a batch's newest change to the moment it could be read.");
  Family<Gauge>& table_rows = AddGauge("nanohouse_table_rows", "Rows of the table.");
  Family<Gauge>& table_files = AddGauge("nanohouse_table_files", "Data and delete files of the table.");
  Family<Gauge>& table_bytes = AddGauge("nanohouse_table_bytes", "Bytes of these files.");
  Family<Gauge>& table_quarantine = AddGauge("nanohouse_table_quarantine", "Values of the table that are in quarantine.");
  Family<Gauge>& published = AddGauge("nanohouse_published", "How often metadata was published since the program began.");
  Family<Gauge>& publish_seconds = AddGauge("nanohouse_publish_seconds", "How long the last publishing took.");
  Family<Gauge>& publish_failed = AddGauge("nanohouse_publish_failed", "1: the last publishing failed.");
  Family<Gauge>& publish_time = AddGauge("nanohouse_publish_timestamp_seconds", "When it was published last, in seconds since 1970.");
  Family<Gauge>& memory = AddGauge("process_resident_memory_bytes", "Resident memory.");
  Family<Gauge>& cpu = AddGauge("process_cpu_seconds", "CPU time used, user and system.");
  Family<Gauge>& files = AddGauge("process_open_fds", "Open file descriptors.");
  Family<Gauge>& start = AddGauge("process_start_time_seconds", "When the program began, in seconds since 1970.");
};

Metrics::Metrics() : families_(std::make_unique<Families>()) {}
Metrics::~Metrics() = default;

void Metrics::Committed(const std::string& source, const std::map<std::string, land::TableLanded>& tables, std::chrono::duration<double> took) {
  Families& to = *families_;
  to.commits.Add({{"source", source}}, kSeconds).Observe(took.count());
  for (const auto& [table, landed] : tables) {
    to.rows.Add({{"table", table}}).Increment(static_cast<double>(landed.rows));
    to.quarantined.Add({{"table", table}}).Increment(static_cast<double>(landed.quarantined));
    if (landed.newest > 0) to.freshness.Add({{"table", table}}, kSeconds).Observe(std::max(0.0, Now() - static_cast<double>(landed.newest) / 1e6));
  }
}

std::string Metrics::Text(const std::map<std::string, SourceHealth>& sources, const std::vector<watch::TableStatus>& tables, const PublishingState& publishing) {
  Families& to = *families_;
  const std::lock_guard lock(to.asking);
  for (const auto& [name, health] : sources) {
    const prometheus::Labels labels{{"source", name}};
    for (const SourceState state : {SourceState::kStopped, SourceState::kRunning, SourceState::kPaused, SourceState::kBackoff, SourceState::kFailed})
      to.state.Add({{"source", name}, {"state", std::string(Name(state))}}).Set(health.worst().state == state ? 1 : 0);
    to.failures.Add(labels).Set(static_cast<double>(health.failures));
    to.read_bytes.Add(labels).Set(static_cast<double>(health.read.bytes));
    to.read_records.Add(labels).Set(static_cast<double>(health.read.messages));
    to.replayed.Add(labels).Set(static_cast<double>(health.read.replayed));
    to.lag_records.Add(labels).Set(static_cast<double>(health.lag_records()));
    to.lag_bytes.Add(labels).Set(health.lag_records() > 0 ? static_cast<double>(health.waiting_bytes) : 0);
    to.lag_seconds.Add(labels).Set(health.lag_seconds());
    to.slot_bytes.Add(labels).Set(static_cast<double>(health.slot_bytes.value_or(0)));
    to.slot_warns.Add(labels).Set(health.slot_warning.empty() ? 0 : 1);
    to.slots_dropped.Add(labels).Set(static_cast<double>(health.slots_dropped));
  }
  for (const auto& table : tables) {
    const prometheus::Labels labels{{"table", table.name}};
    to.table_rows.Add(labels).Set(static_cast<double>(table.rows));
    to.table_files.Add(labels).Set(static_cast<double>(table.files));
    to.table_bytes.Add(labels).Set(static_cast<double>(table.bytes));
    to.table_quarantine.Add(labels).Set(static_cast<double>(table.quarantine));
  }
  to.published.Add({}).Set(static_cast<double>(publishing.published));
  to.publish_seconds.Add({}).Set(publishing.last_seconds);
  to.publish_failed.Add({}).Set(publishing.failure ? 1 : 0);
  to.publish_time.Add({}).Set(static_cast<double>(publishing.last_at) / 1e6);
  to.memory.Add({}).Set(ResidentBytes());
  to.cpu.Add({}).Set(CpuSeconds());
  to.files.Add({}).Set(OpenFiles());
  to.start.Add({}).Set(to.started);
  return prometheus::TextSerializer().Serialize(to.registry.Collect());
}

}  // namespace nano::app
