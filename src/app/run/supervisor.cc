// SPDX-License-Identifier: Apache-2.0
#include "app/run/supervisor.h"

#include <strings.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "app/plan_run.h"
#include "app/findings.h"
#include "app/progress.h"
#include "app/quarantine_retry.h"
#include "app/source_reread.h"
#include "io/log.h"
#include "io/service_notify.h"
#include "io/signals.h"
#include "migrate/apply.h"
#include "wire/json_get.h"

namespace nano::app {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// What one source may have journaled and not landed, in memory.
constexpr std::size_t kMostWaitingBytes = 64 << 20;
/// Landing that shows no sign of life for so long hangs: the longest batch takes far less.
constexpr auto kHangs = std::chrono::minutes(10);
constexpr auto kLookAtDisks = std::chrono::seconds(1);
/// A post may wait so long until it is taken to be journaled.
constexpr auto kPatience = std::chrono::seconds(30);

/// Sources whose own definition, or some table of theirs, is among the changes.
std::set<std::string> Touched(const std::vector<contract::Change>& changes, const contract::Contract& contract) {
  std::set<std::string> touched;
  for (const auto& change : changes) {
    const std::string object = change.object.substr(0, change.object.find('.'));
    touched.insert(object);
    if (const auto* const table = contract.table(object))
      for (const auto& feed : table->sources) touched.insert(feed.source);
  }
  return touched;
}

/// What `source resync`, `heal` and `reset` ask.
std::optional<ingest::Asked> AskedNamed(const std::string& verb) {
  for (const auto asked : {ingest::Asked::kResync, ingest::Asked::kHeal, ingest::Asked::kReset})
    if (verb == ingest::Name(asked)) return asked;
  return std::nullopt;
}

Error NoSuchSource(const std::string& name) {
  return {Code::kNotFound, fmt::format("there is no source \"{}\"", name), "`nanohouse source list` lists them.", {}, {}};
}

}  // namespace

Supervisor::Supervisor(std::filesystem::path folder, Warehouse warehouse, std::unique_ptr<WarehouseWriter> writer, std::shared_ptr<const contract::Contract> contract)
    : folder_(std::move(folder)), warehouse_(std::move(warehouse)), writer_(std::move(writer)), contract_(std::move(contract)), mailbox_(kMostWaitingBytes) {}

Supervisor::~Supervisor() {
  control_.reset();
  slots_.reset();
  door_.reset();
  tasks_.clear();
  if (publishing_) publishing_->Stop();
  landing_.reset();   // tells publishing_ of its last commits
}

std::shared_ptr<const contract::Contract> Supervisor::contract() const {
  const std::lock_guard lock(contract_mutex_);
  return contract_;
}

Status Supervisor::Start() {
  LandingWatch watch;
  watch.on_commit = [this](const std::string& source, const std::map<std::string, land::TableLanded>& tables, std::chrono::duration<double> took) {
    metrics_.Committed(source, tables, took);
    if (publishing_) publishing_->Committed();
    std::uint64_t rows = 0;
    for (const auto& [table, landed] : tables) rows += landed.rows;
    io::Log(io::LogLevel::kDebug, "landed", {{"source", source}, {"rows", static_cast<std::int64_t>(rows)}, {"seconds", std::round(took.count() * 1000) / 1000}});
  };
  const auto contract = this->contract();
  landing_ = std::make_unique<Landing>(*writer_, contract, warehouse_.layout, mailbox_, health_, watch);
  publishing_ = std::make_unique<Publishing>(*landing_, warehouse_.layout, std::chrono::seconds(std::max<std::int64_t>(contract->storage.publish_every_seconds, 1)),
                                             contract->storage.publish);
  CheckDisks();
  if (!contract->http.listen.empty()) {
    ASSIGN(Secret token, contract->http.token.Resolve());
    ASSIGN(door_, HttpDoor::Open(contract->http.listen, std::move(token), Answers()));
  }
  ASSIGN(control_, ServeControl(warehouse_.layout, [this](const Json& request) { return Answer(request); }));
  const std::lock_guard lock(changing_);
  for (const auto& name : contract->used_sources()) StartSource(name);
  slots_ = std::make_unique<Slots>(health_, [this] { return this->contract(); }, [this](const std::string& source, const std::string& why) { SlotDropped(source, why); });
  io::Log(io::LogLevel::kInfo, "running", {{"warehouse", contract->warehouse}, {"sources", static_cast<std::int64_t>(tasks_.size())},
                                           {"tables", static_cast<std::int64_t>(contract->tables.size())}, {"http", address().empty() ? "off" : address()}});
  return {};
}

