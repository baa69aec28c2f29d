#include "storemon/model/business_hours.hpp"
#include "storemon/model/instant.hpp"
#include "storemon/model/interval.hpp"

#include "support/instants.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace storemon;
using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::year;
using test::at;

namespace {

constexpr auto noon_of_epoch = instant(12h);

instant minute(int64_t m) {
  return instant(std::chrono::minutes(m));
}

} // namespace

TEST_CASE("a timestamp is read with every ending it may have") {
  const auto text =
      GENERATE(as<std::string_view>{}, "1970-01-01 12:00:00", "1970-01-01T12:00:00",
               "1970-01-01 12:00:00 UTC", "1970-01-01 12:00:00Z", "1970-01-01T12:00:00Z",
               "1970-01-01 12:00:00+00:00", "1970-01-01 12:00:00-00:00", "1970-01-01 13:30:00+01:30",
               "1970-01-01 06:45:00-05:15", "1970-01-02 11:59:00+23:59", "1970-01-01 12:00:00.0 UTC",
               "1970-01-01 12:00:00.000000000Z", "1970-01-01T13:00:00.000+01:00");
  INFO(text);
  CHECK(parse_instant(text) == noon_of_epoch);
}

TEST_CASE("a timestamp's fraction counts to the microsecond and is cut after it") {
  CHECK(parse_instant("1970-01-01 12:00:00.5 UTC") == noon_of_epoch + 500ms);
  CHECK(parse_instant("1970-01-01 12:00:00.123456Z") == noon_of_epoch + 123456us);
  CHECK(parse_instant("1970-01-01 12:00:00.123456999Z") == noon_of_epoch + 123456us);
  CHECK(parse_instant("1970-01-01 12:00:00.000001") == noon_of_epoch + 1us);
  CHECK(parse_instant("1970-01-01 12:00:00.0000009") == noon_of_epoch);
  CHECK(parse_instant("1969-12-31 23:59:59.999999") == instant(-1us));
}

TEST_CASE("timestamps reach from year 0 to year 9999 and know leap years") {
  CHECK(parse_instant("0000-01-01 00:00:00") == sys_days(year(0) / 1 / 1));
  CHECK(parse_instant("9999-12-31 23:59:59") == sys_days(year(9999) / 12 / 31) + 24h - 1s);
  CHECK(parse_instant("2024-02-29 00:00:00") == sys_days(year(2024) / 2 / 29));
  CHECK(parse_instant("2000-02-29 00:00:00") == sys_days(year(2000) / 2 / 29));
}

TEST_CASE("what is no timestamp is not read") {
  const auto text = GENERATE(
      as<std::string_view>{}, "", "1970", "1970-01-01", "1970-01-01 12:00", "1970-01-01  12:00:00",
      "1970-01-01t12:00:00", "1970/01/01 12:00:00", "1970-1-1 12:00:00", "70-01-01 12:00:00",
      "+970-01-01 12:00:00", " 1970-01-01 12:00:00", "1970-01-01 12:00:00 ", "1970-01-01 12:00:00 utc",
      "1970-01-01 12:00:00UTC", "1970-01-01 12:00:00  UTC", "1970-01-01 12:00:00z", "1970-01-01 12:00:00.",
      "1970-01-01 12:00:00. UTC", "1970-01-01 12:00:00.1234567890", "1970-01-01 12:00:00,5",
      "1970-01-01 12:00:00+1:00", "1970-01-01 12:00:00+0100", "1970-01-01 12:00:00+24:00",
      "1970-01-01 12:00:00+01:60", "1970-01-01 12:00:00+01:00Z", "1970-01-01 12:00:60", "1970-01-01 12:60:00",
      "1970-01-01 24:00:00", "1970-13-01 12:00:00", "1970-00-01 12:00:00", "1970-01-32 12:00:00",
      "1970-01-00 12:00:00", "2023-02-29 12:00:00", "1900-02-29 12:00:00", "1970-01-01 -1:00:00",
      "1970-01-01 12:00:00.-1", std::string_view("1970-01-01 12:00:00\0", 20));
  INFO("'" << text << "'");
  CHECK_FALSE(parse_instant(text));
}

