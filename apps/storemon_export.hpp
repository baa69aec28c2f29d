#pragma once

#include <CLI/CLI.hpp>

namespace storemon {

/// Adds `storemon export`, which sets `exit_code` when it is run.
void add_export(CLI::App& app, int& exit_code);

} // namespace storemon
