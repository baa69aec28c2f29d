#include "storemon/model/feed_kind.hpp"

#include <cstddef>

namespace storemon {

namespace {

struct feed_names {
  std::string_view name;
  std::array<std::string_view, 2> files;
};

/// In the order of feed_kind.
constexpr std::array<feed_names, all_feeds.size()> names{
    {{"status", {"store_status.csv"}},
     {"hours", {"business_hours.csv", "menu_hours.csv"}},
     {"timezones", {"timezones.csv", "store_timezone.csv"}},
     {"closures", {"closures.csv"}},
     {"corrections", {"corrections.csv"}},
     {"stores", {"stores.csv"}}}};

const feed_names& names_of(feed_kind feed) noexcept {
  return names[static_cast<size_t>(feed)];
}

} // namespace

std::string_view to_string(feed_kind feed) noexcept {
  return names_of(feed).name;
}

std::optional<feed_kind> parse_feed_kind(std::string_view name) noexcept {
  for (const auto feed : all_feeds)
    if (to_string(feed) == name)
      return feed;
  return std::nullopt;
}

std::array<std::string_view, 2> file_names_of(feed_kind feed) noexcept {
  return names_of(feed).files;
}

} // namespace storemon
