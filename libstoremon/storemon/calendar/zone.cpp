#include "storemon/calendar/zone.hpp"

#include <date/tz.h>

#include <exception>
#include <iterator>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <unordered_map>

namespace storemon::calendar {

namespace {

constexpr const char* fallback_name = "America/Chicago";
constexpr const char* no_fallback = "the system's tz database has no America/Chicago; is tzdata installed?";

/// The database's zone of exactly that name, or nullptr. The library's own locate_zone throws at a miss,
/// which a feed full of unknown names would pay for.
const date::time_zone* locate(std::string_view name) {
  // Listed with the zones, but no zone of its own: whatever this machine is set to.
  if (name == "localtime")
    return nullptr;
  const auto& zones = date::get_tzdb().zones;
  const auto listed = std::lower_bound(zones.begin(), zones.end(), name,
                                       [](const auto& a, std::string_view b) { return a.name() < b; });
  return listed != zones.end() && listed->name() == name ? &*listed : nullptr;
}

} // namespace

namespace {

/// The zones read so far. Left to the end of the process: threads may still read their zones while statics
/// are being destroyed.
struct zones_read {
  std::mutex mutex;
  std::unordered_map<std::string_view, const zone*> by_name; ///< by the zone's own name
};

zones_read& read_so_far() {
  static auto& all = *new zones_read;
  return all;
}

} // namespace

const zone* zone::find_or_throw(std::string_view name) {
  auto& [mutex, known] = read_so_far();
  const std::lock_guard lock(mutex);
  if (const auto at = known.find(name); at != known.end())
    return at->second;
  // A miss is not kept: names come from feeds, and there is no end of wrong ones.
  const auto* source = locate(name);
  if (!source)
    return nullptr;
  auto made = std::unique_ptr<const zone>(new zone(*source));
  known.emplace(made->name(), made.get());
  return made.release();
}

const zone* zone::find(std::string_view name) {
  try {
    return find_or_throw(name);
  } catch (const std::exception&) {
    return nullptr;
  }
}

result<void> zone::load_all() {
  std::string reading = "the tz database";
  try {
    for (const auto& source : date::get_tzdb().zones) {
      reading = "the time zone " + source.name();
      find_or_throw(source.name());
    }
  } catch (const std::exception& e) {
    return error{errc::io_failed, reading + " cannot be read: " + e.what() + "; is tzdata installed?"};
  }
  if (!find(fallback_name))
    return error{errc::io_failed, no_fallback};
  return {};
}

const zone& zone::fallback() {
  static const auto* chicago = find(fallback_name);
  if (!chicago)
    throw std::runtime_error(no_fallback);
  return *chicago;
}

zone::zone(const date::time_zone& source) : name_(source.name()) {
  auto info = source.get_info(date::sys_seconds::min());
  stretches_.push_back({instant::min(), info.offset, wall_time::max()});
  // At the end of the table the library answers with an end that is no later than what it was asked.
  for (auto asked = info.end; (info = source.get_info(asked)).end > asked; asked = info.end) {
    auto& last = stretches_.back();
    if (info.offset == last.offset)
      continue;
    const wall_time end((asked.time_since_epoch() + last.offset));
    // A clock set back reads on below where it had been.
    last.read_to = stretches_.size() == 1 ? end : std::max(end, std::prev(&last)->read_to);
    stretches_.push_back({asked, info.offset, wall_time::max()});
  }
}

wall_time zone::to_wall(instant at) const noexcept {
  const auto next = std::upper_bound(stretches_.begin(), stretches_.end(), at,
                                     [](instant a, const stretch& b) { return a < b.from; });
  return wall_time((at + std::prev(next)->offset).time_since_epoch());
}

const zone::stretch* zone::first_reading(wall_time at) const noexcept {
  return &*std::partition_point(stretches_.begin(), std::prev(stretches_.end()),
                                [&](const stretch& s) { return s.read_to <= at; });
}

} // namespace storemon::calendar
