// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Tells the service manager how a service fares: sd_notify(3)'s protocol, a datagram to $NOTIFY_SOCKET.

#include <chrono>
#include <optional>
#include <string_view>

namespace nano::io {

/// `READY=1`, `STOPPING=1`, `WATCHDOG=1`, `STATUS=…`. Does nothing where no manager asked for it. From any thread.
void NotifyService(std::string_view state);
/// How often the manager wants to hear WATCHDOG=1 at the latest; nothing where it does not.
std::optional<std::chrono::microseconds> WatchdogInterval();

}  // namespace nano::io
