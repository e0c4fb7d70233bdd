// SPDX-License-Identifier: Apache-2.0
#include "app/warehouse_template.h"

#include <cctype>
#include <system_error>

#include "io/files.h"

namespace nano::app {
namespace {

constexpr const char* kContract = R"text(# A nano warehouse. All of it is this file and the YAML files in sources/ and tables/.
#   nanohouse check     every mistake, with its place       nanohouse ingest    read every source to its end
#   nanohouse plan      what would change                   nanohouse query     ask
#   nanohouse apply     make it so                          nanohouse status    how it stands
nanohouse: 1                      # the version of this language
warehouse: @WAREHOUSE@
version: 1.0.0                    # of this contract: a breaking change needs a new major number, an addition a minor one
description: Orders and customers of a small shop.

storage:
  root: ./data                    # tables (Parquet), the journal and the catalog: one folder that can be moved
)text";

constexpr const char* kSources = R"text(# Where data comes from. This one reads a file of Singer messages, which comes with the template.
# Put your own beside it or in its place:
#
#   - name: marketing                              # a Singer tap, run as a program
#     singer: {tap: tap-spreadsheets, config: {token: "${env:TOKEN}"}, select: [campaigns]}
#   - name: shop_cdc                               # changes of a database, as Debezium writes them; "-" reads stdin
#     debezium: {file: changes.jsonl}
sources:
  - name: shop
    singer: {file: sample/shop.jsonl}
)text";

constexpr const char* kTables = R"text(# What becomes of it. A table without `columns` takes all fields of its stream, with inferred types.
tables:
  - name: orders
    description: One row per order.
    source: {name: shop, stream: orders}
    mode: upsert                  # append | upsert: a new record of the same key replaces the row
    primary_key: [id]
    sort_by: [created_at]
    columns:
      - {name: id, data_type: bigint, constraints: [not_null]}
      - {name: customer_id, data_type: bigint}
      - {name: status, data_type: string, description: "placed, shipped, completed or returned"}
      - {name: amount, data_type: "decimal(18,2)", field: amount_cents, source_type: bigint, expr: "amount_cents * 0.01"}
      - {name: created_at, data_type: timestamptz}

  - name: customers
    description: One row per customer.
    source: {name: shop, stream: customers}
    mode: upsert
    primary_key: [id]
    columns:
      - {name: id, data_type: bigint, constraints: [not_null]}
      - {name: name, data_type: string}
      - {name: country, data_type: string}
)text";

constexpr const char* kSample =
    R"text({"type":"SCHEMA","stream":"customers","key_properties":["id"],"schema":{"type":"object","properties":{"id":{"type":"integer"},"name":{"type":["null","string"]},"country":{"type":["null","string"]}}}}
{"type":"SCHEMA","stream":"orders","key_properties":["id"],"schema":{"type":"object","properties":{"id":{"type":"integer"},"customer_id":{"type":["null","integer"]},"status":{"type":["null","string"]},"amount_cents":{"type":["null","integer"]},"created_at":{"type":["null","string"],"format":"date-time"}}}}
{"type":"RECORD","stream":"customers","record":{"id":1,"name":"Ada","country":"GB"}}
{"type":"RECORD","stream":"customers","record":{"id":2,"name":"Björn","country":"SE"}}
{"type":"RECORD","stream":"customers","record":{"id":3,"name":"千代子","country":"JP"}}
{"type":"RECORD","stream":"orders","record":{"id":1001,"customer_id":1,"status":"completed","amount_cents":12050,"created_at":"2026-01-05T09:12:00Z"}}
{"type":"RECORD","stream":"orders","record":{"id":1002,"customer_id":2,"status":"completed","amount_cents":990,"created_at":"2026-01-05T10:40:31Z"}}
{"type":"RECORD","stream":"orders","record":{"id":1003,"customer_id":1,"status":"shipped","amount_cents":4399,"created_at":"2026-01-06T16:01:07Z"}}
{"type":"RECORD","stream":"orders","record":{"id":1004,"customer_id":3,"status":"placed","amount_cents":250000,"created_at":"2026-01-07T02:15:45Z"}}
{"type":"RECORD","stream":"orders","record":{"id":1005,"customer_id":3,"status":"placed","amount_cents":1999,"created_at":"2026-01-07T02:16:02Z"}}
{"type":"RECORD","stream":"orders","record":{"id":1003,"customer_id":1,"status":"returned","amount_cents":4399,"created_at":"2026-01-06T16:01:07Z"}}
{"type":"STATE","value":{"bookmarks":{"orders":{"replication_key_value":"2026-01-07T02:16:02Z"}}}}
)text";

constexpr const char* kIgnore = "# what the warehouse makes\n/data/\n";

std::string Replaced(std::string text, const std::string& mark, const std::string& by) {
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + by.size())) text.replace(at, mark.size(), by);
  return text;
}

}  // namespace

std::vector<TemplateFile> WarehouseTemplate(const std::string& warehouse) {
  return {{"nanohouse.yaml", Replaced(kContract, "@WAREHOUSE@", warehouse)},
          {"sources/shop.yaml", kSources},
          {"tables/shop.yaml", kTables},
          {"sample/shop.jsonl", kSample},
          {".gitignore", kIgnore}};
}

std::string WarehouseName(const std::filesystem::path& folder) {
  auto path = std::filesystem::absolute(folder).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  std::string out;
  for (const char c : path.filename().string()) {
    const auto letter = static_cast<unsigned char>(c);
    if (letter < 0x80 && std::isalnum(letter)) out += static_cast<char>(std::tolower(letter));
    else if (!out.empty() && out.back() != '_') out += '_';
  }
  while (!out.empty() && out.back() == '_') out.pop_back();
  while (!out.empty() && (std::isdigit(static_cast<unsigned char>(out.front())) || out.front() == '_')) out.erase(0, 1);
  return out.empty() ? "warehouse" : out;
}

Status WriteTemplate(const std::filesystem::path& folder, const std::vector<TemplateFile>& files) {
  std::error_code error;
  if (std::filesystem::exists(folder, error) && !std::filesystem::is_directory(folder, error))
    return Fail(Code::kExists, "\"{}\" is a file, not a folder", folder.string());
  for (const auto& file : files)
    if (std::filesystem::exists(folder / file.path, error))
      return WithHint(Fail(Code::kExists, "file \"{}\" is there already", (folder / file.path).string()),
                      "Choose another folder: init writes over nothing.");
  for (const auto& file : files) {
    const auto path = folder / file.path;
    TRY(io::MakeFolders(path.parent_path(), "init.folder"));
    TRY(io::WriteFileAtomically(path, file.text, "init.file"));
  }
  return {};
}

}  // namespace nano::app
