// SPDX-License-Identifier: Apache-2.0
#include "contract/expressions.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "contract/functions.h"
#include "contract/type_fit.h"
#include "engine/database.h"

namespace nano::contract {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kPrefix = "SELECT (";
constexpr std::size_t kLongest = 64 << 10;
constexpr std::size_t kMostParts = 2000;  ///< parts of one expression that are typed

std::string Lower(std::string_view text) {
  std::string out;
  for (const char c : text) out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string TextAt(const Json& node, const char* key) {
  const auto found = node.find(key);
  return found != node.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// The offset of a part within the expression's own text; nothing where DuckDB does not say.
std::optional<std::size_t> OffsetOf(const Json& node) {
  const auto found = node.find("query_location");
  if (found == node.end() || !found->is_number_unsigned()) return {};
  const auto at = found->get<std::uint64_t>();
  if (at < kPrefix.size() || at > kLongest + kPrefix.size()) return {};
  return static_cast<std::size_t>(at - kPrefix.size());
}

/// DuckDB's words without their class and without what follows the first line.
std::string Plain(std::string message) {
  message = message.substr(0, message.find('\n'));
  for (const auto* const prefix :
       {"Parser Error: ", "Binder Error: ", "Catalog Error: ", "Conversion Error: ", "Invalid Input Error: "})
    if (message.starts_with(prefix)) message.erase(0, std::string_view(prefix).size());
  if (!message.empty() && message.size() > 1 && std::islower(static_cast<unsigned char>(message[1])))
    message[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(message[0])));
  while (!message.empty() && (message.back() == '.' || message.back() == ' ')) message.pop_back();
  return message;
}

/// What is known of the fields of a table's source: from `source_type`, else from columns that take the field as it is,
/// else from the expression's own column.
class Fields {
 public:
  Fields(const Table& table, const std::vector<const Node*>& nodes, Findings& findings) {
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const Column& column = table.columns[i];
      if (column.source_type) {
        const DataType type = ReadSourceType(*column.source_type).type;
        source_types_.emplace(column.field, *column.source_type);
        const auto [known, is_new] = declared_.emplace(column.field, type);
        if (!is_new && known->second != type)
          if (const Node* const at = nodes[i]->Get("source_type"))
            findings.push_back({Severity::kError, "type-mismatch",
                                fmt::format("field \"{}\" is declared as {} and as {}", fmt::join(column.field, "."),
                                            ToString(known->second), ToString(type)),
                                "Give the field one source_type.", at->place, EndOf(*at)});
      } else if (!column.expr) {
        taken_.emplace(column.field, column.type);
      } else {
        own_.emplace(column.field, column.type);
      }
    }
  }

  /// The type of a field by its outermost name (any case, if there is one such); a struct of what is known inside it.
  std::optional<ExpressionInput> Find(const std::string& name) const {
    std::set<std::string> names;
    for (const auto* const map : {&declared_, &taken_, &own_})
      for (const auto& [path, type] : *map) names.insert(path[0]);
    std::string exact = name;
    if (!names.contains(name)) {
      std::vector<std::string> alike;
      for (const auto& candidate : names)
        if (Lower(candidate) == Lower(name)) alike.push_back(candidate);
      if (alike.size() != 1) return {};
      exact = alike[0];
    }
    ExpressionInput input{exact, {}, {}};
    for (const auto* const map : {&declared_, &taken_, &own_})
      if (const auto found = map->find({exact}); found != map->end()) {
        input.type = found->second;
        input.leaves.push_back({{exact}, found->second, SourceTypeOf({exact})});
        return input;
      }
    input.type.kind = TypeKind::kStruct;
    for (const auto* const map : {&declared_, &taken_, &own_})
      for (const auto& [path, leaf] : *map)
        if (path[0] == exact && Insert(input.type, path, 1, leaf)) input.leaves.push_back({path, leaf, SourceTypeOf(path)});
    return input;
  }

  std::vector<std::string> Names() const {
    std::vector<std::string> out;
    for (const auto* const map : {&declared_, &taken_, &own_})
      for (const auto& [path, type] : *map) out.push_back(path[0]);
    return out;
  }

 private:
  std::string SourceTypeOf(const std::vector<std::string>& path) const {
    const auto written = source_types_.find(path);
    return written == source_types_.end() ? std::string() : written->second;
  }

  /// False where the place is taken by what was declared before, or where something within it was.
  static bool Insert(DataType& into, const std::vector<std::string>& path, std::size_t depth, const DataType& leaf) {
    if (into.kind != TypeKind::kStruct) return false;
    const bool is_last = depth + 1 == path.size();
    for (std::size_t i = 0; i < into.names.size(); ++i)
      if (into.names[i] == path[depth]) return !is_last && Insert(into.children[i], path, depth + 1, leaf);
    DataType child = leaf;
    if (!is_last) {
      child = DataType();
      child.kind = TypeKind::kStruct;
      Insert(child, path, depth + 1, leaf);
    }
    into.names.push_back(path[depth]);
    into.children.push_back(std::move(child));
    return true;
  }

  std::map<std::vector<std::string>, DataType> declared_, taken_, own_;
  std::map<std::vector<std::string>, std::string> source_types_;
};

/// One expression: its text, its place, and what is found out about it.
class Expression {
 public:
  Expression(engine::Connection& connection, const Fields& fields, Column& column, const Node& node, Findings& findings)
      : connection_(connection), fields_(fields), column_(column), node_(node), findings_(findings) {}

