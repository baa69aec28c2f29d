/// The worked examples of ESTIMATORS section 9, and what requests may ask for.
#include "storemon/estimate/measurer.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <cmath>

namespace {

using namespace storemon;
using namespace std::chrono_literals;
using std::chrono::days;

instant at(std::string_view text) {
  const auto parsed = parse_instant(text);
  REQUIRE(parsed);
  return *parsed;
}

observation poll(std::string_view when, char state) {
  return {at(when), state == 'a' ? store_status::active : store_status::inactive};
}

struct store {
  interval_set opening;
  std::vector<observation> observations;
  interval_set closures = {};
};

/// Figures of all windows of each store, the fleet being these stores.
std::vector<std::vector<figures>> report(const std::vector<store>& fleet, const report_spec& spec) {
  estimate::measurer measurer(spec);
  const auto windows = spec.windows.size();
  std::vector<measure> measures(windows * fleet.size());
  for (size_t i = 0; i < fleet.size(); ++i)
    measurer.measure_store({fleet[i].opening, fleet[i].closures, fleet[i].observations}, &measures[i],
                           fleet.size());
  std::vector<std::vector<figures>> rows(fleet.size());
  for (size_t w = 0; w < windows; ++w) {
    fleet_counts counts;
    for (size_t i = 0; i < fleet.size(); ++i)
      counts += measures[w * fleet.size() + i];
    for (size_t i = 0; i < fleet.size(); ++i)
      rows[i].push_back(
          estimate::find_estimator(spec.estimator)->settle(measures[w * fleet.size() + i], counts));
  }
  return rows;
}

report_spec spec_of(std::string estimator, observation_scope scope, std::string_view as_of) {
  report_request request;
  request.estimator = std::move(estimator);
  request.scope = scope;
  const auto spec = resolve(request, at(as_of));
  REQUIRE(spec.has_value());
  return *spec;
}

constexpr size_t hour = 0, day = 1, week = 2;

int64_t micros(double seconds) {
  return std::llround(seconds * 1e6);
}

/// An opening interval of that length on each of many days up to `last`.
interval_set daily(std::string_view last, duration length, int count = 40) {
  interval_set set;
  for (int back = count - 1; back >= 0; --back) {
    const auto from = at(last) - days(back);
    set.push_back({from, from + length});
  }
  return set;
}

store well_known() {
  return {daily("2023-01-25 09:00:00", 3h, 1),
          {poll("2023-01-25 10:14:00", 'a'), poll("2023-01-25 11:15:00", 'i')}};
}

/// ESTIMATORS section 9. New York is five hours behind UTC in January, Kolkata five and a half ahead.
std::vector<store> mini_fleet() {
  store a{daily("2023-01-25 14:00:00", 8h),
          {poll("2023-01-24 14:10:00", 'a'), poll("2023-01-24 15:05:30", 'a'),
           poll("2023-01-24 16:20:00.5", 'i'), poll("2023-01-24 17:15:00", 'a'),
           poll("2023-01-25 03:00:00", 'i'), poll("2023-01-25 14:30:00", 'a'),
           poll("2023-01-25 15:40:00", 'a')}};
  store b{daily("2023-01-25 01:00:00", 6h),
          {poll("2023-01-24 23:50:00", 'i'), poll("2023-01-25 01:20:00", 'a'),
           poll("2023-01-25 02:25:00", 'a'), poll("2023-01-25 12:00:00", 'a')}};
  store c{{{at("2022-12-01 00:00:00"), at("2023-02-01 00:00:00")}},
          {poll("2023-01-23 05:00:00", 'a'), poll("2023-01-25 05:00:00", 'a'),
           poll("2023-01-25 15:00:00", 'i'), poll("2023-01-25 16:00:00", 'a')}};
  store d;
  for (int back = 5; back >= 0; --back) {
    const auto from = at("2023-01-24 18:30:00") - days(7 * back);
    d.opening.push_back({from, from + days(1)});
  }
  return {a, b, c, d};
}

struct cell {
  double uptime;
  double unknown = 0;
};

/// One line of the table: A day, A week, B day, B week, C hour, C day, C week.
struct line {
  const char* estimator;
  observation_scope scope;
  std::array<cell, 7> cells;
};

constexpr auto session = observation_scope::session;
constexpr auto business = observation_scope::business;
constexpr auto all = observation_scope::all;

const std::vector<line> table{
    {"carry_forward",
     session,
     {{{25500.5}, {32700.5, 165600}, {21600}, {21600, 129600}, {0}, {82800}, {601200}}}},
    {"nearest",
     session,
     {{{25949.75}, {32115, 165600}, {21600}, {21600, 129600}, {1800}, {66600}, {585000}}}},
    {"linear",
     session,
     {{{26110.940051448}, {32115, 165600}, {21600}, {21600, 129600}, {1800}, {66600}, {585000}}}},
    {"carry_forward", business, {{{25500.5}, {198300.5}, {21600}, {151200}, {0}, {82800}, {601200}}}},
    {"carry_forward", all, {{{23700.5}, {196500.5}, {20400}, {20400}, {0}, {82800}, {601200}}}},
    {"nearest", all, {{{25949.75}, {197715}, {21600}, {21600}, {1800}, {66600}, {585000}}}},
    {"linear",
     all,
     {{{21906.425001281},
       {193510.484949833},
       {21466.666666667},
       {21466.666666667},
       {1800},
       {66600},
       {585000}}}},
    {"poll_ratio", session, {{{21600}, {168000}, {21600}, {151200}, {3600}, {57600}, {453600}}}},
    {"poll_count",
     session,
     {{{10800, 14400},
       {18000, 180000},
       {7200, 14400},
       {7200, 144000},
       {3600},
       {7200, 75600},
       {10800, 590400}}}},
    {"capped_nearest",
     session,
     {{{24299.75}, {168465}, {20566.666666667}, {135766.666666667}, {1800}, {64650}, {478050}}}},
};

constexpr std::array<std::pair<size_t, size_t>, 7> columns{
    {{0, day}, {0, week}, {1, day}, {1, week}, {2, hour}, {2, day}, {2, week}}};
constexpr std::array<double, 7> scheduled{28800, 201600, 21600, 151200, 3600, 86400, 604800};

} // namespace

