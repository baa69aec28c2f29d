#pragma once

#include "storemon/model/instant.hpp"

#include <compare>
#include <cstdint>

namespace storemon {

enum class store_status : uint8_t { inactive = 0, active = 1 };

/// One poll of one store, in eight bytes: microseconds since the epoch, then the status in the lowest bit.
/// So observations sort by time, and of two at the same instant the inactive one comes first: keeping the
/// first of each instant is SEMANTICS' "inactive wins".
class observation {
public:
  observation() = default;

  observation(instant at, store_status status) noexcept
      : bits_(static_cast<int64_t>(static_cast<uint64_t>(at.time_since_epoch().count()) << 1) |
              static_cast<int64_t>(status)) {}

  static observation from_bits(int64_t bits) noexcept {
    observation o;
    o.bits_ = bits;
    return o;
  }

  instant at() const noexcept { return instant(duration(bits_ >> 1)); }

  store_status status() const noexcept { return static_cast<store_status>(bits_ & 1); }

  bool active() const noexcept { return (bits_ & 1) != 0; }

  int64_t bits() const noexcept { return bits_; }

  friend auto operator<=>(const observation&, const observation&) = default;

private:
  int64_t bits_ = 0;
};

static_assert(sizeof(observation) == 8);

} // namespace storemon
