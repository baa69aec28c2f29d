#include "storemon/backtest/scores.hpp"

#include <algorithm>
#include <cmath>

namespace storemon::backtest {

namespace {

constexpr double minute = 60e6; // microseconds

double per(double sum, uint64_t count) noexcept {
  return sum / static_cast<double>(count);
}

} // namespace

void calibration::add(double predicted, double observed) noexcept {
  const auto last = static_cast<double>(bands.size() - 1);
  auto& b = bands[static_cast<size_t>(std::clamp(std::floor(predicted * (last + 1)), 0.0, last))];
  ++b.count;
  b.predicted += predicted;
  b.observed += observed;
}

calibration& calibration::operator+=(const calibration& more) noexcept {
  for (size_t i = 0; i < bands.size(); ++i) {
    bands[i].count += more.bands[i].count;
    bands[i].predicted += more.bands[i].predicted;
    bands[i].observed += more.bands[i].observed;
  }
  return *this;
}

void uptime_score::add(const claim& claimed, double truth, double open, bool by_all) noexcept {
  ++rows_;
  ++answered_;
  const double error = (claimed.uptime - truth) / minute;
  squares_ += error * error;
  answered_by_all_ += by_all;
  squares_by_all_ += by_all ? error * error : 0;
  absolutes_ += std::abs(error);
  errors_ += error;
  open_ += open / minute;
  if (claimed.interval) {
    const auto& [low, high] = *claimed.interval;
    ++intervals_;
    covered_ += low <= truth && truth <= high;
    widths_ += (high - low) / minute;
  }
  curve_.add(claimed.uptime / open, truth / open);
}

uptime_score& uptime_score::operator+=(const uptime_score& more) noexcept {
  rows_ += more.rows_;
  answered_ += more.answered_;
  answered_by_all_ += more.answered_by_all_;
  squares_by_all_ += more.squares_by_all_;
  intervals_ += more.intervals_;
  covered_ += more.covered_;
  squares_ += more.squares_;
  absolutes_ += more.absolutes_;
  errors_ += more.errors_;
  open_ += more.open_;
  widths_ += more.widths_;
  curve_ += more.curve_;
  return *this;
}

double uptime_score::root_mean_square() const noexcept {
  return std::sqrt(per(squares_, answered_));
}

double uptime_score::root_mean_square_by_all() const noexcept {
  return std::sqrt(per(squares_by_all_, answered_by_all_));
}

double uptime_score::mean_absolute() const noexcept {
  return per(absolutes_, answered_);
}

double uptime_score::fleet_bias() const noexcept {
  return 100 * errors_ / open_;
}

double uptime_score::coverage() const noexcept {
  return per(static_cast<double>(covered_), intervals_);
}

double uptime_score::interval_width() const noexcept {
  return per(widths_, intervals_);
}

void poll_score::add(double chance_active, bool active) noexcept {
  ++polls_;
  ++answered_;
  const double missed = active ? 1 - chance_active : chance_active;
  squares_ += missed * missed;
  logarithms_ -= std::log(std::clamp(1 - missed, certainty_min, 1 - certainty_min));
  curve_.add(chance_active, active);
}

poll_score& poll_score::operator+=(const poll_score& more) noexcept {
  polls_ += more.polls_;
  answered_ += more.answered_;
  squares_ += more.squares_;
  logarithms_ += more.logarithms_;
  curve_ += more.curve_;
  return *this;
}

double poll_score::brier() const noexcept {
  return per(squares_, answered_);
}

double poll_score::log_loss() const noexcept {
  return per(logarithms_, answered_);
}

} // namespace storemon::backtest
