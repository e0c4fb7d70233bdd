// SPDX-License-Identifier: Apache-2.0
#include "land/resolve.h"

#include <algorithm>
#include <unordered_map>

#include "change/key.h"
#include "land/rules.h"

namespace nano::land {
namespace {

using wire::Cell;
using Kind = Cell::Kind;
using RejectFn = std::function<void(const Event&, const std::string&, const std::string&)>;

/// PostgreSQL moves no value out of line that is shorter than the pointer to it (TOAST_POINTER_SIZE and header).
constexpr std::size_t kShortest = 20;

bool TooShort(const DataType& type, const Cell& cell) {
  if (cell.kind != Kind::kValue) return true;
  switch (type.kind) {
    case TypeKind::kString:
    case TypeKind::kJson:
    case TypeKind::kBinary: return cell.text.size() <= kShortest;
    case TypeKind::kList:
    case TypeKind::kStruct:
    case TypeKind::kMap: return cell.children.empty();
    default: return true;  // of fixed size, or a short number
  }
}

bool HasUnchanged(std::span<const Cell> cells) {
  for (const Cell& cell : cells)
    if (cell.kind == Kind::kUnchanged) return true;
  return false;
}

/// As Debezium writes it.
char LetterOf(Op op) {
  switch (op) {
    case Op::kInsert: return 'c';
    case Op::kRead: return 'r';
    case Op::kUpdate: return 'u';
    case Op::kDelete: return 'd';
    case Op::kTruncate: return 't';
    case Op::kSnapshotBegin: case Op::kReread: break;
  }
  return 'r';
}

class KeyResolver {
 public:
  KeyResolver(const TablePlan& plan, std::vector<Event>& events, Arena& arena, const RejectFn& reject)
      : plan_(plan), events_(events), arena_(arena), reject_(reject), soft_(plan.is_soft()) {}

  Result<Resolved> Run(const AskLake& ask) {
    TRY(AskForOrigins(ask));
    slots_.reserve(events_.size());
    for (Event& event : events_) Apply(event);
    for (const Slot* const at : order_) {
      const Slot& slot = *at;
      if (slot.untouched) continue;
      out_.removed.push_back(slot.key_cells);
      if (plan_.is_history()) continue;
      if (slot.live || slot.deleted_at != kNoTime)
        out_.rows.push_back({slot.cells, slot.row_position, slot.committed_at, HasUnchanged(slot.cells) ? slot.origin : -1, slot.deleted_at});
    }
    return std::move(out_);
  }

 private:
  struct Slot {
    bool live = false;
    bool has_image = false;        ///< cells hold the row, or the row that was deleted last
    bool rejected = false;         ///< its newest change is in quarantine
    bool untouched = true;         ///< nothing of it came yet that holds
    std::span<Cell> cells, key_cells;
    std::int64_t row_position = 0, committed_at = kNoTime, origin = -1, deleted_at = kNoTime;
  };

  Status AskForOrigins(const AskLake& ask) {
    for (const Event& event : events_) {
      if (event.rejected) continue;
      if (soft_ && event.op == Op::kDelete) {
        if (origin_of_.emplace(event.key, out_.origins.size()).second) out_.origins.push_back(event.key_cells);
        continue;
      }
      if (event.after.empty() || !HasUnchanged(event.after)) continue;
      const bool moved = !event.old_key.empty();
      const std::string_view key = moved ? event.old_key : event.key;
      if (origin_of_.emplace(key, out_.origins.size()).second)
        out_.origins.push_back(moved ? event.old_key_cells : event.key_cells);
    }
    if (out_.origins.empty()) return {};
    ASSIGN(origins_, ask(out_.origins));
    return {};
  }

  Slot& SlotOf(std::string_view key, std::span<Cell> key_cells) {
    const auto [at, made] = slots_.try_emplace(key);
    if (made) {
      at->second.key_cells = key_cells;
      order_.push_back(&at->second);
    }
    return at->second;
  }

  void Apply(Event& event) {
    switch (event.op) {
      case Op::kTruncate:
        for (auto& [key, slot] : slots_) slot.live = slot.has_image = slot.rejected = false;
        out_.truncate = true;
        return;
      case Op::kReread: return;
      case Op::kSnapshotBegin: return;  // a snapshot's rows replace those of the same key
      case Op::kDelete: {
        if (event.rejected) return;
        Delete(event, SlotOf(event.key, event.key_cells));
        return;
      }
      default: break;
    }
    if (event.key.empty()) return;
    if (event.rejected || !FillUnchanged(event)) {
      if (event.rejected) SlotOf(event.key, event.key_cells).rejected = true;
      return;
    }
    Slot& slot = SlotOf(event.key, event.key_cells);
    slot.live = slot.has_image = true;
    slot.rejected = slot.untouched = false;
    slot.deleted_at = kNoTime;
    slot.cells = event.after;
    slot.row_position = event.row_position;
    slot.committed_at = event.committed_at;
    slot.origin = filled_origin_;
    if (plan_.is_history()) out_.rows.push_back({event.after, event.row_position, event.committed_at, HasUnchanged(event.after) ? filled_origin_ : -1});
  }

