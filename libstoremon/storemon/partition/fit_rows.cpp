#include "storemon/partition/fit_rows.hpp"

namespace storemon::partition {

namespace {

error not_begun(uint64_t fit) {
  return {errc::conflict, "fit " + std::to_string(fit) + " of the fleet's weights is not under way here"};
}

} // namespace

result<protocol::fit_slice> fit_rows::observe(partition_data& data, const protocol::fit_order& order,
                                              const slice_limits& limits) {
  if (order.after.empty()) {
    fit_ = order.fit;
    rows_.clear();
  } else if (order.fit != fit_) {
    return not_begun(order.fit);
  }
  return data.observe(order, limits, rows_);
}

result<behaviour_counts> fit_rows::count(uint64_t fit, const fleet_weights& weights) const {
  if (fit != fit_)
    return not_begun(fit);
  estimate::class_counts counts;
  for (const auto& row : rows_)
    counts.add(row, weights.by_class);
  return behaviour_counts(counts);
}

void fit_rows::drop(uint64_t fit) {
  if (fit != fit_)
    return;
  fit_ = 0;
  rows_ = {};
}

} // namespace storemon::partition
