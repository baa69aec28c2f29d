#pragma once

#include "storemon/estimate/two_state_chain.hpp"
#include "storemon/model/fleet_weights.hpp"

#include <array>
#include <cstddef>

namespace storemon::estimate {

/// The grid of behaviours that `telegraph` tells apart (ESTIMATORS section 4): how long a store stays active,
/// how long an outage lasts, and how likely it is active at an opening. Class `(up * downs + down) *
/// openings + opening`.
inline constexpr size_t ups = 6;
inline constexpr size_t downs = 7;
inline constexpr size_t openings = 4;
inline constexpr size_t chains = ups * downs;
inline constexpr size_t classes = chains * openings;
static_assert(classes == behaviour_classes);

/// Mean active times: 4 h, then three times as long each.
inline constexpr double first_mean_up = 4 * 3600.0;

/// Mean outages: 5 min, then three times as long each.
inline constexpr double first_mean_down = 300.0;

/// Probability of being active at an opening.
inline constexpr std::array<double, openings> active_at_opening{0.05, 0.35, 0.65, 0.95};

template <class T>
using by_chain = std::array<T, chains>;

using by_class = std::array<double, classes>;

/// The chains of the grid.
inline constexpr auto grid_chains = [] {
  by_chain<two_state_chain> grid{};
  double mean_up = first_mean_up;
  for (size_t up = 0; up < ups; ++up, mean_up *= 3) {
    double mean_down = first_mean_down;
    for (size_t down = 0; down < downs; ++down, mean_down *= 3)
      grid[up * downs + down] = two_state_chain::of(1 / mean_up, 1 / mean_down);
  }
  return grid;
}();

/// The decays of all chains over one stretch. Each rate of the grid is a third of the one before, so one
/// exponential function serves all.
/// @tparam Real  double, or lanes for several stretches at once
template <class Real>
class grid_decays_of {
public:
  /// @param length  of the stretch, seconds, not negative
  explicit grid_decays_of(const Real& length) noexcept {
    constexpr double slowest_up = first_mean_up * 243;
    constexpr double slowest_down = first_mean_down * 729;
    static_assert(slowest_up == 16 * slowest_down);
    auto u = decay_over<Real>(length * (1 / slowest_up));
    auto d = u;
    for (int doubling = 0; doubling < 4; ++doubling)
      d = twice(d);
    for (auto i = ups; i-- > 0; u = thrice(u))
      up_[i] = u;
    for (auto i = downs; i-- > 0; d = thrice(d))
      down_[i] = d;
  }

  /// At the sum of a rate of leaving the active state and one of leaving the inactive one.
  decay_of<Real> of(size_t up, size_t down) const noexcept {
    const auto& u = up_[up];
    const auto& d = down_[down];
    return {u.gone + u.left * d.gone, u.left * d.left};
  }

  decay_of<Real> operator[](size_t chain) const noexcept { return of(chain / downs, chain % downs); }

private:
  std::array<decay_of<Real>, ups> up_;
  std::array<decay_of<Real>, downs> down_;
};

using grid_decays = grid_decays_of<double>;

} // namespace storemon::estimate
