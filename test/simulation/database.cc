// SPDX-License-Identifier: Apache-2.0
#include "database.h"

#include <algorithm>

#include "base/check.h"

namespace nano::simulation {
namespace {

constexpr std::uint32_t kBigint = 20, kInt = 23, kText = 25, kNumeric = 1700;

const std::vector<std::string> kPairTexts = {"", "b", "b'1", "č", "\\b", "b\tb"};

std::string Money(std::int64_t cents) { return fmt::format("{}{}.{:02}", cents < 0 ? "-" : "", std::abs(cents) / 100, std::abs(cents) % 100); }

std::int64_t Cents(const std::string& text) {
  const bool negative = text.starts_with('-');
  const std::size_t dot = text.find('.');
  const std::int64_t cents = std::stoll(text.substr(negative ? 1 : 0, dot)) * 100 + std::stoll(text.substr(dot + 1));
  return negative ? -cents : cents;
}

}  // namespace

std::string Table::KeyOf(const std::vector<std::string>& values) const {
  std::string out;
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (columns[key[i]].is_number) out += fmt::format("{:020}", std::stoll(values[i]));
    else out += values[i] + '\0';
  }
  return out;
}

std::string Table::KeyOf(const Row& row) const {
  std::vector<std::string> values;
  for (const std::size_t column : key) values.push_back(*row[column]);
  return KeyOf(values);
}

std::string Snapshot::Text() const {
  std::string out = fmt::format("{}:{}:", xmin, xmax);
  for (std::size_t i = 0; i < running.size(); ++i) out += (i > 0 ? "," : "") + std::to_string(running[i]);
  return out;
}

struct Database::Transaction {
  struct Done {
    std::uint32_t subxid;
    std::shared_ptr<const Change> change;
  };
  std::uint64_t xid = 0;
  std::uint32_t subxid = 0;       ///< 0: no savepoint is open
  std::size_t kind = 0;
  std::int64_t left = 0;
  bool rolls_back = false;
  std::vector<Done> changes;
  std::map<std::pair<std::size_t, std::string>, std::optional<Row>> rows;   ///< as it has made them
  std::set<std::size_t> truncated;

  void Remember(const Change& change) {
    if (change.kind == Change::Kind::kMessage) return;
    if (change.kind == Change::Kind::kTruncate) {
      truncated.insert(change.table);
      std::erase_if(rows, [&](const auto& row) { return row.first.first == change.table; });
      return;
    }
    if (!change.key_before.empty()) rows[{change.table, change.key_before}] = std::nullopt;
    if (change.kind != Change::Kind::kDelete) rows[{change.table, change.key}] = change.after;
  }
  void RollBackTo(std::uint32_t savepoint) {
    std::erase_if(changes, [&](const Done& done) { return done.subxid == savepoint; });
    rows.clear();
    truncated.clear();
    for (const auto& done : changes) Remember(*done.change);
  }
};

