#pragma once

#include "storemon/model/observation.hpp"
#include "storemon/model/report.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace storemon::estimate {

/// A stretch of opening time without planned closures, and the observations in it: `seen[first, last)` of the
/// view.
struct session {
  interval span;
  uint32_t first = 0;
  uint32_t last = 0;
  uint32_t active = 0; ///< active ones among them
};

class telegraph_windows;

/// What one store shows an estimator for one window.
struct store_view {
  interval window;                   ///< what is asked about
  std::span<const session> sessions; ///< ascending, disjoint, not touching; all that meet the horizon
  /// Those of them that meet the window, the one that begins where the window ends included: a poll at the
  /// window's end belongs to the window.
  std::span<const session> asked;
  /// Observations of the horizon, one per instant, ascending. In scope `business` only those in sessions; in
  /// the other scopes those outside too, though a session alone looks at its own only.
  std::span<const observation> seen;
  /// Index in `seen` of the first observation later than the window's begin, as far as the first session
  /// asked about reaches: no later than that session's `last`.
  uint32_t first_in_window = 0;
  int64_t open = 0;                ///< length of the sessions within the window, microseconds
  int64_t active_in_window = 0;    ///< active ones of the in-session observations with from < t <= to
  int64_t observed_in_window = 0;  ///< in-session observations with from < t <= to
  int64_t observed_in_horizon = 0; ///< in-session observations of the horizon
  /// A session that begins before this has no known begin: the store counts as always open in it.
  instant begins_known_from = instant::min();
  /// For estimators that weigh behaviours, where the store was observed: what is believed of it.
  telegraph_windows* behaviour = nullptr;
};

/// Uptime and downtime of one store and window as far as the store alone tells; microseconds.
struct known {
  int64_t uptime = 0;
  int64_t downtime = 0;
  int64_t imputed = 0;    ///< opening time that waits for the fleet's active ratio
  uptime_bounds bounds{}; ///< of estimators that weigh behaviours: `low <= uptime <= high <= open`
};

/// A rule for what is believed between two polls (SEMANTICS section 5, ESTIMATORS section 3). Stateless,
/// shared by all threads.
class estimator {
public:
  virtual ~estimator() = default;

  /// The name that requests and reports use.
  virtual std::string_view name() const noexcept = 0;

  virtual bool supports(observation_scope scope) const noexcept = 0;

  /// Whether it needs store_view::behaviour. What it imputes is then part of uptime and downtime, and waits
  /// for nothing.
  virtual bool weighs_behaviours() const noexcept { return false; }

  /// Judges one window of one store. `uptime + downtime + imputed <= open`; what is missing from `open` is
  /// unknown.
  virtual known judge(const store_view& view, observation_scope scope) const = 0;

  /// The figures, once the whole fleet is known. By default nothing waits for the fleet.
  /// @param fleet  sums over all stores for the measure's window, this store among them.
  virtual figures settle(const measure& m, const fleet_counts& fleet) const;
};

/// The estimator of that name; nullptr when there is none.
const estimator* find_estimator(std::string_view name) noexcept;

/// All names, comma-separated, for messages.
std::string_view estimator_names() noexcept;

/// storemon::validate, and whether the request's estimator exists and knows its scope.
result<void> validate(const report_request& request);

} // namespace storemon::estimate
