#pragma once

#include "storemon/estimate/behaviour.hpp"
#include "storemon/estimate/estimator.hpp"
#include "storemon/estimate/lane_loops.hpp"

#include <cstdint>

namespace storemon::estimate {

/// How likely the observations of one store are under each behaviour: `scaled[c] * 2^exponent`. The largest
/// is at least a quarter; what is below 2^-1000 of that is 0. A function of the observations and the sessions
/// alone, and made by the operations that decay names, so equal data give equal bits on every node.
struct class_likelihoods {
  by_class scaled;
  int64_t exponent;

  /// Natural logarithm; minus infinity where scaled to 0.
  double log(size_t c) const noexcept;
};

/// Likelihoods of all that a store's sessions saw in the horizon; of its windows nothing is asked. Each gap
/// counts once, whether it lies in the window or not.
/// @param loops  any: they give the same bits
/// @returns 1 for each class where nothing was seen.
class_likelihoods likelihoods_of(const store_view& view, const lane_loops& loops = best_loops()) noexcept;

/// Where sessions begin for sure, for store_view::begins_known_from: eight days before the first observation
/// of the horizon or the last seven days of it, whatever is earlier (ESTIMATORS section 2; for windows in the
/// past with the "now" of their horizon). Opening intervals are needed from just before it.
instant sessions_known_from(const horizon& h, instant first_seen) noexcept;

/// Seconds, the unit of all rates.
inline double seconds(duration d) noexcept {
  return static_cast<double>(d.count()) * 1e-6;
}

} // namespace storemon::estimate