TEST_CASE("the well-known example has the figures every rule promises") {
  struct expected {
    const char* estimator;
    double uptime, downtime, unknown;
    bool carries;
  };

  const auto e = GENERATE(
      expected{"carry_forward", 8100, 2700, 0, true}, expected{"nearest", 6270, 4530, 0, true},
      expected{"linear", 6270, 4530, 0, true}, expected{"poll_ratio", 5400, 5400, 0, false},
      expected{"poll_count", 3600, 3600, 3600, false}, expected{"capped_nearest", 6270, 4530, 0, false});
  for (const auto scope : {session, business, all}) {
    if (scope != session && !e.carries)
      continue;
    CAPTURE(e.estimator, to_string(scope));
    const auto rows = report({well_known()}, spec_of(e.estimator, scope, "2023-01-25 12:00:00"));
    const auto& f = rows[0][day];
    CHECK(f.scheduled == micros(10800));
    CHECK(f.uptime == micros(e.uptime));
    CHECK(f.downtime == micros(e.downtime));
    CHECK(f.unknown == micros(e.unknown));
    CHECK(f.excluded == 0);
    CHECK(f.imputed == 0);
    CHECK(f.observations == 2);
  }
}

TEST_CASE("the mini fleet has the figures of the table") {
  for (const auto& [estimator, scope, cells] : table) {
    const auto rows = report(mini_fleet(), spec_of(estimator, scope, "2023-01-25 16:00:00"));
    for (size_t i = 0; i < cells.size(); ++i) {
      CAPTURE(estimator, to_string(scope), i);
      const auto& f = rows[columns[i].first][columns[i].second];
      CHECK(f.scheduled == micros(scheduled[i]));
      CHECK(f.uptime == micros(cells[i].uptime));
      CHECK(f.unknown == micros(cells[i].unknown));
      CHECK(f.downtime == f.scheduled - f.uptime - f.unknown);
    }
    const auto& never_polled = rows[3][week];
    CHECK(never_polled.scheduled == micros(86400));
    CHECK(never_polled.unknown == micros(86400));
    CHECK(never_polled.uptime + never_polled.downtime + never_polled.imputed == 0);
  }
}

