// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How Debezium writes a value on the wire: by the schema's semantic name or, in messages without schemas, by the
/// contract's `source_type`. Debezium's documentation: connectors/postgresql "Data type mappings". Pure.

#include <cstdint>
#include <string_view>

#include "wire/debezium.h"

namespace nano::wire {

enum class DebeziumForm : std::uint8_t {
  kUnknown,            ///< nothing but the token is known
  kBoolean, kInteger, kReal, kText,   ///< as JSON has it
  kBytes, kBase64,     ///< base64, of a field that is bytes or of one that is text
  kHex,                ///< bytes as hexadecimal text
  kBytesText,          ///< one of the two
  kDecimal,            ///< base64 of a big-endian integer; the scale is `number`
  kVariableDecimal,    ///< {scale, value}
  kNumeric,            ///< PostgreSQL's numeric as text (NAN, POSITIVE_INFINITY) or as a JSON number
  kDays,
  kTimeMillis, kTimeMicros, kTimeNanos,
  kTimestampMillis, kTimestampMicros, kTimestampNanos,
  kZonedTimestamp,     ///< ISO 8601 text, always of UTC
  kZonedTime,
  kIsoDate, kIsoTime, kIsoTimestamp,  ///< ISO 8601 text with a Z that says nothing
  kInterval,           ///< ISO 8601 text, or as kDuration
  kDuration,           ///< micro- or nanoseconds, approximate where there are months
  kBit,                ///< bit(1), a boolean
  kBits,               ///< bit(n): base64 of the bits, little-endian; `number` of them
  kVarBits,            ///< bit varying: the same, the number of leading zeros is lost
  kJson,               ///< text that is JSON
  kHstore,             ///< text that is a JSON object, or a map
  kPoint, kGeometry,   ///< {x, y, wkb, srid}, {wkb, srid}
  kList, kMap, kStruct,
  kPostgres,           ///< as PostgreSQL's output functions spell it (postgres_value.h); `number` is its PostgresType
  kBson,               ///< MongoDB's extended JSON, at any depth (debezium_document.h)
};

struct FormOfValue {
  DebeziumForm form = DebeziumForm::kUnknown;
  std::int64_t number = 0;
};

FormOfValue FormOfSchema(const ConnectSchema& schema);

/// Of `timestamp(3)`, `bytea`, `bit varying(12)`, `_int4`, `io.debezium.time.MicroTime`, …; kUnknown for what it does
/// not know. Case does not matter.
FormOfValue FormOfSourceType(std::string_view source_type);

/// `timestamp(3)` of `timestamp(3)[]`, `_timestamp` or `list<timestamp(3)>`; empty if it is no array.
std::string_view ItemOfSourceType(std::string_view source_type);

/// Reads a schema as Kafka Connect's JsonConverter writes it. Null: the token is no schema.
std::unique_ptr<ConnectSchema> ParseConnectSchema(std::string_view token);

}  // namespace nano::wire
