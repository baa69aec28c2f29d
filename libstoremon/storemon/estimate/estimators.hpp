#pragma once

#include "storemon/estimate/estimator.hpp"

#include <chrono>

namespace storemon::estimate {

/// How far one observation tells anything to `capped_nearest`: beyond it, the store's own ratio errs less.
inline constexpr duration observation_reach = std::chrono::hours(2);

/// The last observation's state holds until the next one; before the first observation its own.
const estimator& carry_forward() noexcept;

/// The state of the nearest observation: it changes in the middle of a gap, at the microsecond before a half.
const estimator& nearest() noexcept;

/// The probability of being active runs straight from one observation to the next.
const estimator& linear() noexcept;

/// The share of active observations in the window, of the window's opening time.
const estimator& poll_ratio() noexcept;

/// Every observation in the window stands for one hour.
const estimator& poll_count() noexcept;

/// `nearest`, but an observation reaches two hours at most; the rest is filled with the store's active share
/// over its horizon, shrunk towards the fleet's.
const estimator& capped_nearest() noexcept;

/// The two-state chain of telegraph.hpp: uptime's expectation under what was seen of the store, and its 90 %
/// bounds. `imputed` is capped_nearest's: what lies out of every observation's reach, and is part of uptime
/// and downtime here.
const estimator& telegraph_chain() noexcept;

} // namespace storemon::estimate