TEST_CASE("what is imputed in the mini fleet is the row of the table") {
  constexpr std::array<double, 7> imputed{9900, 175500, 9300, 138900, 0, 61200, 565200};
  const auto rows = report(mini_fleet(), spec_of("capped_nearest", session, "2023-01-25 16:00:00"));
  for (size_t i = 0; i < imputed.size(); ++i)
    CHECK(rows[columns[i].first][columns[i].second].imputed == micros(imputed[i]));
}

TEST_CASE("halves of a microsecond go to the even neighbour, and an odd gap changes before its middle") {
  struct expected {
    const char* estimator;
    int length;
    int64_t uptime;
  };

  const auto e =
      GENERATE(expected{"poll_ratio", 1, 0}, expected{"poll_ratio", 3, 2}, expected{"poll_ratio", 5, 2},
               expected{"poll_ratio", 7, 4}, expected{"linear", 1, 0}, expected{"linear", 3, 2},
               expected{"linear", 5, 2}, expected{"nearest", 1, 0}, expected{"nearest", 3, 1},
               expected{"nearest", 5, 2}, expected{"capped_nearest", 3, 1}, expected{"capped_nearest", 5, 2});
  CAPTURE(e.estimator, e.length);
  const auto from = at("2023-01-25 10:00:00");
  const auto to = from + duration(e.length);
  const store s{{{from, to + duration(1)}}, {{from, store_status::active}, {to, store_status::inactive}}};
  auto spec = spec_of(e.estimator, session, "2023-01-25 12:00:00");
  spec.windows = {{"gap", {from, to}}, {"both", {from - duration(1), to}}};
  const auto rows = report({s}, spec);
  const auto& f = rows[0][std::string_view(e.estimator) == "poll_ratio" ? 1 : 0];
  CHECK(f.uptime == e.uptime);
  CHECK(f.downtime == e.length - e.uptime);
}

TEST_CASE("what is imputed is rounded once, halves to the even neighbour") {
  const auto& capped = *estimate::find_estimator("capped_nearest");
  // (n1 + 4 R) / (n + 4) is one half.
  const auto imputed = [&](int64_t length) {
    return capped.settle({.scheduled = length, .imputed = length, .horizon_active = 1, .horizon_observed = 2},
                         {5, 10});
  };
  CHECK(imputed(1).uptime == 0);
  CHECK(imputed(3).uptime == 2);
  CHECK(imputed(5).uptime == 2);
  CHECK(imputed(5).downtime == 3);
}

TEST_CASE("a poll at the window's end belongs to the window, one at its begin does not") {
  const interval_set open{{at("2023-01-01 00:00:00"), at("2023-03-01 00:00:00")}};
  const auto spec = spec_of("poll_count", session, "2023-01-25 12:00:00");
  const auto ends =
      report({{open, {poll("2023-01-25 11:00:00", 'a'), poll("2023-01-25 12:00:00", 'i')}}}, spec);
  CHECK(ends[0][hour].observations == 1);
  CHECK(ends[0][hour].downtime == micros(3600));
  CHECK(ends[0][day].observations == 2);
}

TEST_CASE("a poll later than as_of is not known, nor is one older than the horizon") {
  const interval_set open{{at("2022-01-01 00:00:00"), at("2023-03-01 00:00:00")}};
  const auto spec = spec_of("nearest", session, "2023-01-29 00:00:00");
  const auto unseen = report(
      {{open, {poll("2022-12-31 23:59:59.999999", 'a'), poll("2023-01-29 00:00:00.000001", 'a')}}}, spec);
  CHECK(unseen[0][hour].unknown == micros(3600));
  const auto seen = report({{open, {poll("2023-01-01 00:00:00", 'a')}}}, spec);
  CHECK(seen[0][hour].uptime == micros(3600));
}