  void Delete(const Event& event, Slot& slot) {
    if (plan_.is_history()) {
      const auto cells = arena_.Array<Cell>(plan_.inputs.size());
      for (std::size_t k = 0; k < plan_.key.size(); ++k) cells[plan_.key[k]] = event.key_cells[k];
      out_.rows.push_back({cells, event.row_position, event.committed_at, -1, event.committed_at});
    }
    if (!soft_ || KeepDeleted(event, slot)) slot.untouched = false;
    slot.live = slot.rejected = false;
  }

  /// The row stays as it was, with the time of its delete. False: there is nothing to keep.
  bool KeepDeleted(const Event& event, Slot& slot) {
    if (slot.deleted_at != kNoTime) return false;
    if (!slot.live) {
      const std::size_t index = origin_of_.at(event.key);
      if (!origins_[index].exists || origins_[index].deleted) return false;
      const auto cells = arena_.Array<Cell>(plan_.inputs.size());
      for (Cell& cell : cells) cell.kind = Kind::kUnchanged;
      slot.cells = cells;
      slot.origin = static_cast<std::int64_t>(index);
    }
    slot.deleted_at = event.committed_at;
    slot.row_position = event.row_position;
    slot.committed_at = event.committed_at;
    return true;
  }

  /// Replaces what the source did not send, as far as this batch knows it. False: rejected, or passed over.
  bool FillUnchanged(Event& event) {
    filled_origin_ = -1;
    if (!HasUnchanged(event.after)) return true;
    const bool moved = !event.old_key.empty();
    const std::string_view key = moved ? event.old_key : event.key;
    const auto found = slots_.find(key);
    const Slot* slot = found == slots_.end() ? nullptr : &found->second;
    const Origin* origin = nullptr;
    if (slot && slot->rejected) return Refuse(event, "has values that the source did not send, and the change before it is in quarantine");
    if (slot && slot->has_image && (slot->live || moved)) {
      filled_origin_ = slot->origin;
      if (slot->origin >= 0) origin = &origins_[static_cast<std::size_t>(slot->origin)];
    } else if ((slot && !slot->live && !moved) || out_.truncate) {
      return Refuse(event, "has values that the source did not send, and the row was deleted before");
    } else {
      slot = nullptr;
      const std::size_t index = origin_of_.at(key);
      origin = &origins_[index];
      if (!origin->exists) return Refuse(event, "has values that the source did not send, and the table has no such row");
      if (origin->deleted) return Refuse(event, "has values that the source did not send, and the row was deleted before");
      if (origin->doubtful) return Refuse(event, "has values that the source did not send, and the change before it is in quarantine");
      filled_origin_ = static_cast<std::int64_t>(index);
    }
    for (std::size_t i = 0; i < event.after.size(); ++i) {
      Cell& cell = event.after[i];
      if (cell.kind != Kind::kUnchanged) continue;
      const DataType& type = plan_.inputs[i].type;
      const bool from_lake = !slot || slot->cells[i].kind == Kind::kUnchanged;
      const bool is_short = from_lake ? origin && i < origin->too_short.size() && origin->too_short[i] : TooShort(type, slot->cells[i]);
      const bool has_data = !cell.text.empty() || !cell.children.empty();   // what stands for an unsent value, which may be a value
      if (has_data && is_short && CanBeData(type)) cell.kind = Kind::kValue;
      else if (!from_lake) cell = slot->cells[i];
      else if (!plan_.DirectOutput(i) && !CarriedByExpression(event, i))
        return Refuse(event, "has a value that the source did not send, and a column's expression needs it", plan_.inputs[i].name());
    }
    return true;
  }

  /// Whether every expression that reads input `n` reads only unsent values, so that its old result still holds.
  bool CarriedByExpression(const Event& event, std::size_t n) const {
    for (const Output& output : plan_.outputs) {
      bool reads = false, all = true;
      for (const std::size_t input : output.reads) {
        reads = reads || input == n;
        all = all && event.after[input].kind == Kind::kUnchanged;
      }
      if (reads && !all) return false;
    }
    return true;
  }

  bool Refuse(Event& event, const std::string& reason, const std::string& column = "") {
    if (event.pending) return false;   // its row comes whole
    event.rejected = true;
    reject_(event, column, reason);
    return false;
  }

