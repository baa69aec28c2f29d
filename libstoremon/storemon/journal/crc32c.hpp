#pragma once

#include <cstdint>
#include <string_view>

namespace storemon::journal {

/// CRC-32C (Castagnoli; RFC 3720 appendix B.4) of bytes, going on from the CRC of what stands before them.
uint32_t crc32c(std::string_view bytes, uint32_t before = 0) noexcept;

/// The same by tables alone: what machines without the instruction use.
uint32_t crc32c_by_table(std::string_view bytes, uint32_t before = 0) noexcept;

} // namespace storemon::journal
