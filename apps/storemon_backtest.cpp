#include "storemon_backtest.hpp"

#include "storemon/backtest/backtest.hpp"
#include "storemon/backtest/load.hpp"
#include "storemon/backtest/plot.hpp"

#include "checks.hpp"
#include "output.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <optional>
#include <sstream>

namespace storemon {

namespace {

using namespace backtest;

struct arguments {
  std::string directory;
  std::string truth;
  std::vector<std::string> estimators;
  std::string plot;
};

int refuse(const error& failure) {
  std::fprintf(stderr, "storemon backtest: %s\n", failure.detail.c_str());
  return failure.code == errc::invalid_argument ? 2 : 1;
}

result<std::vector<contender>> read_contenders(const std::vector<std::string>& names) {
  std::vector<contender> read;
  if (names.empty())
    for (const auto name : contender::names())
      read.push_back(*contender::find(name));
  for (const auto& name : names) {
    const auto found = contender::find(name);
    if (!found) {
      std::string known;
      for (const auto other : contender::names())
        known += (known.empty() ? "" : ", ") + std::string(other);
      return error{errc::invalid_argument, "there is no estimator '" + name + "'; there are: " + known};
    }
    const bool repeated =
        std::any_of(read.begin(), read.end(), [&](const auto& c) { return c.name() == name; });
    if (!repeated)
      read.push_back(*found);
  }
  return read;
}

/// A figure in a column, or a dash where there is none.
void print_figure(double figure, int width, int digits) {
  if (std::isnan(figure)) {
    std::printf("%*s", width, "-");
    return;
  }
  const bool shown_as_zero = std::abs(figure) * std::pow(10, digits) < 0.5;
  std::printf("%*.*f", width, digits, shown_as_zero ? 0.0 : figure); // no minus before a zero
}

double percent(uint64_t part, uint64_t of) {
  return 100 * static_cast<double>(part) / static_cast<double>(of);
}

void print(const window_scores& scores, std::span<const contender> contenders) {
  const auto& first = scores.of.front();
  std::printf("\n%s: %llu stores with opening time, %llu of them answered for by all\n",
              scores.asked.name.c_str(), static_cast<unsigned long long>(first.rows()),
              static_cast<unsigned long long>(first.answered_by_all()));
  std::printf("%-15s%12s%10s%10s%10s%14s%15s%11s\n", "estimator", "answered %", "RMSE min", "by all",
              "MAE min", "fleet bias %", "in interval %", "width min");
  for (size_t c = 0; c < contenders.size(); ++c) {
    const auto& s = scores.of[c];
    std::printf("%-15s", std::string(contenders[c].name()).c_str());
    print_figure(percent(s.answered(), s.rows()), 12, 1);
    print_figure(s.root_mean_square(), 10, 2);
    print_figure(s.root_mean_square_by_all(), 10, 2);
    print_figure(s.mean_absolute(), 10, 2);
    print_figure(s.fleet_bias(), 14, 2);
    print_figure(100 * s.coverage(), 15, 1);
    print_figure(s.interval_width(), 11, 1);
    std::printf("\n");
  }
}

void print(std::span<const poll_score> scores, std::span<const contender> contenders) {
  std::printf(
      "\n%llu polls within opening time, each hidden once, one in %zu at a time; chances within %g to %g\n",
      static_cast<unsigned long long>(scores.front().polls()), folds, poll_score::certainty_min,
      1 - poll_score::certainty_min);
  std::printf("%-15s%12s%13s%10s\n", "estimator", "answered %", "Brier score", "log loss");
  for (size_t c = 0; c < contenders.size(); ++c) {
    const auto& s = scores[c];
    std::printf("%-15s", std::string(contenders[c].name()).c_str());
    print_figure(percent(s.answered(), s.polls()), 12, 1);
    print_figure(s.brier(), 13, 4);
    print_figure(s.log_loss(), 10, 4);
    std::printf("\n");
  }
}

template <class Scores>
panel panel_of(std::string title, const Scores& scores, std::span<const contender> contenders) {
  panel drawn{std::move(title), {}};
  for (size_t c = 0; c < contenders.size(); ++c)
    drawn.curves.push_back({std::string(contenders[c].name()), scores[c].curve()});
  return drawn;
}

std::vector<panel> run_against_truth(const truth& known, const fleet& stores,
                                     std::span<const contender> contenders) {
  const auto scores = score_uptime(stores, known, contenders);
  constexpr size_t windows = 3;
  if (scores.size() < windows)
    std::fprintf(stderr,
                 "storemon backtest: the truth begins at %s, windows that begin before it are left out\n",
                 to_rfc3339(known.from).c_str());
  std::vector<panel> panels;
  for (const auto& s : scores) {
    print(s, contenders);
    panels.push_back(panel_of(s.asked.name, s.of, contenders));
  }
  return panels;
}

std::vector<panel> run_on_hidden_polls(const fleet& stores, std::span<const contender> contenders) {
  const auto scores = score_hidden_polls(stores, contenders);
  print(scores, contenders);
  return {panel_of("hidden polls", scores, contenders)};
}

int run(const arguments& given) {
  const auto contenders = read_contenders(given.estimators);
  if (!contenders)
    return refuse(contenders.error());
  const auto loaded = load_fleet(given.directory);
  if (!loaded)
    return refuse(loaded.error());
  if (loaded->rejected > 0)
    std::fprintf(stderr,
                 "storemon backtest: %llu lines of the feeds are rejected; `storemon report` quotes them\n",
                 static_cast<unsigned long long>(loaded->rejected));
  // Read before anything is printed: what fails leaves no beginning of a result.
  std::optional<loaded_truth> known;
  if (!given.truth.empty()) {
    auto read = load_truth(given.truth, loaded->stores);
    if (!read)
      return refuse(read.error());
    known = std::move(*read);
    if (known->strangers > 0)
      std::fprintf(stderr, "storemon backtest: %llu rows of the truth are of stores that no feed names\n",
                   static_cast<unsigned long long>(known->strangers));
  }
  std::printf("%zu stores, %llu polls, now %s\n", loaded->stores.ids.size(),
              static_cast<unsigned long long>(loaded->polls), to_rfc3339(loaded->stores.as_of).c_str());
  const auto panels = known ? run_against_truth(known->course, loaded->stores, *contenders)
                            : run_on_hidden_polls(loaded->stores, *contenders);
  if (!given.plot.empty())
    if (const auto written = write_output(given.plot, calibration_svg(panels)); !written)
      return refuse(written.error());
  return 0;
}

} // namespace

void add_backtest(CLI::App& app, int& exit_code) {
  auto given = std::make_shared<arguments>();
  auto* command = app.add_subcommand(
      "backtest",
      "shows which estimator to trust on a fleet's own data: against the truth where that is known, "
      "else against polls hidden from it");
  command->add_option("DIR", given->directory, "holds store_status.csv, business_hours.csv, timezones.csv")
      ->required();
  command
      ->add_option(
          "--truth", given->truth,
          "when each store was really open for orders: store_id,from_utc,to_utc, as generate writes it")
      ->check(check_file_name)
      ->type_name("FILE");
  command
      ->add_option("--estimators", given->estimators,
                   "which are put to the test, also with commas between them; all by default")
      ->delimiter(',')
      ->type_name("NAME")
      ->allow_extra_args(false); // see name_each_value
  command
      ->add_option("--plot", given->plot,
                   "where a drawing goes of what was observed over what was predicted (SVG)")
      ->check(check_file_name)
      ->type_name("FILE");
  command->callback([given, &exit_code] { exit_code = run(*given); });
}

bool names_estimators(const std::string& argument) {
  std::istringstream names(argument);
  std::string name;
  while (std::getline(names, name, ','))
    if (!contender::find(name))
      return false;
  return !argument.empty();
}

} // namespace storemon
