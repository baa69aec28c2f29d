#include "storemon/estimate/fleet_weights.hpp"

namespace storemon::estimate {

namespace {

constexpr double pseudo_stores = 20;

} // namespace

class_weights equal_weights() noexcept {
  return fleet_weights().by_class;
}

void class_counts::add(const class_likelihoods& store, const class_weights& weights) noexcept {
  best_loops().add_shares(store.scaled, weights, units);
  ++stores;
}

class_weights class_counts::weights() const noexcept {
  class_weights w;
  const double total = pseudo_stores + static_cast<double>(stores);
  for (size_t c = 0; c < classes; ++c)
    w[c] = (pseudo_stores / classes + static_cast<double>(units[c]) * share_unit) / total;
  return w;
}

class_weights fit(std::span<const class_likelihoods> observed) noexcept {
  auto weights = equal_weights();
  for (int round = 0; round < fit_rounds; ++round) {
    class_counts counts;
    for (const auto& store : observed)
      counts.add(store, weights);
    weights = counts.weights();
  }
  return weights;
}

} // namespace storemon::estimate
