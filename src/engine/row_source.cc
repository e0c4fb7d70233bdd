// SPDX-License-Identifier: Apache-2.0
#include "engine/row_source.h"

#include "engine/handles.h"
#include "engine/row_sources.h"

namespace nano::engine {

namespace {
duckdb_vector Of(void* handle) { return static_cast<duckdb_vector>(handle); }

struct BindData {
  std::shared_ptr<RowSource> source;
};
struct InitData {
  std::vector<std::size_t> wanted;
  Cursor cursor = std::make_shared<std::atomic<std::size_t>>(0);
};
struct LocalData {
  std::unique_ptr<RowScan> scan;   ///< opened by the first chunk, when the scan's shared data is at hand
};

template <class T>
void Delete(void* pointer) {
  delete static_cast<T*>(pointer);  // DuckDB owns these through a callback
}

void Bind(duckdb_bind_info info) {
  auto& sources = *static_cast<RowSources*>(duckdb_bind_get_extra_info(info));
  duckdb_value parameter = duckdb_bind_get_parameter(info, 0);
  const std::int64_t handle = duckdb_get_int64(parameter);
  duckdb_destroy_value(&parameter);
  auto source = sources.Find(handle);
  if (!source) {
    duckdb_bind_set_error(info, "nano_rows: no such handle");
    return;
  }
  for (const auto& column : source->columns()) {
    const LogicalType type = ToLogicalType(column.type);
    duckdb_bind_add_result_column(info, column.name.c_str(), type.get());
  }
  if (source->cardinality() > 0) duckdb_bind_set_cardinality(info, source->cardinality(), true);
  duckdb_bind_set_bind_data(info, new BindData{std::move(source)}, Delete<BindData>);
}

void Init(duckdb_init_info info) {
  auto& bind = *static_cast<BindData*>(duckdb_init_get_bind_data(info));
  auto init = std::make_unique<InitData>();
  const idx_t count = duckdb_init_get_column_count(info);
  for (idx_t i = 0; i < count; ++i) init->wanted.push_back(duckdb_init_get_column_index(info, i));
  duckdb_init_set_max_threads(info, bind.source->max_threads());
  duckdb_init_set_init_data(info, init.release(), Delete<InitData>);
}

void InitLocal(duckdb_init_info info) { duckdb_init_set_init_data(info, new LocalData, Delete<LocalData>); }

void Scan(duckdb_function_info info, duckdb_data_chunk chunk) {
  auto& local = *static_cast<LocalData*>(duckdb_function_get_local_init_data(info));
  if (!local.scan) {
    auto& bind = *static_cast<BindData*>(duckdb_function_get_bind_data(info));
    auto& init = *static_cast<InitData*>(duckdb_function_get_init_data(info));
    auto scan = bind.source->Open(init.wanted, init.cursor);
    if (!scan) return duckdb_function_set_error(info, scan.error().message.c_str());
    local.scan = std::move(*scan);
  }
  std::vector<Vector> columns;
  const idx_t count = duckdb_data_chunk_get_column_count(chunk);
  columns.reserve(count);
  for (idx_t i = 0; i < count; ++i) columns.emplace_back(duckdb_data_chunk_get_vector(chunk, i));
  auto rows = local.scan->Fill(columns);
  if (!rows) {
    duckdb_function_set_error(info, rows.error().message.c_str());
    return;
  }
  duckdb_data_chunk_set_size(chunk, *rows);
}

}  // namespace

void* Vector::Data() { return duckdb_vector_get_data(Of(handle_)); }

void Vector::SetNull(std::size_t row) {
  duckdb_vector_ensure_validity_writable(Of(handle_));
  duckdb_validity_set_row_invalid(duckdb_vector_get_validity(Of(handle_)), row);
}

void Vector::SetString(std::size_t row, std::string_view bytes) {
  duckdb_unsafe_vector_assign_string_element_len(Of(handle_), row, bytes.data(), bytes.size());
}

Vector Vector::Child(std::size_t n) {
  const LogicalType type(duckdb_vector_get_column_type(Of(handle_)));
  const duckdb_type id = duckdb_get_type_id(type.get());
  if (id == DUCKDB_TYPE_LIST || id == DUCKDB_TYPE_MAP) return Vector(duckdb_list_vector_get_child(Of(handle_)));
  return Vector(duckdb_struct_vector_get_child(Of(handle_), n));
}

void Vector::ReserveElements(std::size_t count) { duckdb_list_vector_reserve(Of(handle_), count); }

void Vector::SetList(std::size_t row, std::size_t offset, std::size_t length) {
  data<duckdb_list_entry>()[row] = {offset, length};
}

std::size_t Vector::elements() const { return duckdb_list_vector_get_size(Of(handle_)); }

void Vector::SetElements(std::size_t count) { duckdb_list_vector_set_size(Of(handle_), count); }

LogicalType ToLogicalType(const DataType& type) {
  switch (type.kind) {
    case TypeKind::kBoolean: return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_BOOLEAN));
    case TypeKind::kInt: return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_INTEGER));
    case TypeKind::kBigint: return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
    case TypeKind::kFloat: return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_FLOAT));
    case TypeKind::kDouble: return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_DOUBLE));
    case TypeKind::kDecimal: return LogicalType(duckdb_create_decimal_type(type.width, type.scale));
    case TypeKind::kString:
    case TypeKind::kJson: return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR));
    case TypeKind::kBinary: return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_BLOB));
    case TypeKind::kUuid: return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_UUID));
    case TypeKind::kDate: return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_DATE));
    case TypeKind::kTime: return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_TIME));
    case TypeKind::kTimestamp: return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_TIMESTAMP));
    case TypeKind::kTimestamptz: return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_TIMESTAMP_TZ));
    case TypeKind::kList: {
      const LogicalType element = ToLogicalType(type.children[0]);
      return LogicalType(duckdb_create_list_type(element.get()));
    }
    case TypeKind::kMap: {
      const LogicalType key = ToLogicalType(type.children[0]), value = ToLogicalType(type.children[1]);
      return LogicalType(duckdb_create_map_type(key.get(), value.get()));
    }
    case TypeKind::kStruct: {
      std::vector<LogicalType> owned;
      std::vector<duckdb_logical_type> types;
      std::vector<const char*> names;
      for (std::size_t i = 0; i < type.children.size(); ++i) {
        owned.push_back(ToLogicalType(type.children[i]));
        types.push_back(owned.back().get());
        names.push_back(type.names[i].c_str());
      }
      return LogicalType(duckdb_create_struct_type(types.data(), names.data(), types.size()));
    }
  }
  return LogicalType(duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR));
}

Status RegisterRowFunction(duckdb_connection connection, RowSources& sources) {
  duckdb_table_function function = duckdb_create_table_function();
  duckdb_table_function_set_name(function, "nano_rows");
  const LogicalType bigint(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
  duckdb_table_function_add_parameter(function, bigint.get());
  duckdb_table_function_set_extra_info(function, &sources, nullptr);
  duckdb_table_function_set_bind(function, Bind);
  duckdb_table_function_set_init(function, Init);
  duckdb_table_function_set_local_init(function, InitLocal);
  duckdb_table_function_set_function(function, Scan);
  duckdb_table_function_supports_projection_pushdown(function, true);
  const auto state = duckdb_register_table_function(connection, function);
  duckdb_destroy_table_function(&function);
  if (state == DuckDBError) return Fail(Code::kInternal, "table function nano_rows could not be registered");
  return {};
}

}  // namespace nano::engine
