#pragma once

#include "storemon/backtest/scores.hpp"

#include <span>
#include <string>
#include <vector>

namespace storemon::backtest {

/// Calibration of several estimators side by side.
struct panel {
  struct curve {
    std::string name;
    calibration of;
  };

  std::string title;
  std::vector<curve> curves; ///< the same estimators in all panels of a plot
};

/// Fewer predictions than this in a band are noise, and not drawn.
inline constexpr uint64_t drawn_min = 20;

/// Draws the share that was observed over the share that was predicted, a curve for each estimator and the
/// diagonal on which a calibrated one runs, as an SVG document of its own: no script, no font or style from
/// elsewhere, in colours that follow the reader's light or dark scheme.
std::string calibration_svg(std::span<const panel> panels);

} // namespace storemon::backtest
