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
struct two_state_chain {
  double failing;         ///< rate of active -> inactive: lam
  double recovering;      ///< rate of inactive -> active: mu
  by_state<double> share; ///< of the time, in the long run: {rho, pi}
  double rate;            ///< at which it forgets where it began: r = lam + mu
  double memory;          ///< 1 / r

  std::array<double, 3> squares; ///< pi^2, 2 pi rho, rho^2
  std::array<double, 4> cubes;   ///< pi^3 / 2, 3 pi^2 rho, 3 pi rho^2, rho^3 / 2

  static constexpr two_state_chain of(double failing, double recovering) noexcept {
    const double both = failing + recovering;
    const double rho = failing / both;
    const double pi = recovering / both;
    return {failing,
            recovering,
            {rho, pi},
            both,
            1 / both,
            {pi * pi, 2 * pi * rho, rho * rho},
            {pi * pi * pi / 2, 3 * pi * pi * rho, 3 * pi * rho * rho, rho * rho * rho / 2}};
  }
};

/// P: probability of the state at a stretch's end, given the one at its begin.
/// @param mixing  decay over the stretch at the chain's rate
template <class Real>
by_transition<Real> transitions(const two_state_chain& c, const decay_of<Real>& mixing) noexcept {
  const auto& [rho, pi] = c.share;
  return {{{rho * mixing.gone + mixing.left, pi * mixing.gone},
           {rho * mixing.gone, pi * mixing.gone + mixing.left}}};
}

/// State weights after a stretch.
template <class Real>
by_state<Real> forward(const by_state<Real>& from, const by_transition<Real>& through) noexcept {
  return {from[0] * through[0][0] + from[1] * through[1][0],
          from[0] * through[0][1] + from[1] * through[1][1]};
}

/// How likely what is seen after a stretch is from each state at its begin.
template <class Real>
by_state<Real> backward(const by_transition<Real>& through, const by_state<Real>& to) noexcept {
  return {through[0][0] * to[0] + through[0][1] * to[1], through[1][0] * to[0] + through[1][1] * to[1]};
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

  friend paths operator*(const Real& weight, const paths& p) noexcept {
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
/// @tparam Real  double, or lanes for several stretches at once
template <class Real>
class passage {
public:
  /// @param c                       outlives this
  /// @param length, inverse_length  of the stretch, seconds; positive
  /// @param mixing                  decay over it at the chain's rate
  /// @param shortest                of the stretches
  passage(const two_state_chain& c, const Real& length, const Real& inverse_length,
          const decay_of<Real>& mixing, double shortest) noexcept
      : c_(c), length_(length), gone_(mixing.gone),
        of_(c.rate * length, c.memory * inverse_length, mixing, c.rate * shortest) {}

  passage(const two_state_chain& c, double length, double inverse_length, const decay& mixing) noexcept
      : passage(c, length, inverse_length, mixing, length) {}

  /// Paths from one state to another.
  paths<Real> between(bool from, bool to) const noexcept {
    return from ? (to ? stays_active() : fails()) : (to ? recovers() : stays_inactive());
  }

  /// Paths from a state to any. Their sums over the ends are simpler than the parts.
  paths<Real> onwards(bool from) const noexcept {
    const auto& [rho, pi] = c_.share;
    if (from)
      return {Real{} + 1, pi + rho * of_.phi1(),
              c_.squares[0] / 2 + c_.squares[1] * of_.phi2() + c_.squares[2] * of_.psi()};
    const auto d = of_.third();
    const Real recovering = c_.recovering * length_;
    return {Real{} + 1, recovering * of_.phi2(), recovering * (pi * d[0] + rho * d[1])};
  }

private:
  paths<Real> stays_active() const noexcept {
    return {c_.share[1] * gone_ + of_.left(),
            c_.squares[0] + c_.squares[1] * of_.phi1() + c_.squares[2] * of_.left(),
            c_.cubes[0] + c_.cubes[1] * of_.phi2() + c_.cubes[2] * of_.psi() + c_.cubes[3] * of_.left()};
  }

  paths<Real> fails() const noexcept { return changes(c_.share[0], c_.failing); }

  paths<Real> recovers() const noexcept { return changes(c_.share[1], c_.recovering); }

  paths<Real> changes(double share, double rate) const noexcept {
    const auto d = of_.third();
    const Real times = rate * length_; // expected changes, were the state to stay as it is
    return {share * gone_, times * (c_.share[1] * of_.phi2() + c_.share[0] * of_.psi()),
            times * (c_.squares[0] * d[0] + c_.squares[1] * d[1] + c_.squares[2] * d[2])};
  }

  paths<Real> stays_inactive() const noexcept {
    const auto& [rho, pi] = c_.share;
    const auto g = of_.fourth();
    const Real there_and_back = (c_.failing * length_) * (c_.recovering * length_);
    return {rho * gone_ + of_.left(), there_and_back * of_.third()[1],
            there_and_back * (pi * g[0] + rho * g[1])};
  }

  const two_state_chain& c_;
  Real length_;
  Real gone_;
  chain_integrals<Real> of_;
};

passage(const two_state_chain&, double, double, const decay&)->passage<double>;

} // namespace storemon::estimate
