#include "storemon/partition/store.hpp"

namespace storemon::partition {

applied set_hours(store& to, std::chrono::local_days valid_from, std::span<hours_row> rows) {
  if (valid_from == always_valid)
    to.hours.clear();
  const auto given = static_cast<int64_t>(rows.size());
  std::sort(rows.begin(), rows.end());
  protocol::hours_version version{valid_from, {}};
  std::unique_copy(rows.begin(), rows.end(), std::back_inserter(version.rows));
  version.rows.shrink_to_fit();
  const auto taken = static_cast<int64_t>(version.rows.size());
  const auto place =
      std::lower_bound(to.hours.begin(), to.hours.end(), valid_from,
                       [](const auto& held, std::chrono::local_days date) { return held.valid_from < date; });
  if (place != to.hours.end() && place->valid_from == valid_from)
    *place = std::move(version);
  else if (valid_from != always_valid || !version.rows.empty()) // open 24x7 since ever is no version at all
    to.hours.insert(place, std::move(version));
  return {taken, given - taken, 0};
}

bool zone_wins(std::string_view name, std::string_view held) {
  const bool known = calendar::zone::find(name) != nullptr;
  const bool held_known = calendar::zone::find(held) != nullptr;
  return known != held_known ? known : name < held;
}

void set_zone(store& to, std::string_view name) {
  to.zone = calendar::zone::find(name);
  to.unknown_zone = to.zone ? std::string() : std::string(name);
}

namespace {

/// Adds a stretch to a normalised set: a search, and one move of what comes after it.
void add(interval_set& set, interval span) {
  const auto first =
      std::partition_point(set.begin(), set.end(), [&](const interval& held) { return held.to < span.from; });
  const auto last =
      std::partition_point(first, set.end(), [&](const interval& held) { return held.from <= span.to; });
  if (first == last) {
    set.insert(first, span);
    return;
  }
  first->from = std::min(first->from, span.from);
  first->to = std::max(span.to, std::prev(last)->to);
  set.erase(std::next(first), last);
}

/// Takes a stretch out of a normalised set, at the same cost.
void take_out(interval_set& set, interval span) {
  const auto first = std::partition_point(set.begin(), set.end(),
                                          [&](const interval& held) { return held.to <= span.from; });
  const auto last =
      std::partition_point(first, set.end(), [&](const interval& held) { return held.from < span.to; });
  if (first == last)
    return;
  const interval before{first->from, span.from};
  const interval after{span.to, std::prev(last)->to};
  auto place = set.erase(first, last);
  if (!after.empty())
    place = set.insert(place, after);
  if (!before.empty())
    set.insert(place, before);
}

} // namespace

void change_closures(store& to, const closure_change& change) {
  if (change.span.empty())
    return;
  if (change.withdrawn)
    take_out(to.closures, change.span);
  else
    add(to.closures, change.span);
}

} // namespace storemon::partition
