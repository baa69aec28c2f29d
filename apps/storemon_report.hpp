#pragma once

#include <CLI/CLI.hpp>

namespace storemon {

/// `storemon report DIR`: the server's engine without a server. Sets `exit_code` when it has run: 0 done, 1
/// the data could not be read or the report failed, 2 the request makes no sense.
void add_report(CLI::App& tool, int& exit_code);

} // namespace storemon
