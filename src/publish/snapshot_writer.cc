// SPDX-License-Identifier: Apache-2.0
#include "publish/snapshot_writer.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "io/files.h"
#include "publish/fingerprint.h"
#include "publish/location.h"
#include "lake/delete_name.h"
#include "publish/manifest.h"
#include "publish/manifest_folder.h"
#include "publish/position_deletes.h"

namespace nano::publish {
namespace {

using Kind = IcebergType::Kind;

/// Raised when the same state is to be published as other bytes.
constexpr int kFormat = 2;
/// Iceberg's id of the column file_path of a delete file.
constexpr int kFilePathId = 2147483546;
/// What the catalog says of NaN holds for the last row group of a file; up to so many rows there is only one.
constexpr std::int64_t kRowsOfOneRowGroup = 2048;
/// Data files whose deletes share a file.
constexpr std::size_t kGroup = 256;

/// A leaf column, and whether its values repeat in a row (below a list or a map).
struct Leaf {
  IcebergType type;
  bool repeated = false;
};

void CollectLeaves(const Field& field, bool repeated, std::map<std::int64_t, Leaf>& leaves) {
  if (!field.type.nested()) {
    leaves.emplace(field.id, Leaf{field.type, repeated});
    return;
  }
  for (const Field& child : field.type.fields) CollectLeaves(child, repeated || field.type.kind != Kind::kStruct, leaves);
}

void AddStats(const ColumnStats& stats, const Leaf& leaf, Entry& entry) {
  const int id = static_cast<int>(stats.column);
  if (stats.bytes) entry.column_sizes.emplace_back(id, *stats.bytes);
  if (leaf.repeated || !stats.values || !stats.nulls || *stats.values + *stats.nulls != entry.records) return;
  entry.value_counts.emplace_back(id, entry.records);
  entry.null_counts.emplace_back(id, *stats.nulls);
  if (!stats.least || !stats.greatest) return;
  const bool real = leaf.type.kind == Kind::kFloat || leaf.type.kind == Kind::kDouble;
  if (real && (!stats.has_no_nan || entry.records > kRowsOfOneRowGroup)) return;
  Bounds bounds = MakeBounds(leaf.type, *stats.least, *stats.greatest);
  if (bounds.lower) entry.lower.emplace_back(id, std::move(*bounds.lower));
  if (bounds.upper) entry.upper.emplace_back(id, std::move(*bounds.upper));
}

/// Counts of what a snapshot has, and of what is new in it.
struct Totals {
  std::int64_t files = 0, records = 0, bytes = 0;
  void Add(std::int64_t file_records, std::int64_t file_bytes) {
    ++files;
    records += file_records;
    bytes += file_bytes;
  }
};

class Writer {
 public:
  Writer(engine::Connection& connection, const SnapshotFolders& folders, const TableMetadata& metadata, const PlacedState& placed, const Snapshot* parent)
      : connection_(connection), folders_(folders), metadata_(metadata), placed_(placed), state_(placed.state()), parent_(parent) {}

  Result<Snapshot> Write(const std::string& files) {
    digest_ = placed_.Digest(metadata_);
    // The parent decides what counts as added, so it is part of the name.
    name_ = Fingerprint().Add(digest_).Add(parent_ == nullptr ? 0 : parent_->id).Short();
    TRY(io::MakeFolders(folders_.metadata, kPoint));
    ASSIGN(const std::vector<OwnDeleteFile> deletes, WriteDeletes());
    TRY(WriteDataManifests());
    TRY(WriteDeleteManifests(deletes));
    const ManifestListHeader header{.snapshot_id = id(), .sequence = state_.at.snapshot, .parent = parent_ == nullptr ? std::nullopt : std::optional(parent_->id)};
    ASSIGN(const std::string list, EncodeManifestList(header, manifests_));
    const std::filesystem::path path = folders_.metadata / fmt::format("snap-{}-{}.avro", id(), name_);
    TRY(io::WriteFileAtomically(path, list, kPoint));
    ASSIGN(auto summary, Summary(files));
    return Snapshot{.id = id(),
                    .sequence = state_.at.snapshot,
                    .timestamp_ms = state_.timestamp_ms,
                    .parent = header.parent,
                    .manifest_list = Location(path),
                    .schema_id = placed_.schema_id(),
                    .summary = std::move(summary)};
  }

