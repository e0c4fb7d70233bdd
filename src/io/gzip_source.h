// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The bytes that a gzip file holds, of one member or of several that follow each other.

#include <memory>
#include <string>

#include "io/byte_source.h"

namespace nano::io {

/// Unpacks `packed`. Its Read() gives kCorrupt where the bytes are no gzip, or end within it; `name` is for messages.
std::unique_ptr<ByteSource> MakeGzipSource(std::unique_ptr<ByteSource> packed, std::string name);

}  // namespace nano::io