TEST_CASE("a written instant is read as itself") {
  CHECK(to_rfc3339(noon_of_epoch) == "1970-01-01T12:00:00.000000Z");
  CHECK(to_rfc3339(instant(-1us)) == "1969-12-31T23:59:59.999999Z");
  std::mt19937_64 random(19700101);
  std::uniform_int_distribution<int64_t> between(at("0000-01-01 00:00:00").time_since_epoch().count(),
                                                 at("9999-12-31 23:59:59").time_since_epoch().count());
  for (int i = 0; i < 1000; ++i) {
    const instant u(duration(between(random)));
    CHECK(parse_instant(to_rfc3339(u)) == u);
  }
}

TEST_CASE("a time of day is read with or without its seconds and leading zero") {
  CHECK(parse_time_of_day("9:05", false) == 9h + 5min);
  CHECK(parse_time_of_day("09:05", false) == 9h + 5min);
  CHECK(parse_time_of_day("09:05:07", false) == 9h + 5min + 7s);
  CHECK(parse_time_of_day("9:05:07", false) == 9h + 5min + 7s);
  CHECK(parse_time_of_day("09:05:07.25", false) == 9h + 5min + 7250ms);
  CHECK(parse_time_of_day("09:05:07.123456789", false) == 9h + 5min + 7s + 123456us);
  CHECK(parse_time_of_day("00:00", false) == 0h);
  CHECK(parse_time_of_day("23:59:59.999999", false) == 24h - 1us);
}

TEST_CASE("24:00 is a time of day only where one ends") {
  CHECK(parse_time_of_day("24:00", true) == 24h);
  CHECK(parse_time_of_day("24:00:00", true) == 24h);
  CHECK(parse_time_of_day("24:00:00.0", true) == 24h);
  CHECK_FALSE(parse_time_of_day("24:00", false));
  CHECK_FALSE(parse_time_of_day("24:00:00", false));
  CHECK_FALSE(parse_time_of_day("24:00:00.000001", true));
  CHECK_FALSE(parse_time_of_day("24:01", true));
}

TEST_CASE("what is no time of day is not read") {
  const auto text =
      GENERATE(as<std::string_view>{}, "", ":", "9", "09", "9:", "9:5", "09:5", "0905", "09:60", "25:00",
               "99:00", ":30", "-9:00", "+9:00", " 9:00", "09:00 ", "09:00:", "09:00:5", "09:00:60",
               "09:00:00.", "09:00:00.1234567890", "09:00.5", "09:00:00,5", "009:00", "9:00 AM", "09-00",
               "09:00-00", "a:00", "09:a0", "09:00:00Z");
  INFO("'" << text << "'");
  CHECK_FALSE(parse_time_of_day(text, true));
  CHECK_FALSE(parse_time_of_day(text, false));
}

TEST_CASE("a row means a stretch that begins on its date and is at most 24 hours long") {
  const auto means = [](duration start, duration end) {
    const auto stretch = meaning({start, end, 0});
    return std::pair(stretch.from, stretch.to);
  };
  const auto stretch = [](duration from, duration to) { return std::pair(from, to); };
  CHECK(means(9h, 17h) == stretch(9h, 17h));
  CHECK(means(22h, 2h) == stretch(22h, 26h));
  CHECK(means(10h, 10h) == stretch(10h, 34h));
  CHECK(means(0h, 0h) == stretch(0h, 24h));
  CHECK(means(18h, 0h) == stretch(18h, 24h));
  CHECK(means(18h, 24h) == stretch(18h, 24h));
  CHECK(means(23h + 59min, 23h + 58min) == stretch(23h + 59min, 47h + 58min));
}

TEST_CASE("an end in the last minute's first second, or the last second, is the end of the day") {
  const auto end_of = [](duration end) { return meaning({9h, end, 0}).to; };
  CHECK(end_of(23h + 59min - 1us) == 23h + 59min - 1us);
  CHECK(end_of(23h + 59min) == 24h);
  CHECK(end_of(23h + 59min + 999999us) == 24h);
  CHECK(end_of(23h + 59min + 1s) == 23h + 59min + 1s);
  CHECK(end_of(24h - 1s - 1us) == 24h - 1s - 1us);
  CHECK(end_of(24h - 1s) == 24h);
  CHECK(end_of(24h - 1us) == 24h);
  CHECK(meaning({23h + 59min, 23h + 59min, 0}).to == 24h);
}

