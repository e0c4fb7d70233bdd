// SPDX-License-Identifier: Apache-2.0
#include "publish/publisher.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>

#include "io/files.h"
#include "publish/fingerprint.h"
#include "publish/location.h"
#include "publish/snapshot_writer.h"
#include "publish/table_metadata.h"
#include "publish/table_state.h"

namespace nano::publish {
namespace {

/// Snapshots that a table's history keeps, tags apart.
constexpr std::size_t kHistory = 100;
constexpr std::size_t kMetadataLog = 100;
constexpr const char* kTagProperty = "nanohouse.tag.";

/// Reads the catalog as of one moment. Ends by itself.
class ReadTransaction {
 public:
  static Result<ReadTransaction> Begin(engine::Connection& connection) {
    TRY(connection.Execute("BEGIN TRANSACTION"));
    return ReadTransaction(connection);
  }
  ReadTransaction(ReadTransaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  ReadTransaction& operator=(ReadTransaction&&) = delete;
  ~ReadTransaction() {
    if (connection_ != nullptr) (void)connection_->Execute("ROLLBACK");
  }

 private:
  explicit ReadTransaction(engine::Connection& connection) : connection_(&connection) {}
  engine::Connection* connection_;
};

/// The newest metadata of a table.
struct Newest {
  int version = 0;
  std::string location;
  std::optional<TableMetadata> metadata;   ///< none where there is none, or it isn't ours
};

Result<Newest> FindNewest(const std::filesystem::path& folder) {
  Newest newest;
  std::filesystem::path path;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    int version = 0;
    const auto read = std::from_chars(name.data(), name.data() + name.size(), version);
    if (read.ec != std::errc() || read.ptr == name.data() + name.size() || *read.ptr != '-' || !name.ends_with(".metadata.json")) continue;
    if (version < newest.version) continue;
    newest.version = version;
    path = entry->path();
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return Fail(Code::kUnavailable, "the folder {} can not be read: {}", folder.string(), error.message());
  }
  if (path.empty()) return newest;
  ASSIGN(const std::string text, io::ReadFile(path));
  newest.location = Location(path);
  newest.metadata = TableMetadata::Decode(text);
  return newest;
}

class TablePublisher {
 public:
  TablePublisher(engine::Connection& connection, const std::filesystem::path& root, const PublishRequest& request)
      : connection_(connection), root_(root), request_(request), folder_(BuildFolder(root, request.table)), folders_{folder_ / "metadata", folder_ / "deletes"} {}

  Result<Published> Publish() {
    ASSIGN(newest_, FindNewest(folders_.metadata));
    ASSIGN(auto transaction, ReadTransaction::Begin(connection_));
    auto head = Read(request_.snapshot);
    if (!head && head.error().code == Code::kUnsupported) return Refused(head.error().message);
    if (!head) return tl::make_unexpected(head.error());
    published_.warnings = head->warnings;

    TakeUp(*head);
    TRY(DropUnreadable(head->table_id));
    TRY(MakeCurrent(*head));
    TRY(MakeTags());
    Trim();
    TRY(Write());

    const Snapshot& current = *metadata_.snapshot(*metadata_.current_snapshot);
    published_.snapshot_id = current.id;
    published_.snapshot = current.count(kLakeSnapshot);
    published_.files = current.count("total-data-files");
    published_.rows = current.count("total-records") - current.count("total-position-deletes");
    return std::move(published_);
  }

 private:
  Result<TableState> Read(std::int64_t snapshot) {
    TRY(CheckLocation(Location(root_)));
    ASSIGN(TableState state, ReadTableState(connection_, root_, {request_.schema, request_.table, snapshot}, request_.hidden_columns));
    for (const DataFile& file : state.data) TRY(CheckLocation(file.path.string()));
    return state;
  }

  Published Refused(std::string reason) {
    published_.refused = std::move(reason);
    published_.metadata_location = newest_.location;
    return std::move(published_);
  }

  /// Goes on from the metadata before, if it is of this table. After a move its locations are no longer true.
  void TakeUp(const TableState& head) {
    const std::string location = Location(folder_);
    if (newest_.metadata && newest_.metadata->uuid == head.uuid) {
      metadata_ = *newest_.metadata;
      if (metadata_.location != location) {
        metadata_.KeepOnly({});
        metadata_.metadata_log.clear();
      }
    } else {
      metadata_.specs.push_back({});
    }
    metadata_.uuid = head.uuid;
    metadata_.location = location;
  }

