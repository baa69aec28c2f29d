#pragma once

#include "storemon/model/report.hpp"

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace storemon {

/// What can be said of a report on the command line, as it was given.
struct report_options {
  std::string as_of; ///< empty: the newest observation
  std::string estimator = "capped_nearest";
  std::string scope = "session";
  std::string columns = "loop";
  std::vector<std::string> windows;
  bool raw_ids = false;
};

/// Adds the options to a subcommand; `given` must outlive the parsing.
void add_report_options(CLI::App& command, report_options& given);

/// Whether an argument behind a window is meant for one more, right or wrong: it has the form NAME=FROM..TO.
/// A path that has it, too, needs a `./` before it.
bool is_window(const std::string& argument);

/// The request they mean, valid. @returns errc::invalid_argument naming what makes no sense.
result<report_request> read_request(const report_options& given);

} // namespace storemon
