/// Telegraph through the whole engine: from feeds to the columns of a report (ESTIMATORS section 9).
#include "support/csv_reader.hpp"
#include "support/instants.hpp"
#include "support/reports.hpp"
#include "support/results.hpp"
#include "support/scratch_directory.hpp"

#include "storemon/journal/sqlite_backend.hpp"
#include "storemon/synth/feed_files.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>

using namespace storemon;
using namespace std::chrono_literals;

namespace {

/// The feeds of the mini fleet.
void write_mini_fleet(const test::scratch_directory& to) {
  std::string status = "store_id,status,timestamp_utc\n";
  for (const auto* row :
       {"A,active,2023-01-24 14:10:00", "A,active,2023-01-24 15:05:30", "A,inactive,2023-01-24 16:20:00.5",
        "A,active,2023-01-24 17:15:00", "A,inactive,2023-01-25 03:00:00", "A,active,2023-01-25 14:30:00",
        "A,active,2023-01-25 15:40:00", "B,inactive,2023-01-24 23:50:00", "B,active,2023-01-25 01:20:00",
        "B,active,2023-01-25 02:25:00", "B,active,2023-01-25 12:00:00", "C,active,2023-01-23 05:00:00",
        "C,active,2023-01-25 05:00:00", "C,active,2023-01-25 05:00:00", "C,inactive,2023-01-25 15:00:00",
        "C,active,2023-01-25 15:00:00", "C,active,2023-01-25 16:00:00"})
    status += std::string(row) + " UTC\n";
  std::string hours = "store_id,day,start_time_local,end_time_local\nD,2,00:00:00,23:59:00\n";
  for (int day = 0; day < 7; ++day) {
    hours += "A," + std::to_string(day) + ",09:00:00,17:00:00\n";
    hours += "B," + std::to_string(day) + ",20:00:00,02:00:00\n";
  }
  to.write("store_status.csv", status);
  to.write("business_hours.csv", hours);
  to.write("timezones.csv",
           "store_id,timezone_str\nA,America/New_York\nB,America/New_York\nD,Asia/Kolkata\n");
}

report_request telegraph_request(column_set columns = column_set::full) {
  report_request request;
  request.estimator = "telegraph";
  request.columns = columns;
  return request;
}

/// A report's cells by store and column.
class cells {
public:
  explicit cells(const std::string& csv) {
    const auto records = test::read_csv(csv);
    header = records.at(0);
    for (size_t r = 1; r < records.size(); ++r)
      for (size_t c = 0; c < header.size(); ++c)
        cells_[records[r].at(0)][header[c]] = records[r].at(c);
  }

  const std::string& text(const std::string& store, const std::string& column) const {
    return cells_.at(store).at(column);
  }

  double number(const std::string& store, const std::string& column) const {
    return std::stod(text(store, column));
  }

  std::vector<std::string> stores() const {
    std::vector<std::string> all;
    for (const auto& [id, row] : cells_)
      all.push_back(id);
    return all;
  }

  std::vector<std::string> header;

private:
  std::map<std::string, std::map<std::string, std::string>> cells_;
};

} // namespace

TEST_CASE("the mini fleet's feeds make the figures of the table") {
  const test::scratch_directory feeds;
  write_mini_fleet(feeds);
  node::engine engine(test::loading(feeds.path().string(), GENERATE(1u, 7u)));
  REQUIRE(engine.wait_ready());
  CHECK(test::fit_weights(engine.system(), engine.weights()).label.stores == 3);
  const cells report(test::csv_of(engine, telegraph_request()));

  struct expected {
    const char* store;
    const char* window;
    double open, imputed, mean, deviation;
  };

  const std::vector<expected> table{
      {"A", "last_day", 28800, 9900, 24901.518700494, 3369.374386857},
      {"A", "last_week", 201600, 175500, 175093.372605017, 24505.044999318},
      {"B", "last_day", 21600, 9300, 20693.165075628, 2497.863457829},
      {"B", "last_week", 151200, 138900, 132412.258038454, 26525.448115157},
      {"C", "last_hour", 3600, 0, 2218.214080195, 1024.593477249},
      {"C", "last_day", 86400, 61200, 71430.466036062, 13018.685523665},
      {"C", "last_week", 604800, 565200, 515007.325556713, 81676.497550841},
  };
  for (const auto& e : table) {
    const auto cell = [&](const std::string& name) {
      return report.number(e.store, std::string(e.window) + "_" + name);
    };
    CAPTURE(e.store, e.window);
    CHECK(cell("scheduled_s") == e.open);
    CHECK(cell("uptime_s") == Approx(e.mean).epsilon(0).margin(1.5e-6)); // half a microsecond is rounding
    CHECK(cell("uptime_s") + cell("downtime_s") == Approx(e.open).epsilon(0).margin(1e-9));
    CHECK(cell("unknown_s") == 0);
    CHECK(cell("imputed_s") == e.imputed);
    CHECK(cell("observed_share") == Approx((e.open - e.imputed) / e.open).epsilon(0).margin(5.1e-7));
    const double reach = 1.6448536269514722 * e.deviation;
    CHECK(cell("uptime_low_s") == Approx(std::max(0.0, e.mean - reach)).epsilon(0).margin(2e-4));
    CHECK(cell("uptime_high_s") == Approx(std::min(e.open, e.mean + reach)).epsilon(0).margin(2e-4));
  }
  CHECK(report.text("A", "active_now") == "0.957849");
  CHECK(report.text("B", "active_now").empty()); // closed
  CHECK(report.text("C", "active_now") == "1.000000");
}

