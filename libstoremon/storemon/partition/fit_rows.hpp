#pragma once

#include "storemon/estimate/fleet_weights.hpp"
#include "storemon/model/error.hpp"
#include "storemon/partition/partition_data.hpp"

#include <vector>

namespace storemon::partition {

/// What a shard keeps of its stores while the fleet's weights are fitted: 1.4 kB for each that was observed,
/// fixed for the duration of the fit.
class fit_rows {
public:
  /// Looks at the next stores. An order that names no store begins its fit, and what was kept for another is
  /// gone. Fails with conflict where the fit is not the one begun last.
  result<protocol::fit_slice> observe(partition_data& data, const protocol::fit_order& order,
                                      const slice_limits& limits);

  /// The stores' counts under these weights; conflict likewise.
  result<behaviour_counts> count(uint64_t fit, const fleet_weights& weights) const;

  /// Forgets what is kept for that fit.
  void drop(uint64_t fit);

private:
  uint64_t fit_ = 0; // 0: none
  std::vector<estimate::class_likelihoods> rows_;
};

} // namespace storemon::partition
