// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Debezium's messages, of any connector and whatever carried them: a line of `kcat -J`, an HTTP sink's body (one or an array), a plain
/// envelope with or without inline schema, a CloudEvent, or the unwrapped row of ExtractNewRecordState. Pure functions.
/// Debezium's documentation: connectors/postgresql, mysql, mariadb, sqlserver, oracle, mongodb, each "Data change events";
/// transformations/event-flattening, integrations/cloudevents.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "base/data_type.h"
#include "base/result.h"
#include "wire/cell.h"
#include "wire/debezium_outline.h"

namespace nano::wire {

/// One message as its transport delivered it; owns its bytes.
struct DebeziumMessage {
  std::string value;               ///< as it came (of kcat: the unescaped payload; of an array: the element)
  bool has_value = true;           ///< false: a Kafka null, a tombstone
  std::string key;
  bool has_key = false;
  std::string headers;             ///< JSON object name -> text; values as they came (HTTP: base64 undone); "" if none
  std::string topic;               ///< "" unless Kafka
  std::int32_t partition = -1;     ///< Kafka; else -1
  std::int64_t offset = -1;
  std::int64_t timestamp_ms = -1;  ///< Kafka's or none
};

/// Takes a line of a capture file apart: 0 messages (a blank line), 1, or those of an array. A message that stands alone on
/// its line is not looked into: whether it is whole is for Decode() to say.
/// kInvalid: not a line of any form that is known.
Result<std::vector<DebeziumMessage>> SplitDebeziumLine(std::string_view line);

/// Takes the body of a POST of Debezium Server's HTTP sink apart: one message or an array of them. Of its headers those of Debezium
/// are kept. kInvalid: no JSON, or no object where a message should be.
Result<std::vector<DebeziumMessage>> SplitDebeziumPost(const std::vector<std::pair<std::string, std::string>>& headers, std::string_view body);

/// How a value is written on the wire (debezium_form.h).
enum class DebeziumForm : std::uint8_t;

/// A Kafka Connect schema of one field, from a message's inline "schema".
struct ConnectSchema {
  std::string field;               ///< name in its struct
  std::string type;                ///< int8..int64, float, double, boolean, string, bytes, array, map, struct
  std::string name;                ///< semantic: io.debezium.time.MicroTimestamp, org.apache.kafka.connect.data.Decimal, …
  bool optional = false;
  std::unordered_map<std::string, std::string> parameters;   ///< scale, length, allowed, …
  std::vector<ConnectSchema> fields;                         ///< of a struct; of an array: its items; of a map: key, value

  /// The last field of that name, or null.
  const ConnectSchema* child(std::string_view field_name) const;

  // What is made of the above once, for every value that follows.
  DebeziumForm form{};
  std::int64_t number = 0;                                   ///< of the form: a decimal's scale, the length of bits
  std::vector<std::uint32_t> by_name;                        ///< positions in `fields`, ordered by name
};

/// Where an event stands in its source's log, for telling what was said before. Of one `epoch`, places come in ascending
/// order, whatever the clock says.
struct SourcePlace {
  std::array<std::uint64_t, 5> parts{};
  std::string_view epoch;          ///< another one has places of its own: the server and the name of its binlog, a replica set
  bool may_resume_inside = false;  ///< the source may go on in the midst of events that share a place
};

/// One field of a row: its name, its raw JSON token and, where the message had one, its schema.
struct DebeziumField {
  std::string_view name;           ///< unescaped
  std::string_view token;          ///< raw JSON
  const ConnectSchema* schema = nullptr;
};

/// What a message says. Views lie in the message's bytes or in the arena that Decode() was given.
struct DebeziumEvent {
  enum class Kind : std::uint8_t { kChange, kTombstone, kBegin, kEnd, kSchemaChange, kHeartbeat, kLogicalMessage, kOther };
  Kind kind = Kind::kOther;
  char op = 0;                               ///< c u d r t of a change; an unwrapped row's is c, u, r or d by what it says, else u
  std::string_view stream;                   ///< schema.table of `source` (MySQL: database.table); unwrapped: from the topic
  bool has_before = false, has_after = false;
  std::array<std::string_view, 3> images;    ///< before, after and updateDescription of an envelope as they came
  std::vector<DebeziumField> before, after;  ///< of a delete in unwrapped form: `before` has what was sent
  std::vector<DebeziumField> key;            ///< of the message's key; empty where there is none
  bool unwrapped = false;
  bool partial = false;                      ///< an update of a document: `after` has only what changed, null where a field went
  std::string_view unfit;                    ///< why the change can't be applied though it can be read; "" if it can
  bool pending = false;                      ///< the row is still to come by a snapshot: without it an update may be passed over
  bool op_assumed = false;                   ///< an unwrapped row did not say its op: it is an insert or an update