std::shared_ptr<ingest::PostBox> Supervisor::Posts(const std::string& source) {
  const std::lock_guard lock(posts_mutex_);
  auto& box = posts_[source];
  if (!box) box = std::make_shared<ingest::PostBox>();
  return box;
}

/// 200: what it says is durable. 400: it is nothing that could be taken, and nothing of it was. 503: not now.
PostAnswer Supervisor::TakePost(const std::string& path, const PostHeaders& headers, const std::string& body) {
  const auto contract = this->contract();
  const auto source = std::find_if(contract->sources.begin(), contract->sources.end(), [&](const contract::Source& one) {
    return one.kind == contract::Source::Kind::kDebeziumHttp && one.http_path == path;
  });
  if (source == contract->sources.end()) return {404, "no source is posted to on this path"};
  auto messages = wire::SplitDebeziumPost(headers, body);
  if (!messages) return {400, messages.error().message};
  ingest::Post post;
  for (const auto& [name, value] : headers)
    if (::strcasecmp(name.c_str(), "webhook-id") == 0 && !value.empty() && value.size() <= 256) post.id = value;
  post.id_is_senders = !post.id.empty();
  if (!post.id_is_senders) post.id = ingest::DigestOf(*messages);
  post.bytes = body.size();
  const std::size_t count = messages->size();
  post.messages = *std::move(messages);
  if (const Status durable = Posts(source->name)->Deliver(std::move(post), kPatience); !durable) return {503, durable.error().message};
  return {200, fmt::format("{} taken", CountText(count))};
}

SourceSurroundings Supervisor::Surroundings(const std::string& source) {
  const bool posted = contract()->source(source)->kind == contract::Source::Kind::kDebeziumHttp;
  return {*landing_, mailbox_, health_, warehouse_.layout, posted ? Posts(source) : nullptr, [this] {
            const std::lock_guard lock(disk_mutex_);
            return disk_full_;
          }};
}

void Supervisor::StartSource(const std::string& name) {
  tasks_.erase(name);
  tasks_.emplace(name, std::make_unique<SourceTask>(contract(), name, Surroundings(name)));
}

void Supervisor::StopSource(const std::string& name) {
  const auto task = tasks_.find(name);
  if (task == tasks_.end()) return;
  task->second->RequestStop();
  for (int n = 0; n < 100 && !task->second->ended(); ++n) std::this_thread::sleep_for(milliseconds(50));
  if (!task->second->ended()) mailbox_.Close(name);   // it waits for room; what it journaled is landed when it starts again
  tasks_.erase(task);
}

