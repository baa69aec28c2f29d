#pragma once

#include "storemon/estimate/estimator.hpp"

#include <cstddef>
#include <vector>

namespace storemon::estimate {

/// All that is known of one store.
struct store_facts {
  std::span<const interval> opening;  ///< opening intervals, normalised, all that meet measurer::covers()
  std::span<const interval> closures; ///< planned closures, normalised
  std::span<const observation> observations; ///< one per instant, ascending; the whole history
};

/// Measures stores for one report, one after the other. Keeps its buffers between stores, so that a store
/// allocates nothing; not shared between threads.
///
/// Opening time covered by a planned closure is `excluded`, and a closure ends a session as closing does:
/// what was polled during it tells nothing about the opening time around it.
class measurer {
public:
  /// @param spec  must outlive the measurer; its estimator exists (find_estimator).
  explicit measurer(const report_spec& spec);

  /// The stretch for which opening intervals are needed: from the earliest begin of any window or horizon to
  /// just after as_of.
  interval covers() const noexcept { return covers_; }

  /// Writes the measure of window `w` to `out[w * stride]`.
  void measure_store(const store_facts& facts, measure* out, size_t stride);

private:
  // Defined by whoever implements this room: the spec, the estimator, scratch buffers.
  interval covers_;
};

} // namespace storemon::estimate
