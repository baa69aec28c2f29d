#include "storemon_export.hpp"

#include "storemon/node/feed_export.hpp"

#include <cstdio>
#include <memory>
#include <string>

namespace storemon {

void add_export(CLI::App& app, int& exit_code) {
  struct arguments {
    std::string data;
    std::string out;
  };

  auto* command =
      app.add_subcommand("export", "Writes the feeds of a data directory, whose server is stopped, as CSV.");
  const auto given = std::make_shared<arguments>();
  command->add_option("DATA_DIR", given->data, "The data directory.")->required();
  command->add_option("--out", given->out, "The directory to write to, made where there is none.")
      ->required();
  command->callback([given, &exit_code] {
    const auto done = node::export_feeds(given->data, given->out);
    if (done)
      return;
    std::fprintf(stderr, "storemon export: %s\n", done.error().detail.c_str());
    exit_code = done.error().code == errc::invalid_argument ? 2 : 1;
  });
}

} // namespace storemon