 private:
  static constexpr const char* kPoint = "publish.snapshot";

  std::int64_t id() const { return SnapshotId(state_.at.snapshot); }

  /// Delete files that can be named as they are, and those that are written for the rest, in groups of one partition.
  Result<std::vector<OwnDeleteFile>> WriteDeletes() {
    PositionDeletes deletes(connection_, state_, folders_.deletes);
    const auto& touched = deletes.signatures();
    const auto by_reference = ByReference();
    std::vector<OwnDeleteFile> all;
    std::map<std::string, std::vector<std::vector<const DataFile*>>> by_place;
    std::vector<std::vector<const DataFile*>> groups;
    for (std::size_t i = 0; i < state_.data.size(); ++i) {
      const DataFile& file = state_.data[i];
      if (!touched.contains(file.id)) continue;
      if (const auto named = by_reference.find(file.id); named != by_reference.end()) {
        const DeleteFile& its = *named->second;
        all.push_back({.data = {&file}, .location = Location(its.path), .records = its.records, .bytes = its.bytes, .snapshot = its.begin});
        continue;
      }
      auto& chunks = by_place[PlaceKey(placed_.place(i))];
      if (chunks.empty() || chunks.back().size() == kGroup) chunks.emplace_back();
      chunks.back().push_back(&file);
    }
    for (auto& [place, chunks] : by_place) {
      for (auto& chunk : chunks) groups.push_back(std::move(chunk));
    }
    ASSIGN(const auto written, deletes.Write(groups));
    all.insert(all.end(), written.begin(), written.end());
    return all;
  }

  /// Data files whose deletes all stand in one file of the direct lane, which was not moved since.
  std::map<std::int64_t, const DeleteFile*> ByReference() const {
    std::map<std::int64_t, const DeleteFile*> found;
    std::set<std::int64_t> others;
    for (const DeleteFile& file : state_.deletes) {
      const bool first = found.emplace(file.data_file, &file).second;
      if (!first || file.by_snapshot || !lake::NamesItsData(file.path)) others.insert(file.data_file);
    }
    for (const auto& [file, count] : state_.inlined_deletes) others.insert(file);
    for (const DataFile& file : state_.data)
      if (const auto at = found.find(file.id); file.younger_rows || (at != found.end() && at->second->path.parent_path() != file.path.parent_path())) others.insert(file.id);
    for (const std::int64_t file : others) found.erase(file);
    return found;
  }

  std::string PlaceKey(const PlacedState::Place& place) const {
    Fingerprint key;
    key.Add(place.spec);
    for (std::size_t i = 0; i < place.tuple.size(); ++i) {
      key.Add(place.tuple[i] ? 1 : 0);
      if (place.tuple[i]) key.Add(SingleValue(placed_.fields(place.spec)[i].type, *place.tuple[i]));
    }
    return fmt::format("{:08}-{}", place.spec, key.Short());
  }

  /// A manifest holds a run of neighbours, by id, of one partition spec. Where a run ends depends on the ids alone, so a file
  /// that comes or goes changes one manifest, and the others are named again as they are.
  static constexpr std::size_t kMostFiles = 2048;
  static bool EndsRun(std::int64_t file) { return (static_cast<std::uint64_t>(file) * 0x9e3779b97f4a7c15ULL) >> 56 == 0; }

  ManifestWriter NewManifest(int spec, Content content) const {
    const nlohmann::json schema = {{"type", "struct"}, {"schema-id", placed_.schema_id()}, {"fields", metadata_.schemas.at(placed_.schema_id())}};
    const ManifestHeader header{.schema_json = schema.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
                                .schema_id = placed_.schema_id(),
                                .spec_id = spec,
                                .spec_json = ToJson(metadata_.spec(spec)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
                                .content = content};
    return ManifestWriter(header, placed_.fields(spec));
  }

  /// What all manifests of one spec depend on, apart from their entries.
  Fingerprint BeginDigest(int spec, Content content) const {
    const auto text = [](const nlohmann::json& json) { return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); };
    Fingerprint digest;
    digest.Add(kFormat).Add(static_cast<int>(content)).Add(placed_.schema_id()).Add(text(metadata_.schemas.at(placed_.schema_id()))).Add(spec)
        .Add(text(ToJson(metadata_.spec(spec))));
    return digest;
  }