Database::Database(Draw draw, Trace& trace, const DatabaseOptions& options) : draw_(draw), trace_(trace) {
  const auto identity = wire::ReplicaIdentity::kDefault;
  const std::vector<Column> account = {{"id", kInt, true}, {"balance", kNumeric}};
  const std::vector<Column> item = {{"id", kBigint, true}, {"price", kNumeric}, {"note", kText}, {"big", kText, false, true}};
  tables_ = {{"giro", 16401, account, {0}, identity},
             {"savings", 16402, account, {0}, identity},
             {"items", 16403, item, {0}, identity},
             {"docs", 16404, item, {0}, wire::ReplicaIdentity::kFull},
             {"pairs", 16405, {{"v", kText}, {"a", kInt, true}, {"b", kText}}, {1, 2}, identity},
             {"loose", 16406, {{"n", kInt, true}, {"t", kText}}, {}, wire::ReplicaIdentity::kFull},
             {"short", 16407, {{"id", kInt, true}, {"v", kText}}, {0}, identity},
             {"log", 16408, {{"id", kBigint, true}, {"what", kText}}, {0}, identity},
             {"other", 16409, {{"id", kInt, true}, {"v", kText}}, {0}, identity}};
  truncations_.resize(tables_.size());
  writers_.resize(tables_.size());
  exclusive_.resize(tables_.size());
  for (std::size_t t = 0; t < tables_.size(); ++t) logged_.push_back(std::make_shared<Rows>());
  for (const char* const name : {"giro", "savings"})
    for (std::size_t id = 1; id <= options.accounts; ++id) {
      Row row{std::to_string(id), "100.00"};
      Loaded(name)[tables_[0].KeyOf(row)] = row;
      money_ += 100'00;
    }
  for (const char* const name : {"items", "docs"})
    for (std::size_t id = 1; id <= options.items; ++id) {
      Row row{std::to_string(id), Money(static_cast<std::int64_t>(id)), Text(8), std::string(draw_.Below(120), 'w')};
      Loaded(name)[tables_[2].KeyOf(row)] = row;
    }
  most_items_ = std::max<std::int64_t>(most_items_, static_cast<std::int64_t>(options.items) * 6 / 5);
  for (int id = 1; id <= 25; ++id) {
    Row row{std::to_string(id), Text(6)};
    Loaded("short")[tables_[Find("short")].KeyOf(row)] = row;
    Row pair{Text(6), std::to_string(id % 9 + 1), draw_.Of(kPairTexts)};
    Loaded("pairs")[tables_[Find("pairs")].KeyOf(pair)] = pair;
  }
  for (int n = 0; n < 30; ++n) Loaded("loose")[fmt::format("{:020}", next_row_++)] = {std::to_string(n % 7), "t" + std::to_string(n % 3)};
  for (int n = 0; n < 10; ++n) {
    Row row{std::to_string(next_event_++), "before"};
    Loaded("log")[tables_[Find("log")].KeyOf(row)] = row;
  }
  for (const auto& rows : logged_) visible_.push_back(std::make_shared<Rows>(*rows));
  clients_.resize(options.clients);
}

Database::~Database() = default;

std::size_t Database::Find(const std::string& name) const {
  for (std::size_t t = 0; t < tables_.size(); ++t)
    if (tables_[t].name == name) return t;
  return std::string::npos;
}

// --- clients

void Database::Tick(std::int64_t passed) {
  wall_ += passed;
  if (draw_.Chance(0.0005)) {
    wall_ += draw_.Between(-120'000'000, 120'000'000);
    trace_.SayFault("server's clock jumps");
  }
  for (auto& client : clients_)
    if (draw_.Chance(0.15)) Work(client);
  for (auto transaction = unseen_.begin(); transaction != unseen_.end();) {
    if (!draw_.Chance(0.4)) {
      ++transaction;
      continue;
    }
    Show(**transaction);
    transaction = unseen_.erase(transaction);
  }
  if (draw_.Chance(0.2)) flushed_ = end_;
}

bool Database::at_rest() const {
  return unseen_.empty() && std::all_of(clients_.begin(), clients_.end(), [](const auto& client) { return !client; });
}

void Database::Work(std::unique_ptr<Transaction>& client) {
  if (!client) {
    if (resting_ || draw_.Chance(0.3)) return;
    client = std::make_unique<Transaction>();
    client->kind = draw_.Below(10);
    client->left = client->kind < 3 ? 1 : draw_.Chance(0.06) ? draw_.Between(20, 60) : draw_.Between(1, 6);
    client->rolls_back = draw_.Chance(0.12);
    return;
  }
  if (client->left-- > 0) return Do(*client);
  if (client->subxid != 0) client->subxid = 0;
  if (client->rolls_back) Abort(std::move(client));
  else Commit(std::move(client));
  client = nullptr;
}

void Database::Do(Transaction& transaction) {
  if (transaction.subxid != 0 && draw_.Chance(0.4)) {
    if (draw_.Chance(0.5)) {
      Write({.kind = WalRecord::Kind::kSubAbort, .xid = static_cast<std::uint32_t>(transaction.xid), .subxid = transaction.subxid});
      transaction.RollBackTo(transaction.subxid);
    }
    transaction.subxid = 0;
  } else if (transaction.subxid == 0 && transaction.xid != 0 && transaction.kind > 3 && draw_.Chance(0.15)) {
    transaction.subxid = static_cast<std::uint32_t>(next_xid_++);
  }
  if (draw_.Chance(0.01)) TellDdl(transaction);
  switch (transaction.kind) {
    case 0: case 1: case 2: return Transfer(transaction);
    case 3: case 4: case 5: return ChangeItem(transaction);
    case 6: return ChangeLoose(transaction);
    case 7: return ChangePair(transaction);
    case 8: return ChangeShort(transaction);
    default: break;
  }
  const std::size_t other = Find("other");
  if (draw_.Chance(0.7)) (void)Insert(transaction, other, {std::to_string(next_event_ * 100 + draw_.Below(100)), Text(4)});
  else (void)Insert(transaction, Find("log"), {std::to_string(next_event_++), Text(12)});
}

