#pragma once

#include "storemon/estimate/chain_integrals.hpp"
#include "storemon/estimate/decay.hpp"

#include <array>

namespace storemon::estimate {

/// One number for each state: [0] inactive, [1] active.
template <class Real>
using by_state = std::array<Real, 2>;

/// One number for each pair of states, [from][to].
template <class Real>
using by_transition = std::array<by_state<Real>, 2>;

/// A store that is active or inactive for exponential times (ESTIMATORS section 4). Rates are per second.
/// @tparam Real  double, or lanes for two chains at once
template <class Real>
struct chain_of {
  Real failing;         ///< rate of active -> inactive: lam
  Real recovering;      ///< rate of inactive -> active: mu
  by_state<Real> share; ///< of the time, in the long run: {rho, pi}
  Real rate;            ///< at which it forgets where it began: r = lam + mu
  Real memory;          ///< 1 / r

  static constexpr chain_of of(Real failing, Real recovering) noexcept {
    const Real both = failing + recovering;
    return {failing, recovering, {failing / both, recovering / both}, both, 1 / both};
  }
};

using two_state_chain = chain_of<double>;

/// P: probability of the state at a stretch's end, given the one at its begin.
/// @param mixing  decay over the stretch at the chain's rate
template <class Real>
by_transition<Real> transitions(const chain_of<Real>& c, const decay_of<Real>& mixing) noexcept {
  const auto& [rho, pi] = c.share;
  return {{{rho * mixing.gone + mixing.left, pi * mixing.gone},
           {rho * mixing.gone, pi * mixing.gone + mixing.left}}};
}

/// Mean and variance of a time.
template <class Real>
struct moments {
  Real mean{};
  Real variance{};
};

/// How some paths through a stretch pass it: their probability, and over it the active time and half of its
/// square. Of paths to a given state at the end that is an entry of P, K1 and K2 in ESTIMATORS section 4.
/// Times are in units of the stretch's length.
template <class Real>
struct paths {
  Real chance{};
  Real active{};
  Real half_square{};

  friend paths operator+(const paths& a, const paths& b) noexcept {
    return {a.chance + b.chance, a.active + b.active, a.half_square + b.half_square};
  }

  friend paths operator*(Real weight, const paths& p) noexcept {
    return {weight * p.chance, weight * p.active, weight * p.half_square};
  }

  /// Of the active time, were it known that one of these paths was taken; in units of the length.
  moments<Real> given() const noexcept {
    const Real weight = 1 / chance;
    const Real mean = active * weight;
    const Real variance = 2 * half_square * weight - mean * mean;
    return {mean, variance > 0 ? variance : Real{}};
  }
};

/// A chain over a stretch. What it tells is a sum of positive terms, precise for stretches of a microsecond
/// as of years.
template <class Real>
class passage {
public:
  /// @param length, inverse_length  of the stretch, seconds; positive
  /// @param mixing                  decay over it at the chain's rate
  passage(const chain_of<Real>& c, double length, double inverse_length,
          const decay_of<Real>& mixing) noexcept
      : rho_(c.share[0]), pi_(c.share[1]), failing_(c.failing * length), recovering_(c.recovering * length),
        gone_(mixing.gone), of_(c.rate * length, c.memory * inverse_length, mixing) {}

  /// Paths from one state to another.
  paths<Real> between(bool from, bool to) const noexcept {
    return from ? (to ? stays_active() : fails()) : (to ? recovers() : stays_inactive());
  }

  /// Paths from a state to any. Their sums over the ends are simpler than the parts.
  paths<Real> onwards(bool from) const noexcept {
    if (from)
      return {Real{} + 1, pi_ + rho_ * of_.phi1(),
              pi_ * pi_ / 2 + 2 * pi_ * rho_ * of_.phi2() + rho_ * rho_ * of_.psi()};
    const auto d = of_.third();
    return {Real{} + 1, recovering_ * of_.phi2(), recovering_ * (pi_ * d[0] + rho_ * d[1])};
  }

private:
  paths<Real> stays_active() const noexcept {
    return {pi_ * gone_ + of_.left(), pi_ * pi_ + 2 * pi_ * rho_ * of_.phi1() + rho_ * rho_ * of_.left(),
            pi_ * pi_ * pi_ / 2 + 3 * pi_ * rho_ * (pi_ * of_.phi2() + rho_ * of_.psi()) +
                rho_ * rho_ * rho_ * of_.left() / 2};
  }

  paths<Real> fails() const noexcept { return changes(rho_ * gone_, failing_); }

  paths<Real> recovers() const noexcept { return changes(pi_ * gone_, recovering_); }

  paths<Real> changes(Real chance, Real times) const noexcept {
    const auto d = of_.third();
    return {chance, times * (pi_ * of_.phi2() + rho_ * of_.psi()),
            times * (pi_ * pi_ * d[0] + 2 * pi_ * rho_ * d[1] + rho_ * rho_ * d[2])};
  }

  paths<Real> stays_inactive() const noexcept {
    const auto g = of_.fourth();
    const Real there_and_back = failing_ * recovering_;
    return {rho_ * gone_ + of_.left(), there_and_back * of_.third()[1],
            there_and_back * (pi_ * g[0] + rho_ * g[1])};
  }

  Real rho_;
  Real pi_;
  Real failing_; ///< expected changes, were the state to stay as it is
  Real recovering_;
  Real gone_;
  chain_integrals<Real> of_;
};

} // namespace storemon::estimate