  /// Compaction and expiry take files away: a snapshot that named them can't be read any longer.
  Status DropUnreadable(std::int64_t table_id) {
    table_id_ = table_id;
    std::set<std::int64_t> wanted;
    for (const auto& [id, snapshot] : metadata_.snapshots) wanted.insert(snapshot.count(kLakeSnapshot));
    ASSIGN(const auto files, FilesOfSnapshots(connection_, table_id, wanted));
    std::set<std::int64_t> readable;
    for (const auto& [id, snapshot] : metadata_.snapshots) {
      const auto now = files.find(snapshot.count(kLakeSnapshot));
      if (now != files.end() && now->second == snapshot.text(kFiles)) readable.insert(id);
    }
    metadata_.KeepOnly(readable);
    return {};
  }

  /// Writes the snapshot of a state, unless it is there.
  Result<std::int64_t> MakeSnapshot(const TableState& state, const Snapshot* parent) {
    PlacedState placed(state, metadata_);
    metadata_.NameSpecs(head_fields_);
    placed.TakeNames(metadata_);
    default_spec_ = placed.default_spec();
    schema_id_ = placed.schema_id();
    const std::string digest = placed.Digest(metadata_);
    const Snapshot* const current = metadata_.current_snapshot ? metadata_.snapshot(*metadata_.current_snapshot) : nullptr;
    if (current != nullptr && current->text(kState) == digest) return current->id;
    const std::int64_t id = SnapshotId(state.at.snapshot);
    if (const Snapshot* const same = metadata_.snapshot(id); same != nullptr && same->text(kState) == digest) return id;
    ASSIGN(Snapshot snapshot, WriteSnapshot(connection_, folders_, metadata_, placed, FilesOf(state), parent));
    metadata_.snapshots[id] = std::move(snapshot);
    metadata_.last_sequence = std::max(metadata_.last_sequence, state.at.snapshot);
    return id;
  }

  Status MakeCurrent(const TableState& head) {
    head_fields_ = head.fields;
    const Snapshot* parent = metadata_.current_snapshot ? metadata_.snapshot(*metadata_.current_snapshot) : nullptr;
    if (parent != nullptr && parent->sequence >= head.at.snapshot) parent = nullptr;
    ASSIGN(const std::int64_t id, MakeSnapshot(head, parent));
    metadata_.current_schema = schema_id_;
    metadata_.default_spec = default_spec_;
    metadata_.last_column_id = std::max(metadata_.last_column_id, head.last_column_id);
    if (metadata_.current_snapshot != id) {
      std::int64_t time = metadata_.snapshot(id)->timestamp_ms;
      if (!metadata_.snapshot_log.empty()) time = std::max(time, metadata_.snapshot_log.back().first);
      metadata_.snapshot_log.emplace_back(time, id);
      metadata_.current_snapshot = id;
    }
    const std::string doc = request_.doc.empty() ? head.comment : request_.doc;
    if (doc.empty()) metadata_.properties.erase("comment");
    else metadata_.properties["comment"] = doc;
    return {};
  }

  Status MakeTags() {
    const auto before = metadata_.tags;
    std::map<std::string, std::string> noted;
    for (const auto& [key, value] : metadata_.properties) {
      if (key.starts_with(kTagProperty)) noted.emplace(key, value);
    }
    for (const auto& [key, value] : noted) metadata_.properties.erase(key);
    metadata_.tags.clear();
    for (const auto& [tag, lake_snapshot] : request_.tags) {
      const std::string property = kTagProperty + tag, wanted = std::to_string(lake_snapshot);
      const auto known = before.find(tag);
      const auto note = noted.find(property);
      std::int64_t id = SnapshotId(lake_snapshot);
      if (known != before.end() && note != noted.end() && note->second == wanted) {
        id = known->second;
      } else if (lake_snapshot == request_.snapshot) {
        id = *metadata_.current_snapshot;
      } else if (metadata_.snapshot(id) == nullptr) {
        auto state = Read(lake_snapshot);
        if (!state && (state.error().code == Code::kUnsupported || state.error().code == Code::kNotFound)) {
          published_.warnings.push_back(fmt::format("tag \"{}\" is not kept: {}", tag, state.error().message));
          continue;
        }
        if (!state) return tl::make_unexpected(state.error());
        ASSIGN(id, MakeSnapshot(*state, nullptr));
      }
      metadata_.tags[tag] = id;
      metadata_.properties[property] = wanted;
    }
    return {};
  }

