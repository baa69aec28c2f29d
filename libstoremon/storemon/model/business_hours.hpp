#pragma once

#include "storemon/model/instant.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

namespace storemon {

/// One row of the hours feed as it was written: a weekday (0 = Monday … 6 = Sunday) and two wall-clock times,
/// as time since local midnight. `start` in [0 h, 24 h), `end` in [0 h, 24 h].
struct hours_row {
  duration start{};
  duration end{};
  uint8_t day = 0;

  friend auto operator<=>(const hours_row&, const hours_row&) = default;
};

/// What a row means (SEMANTICS section 2.1), relative to the midnight that begins its local date.
struct wall_stretch {
  duration from{}; ///< in [0 h, 24 h)
  duration to{};   ///< in (from, from + 24 h]
};

/// An end of 23:59:00 or 23:59:59, with or without a fraction, means 24:00; after that an end not after the
/// start is on the next day, so `start == end` is 24 hours from `start`.
wall_stretch meaning(const hours_row& row) noexcept;

/// Reads `H:MM`, `HH:MM` or `HH:MM:SS`, with a fraction of 1 to 9 digits allowed after seconds (cut past the
/// microsecond). `24:00[:00]` only where `is_end`.
std::optional<duration> parse_time_of_day(std::string_view text, bool is_end) noexcept;

} // namespace storemon
