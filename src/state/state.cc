// SPDX-License-Identifier: Apache-2.0
#include "state/state.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "io/files.h"
#include "state/sqlite.h"
#include "state/writer_lock.h"

namespace nano::state {
namespace {

constexpr std::int64_t kFormatNumber = 1;
constexpr std::int64_t kApplicationId = 0x4E485354;   // "NHST"

constexpr const char* kSchema = R"(
CREATE TABLE writer (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  epoch INTEGER NOT NULL,
  pid INTEGER NOT NULL,
  host TEXT NOT NULL,
  started INTEGER NOT NULL,
  released INTEGER
) STRICT;
CREATE TABLE snapshot_lease (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  snapshot INTEGER NOT NULL,
  pid INTEGER NOT NULL,
  host TEXT NOT NULL,
  expires INTEGER NOT NULL
) STRICT;
CREATE TABLE run (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  command TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  pid INTEGER NOT NULL,
  host TEXT NOT NULL,
  started INTEGER NOT NULL,
  finished INTEGER,
  outcome TEXT NOT NULL,
  message TEXT NOT NULL,
  counters TEXT NOT NULL
) STRICT;
CREATE TABLE setting (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
)";

constexpr std::array<std::pair<Outcome, std::string_view>, 5> kOutcomes = {{
    {Outcome::kRunning, "running"}, {Outcome::kOk, "ok"}, {Outcome::kFailed, "failed"}, {Outcome::kStopped, "stopped"}, {Outcome::kLost, "lost"}}};

std::string HostName() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

std::int64_t Microseconds(std::chrono::seconds duration) { return std::chrono::microseconds(duration).count(); }

class SqliteState;

class FileLease final : public WriterLease {
 public:
  FileLease(SqliteState& state, WriterLock lock, std::uint64_t epoch) : state_(state), lock_(std::move(lock)), epoch_(epoch) {}
  ~FileLease() override;
  std::uint64_t epoch() const override { return epoch_; }
  Status Check() override;

 private:
  SqliteState& state_;
  WriterLock lock_;
  std::uint64_t epoch_;
};

class SqliteState final : public State {
 public:
  SqliteState(std::filesystem::path local, std::unique_ptr<Sqlite> database, StateOptions options)
      : local_(std::move(local)), database_(std::move(database)), now_(options.now ? std::move(options.now) : NowMicros), host_(HostName()) {}

  Status Prepare() {
    return database_->Transaction([&]() -> Status {
      std::int64_t format = 0, application = 0, tables = 0;
      TRY(database_->Run("PRAGMA user_version", {}, [&](const SqlRow& row) { format = row.integer(0); }));
      TRY(database_->Run("PRAGMA application_id", {}, [&](const SqlRow& row) { application = row.integer(0); }));
      TRY(database_->Run("SELECT count(*) FROM sqlite_schema", {}, [&](const SqlRow& row) { tables = row.integer(0); }));
      if (application != kApplicationId && (tables > 0 || format != 0 || application != 0)) {
        return Fail(Code::kInvalid, "\"{}\" is not a nanohouse state database", (local_ / "state.db").string());
      }
      if (format > kFormatNumber) {
        return WithHint(Fail(Code::kUnsupported, "the state database has format {}, this program reads {}", format, kFormatNumber),
                        "Use the release of nanohouse that wrote it, or a later one.");
      }
      if (format == kFormatNumber) return {};
      TRY(database_->Script(kSchema));
      return database_->Script(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplicationId, kFormatNumber));
    });
  }

  Result<std::unique_ptr<WriterLease>> AcquireWriter() override {
    ASSIGN(auto lock, WriterLock::TryLock(local_ / "run.lock"));
    if (!lock) return Conflict();
    const std::lock_guard guard(mutex_);
    std::int64_t epoch = 0;
    const auto take = [&]() -> Status {
      TRY(database_->Run("SELECT epoch FROM writer", {}, [&](const SqlRow& row) { epoch = row.integer(0); }));
      ++epoch;
      TRY(database_->Run("INSERT OR REPLACE INTO writer (id, epoch, pid, host, started, released) VALUES (1, ?, ?, ?, ?, NULL)",
                         {epoch, std::int64_t{::getpid()}, host_, now_()}));
      return database_->Run("UPDATE run SET outcome = 'lost', finished = ? WHERE outcome = 'running' AND epoch BETWEEN 1 AND ?", {now_(), epoch - 1});
    };
    TRY(database_->Transaction(take));
    return std::make_unique<FileLease>(*this, *std::move(lock), static_cast<std::uint64_t>(epoch));
  }

