#pragma once

#include "storemon/calendar/zone.hpp"
#include "storemon/model/business_hours.hpp"
#include "storemon/model/interval.hpp"
#include "storemon/model/observation.hpp"
#include "storemon/model/update.hpp"
#include "storemon/protocol/messages.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace storemon::partition {

/// Everything known of one store.
struct store {
  std::string id;
  const calendar::zone* zone = nullptr;       ///< nullptr: missing, or unknown to the tz database
  std::string unknown_zone;                   ///< the name given, where the tz database does not know it
  std::vector<protocol::hours_version> hours; ///< ascending by valid_from; none: open 24x7
  interval_set closures;                      ///< planned
  std::vector<observation> observations;      ///< ascending, one per instant: what stands
  std::vector<instant> conflicts;             ///< ascending; instants polled with both statuses
  std::vector<instant> pins;                  ///< ascending; instants whose value only a correction changes

  const calendar::zone& zone_in_force() const { return zone ? *zone : calendar::zone::fallback(); }

  /// As it was given; empty where none was.
  std::string_view zone_given() const { return zone ? std::string_view(zone->name()) : unknown_zone; }
};

/// Calls `seen(observation)` for all that a store was polled with in `[from, to)`, ascending: of an instant
/// polled with both statuses both, the inactive one first.
template <class Seen>
void for_each_poll(const store& s, instant from, instant to, Seen seen) {
  const auto before = [](observation o, instant at) { return o.at() < at; };
  auto next = std::lower_bound(s.observations.begin(), s.observations.end(), from, before);
  auto conflict = std::lower_bound(s.conflicts.begin(), s.conflicts.end(), from);
  for (; next != s.observations.end() && next->at() < to; ++next) {
    if (conflict == s.conflicts.end() || *conflict != next->at()) {
      seen(*next);
      continue;
    }
    seen(observation(next->at(), store_status::inactive));
    seen(observation(next->at(), store_status::active));
    ++conflict;
  }
}

/// Calls `seen(observation)` for what stands at instants whose value only a correction changes, ascending.
template <class Seen>
void for_each_correction(const store& s, Seen seen) {
  auto pin = s.pins.begin();
  for (auto o = s.observations.begin(); pin != s.pins.end(); ++o)
    if (o->at() == *pin) {
      seen(*o);
      ++pin;
    }
}

/// Takes hours of one date in place of what the store had for it; hours always valid in place of all it had.
/// @param rows  in any order; repeated ones count once
/// @returns how many were taken, and how many repeated.
applied set_hours(store& to, std::chrono::local_days valid_from, std::span<hours_row> rows);

/// Whether a zone of that name stands against the one that the store was given in the same update, by the
/// rule of zone_rows.
bool zone_wins(std::string_view name, std::string_view held);

/// Gives the store a zone.
void set_zone(store& to, std::string_view zone);

/// Plans a closure, or withdraws one.
void change_closures(store& to, const closure_change& change);

} // namespace storemon::partition
