// SPDX-License-Identifier: Apache-2.0
#include "wire/debezium.h"

#include <simdjson.h>

#include <algorithm>

#include "wire/debezium_document.h"
#include "wire/debezium_form.h"
#include "wire/debezium_number.h"
#include "wire/debezium_origin.h"
#include "wire/json_token.h"
#include "wire/postgres_value.h"

namespace nano::wire {
namespace {

std::string_view StreamOfTopic(std::string_view topic) {
  const std::size_t dot = topic.find('.');
  return dot == std::string_view::npos ? topic : topic.substr(dot + 1);
}

/// How a converter begins a message with its schema.
constexpr std::string_view kSchemaFirst = "{\"schema\":";

char OpOf(std::string_view text) { return text.size() == 1 && std::string_view("cudrtm").find(text[0]) != std::string_view::npos ? text[0] : '\0'; }

/// The members of an object as tokens, kept from the one time that its bytes were looked at.
struct Members {
  std::string_view object;
  std::vector<std::pair<std::string_view, std::string_view>> all;

  void Clear() {
    object = {};
    all.clear();
  }
  /// The members of `token`; scanned now if it is not the object that is held.
  const std::vector<std::pair<std::string_view, std::string_view>>& Of(std::string_view token) {
    if (token.data() != object.data() || token.size() != object.size()) (void)Take(token);
    return all;
  }
  /// Scans `token`. False: it is no object, or not only that.
  bool Take(std::string_view token) {
    Clear();
    std::string_view name, value;
    JsonObject members(token);
    while (members.Next(name, value)) all.emplace_back(name, value);
    object = token;
    return members.complete() && members.rest().empty();
  }
};

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
  Members before, after, source;      ///< of the envelope that was looked at last
  std::vector<std::uint32_t> slots;   ///< of TakeFields: an open hash table of the row's names
  std::vector<std::string> shape;     ///< of TakeFields: the name tokens of the last row, all different
};

namespace {

/// The parts of an envelope, as tokens, with those of what may stand around it.
struct Envelope {
  std::string_view before, after, source, transaction, op, status, id, event_count, ts_us, ts_ms, ts_ns, message, ddl, table_changes, update;
  std::string_view schema, payload;               ///< of a converter's frame
  std::string_view specversion, data;             ///< of a CloudEvent
  std::size_t members = 0;

  void Take(std::string_view key, std::string_view value) {
    ++members;
    const auto is = [&](std::string_view name, std::string_view& into) {
      if (key == name) into = value;
    };
    switch (key.size()) {
      case 2: is("op", op); is("id", id); break;
      case 3: is("ddl", ddl); break;
      case 4: is("data", data); break;
      case 5: is("after", after); is("ts_ms", ts_ms); is("ts_us", ts_us); is("ts_ns", ts_ns); break;
      case 6: is("before", before); is("source", source); is("status", status); is("schema", schema); break;
      case 7: is("message", message); is("payload", payload); break;
      case 11: is("transaction", transaction); is("event_count", event_count); is("specversion", specversion); break;
      case 12: is("tableChanges", table_changes); break;
      case 17: is("updateDescription", update); break;
      default: break;
    }
  }

  /// Takes the members of the object that `text` begins with; false: there is no whole one. `rest` is what follows it.
  /// `listed(key)` gives the Members that those of the value of that name go to, or null; images may be `unread`.
  template <class Listed>
  bool TakeAll(std::string_view text, std::string_view& rest, bool unread, const Listed& listed) {
    *this = {};
    JsonObject object(text);
    std::string_view name, value;
    while (object.NextName(name)) {
      const std::string_view key = Inside(name);
      if (Members* const list = listed(key)) {
        list->Clear();
        if (!object.TakeValue(value, [&](std::string_view field, std::string_view token) { list->all.emplace_back(field, token); })) break;
        if (IsObject(value)) list->object = value;
      } else if (unread && (key == "before" || key == "after")) {
        if (!object.TakeUnread(value)) break;
      } else if (!object.TakeValue(value)) {
        break;
      }
      Take(key, value);
    }
    rest = object.rest();
    return object.complete();
  }
};

/// {"schema": …, "payload": …}, or the payload alone.
struct Framed {
  std::string_view payload;
  const ConnectSchema* schema = nullptr;
  Envelope envelope;              ///< the payload's members, where it is an object
};

template <class Schemas>
class Decoding {
 public:
  Decoding(Schemas& schemas, Arena& arena, bool whole) : schemas_(schemas), arena_(arena), whole_(whole) {
    for (Members* const members : {&schemas_.before, &schemas_.after, &schemas_.source}) members->Clear();   // they are of other bytes
  }

