#include "storemon/calendar/opening_intervals.hpp"

#include "support/instants.hpp"

#include <catch2/catch.hpp>

using namespace storemon;
using calendar::opening_intervals;
using calendar::zone;
using test::at;
using test::span;

namespace {

enum weekday : uint8_t { mon, tue, wed, thu, fri, sat, sun };

hours_row row(weekday day, std::string_view start, std::string_view end) {
  const auto from = parse_time_of_day(start, false);
  const auto to = parse_time_of_day(end, true);
  INFO(start << "-" << end);
  REQUIRE(from);
  REQUIRE(to);
  return {*from, *to, day};
}

interval_set openings(std::string_view zone_name, std::vector<hours_row> rows, const interval& within) {
  const auto* in = zone::find(zone_name);
  REQUIRE(in);
  std::sort(rows.begin(), rows.end());
  interval_set out;
  opening_intervals(rows, *in, within, out);
  return out;
}

/// A date and its neighbours: long enough for every row of the date, short enough for one of each weekday.
interval around(std::string_view date) {
  const auto noon = at(std::string(date) + " 12:00:00");
  return {noon - std::chrono::hours(72), noon + std::chrono::hours(72)};
}

constexpr auto new_york = "America/New_York";
constexpr auto spring = "2023-03-12";
constexpr auto autumn = "2023-11-05";

} // namespace

TEST_CASE("a row across the spring change is as long as what the clock leaves of it") {
  const auto day = around(spring);
  CHECK(openings(new_york, {row(sun, "01:30", "02:30")}, day) ==
        interval_set{span("2023-03-12 06:30:00", "2023-03-12 07:00:00")});
  CHECK(openings(new_york, {row(sun, "02:15", "02:45")}, day).empty());
  CHECK(openings(new_york, {row(sun, "02:30", "03:30")}, day) ==
        interval_set{span("2023-03-12 07:00:00", "2023-03-12 07:30:00")});
  CHECK(openings(new_york, {row(sun, "00:00", "23:59")}, day) ==
        interval_set{span("2023-03-12 05:00:00", "2023-03-13 04:00:00")});
  CHECK(openings(new_york, {row(sat, "22:00", "03:00")}, day) ==
        interval_set{span("2023-03-12 03:00:00", "2023-03-12 07:00:00")});
}

TEST_CASE("a row across the autumn change has the repeated hour in it once it has begun") {
  const auto day = around(autumn);
  CHECK(openings(new_york, {row(sun, "01:30", "02:30")}, day) ==
        interval_set{span("2023-11-05 05:30:00", "2023-11-05 07:30:00")});
  CHECK(openings(new_york, {row(sun, "00:30", "01:30")}, day) ==
        interval_set{span("2023-11-05 04:30:00", "2023-11-05 05:30:00")});
  CHECK(openings(new_york, {row(sun, "01:15", "01:45")}, day) ==
        interval_set{span("2023-11-05 05:15:00", "2023-11-05 05:45:00")});
  CHECK(openings(new_york, {row(sun, "00:30", "01:30"), row(sun, "01:30", "02:30")}, day) ==
        interval_set{span("2023-11-05 04:30:00", "2023-11-05 07:30:00")});
  CHECK(openings(new_york, {row(sun, "00:00", "00:00")}, day) ==
        interval_set{span("2023-11-05 04:00:00", "2023-11-06 05:00:00")});
  CHECK(openings(new_york, {row(sat, "17:00", "02:00")}, day) ==
        interval_set{span("2023-11-04 21:00:00", "2023-11-05 07:00:00")});
}

