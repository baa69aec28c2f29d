#pragma once

#include "storemon/model/business_hours.hpp"
#include "storemon/synth/random.hpp"

#include <vector>

namespace storemon::synth {

/// Draws the weekly hours of one store, in the shapes and about the shares of the real feed: whole days,
/// daytime, until midnight, lunch and dinner, and past midnight, which that feed writes as two rows; ends of
/// day as 23:59:00 or 23:59:59; about one store in five closed on some weekday.
/// @returns rows in the order of the week, at least one, none overlapping another.
std::vector<hours_row> draw_hours(random_source& random);

} // namespace storemon::synth