  /// The newest snapshots stay, and those with a tag.
  void Trim() {
    std::set<std::int64_t> kept;
    for (const auto& [tag, id] : metadata_.tags) kept.insert(id);
    kept.insert(*metadata_.current_snapshot);
    std::size_t room = kHistory;
    for (auto each = metadata_.snapshots.rbegin(); each != metadata_.snapshots.rend() && room > 0; ++each, --room) kept.insert(each->first);
    metadata_.KeepOnly(kept);
  }

  Status Write() {
    // A snapshot may have been written before the last spec was named.
    metadata_.NameSpecs(head_fields_);
    if (newest_.metadata && newest_.metadata->Encode() == metadata_.Encode()) {
      published_.metadata_location = newest_.location;
      return {};
    }
    if (newest_.metadata && newest_.metadata->location == metadata_.location) {
      metadata_.metadata_log.emplace_back(metadata_.last_updated_ms, newest_.location);
      std::erase_if(metadata_.metadata_log, [](const auto& entry) { return !std::filesystem::exists(LocalPath(entry.second)); });
      const std::size_t count = metadata_.metadata_log.size();
      if (count > kMetadataLog) metadata_.metadata_log.erase(metadata_.metadata_log.begin(), metadata_.metadata_log.end() - kMetadataLog);
    }
    if (!metadata_.snapshot_log.empty()) metadata_.last_updated_ms = std::max(metadata_.last_updated_ms, metadata_.snapshot_log.back().first);
    const std::string text = metadata_.Encode();
    const std::string uuid = Fingerprint().Add(newest_.version).Add(text).Uuid();
    const std::filesystem::path path = folders_.metadata / fmt::format("{:05}-{}.metadata.json", newest_.version + 1, uuid);
    TRY(io::MakeFolders(folders_.metadata, "publish.metadata"));
    TRY(io::WriteFileAtomically(path, text, "publish.metadata"));
    published_.metadata_location = Location(path);
    published_.written = true;
    return {};
  }

  engine::Connection& connection_;
  const std::filesystem::path& root_;
  const PublishRequest& request_;
  std::filesystem::path folder_;
  SnapshotFolders folders_;
  Newest newest_;
  TableMetadata metadata_;
  std::vector<Field> head_fields_;
  std::int64_t table_id_ = 0;
  int schema_id_ = 0, default_spec_ = 0;
  Published published_;
};

}  // namespace

Publisher::Publisher(engine::Connection& connection, const std::filesystem::path& root) : connection_(connection) {
  std::error_code error;
  root_ = std::filesystem::absolute(root, error).lexically_normal();
  if (!root_.has_filename()) root_ = root_.parent_path();
}

Result<Published> Publisher::Publish(const PublishRequest& request) { return TablePublisher(connection_, root_, request).Publish(); }

Status Publisher::WriteNames(const std::map<std::string, std::string>& names) {
  const nlohmann::json document = {{"format", 1}, {"names", names}};
  const std::string text = document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  const std::filesystem::path path = NamesFile(root_);
  if (const auto before = io::ReadFile(path); before && *before == text) return {};
  TRY(io::MakeFolders(path.parent_path(), "publish.names"));
  return io::WriteFileAtomically(path, text, "publish.names");
}

Result<std::map<std::string, std::string>> Publisher::ReadNames() const {
  std::map<std::string, std::string> names;
  const auto text = io::ReadFile(NamesFile(root_));
  if (!text && text.error().code == Code::kNotFound) return names;
  if (!text) return tl::make_unexpected(text.error());
  const auto document = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  const bool good = document.is_object() && document.contains("names") && document["names"].is_object();
  if (!good) return Fail(Code::kCorrupt, "{} is not a file of names", NamesFile(root_).string());
  for (const auto& [name, location] : document["names"].items()) {
    if (location.is_string()) names.emplace(name, location.get<std::string>());
  }
  return names;
}

}  // namespace nano::publish
