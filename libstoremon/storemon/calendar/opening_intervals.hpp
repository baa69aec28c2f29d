#pragma once

#include "storemon/calendar/zone.hpp"
#include "storemon/model/business_hours.hpp"
#include "storemon/model/interval.hpp"

#include <chrono>
#include <span>

namespace storemon::calendar {

/// Local dates, `[from, to)`.
struct date_range {
  std::chrono::local_days from = std::chrono::local_days::min();
  std::chrono::local_days to = std::chrono::local_days::max();
};

/// The opening intervals of a store that meet `within`, as a set (normalised), not cut to it: the union over
/// the local days of what each row means (SEMANTICS section 2). Exact within `within`; a begin at most two
/// days before it is the true one, farther out an interval may be cut, and so may its end anywhere after
/// `within`.
/// @param rows  the store's hours, sorted (day, start, end), not empty; no rows means open 24x7, which the
///              caller answers with `within` itself.
/// @param dates on which rows begin; one that begins on the last of them may end on the day after
/// @param out   cleared first; its capacity is reused, so a caller that loops allocates nothing.
void opening_intervals(std::span<const hours_row> rows, const zone& in, const interval& within,
                       interval_set& out, const date_range& dates = {});

} // namespace storemon::calendar