void Supervisor::Run(milliseconds grace, const std::function<void()>& tick) {
  io::NotifyService("READY=1");
  const auto watchdog = io::WatchdogInterval();
  auto next_look = Clock::now();
  auto next_sign = Clock::now();
  while (!io::StopRequested()) {
    if (Clock::now() >= next_look) {
      CheckDisks();
      next_look = Clock::now() + kLookAtDisks;
    }
    if (watchdog && Clock::now() >= next_sign && Clock::now() - landing_->last_beat() < kHangs) {
      io::NotifyService("WATCHDOG=1");
      next_sign = Clock::now() + *watchdog / 3;
    }
    if (io::TakeReloadRequest()) Reload();
    tick();
    std::this_thread::sleep_for(milliseconds(100));
  }
  io::NotifyService("STOPPING=1");
  io::Log(io::LogLevel::kInfo, "stopping", {});
  // What is left after `grace` is in the journals: the next run lands it.
  std::atomic<bool> drained{false};
  std::jthread late([&, until = Clock::now() + grace] {
    while (!drained && Clock::now() < until) std::this_thread::sleep_for(milliseconds(20));
    if (drained) return;
    for (const auto& [name, source] : health_.All()) mailbox_.Close(name);
    const auto last = Clock::now() + milliseconds(1000);
    while (!drained && Clock::now() < last) std::this_thread::sleep_for(milliseconds(20));
    if (drained) return;
    const std::string message = "stopped before everything was landed: the next run goes on from here";
    io::Log(io::LogLevel::kWarning, message);
    writer_->Finish(state::Outcome::kStopped, message, "{}");
    std::_Exit(0);
  });
  control_.reset();
  slots_.reset();
  {
    const std::lock_guard lock(posts_mutex_);
    for (const auto& [name, box] : posts_) box->Refuse("the warehouse stops");
  }
  door_.reset();
  {
    const std::lock_guard lock(changing_);
    for (auto& [name, task] : tasks_) task->RequestStop();
    tasks_.clear();
  }
  publishing_->Stop();
  landing_->Drain();
  drained = true;
  Json counters{{"sources", Json::object()}};
  std::string message;
  for (const auto& [name, health] : health_.All()) {
    counters["sources"][name] = {{"records", health.landed.records}, {"rows", health.landed.rows}, {"position", health.in_tables.value}};
    if (health.worst().state >= SourceState::kBackoff) {
      counters["sources"][name]["error"] = {{"message", health.worst().reason}, {"hint", health.worst().hint}};
      if (message.empty()) message = fmt::format("source \"{}\": {}", name, health.worst().reason);
    }
  }
  writer_->Finish(message.empty() ? state::Outcome::kOk : state::Outcome::kFailed, message, counters.dump(-1, ' ', false, Json::error_handler_t::replace));
  io::Log(io::LogLevel::kInfo, "stopped");
}

/// Its journal remembers why, so that whoever opens the source next says so, or heals it.
void Supervisor::SlotDropped(const std::string& source, const std::string& why) {
  const std::lock_guard lock(changing_);
  if (io::StopRequested() || !contract()->source(source)) return;
  const bool reads = tasks_.contains(source);
  StopSource(source);
  const auto noted = [&]() -> Status {
    ASSIGN(const auto journal, journal::Writer::Open(warehouse_.layout.journal(source), source));
    return ingest::NoteDropped(*journal, why);
  }();
  if (!noted) io::Log(io::LogLevel::kError, "slot dropped", {{"source", source}, {"reason", noted.error().message}});
  if (reads) StartSource(source);
}

void Supervisor::CheckDisks() {
  const auto keep = static_cast<std::uint64_t>(std::max<std::int64_t>(contract()->storage.keep_free_bytes, 0));
  std::string full;
  for (const auto& folder : {warehouse_.layout.local, warehouse_.layout.root}) {
    struct statvfs disk {};
    if (::statvfs(folder.c_str(), &disk) != 0) continue;
    const std::uint64_t free = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
    if (free < keep && full.empty()) full = fmt::format("the disk of \"{}\" is nearly full: {} free, `storage.keep_free` is {}", folder.string(), BytesText(free), BytesText(keep));
  }
  const std::lock_guard lock(disk_mutex_);
  // The amount that is free changes all the time; the first one is told.
  if (disk_full_.empty() != full.empty()) disk_full_ = std::move(full);
}

void Supervisor::Reload() {
  Exit exit = Exit::kDone;
  const auto done = Apply("", exit);
  if (!done) io::Log(io::LogLevel::kError, "not reloaded", {{"reason", done.error().message}, {"hint", done.error().hint}});
}