TEST_CASE("a planned closure is excluded, and ends what a poll tells") {
  auto s = well_known();
  s.closures = {{at("2023-01-25 08:00:00"), at("2023-01-25 09:30:00")},
                {at("2023-01-25 10:30:00"), at("2023-01-25 11:30:00")}};
  const auto f = report({s}, spec_of("carry_forward", session, "2023-01-25 12:00:00"))[0][day];
  CHECK(f.scheduled == micros(10800));
  CHECK(f.excluded == micros(5400));
  CHECK(f.uptime == micros(3600));
  CHECK(f.unknown == micros(1800));
  CHECK(f.observations == 1);
  const auto carried = report({s}, spec_of("carry_forward", business, "2023-01-25 12:00:00"))[0][day];
  CHECK(carried.uptime == micros(5400));
  const auto heard = report({s}, spec_of("carry_forward", all, "2023-01-25 12:00:00"))[0][day];
  CHECK(heard.downtime == micros(1800));
}

TEST_CASE("the fleet's ratio counts each store's in-session polls of the horizon once") {
  const auto spec = spec_of("capped_nearest", session, "2023-01-25 16:00:00");
  estimate::measurer measurer(spec);
  fleet_counts counts;
  for (const auto& s : mini_fleet()) {
    std::array<measure, 3> m;
    measurer.measure_store({s.opening, s.closures, s.observations}, m.data(), 1);
    CHECK(m[hour].horizon_observed == m[week].horizon_observed);
    counts += m[week];
  }
  CHECK(counts.active == 10);
  CHECK(counts.observed == 12);
}

TEST_CASE("a measurer needs opening intervals from the earliest window, or what it sees before, to as_of") {
  auto spec = spec_of("nearest", session, "2023-01-29 00:00:00");
  const auto first_polled = [](const char* time) {
    return std::vector{observation(at(time), store_status::active),
                       observation(at("2023-01-28 00:00:00"), store_status::active)};
  };
  const auto just_after = at("2023-01-29 00:00:00.000001");
  const auto week = at("2023-01-22 00:00:00");
  const auto horizon = at("2023-01-01 00:00:00");
  const auto between = at("2023-01-10 00:00:00");
  {
    const estimate::measurer m(spec);
    CHECK(m.needed({}) == interval{week, just_after});
    CHECK(m.needed(first_polled("2023-01-25 00:00:00")) == interval{week, just_after});
    CHECK(m.needed(first_polled("2023-01-10 00:00:00")) == interval{between, just_after});
    CHECK(m.needed(first_polled("2022-01-01 00:00:00")) == interval{horizon, just_after});
  }
  spec.windows.push_back({"past", {at("2022-12-01 00:00:00"), at("2022-12-02 00:00:00")}});
  const estimate::measurer m(spec);
  CHECK(m.needed({}).from == at("2022-12-01 00:00:00"));
  CHECK(m.needed(first_polled("2022-01-01 00:00:00")).from == at("2022-11-10 00:00:00"));
}

TEST_CASE("every estimator is found by its name, and only by it") {
  CHECK(estimate::estimator_names() ==
        "capped_nearest, nearest, linear, carry_forward, poll_ratio, poll_count, telegraph");
  for (const auto* name :
       {"capped_nearest", "nearest", "linear", "carry_forward", "poll_ratio", "poll_count", "telegraph"}) {
    const auto* e = estimate::find_estimator(name);
    REQUIRE(e);
    CHECK(e->name() == name);
  }
  CHECK_FALSE(estimate::find_estimator("Nearest"));
  CHECK_FALSE(estimate::find_estimator(""));
}

TEST_CASE("a request is refused with a sentence that names what is allowed") {
  report_request request;
  CHECK(estimate::validate(request).has_value());
  request.scope = all;
  REQUIRE_FALSE(estimate::validate(request).has_value());
  CHECK(estimate::validate(request).error().code == errc::invalid_argument);
  CHECK(estimate::validate(request).error().detail ==
        "estimator 'capped_nearest' does not know the scope 'all'; allowed: session");
  request.estimator = "linear";
  CHECK(estimate::validate(request).has_value());
  request.estimator = "oracle";
  CHECK(estimate::validate(request).error().detail ==
        "there is no estimator 'oracle'; there are: " + std::string(estimate::estimator_names()));
  request.estimator = "nearest";
  request.windows.push_back({"last_day", {at("2023-01-01 00:00:00"), at("2023-01-02 00:00:00")}});
  CHECK_FALSE(estimate::validate(request).has_value());
}