  /// Every byte is looked at once, but those of a schema that is known. False: it is no JSON.
  bool Unframe(std::string_view text, Framed& framed) {
    std::size_t at = text.find_first_not_of(" \t\r\n");
    if (at == std::string_view::npos) return false;
    const auto blank = [](std::string_view after) { return after.find_first_not_of(" \t\r\n") == std::string_view::npos; };
    constexpr std::string_view kPayload = ",\"payload\":";
    std::string_view rest;
    if (text.substr(at).starts_with(kSchemaFirst)) {
      // As the converter writes it: the schema first.
      std::size_t past = at + kSchemaFirst.size();
      std::string_view token;
      if (!schemas_.Take(text, past, token, framed.schema)) return false;
      if ((framed.schema != nullptr || IsNull(token)) && text.substr(past).starts_with(kPayload)) {
        past += kPayload.size();
        if (past < text.size() && text[past] == '{') {
          if (!TakeEnvelope(text.substr(past), rest, framed.envelope)) return false;
          framed.payload = text.substr(past, text.size() - rest.size() - past);
          past = text.size() - rest.size();
        } else if (!ScanToken(text, past, framed.payload)) {
          return false;
        }
        past = text.find_first_not_of(" \t\r\n", past);
        if (past != std::string_view::npos && text[past] == '}' && blank(text.substr(past + 1))) return true;
      }
      framed = {};
    }
    if (text[at] != '{') return WholeToken(text, framed.payload);
    if (!TakeEnvelope(text.substr(at), rest, framed.envelope) || !blank(rest)) return false;
    framed.payload = text.substr(at, text.size() - rest.size() - at);
    OpenFrame(framed);
    return true;
  }

  void UnframeToken(std::string_view token, Framed& framed) {
    framed = {};
    framed.payload = token;
    std::string_view rest;
    if (IsObject(token) && TakeEnvelope(token, rest, framed.envelope)) OpenFrame(framed);
  }

  /// The members of `source`, which was looked at with its envelope.
  const auto& SourceMembers(std::string_view source) { return schemas_.source.Of(source); }

  /// The members of an object as fields of a row; of a name that comes twice, the last.
  Status TakeFields(std::string_view object, const ConnectSchema* schema, std::vector<DebeziumField>& fields) {
    Members& members = object.data() == schemas_.before.object.data() ? schemas_.before : schemas_.after;
    std::size_t next = 0;
    auto& shape = schemas_.shape;
    bool as_before = true;   // the same names in the same order as the last time: none is there twice
    for (const auto& [name, value] : members.Of(object)) {
      as_before = as_before && fields.size() < shape.size() && shape[fields.size()] == name;
      DebeziumField field;
      if (!Unescape(name, arena_, field.name)) return Fail(Code::kInvalid, "a field's name has an escape that is no character");
      field.token = value;
      if (schema != nullptr) {
        if (next < schema->fields.size() && schema->fields[next].field == field.name) field.schema = &schema->fields[next++];
        else field.schema = schema->child(field.name);
      }
      if (fields.capacity() == 0) fields.reserve(std::max<std::size_t>(shape.size(), 4));
      fields.push_back(field);
    }
    if (as_before && fields.size() == shape.size()) return {};
    const std::size_t count = fields.size();
    DropRepeated(fields);
    shape.clear();
    if (count == fields.size())
      for (const auto& [name, value] : members.all) shape.emplace_back(name);
    return {};
  }

 private:
  bool TakeEnvelope(std::string_view text, std::string_view& rest, Envelope& envelope) {
    return envelope.TakeAll(text, rest, !whole_, [&](std::string_view key) -> Members* {
      if (key == "source") return &schemas_.source;
      if (!whole_) return nullptr;
      return key == "after" ? &schemas_.after : key == "before" ? &schemas_.before : nullptr;
    });
  }