  void Check() {
    if (column_.expr->size() > kLongest) return Add("expression-syntax", "the expression is too long", "Make a model of it.");
    if (!Parse()) return;
    const Json& root = statement_["statements"][0]["node"]["select_list"][0];
    const std::size_t before = findings_.size();
    Walk(root, {});
    if (findings_.size() != before) return;
    std::sort(column_.inputs.begin(), column_.inputs.end(), [](const auto& a, const auto& b) { return a.field < b.field; });
    for (const auto& input : column_.inputs) column_.expr_fields.push_back(input.field);
    Type(root);
  }

 private:
  void Add(std::string code, std::string message, std::string hint, std::optional<std::size_t> offset = {},
           std::size_t length = 0) {
    Place begin = node_.place, end = EndOf(node_);
    if (offset && node_.text_column && *offset < node_.text.size()) {
      const auto characters = [&](std::size_t n) {
        return static_cast<std::uint64_t>(
            std::count_if(node_.text.begin(), node_.text.begin() + static_cast<std::ptrdiff_t>(std::min(n, node_.text.size())),
                          [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
      };
      begin.column = node_.text_column + characters(*offset);
      end = begin;
      end.column = node_.text_column + characters(*offset + length);
    }
    findings_.push_back({Severity::kError, std::move(code), std::move(message), std::move(hint), begin, end});
  }
  std::string Named() const { return fmt::format("the expression of column \"{}\"", column_.name); }

  bool Parse() {
    const std::string sql = std::string(kPrefix) + *column_.expr + "\n)";
    auto rows = connection_.Query("SELECT json_serialize_sql($1::VARCHAR)::VARCHAR", {sql});
    if (!rows) {
      Add("expression-syntax", fmt::format("{} is no SQL: {}", Named(), Plain(rows.error().message)), "");
      return false;
    }
    statement_ = Json::parse(rows->text(0, 0), nullptr, false);
    if (!statement_.is_object() || statement_.value("error", true)) {
      std::optional<std::size_t> offset;
      if (statement_.is_object()) {
        const auto position = statement_.find("position");
        if (position != statement_.end() && position->is_string()) {
          const std::string digits = position->get<std::string>();
          const auto at = static_cast<std::size_t>(std::strtoull(digits.c_str(), nullptr, 10));
          if (at >= kPrefix.size()) offset = at - kPrefix.size();
        }
      }
      Add("expression-syntax",
          fmt::format("{} is no SQL: {}", Named(), Plain(statement_.is_object() ? TextAt(statement_, "error_message") : "")),
          "Write one expression over the source's fields.", offset, 1);
      return false;
    }
    const Json& statements = statement_["statements"];
    const bool is_one = statements.size() == 1 && TextAt(statements[0]["node"], "type") == "SELECT_NODE" &&
                        statements[0]["node"]["select_list"].size() == 1 &&
                        TextAt(statements[0]["node"]["from_table"], "type") == "EMPTY";
    if (!is_one) {
      Add("expression-syntax", fmt::format("{} is more than one expression", Named()),
          "Write one expression over the source's fields.");
      return false;
    }
    const Json& select = statements[0]["node"];
    for (const auto* const part : {"where_clause", "having", "qualify", "sample"})
      if (select.contains(part) && !select[part].is_null()) {
        Add("expression-syntax", fmt::format("{} is more than one expression", Named()),
            "Write one expression over the source's fields.");
        return false;
      }
    return true;
  }

  /// Finds the fields and functions; `bound` are the names of the lambdas around.
  void Walk(const Json& node, const std::set<std::string>& bound) {
    if (node.is_array()) {
      for (const auto& item : node) Walk(item, bound);
      return;
    }
    if (!node.is_object()) return;
    const std::string kind = TextAt(node, "class");
    if (kind == "COLUMN_REF") return Field(node, bound);
    if (kind == "FUNCTION") return Function(node, bound);
    if (kind == "LAMBDA") {  // outside of a list function it is json's arrow
      Walk(node["lhs"], bound);
      Walk(node["expr"], bound);
      return;
    }
    if (kind == "SUBQUERY") return Refuse(node, "has a query in it", "An expression sees one row; make a model of it.");
    if (kind == "WINDOW") return Refuse(node, "has a window function in it", "An expression sees one row; make a model of it.");
    if (kind == "STAR") return Refuse(node, "has a star in it", "Name the fields.");
    if (kind == "PARAMETER") return Refuse(node, "has a parameter in it", "Write the value.");
    if (kind == "DEFAULT" || kind == "POSITIONAL_REFERENCE")
      return Refuse(node, "refers to something by its number", "Name the fields.");
    if (kind == "CAST") {
      const std::string target = TextAt(node["cast_type"], "id");
      if (target == "HUGEINT" || target == "UHUGEINT" || target == "TIME_NS" || target == "TIMESTAMP_NS")
        Refuse(node, fmt::format("casts to {}, which no table can hold", target), "Use decimal(38,0), time or timestamp.");
    }
    for (const auto& [key, value] : node.items())
      if (value.is_structured() && key != "cast_type" && key != "value") Walk(value, bound);
  }

  void Refuse(const Json& node, const std::string& what, const std::string& hint) {
    Add("expression-function", fmt::format("{} {}", Named(), what), hint, OffsetOf(node), 1);
  }

  void Field(const Json& node, const std::set<std::string>& bound) {
    const auto names = node.find("column_names");
    if (names == node.end() || names->empty() || !(*names)[0].is_string()) return;
    const std::string name = (*names)[0].get<std::string>();
    if (bound.contains(Lower(name))) return;
    if (auto input = fields_.Find(name)) {
      const bool is_known =
          std::any_of(column_.inputs.begin(), column_.inputs.end(), [&](const auto& other) { return other.field == input->field; });
      if (!is_known) column_.inputs.push_back(*std::move(input));
      return;
    }
    if (IsSessionName(Lower(name)))
      return Add("expression-function", fmt::format("{} uses {}, which differs from run to run", Named(), name),
                 "Use a field of the source.", OffsetOf(node), name.size());
    const std::string nearest = Nearest(name, fields_.Names());
    Add("expression-field", fmt::format("{} uses field \"{}\", whose type no column declares", Named(), name),
        !nearest.empty() ? fmt::format("Did you mean `{}`?", nearest)
                         : fmt::format("Add `field: {}` and its source_type to the column, or a column of that name.", name),
        OffsetOf(node), name.size());
  }

  void Function(const Json& node, const std::set<std::string>& bound) {
    const std::string name = TextAt(node, "function_name");
    if (!IsImmutable(name)) {
      UnlistedFunction(node, name);
    } else if ((node.contains("filter") && !node["filter"].is_null()) || node.value("distinct", false)) {
      Refuse(node, "aggregates", "An expression sees one row; make a model of it.");
    }
    const bool takes_lambda = TakesLambda(name);
    bool first = true;
    for (const auto& child : node["children"]) {
      if (takes_lambda && !first && TextAt(child, "class") == "LAMBDA") {
        std::set<std::string> inner = bound;
        Parameters(child["lhs"], inner);
        Walk(child["expr"], inner);
      } else {
        Walk(child, bound);
      }
      first = false;
    }
  }

  static void Parameters(const Json& lhs, std::set<std::string>& into) {
    if (const auto names = lhs.find("column_names"); names != lhs.end() && !names->empty() && (*names)[0].is_string())
      into.insert(Lower((*names)[0].get<std::string>()));
    if (const auto children = lhs.find("children"); children != lhs.end())
      for (const auto& child : *children) Parameters(child, into);
  }

  void UnlistedFunction(const Json& node, const std::string& name) {
    auto rows =
        connection_.Query("SELECT function_type FROM duckdb_functions() WHERE lower(function_name) = lower($1) LIMIT 1", {name});
    const auto offset = OffsetOf(node);
    if (!rows || rows->empty()) {
      const std::string nearest = Nearest(name, {ImmutableFunctions().begin(), ImmutableFunctions().end()});
      return Add("expression-function", fmt::format("{} calls \"{}\", which is no function", Named(), name),
                 nearest.empty() ? "" : fmt::format("Did you mean `{}`?", nearest), offset, name.size());
    }
    if (rows->text(0, 0) == "aggregate")
      return Add("expression-function", fmt::format("{} calls \"{}\", which is an aggregate", Named(), name),
                 "An expression sees one row; make a model of it.", offset, name.size());
    Add("expression-function",
        fmt::format("{} calls \"{}\", which is not on the list of functions that always give the same value", Named(), name),
        "See \"Expressions\" in the reference for the list.", offset, name.size());
  }

  std::string From() const {
    if (column_.inputs.empty()) return {};
    std::string out = " FROM (SELECT ";
    for (std::size_t i = 0; i < column_.inputs.size(); ++i)
      out += fmt::format("{}NULL::{} AS {}", i ? ", " : "", engine::SqlType(column_.inputs[i].type),
                         engine::Quote(column_.inputs[i].field));
    return out + ") AS \"$record\"";
  }

  void Type(const Json& root) {
    auto described = connection_.Describe(std::string(kPrefix) + *column_.expr + "\n)" + From());
    if (!described || described->empty()) {
      Add("expression-type",
          fmt::format("{} does not type: {}", Named(), described ? "it has no result" : Plain(described.error().message)),
          "Add casts, or declare the fields' types with source_type.");
      return;
    }
    const std::string& type = (*described)[0].second;
    if (HoldsDecimal(column_.type) && HasInexactPart(root)) return;
    CheckResult(type);
  }

  static bool HoldsDecimal(const DataType& type) {
    return type.kind == TypeKind::kDecimal || std::any_of(type.children.begin(), type.children.end(), HoldsDecimal);
  }

  /// The parts whose values flow into the result, the innermost first: conditions only choose.
  static void Flow(const Json& node, std::vector<const Json*>& parts) {
    if (!node.is_object() || parts.size() > kMostParts) return;
    const std::string kind = TextAt(node, "class");
    if (kind == "COMPARISON" || kind == "CONJUNCTION" || kind == "BETWEEN" || kind == "LAMBDA") return;
    if (kind == "CASE") {
      for (const auto& check : node["case_checks"]) Flow(check["then_expr"], parts);
      Flow(node["else_expr"], parts);
    } else if (kind == "CAST" || kind == "COLLATE") {
      Flow(node["child"], parts);
    } else if (const auto children = node.find("children"); children != node.end()) {
      const std::string type = TextAt(node, "type");
      if (type == "COMPARE_IN" || type == "COMPARE_NOT_IN" || type == "OPERATOR_IS_NULL" || type == "OPERATOR_IS_NOT_NULL" ||
          type == "OPERATOR_NOT")
        return;
      const bool is_if = TextAt(node, "function_name") == "if";
      for (std::size_t i = is_if ? 1 : 0; i < children->size(); ++i) Flow((*children)[i], parts);
    }
    parts.push_back(&node);
  }

  /// A double anywhere on the way: told at the part where it comes in.
  bool HasInexactPart(const Json& root) {
    std::vector<const Json*> parts;
    Flow(root, parts);
    Json statement = statement_;
    Json& list = statement["statements"][0]["node"]["select_list"];
    list = Json::array();
    for (const Json* const part : parts) {
      list.push_back(*part);
      list.back()["alias"] = "";
    }
    auto sql = connection_.Query("SELECT json_deserialize_sql($1::JSON)::VARCHAR", {statement.dump()});
    if (!sql) return Untyped(sql.error());
    auto described = connection_.Describe(sql->text(0, 0) + From());
    if (!described || described->size() != parts.size())
      return Untyped(described ? Error{Code::kInternal, "its parts do not type", {}, {}, {}} : described.error());
    for (std::size_t i = 0; i < parts.size(); ++i) {
      // a constant's own type: as text, 1e-2 would come back as the decimal 0.01
      const bool is_constant = TextAt(*parts[i], "class") == "CONSTANT";
      const std::string type = is_constant ? TextAt((*parts[i])["value"]["type"], "id") : (*described)[i].second;
      if (type.find("DOUBLE") == std::string::npos && type.find("FLOAT") == std::string::npos) continue;
      const Json& part = *parts[i];
      const std::string kind = TextAt(part, "class"), function = TextAt(part, "function_name");
      std::string what = "takes a double on its way into a decimal",
                  hint = "Keep to decimals: multiply by 0.01 in place of dividing by 100, and cast to decimal what is none.";
      if (kind == "FUNCTION" && (function == "/" || function == "divide"))
        what = "divides, which makes a double on its way into a decimal";
      else if (kind == "FUNCTION")
        what = fmt::format("makes a double with \"{}\" on its way into a decimal", function);
      else if (kind == "CONSTANT")
        what = "has a double in it on its way into a decimal",
        hint = "Write it without an exponent: 0.01 is a decimal, 1e-2 a double.";
      else if (kind == "COLUMN_REF")
        what = fmt::format("takes field \"{}\", a double, into a decimal", (*part.find("column_names"))[0].get<std::string>());
      Add("expression-inexact", fmt::format("{} {}", Named(), what), hint, OffsetOf(part), 1);
      return true;
    }
    return false;
  }
  /// What can't be judged is refused: an expression is exact beyond doubt, or not taken.
  bool Untyped(const Error& error) {
    Add("expression-type", fmt::format("{} can't be judged part by part: {}", Named(), Plain(error.message)),
        "Write it with plainer functions.");
    return true;
  }

  void CheckResult(const std::string& sql_type) {
    const auto result = ReadSqlType(sql_type);
    if (!result)
      return Add("expression-type", fmt::format("{} gives a {}, which is no type of the language", Named(), sql_type),
                 "Cast it to the column's type.");
    column_.expr_type = *result;
    const DataType &to = column_.type, &from = *result;
    const auto refuse = [&](const std::string& code, const std::string& why, const std::string& hint) {
      Add(code, fmt::format("{} gives {}, the column is {}: {}", Named(), ToString(from), ToString(to), why), hint);
    };
    if (to == from) return;
    if (to.kind == TypeKind::kString) {
      if (from.nested() || from.kind == TypeKind::kBinary)
        refuse("expression-type", fmt::format("{} is no text", ToString(from)), "Use to_json(…) or a cast.");
      return;
    }
    if (from.kind == TypeKind::kString && !to.nested() && to.kind != TypeKind::kBinary)
      return;  // each value is read as the source's own text is
    if (to.kind == TypeKind::kDecimal) {
      if (from.kind == TypeKind::kInt || from.kind == TypeKind::kBigint) return;  // each value is checked
      if (from.kind == TypeKind::kDecimal) {
        if (from.scale <= to.scale) return;  // its digits before the point are checked value by value
        return refuse("expression-inexact", fmt::format("{} digits after the point would be lost", from.scale - to.scale),
                      fmt::format("Write round(…, {}), or widen the column.", to.scale));
      }
      if (from.kind == TypeKind::kDouble || from.kind == TypeKind::kFloat)
        return refuse("expression-inexact", "a double is not exact",
                      "Keep to decimals: multiply by 0.01 in place of dividing by 100.");
    }
    if (const auto why = WhyNotHeld(to, from))
      refuse("expression-type", *why, fmt::format("Cast it, as in (…)::{}, or change the column's type.", engine::SqlType(to)));
  }

  engine::Connection& connection_;
  const Fields& fields_;
  Column& column_;
  const Node& node_;
  Findings& findings_;
  Json statement_;
};

/// The engine, opened for the first expression only.
class Engine {
 public:
  Result<engine::Connection*> Connection() {
    if (connection_) return connection_.get();
    engine::Options options;
    options.threads = 1;
    options.memory_limit = "256MB";
    options.extensions = {"icu", "json"};
    ASSIGN(database_, engine::Database::Open(options));
    ASSIGN(connection_, database_->Connect());
    return connection_.get();
  }

 private:
  std::unique_ptr<engine::Database> database_;
  std::unique_ptr<engine::Connection> connection_;
};

}  // namespace

void CheckExpressions(const WarehouseTree& tree, Contract& contract, Findings& findings) {
  Engine engine;
  for (std::size_t t = 0; t < contract.tables.size(); ++t) {
    Table& table = contract.tables[t];
    if (std::none_of(table.columns.begin(), table.columns.end(), [](const Column& column) { return column.expr.has_value(); }))
      continue;
    const auto nodes = Mappings(*tree.tables[t], "columns");
    const Fields fields(table, nodes, findings);
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      if (!table.columns[c].expr) continue;
      const Node& node = *nodes[c]->Get("expr");
      const auto connection = engine.Connection();
      if (!connection) {
        findings.push_back({Severity::kError, "expression-type",
                            fmt::format("expressions can't be checked: {}", connection.error().message), connection.error().hint,
                            node.place, node.place});
        return;
      }
      Expression(**connection, fields, table.columns[c], node, findings).Check();
    }
  }
}

}  // namespace nano::contract
