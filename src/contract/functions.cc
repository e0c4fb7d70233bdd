// SPDX-License-Identifier: Apache-2.0
#include "contract/functions.h"

#include <algorithm>

namespace nano::contract {
namespace {

bool Holds(const std::vector<std::string_view>& sorted, std::string_view word) { return std::binary_search(sorted.begin(), sorted.end(), word); }

std::vector<std::string_view> Sorted(std::vector<std::string_view> words) {
  std::sort(words.begin(), words.end());
  return words;
}

}  // namespace

const std::vector<std::string_view>& ImmutableFunctions() {
  static const auto functions = Sorted({
      // operators
      "!~~", "!~~*", "%", "&", "&&", "*", "**", "+", "-", "->>", "/", "//", "<<", "<@", ">>", "@", "@>", "^", "^@", "|", "||", "~", "~~", "~~*", "~~~",
      "like_escape", "ilike_escape", "not_like_escape", "not_ilike_escape",
      // numbers
      "abs", "acos", "acosh", "add", "asin", "asinh", "atan", "atan2", "atanh", "bit_count", "cbrt", "ceil", "ceiling", "cos", "cosh", "cot", "degrees", "divide",
      "even", "exp", "fdiv", "floor", "fmod", "gcd", "greatest", "greatest_common_divisor", "isfinite", "isinf", "isnan", "lcm", "least", "least_common_multiple",
      "ln", "log", "log10", "log2", "mod", "multiply", "pi", "pow", "power", "radians", "round", "round_even", "roundbankers", "sign", "signbit", "sin", "sinh",
      "sqrt", "subtract", "tan", "tanh", "trunc", "xor",
      // choice
      "coalesce", "if", "ifnull", "nullif", "nvl",
      // text
      "array_extract", "ascii", "bar", "base64", "bin", "bit_length", "char_length", "character_length", "chr", "concat", "concat_ws", "contains",
      "damerau_levenshtein", "editdist3", "ends_with", "format", "format_bytes", "from_base64", "from_binary", "from_hex", "hamming", "hex", "instr", "jaccard",
      "jaro_similarity", "jaro_winkler_similarity", "lcase", "left", "left_grapheme", "len", "length", "length_grapheme", "levenshtein", "lower", "lpad", "ltrim",
      "md5", "mismatches", "nfc_normalize", "octet_length", "ord", "parse_dirname", "parse_dirpath", "parse_filename", "parse_path", "position", "prefix", "printf",
      "regexp_escape", "regexp_extract", "regexp_extract_all", "regexp_full_match", "regexp_matches", "regexp_replace", "regexp_split_to_array", "repeat", "replace",
      "reverse", "right", "right_grapheme", "rpad", "rtrim", "sha1", "sha256", "split", "split_part", "starts_with", "str_split", "str_split_regex", "string_split",
      "string_split_regex", "string_to_array", "strip_accents", "strlen", "strpos", "substr", "substring", "substring_grapheme", "suffix", "to_base", "to_base64",
      "to_binary", "to_hex", "translate", "trim", "ucase", "unbin", "unhex", "unicode", "upper", "url_decode", "url_encode", "encode", "decode",
      // dates and times: sessions run in UTC
      "century", "date_add", "date_diff", "date_part", "date_sub", "date_trunc", "datediff", "datepart", "datesub", "datetrunc", "day", "dayname", "dayofmonth", "dayofweek",
      "dayofyear", "decade", "epoch", "epoch_ms", "epoch_ns", "epoch_us", "era", "hour", "isodow", "isoyear", "julian", "last_day", "make_date", "make_time",
      "make_timestamp", "make_timestamp_ms", "make_timestamptz", "microsecond", "millennium", "millisecond", "minute", "month", "monthname", "quarter", "second",
      "strptime", "time_bucket", "timezone", "timezone_hour", "timezone_minute", "to_centuries", "to_days", "to_decades", "to_hours", "to_microseconds", "to_millennia",
      "to_milliseconds", "to_minutes", "to_months", "to_quarters", "to_seconds", "to_timestamp", "to_weeks", "to_years", "try_strptime", "week", "weekday", "weekofyear",
      "year", "yearweek",
      // json
      "array_to_json", "from_json", "from_json_strict", "json", "json_array", "json_array_length", "json_contains", "json_exists", "json_extract", "json_extract_path",
      "json_extract_path_text", "json_extract_string", "json_keys", "json_merge_patch", "json_object", "json_quote", "json_structure", "json_transform",
      "json_transform_strict", "json_type", "json_valid", "json_value", "row_to_json", "to_json",
      // lists, structs, maps
      "apply", "array_append", "array_apply", "array_cat", "array_concat", "array_contains", "array_distinct", "array_filter", "array_has", "array_has_all", "array_has_any",
      "array_indexof", "array_intersect", "array_length", "array_position", "array_prepend", "array_reduce", "array_reverse", "array_reverse_sort", "array_select",
      "array_slice", "array_sort", "array_to_string", "array_transform", "array_unique", "array_value", "array_where", "array_zip", "cardinality", "element_at", "filter",
      "flatten", "generate_series", "list_append", "list_apply", "list_avg", "list_bool_and", "list_bool_or", "list_cat", "list_concat", "list_contains", "list_count",
      "list_distinct", "list_element", "list_extract", "list_filter", "list_has", "list_has_all", "list_has_any", "list_indexof", "list_intersect", "list_max", "list_min",
      "list_pack", "list_position", "list_prepend", "list_product", "list_reduce", "list_resize", "list_reverse", "list_reverse_sort", "list_select", "list_slice",
      "list_sort", "list_string_agg", "list_sum", "list_transform", "list_unique", "list_value", "list_where", "list_zip", "map", "map_concat", "map_contains", "map_entries",
      "map_extract", "map_extract_value", "map_from_entries", "map_keys", "map_values", "range", "reduce", "row", "struct_concat", "struct_contains", "struct_extract",
      "struct_extract_at", "struct_insert", "struct_keys", "struct_pack", "struct_position", "struct_update", "struct_values",
      // uuid
      "uuid_extract_timestamp", "uuid_extract_version",
  });
  return functions;
}

bool IsImmutable(std::string_view function) { return Holds(ImmutableFunctions(), function); }

bool TakesLambda(std::string_view function) {
  static const auto functions = Sorted({"apply", "array_apply", "array_filter", "array_reduce", "array_transform", "filter", "list_apply", "list_filter", "list_reduce",
                                        "list_transform", "reduce"});
  return Holds(functions, function);
}

bool IsSessionName(std::string_view name) {
  static const auto names = Sorted({"current_catalog", "current_date", "current_role", "current_schema", "current_time", "current_timestamp", "current_user", "localtime",
                                    "localtimestamp", "session_user", "user"});
  return Holds(names, name);
}

}  // namespace nano::contract
