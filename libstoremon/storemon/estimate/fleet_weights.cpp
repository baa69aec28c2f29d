#include "storemon/estimate/fleet_weights.hpp"

#include <bit>

namespace storemon::estimate {

namespace {

constexpr double unit = 0x1p-40;

/// The number whose last binary digit is one unit: what is added to it is rounded to whole units, and they
/// are the difference of the bits.
constexpr double whole_units = 0x1.8p12;
static_assert(whole_units + unit > whole_units && whole_units + unit / 2 == whole_units);

constexpr double pseudo_stores = 20;

} // namespace

class_weights equal_weights() noexcept {
  return fleet_weights().by_class;
}

void class_counts::add(const class_likelihoods& store, const class_weights& weights) noexcept {
  by_class joint;
  for (size_t c = 0; c < classes; ++c)
    joint[c] = weights[c] * store.scaled[c];
  // Four sums at a time, as fast as the processor adds; the order is part of the result.
  std::array<double, 4> sums{};
  for (size_t c = 0; c < classes; c += sums.size())
    for (size_t lane = 0; lane < sums.size(); ++lane)
      sums[lane] += joint[c + lane];
  const double scale = 1 / ((sums[0] + sums[1]) + (sums[2] + sums[3]));
  for (size_t c = 0; c < classes; ++c)
    units[c] += std::bit_cast<int64_t>(joint[c] * scale + whole_units) - std::bit_cast<int64_t>(whole_units);
  ++stores;
}

class_weights class_counts::weights() const noexcept {
  class_weights w;
  const double total = pseudo_stores + static_cast<double>(stores);
  for (size_t c = 0; c < classes; ++c)
    w[c] = (pseudo_stores / classes + static_cast<double>(units[c]) * unit) / total;
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
