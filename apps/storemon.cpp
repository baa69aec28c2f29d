/// storemon, the tool: each subcommand is a file of its own beside this one.
#include "storemon_backtest.hpp"
#include "storemon_export.hpp"
#include "storemon_fetch.hpp"
#include "storemon_generate.hpp"
#include "storemon_report.hpp"

#include "storemon/node/version.hpp"

#include "arguments.hpp"
#include "report_options.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace {

int run(int argc, char** argv) {
  CLI::App app("storemon computes reports, and helps with the data around storemond.", "storemon");
  app.set_version_flag("--version", "storemon " + std::string(storemon::node::version));
  app.require_subcommand(1);
  int exit_code = 0;
  storemon::add_report(app, exit_code);
  storemon::add_export(app, exit_code);
  storemon::add_fetch(app, exit_code);
  storemon::add_generate(app, exit_code);
  storemon::add_backtest(app, exit_code);
  const std::vector<std::string> given(argv + 1, argv + argc);
  auto arguments = storemon::name_each_value(given, "--window", storemon::is_window);
  arguments = storemon::name_each_value(arguments, "--estimators", storemon::names_estimators);
  std::reverse(arguments.begin(), arguments.end()); // CLI11 takes them from the back
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::Success& asked) {
    return app.exit(asked); // --help, --version
  } catch (const CLI::ParseError& failure) {
    std::fprintf(stderr, "storemon: %s\n", failure.what());
    return 2;
  }
  return exit_code;
}

} // namespace

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN); // a file past RLIMIT_FSIZE is a failed write, not the end
  try {
    return run(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fputs("storemon: there is not enough memory\n", stderr);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "storemon: %s\n", e.what());
  }
  return 1;
}
