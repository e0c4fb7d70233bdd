// SPDX-License-Identifier: Apache-2.0
#pragma once
/// UTF-8, as RFC 3629 says. Pure; any thread.

#include <string_view>

namespace nano::wire {

bool IsUtf8(std::string_view bytes);
/// The longest beginning that is whole characters.
std::string_view ValidPrefix(std::string_view bytes);

}  // namespace nano::wire
