/// `storemon backtest` and the hidden processes of `storemon generate`, as their users run them.
#include "support/server_process.hpp"

#include <algorithm>
#include <sstream>

using namespace storemon::test;
using Catch::Matchers::Contains;

namespace {

/// A small fleet with its truth.
class known_fleet {
public:
  explicit known_fleet(const std::vector<std::string>& options = {}) {
    std::vector<std::string> command{"generate", path(), "--stores=400", "--truth", truth()};
    command.insert(command.end(), options.begin(), options.end());
    const auto made = tool(command);
    INFO(made.err);
    REQUIRE(made.exit_code == 0);
  }

  std::string path() const { return directory_.path().string(); }

  std::string truth() const { return path() + "/truth.csv"; }

private:
  scratch_directory directory_;
};

/// The numbers beside a name, of the first line after `section` that begins with it.
std::vector<double> figures_of(const std::string& out, const std::string& section, const std::string& name) {
  std::istringstream lines(out.substr(std::min(out.find(section), out.size())));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word != name)
      continue;
    std::vector<double> figures;
    while (words >> word)
      figures.push_back(word == "-" ? -1 : std::stod(word));
    return figures;
  }
  FAIL(name << " is not in " << out);
  return {};
}

void refuse(const std::vector<std::string>& arguments, int exit_code, const std::string& naming) {
  const auto failed = tool(arguments);
  CHECK(failed.exit_code == exit_code);
  CHECK_THAT(failed.err, Contains(naming));
}

} // namespace

TEST_CASE("against the truth every estimator has errors in every window, and telegraph intervals too") {
  const known_fleet fleet;
  const auto drawing = fleet.path() + "/plot.svg";
  const auto run = tool({"backtest", fleet.path(), "--truth", fleet.truth(), "--plot", drawing});
  INFO(run.out << run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(run.err.empty());
  CHECK_THAT(run.out, Contains("400 stores") && Contains("now 2023-01-25T18:13:22.000000Z"));
  for (const std::string window : {"last_hour", "last_day", "last_week"}) {
    for (const std::string name :
         {"capped_nearest", "nearest", "linear", "carry_forward", "poll_ratio", "poll_count"}) {
      const auto plain = figures_of(run.out, window + ":", name);
      REQUIRE(plain.size() == 7);
      CHECK(plain[0] > 80);
      CHECK(plain[1] > 0);
      CHECK(plain[5] == -1); // no interval
    }
    const auto telegraph = figures_of(run.out, window + ":", "telegraph");
    REQUIRE(telegraph.size() == 7);
    CHECK(telegraph[5] > 80);
    CHECK(telegraph[6] > 0);
  }
  const auto week = [&](const std::string& name) { return figures_of(run.out, "last_week:", name)[1]; };
  CHECK(week("telegraph") < week("carry_forward"));
  CHECK(week("poll_count") > 1000);
  const auto svg = read_file(drawing);
  CHECK(svg.starts_with("<svg "));
  CHECK(svg.ends_with("</svg>\n"));
  CHECK_THAT(svg, Contains("last_week") && Contains("telegraph"));
}

TEST_CASE("without a truth hidden polls are foretold, the same each time") {
  const known_fleet fleet;
  const std::vector<std::string> command{"backtest", fleet.path(), "--estimators", "telegraph,carry_forward"};
  const auto run = tool(command);
  INFO(run.out << run.err);
  REQUIRE(run.exit_code == 0);
  const auto telegraph = figures_of(run.out, "hidden", "telegraph");
  const auto carried = figures_of(run.out, "hidden", "carry_forward");
  REQUIRE(telegraph.size() == 3);
  CHECK(telegraph[1] > 0);
  CHECK(telegraph[1] < carried[1]);
  CHECK(telegraph[2] < carried[2]);
  CHECK(run.out.find("nearest") == std::string::npos);
  CHECK(tool(command).out == run.out);
}

TEST_CASE(
    "estimators are named at once, one by one, or with the option again, wherever the directory stands") {
  const known_fleet fleet;
  const std::string option = "--estimators";
  const auto wanted = tool({"backtest", fleet.path(), option, "nearest,linear"}).out;
  CHECK_THAT(wanted, Contains("\nnearest ") && Contains("\nlinear ") && !Contains("\ntelegraph "));
  for (const auto& command : std::vector<std::vector<std::string>>{
           {"backtest", option, "nearest", "linear", fleet.path()},
           {"backtest", fleet.path(), option + "=nearest", "linear"},
           {"backtest", option, "nearest", fleet.path(), option, "linear"}}) {
    const auto run = tool(command);
    INFO(run.err);
    CHECK(run.out == wanted);
  }
}

TEST_CASE("a fleet is written as every hidden process, and one of defaults is the fleet there always was") {
  const known_fleet plain;
  const known_fleet said({"--process=exponential", "--holes=on", "--lose=0"});
  CHECK((read_file(plain.truth()) == read_file(said.truth())));
  CHECK((read_file(plain.path() + "/store_status.csv") == read_file(said.path() + "/store_status.csv")));
  for (const std::string option : {"--process=weibull", "--process=lognormal", "--process=fixed",
                                   "--holes=off", "--ignore-hours", "--lose=0.5", "--polls-per-hour=4"}) {
    CAPTURE(option);
    const known_fleet other({option});
    CHECK((read_file(plain.path() + "/store_status.csv") != read_file(other.path() + "/store_status.csv")));
    CHECK(tool({"backtest", other.path(), "--truth", other.truth()}).exit_code == 0);
  }
}

TEST_CASE("what makes no sense is refused with exit code 2, what cannot be read with 1") {
  const known_fleet fleet;
  refuse({"backtest", fleet.path(), "--estimators=guess"}, 2, "'guess'");
  refuse({"backtest", fleet.path(), "--truth", "--plot"}, 2, "name of a file");
  refuse({"backtest"}, 2, "DIR");
  refuse({"backtest", "/no/such/directory"}, 1, "/no/such/directory");
  refuse({"backtest", fleet.path(), "--truth=/no/such/truth"}, 1, "/no/such/truth");
  CHECK(tool({"backtest", fleet.path(), "--truth=/no/such/truth"}).out.empty());
  refuse({"backtest", fleet.path(), "--estimators=nearest", "--plot=/no/such/place.svg"}, 1,
         "/no/such/place.svg");
  refuse({"generate", fleet.path(), "--process=pareto"}, 2, "pareto");
  refuse({"generate", fleet.path(), "--holes=some"}, 2, "some");
  refuse({"generate", fleet.path(), "--lose=1"}, 2, "lose");
}