  void AddTo(Fingerprint& digest, const Entry& entry, int spec) const {
    digest.Add(entry.sequence).Add(entry.location).Add(entry.records).Add(entry.bytes);
    for (std::size_t i = 0; i < entry.partition.size(); ++i) {
      digest.Add(entry.partition[i] ? 1 : 0);
      if (entry.partition[i]) digest.Add(SingleValue(placed_.fields(spec)[i].type, *entry.partition[i]));
    }
  }

  /// One manifest to be. `born` of an entry decides, against a threshold, whether the snapshot added it.
  struct Run {
    int spec = 0;
    std::vector<Entry> entries;
    std::vector<std::int64_t> born;
    std::vector<std::size_t> files;      ///< of data: which files of the state
  };

  Status WriteRuns(std::vector<Run>& runs, Content content, std::int64_t threshold, Totals& total, Totals& added) {
    const char* const kind = content == Content::kData ? "data" : "deletes";
    ASSIGN(const ManifestFolder folder, ManifestFolder::Read(folders_.metadata, state_.at.snapshot));
    std::vector<std::string> digests;
    std::vector<std::int64_t> unwritten;
    for (const Run& run : runs) {
      Fingerprint digest = BeginDigest(run.spec, content);
      for (const Entry& entry : run.entries) AddTo(digest, entry, run.spec);
      digests.push_back(digest.Short());
      if (folder.Find(digests.back())) continue;
      for (const std::size_t file : run.files) unwritten.push_back(state_.data[file].id);
    }
    std::optional<StatsReader> stats;
    if (!unwritten.empty()) {
      const bool most = unwritten.size() * 2 > state_.data.size();
      ASSIGN(stats, StatsReader::Open(connection_, state_.table_id, state_.at.snapshot, most ? std::nullopt : std::optional(unwritten)));
    }
    std::map<std::int64_t, Leaf> leaves;
    for (const Field& field : state_.fields) CollectLeaves(field, false, leaves);
    for (std::size_t r = 0; r < runs.size(); ++r) {
      Run& run = runs[r];
      const std::optional<ManifestFolder::Known> known = folder.Find(digests[r]);
      const ManifestFolder::Known name = known ? *known : ManifestFolder::Known{state_.at.snapshot, threshold, {}};
      ManifestWriter writer = NewManifest(run.spec, content);
      for (std::size_t i = 0; i < run.entries.size(); ++i) {
        Entry& entry = run.entries[i];
        entry.added = run.born[i] >= name.threshold;
        entry.snapshot_id = SnapshotId(entry.added ? name.snapshot : entry.sequence);
        if (!known && !run.files.empty()) {
          ASSIGN(const std::vector<ColumnStats> columns, stats->Of(state_.data[run.files[i]].id));
          for (const ColumnStats& column : columns)
            if (const auto leaf = leaves.find(column.column); leaf != leaves.end()) AddStats(column, leaf->second, entry);
        }
        if (known) {
          writer.Count(entry);
        } else {
          TRY(writer.Add(entry));
        }
        total.Add(entry.records, entry.bytes);
        if (entry.added && name.snapshot == state_.at.snapshot) added.Add(entry.records, entry.bytes);
      }
      ManifestSummary summary = writer.summary();
      std::filesystem::path path = name.path;
      if (known) {
        std::error_code error;
        summary.length = static_cast<std::int64_t>(std::filesystem::file_size(path, error));
        if (error) return Fail(Code::kUnavailable, "{} can not be read: {}", path.string(), error.message());
      } else {
        ASSIGN(const std::string bytes, writer.Finish());
        path = folders_.metadata / ManifestFolder::Name(digests[r], kind, name);
        TRY(io::WriteFileAtomically(path, bytes, kPoint));
        summary.length = static_cast<std::int64_t>(bytes.size());
      }
      summary.location = Location(path);
      summary.sequence = name.snapshot;
      summary.snapshot_id = SnapshotId(name.snapshot);
      manifests_.push_back(std::move(summary));
    }
    return {};
  }