  const TablePlan& plan_;
  std::vector<Event>& events_;
  Arena& arena_;
  const RejectFn& reject_;
  const bool soft_;
  Resolved out_;
  std::vector<Origin> origins_;
  std::unordered_map<std::string_view, std::size_t> origin_of_;
  std::unordered_map<std::string_view, Slot> slots_;
  std::vector<const Slot*> order_;   ///< as their keys were first met; the map's nodes stay where they are
  std::int64_t filled_origin_ = -1;
};

/// Of a table without a key: equal rows are told apart only by how many there are.
class WholeRowResolver {
 public:
  WholeRowResolver(const TablePlan& plan, std::vector<Event>& events, Arena& arena, const RejectFn& reject)
      : plan_(plan), events_(events), arena_(arena), reject_(reject) {}

  Result<Resolved> Run() {
    for (Event& event : events_) Apply(event);
    for (auto& row : rows_)
      if (row.live) out_.rows.push_back(row.row);
    for (auto& [key, vanished] : vanished_)
      if (vanished.times > 0) out_.vanished.push_back(vanished);
    return std::move(out_);
  }

 private:
  struct Pending {
    FinalRow row;
    bool live = true;
  };

  void Apply(Event& event) {
    if (event.op == Op::kTruncate || event.op == Op::kSnapshotBegin) {
      for (auto& row : rows_) row.live = false;
      pending_.clear();
      vanished_.clear();
      out_.truncate = true;
      return;
    }
    if (event.rejected) return;
    if (event.op == Op::kUpdate || event.op == Op::kDelete) {
      if (event.before.empty()) {
        event.rejected = true;
        reject_(event, "", "changes a row that it does not name: the table has no key and the source sent no old values");
        return;
      }
      Remove(event.before);
    }
    if (event.op == Op::kDelete) {
      if (plan_.is_soft())
        rows_.push_back({{event.before, event.row_position, event.committed_at, -1, event.committed_at}, true});
      return;
    }
    if (HasUnchanged(event.after)) {
      event.rejected = true;
      reject_(event, "", "has values that the source did not send, and the table has no key to find them by");
      return;
    }
    pending_[KeyOf(event.after)].push_back(rows_.size());
    rows_.push_back({{event.after, event.row_position, event.committed_at, -1}, true});
  }

  void Remove(std::span<Cell> cells) {
    const std::string_view key = KeyOf(cells);
    if (const auto at = pending_.find(key); at != pending_.end() && !at->second.empty()) {
      rows_[at->second.back()].live = false;
      at->second.pop_back();
      return;
    }
    if (out_.truncate) return;
    auto& vanished = vanished_[key];
    vanished.cells = cells;
    ++vanished.times;
  }

  std::string_view KeyOf(std::span<const Cell> cells) {
    bytes_.clear();
    for (std::size_t i = 0; i < cells.size(); ++i) AppendKey(plan_.inputs[i].type, cells[i], bytes_);
    return arena_.Keep(bytes_);
  }

  const TablePlan& plan_;
  std::vector<Event>& events_;
  Arena& arena_;
  const RejectFn& reject_;
  Resolved out_;
  std::vector<Pending> rows_;
  std::unordered_map<std::string_view, std::vector<std::size_t>> pending_;
  std::unordered_map<std::string_view, Resolved::Vanished> vanished_;
  std::string bytes_;
};

/// An append table takes every row as it comes, a table of events also those that tell of a row that goes.
Resolved ResolveAppend(const TablePlan& plan, std::vector<Event>& events, Arena& arena, const RejectFn& reject) {
  Resolved out;
  for (Event& event : events) {
    if (event.rejected || event.op == Op::kSnapshotBegin) continue;
    std::span<Cell> cells = event.op == Op::kDelete ? event.before : event.after;
    if (cells.empty() && plan.keeps_events()) cells = arena.Array<Cell>(plan.inputs.size());
    if (cells.empty()) continue;
    if (HasUnchanged(cells)) {
      event.rejected = true;
      reject(event, "", "has values that the source did not send, and a table of events has no row to take them from");
      continue;
    }
    out.rows.push_back({cells, event.row_position, event.committed_at, -1, kNoTime, plan.keeps_events() ? LetterOf(event.op) : '\0'});
  }
  return out;
}

}  // namespace

Result<Resolved> Resolve(const TablePlan& plan, std::vector<Event>& events, Arena& arena, const AskLake& ask, const RejectFn& reject) {
  switch (plan.build.definition.identity) {
    case lake::Identity::kKey: return KeyResolver(plan, events, arena, reject).Run(ask);
    case lake::Identity::kWholeRow: return WholeRowResolver(plan, events, arena, reject).Run();
    default: return ResolveAppend(plan, events, arena, reject);
  }
}

}  // namespace nano::land
