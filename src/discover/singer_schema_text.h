// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a Singer schema says of a stream: types, key, and the descriptions that people wrote into it.

#include <string_view>

#include "discover/stream_fields.h"
#include "wire/singer.h"

namespace nano::discover {

/// `schema` is the token that `parsed` was made of.
void Describe(SeenStream& stream, const wire::SingerSchema& parsed, std::string_view schema);

}  // namespace nano::discover