TEST_CASE("an ordinary day's rows mean what they say, overnight and for 24 hours too") {
  const auto day = around("2023-06-07");
  CHECK(openings(new_york, {row(wed, "10:00", "10:00")}, day) ==
        interval_set{span("2023-06-07 14:00:00", "2023-06-08 14:00:00")});
  CHECK(openings(new_york, {row(wed, "18:00", "00:00")}, day) ==
        interval_set{span("2023-06-07 22:00:00", "2023-06-08 04:00:00")});
  CHECK(openings(new_york,
                 {row(wed, "09:00", "12:00"), row(wed, "11:00", "14:00"), row(wed, "14:00", "15:00")},
                 day) == interval_set{span("2023-06-07 13:00:00", "2023-06-07 19:00:00")});
  CHECK(openings(new_york, {row(wed, "09:00:00.25", "09:00:00.500001")}, day) ==
        interval_set{span("2023-06-07 13:00:00.25", "2023-06-07 13:00:00.500001")});
}

TEST_CASE("an end in the day's last minute or last second means the end of the day") {
  const auto day = around("2023-06-07");
  const auto end = GENERATE(as<std::string_view>{}, "23:59", "23:59:00", "23:59:00.999999", "23:59:59",
                            "23:59:59.999999999", "24:00", "24:00:00", "00:00");
  INFO(end);
  CHECK(openings(new_york, {row(wed, "18:00", end)}, day) ==
        interval_set{span("2023-06-07 22:00:00", "2023-06-08 04:00:00")});
  CHECK(openings(new_york, {row(wed, "00:00", end)}, day) ==
        interval_set{span("2023-06-07 04:00:00", "2023-06-08 04:00:00")});
  CHECK(openings(new_york, {row(wed, "18:00", end), row(thu, "00:00", "02:00")}, day) ==
        interval_set{span("2023-06-07 22:00:00", "2023-06-08 06:00:00")});
}

TEST_CASE("other ends near midnight are kept to the second") {
  CHECK(openings(new_york, {row(wed, "18:00", "23:58:59")}, around("2023-06-07")) ==
        interval_set{span("2023-06-07 22:00:00", "2023-06-08 03:58:59")});
  CHECK(openings(new_york, {row(wed, "18:00", "23:59:30")}, around("2023-06-07")) ==
        interval_set{span("2023-06-07 22:00:00", "2023-06-08 03:59:30")});
}

TEST_CASE("Beirut skips and repeats the hour at midnight") {
  constexpr auto beirut = "Asia/Beirut";
  const auto spring_day = around("2023-03-26");
  CHECK(openings(beirut, {row(sun, "00:00", "00:30")}, spring_day).empty());
  CHECK(openings(beirut, {row(sun, "00:30", "01:30")}, spring_day) ==
        interval_set{span("2023-03-25 22:00:00", "2023-03-25 22:30:00")});
  CHECK(openings(beirut, {row(sat, "22:00", "00:30")}, spring_day) ==
        interval_set{span("2023-03-25 20:00:00", "2023-03-25 22:00:00")});
  CHECK(openings(beirut, {row(sun, "00:00", "23:59")}, spring_day) ==
        interval_set{span("2023-03-25 22:00:00", "2023-03-26 21:00:00")});
  const auto autumn_day = around("2023-10-28");
  CHECK(openings(beirut, {row(sat, "00:00", "23:59")}, autumn_day) ==
        interval_set{span("2023-10-27 21:00:00", "2023-10-28 22:00:00")});
  CHECK(openings(beirut, {row(sat, "23:00", "23:30")}, autumn_day) ==
        interval_set{span("2023-10-28 20:00:00", "2023-10-28 20:30:00")});
  CHECK(openings(beirut, {row(sat, "23:30", "00:30")}, autumn_day) ==
        interval_set{span("2023-10-28 20:30:00", "2023-10-28 22:30:00")});
}

