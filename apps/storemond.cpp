/// storemond, the server.
#include "storemon/node/config.hpp"
#include "storemon/node/daemon.hpp"
#include "storemon/node/maintenance.hpp"

#include <cstdio>
#include <string>
#include <variant>
#include <vector>

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (storemon::node::is_maintenance(arguments))
    return storemon::node::run_maintenance(arguments);
  const auto read = storemon::node::read_configuration(arguments);
  if (const auto* end = std::get_if<storemon::node::exit_now>(&read)) {
    std::fputs(end->text.c_str(), end->to_stderr ? stderr : stdout);
    return end->code;
  }
  return storemon::node::run_daemon(std::get<storemon::node::configuration>(read));
}
