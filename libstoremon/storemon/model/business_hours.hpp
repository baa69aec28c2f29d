#pragma once

#include "storemon/model/instant.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>

namespace storemon {

/// One row of the hours feed as it was written: a weekday (0 = Monday … 6 = Sunday) and two wall-clock times,
/// as time since local midnight. `start` in [0 h, 24 h), `end` in [0 h, 24 h].
struct hours_row {
  duration start{};
  duration end{};
  uint8_t day = 0;

  friend bool operator==(const hours_row&, const hours_row&) = default;

  /// The order of the week: by day, start, end.
  friend auto operator<=>(const hours_row& a, const hours_row& b) noexcept {
    return std::tie(a.day, a.start, a.end) <=> std::tie(b.day, b.start, b.end);
  }
};

/// What a row means (SEMANTICS section 2.1), relative to the midnight that begins its local date.
struct wall_stretch {
  duration from{}; ///< in [0 h, 24 h)
  duration to{};   ///< in (from, from + 24 h]
};

/// An end of 23:59:00 or 23:59:59, with or without a fraction, means 24:00; after that an end not after the
/// start is on the next day, so `start == end` is 24 hours from `start`.
inline wall_stretch meaning(const hours_row& row) noexcept {
  using namespace std::chrono_literals;
  const bool last_minute = row.end >= 23h + 59min && row.end < 23h + 59min + 1s;
  const bool last_second = row.end >= 23h + 59min + 59s;
  const duration end = last_minute || last_second ? 24h : row.end;
  return {row.start, end <= row.start ? end + 24h : end};
}

/// Reads `H:MM`, `HH:MM` or `HH:MM:SS`, with a fraction of 1 to 9 digits allowed after seconds (cut past the
/// microsecond). `24:00[:00]` only where `is_end`.
std::optional<duration> parse_time_of_day(std::string_view text, bool is_end) noexcept;

} // namespace storemon