/// From one table into the other, and an event of it: a reader must never see a part of it.
void Database::Transfer(Transaction& transaction) {
  const std::size_t giro = Find("giro"), savings = Find("savings");
  const auto from = AnyKey(giro), to = AnyKey(savings);
  if (!from || !to || !Lock(transaction, giro, *from) || !Lock(transaction, savings, *to)) return;
  const std::int64_t amount = draw_.Between(1, 500);
  Row row = *Look(transaction, giro, *from), other = *Look(transaction, savings, *to);
  row[1] = Money(Cents(*row[1]) - amount);
  other[1] = Money(Cents(*other[1]) + amount);
  (void)Update(transaction, giro, *from, row);
  (void)Update(transaction, savings, *to, other);
  if (draw_.Chance(0.7)) (void)Insert(transaction, Find("log"), {std::to_string(next_event_++), "transfer of " + Money(amount)});
}

void Database::ChangeItem(Transaction& transaction) {
  const std::size_t table = Find(draw_.Chance(0.6) ? "items" : "docs");
  const std::string id = std::to_string(draw_.Between(1, most_items_));
  const std::string key = tables_[table].KeyOf(std::vector<std::string>{id});
  if (!Lock(transaction, table, key)) return;
  const Row* const there = Look(transaction, table, key);
  const std::string big(static_cast<std::size_t>(draw_.Between(30, 150)), static_cast<char>('a' + draw_.Below(26)));
  if (!there) {
    (void)Insert(transaction, table, {id, Money(draw_.Between(0, 9999)), Text(20), draw_.Chance(0.7) ? std::optional(big) : std::nullopt});
    return;
  }
  Row row = *there;
  switch (draw_.Below(6)) {
    case 0: (void)Delete(transaction, table, key); return;
    case 1: row[3] = big; break;
    case 2: {   // another key: what comes behind a range that was read, or before it
      row[0] = std::to_string(draw_.Between(1, most_items_ + 40));
      const std::string moved = tables_[table].KeyOf(row);
      if (moved == key || !Lock(transaction, table, moved) || Look(transaction, table, moved)) return;
      break;
    }
    case 3: row[2] = std::nullopt; break;
    default:
      row[1] = Money(draw_.Between(0, 9999));
      row[2] = Text(20);
  }
  (void)Update(transaction, table, key, row);
}

void Database::ChangeLoose(Transaction& transaction) {
  const std::size_t table = Find("loose");
  if (draw_.Chance(0.4)) {
    (void)Insert(transaction, table, {std::to_string(draw_.Between(0, 6)), draw_.Chance(0.1) ? std::nullopt : std::optional("t" + std::to_string(draw_.Below(3)))});
    return;
  }
  const auto key = AnyKey(table);
  if (!key || !Lock(transaction, table, *key)) return;
  const Row* const there = Look(transaction, table, *key);
  if (!there) return;
  if (draw_.Chance(0.5)) {
    (void)Delete(transaction, table, *key);
    return;
  }
  Row row = *there;
  row[1] = "t" + std::to_string(draw_.Below(3));
  (void)Update(transaction, table, *key, row);
}

void Database::ChangePair(Transaction& transaction) {
  const std::size_t table = Find("pairs");
  const Row row{Text(10), std::to_string(draw_.Between(1, 9)), draw_.Of(kPairTexts)};
  const std::string key = tables_[table].KeyOf(row);
  if (!Lock(transaction, table, key)) return;
  if (!Look(transaction, table, key)) (void)Insert(transaction, table, row);
  else if (draw_.Chance(0.3)) (void)Delete(transaction, table, key);
  else (void)Update(transaction, table, key, row);
}

void Database::ChangeShort(Transaction& transaction) {
  const std::size_t table = Find("short");
  if (draw_.Chance(0.25)) {
    (void)Truncate(transaction, table);
    return;
  }
  const Row row{std::to_string(draw_.Between(1, 40)), Text(6)};
  const std::string key = tables_[table].KeyOf(row);
  if (!Lock(transaction, table, key)) return;
  if (Look(transaction, table, key)) (void)Update(transaction, table, key, row);
  else (void)Insert(transaction, table, row);
}

