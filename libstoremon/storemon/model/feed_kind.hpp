#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace storemon {

/// The feeds that data comes in by and goes out by: the three of SEMANTICS section 1, and three more that
/// tell what those have no columns for: planned closures; what corrections made of polls; and that a store
/// exists.
enum class feed_kind : uint8_t { status, hours, timezones, closures, corrections, stores };

inline constexpr std::array all_feeds{feed_kind::status,   feed_kind::hours,       feed_kind::timezones,
                                      feed_kind::closures, feed_kind::corrections, feed_kind::stores};

/// As requests and messages name it.
std::string_view to_string(feed_kind feed) noexcept;

/// The feed of that name; nothing where there is none.
std::optional<feed_kind> parse_feed_kind(std::string_view name) noexcept;

/// What a feed's file is called in a directory: the first of its names where it is exported. A second one
/// that is empty is none.
std::array<std::string_view, 2> file_names_of(feed_kind feed) noexcept;

} // namespace storemon
