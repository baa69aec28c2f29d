#pragma once

#include <CLI/App.hpp>

namespace storemon {

/// Adds `storemon generate`: a synthetic fleet as CSV feeds, with its truth beside it when asked for.
/// @param exit_code  set when the subcommand has run: 0, 1 when a file cannot be written, 2 for a refused
/// option.
void add_generate(CLI::App& app, int& exit_code);

} // namespace storemon