Json Supervisor::Sources() const {
  Json out = Json::array();
  const auto contract = this->contract();
  const auto all = health_.All();
  for (const auto& source : contract->sources) {
    const auto found = all.find(source.name);
    SourceHealth health;
    if (found != all.end()) health = found->second;
    else health.reading = health.landing = {SourceState::kStopped, "no table uses it", ""};
    const Condition& condition = health.worst();
    out.push_back({{"name", source.name},
                   {"state", Name(condition.state)},
                   {"reason", condition.reason.empty() ? Json() : Json(condition.reason)},
                   {"hint", condition.hint.empty() ? Json() : Json(condition.hint)},
                   {"position", health.in_tables.value},
                   {"journaled", health.journaled.value},
                   {"lag", {{"records", health.lag_records()}, {"bytes", health.lag_records() > 0 ? health.waiting_bytes : 0}, {"seconds", health.lag_seconds()}}},
                   {"read", {{"records", health.read.messages}, {"bytes", health.read.bytes}, {"replayed", health.read.replayed}}},
                   {"doing", health.read.note.empty() ? Json() : Json(health.read.note)},
                   {"warning", health.slot_warning.empty() ? Json() : Json(health.slot_warning)},
                   {"failures", health.failures}});
  }
  return out;
}

ControlAnswer Supervisor::Answer(const Json& request) {
  ControlAnswer answer;
  answer.exit = Exit::kCouldNot;
  auto done = Do(wire::Get(request, "do", ""), request, answer.exit);
  if (done) {
    answer.result = *std::move(done);
    answer.exit = Exit::kDone;
  } else {
    answer.error = std::move(done).error();
  }
  return answer;
}

Result<Json> Supervisor::Do(const std::string& what, const Json& request, Exit& exit) {
  if (what == "status") return Json{{"sources", Sources()}, {"http", address()}, {"pid", ::getpid()}};
  if (what == "apply") return Apply(wire::Get(request, "bundle", ""), exit);
  if (what == "publish") {
    ASSIGN(const auto names, publishing_->Now());
    return PublishedJson(names);
  }
  if (what == "quarantine retry") return RetryQuarantine(request);
  if (what == "stop") {
    io::RequestStop();
    return Json::object();
  }
  if (what.starts_with("source ")) return DoSource(what.substr(7), request);
  return Fail(Code::kUnsupported, "the running warehouse does not know \"{}\": it may be of another release", what);
}

Result<Json> Supervisor::DoSource(const std::string& what, const Json& request) {
  if (what == "list") return Json{{"sources", Sources()}};
  const std::string name = wire::Get(request, "source", "");
  const std::lock_guard lock(changing_);
  if (!contract()->source(name)) return tl::make_unexpected(NoSuchSource(name));
  const auto asked = AskedNamed(what);
  if (asked) TRY(RereadableSource(*contract(), name));
  if (what == "stop" || what == "restart" || asked) StopSource(name);
  const Status noted = asked ? AskSource(*contract(), warehouse_.layout, name, *asked, wire::Get(request, "tables", std::vector<std::string>{})) : Status();
  if (what == "start") {
    // Starting what runs is done already.
    if (const auto task = tasks_.find(name); task != tasks_.end() && !task->second->ended()) return Json{{"sources", Sources()}};
  }
  if (what == "start" || what == "restart" || asked) {
    tasks_.erase(name);
    TRY(landing_->Call([&](lake::Writer&) -> Status {
      landing_->Forgive(name);
      return {};
    }));
    health_.Set(name, Health::Part::kLanding, {SourceState::kRunning, "", ""});
    StartSource(name);
    TRY(noted);
  } else if (what == "stop") {
    health_.Set(name, Health::Part::kLanding, {SourceState::kStopped, "", ""});
    health_.Set(name, Health::Part::kReading, {SourceState::kStopped, "it was told to stop", fmt::format("`nanohouse source start {}` starts it.", name)});
  } else {
    return Fail(Code::kUnsupported, "a source can't be told to \"{}\"", what);
  }
  return Json{{"sources", Sources()}};
}

