#pragma once

#include "storemon/calendar/zone.hpp"
#include "storemon/model/business_hours.hpp"
#include "storemon/model/interval.hpp"
#include "storemon/model/observation.hpp"
#include "storemon/model/update.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace storemon::partition {

/// Everything known of one store.
struct store {
  std::string id;
  const calendar::zone* zone = nullptr;  ///< nullptr: missing, or unknown to the tz database
  std::string unknown_zone;              ///< the name the feed gave, where the tz database does not know it
  std::vector<hours_row> hours;          ///< distinct, ascending; none: open 24x7
  interval_set closures;                 ///< planned
  std::vector<observation> observations; ///< ascending, one per instant
  std::vector<instant> conflicts;        ///< ascending; instants polled with both statuses

  const calendar::zone& zone_in_force() const { return zone ? *zone : calendar::zone::fallback(); }
};

/// Adds polls to a store's history. Of two statuses at one instant inactive stands, and the instant is kept
/// as a conflict; so neither order nor batches matter, for the history and for the sums of what is answered.
/// @param fresh  ascending; may repeat instants, and instants the store has
applied add_observations(store& to, std::span<const observation> fresh);

/// Takes one more row of hours; a store that is given new hours is cleared of the old ones first.
applied add_hours(store& to, const hours_row& row);

/// Whether a zone of that name stands against the one that the store was given in the same update, by the
/// rule of zone_rows.
bool zone_wins(std::string_view name, std::string_view held);

/// Gives the store a zone.
void set_zone(store& to, std::string_view zone);

/// Plans a closure, or withdraws one.
void change_closures(store& to, const closure_change& change);

} // namespace storemon::partition