TEST_CASE("Lord Howe changes its clock by half an hour") {
  constexpr auto lord_howe = "Australia/Lord_Howe";
  const auto spring_day = around("2023-10-01");
  CHECK(openings(lord_howe, {row(sun, "01:30", "02:30")}, spring_day) ==
        interval_set{span("2023-09-30 15:00:00", "2023-09-30 15:30:00")});
  CHECK(openings(lord_howe, {row(sun, "02:00", "02:30")}, spring_day).empty());
  CHECK(openings(lord_howe, {row(sun, "02:15", "03:00")}, spring_day) ==
        interval_set{span("2023-09-30 15:30:00", "2023-09-30 16:00:00")});
  const auto autumn_day = around("2023-04-02");
  CHECK(openings(lord_howe, {row(sun, "01:30", "02:00")}, autumn_day) ==
        interval_set{span("2023-04-01 14:30:00", "2023-04-01 15:30:00")});
  CHECK(openings(lord_howe, {row(sun, "01:00", "01:45")}, autumn_day) ==
        interval_set{span("2023-04-01 14:00:00", "2023-04-01 14:45:00")});
  CHECK(openings(lord_howe, {row(sun, "00:00", "00:00")}, autumn_day) ==
        interval_set{span("2023-04-01 13:00:00", "2023-04-02 13:30:00")});
}

TEST_CASE("Havana skips the first hour of a day and repeats it") {
  constexpr auto havana = "America/Havana";
  CHECK(openings(havana, {row(sun, "00:00", "00:30")}, around(spring)).empty());
  CHECK(openings(havana, {row(sun, "00:30", "01:30")}, around(spring)) ==
        interval_set{span("2023-03-12 05:00:00", "2023-03-12 05:30:00")});
  CHECK(openings(havana, {row(sun, "00:00", "23:59")}, around(spring)) ==
        interval_set{span("2023-03-12 05:00:00", "2023-03-13 04:00:00")});
  CHECK(openings(havana, {row(sun, "00:00", "00:30")}, around(autumn)) ==
        interval_set{span("2023-11-05 04:00:00", "2023-11-05 04:30:00")});
  CHECK(openings(havana, {row(sun, "00:30", "01:30")}, around(autumn)) ==
        interval_set{span("2023-11-05 04:30:00", "2023-11-05 06:30:00")});
  CHECK(openings(havana, {row(sat, "20:00", "01:00")}, around(autumn)) ==
        interval_set{span("2023-11-05 00:00:00", "2023-11-05 06:00:00")});
}

TEST_CASE("St. John's stands half an hour off and changes by a whole one") {
  constexpr auto st_johns = "America/St_Johns";
  CHECK(openings(st_johns, {row(sun, "01:30", "02:30")}, around(spring)) ==
        interval_set{span("2023-03-12 05:00:00", "2023-03-12 05:30:00")});
  CHECK(openings(st_johns, {row(sun, "02:30", "03:30")}, around(spring)) ==
        interval_set{span("2023-03-12 05:30:00", "2023-03-12 06:00:00")});
  CHECK(openings(st_johns, {row(sun, "00:30", "01:30")}, around(autumn)) ==
        interval_set{span("2023-11-05 03:00:00", "2023-11-05 04:00:00")});
  CHECK(openings(st_johns, {row(sun, "01:30", "02:30")}, around(autumn)) ==
        interval_set{span("2023-11-05 04:00:00", "2023-11-05 06:00:00")});
  CHECK(openings(st_johns, {row(sun, "00:00", "00:00")}, around(autumn)) ==
        interval_set{span("2023-11-05 02:30:00", "2023-11-06 03:30:00")});
}

TEST_CASE("a date that a zone skipped had no opening hours, and its neighbours touch") {
  const auto days = around("2011-12-30");
  CHECK(openings("Pacific/Apia", {row(fri, "09:00", "17:00")}, days).empty());
  CHECK(openings("Pacific/Apia", {row(thu, "00:00", "24:00"), row(sat, "00:00", "24:00")}, days) ==
        interval_set{span("2011-12-29 10:00:00", "2011-12-31 10:00:00")});
  CHECK(openings("Pacific/Kwajalein", {row(fri, "20:00", "04:00")}, around("1993-08-21")) ==
        interval_set{span("1993-08-21 08:00:00", "1993-08-21 12:00:00")});
}

