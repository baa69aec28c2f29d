#pragma once

#include "storemon/estimate/estimator.hpp"

#include <span>
#include <vector>

namespace storemon::backtest {

/// The sessions of one store and the polls in them: what any window of it shows an estimator, in scope
/// `session`.
class sight {
public:
  /// @param opening  normalised, from before estimate::sessions_known_from
  /// @param polls    of the horizon, one per instant, ascending; outlive the sight
  sight(std::span<const interval> opening, std::span<const observation> polls, instant as_of);

  /// Valid as long as the sight. @param window  not empty, within the horizon
  estimate::store_view view(const interval& window) const noexcept;

  std::span<const estimate::session> sessions() const noexcept { return sessions_; }

  /// In-session polls.
  const fleet_counts& counts() const noexcept { return counts_; }

private:
  std::vector<estimate::session> sessions_;
  std::span<const observation> polls_;
  fleet_counts counts_;
  instant begins_known_from_;
};

} // namespace storemon::backtest