  /// Ends the open run of a spec, and begins the next where there is none.
  static Run& Open(std::vector<Run>& runs, std::map<int, std::size_t>& open, int spec) {
    const auto at = open.find(spec);
    if (at != open.end()) return runs[at->second];
    open[spec] = runs.size();
    runs.push_back({.spec = spec, .entries = {}, .born = {}, .files = {}});
    return runs.back();
  }
  static void Close(std::map<int, std::size_t>& open, const Run& run, std::int64_t file) {
    if (EndsRun(file) || run.entries.size() >= kMostFiles) open.erase(run.spec);
  }

  Status WriteDataManifests() {
    std::vector<Run> runs;
    std::map<int, std::size_t> open;
    for (std::size_t i = 0; i < state_.data.size(); ++i) {
      const DataFile& file = state_.data[i];
      Run& run = Open(runs, open, placed_.place(i).spec);
      Entry entry;
      entry.sequence = file.begin;
      entry.location = Location(file.path);
      entry.records = file.records;
      entry.bytes = file.bytes;
      entry.partition = placed_.place(i).tuple;
      run.entries.push_back(std::move(entry));
      run.born.push_back(file.id);
      run.files.push_back(i);
      Close(open, run, file.id);
    }
    return WriteRuns(runs, Content::kData, parent_ == nullptr ? 0 : parent_->count(kNextFileId), data_, added_data_);
  }

  Status WriteDeleteManifests(const std::vector<OwnDeleteFile>& deletes) {
    std::vector<Run> runs;
    std::map<int, std::size_t> open;
    for (const OwnDeleteFile& file : deletes) {
      const std::size_t first = static_cast<std::size_t>(file.data.front() - state_.data.data());
      const auto [least, greatest] = std::minmax_element(file.data.begin(), file.data.end(), [](const DataFile* a, const DataFile* b) { return Location(a->path) < Location(b->path); });
      const std::string lower = Location((*least)->path), upper = Location((*greatest)->path);
      Run& run = Open(runs, open, placed_.place(first).spec);
      run.entries.push_back({.sequence = file.snapshot,
                             .location = file.location,
                             .records = file.records,
                             .bytes = file.bytes,
                             .partition = placed_.place(first).tuple,
                             .column_sizes = {},
                             .value_counts = {},
                             .null_counts = {},
                             .lower = {{kFilePathId, lower}},
                             .upper = {{kFilePathId, upper}},
                             .referenced_data_file = file.data.size() == 1 ? lower : ""});
      run.born.push_back(file.snapshot);
      Close(open, run, file.data.front()->id);
    }
    return WriteRuns(runs, Content::kDeletes, parent_ == nullptr ? 0 : parent_->sequence + 1, deletes_, added_deletes_);
  }

  /// Totals, and what was added. What went away has no entries in our manifests, so it is not counted either.
  Result<std::map<std::string, std::string>> Summary(const std::string& files) {
    std::map<std::string, std::string> summary = {
        {kLakeSnapshot, std::to_string(state_.at.snapshot)}, {kNextFileId, std::to_string(state_.next_file_id)}, {kFiles, files}, {kState, digest_}};
    const auto put = [&](const char* key, std::int64_t value) { summary[key] = std::to_string(value); };
    const auto put_some = [&](const char* key, std::int64_t value) { if (value > 0) put(key, value); };
    const auto before = [&](const char* key) { return parent_ == nullptr ? 0 : parent_->count(key); };
    const std::int64_t gone_files = before("total-data-files") + added_data_.files - data_.files;
    const std::int64_t gone_deletes = before("total-delete-files") + added_deletes_.files - deletes_.files;
    put("total-data-files", data_.files);
    put("total-records", data_.records);
    put("total-files-size", data_.bytes + deletes_.bytes);
    put("total-delete-files", deletes_.files);
    put("total-position-deletes", deletes_.records);
    put("total-equality-deletes", 0);
    put_some("added-data-files", added_data_.files);
    put_some("added-records", added_data_.records);
    put_some("added-delete-files", added_deletes_.files);
    put_some("added-position-delete-files", added_deletes_.files);
    put_some("added-position-deletes", added_deletes_.records);
    put_some("added-files-size", added_data_.bytes + added_deletes_.bytes);

    std::string operation = "overwrite";
    if (gone_files == 0 && gone_deletes == 0 && added_deletes_.files == 0) operation = "append";
    else if (parent_ != nullptr) {
      ASSIGN(const bool compacted, OnlyCompacted(connection_, state_.table_id, parent_->count(kLakeSnapshot), state_.at.snapshot));
      if (compacted) operation = "replace";
    }
    summary["operation"] = operation;
    return summary;
  }

