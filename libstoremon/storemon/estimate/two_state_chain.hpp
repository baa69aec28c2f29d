#pragma once

#include "storemon/estimate/chain_integrals.hpp"
#include "storemon/estimate/decay.hpp"

#include <algorithm>
#include <array>

namespace storemon::estimate {

/// One number for each state: [0] inactive, [1] active.
using by_state = std::array<double, 2>;

/// One number for each pair of states, [from][to].
using by_transition = std::array<by_state, 2>;

/// A store that is active or inactive for exponential times (ESTIMATORS section 4). Rates are per second.
struct two_state_chain {
  double failing;    ///< rate of active -> inactive: lam
  double recovering; ///< rate of inactive -> active: mu
  by_state share;    ///< of the time, in the long run: {rho, pi}
  double rate;       ///< at which it forgets where it began: r = lam + mu
  double memory;     ///< 1 / r

  static constexpr two_state_chain of(double failing, double recovering) noexcept {
    const double both = failing + recovering;
    return {failing, recovering, {failing / both, recovering / both}, both, 1 / both};
  }
};

/// P: probability of the state at a stretch's end, given the one at its begin.
/// @param mixing  decay over the stretch at the chain's rate
inline by_transition transitions(const two_state_chain& c, const decay& mixing) noexcept {
  const auto& [rho, pi] = c.share;
  return {{{rho * mixing.gone + mixing.left, pi * mixing.gone},
           {rho * mixing.gone, pi * mixing.gone + mixing.left}}};
}

/// Mean and variance of a time.
struct moments {
  double mean = 0;
  double variance = 0;
};

/// How some paths through a stretch pass it: their probability, and over it the active time and half of its
/// square. Of paths to a given state at the end that is an entry of P, K1 and K2 in ESTIMATORS section 4.
/// Times are in units of the stretch's length.
struct paths {
  double chance = 0;
  double active = 0;
  double half_square = 0;

  friend paths operator+(const paths& a, const paths& b) noexcept {
    return {a.chance + b.chance, a.active + b.active, a.half_square + b.half_square};
  }

  friend paths operator*(double weight, const paths& p) noexcept {
    return {weight * p.chance, weight * p.active, weight * p.half_square};
  }

  /// Of the active time, were it known that one of these paths was taken; in units of the length.
  moments given() const noexcept {
    const double weight = 1 / chance;
    const double mean = std::min(active * weight, 1.0);
    return {mean, std::max(0.0, 2 * half_square * weight - mean * mean)};
  }
};

/// A chain over a stretch. What it tells is a sum of positive terms, precise for stretches of a microsecond
/// as of years.
class passage {
public:
  /// @param length, inverse_length  of the stretch, seconds; positive
  /// @param mixing                  decay over it at the chain's rate
  passage(const two_state_chain& c, double length, double inverse_length, const decay& mixing) noexcept
      : rho_(c.share[0]), pi_(c.share[1]), failing_(c.failing * length), recovering_(c.recovering * length),
        gone_(mixing.gone), of_(c.rate * length, c.memory * inverse_length, mixing) {}

  /// Paths from one state to another.
  paths between(bool from, bool to) const noexcept {
    return from ? (to ? stays_active() : fails()) : (to ? recovers() : stays_inactive());
  }

  /// Paths from a state to any. Their sums over the ends are simpler than the parts.
  paths onwards(bool from) const noexcept {
    if (from)
      return {1, pi_ + rho_ * of_.phi1(),
              pi_ * pi_ / 2 + 2 * pi_ * rho_ * of_.phi2() + rho_ * rho_ * of_.psi()};
    const auto d = of_.third();
    return {1, recovering_ * of_.phi2(), recovering_ * (pi_ * d[0] + rho_ * d[1])};
  }

private:
  paths stays_active() const noexcept {
    return {pi_ * gone_ + of_.left(), pi_ * pi_ + 2 * pi_ * rho_ * of_.phi1() + rho_ * rho_ * of_.left(),
            pi_ * pi_ * pi_ / 2 + 3 * pi_ * rho_ * (pi_ * of_.phi2() + rho_ * of_.psi()) +
                rho_ * rho_ * rho_ * of_.left() / 2};
  }

  paths fails() const noexcept { return changes(rho_ * gone_, failing_); }

  paths recovers() const noexcept { return changes(pi_ * gone_, recovering_); }

  paths changes(double chance, double times) const noexcept {
    const auto d = of_.third();
    return {chance, times * (pi_ * of_.phi2() + rho_ * of_.psi()),
            times * (pi_ * pi_ * d[0] + 2 * pi_ * rho_ * d[1] + rho_ * rho_ * d[2])};
  }

  paths stays_inactive() const noexcept {
    const auto g = of_.fourth();
    const double there_and_back = failing_ * recovering_;
    return {rho_ * gone_ + of_.left(), there_and_back * of_.third()[1],
            there_and_back * (pi_ * g[0] + rho_ * g[1])};
  }

  double rho_;
  double pi_;
  double failing_; ///< expected changes, were the state to stay as it is
  double recovering_;
  double gone_;
  chain_integrals of_;
};

} // namespace storemon::estimate
