#pragma once

#include <CLI/CLI.hpp>

namespace storemon {

/// `storemon fetch URL`: has a server compute a report, and saves its CSV. Sets `exit_code` when it has run:
/// 0 done, 1 the server cannot be reached or the report failed, 2 the request makes no sense, be it to us or
/// to the server.
void add_fetch(CLI::App& tool, int& exit_code);

} // namespace storemon