TEST_CASE("rows apart on the wall clock join where a gap swallows what is between them") {
  CHECK(openings(new_york, {row(sun, "01:00", "02:10"), row(sun, "02:50", "04:00")}, around(spring)) ==
        interval_set{span("2023-03-12 06:00:00", "2023-03-12 08:00:00")});
  SECTION("also when the earlier one ends just where the range begins") {
    CHECK(openings(new_york, {row(sun, "01:00", "02:10"), row(sun, "02:50", "04:00")},
                   span("2023-03-12 07:00:00", "2023-03-12 09:00:00")) ==
          interval_set{span("2023-03-12 06:00:00", "2023-03-12 08:00:00")});
  }
}

TEST_CASE("rows join across midnight and across the week's end") {
  CHECK(openings("UTC", {row(mon, "00:00", "04:00"), row(sun, "20:00", "24:00")}, around("2023-06-04")) ==
        interval_set{span("2023-06-04 20:00:00", "2023-06-05 04:00:00")});
  CHECK(openings("UTC", {row(mon, "02:00", "04:00"), row(sun, "20:00", "03:00")}, around("2023-06-04")) ==
        interval_set{span("2023-06-04 20:00:00", "2023-06-05 04:00:00")});
  CHECK(openings("UTC", {row(wed, "22:00", "22:00"), row(thu, "21:00", "23:00")}, around("2023-06-07")) ==
        interval_set{span("2023-06-07 22:00:00", "2023-06-08 23:00:00")});
}

TEST_CASE("the same row twice opens once") {
  const auto rows = std::vector(3, row(wed, "09:00", "12:00"));
  CHECK(openings("UTC", rows, around("2023-06-07")) ==
        interval_set{span("2023-06-07 09:00:00", "2023-06-07 12:00:00")});
}

TEST_CASE("rows that cover the whole week are one interval without an end in sight") {
  const auto within = span("2023-01-01 00:00:00", "2023-12-31 00:00:00");
  std::vector<hours_row> rows;
  for (const auto day : {mon, tue, wed, thu, fri, sat, sun})
    rows.push_back(row(day, "00:00", "23:59"));
  const auto all = openings(new_york, rows, within);
  REQUIRE(all.size() == 1);
  CHECK(all[0].from <= within.from - std::chrono::days(2));
  CHECK(all[0].to >= within.to);
}

TEST_CASE("a begin up to two days before the range is the true one") {
  const auto rows = {row(mon, "06:00", "06:00"), row(tue, "06:00", "06:00"), row(wed, "05:00", "09:00")};
  CHECK(openings("UTC", rows, span("2023-06-07 06:00:00", "2023-06-07 07:00:00")) ==
        interval_set{span("2023-06-05 06:00:00", "2023-06-07 09:00:00")});
}

TEST_CASE("only intervals that meet the range are given, and not cut to it") {
  const std::vector rows{row(tue, "09:00", "17:00"), row(wed, "09:00", "17:00"), row(thu, "09:00", "17:00")};
  const interval_set wednesday{span("2023-06-07 09:00:00", "2023-06-07 17:00:00")};
  CHECK(openings("UTC", rows, span("2023-06-06 17:00:00", "2023-06-08 09:00:00")) == wednesday);
  CHECK(openings("UTC", rows, span("2023-06-07 16:59:59.999999", "2023-06-07 17:00:00")) == wednesday);
  CHECK(openings("UTC", rows, span("2023-06-07 09:00:00", "2023-06-07 09:00:00.000001")) == wednesday);
  CHECK(openings("UTC", rows, span("2023-06-07 17:00:00", "2023-06-08 09:00:00")).empty());
  CHECK(openings("UTC", rows, span("2023-06-07 12:00:00", "2023-06-07 12:00:00")).empty());
}

TEST_CASE("the caller's memory is used again") {
  const std::vector rows{row(wed, "09:00", "17:00")};
  interval_set out;
  opening_intervals(rows, zone::fallback(), span("2023-01-01 00:00:00", "2023-06-01 00:00:00"), out);
  const auto first = out;
  const auto* memory = out.data();
  opening_intervals(rows, zone::fallback(), span("2023-01-01 00:00:00", "2023-06-01 00:00:00"), out);
  CHECK(first.size() == 22);
  CHECK(out == first);
  CHECK(out.data() == memory);
}
