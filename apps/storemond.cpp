/// storemond, the server.
#include "storemon/node/config.hpp"
#include "storemon/node/daemon.hpp"
#include "storemon/node/maintenance.hpp"

#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <variant>
#include <vector>

namespace {

int run(int argc, char** argv) {
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

} // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fputs("storemond: there is not enough memory\n", stderr);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "storemond: %s\n", e.what());
  }
  return 1;
}