  Result<std::optional<Holder>> writer() override {
    const std::lock_guard guard(mutex_);
    return Writer();
  }

  Status CheckEpoch(std::uint64_t epoch) {
    const std::lock_guard guard(mutex_);
    ASSIGN(const auto holder, Writer());
    if (holder && holder->epoch == epoch) return {};
    return Fail(Code::kConflict, "another process has taken over writing this warehouse (pid {} on host \"{}\")", holder ? holder->pid : 0,
                holder ? holder->host : "");
  }

  void Release(std::uint64_t epoch) {
    const std::lock_guard guard(mutex_);
    // Where it can't be noted, the lock is given back all the same.
    (void)database_->Run("UPDATE writer SET released = ? WHERE epoch = ?", {now_(), static_cast<std::int64_t>(epoch)});
  }

  Result<std::int64_t> LeaseSnapshot(std::int64_t snapshot, std::chrono::seconds hold) override {
    const std::lock_guard guard(mutex_);
    const Relaxed relaxed(*database_);
    std::int64_t id = 0;
    const auto add = [&]() -> Status {
      TRY(database_->Run("DELETE FROM snapshot_lease WHERE expires <= ?", {now_()}));
      TRY(database_->Run("INSERT INTO snapshot_lease (snapshot, pid, host, expires) VALUES (?, ?, ?, ?)",
                         {snapshot, std::int64_t{::getpid()}, host_, now_() + Microseconds(hold)}));
      id = database_->last_row_id();
      return {};
    };
    TRY(database_->Transaction(add));
    return id;
  }

  Status RenewLease(std::int64_t lease, std::chrono::seconds hold) override {
    const std::lock_guard guard(mutex_);
    const Relaxed relaxed(*database_);
    const std::int64_t now = now_();
    TRY(database_->Run("UPDATE snapshot_lease SET expires = ? WHERE id = ? AND expires > ?", {now + Microseconds(hold), lease, now}));
    if (database_->changes() == 0) return Fail(Code::kNotFound, "the lease on a snapshot has expired");
    return {};
  }

  Status ReleaseLease(std::int64_t lease) override {
    const std::lock_guard guard(mutex_);
    const Relaxed relaxed(*database_);
    return database_->Run("DELETE FROM snapshot_lease WHERE id = ?", {lease});
  }

  Result<std::vector<SnapshotLease>> SnapshotLeases() override {
    const std::lock_guard guard(mutex_);
    std::vector<SnapshotLease> leases;
    TRY(database_->Run("SELECT id, snapshot, pid, host, expires FROM snapshot_lease WHERE expires > ? ORDER BY snapshot, id", {now_()},
                       [&](const SqlRow& row) {
                         leases.push_back({row.integer(0), row.integer(1), static_cast<int>(row.integer(2)), row.text(3), row.integer(4)});
                       }));
    return leases;
  }

  Result<std::int64_t> StartRun(const std::string& command, std::uint64_t epoch) override {
    const std::lock_guard guard(mutex_);
    TRY(database_->Run("INSERT INTO run (command, epoch, pid, host, started, outcome, message, counters) VALUES (?, ?, ?, ?, ?, 'running', '', '{}')",
                       {command, static_cast<std::int64_t>(epoch), std::int64_t{::getpid()}, host_, now_()}));
    return database_->last_row_id();
  }

  Status FinishRun(std::int64_t run, Outcome outcome, const std::string& message, const std::string& counters) override {
    const std::lock_guard guard(mutex_);
    TRY(database_->Run("UPDATE run SET outcome = ?, finished = ?, message = ?, counters = ? WHERE id = ?",
                       {std::string(ToString(outcome)), now_(), message, counters, run}));
    if (database_->changes() == 0) return Fail(Code::kNotFound, "there is no run {}", run);
    return {};
  }

