#pragma once

#include "storemon/calendar/zone.hpp"
#include "storemon/model/interval.hpp"
#include "storemon/protocol/messages.hpp"

#include <span>

namespace storemon::partition {

/// The opening intervals of a store whose hours change from date to date, exact where
/// calendar::opening_intervals is. On each local date the version in force is the one with the newest
/// valid_from that is not later, and open 24x7 where there is none or it has no rows. Rows belong to the date
/// they begin on: what opens on the last date of a version ends as that version says.
/// @param versions  ascending by valid_from, each date once
/// @param out       cleared first; its capacity is reused
void opening_intervals(std::span<const protocol::hours_version> versions, const calendar::zone& in,
                       const interval& within, interval_set& out);

} // namespace storemon::partition
