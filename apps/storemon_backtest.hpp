#pragma once

#include <CLI/App.hpp>

#include <string>

namespace storemon {

/// Adds `storemon backtest DIR`: which estimator deserves trust on a fleet's own data, against its truth or
/// against polls that were hidden.
/// @param exit_code  set when the subcommand has run: 0, 1 when the data cannot be read or the plot not be
/// written, 2 for a refused option.
void add_backtest(CLI::App& app, int& exit_code);

/// Whether an argument behind estimators is meant for more of them: it is their names, with commas between.
bool names_estimators(const std::string& argument);

} // namespace storemon