/// As the trigger of ingest/postgres_ddl.h does: the table is to be read once more.
void Database::TellDdl(Transaction& transaction) {
  if (transaction.xid == 0) transaction.xid = next_xid_++;
  const std::string text = fmt::format("ddl {{\"stream\":\"public.{}\",\"because\":\"it was rewritten\"}}", draw_.Of(tables_).name);
  Note(transaction, {Change::Kind::kMessage, 0, {}, text, {}, {}});
}

std::string Database::Text(std::size_t most) {
  static const std::vector<std::string> parts = {"a", "B", "7", " ", "'", "\"", "\\", "\n", "\t", "ß", "雨", "{", "}", ",", "null", "\\N"};
  std::string out;
  for (std::size_t n = draw_.Below(most + 1); n > 0; --n) out += draw_.Of(parts);
  return out;
}

// --- what they do

const Row* Database::Look(const Transaction& transaction, std::size_t table, const std::string& key) const {
  if (const auto made = transaction.rows.find({table, key}); made != transaction.rows.end()) return made->second ? &*made->second : nullptr;
  if (transaction.truncated.contains(table)) return nullptr;
  const auto there = logged_[table]->find(key);
  return there == logged_[table]->end() ? nullptr : &there->second;
}

std::optional<std::string> Database::AnyKey(std::size_t table) {
  const Rows& rows = *logged_[table];
  if (rows.empty()) return std::nullopt;
  return std::next(rows.begin(), static_cast<std::ptrdiff_t>(draw_.Below(rows.size())))->first;
}

bool Database::Lock(Transaction& transaction, std::size_t table, const std::string& key) {
  if (transaction.xid == 0) transaction.xid = next_xid_++;
  if (exclusive_[table] != 0 && exclusive_[table] != transaction.xid) return false;
  const auto [lock, is_new] = locks_.try_emplace({table, key}, transaction.xid);
  if (lock->second != transaction.xid) return false;
  writers_[table].insert(transaction.xid);
  return true;
}

bool Database::Insert(Transaction& transaction, std::size_t table, Row row) {
  const std::string key = tables_[table].key.empty() ? fmt::format("{:020}", next_row_++) : tables_[table].KeyOf(row);
  if (!Lock(transaction, table, key) || Look(transaction, table, key)) return false;
  Note(transaction, {Change::Kind::kInsert, table, {}, key, {}, std::move(row)});
  return true;
}

bool Database::Update(Transaction& transaction, std::size_t table, const std::string& key, Row row) {
  const Row* const there = Look(transaction, table, key);
  if (!there) return false;
  const std::string after = tables_[table].key.empty() ? key : tables_[table].KeyOf(row);
  Note(transaction, {Change::Kind::kUpdate, table, key, after, *there, std::move(row)});
  return true;
}

bool Database::Delete(Transaction& transaction, std::size_t table, const std::string& key) {
  const Row* const there = Look(transaction, table, key);
  if (!there) return false;
  Note(transaction, {Change::Kind::kDelete, table, key, {}, *there, {}});
  return true;
}

bool Database::Truncate(Transaction& transaction, std::size_t table) {
  if (transaction.xid == 0) transaction.xid = next_xid_++;
  if (exclusive_[table] != 0 && exclusive_[table] != transaction.xid) return false;
  if (writers_[table].size() > (writers_[table].contains(transaction.xid) ? 1U : 0U)) return false;
  exclusive_[table] = transaction.xid;
  Note(transaction, {Change::Kind::kTruncate, table, {}, {}, {}, {}});
  return true;
}

void Database::Note(Transaction& transaction, Change change) {
  const auto noted = std::make_shared<const Change>(std::move(change));
  transaction.changes.push_back({transaction.subxid, noted});
  transaction.Remember(*noted);
  Write({.kind = WalRecord::Kind::kChange, .xid = static_cast<std::uint32_t>(transaction.xid), .subxid = transaction.subxid, .change = noted});
}

void Database::Write(WalRecord record) {
  record.begin = end_;
  end_ += static_cast<std::uint64_t>(draw_.Between(4, 40)) * 8;
  record.end = end_;
  log_.push_back(std::move(record));
}

void Database::Apply(const Change& change, std::vector<std::shared_ptr<Rows>>& state) {
  std::shared_ptr<Rows>& rows = state[change.table];
  if (rows.use_count() > 1) rows = std::make_shared<Rows>(*rows);   // somebody's snapshot has it
  if (change.kind == Change::Kind::kMessage) return;
  if (change.kind == Change::Kind::kTruncate) rows->clear();
  if (!change.key_before.empty()) rows->erase(change.key_before);
  if (!change.key.empty()) (*rows)[change.key] = change.after;
}

