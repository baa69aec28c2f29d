#pragma once

#include "storemon/model/instant.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

/// Local dates and times of day as text, in feeds and in JSON alike.
namespace storemon {

/// Reads `YYYY-MM-DD`. @returns nothing when the text is not exactly of that form or names no real date.
std::optional<std::chrono::local_days> parse_date(std::string_view text) noexcept;

/// `YYYY-MM-DD`.
std::string date_text(std::chrono::local_days date);

/// `HH:MM:SS`, with six fraction digits where there is a fraction.
/// @param since_midnight  in [0 h, 24 h]
std::string time_text(duration since_midnight);

} // namespace storemon
