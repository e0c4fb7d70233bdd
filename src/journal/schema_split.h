// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Where the inline schema of a Kafka Connect message ends, so that the journal keeps it once. Pure.

#include <cstddef>
#include <string_view>

namespace nano::journal {

/// Of `{"schema":{…},"payload":…}`, exactly so: the bytes up to the end of the schema's value, `{"schema":{…}`.
/// 0: the message does not begin so, or its schema has no end.
std::size_t InlineSchemaEnd(std::string_view message);

}  // namespace nano::journal
