#pragma once

#include "storemon/estimate/class_likelihoods.hpp"

#include <cstdint>
#include <span>

namespace storemon::estimate {

/// How common each behaviour is in the fleet; sums to one.
using class_weights = by_class;

/// What a fit begins from: every class as common as any other.
class_weights equal_weights() noexcept;

/// How many stores are of each class, by their posterior probabilities: what stores say in one round of the
/// fit.
///
/// Counts are whole multiples of 2^-40, each store's rounded before it is added. Integers add up to the same
/// sum in any order and any grouping, which doubles do not: so however stores are spread over shards and
/// nodes, and whatever order their answers come in, a fit gives the same bits. The rounding moves a weight by
/// less than 2^-41. There is room for 2^22 stores (4 million).
struct class_counts : behaviour_counts {
  /// Adds one store that was observed. The weights are those of the round.
  void add(const class_likelihoods& store, const class_weights& weights) noexcept;

  /// The weights of the next round (ESTIMATORS section 4, "Fleet"): the stores' shares, and those of 20
  /// pseudo-stores that belong to all classes alike, so that a fleet of one works too.
  class_weights weights() const noexcept;
};

/// Rounds of a fit. More change no figure that a report shows.
inline constexpr int fit_rounds = 50;

/// Weights fitted to stores that are all at hand, by expectation maximisation. Stores at several places do
/// the same together, round by round: each place adds its stores to class_counts, someone adds up the counts
/// and sends the next weights.
/// @param observed  those of stores with at least one in-session observation
class_weights fit(std::span<const class_likelihoods> observed) noexcept;

} // namespace storemon::estimate