void Database::Commit(std::unique_ptr<Transaction> transaction) {
  if (transaction->xid == 0) return;
  for (const auto& done : transaction->changes) Apply(*done.change, logged_);
  Write({.kind = WalRecord::Kind::kCommit, .xid = static_cast<std::uint32_t>(transaction->xid), .time = wall_});
  flushed_ = end_;
  unseen_.push_back(std::move(transaction));
}

void Database::Abort(std::unique_ptr<Transaction> transaction) {
  if (transaction->xid == 0) return;
  Write({.kind = WalRecord::Kind::kAbort, .xid = static_cast<std::uint32_t>(transaction->xid)});
  Release(transaction->xid);
}

void Database::Show(const Transaction& transaction) {
  for (const auto& done : transaction.changes) {
    Apply(*done.change, visible_);
    if (done.change->kind == Change::Kind::kTruncate) ++truncations_[done.change->table];
  }
  Release(transaction.xid);
}

void Database::Release(std::uint64_t xid) {
  std::erase_if(locks_, [&](const auto& lock) { return lock.second == xid; });
  for (auto& writers : writers_) writers.erase(xid);
  for (auto& holder : exclusive_)
    if (holder == xid) holder = 0;
}

// --- readers

std::set<std::uint64_t> Database::running() const {
  std::set<std::uint64_t> xids;
  for (const auto& client : clients_)
    if (client && client->xid != 0) xids.insert(client->xid);
  for (const auto& transaction : unseen_) xids.insert(transaction->xid);
  return xids;
}

Snapshot Database::Take() const {
  Snapshot snapshot;
  snapshot.rows.assign(visible_.begin(), visible_.end());
  snapshot.truncations = truncations_;
  const auto xids = running();
  snapshot.running.assign(xids.begin(), xids.end());
  snapshot.xmax = next_xid_;
  snapshot.xmin = xids.empty() ? next_xid_ : *xids.begin();
  return snapshot;
}

Snapshot Database::TakeLogged() const {
  Snapshot snapshot = Take();
  snapshot.rows.assign(logged_.begin(), logged_.end());
  for (const auto& transaction : unseen_)
    for (const auto& done : transaction->changes)
      if (done.change->kind == Change::Kind::kTruncate) ++snapshot.truncations[done.change->table];
  return snapshot;
}

const Rows& Database::RowsOf(const Snapshot& snapshot, std::size_t table) const {
  static const Rows none;
  return truncations_[table] > snapshot.truncations[table] ? none : *snapshot.rows[table];
}

std::uint64_t Database::EmitMessage(const std::string& text) {
  Write({.kind = WalRecord::Kind::kMessage, .text = text});
  const std::uint64_t at = end_;
  Write({.kind = WalRecord::Kind::kCommit, .xid = static_cast<std::uint32_t>(next_xid_++), .time = wall_});
  flushed_ = end_;
  return at;
}

void Database::Crash() {
  trace_.Say("the server crashes: its log ends at {:x} of {:x}", flushed_, end_);
  while (!log_.empty() && log_.back().end > flushed_) log_.pop_back();
  end_ = flushed_;
  for (auto& client : clients_) client.reset();
  for (const auto& transaction : unseen_) Show(*transaction);
  unseen_.clear();
  locks_.clear();
  for (auto& writers : writers_) writers.clear();
  exclusive_.assign(tables_.size(), 0);
  next_xid_ = 700;
  for (const auto& record : log_) next_xid_ = std::max<std::uint64_t>({next_xid_, record.xid + 1ULL, record.subxid + 1ULL});
}

DatabaseCopy Database::Copy() {
  Flush();
  DatabaseCopy copy{log_.size(), end_, {}};
  for (const auto& rows : logged_) copy.rows.push_back(*rows);
  return copy;
}

void Database::Restore(const DatabaseCopy& copy) {
  log_.resize(copy.log_records);
  end_ = flushed_ = copy.end;
  unseen_.clear();
  for (std::size_t t = 0; t < tables_.size(); ++t) {
    logged_[t] = std::make_shared<Rows>(copy.rows[t]);
    visible_[t] = std::make_shared<Rows>(copy.rows[t]);
  }
  Crash();
}

}  // namespace nano::simulation
