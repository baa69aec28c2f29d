/// Opening intervals under hours that change from date to date, against a model that goes day by day and
/// marks minutes.
#include "storemon/partition/opening.hpp"

#include "support/instants.hpp"
#include "support/runs.hpp"

#include <catch2/catch.hpp>
#include <date/tz.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

using namespace storemon;
using namespace std::chrono_literals;
using partition::opening_intervals;
using protocol::hours_version;
using std::chrono::days;
using std::chrono::local_days;
using std::chrono::minutes;

namespace {

/// The minutes of `[from, to)` in which a store is open, one flag each.
std::vector<char> open_minutes(const std::vector<hours_version>& versions, const date::time_zone& zone,
                               instant from, instant to) {
  std::vector<char> open(static_cast<size_t>((to - from) / 1min), 0);
  const auto mark = [&](date::local_time<duration> begin, date::local_time<duration> end) {
    const auto opens = zone.to_sys(begin, date::choose::earliest);
    const auto closes = zone.to_sys(end, date::choose::earliest);
    for (auto u = std::max(opens, from); u < std::min(closes, to); u += 1min)
      open[static_cast<size_t>((u - from) / 1min)] = 1;
  };
  const auto first = date::floor<days>(zone.to_local(from)) - days(4);
  for (auto date = first; date <= first + (date::floor<days>(to - from) + days(9)); date += days(1)) {
    const hours_version* in_force = nullptr;
    for (const auto& version : versions)
      if (version.valid_from.time_since_epoch() <= date.time_since_epoch())
        in_force = &version;
    if (!in_force || in_force->rows.empty()) {
      mark(date, date + days(1));
      continue;
    }
    for (const auto& row : in_force->rows) {
      if (date::weekday(date) != date::weekday(static_cast<unsigned>(row.day + 1) % 7))
        continue;
      const auto written = row.end == 23h + 59min ? duration(24h) : row.end;
      mark(date + row.start, date + (written <= row.start ? written + 24h : written));
    }
  }
  return open;
}

class store_maker {
public:
  explicit store_maker(uint64_t seed) : random_(seed) {}

  size_t below(size_t bound) { return random_() % bound; }

  /// A few versions around a local date; some long before and after it, some of the same hours as others.
  std::vector<hours_version> versions(local_days around) {
    std::map<local_days, std::vector<hours_row>> made;
    for (auto n = below(5); n > 0; --n) {
      const auto date = below(6) == 0   ? always_valid
                        : below(6) == 0 ? around + days(400) - days(800 * below(2))
                                        : around + days(below(20)) - days(10);
      made[date] = rows();
    }
    std::vector<hours_version> all;
    for (auto& [date, rows] : made)
      all.push_back({date, rows});
    return all;
  }

private:
  std::vector<hours_row> rows() {
    std::set<hours_row> rows;
    if (below(4) == 0)
      return {};
    for (auto n = 1 + below(8); n > 0; --n) {
      const minutes end = below(4) == 0 ? minutes(23h + 59min) : minutes(15 * below(24 * 4));
      rows.insert({15min * below(24 * 4), end, static_cast<uint8_t>(below(7))});
    }
    return {rows.begin(), rows.end()};
  }

  std::mt19937_64 random_;
};

} // namespace

TEST_CASE("random versions of hours open a store in the minutes that a walk over days says") {
  store_maker maker(77);
  // Changes of clock are within the days looked at; zones on both sides of UTC.
  const std::vector<std::pair<const char*, const char*>> places{
      {"America/New_York", "2023-03-12T07:00:00Z"}, {"America/New_York", "2023-11-05T06:00:00Z"},
      {"Europe/Berlin", "2023-03-26T01:00:00Z"},    {"Asia/Kolkata", "2023-06-01T00:00:00Z"},
      {"Pacific/Auckland", "2023-04-01T14:00:00Z"}, {"Australia/Lord_Howe", "2023-09-30T15:30:00Z"}};
  interval_set result;
  size_t opened = 0;
  for (int round = 0; round < 2500; ++round) {
    const auto& [name, change] = places[static_cast<size_t>(round) % places.size()];
    const auto& zone = *calendar::zone::find(name);
    const auto from = test::at(change) - minutes(maker.below(14 * 24 * 60));
    const interval within{from, from + 1min + minutes(maker.below(14 * 24 * 60))};
    const auto versions = maker.versions(std::chrono::floor<days>(zone.to_wall(test::at(change))));
    INFO(name << " " << Catch::StringMaker<interval>::convert(within));
    for (const auto& v : versions)
      UNSCOPED_INFO("from day " << v.valid_from.time_since_epoch().count() << ": " << v.rows.size()
                                << " rows");

    const auto* tz = date::locate_zone(name);
    const interval seen{within.from - days(2), within.to};
    auto expected = test::runs_of(open_minutes(versions, *tz, seen.from, seen.to), seen.from, minutes(1));
    std::erase_if(expected, [&](const interval& run) { return intersect(run, within).empty(); });
    opening_intervals(versions, zone, within, result);

    auto joined = result;
    normalise(joined);
    REQUIRE(joined == result);
    const bool never_changes =
        versions.empty() || (versions.size() == 1 && versions.front().valid_from == always_valid);
    if (never_changes && (versions.empty() || versions.front().rows.empty())) {
      REQUIRE(result == interval_set{within}); // where it began does not matter
      continue;
    }
    for (auto& opening : result)
      opening = intersect(opening, seen);
    REQUIRE(result == expected);
    opened += result.size();
  }
  CHECK(opened > 4000);
}

TEST_CASE("an overnight stretch of a version's last day ends on the next day, as that version says") {
  const auto& utc = *calendar::zone::find("Etc/UTC");
  const local_days thursday(std::chrono::year(2023) / 1 / 26);
  const std::vector<hours_version> versions{{always_valid, {{22h, 2h, 2}}}, {thursday, {{9h, 10h, 3}}}};
  interval_set result;
  opening_intervals(versions, utc, test::span("2023-01-25T00:00:00Z", "2023-01-28T00:00:00Z"), result);
  CHECK(result == interval_set{test::span("2023-01-25T22:00:00Z", "2023-01-26T02:00:00Z"),
                               test::span("2023-01-26T09:00:00Z", "2023-01-26T10:00:00Z")});
}

TEST_CASE("versions at the ends of time are no trouble") {
  const auto& zone = *calendar::zone::find("America/Chicago");
  const auto within = test::span("2023-01-25T00:00:00Z", "2023-01-26T00:00:00Z");
  interval_set result;
  opening_intervals(std::vector<hours_version>{{local_days::max(), {{9h, 10h, 3}}}}, zone, within, result);
  REQUIRE(result.size() == 1);
  CHECK(intersect(result[0], within) == within);
  opening_intervals(std::vector<hours_version>{{local_days::min() + days(1), {}}, {local_days::max(), {}}},
                    zone, within, result);
  REQUIRE(result.size() == 1);
  CHECK(intersect(result[0], within) == within);
  opening_intervals(
      std::vector<hours_version>{{always_valid, {{9h, 10h, 3}}}, {local_days::min() + days(1), {}}}, zone,
      within, result);
  REQUIRE(result.size() == 1);
  CHECK(intersect(result[0], within) == within);
}
