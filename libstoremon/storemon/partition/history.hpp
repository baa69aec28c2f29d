#pragma once

#include "storemon/partition/store.hpp"

#include <optional>
#include <span>
#include <vector>

namespace storemon::partition {

/// Adds polls to a store's history. Each instant first seen now with both statuses becomes a conflict; which
/// of the two stands, the rule says. As long as all polls come under inactive_wins, neither their order nor
/// batches matter, for the history and for the sums of what is answered. Touches no more of a long history
/// than what comes after the first of the polls.
/// @param fresh      ascending; may repeat instants, and instants the store has. Of two statuses at one
///                   instant within it the inactive one counts.
/// @param conflicts  gets the instants that are conflicts now and were none before; under the other rules all
///                   at which what was polled contradicts what stood; ascending; cleared first
applied add_observations(store& to, std::span<const observation> fresh, conflict_rule rule,
                         std::vector<instant>& conflicts);

/// What stands at an instant; nothing where the store was not polled.
std::optional<store_status> status_at(const store& s, instant at);

/// Whether adding that poll under that rule would change nothing.
bool is_held(const store& s, observation poll, conflict_rule rule);

} // namespace storemon::partition