TEST_CASE("of a store never observed nothing is told, least of all the fleet's habits") {
  const test::scratch_directory feeds;
  write_mini_fleet(feeds);
  node::engine engine(test::loading(feeds.path().string()));
  REQUIRE(engine.wait_ready());
  test::fit_weights(engine.system(), engine.weights());
  const cells report(test::csv_of(engine, telegraph_request()));
  for (const std::string window : {"last_hour", "last_day", "last_week"}) {
    CAPTURE(window);
    CHECK(report.text("D", window + "_unknown_s") == report.text("D", window + "_scheduled_s"));
    for (const auto* zero : {"_uptime_s", "_downtime_s", "_imputed_s", "_observed_share"})
      CHECK(report.text("D", window + zero) == "0.000000");
    CHECK(report.text("D", window + "_uptime_low_s").empty());
    CHECK(report.text("D", window + "_uptime_high_s").empty());
  }
  CHECK(report.text("D", "active_now").empty());
  CHECK(report.text("B", "last_hour_observed_share").empty()); // closed for all of the hour
}

TEST_CASE("columns of beliefs come with telegraph alone, and only in full") {
  const test::scratch_directory feeds;
  write_mini_fleet(feeds);
  node::engine engine(test::loading(feeds.path().string()));
  REQUIRE(engine.wait_ready());
  for (auto request : test::every_estimator_and_scope()) {
    const bool believes = request.estimator == "telegraph";
    CAPTURE(request.estimator);
    const auto loop = test::csv_of(engine, request);
    CHECK(loop.starts_with("store_id,uptime_last_hour,uptime_last_day,uptime_last_week,"
                           "downtime_last_hour,downtime_last_day,downtime_last_week\n"));
    request.columns = column_set::full;
    const auto header = cells(test::csv_of(engine, request)).header;
    CHECK(header.size() == (believes ? 4 + 3 * 10 + 1 : 4 + 3 * 7));
    CHECK(std::count(header.begin(), header.end(), "last_day_uptime_low_s") == believes);
    CHECK((header.back() == "active_now") == believes);
  }
}

TEST_CASE("every figure of a random fleet is sound, in windows of the past as in the standard ones") {
  const test::scratch_directory feeds;
  const auto fleet = synth::generate({.stores = 200, .days = 8, .polls_per_hour = 1, .seed = 42});
  REQUIRE(fleet);
  REQUIRE(synth::write_feeds(*fleet, feeds.path()));
  node::engine engine(test::loading(feeds.path().string()));
  REQUIRE(engine.wait_ready());
  test::fit_weights(engine.system(), engine.weights());
  auto request = telegraph_request();
  request.windows.push_back(parse_window("past=2023-01-19T00:00:00Z..2023-01-20T12:00:00Z").value());
  const cells report(test::csv_of(engine, request));
  size_t with_bounds = 0;
  for (const auto& store : report.stores())
    for (const std::string window : {"last_hour", "last_day", "last_week", "past"}) {
      const auto cell = [&](const std::string& name) { return report.number(store, window + "_" + name); };
      CAPTURE(store, window);
      const auto scheduled = cell("scheduled_s");
      CHECK(cell("uptime_s") + cell("downtime_s") + cell("unknown_s") ==
            Approx(scheduled).epsilon(0).margin(1e-6));
      if (report.text(store, window + "_uptime_low_s").empty()) {
        CHECK(cell("unknown_s") == scheduled);
        continue;
      }
      ++with_bounds;
      CHECK(0 <= cell("uptime_low_s"));
      CHECK(cell("uptime_low_s") <= cell("uptime_s"));
      CHECK(cell("uptime_s") <= cell("uptime_high_s"));
      CHECK(cell("uptime_high_s") <= scheduled);
      if (scheduled > 0)
        CHECK((0 <= cell("observed_share") && cell("observed_share") <= 1));
    }
  CHECK(with_bounds > 600);
  for (const auto& store : report.stores())
    if (!report.text(store, "active_now").empty())
      CHECK((0 <= report.number(store, "active_now") && report.number(store, "active_now") <= 1));
}

TEST_CASE("a report of telegraph, and the weights it was made with, outlive the process") {
  const test::scratch_directory feeds;
  const test::scratch_directory kept;
  write_mini_fleet(feeds);
  const auto options = [&] {
    auto o = test::loading(feeds.path().string());
    o.storage = journal::open_sqlite({.directory = kept.path().string()}).value();
    return o;
  };
  fleet_weights weights;
  std::string csv;
  std::string id;
  {
    node::engine engine(options());
    REQUIRE(engine.wait_ready());
    weights = test::fit_weights(engine.system(), engine.weights());
    const auto status = test::run_report(engine.system(), engine.coordinator(), telegraph_request());
    REQUIRE(status.state == protocol::report_state::complete);
    CHECK(status.weights == weights.label);
    id = status.id;
  }
  node::engine engine(options());
  REQUIRE(engine.wait_ready());
  const auto again =
      node::ask<protocol::shared_weights>(engine.system(), engine.weights(), protocol::get_atom_v);
  REQUIRE(again);
  CHECK(**again == weights);
  const auto before =
      node::ask<protocol::report_status>(engine.system(), engine.coordinator(), protocol::poll_atom_v, id);
  REQUIRE(before);
  CHECK(before->weights == weights.label);
  const auto now = test::run_report(engine.system(), engine.coordinator(), telegraph_request());
  REQUIRE(now.state == protocol::report_state::complete);
  CHECK(now.weights == weights.label);
  const auto bytes = [&](const std::string& name) {
    return node::ask<std::shared_ptr<const protocol::report_file>>(engine.system(), engine.coordinator(),
                                                                   protocol::file_atom_v, name)
        .value()
        ->bytes;
  };
  CHECK(bytes(now.file_name) == bytes(before->file_name));
}
