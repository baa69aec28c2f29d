#include "storemon_generate.hpp"

#include "storemon/synth/feed_files.hpp"

#include "checks.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>

namespace storemon {

namespace {

struct arguments {
  synth::fleet_options options;
  std::string process = std::string(to_string(synth::outage_law::exponential));
  std::string holes = "on";
  std::string directory;
  std::string truth;
};

int refuse(const error& failure) {
  std::fprintf(stderr, "storemon generate: %s\n", failure.detail.c_str());
  return failure.code == errc::invalid_argument ? 2 : 1;
}

result<synth::fleet_options> read_options(const arguments& given) {
  auto options = given.options;
  const auto law = synth::parse_outage_law(given.process);
  if (!law)
    return error{errc::invalid_argument,
                 "--process=" + given.process + ": exponential, weibull, lognormal or fixed is expected"};
  options.outages = *law;
  if (given.holes != "on" && given.holes != "off")
    return error{errc::invalid_argument, "--holes=" + given.holes + ": on or off is expected"};
  options.holes = given.holes == "on";
  return options;
}

int generate(const arguments& given) {
  const auto options = read_options(given);
  if (!options)
    return refuse(options.error());
  const auto made = synth::generate(*options);
  if (!made)
    return refuse(made.error());
  if (const auto done = synth::write_feeds(*made, given.directory); !done)
    return refuse(done.error());
  if (!given.truth.empty())
    if (const auto done = synth::write_truth(*made, given.truth); !done)
      return refuse(done.error());
  std::printf("%zu polls of %zu stores, %zu hours and %zu zones in %s\n", made->polls.size(),
              made->ids.size(), made->hours.size(), made->zones.size(), given.directory.c_str());
  return 0;
}

} // namespace

void add_generate(CLI::App& app, int& exit_code) {
  auto given = std::make_shared<arguments>();
  auto* command = app.add_subcommand(
      "generate", "Write a synthetic fleet as store_status.csv, menu_hours.csv and timezones.csv.");
  command->add_option("DIR", given->directory, "Where to write; made when missing, files replaced")
      ->required();
  command->add_option("--stores", given->options.stores, "Number of stores")
      ->check(check_whole_number)
      ->capture_default_str();
  command->add_option("--days", given->options.days, "Days of polls, up to the fixed end of the data")
      ->check(check_whole_number)
      ->capture_default_str();
  command->add_option("--polls-per-hour", given->options.polls_per_hour, "Polls of each store in an hour")
      ->capture_default_str();
  command->add_option("--seed", given->options.seed, "Equal seeds make equal files")
      ->check(check_whole_number)
      ->capture_default_str();
  command
      ->add_option("--process", given->process,
                   "How the lengths of outages are spread: exponential, weibull, lognormal, fixed")
      ->capture_default_str();
  command->add_option("--holes", given->holes, "Whether the poller fails at times: on, off")
      ->capture_default_str();
  command->add_flag("--ignore-hours", given->options.ignores_hours,
                    "Stores go up and down around the clock, and polls see it");
  command->add_option("--lose", given->options.lost, "Share of the polls that are lost at random")
      ->type_name("SHARE")
      ->capture_default_str();
  command
      ->add_option("--truth", given->truth,
                   "Also write when each store was really open for orders: store_id,from_utc,to_utc")
      ->check(check_file_name)
      ->type_name("FILE");
  command->callback([given, &exit_code] { exit_code = generate(*given); });
}

} // namespace storemon
