#include "storemon/model/report.hpp"

#include "support/instants.hpp"
#include "support/results.hpp"

#include <catch2/catch.hpp>

using namespace storemon;
using namespace std::chrono_literals;
using std::chrono::days;
using test::at;
using test::span;

namespace {

const instant now = parse_instant("2023-01-25T18:13:22.479220Z").value();

window custom(std::string name, interval over = span("2023-01-01T00:00:00Z", "2023-01-02T00:00:00Z")) {
  return {std::move(name), over};
}

report_request asking_for(std::vector<window> windows) {
  report_request request;
  request.columns = column_set::full;
  request.windows = std::move(windows);
  return request;
}

template <class T>
std::string detail(const result<T>& r) {
  REQUIRE_FALSE(r);
  CHECK(r.error().code == errc::invalid_argument);
  return r.error().detail;
}

} // namespace

TEST_CASE("scopes and column sets are read as they are written") {
  for (const auto scope : {observation_scope::session, observation_scope::business, observation_scope::all})
    CHECK(parse_scope(to_string(scope)) == scope);
  for (const auto columns : {column_set::loop, column_set::full})
    CHECK(parse_columns(to_string(columns)) == columns);
  CHECK_FALSE(parse_scope("Session"));
  CHECK_FALSE(parse_scope(""));
  CHECK_FALSE(parse_columns("FULL"));
  CHECK_FALSE(parse_columns(""));
}

TEST_CASE("a window is read from NAME=FROM..TO") {
  const auto w = parse_window("lunch_25=2023-01-25T17:00:00Z..2023-01-25 13:00:00.5-06:00");
  REQUIRE(w);
  CHECK(w->name == "lunch_25");
  CHECK(w->span == span("2023-01-25 17:00:00", "2023-01-25 19:00:00.5"));
  CHECK(parse_window("a=2023-01-25 17:00:00.25..2023-01-25 18:00:00 UTC"));
  CHECK(parse_window(std::string(32, 'x') + "=2023-01-25T17:00:00Z..2023-01-25T18:00:00Z"));
}

TEST_CASE("what is no window is refused with the part that is wrong") {
  const std::string times = "=2023-01-25T17:00:00Z..2023-01-25T18:00:00Z";
  CHECK_THAT(detail(parse_window("")), Catch::Contains("NAME=FROM..TO"));
  CHECK_THAT(detail(parse_window("lunch")), Catch::Contains("NAME=FROM..TO"));
  CHECK_THAT(detail(parse_window("lunch=2023-01-25T17:00:00Z")), Catch::Contains("NAME=FROM..TO"));
  CHECK_THAT(detail(parse_window("2023-01-25T17:00:00Z..2023-01-25T18:00:00Z")),
             Catch::Contains("NAME=FROM..TO"));
  for (const auto name : {"", "Lunch", "lunch time", "lunch-25", "a.b", "caf\xc3\xa9"}) {
    INFO(name);
    CHECK_THAT(detail(parse_window(name + times)), Catch::Contains("1 to 32 of a-z, 0-9 and _"));
  }
  CHECK_THAT(detail(parse_window(std::string(33, 'x') + times)), Catch::Contains("1 to 32"));
  for (const auto name : {"last_hour", "last_day", "last_week"})
    CHECK_THAT(detail(parse_window(name + times)), Catch::Contains("one of the standard windows"));
  for (const auto wrong :
       {"a=..", "a=2023-01-25..2023-01-26", "a=2023-01-25T17:00:00Z..", "a=..2023-01-25T17:00:00Z",
        "a=2023-01-25T17:00:00Z...2023-01-25T18:00:00Z", "a=now..2023-01-25T18:00:00Z"}) {
    INFO(wrong);
    CHECK_THAT(detail(parse_window(wrong)), Catch::Contains("timestamps"));
  }
  CHECK_THAT(detail(parse_window("a=2023-01-25T17:00:00Z..2023-01-25T17:00:00Z")), Catch::Contains("before"));
  CHECK_THAT(detail(parse_window("a=2023-01-25T18:00:00Z..2023-01-25T17:00:00Z")), Catch::Contains("before"));
}

TEST_CASE("a request without custom windows is valid as it comes") {
  CHECK(validate(report_request{}));
}

TEST_CASE("custom windows are valid with the full columns, up to as_of and the limit") {
  auto request = asking_for({custom("a"), custom("b")});
  CHECK(validate(request));
  request.as_of = at("2023-01-02T00:00:00Z");
  CHECK(validate(request));
  for (size_t i = request.windows.size(); i < custom_windows_max; ++i)
    request.windows.push_back(custom("w" + std::to_string(i)));
  CHECK(validate(request));
  request.windows.push_back(custom("one_more"));
  CHECK_THAT(detail(validate(request)), Catch::Contains("at most 16") && Catch::Contains("17"));
}

TEST_CASE("a request that can never be served is refused") {
  auto loop = asking_for({custom("a")});
  loop.columns = column_set::loop;
  CHECK_THAT(detail(validate(loop)), Catch::Contains("'full'"));
  CHECK_THAT(detail(validate(asking_for({custom("a"), custom("b"), custom("a")}))),
             Catch::Contains("'a' is used twice"));
  CHECK_THAT(detail(validate(asking_for({custom("A")}))), Catch::Contains("1 to 32"));
  CHECK_THAT(detail(validate(asking_for({custom("last_day")}))), Catch::Contains("standard"));
  CHECK_THAT(detail(validate(asking_for({custom("a", {now, now})}))), Catch::Contains("before"));
  auto late = asking_for({custom("a")});
  late.as_of = at("2023-01-01T23:59:59.999999Z");
  CHECK_THAT(detail(validate(late)),
             Catch::Contains("2023-01-02T00:00:00.000000Z") && Catch::Contains("after as_of"));
}

TEST_CASE("a resolved request has the standard windows up to now, then its own") {
  auto request = asking_for({custom("b"), custom("a", {now - 1h, now})});
  request.estimator = "linear";
  request.scope = observation_scope::all;
  const auto spec = resolve(request, now);
  REQUIRE(spec);
  CHECK(spec->estimator == "linear");
  CHECK(spec->scope == observation_scope::all);
  CHECK(spec->as_of == now);
  CHECK(spec->windows == std::vector<window>{{"last_hour", {now - 1h, now}},
                                             {"last_day", {now - 24h, now}},
                                             {"last_week", {now - 168h, now}},
                                             custom("b"),
                                             {"a", {now - 1h, now}}});
}

TEST_CASE("a request with a window beyond the now it gets is refused") {
  CHECK_THAT(detail(resolve(asking_for({custom("a", {now - 1h, now + 1us})}), now)),
             Catch::Contains("after as_of"));
}

TEST_CASE("a window's horizon reaches four weeks back from a week into it") {
  const auto horizon_from = [](instant from) { return horizon_of({"w", {from, from + 1h}}, now); };
  // The standard windows begin at most a week before now, so all three see the four weeks before now.
  for (const auto length : {duration(1h), duration(24h), duration(168h)})
    CHECK(horizon_from(now - length) == horizon{now - days(28), now});
  CHECK(horizon_from(now - days(7) - 1us) == horizon{now - days(28) - 1us, now});
  CHECK(horizon_from(now - days(100)) == horizon{now - days(121), now});
}