TEST_CASE("rows of hours sort by day, then start, then end") {
  std::vector<hours_row> rows{{1h, 2h, 1}, {9h, 10h, 0}, {8h, 20h, 0}, {8h, 12h, 0}};
  std::sort(rows.begin(), rows.end());
  CHECK(rows == std::vector<hours_row>{{8h, 12h, 0}, {8h, 20h, 0}, {9h, 10h, 0}, {1h, 2h, 1}});
}

TEST_CASE("an interval holds its begin and not its end") {
  const interval i{minute(1), minute(3)};
  CHECK(i.contains(minute(1)));
  CHECK(i.contains(minute(3) - 1us));
  CHECK_FALSE(i.contains(minute(3)));
  CHECK_FALSE(i.contains(minute(1) - 1us));
  CHECK(i.length() == 2min);
  CHECK_FALSE(i.empty());
  CHECK(interval{minute(2), minute(2)}.empty());
  CHECK(interval{minute(3), minute(2)}.empty());
  CHECK(interval{minute(3), minute(2)}.length() == 0min);
  CHECK(intersect(i, {minute(2), minute(9)}) == interval{minute(2), minute(3)});
  CHECK(intersect(i, {minute(3), minute(9)}).empty());
}

namespace {

constexpr int64_t day_minutes = 200;

/// The minutes of a short day that some intervals cover, one flag each.
std::vector<bool> minutes_of(const interval_set& set) {
  std::vector<bool> covered(day_minutes, false);
  for (const auto& i : set)
    for (int64_t m = 0; m < day_minutes; ++m)
      if (i.contains(minute(m)))
        covered[static_cast<size_t>(m)] = true;
  return covered;
}

bool is_set(const interval_set& set) {
  for (size_t i = 0; i < set.size(); ++i)
    if (set[i].empty() || (i > 0 && set[i].from <= set[i - 1].to))
      return false;
  return true;
}

/// Up to nine intervals in any order; some empty, some turned round, many touching.
interval_set any_intervals(std::mt19937_64& random) {
  std::uniform_int_distribution count(0, 9);
  std::uniform_int_distribution<int64_t> begin(0, day_minutes / 4 - 6);
  std::uniform_int_distribution<int64_t> length(-1, 6);
  interval_set intervals(static_cast<size_t>(count(random)));
  for (auto& i : intervals) {
    i.from = minute(begin(random) * 4);
    i.to = i.from + std::chrono::minutes(length(random) * 4);
  }
  return intervals;
}

} // namespace

TEST_CASE("interval algebra does what a bitmap of minutes does") {
  std::mt19937_64 random(20230119);
  for (int i = 0; i < 2000; ++i) {
    auto a = any_intervals(random);
    auto b = any_intervals(random);
    const auto in_a = minutes_of(a);
    const auto in_b = minutes_of(b);
    normalise(a);
    normalise(b);
    REQUIRE(is_set(a));
    REQUIRE(minutes_of(a) == in_a);

    const auto left = subtract(a, b);
    auto expected = in_a;
    for (size_t m = 0; m < expected.size(); ++m)
      expected[m] = in_a[m] && !in_b[m];
    REQUIRE(is_set(left));
    REQUIRE(minutes_of(left) == expected);

    for (const auto& with : b) {
      int64_t common = 0;
      for (int64_t m = 0; m < day_minutes; ++m)
        common += in_a[static_cast<size_t>(m)] && with.contains(minute(m));
      REQUIRE(overlap(a, with) == std::chrono::minutes(common));
    }
  }
}

TEST_CASE("a set has nothing in common with an empty interval") {
  const interval_set set{{minute(0), minute(9)}};
  CHECK(overlap(set, {minute(5), minute(5)}) == 0min);
  CHECK(overlap(set, {minute(6), minute(5)}) == 0min);
  CHECK(overlap({}, {minute(0), minute(5)}) == 0min);
}
