// SPDX-License-Identifier: Apache-2.0
#pragma once
/// CRC-32C (Castagnoli), as iSCSI and ext4 use it; by the processor's own instruction where it has one. Pure.

#include <cstdint>
#include <string_view>

namespace nano::journal {

/// Of `bytes`, going on from `previous`: Crc32c(b, Crc32c(a)) is that of a followed by b.
std::uint32_t Crc32c(std::string_view bytes, std::uint32_t previous = 0);
/// The same without the instruction; what Crc32c() does where there is none.
std::uint32_t Crc32cPortable(std::string_view bytes, std::uint32_t previous = 0);

}  // namespace nano::journal
