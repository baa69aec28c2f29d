#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace storemon {

/// The one unit of time inside storemon.
using duration = std::chrono::microseconds;

/// A point in UTC, to the microsecond.
using instant = std::chrono::sys_time<duration>;

/// A wall-clock reading without a zone, to the microsecond.
using wall_time = std::chrono::local_time<duration>;

/// Reads `YYYY-MM-DD[ T]HH:MM:SS[.f{1,9}]` followed by ` UTC`, `Z`, `+00:00`, another `±HH:MM`, or nothing (=
/// UTC). Digits past the microsecond are cut. Seconds run 0 to 59 (no leap second), years 0000 to 9999,
/// offsets up to 23:59.
/// @returns nothing when the text is not exactly of that form or names no real date.
std::optional<instant> parse_instant(std::string_view text) noexcept;

/// `YYYY-MM-DDTHH:MM:SS.ffffffZ` (RFC 3339), always with six fraction digits.
std::string to_rfc3339(instant at);

} // namespace storemon