  engine::Connection& connection_;
  const SnapshotFolders& folders_;
  const TableMetadata& metadata_;
  const PlacedState& placed_;
  const TableState& state_;
  const Snapshot* parent_;
  std::string digest_, name_;
  std::vector<ManifestSummary> manifests_;
  Totals data_, added_data_, deletes_, added_deletes_;
};

}  // namespace

PlacedState::PlacedState(const TableState& state, TableMetadata& metadata) : state_(state), schema_id_(metadata.SchemaId(state.fields)) {
  std::vector<PartitionSource> columns;
  for (const Field& field : state.fields) columns.push_back({field.id, field.type});
  fields_.emplace(0, std::vector<PartitionField>());
  std::map<std::int64_t, int> specs;  // by partition_id
  const auto spec_of = [&](std::int64_t partition) {
    if (const auto known = specs.find(partition); known != specs.end()) return known->second;
    int spec = 0;
    const auto keys = state.partitions.find(partition);
    if (keys != state.partitions.end()) {
      if (auto fields = ToPartitionFields(keys->second, columns); fields && !fields->empty()) {
        spec = metadata.SpecId(*fields);
        fields_.emplace(spec, std::move(*fields));
      }
    }
    return specs[partition] = spec;
  };
  places_.reserve(state.data.size());
  for (const DataFile& file : state.data) {
    Place place;
    if (file.partition && !file.partition_lossy) {
      place.spec = spec_of(*file.partition);
      auto tuple = ToTuple(fields_.at(place.spec), file.partition_values);
      if (tuple) place.tuple = std::move(*tuple);
      else place.spec = 0;
    }
    places_.push_back(std::move(place));
  }
  if (state.partition) default_spec_ = spec_of(*state.partition);
}

void PlacedState::TakeNames(const TableMetadata& metadata) {
  for (auto& [id, fields] : fields_) {
    const Spec& spec = metadata.spec(id);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      fields[i].id = spec.fields[i].id;
      fields[i].name = spec.fields[i].name;
    }
  }
}

std::string PlacedState::Digest(const TableMetadata& metadata) const {
  const auto text = [](const nlohmann::json& json) { return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); };
  Fingerprint digest;
  digest.Add(kFormat).Add(metadata.location).Add(schema_id_).Add(text(metadata.schemas.at(schema_id_))).Add(default_spec_);
  for (const auto& [id, fields] : fields_) digest.Add(id).Add(text(ToJson(metadata.spec(id))));
  const auto deletes = PositionDeletes::Signatures(state_);
  for (std::size_t i = 0; i < state_.data.size(); ++i) {
    const DataFile& file = state_.data[i];
    digest.Add(file.id).Add(file.path.string()).Add(file.records).Add(file.bytes).Add(file.begin).Add(places_[i].spec);
    if (const auto deleted = deletes.find(file.id); deleted != deletes.end()) digest.Add(deleted->second);
  }
  return digest.Short();
}

Result<Snapshot> WriteSnapshot(engine::Connection& connection, const SnapshotFolders& folders, const TableMetadata& metadata, const PlacedState& placed,
                               const std::string& files, const Snapshot* parent) {
  return Writer(connection, folders, metadata, placed, parent).Write(files);
}

}  // namespace nano::publish
