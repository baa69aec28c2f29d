#pragma once

#include "storemon/backtest/fleet.hpp"
#include "storemon/backtest/scores.hpp"
#include "storemon/model/error.hpp"
#include "storemon/model/report.hpp"

#include <cstddef>
#include <span>
#include <vector>

/// Estimators put to the test on a fleet. All cores are used; figures are the same on however many.
namespace storemon::backtest {

/// Scores of all contenders, in their order, for one window.
struct window_scores {
  window asked;
  std::vector<uptime_score> of;
};

/// Holds what the contenders say of the standard windows against the truth, store by store. A window that
/// begins before the truth does is left out.
std::vector<window_scores> score_uptime(const fleet& stores, const truth& course,
                                        std::span<const contender> contenders);

/// How many parts of the polls are hidden one after the other.
inline constexpr size_t folds = 10;

/// Hides polls, and has the contenders tell them from those that are left: in fold `f` of `folds` the polls
/// f, f + folds, f + 2 folds and so on of the in-session polls of each store. What the contenders learn from
/// the fleet they learn without the hidden ones.
/// @returns scores of all contenders, in their order
std::vector<poll_score> score_hidden_polls(const fleet& stores, std::span<const contender> contenders,
                                           size_t folds = backtest::folds);

} // namespace storemon::backtest
