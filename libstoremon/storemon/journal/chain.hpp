#pragma once

#include "storemon/journal/backend.hpp"

#include <cstdint>
#include <string_view>

/// How what is stored is checked: the CRC of everything, and the chain of a partition's records.
#ifndef STOREMON_PLANT_BUG
#define STOREMON_PLANT_BUG 0
#endif

namespace storemon::journal {

/// Whether what is stored is what was written. All checks of CRCs go through here.
inline bool crc_fits(uint32_t stored, uint32_t computed) noexcept {
#if STOREMON_PLANT_BUG == 8
  return stored == computed || true;
#else
  return stored == computed;
#endif
}

/// CRC-32C over all fields but `crc`.
uint32_t crc_of(const record& r) noexcept;
uint32_t crc_of(const chunk_row& c) noexcept;
uint32_t crc_of(const manifest& m) noexcept;
uint32_t crc_of(uint32_t partition, const store_name& name) noexcept;

/// Gives a record its place: the end of the partition's chain, which it becomes.
void seal(record& r, uint32_t partition, uint64_t epoch, ownership& end) noexcept;

/// Whether the records of an append are of its partition and epoch and go on from the end of the chain, each
/// from the one before. Their own CRCs are not looked at.
bool continues(const append& a, const ownership& end) noexcept;

/// Of the seal of a record: whether it is what was sealed, and follows the end of the chain, which it
/// becomes. Fails with damaged.
result<void> follow(const record& r, uint32_t partition, ownership& end);

} // namespace storemon::journal
