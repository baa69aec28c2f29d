#pragma once

#include "storemon/backtest/contender.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace storemon::backtest {

/// How often what was said to be likely was so: predictions in ten bands of equal width.
struct calibration {
  struct band {
    uint64_t count = 0;
    double predicted = 0; ///< sum of the predicted shares
    double observed = 0;  ///< sum of the shares that came true
  };

  std::array<band, 10> bands{};

  /// Both in [0, 1].
  void add(double predicted, double observed) noexcept;
  calibration& operator+=(const calibration& more) noexcept;
};

/// Errors of one estimator's uptime in one window, over the stores it answered for.
class uptime_score {
public:
  /// A store of which the estimator knew nothing.
  void add_unanswered() noexcept { ++rows_; }

  /// Times in microseconds.
  /// @param open    positive
  /// @param by_all  whether all estimators under test answered for this store
  void add(const claim& claimed, double truth, double open, bool by_all) noexcept;

  uptime_score& operator+=(const uptime_score& more) noexcept;

  uint64_t rows() const noexcept { return rows_; } ///< stores with opening time in the window

  uint64_t answered() const noexcept { return answered_; }

  uint64_t answered_by_all() const noexcept { return answered_by_all_; }

  // Of what was answered; not a number where nothing was.
  double root_mean_square() const noexcept; ///< minutes
  /// The same over the stores that all answered for: what may be compared between estimators.
  double root_mean_square_by_all() const noexcept;
  double mean_absolute() const noexcept;  ///< minutes
  double fleet_bias() const noexcept;     ///< all errors over all opening time, per cent
  double coverage() const noexcept;       ///< share of the intervals that hold the truth
  double interval_width() const noexcept; ///< mean, minutes

  const calibration& curve() const noexcept { return curve_; }

private:
  uint64_t rows_ = 0;
  uint64_t answered_ = 0;
  uint64_t answered_by_all_ = 0;
  uint64_t intervals_ = 0;
  uint64_t covered_ = 0;
  // Sums, in minutes.
  double squares_ = 0;
  double squares_by_all_ = 0;
  double absolutes_ = 0;
  double errors_ = 0;
  double open_ = 0;
  double widths_ = 0;
  calibration curve_;
};

/// How well one estimator foretold polls it was not shown.
class poll_score {
public:
  /// The logarithm of a chance nearer to 0 or 1 than this is taken as of this: else one poll would cost a
  /// rule that is always certain an infinite score.
  static constexpr double certainty_min = 0.001;

  void add_unanswered() noexcept { ++polls_; }

  void add(double chance_active, bool active) noexcept;

  poll_score& operator+=(const poll_score& more) noexcept;

  uint64_t polls() const noexcept { return polls_; } ///< hidden ones

  uint64_t answered() const noexcept { return answered_; }

  // Of what was answered; not a number where nothing was.
  double brier() const noexcept;    ///< mean square of the chance given to what did not happen
  double log_loss() const noexcept; ///< mean of minus the natural logarithm of the chance given to what did

  const calibration& curve() const noexcept { return curve_; }

private:
  uint64_t polls_ = 0;
  uint64_t answered_ = 0;
  double squares_ = 0;
  double logarithms_ = 0;
  calibration curve_;
};

} // namespace storemon::backtest
