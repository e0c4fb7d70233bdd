// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How commands reach the `nanohouse run` of a warehouse: JSON over the socket `<local>/run.sock`, one object a request,
/// `{"do": "source stop", "source": "shop_db"}`, and one an answer, `{"result": …}` or `{"error": {…}, "exit": 1}`.

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "app/command.h"
#include "base/result.h"
#include "contract/layout.h"
#include "io/local_socket.h"

namespace nano::app {

std::filesystem::path ControlSocket(const contract::Layout& layout);

/// What a running warehouse answered.
struct ControlAnswer {
  nlohmann::ordered_json result;
  std::optional<Error> error;
  Exit exit = Exit::kDone;       ///< of the error
};

/// Asks the `run` of the warehouse; nothing where none runs.  kUnavailable: it ended before it answered.
Result<std::optional<ControlAnswer>> AskRunning(const contract::Layout& layout, const nlohmann::ordered_json& request);
/// The same for a command that makes no sense without one.  kNotFound: none runs.
Result<ControlAnswer> AskRunningOrFail(const contract::Layout& layout, const nlohmann::ordered_json& request);

/// The other side: serves requests until it is destroyed. `answer` is called from several threads.
using ControlHandler = std::function<ControlAnswer(const nlohmann::ordered_json& request)>;
Result<std::unique_ptr<io::LocalServer>> ServeControl(const contract::Layout& layout, ControlHandler handler);

}  // namespace nano::app