  // source
  std::string_view connector;                ///< postgresql, mysql, …
  std::string_view snapshot;                 ///< "" or "false": streamed; first, first_in_data_collection, true, last_in_data_collection, last, incremental
  std::int64_t committed_at = -1;            ///< µs since 1970; -1 unknown. From source.ts_us, else ts_ms
  std::optional<std::uint64_t> sequence_a, sequence_b;   ///< of source.sequence ["A","B"], as numbers
  std::optional<std::uint64_t> lsn;
  std::optional<SourcePlace> place;          ///< of a streamed change, where its connector tells one (debezium_origin.h)
  std::string_view snapshot_mark;            ///< of a snapshot's row: what sets this snapshot apart, besides lsn
  std::string_view transaction;              ///< source.txId as text, or of transaction.id the part before the colon, or GTID, commit LSN, session; "" if none
  std::optional<std::uint64_t> total_order;  ///< of the transaction block
  std::optional<std::uint64_t> event_count;  ///< of END
  std::string_view run_id;                   ///< __debezium.context.runId; "" if none
  bool plain = false;                        ///< an envelope alone, without schema, and no documents in it
  bool has_old_key = false;                  ///< header __debezium.oldkey: this c is the second half of a key change
  std::vector<DebeziumField> old_key;
  bool has_new_key = false;                  ///< header __debezium.newkey: this d is the first half
  std::vector<DebeziumField> new_key;
};

/// Which snapshot a row was read by; "" for a streamed change and an incremental snapshot's row.
std::string SnapshotOf(const DebeziumEvent& event);

/// What a later reading of a change need not look for again: of a streamed change that is plain and of which only its rows are
/// asked for. `value` is what was decoded.
DebeziumOutline OutlineOf(const DebeziumEvent& event, std::string_view value);

/// Decodes messages; keeps the inline schemas it has met, by their text. Not for several threads.
class DebeziumDecoder {
 public:
  DebeziumDecoder();
  ~DebeziumDecoder();
  DebeziumDecoder(DebeziumDecoder&&) noexcept;
  DebeziumDecoder& operator=(DebeziumDecoder&&) noexcept;
  /// How much of an envelope is asked for: without the fields of its images and keys it takes a third of the time.
  enum class Reading : bool { kWhole, kOutline };
  /// kInvalid: not JSON, or not a message of Debezium's.
  Result<DebeziumEvent> Decode(std::string_view value, bool has_value, std::string_view key, bool has_key,
                               std::string_view headers, std::string_view topic, Arena& arena, Reading reading = Reading::kWhole);

  /// The rows and the key of a change with an outline (op is one), into an event whose memory is used again. Its value, `opening`
  /// and `rest`, is what the outline was made of: valid UTF-8.  False: it is no JSON; Decode() tells what is wrong.
  bool DecodeRows(std::string_view opening, std::string_view rest, const DebeziumOutline& outline, std::string_view key, bool has_key,
                  std::string_view stream, Arena& arena, DebeziumEvent& event);

  /// Forgets schemas that have not been met for long, where many are held. The fields of events point to schemas, so
  /// call it between batches only, when no event of this decoder is in use.
  void Trim();

 private:
  struct Schemas;
  std::unique_ptr<Schemas> schemas_;
};

/// The column's value in the source's own terms, exact: Debezium's form (epoch days, µs, base64 decimals, {scale,value},
/// …) becomes a typed cell. `source_type` is the contract's, for messages without schemas (`timestamp(3)`, `bytea`, …),
/// "" if not given. Placeholders of unchanged TOAST values give kUnchanged, in whatever form they have: text, bytea
/// (base64, hex), arrays of text, uuid, integers or bytes, hstore, bare jsonb. Whether it may be data is for the caller
/// to judge; the cell then already holds that data, and only its kind is to be set (not in a column of numbers, times
/// or json, which could not hold it). Only a whole value is ever a placeholder, not one inside a list, map or struct.
/// False: a misfit, as ReadJson.
bool ReadDebezium(const DataType& type, const DebeziumField& field, std::string_view source_type, Special special,
                  Arena& arena, Cell& out, std::string& reason);

/// The type that a field lands as where the contract declares none.
DataType InferDebezium(const DebeziumField& field);

}  // namespace nano::wire
