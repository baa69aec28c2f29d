#pragma once

#include <cstdint>

namespace storemon::estimate {

__extension__ typedef unsigned __int128 uint128;

/// `numerator / denominator`, halves to the even neighbour.
/// @pre denominator > 0, and the quotient fits int64_t.
inline int64_t divide_half_even(uint128 numerator, uint128 denominator) noexcept {
  const uint128 quotient = numerator / denominator;
  const uint128 below = numerator % denominator;
  const uint128 above = denominator - below;
  const bool up = below > above || (below == above && quotient % 2 == 1);
  return static_cast<int64_t>(quotient) + (up ? 1 : 0);
}

} // namespace storemon::estimate
