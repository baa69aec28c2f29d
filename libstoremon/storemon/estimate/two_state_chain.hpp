#pragma once

#include "storemon/estimate/decay.hpp"

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

  static constexpr two_state_chain of(double failing, double recovering) noexcept {
    const double both = failing + recovering;
    return {failing, recovering, {failing / both, recovering / both}};
  }

  constexpr double rate() const noexcept { return failing + recovering; }
};

/// P: probability of the state at a stretch's end, given the one at its begin.
/// @param mixing  decay over the stretch at the chain's rate()
inline by_transition transitions(const two_state_chain& c, const decay& mixing) noexcept {
  const auto& [rho, pi] = c.share;
  return {{{rho * mixing.gone + mixing.left, pi * mixing.gone},
           {rho * mixing.gone, pi * mixing.gone + mixing.left}}};
}

/// How a stretch passes: of the paths from one state to another the probability, and the integral of the
/// active time and of half its square over their probability; P, K1 and K2 of ESTIMATORS section 4 in units
/// of the stretch's length. All are sums of positive terms, precise for stretches of a microsecond as of
/// years.
struct passage {
  by_transition chance;
  by_transition active;
  by_transition half_square;
};

/// @param length  of the stretch, seconds, positive
passage pass(const two_state_chain& c, double length, const decay& mixing) noexcept;

/// Mean and variance of a time.
struct moments {
  double mean = 0;
  double variance = 0;
};

/// Active time between two observations, in units of the stretch's length and of its square: what pass() says
/// of the one transition that was seen, at a fraction of the work.
moments active_between(const two_state_chain& c, double length, const decay& mixing, bool from,
                       bool to) noexcept;

/// The same where the states at the ends are known by weights: `from` how likely each state is at the begin,
/// `to` how likely what is seen later is from each state at the end.
moments active_between(const passage& through, const by_state& from, const by_state& to) noexcept;

} // namespace storemon::estimate
