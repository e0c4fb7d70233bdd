// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Values as PostgreSQL's own output functions spell them (arrays `{a,"b c",NULL}`, rows `(1,,"x")`, hstore `"k"=>"v"`, money
/// `$1,234.50`, bytea `\xff`, …), read exactly into typed cells. What a column is in the database is said by its schema
/// (postgres_type.h). PostgreSQL's documentation: "Data Types", "Array Input and Output Syntax", "Composite Type Input and
/// Output Syntax". Pure.

#include <string>
#include <string_view>

#include "base/arena.h"
#include "base/data_type.h"
#include "wire/cell.h"
#include "wire/debezium.h"

namespace nano::wire {

/// What is to be known of a type of PostgreSQL's to read its texts; others are text.
enum class PostgresType : std::uint8_t {
  kText, kBoolean, kInteger, kBigint, kFloat, kDouble, kNumeric, kMoney, kBytea, kHexText, kJson, kHstore, kDate, kTime,
  kTimestamp, kTimestamptz, kBit, kArray, kComposite,
};

/// What stands for a value that was not sent, as it had not changed. No value of a column is ever written so.
constexpr std::string_view kUnchangedToken = R"({"__unchanged":true})";

/// The name that the schema of a row has which the program itself wrote; both images and the key are of that row.
constexpr std::string_view kPostgresRow = "nanohouse.postgres.Row";
/// The type that a schema of one of its fields has.
constexpr std::string_view kPostgresField = "postgres";

/// Of the schema's name, `numeric(12,2)`, `int4`, `array`.
PostgresType PostgresTypeOf(std::string_view name);

/// As ReadJson (cell.h), of a value that the database has as `schema` says and whose text the token holds. Lists and JSON take arrays, structs and JSON take
/// rows, maps and JSON take hstore; a text column takes arrays as JSON and all else as PostgreSQL spells it.
bool ReadPostgres(const DataType& type, std::string_view token, const ConnectSchema& schema, Special special, Arena& arena, Cell& out,
                  std::string& reason);

/// The type that it lands as where the contract declares none.
DataType InferPostgres(const ConnectSchema& schema);

}  // namespace nano::wire
