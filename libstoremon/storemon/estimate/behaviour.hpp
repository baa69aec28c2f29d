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
class grid_decays {
public:
  /// @param length  of the stretch, seconds, not negative
  explicit grid_decays(double length) noexcept {
    constexpr double slowest_up = first_mean_up * 243;
    constexpr double slowest_down = first_mean_down * 729;
    static_assert(slowest_up == 16 * slowest_down);
    up_[ups - 1] = decay_over(length / slowest_up);
    for (auto i = ups - 1; i-- > 0;)
      up_[i] = thrice(up_[i + 1]);
    auto d = up_[ups - 1];
    for (int doubling = 0; doubling < 4; ++doubling)
      d = d * d;
    down_[downs - 1] = d;
    for (auto i = downs - 1; i-- > 0;)
      down_[i] = thrice(down_[i + 1]);
  }

  /// At the rate of leaving the active state, and at that of leaving the inactive one.
  const std::array<decay, ups>& up() const noexcept { return up_; }

  const std::array<decay, downs>& down() const noexcept { return down_; }

  /// At the sum of both.
  decay operator[](size_t chain) const noexcept { return up_[chain / downs] * down_[chain % downs]; }

  decay_of<lanes> of_two(size_t a, size_t b) const noexcept {
    const auto& up_a = up_[a / downs];
    const auto& up_b = up_[b / downs];
    const auto& down_a = down_[a % downs];
    const auto& down_b = down_[b % downs];
    const lanes left{up_a.left, up_b.left};
    return {lanes{up_a.gone, up_b.gone} + left * lanes{down_a.gone, down_b.gone},
            left * lanes{down_a.left, down_b.left}};
  }

private:
  static decay thrice(const decay& d) noexcept { return d * d * d; }

  std::array<decay, ups> up_;
  std::array<decay, downs> down_;
};

} // namespace storemon::estimate