/// `apply` and `reload`: the files as they are now, if `plan` says nothing breaking of them. What did not change goes on.
Result<Json> Supervisor::Apply(const std::string& bundle, Exit& exit) {
  const std::lock_guard lock(changing_);
  exit = Exit::kFailed;
  ASSIGN(Warehouse wanted, LoadWarehouse(folder_));
  if (!wanted.parsed.ok()) return FindingsError(wanted.parsed.findings);
  if (!bundle.empty() && wanted.contract->bundle != bundle)
    return WithHint(Fail(Code::kConflict, "the files have changed since they were looked at"), "Say `nanohouse apply` again.");
  ASSIGN(const Plan plan, MakePlan(wanted));
  if (!plan.refusals.empty()) return tl::make_unexpected(plan.refusals.front());
  exit = Exit::kCouldNot;
  Json out{{"version", plan.deployed}, {"created", Json::array()}, {"revised", Json::array()}, {"restarted", Json::array()}};
  if (plan.same_files) return out;
  const auto before = contract();
  const std::shared_ptr<const contract::Contract> after = wanted.contract;
  std::set<std::string> touched = Touched(plan.changes, *after);
  for (const auto& source : before->sources)
    if (!after->source(source.name) || touched.contains(source.name)) StopSource(source.name);
  migrate::AppliedTables applied;
  const Status changed = landing_->Call([&](lake::Writer& lake) -> Status {
    ASSIGN(applied, migrate::Apply(lake, *after));
    landing_->SetContract(after);
    return {};
  });
  if (changed) {
    const std::lock_guard contract_lock(contract_mutex_);
    contract_ = after;
  }
  const auto now = contract();
  for (const auto& name : now->used_sources()) {
    const auto task = tasks_.find(name);
    if (task != tasks_.end() && !task->second->ended()) continue;
    StartSource(name);
    out["restarted"].push_back(name);
  }
  TRY(changed);
  for (const auto& source : before->sources)
    if (!now->source(source.name)) health_.Forget(source.name);
  out["version"] = applied.version;
  out["created"] = applied.created;
  out["revised"] = applied.revised;
  if (now->http.listen != before->http.listen || now->http.token.text() != before->http.token.text()) {
    door_.reset();
    if (!now->http.listen.empty()) {
      ASSIGN(Secret token, now->http.token.Resolve());
      ASSIGN(door_, HttpDoor::Open(now->http.listen, std::move(token), Answers()));
    }
  }
  io::Log(io::LogLevel::kInfo, "applied", {{"version", static_cast<std::int64_t>(applied.version)}, {"made", static_cast<std::int64_t>(applied.created.size())},
                                           {"changed", static_cast<std::int64_t>(applied.revised.size())}, {"restarted", static_cast<std::int64_t>(out["restarted"].size())}});
  return out;
}

Result<Json> Supervisor::RetryQuarantine(const Json& request) {
  const RetryArguments arguments = RetryArgumentsOf(request);
  Json out;
  TRY(landing_->Call([&](lake::Writer& lake) -> Status {
    ASSIGN(out, RetryNow(lake, warehouse_.layout, *contract(), arguments));
    return {};
  }));
  publishing_->Committed();
  return out;
}

DoorAnswers Supervisor::Answers() {
  DoorAnswers answers;
  answers.unhealthy = [this] { return Clock::now() - landing_->last_beat() < kHangs ? std::string() : std::string("landing hangs"); };
  answers.unready = [this] {
    std::string trouble;
    for (const auto& [name, health] : health_.All())
      if (health.worst().state == SourceState::kFailed) trouble += fmt::format("{}source \"{}\" waits for a person: {}", trouble.empty() ? "" : "\n", name, health.worst().reason);
    return trouble;
  };
  answers.post = [this](const std::string& path, const PostHeaders& headers, const std::string& body) { return TakePost(path, headers, body); };
  answers.metrics = [this] {
    std::vector<watch::TableStatus> tables;
    {
      const auto held = landing_->HoldLake();
      if (const auto connection = landing_->database().Connect())
        if (auto read = watch::ReadTables(**connection)) tables = *std::move(read);
    }
    return metrics_.Text(health_.All(), tables, publishing_->state());
  };
  return answers;
}

}  // namespace nano::app
