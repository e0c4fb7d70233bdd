// SPDX-License-Identifier: Apache-2.0
#include "wire/debezium.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "wire/debezium_form.h"
#include "wire/json_token.h"

namespace nano::wire {
namespace {

template <class Number>
std::optional<Number> ReadNumber(std::string_view text) {
  Number number{};
  if (IsString(text)) text = Inside(text);
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || text.empty() || at != text.data() + text.size()) return std::nullopt;
  return number;
}

/// The text of a string token; of another, the token; of null and nothing, nothing.
std::string_view TextOf(std::string_view token, Arena& arena) {
  if (token.empty() || IsNull(token)) return {};
  std::string_view text;
  if (!IsString(token)) return token;
  return Unescape(token, arena, text) ? text : std::string_view();
}

std::string_view Joined(std::string_view first, std::string_view second, Arena& arena) {
  if (first.empty()) return second;
  char* const at = arena.Allocate(first.size() + 1 + second.size());
  std::memcpy(at, first.data(), first.size());
  at[first.size()] = '.';
  std::memcpy(at + first.size() + 1, second.data(), second.size());
  return {at, first.size() + 1 + second.size()};
}

/// "4711" of "4711:65082936", PostgreSQL's; other connectors' ids as they are.
std::string_view TransactionOf(std::string_view id) {
  const std::size_t colon = id.find(':');
  if (colon == std::string_view::npos || colon == 0) return id;
  const std::string_view first = id.substr(0, colon);
  return first.find_first_not_of("0123456789") == std::string_view::npos ? first : id;
}

/// Microseconds of whichever clock a block has.
std::int64_t CommitTime(std::string_view ts_us, std::string_view ts_ms, std::string_view ts_ns) {
  if (const auto micros = ReadNumber<std::int64_t>(ts_us)) return *micros;
  std::int64_t micros = -1;
  if (const auto nanos = ReadNumber<std::int64_t>(ts_ns)) return *nanos / 1000;
  if (const auto millis = ReadNumber<std::int64_t>(ts_ms); millis && !__builtin_mul_overflow(*millis, 1000, &micros)) return micros;
  return -1;
}

std::string_view StreamOfTopic(std::string_view topic) {
  const std::size_t dot = topic.find('.');
  return dot == std::string_view::npos ? topic : topic.substr(dot + 1);
}

char OpOf(std::string_view text) { return text.size() == 1 && std::string_view("cudrtm").find(text[0]) != std::string_view::npos ? text[0] : '\0'; }

}  // namespace

struct DebeziumDecoder::Schemas {
  struct Entry {
    std::string text;
    std::unique_ptr<ConnectSchema> schema;
    std::uint64_t met = 0;
  };
  static constexpr std::size_t kRecent = 12;
  static constexpr std::size_t kMostBytes = 16u << 20;

  /// The schema that stands at `text[at]`, and past it. Most messages have the schema of one just before them, which
  /// is then not scanned at all. Null with `token` set: JSON, but no schema.
  bool Take(std::string_view text, std::size_t& at, std::string_view& token, const ConnectSchema*& schema) {
    const std::string_view rest = text.substr(at);
    for (std::size_t i = 0; i < recent.size(); ++i) {
      Entry* const entry = recent[i];
      if (!rest.starts_with(entry->text)) continue;
      std::rotate(recent.begin(), recent.begin() + static_cast<std::ptrdiff_t>(i), recent.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      entry->met = round;
      token = rest.substr(0, entry->text.size());
      at += token.size();
      schema = entry->schema.get();
      return true;
    }
    if (!ScanToken(text, at, token)) return false;
    schema = Find(token);
    return true;
  }

  const ConnectSchema* Find(std::string_view token) {
    if (!IsObject(token)) return nullptr;
    auto found = entries.find(token);
    if (found == entries.end()) {
      auto schema = ParseConnectSchema(token);
      if (schema == nullptr) return nullptr;
      auto entry = std::make_unique<Entry>(Entry{std::string(token), std::move(schema), 0});
      const std::string_view key = entry->text;
      bytes += key.size();
      found = entries.emplace(key, std::move(entry)).first;
    }
    Entry* const entry = found->second.get();
    entry->met = round;
    std::erase(recent, entry);
    recent.insert(recent.begin(), entry);
    if (recent.size() > kRecent) recent.pop_back();
    return entry->schema.get();
  }

  void Trim() {
    ++round;
    if (bytes <= kMostBytes) return;
    recent.clear();
    for (auto it = entries.begin(); it != entries.end();) {
      if (it->second->met + 1 < round) {
        bytes -= it->first.size();
        const auto gone = std::move(it->second);
        it = entries.erase(it);
      } else {
        ++it;
      }
    }
  }

  std::unordered_map<std::string_view, std::unique_ptr<Entry>> entries;
  std::vector<Entry*> recent;
  std::size_t bytes = 0;
  std::uint64_t round = 1;
  std::vector<std::uint32_t> slots;   ///< of TakeFields: an open hash table of the row's names
};

namespace {

/// {"schema": …, "payload": …}, or the payload alone.
struct Framed {
  std::string_view payload;
  const ConnectSchema* schema = nullptr;
};

template <class Schemas>
class Decoding {
 public:
  Decoding(Schemas& schemas, Arena& arena) : schemas_(schemas), arena_(arena) {}