  Result<std::vector<Run>> Runs(std::size_t limit) override {
    const std::lock_guard guard(mutex_);
    std::vector<Run> runs;
    TRY(database_->Run("SELECT id, command, epoch, pid, host, started, finished, outcome, message, counters FROM run ORDER BY id DESC LIMIT ?",
                       {static_cast<std::int64_t>(std::min<std::size_t>(limit, 1U << 30))}, [&](const SqlRow& row) {
                         Run run{row.integer(0), row.text(1), static_cast<std::uint64_t>(row.integer(2)), static_cast<int>(row.integer(3)), row.text(4),
                                 row.integer(5), {}, Outcome::kRunning, row.text(8), row.text(9)};
                         if (!row.null(6)) run.finished = row.integer(6);
                         for (const auto& [outcome, name] : kOutcomes) {
                           if (name == row.text(7)) run.outcome = outcome;
                         }
                         runs.push_back(std::move(run));
                       }));
    return runs;
  }

  Result<std::optional<std::string>> Get(const std::string& key) override {
    const std::lock_guard guard(mutex_);
    std::optional<std::string> value;
    TRY(database_->Run("SELECT value FROM setting WHERE key = ?", {key}, [&](const SqlRow& row) { value = row.text(0); }));
    return value;
  }

  Status Put(const std::string& key, const std::string& value) override {
    const std::lock_guard guard(mutex_);
    return database_->Run("INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", {key, value});
  }

  Status Remove(const std::string& key) override {
    const std::lock_guard guard(mutex_);
    return database_->Run("DELETE FROM setting WHERE key = ?", {key});
  }

 private:
  /// A reader's lease need not outlive a power cut, as no reader does: its commits do not wait for the disk.
  class Relaxed {
   public:
    explicit Relaxed(Sqlite& database) : database_(database) { (void)database_.Script("PRAGMA synchronous = NORMAL"); }
    Relaxed(const Relaxed&) = delete;
    Relaxed& operator=(const Relaxed&) = delete;
    ~Relaxed() { (void)database_.Script("PRAGMA synchronous = FULL"); }

   private:
    Sqlite& database_;
  };

  Result<std::optional<Holder>> Writer() {
    std::optional<Holder> holder;
    TRY(database_->Run("SELECT epoch, pid, host, started, released FROM writer", {}, [&](const SqlRow& row) {
      holder = Holder{static_cast<std::uint64_t>(row.integer(0)), static_cast<int>(row.integer(1)), row.text(2), row.integer(3), row.null(4)};
    }));
    // A process that died could not say so.
    if (holder && holder->held && holder->host == host_ && ::kill(holder->pid, 0) != 0 && errno == ESRCH) holder->held = false;
    return holder;
  }

  /// Names who holds the lock. It may have it for an instant without having said who it is.
  tl::unexpected<Error> Conflict() {
    for (int attempt = 0; attempt < 50; ++attempt) {
      auto holder = writer();
      if (holder && *holder && (*holder)->held) {
        return WithHint(Fail(Code::kConflict, "another process writes this warehouse: pid {} on host \"{}\"", (*holder)->pid, (*holder)->host),
                        "Wait until it has ended, or stop it.");
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return Fail(Code::kConflict, "another process writes this warehouse (it holds \"{}\")", (local_ / "run.lock").string());
  }

  std::filesystem::path local_;
  std::mutex mutex_;
  std::unique_ptr<Sqlite> database_;    // guarded by mutex_
  std::function<std::int64_t()> now_;
  std::string host_;
};

FileLease::~FileLease() { state_.Release(epoch_); }

Status FileLease::Check() { return state_.CheckEpoch(epoch_); }

}  // namespace

std::string_view ToString(Outcome outcome) {
  for (const auto& [value, name] : kOutcomes) {
    if (value == outcome) return name;
  }
  return "unknown";
}

Result<std::unique_ptr<State>> State::Open(const std::filesystem::path& local, const StateOptions& options) {
  TRY(io::MakeFolders(local, "state"));
  ASSIGN(auto database, Sqlite::Open(local / "state.db"));
  auto state = std::make_unique<SqliteState>(local, std::move(database), options);
  TRY(state->Prepare());
  return state;
}

}  // namespace nano::state
