#pragma once

#include "storemon/calendar/zone.hpp"
#include "storemon/model/business_hours.hpp"
#include "storemon/model/interval.hpp"

#include <span>

namespace storemon::calendar {

/// The opening intervals of a store that meet `within`, as a set (normalised), not cut to it: the union over
/// all local days of what each row means (SEMANTICS section 2). Exact within `within`; a begin at most two
/// days before it is the true one, farther out an interval may be cut, and so may its end anywhere after
/// `within`.
/// @param rows  the store's hours, sorted (day, start, end), not empty; no rows means open 24x7, which the
///              caller answers with `within` itself.
/// @param out   cleared first; its capacity is reused, so a caller that loops allocates nothing.
void opening_intervals(std::span<const hours_row> rows, const zone& in, const interval& within,
                       interval_set& out);

} // namespace storemon::calendar