  /// Steps into a frame whose members came in another order.
  void OpenFrame(Framed& framed) {
    const Envelope& frame = framed.envelope;
    if (frame.members != 2 || frame.schema.empty() || frame.payload.empty()) return;
    const ConnectSchema* const found = schemas_.Find(frame.schema);
    if (found == nullptr && !IsNull(frame.schema)) return;
    framed.schema = found;
    framed.payload = frame.payload;
    std::string_view rest;
    if (!IsObject(framed.payload) || !TakeEnvelope(framed.payload, rest, framed.envelope)) framed.envelope = {};
  }

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
  const bool whole_;   ///< images are asked for
};

bool IsPostgresRow(const ConnectSchema* schema) { return schema != nullptr && schema->name == kPostgresRow; }

/// Of an image, before or after.
const ConnectSchema* ImageSchema(const ConnectSchema* schema, std::string_view name) {
  return schema == nullptr || IsPostgresRow(schema) ? schema : schema->child(name);
}

/// The fields of keys have no schema of their own where the row's says all.
void TakeKeySchemas(const ConnectSchema& row, std::vector<DebeziumField>& key) {
  for (DebeziumField& field : key) field.schema = row.child(field.name);
}

void TakeTransaction(std::string_view object, DebeziumEvent& event, Arena& arena) {
  if (!IsObject(object)) return;
  event.total_order = ReadNumber<std::uint64_t>(Member(object, "total_order"));
  if (event.transaction.empty()) event.transaction = TransactionOf(TextOf(Member(object, "id"), arena));
}

/// The images of an event of MongoDB's connector, and what an update says that has none.
template <class Decoding>
Status TakeDocuments(const Envelope& envelope, Decoding& decoding, Arena& arena, DebeziumEvent& event) {
  const auto take = [&](std::string_view image, bool& has, std::vector<DebeziumField>& fields) -> Status {
    const std::string_view document = IsObject(image) ? image : DocumentOf(image, arena);
    has = !document.empty();
    TRY(decoding.TakeFields(document, nullptr, fields));
    for (DebeziumField& field : fields) field.schema = &DocumentSchema();
    return {};
  };
  TRY(take(envelope.before, event.has_before, event.before));
  TRY(take(envelope.after, event.has_after, event.after));
  if (event.op != 'u' || event.has_after || !IsObject(envelope.update)) return {};
  event.has_after = event.partial = true;
  return TakeUpdateDescription(envelope.update, arena, event.after, event.unfit);
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
                                              std::string_view headers, std::string_view topic, Arena& arena, Reading reading) {
  const bool whole = reading == Reading::kWhole;
  DebeziumEvent event;
  Decoding decoding(*schemas_, arena, whole);
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
        if (whole) TRY(decoding.TakeFields(framed.payload, framed.schema, old_key ? event.old_key : event.new_key));
      } else {
        (void)TakeAddedField(header, json ? framed.payload : arena.Keep(Escape(text)), origin, op, deleted, transaction_id, total_order);
      }
    }
  }

  if (has_key && !key.empty()) {
    Framed framed;
    if (!decoding.Unframe(key, framed)) return Fail(Code::kInvalid, "the key is no JSON");
    if (whole && IsObject(framed.payload)) TRY(decoding.TakeFields(framed.payload, framed.schema, event.key));
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
  if (framed.schema == nullptr && !framed.envelope.specversion.empty()) {
    const std::string_view data = framed.envelope.data;
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
      else (void)origin.Take(NameOfAttribute(rest), token);
    }
    if (cloud) {
      if (data.empty()) return Fail(Code::kInvalid, "the CloudEvent has no data in JSON");
      if (IsNull(data)) {
        event.kind = DebeziumEvent::Kind::kTombstone;
        origin.Into(event, arena);
        return event;
      }
      decoding.UnframeToken(data, framed);
      if (!IsObject(framed.payload)) return Fail(Code::kInvalid, "the CloudEvent's data is no object");
    }
  }

  const Envelope& envelope = framed.envelope;
  const auto added = [&](bool over) {
    if (total_order.empty() && transaction_id.empty()) return;
    if (over || !event.total_order) event.total_order = ReadNumber<std::uint64_t>(TextOf(total_order, arena));
    if (event.transaction.empty()) event.transaction = TransactionOf(TextOf(transaction_id, arena));
  };

  const char own_op = IsString(envelope.op) ? OpOf(Inside(envelope.op)) : '\0';
  const bool sourced = IsObject(envelope.source);
  const bool images = !envelope.before.empty() || !envelope.after.empty() || IsObject(envelope.update);
  if ((own_op != '\0' && sourced && (images || own_op == 't' || own_op == 'm')) || (cloud && images)) {
    event.op = own_op != '\0' ? own_op : OpOf(TextOf(op, arena));
    if (event.op == '\0') return Fail(Code::kInvalid, "the change says no operation");
    if (sourced) {
      for (const auto& [name, token] : decoding.SourceMembers(envelope.source)) (void)origin.Take(Inside(name), token);
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
    origin.NameTransaction(event, arena);
    const bool documents = event.connector == "mongodb" || IsString(envelope.before) || IsString(envelope.after) || IsObject(envelope.update);
    event.images = {envelope.before, envelope.after, envelope.update};
    event.plain = !cloud && !documents && (framed.schema != nullptr) == value.starts_with(kSchemaFirst);
    event.has_before = IsObject(envelope.before) || (documents && IsString(envelope.before));
    event.has_after = IsObject(envelope.after) || (documents && (IsString(envelope.after) || (event.op == 'u' && IsObject(envelope.update))));
    if (whole && IsPostgresRow(framed.schema))
      for (auto* const key_fields : {&event.key, &event.old_key, &event.new_key}) TakeKeySchemas(*framed.schema, *key_fields);
    if (whole && documents) {
      RenameDocumentKey(event.key, arena);
      TRY(TakeDocuments(envelope, decoding, arena, event));
    } else if (whole) {
      if (event.has_before) TRY(decoding.TakeFields(envelope.before, ImageSchema(framed.schema, "before"), event.before));
      if (event.has_after) TRY(decoding.TakeFields(envelope.after, ImageSchema(framed.schema, "after"), event.after));
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
  origin.NameTransaction(event, arena);
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

DebeziumOutline OutlineOf(const DebeziumEvent& event, std::string_view value) {
  const bool streamed = event.snapshot.empty() || event.snapshot == "false";
  if (!event.plain || event.kind != DebeziumEvent::Kind::kChange || !streamed || event.has_old_key || event.has_new_key || event.pending || event.partial || event.connector == "oracle" ||
      std::string_view("cud").find(event.op) == std::string_view::npos || value.size() > UINT32_MAX)
    return {};
  DebeziumOutline outline;
  outline.op = event.op;
  const auto place = [&](std::string_view image, std::uint32_t& at, std::uint32_t& size) {
    at = static_cast<std::uint32_t>(image.data() - value.data());
    size = static_cast<std::uint32_t>(image.size());
  };
  if (event.has_before) place(event.images[0], outline.before, outline.before_size);
  if (event.has_after) place(event.images[1], outline.after, outline.after_size);
  return outline;
}

bool DebeziumDecoder::DecodeRows(std::string_view opening, std::string_view rest, const DebeziumOutline& outline, std::string_view key, bool has_key,
                                 std::string_view stream, Arena& arena, DebeziumEvent& event) {
  event.before.clear();
  event.after.clear();
  event.key.clear();
  event.kind = DebeziumEvent::Kind::kChange;
  event.plain = true;
  event.op = outline.op;
  event.stream = stream;
  event.has_before = outline.before_size > 0;
  event.has_after = outline.after_size > 0;
  Decoding decoding(*schemas_, arena, true);
  const ConnectSchema* schema = nullptr;
  if (const std::string_view begin = opening.empty() ? rest : opening; begin.starts_with(kSchemaFirst)) {
    std::size_t at = kSchemaFirst.size();
    std::string_view token;
    if (!schemas_->Take(begin, at, token, schema)) return false;
  }
  if (has_key && !key.empty()) {
    Framed framed;
    if (!decoding.Unframe(key, framed) || (IsObject(framed.payload) && !decoding.TakeFields(framed.payload, framed.schema, event.key))) return false;
    if (IsPostgresRow(schema)) TakeKeySchemas(*schema, event.key);
  }
  const auto take = [&](std::uint32_t at, std::uint32_t size, std::string_view name, Members& members, std::vector<DebeziumField>& fields) {
    if (size == 0) return true;
    const std::string_view image = rest.substr(at - opening.size(), size);
    return members.Take(image) && decoding.TakeFields(image, ImageSchema(schema, name), fields);
  };
  return take(outline.before, outline.before_size, "before", schemas_->before, event.before) &&
         take(outline.after, outline.after_size, "after", schemas_->after, event.after);
}

}  // namespace nano::wire
