/// storemon, the tool: each subcommand is a file of its own beside this one.
#include "storemon_backtest.hpp"
#include "storemon_export.hpp"
#include "storemon_fetch.hpp"
#include "storemon_generate.hpp"
#include "storemon_report.hpp"

#include "storemon/node/version.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>

int main(int argc, char** argv) {
  CLI::App app("storemon computes reports, and helps with the data around storemond.", "storemon");
  app.set_version_flag("--version", "storemon " + std::string(storemon::node::version));
  app.require_subcommand(1);
  int exit_code = 0;
  storemon::add_report(app, exit_code);
  storemon::add_export(app, exit_code);
  storemon::add_fetch(app, exit_code);
  storemon::add_generate(app, exit_code);
  storemon::add_backtest(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    return app.exit(asked); // --help, --version
  } catch (const CLI::ParseError& failure) {
    std::fprintf(stderr, "storemon: %s\n", failure.what());
    return 2;
  }
  return exit_code;
}
