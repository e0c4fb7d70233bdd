// SPDX-License-Identifier: Apache-2.0
#include "app/run/control.h"

#include "app/report.h"
#include "wire/json_get.h"

namespace nano::app {
namespace {

using Json = nlohmann::ordered_json;

Code CodeOf(const std::string& name) {
  for (const Code code : {Code::kInvalid, Code::kNotFound, Code::kExists, Code::kConflict, Code::kUnavailable, Code::kOutcomeUnknown, Code::kDenied,
                          Code::kUnsupported, Code::kCorrupt})
    if (CodeName(code) == name) return code;
  return Code::kInternal;
}

/// As ErrorJson() writes it.
Error ErrorOf(const Json& object) {
  Error error{CodeOf(wire::Get(object, "code", "")), wire::Get(object, "message", ""), wire::Get(object, "hint", ""), {}, wire::Get(object, "value", "")};
  if (const auto place = object.find("place"); place != object.end() && place->is_object())
    error.place = {wire::Get(*place, "file", ""), wire::Get(*place, "line", std::uint64_t{0}), wire::Get(*place, "column", std::uint64_t{0})};
  return error;
}

}  // namespace

std::filesystem::path ControlSocket(const contract::Layout& layout) { return layout.local / "run.sock"; }

Result<std::optional<ControlAnswer>> AskRunning(const contract::Layout& layout, const Json& request) {
  auto text = io::AskLocal(ControlSocket(layout), request.dump(-1, ' ', false, Json::error_handler_t::replace));
  if (!text && text.error().code == Code::kNotFound) return std::optional<ControlAnswer>();
  if (!text) return tl::make_unexpected(std::move(text).error());
  const Json json = Json::parse(*text, nullptr, false);
  if (!json.is_object()) return Fail(Code::kInternal, "the answer of the running warehouse is not JSON");
  ControlAnswer answer;
  if (const auto error = json.find("error"); error != json.end() && error->is_object()) {
    answer.error = ErrorOf(*error);
    answer.exit = wire::Get(json, "exit", std::uint64_t{0}) == 1 ? Exit::kFailed : Exit::kCouldNot;
  }
  if (const auto result = json.find("result"); result != json.end()) answer.result = *result;
  return std::optional(std::move(answer));
}

Result<ControlAnswer> AskRunningOrFail(const contract::Layout& layout, const Json& request) {
  ASSIGN(auto answer, AskRunning(layout, request));
  if (!answer) return WithHint(Fail(Code::kNotFound, "the warehouse is not running"), "`nanohouse run` runs it.");
  return *std::move(answer);
}

Result<std::unique_ptr<io::LocalServer>> ServeControl(const contract::Layout& layout, ControlHandler handler) {
  return io::LocalServer::Open(ControlSocket(layout), [handler = std::move(handler)](const std::string& text) {
    const Json request = Json::parse(text, nullptr, false);
    ControlAnswer answer;
    if (request.is_object()) {
      answer = handler(request);
    } else {
      answer.error = Error{Code::kInvalid, "the request is not a JSON object", {}, {}, {}};
      answer.exit = Exit::kUsage;
    }
    Json out = Json::object();
    if (answer.error) {
      out["error"] = Json::parse(ErrorJson(*answer.error))["error"];
      out["exit"] = static_cast<int>(answer.exit);
    }
    if (!answer.result.is_null()) out["result"] = std::move(answer.result);
    return out.dump(-1, ' ', false, Json::error_handler_t::replace);
  });
}

}  // namespace nano::app