  bool Unframe(std::string_view text, Framed& framed) {
    std::size_t at = text.find_first_not_of(" \t\r\n");
    constexpr std::string_view kOpening = "{\"schema\":";
    if (at != std::string_view::npos && text.substr(at).starts_with(kOpening)) {
      // As the converter writes it: the schema first.
      std::size_t past = at + kOpening.size();
      std::string_view token;
      if (!schemas_.Take(text, past, token, framed.schema)) return false;
      constexpr std::string_view kPayload = ",\"payload\":";
      if ((framed.schema != nullptr || IsNull(token)) && text.substr(past).starts_with(kPayload)) {
        past += kPayload.size();
        if (!ScanToken(text, past, framed.payload)) return false;
        past = text.find_first_not_of(" \t\r\n", past);
        if (past != std::string_view::npos && text[past] == '}' && text.find_first_not_of(" \t\r\n", past + 1) == std::string_view::npos)
          return true;
      }
      framed = {};
    }
    std::string_view token;
    if (!WholeToken(text, token)) return false;
    UnframeToken(token, framed);
    return true;
  }

  void UnframeToken(std::string_view token, Framed& framed) {
    framed.payload = token;
    if (!IsObject(token)) return;
    std::string_view name, value, schema, payload;
    for (JsonObject members(token); members.Next(name, value);) {
      if (name == "\"schema\"") schema = value;
      else if (name == "\"payload\"") payload = value;
      else return;
    }
    if (schema.empty() || payload.empty()) return;
    const ConnectSchema* const found = schemas_.Find(schema);
    if (found == nullptr && !IsNull(schema)) return;
    framed = {payload, found};
  }

  /// The members of an object as fields of a row; of a name that comes twice, the last.
  Status TakeFields(std::string_view object, const ConnectSchema* schema, std::vector<DebeziumField>& fields) {
    std::string_view name, value;
    std::size_t next = 0;
    for (JsonObject members(object); members.Next(name, value);) {
      DebeziumField field;
      if (!Unescape(name, arena_, field.name)) return Fail(Code::kInvalid, "a field's name has an escape that is no character");
      field.token = value;
      if (schema != nullptr) {
        if (next < schema->fields.size() && schema->fields[next].field == field.name) field.schema = &schema->fields[next++];
        else field.schema = schema->child(field.name);
      }
      fields.push_back(field);
    }
    DropRepeated(fields);
    return {};
  }

 private:
  void DropRepeated(std::vector<DebeziumField>& fields) {
    if (fields.size() < 2) return;
    std::size_t size = 4;
    while (size < fields.size() * 2) size *= 2;
    constexpr std::uint32_t kFree = 0xFFFFFFFF;
    schemas_.slots.assign(size, kFree);
    bool repeated = false;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      std::size_t slot = std::hash<std::string_view>{}(fields[i].name) & (size - 1);
      while (schemas_.slots[slot] != kFree) {
        DebeziumField& earlier = fields[schemas_.slots[slot]];
        if (earlier.name == fields[i].name) {
          earlier.token = {};   // marks it as gone
          repeated = true;
          break;
        }
        slot = (slot + 1) & (size - 1);
      }
      schemas_.slots[slot] = static_cast<std::uint32_t>(i);
    }
    if (repeated) std::erase_if(fields, [](const DebeziumField& field) { return field.token.empty(); });
  }

  Schemas& schemas_;
  Arena& arena_;
};

const ConnectSchema* Child(const ConnectSchema* schema, std::string_view name) { return schema == nullptr ? nullptr : schema->child(name); }

/// The parts of an envelope, as tokens.
struct Envelope {
  std::string_view before, after, source, transaction, op, status, id, event_count, ts_us, ts_ms, ts_ns, message, ddl, table_changes;
  std::size_t members = 0;
};

Envelope TakeEnvelope(std::string_view object) {
  Envelope envelope;
  std::string_view name, value;
  for (JsonObject members(object); members.Next(name, value); ++envelope.members) {
    const std::string_view key = Inside(name);
    if (key == "before") envelope.before = value;
    else if (key == "after") envelope.after = value;
    else if (key == "source") envelope.source = value;
    else if (key == "transaction") envelope.transaction = value;
    else if (key == "op") envelope.op = value;
    else if (key == "status") envelope.status = value;
    else if (key == "id") envelope.id = value;
    else if (key == "event_count") envelope.event_count = value;
    else if (key == "ts_us") envelope.ts_us = value;
    else if (key == "ts_ms") envelope.ts_ms = value;
    else if (key == "ts_ns") envelope.ts_ns = value;
    else if (key == "message") envelope.message = value;
    else if (key == "ddl") envelope.ddl = value;
    else if (key == "tableChanges") envelope.table_changes = value;
  }
  return envelope;
}

void TakeSequence(std::string_view text, DebeziumEvent& event) {
  std::string_view token, item;
  if (!WholeToken(text, token)) return;
  JsonArray items(token);
  if (items.Next(item)) event.sequence_a = ReadNumber<std::uint64_t>(item);
  if (items.Next(item)) event.sequence_b = ReadNumber<std::uint64_t>(item);
}

/// What `source` says, by whatever names: those of the block, of add.fields or of a CloudEvent's attributes.
struct Origin {
  std::string_view connector, snapshot, ts_us, ts_ms, ts_ns, sequence, db, schema, table, tx, lsn;

  bool Take(std::string_view key, std::string_view value) {
    if (key == "connector") connector = value;
    else if (key == "snapshot") snapshot = value;
    else if (key == "ts_us" || key == "tsus") ts_us = value;
    else if (key == "ts_ms" || key == "tsms") ts_ms = value;
    else if (key == "ts_ns" || key == "tsns") ts_ns = value;
    else if (key == "sequence") sequence = value;
    else if (key == "db") db = value;
    else if (key == "schema") schema = value;
    else if (key == "table" || key == "collection") table = value;
    else if (key == "txId") tx = value;
    else if (key == "lsn") lsn = value;
    else return false;
    return true;
  }

  void Into(DebeziumEvent& event, Arena& arena) const {
    event.connector = TextOf(connector, arena);
    event.snapshot = TextOf(snapshot, arena);
    event.committed_at = CommitTime(ts_us, ts_ms, ts_ns);
    TakeSequence(TextOf(sequence, arena), event);
    event.lsn = ReadNumber<std::uint64_t>(lsn);
    event.transaction = TextOf(tx, arena);
    const std::string_view in = TextOf(schema, arena), name = TextOf(table, arena);
    if (!name.empty()) event.stream = Joined(in.empty() ? TextOf(db, arena) : in, name, arena);
  }
};

void TakeTransaction(std::string_view object, DebeziumEvent& event, Arena& arena) {
  if (!IsObject(object)) return;
  event.total_order = ReadNumber<std::uint64_t>(Member(object, "total_order"));
  if (event.transaction.empty()) event.transaction = TransactionOf(TextOf(Member(object, "id"), arena));
}

/// Names that ExtractNewRecordState adds with `add.fields`, without their prefix `__`; those of `source` may have
/// `source_` before them.
bool TakeAddedField(std::string_view name, std::string_view value, Origin& origin, std::string_view& op, std::string_view& deleted,
                    std::string_view& transaction_id, std::string_view& total_order) {
  if (!name.starts_with("__")) return false;
  name.remove_prefix(2);
  if (name == "op") return op = value, true;
  if (name == "deleted") return deleted = value, true;
  if (name == "transaction_id") return transaction_id = value, true;
  if (name == "transaction_total_order") return total_order = value, true;
  if (name == "transaction_data_collection_order") return true;
  const bool of_source = name.starts_with("source_");
  if (of_source) name.remove_prefix(7);
  // The envelope's own ts_* is the time of sending.
  if (!of_source && name.starts_with("ts_")) return name == "ts_ms" || name == "ts_us" || name == "ts_ns";
  return origin.Take(name, value) || name == "version" || name == "name" || name == "xmin" || name == "origin" || name == "origin_lsn";
}

}  // namespace

DebeziumDecoder::DebeziumDecoder() : schemas_(std::make_unique<Schemas>()) {}
DebeziumDecoder::~DebeziumDecoder() = default;
DebeziumDecoder::DebeziumDecoder(DebeziumDecoder&&) noexcept = default;
DebeziumDecoder& DebeziumDecoder::operator=(DebeziumDecoder&&) noexcept = default;

void DebeziumDecoder::Trim() { schemas_->Trim(); }

Result<DebeziumEvent> DebeziumDecoder::Decode(std::string_view value, bool has_value, std::string_view key, bool has_key,
                                              std::string_view headers, std::string_view topic, Arena& arena) {
  DebeziumEvent event;
  Decoding decoding(*schemas_, arena);
  const auto valid = [](std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); };
  if (!valid(value) || (has_key && !valid(key)) || !valid(headers)) return Fail(Code::kInvalid, "the message is not valid UTF-8");

  // Headers: names to texts, which are JSON with or without a schema, or plain.
  Origin origin;
  std::string_view op, deleted, transaction_id, total_order;
  if (!headers.empty()) {
    std::string_view all, name, token;
    if (!WholeToken(headers, all) || !IsObject(all)) return Fail(Code::kInvalid, "the headers are no JSON object");
    for (JsonObject members(all); members.Next(name, token);) {
      const std::string_view header = Inside(name);
      if (!header.starts_with("__")) continue;
      const bool run = header == "__debezium.context.runId", old_key = header == "__debezium.oldkey", new_key = header == "__debezium.newkey";
      if (header.starts_with("__debezium.") && !run && !old_key && !new_key) continue;
      const std::string_view text = TextOf(token, arena);
      Framed framed;
      const bool json = decoding.Unframe(text, framed);
      if (run) {
        event.run_id = json ? TextOf(framed.payload, arena) : text;
      } else if (old_key || new_key) {
        if (!json || !IsObject(framed.payload)) return Fail(Code::kInvalid, "the header {} is no key", header);
        (old_key ? event.has_old_key : event.has_new_key) = true;
        TRY(decoding.TakeFields(framed.payload, framed.schema, old_key ? event.old_key : event.new_key));
      } else {
        (void)TakeAddedField(header, json ? framed.payload : arena.Keep(Escape(text)), origin, op, deleted, transaction_id, total_order);
      }
    }
  }

  if (has_key && !key.empty()) {
    Framed framed;
    if (!decoding.Unframe(key, framed)) return Fail(Code::kInvalid, "the key is no JSON");
    if (IsObject(framed.payload)) TRY(decoding.TakeFields(framed.payload, framed.schema, event.key));
  }

  Framed framed;
  if (has_value && !decoding.Unframe(value, framed)) return Fail(Code::kInvalid, "the message is no JSON");
  if (!has_value || IsNull(framed.payload)) {
    event.kind = DebeziumEvent::Kind::kTombstone;
    event.stream = StreamOfTopic(topic);
    return event;
  }
  if (!IsObject(framed.payload)) return Fail(Code::kInvalid, "the message is no object");

  // A CloudEvent: its attributes say what `source` does, its data is the message.
  bool cloud = false;
  if (framed.schema == nullptr && !Member(framed.payload, "specversion").empty()) {
    const std::string_view data = Member(framed.payload, "data");
    std::string_view name, token;
    for (JsonObject members(framed.payload); members.Next(name, token);) {
      const std::string_view attribute = Inside(name);
      constexpr std::string_view kPrefix = "iodebezium";
      if (!attribute.starts_with(kPrefix)) continue;
      cloud = true;
      const std::string_view rest = attribute.substr(kPrefix.size());
      if (rest == "op") op = token;
      else if (rest == "txtotalorder") total_order = token;
      else if (rest == "txid") transaction_id = token;   // of the transaction block; the source's is txId
      else (void)origin.Take(rest, token);
    }
    if (cloud) {
      if (data.empty()) return Fail(Code::kInvalid, "the CloudEvent has no data in JSON");
      if (IsNull(data)) {
        event.kind = DebeziumEvent::Kind::kTombstone;
        origin.Into(event, arena);
        return event;
      }
      framed = {};
      decoding.UnframeToken(data, framed);
      if (!IsObject(framed.payload)) return Fail(Code::kInvalid, "the CloudEvent's data is no object");
    }
  }

  const Envelope envelope = TakeEnvelope(framed.payload);
  const auto added = [&](bool over) {
    if (total_order.empty() && transaction_id.empty()) return;
    if (over || !event.total_order) event.total_order = ReadNumber<std::uint64_t>(TextOf(total_order, arena));
    if (event.transaction.empty()) event.transaction = TransactionOf(TextOf(transaction_id, arena));
  };

  const char own_op = IsString(envelope.op) ? OpOf(Inside(envelope.op)) : '\0';
  const bool sourced = IsObject(envelope.source);
  const bool images = !envelope.before.empty() || !envelope.after.empty();
  if ((own_op != '\0' && sourced && (images || own_op == 't' || own_op == 'm')) || (cloud && images)) {
    event.op = own_op != '\0' ? own_op : OpOf(TextOf(op, arena));
    if (event.op == '\0') return Fail(Code::kInvalid, "the change says no operation");
    if (sourced) {
      std::string_view name, token;
      for (JsonObject members(envelope.source); members.Next(name, token);) (void)origin.Take(Inside(name), token);
    }
    origin.Into(event, arena);
    TakeTransaction(envelope.transaction, event, arena);
    added(false);
    if (event.op == 'm') {
      event.kind = DebeziumEvent::Kind::kLogicalMessage;
      event.stream = {};
      return event;
    }
    event.kind = DebeziumEvent::Kind::kChange;
    if (IsObject(envelope.before)) {
      event.has_before = true;
      TRY(decoding.TakeFields(envelope.before, Child(framed.schema, "before"), event.before));
    }
    if (IsObject(envelope.after)) {
      event.has_after = true;
      TRY(decoding.TakeFields(envelope.after, Child(framed.schema, "after"), event.after));
    }
    if (event.stream.empty()) event.stream = StreamOfTopic(topic);
    if (event.op != 't' && event.op != 'd' && !event.has_after) return Fail(Code::kInvalid, "a change of kind {} has no after", event.op);
    return event;
  }
  if (own_op == 'm' && (sourced || !envelope.message.empty())) {
    event.kind = DebeziumEvent::Kind::kLogicalMessage;
    event.op = 'm';
    return event;
  }
  const bool begins = envelope.status == "\"BEGIN\"", ends = envelope.status == "\"END\"";
  if ((begins || ends) && IsString(envelope.id) && !envelope.event_count.empty()) {
    event.kind = begins ? DebeziumEvent::Kind::kBegin : DebeziumEvent::Kind::kEnd;
    const std::string_view id = TextOf(envelope.id, arena);
    event.transaction = TransactionOf(id);
    if (event.transaction.size() < id.size()) event.lsn = ReadNumber<std::uint64_t>(id.substr(event.transaction.size() + 1));
    event.event_count = ReadNumber<std::uint64_t>(envelope.event_count);
    event.committed_at = CommitTime(envelope.ts_us, envelope.ts_ms, envelope.ts_ns);
    return event;
  }
  if (sourced && (!envelope.ddl.empty() || !envelope.table_changes.empty())) {
    event.kind = DebeziumEvent::Kind::kSchemaChange;
    return event;
  }
  const bool heartbeat_schema = framed.schema != nullptr && framed.schema->name.ends_with(".Heartbeat");
  if (heartbeat_schema || (envelope.members == 1 && !envelope.ts_ms.empty() && (topic.empty() || topic.starts_with("__debezium-heartbeat")))) {
    event.kind = DebeziumEvent::Kind::kHeartbeat;
    event.committed_at = CommitTime({}, envelope.ts_ms, {});
    return event;
  }

  // The row alone.
  event.kind = DebeziumEvent::Kind::kChange;
  event.unwrapped = true;
  std::vector<DebeziumField> fields;
  TRY(decoding.TakeFields(framed.payload, framed.schema, fields));
  std::erase_if(fields, [&](const DebeziumField& field) {
    return TakeAddedField(field.name, field.token, origin, op, deleted, transaction_id, total_order);
  });
  origin.Into(event, arena);
  added(true);
  event.op = OpOf(TextOf(op, arena));
  if (const std::string_view gone = TextOf(deleted, arena); gone == "true") event.op = 'd';
  event.op_assumed = event.op == '\0';
  if (event.op_assumed) event.op = event.has_old_key ? 'c' : 'u';
  const std::string_view topic_stream = StreamOfTopic(topic);
  if (event.stream.empty()) {
    event.stream = topic_stream;
  } else if (origin.schema.empty() && origin.db.empty()) {
    // A table without its schema: the topic has that.
    const std::size_t dot = topic_stream.rfind('.');
    if (dot != std::string_view::npos) event.stream = Joined(topic_stream.substr(0, dot), event.stream, arena);
  }
  (event.op == 'd' ? event.has_before : event.has_after) = true;
  (event.op == 'd' ? event.before : event.after) = std::move(fields);
  return event;
}

}  // namespace nano::wire
