#include "storemon/calendar/zone.hpp"

#include "support/instants.hpp"

#include <catch2/catch.hpp>
#include <date/tz.h>

#include <random>
#include <thread>

using namespace storemon;
using namespace std::chrono_literals;
using calendar::zone;
using std::chrono::seconds;
using std::chrono::sys_seconds;
using test::at;

namespace {

wall_time wall(std::string_view text) {
  return wall_time(at(text).time_since_epoch());
}

const zone& named(std::string_view name) {
  const auto* found = zone::find(name);
  INFO(name);
  REQUIRE(found);
  return *found;
}

/// All zones of the database that a store may name.
std::vector<const date::time_zone*> all_zones() {
  std::vector<const date::time_zone*> zones;
  for (const auto& listed : date::get_tzdb().zones)
    if (listed.name() != "localtime")
      zones.push_back(&listed);
  REQUIRE(zones.size() > 400);
  return zones;
}

struct segment {
  sys_seconds from;
  sys_seconds to;
  seconds offset;
};

std::vector<segment> segments_of(const date::time_zone& source) {
  std::vector<segment> segments;
  for (auto from = sys_seconds::min();;) {
    const auto info = source.get_info(from);
    if (info.end <= from)
      return segments;
    segments.push_back({from, info.end, info.offset});
    from = info.end;
  }
}

/// The first instant whose wall clock reads `at` or later, segment by segment in their order.
instant first_reading(const std::vector<segment>& segments, std::chrono::local_seconds at) {
  for (const auto& s : segments)
    if (const auto u = std::max(s.from, sys_seconds(at.time_since_epoch() - s.offset)); u < s.to)
      return u;
  FAIL("no segment reads that far");
  return {};
}

} // namespace

TEST_CASE("every zone of the database is found under its name") {
  for (const auto* source : all_zones()) {
    INFO(source->name());
    const auto* found = zone::find(source->name());
    REQUIRE(found);
    CHECK(found->name() == source->name());
    CHECK(zone::find(source->name()) == found);
  }
  CHECK(zone::fallback().name() == "America/Chicago");
  CHECK(&zone::fallback() == zone::find("America/Chicago"));
}

TEST_CASE("what is no IANA name is not found") {
  const auto name = GENERATE(as<std::string_view>{}, "", " ", "posixrules", "localtime", "Factory", "../x",
                             "../../../etc/localtime", "/usr/share/zoneinfo/UTC", "America", "America/",
                             "America/New_York/", "America//New_York", "America/../UTC", "america/chicago",
                             "America/Chicago ", "posix/America/Chicago", "right/America/Chicago", "zone.tab",
                             "tzdata.zi", "leapseconds", "iso3166.tab", std::string_view("UTC\0", 4));
  INFO("'" << name << "'");
  CHECK(zone::find(name) == nullptr);
}

TEST_CASE("threads that ask for zones at once get the same ones") {
  const auto sources = all_zones();
  std::vector<std::vector<const zone*>> found(4);
  std::vector<std::thread> threads;
  for (auto& mine : found)
    threads.emplace_back([&] {
      for (const auto* source : sources)
        mine.push_back(zone::find(source->name()));
    });
  for (auto& thread : threads)
    thread.join();
  CHECK(std::count(found[0].begin(), found[0].end(), nullptr) == 0);
  for (const auto& mine : found)
    CHECK(mine == found[0]);
}

TEST_CASE("a wall time that occurs twice means its first occurrence") {
  const auto& new_york = named("America/New_York");
  CHECK(new_york.to_utc(wall("2023-11-05 00:59:59.999999")) == at("2023-11-05 04:59:59.999999"));
  CHECK(new_york.to_utc(wall("2023-11-05 01:30:00")) == at("2023-11-05 05:30:00"));
  CHECK(new_york.to_utc(wall("2023-11-05 01:59:59.999999")) == at("2023-11-05 05:59:59.999999"));
  CHECK(new_york.to_utc(wall("2023-11-05 02:00:00")) == at("2023-11-05 07:00:00"));
}

TEST_CASE("a wall time that does not exist means the instant of the change") {
  const auto& new_york = named("America/New_York");
  CHECK(new_york.to_utc(wall("2023-03-12 01:59:59.999999")) == at("2023-03-12 06:59:59.999999"));
  CHECK(new_york.to_utc(wall("2023-03-12 02:00:00")) == at("2023-03-12 07:00:00"));
  CHECK(new_york.to_utc(wall("2023-03-12 02:59:59.999999")) == at("2023-03-12 07:00:00"));
  CHECK(new_york.to_utc(wall("2023-03-12 03:00:00")) == at("2023-03-12 07:00:00"));
  CHECK(new_york.to_utc(wall("2023-03-12 03:00:00.000001")) == at("2023-03-12 07:00:00.000001"));
}

TEST_CASE("a skipped day is one instant") {
  CHECK(named("Pacific/Apia").to_utc(wall("2011-12-30 00:00:00")) == at("2011-12-30 10:00:00"));
  CHECK(named("Pacific/Apia").to_utc(wall("2011-12-31 00:00:00")) == at("2011-12-30 10:00:00"));
  CHECK(named("Pacific/Kwajalein").to_utc(wall("1993-08-21 00:00:00")) == at("1993-08-21 12:00:00"));
  CHECK(named("Pacific/Kwajalein").to_utc(wall("1993-08-22 00:00:00")) == at("1993-08-21 12:00:00"));
}

TEST_CASE("offsets with seconds are kept") {
  CHECK(named("America/New_York").to_utc(wall("1883-06-06 10:00:00")) == at("1883-06-06 14:56:02"));
  CHECK(named("America/New_York").to_wall(at("1883-06-06 14:56:02")) == wall("1883-06-06 10:00:00"));
}

TEST_CASE("the table begins before all history and knows the rules until 2037") {
  const auto& berlin = named("Europe/Berlin");
  CHECK(berlin.to_wall(at("0000-01-01 00:00:00")) == wall("0000-01-01 00:53:28"));
  CHECK(berlin.to_utc(wall("0000-01-01 00:53:28")) == at("0000-01-01 00:00:00"));
  CHECK(berlin.to_wall(at("2037-07-01 00:00:00")) == wall("2037-07-01 02:00:00"));
  CHECK(berlin.to_wall(at("9999-12-01 00:00:00")) == wall("9999-12-01 01:00:00"));
}

TEST_CASE("around every change of every zone the map is its definition, and the tz library's earliest") {
  for (const auto* source : all_zones()) {
    INFO(source->name());
    const auto& z = named(source->name());
    const auto segments = segments_of(*source);
    REQUIRE(segments.front().from == sys_seconds::min());
    std::vector<std::chrono::local_seconds> probes;
    for (size_t k = 1; k < segments.size(); ++k) {
      // The gap or overlap itself, its edges, and what a day's shift reaches.
      const auto before =
          std::chrono::local_seconds(segments[k].from.time_since_epoch() + segments[k - 1].offset);
      const auto after = std::chrono::local_seconds(segments[k].from.time_since_epoch() + segments[k].offset);
      for (const auto edge : {before, after, before + (after - before) / 2})
        for (const auto away : {0s, 1s, 900s, 3599s, 3600s, 7200s, 43200s, 86399s, 86400s, 100000s}) {
          probes.push_back(edge - away);
          probes.push_back(edge + away);
        }
    }
    std::sort(probes.begin(), probes.end());
    size_t wrong = 0;
    for (const auto probe : probes) {
      const auto mapped = z.to_utc(probe);
      const auto earliest =
          source->to_sys(date::local_seconds(probe.time_since_epoch()), date::choose::earliest);
      wrong += mapped != first_reading(segments, probe) || mapped != earliest;
    }
    CHECK(wrong == 0);
    if (!probes.empty()) {
      zone::ascending clock(z, probes.front());
      CHECK(
          std::all_of(probes.begin(), probes.end(), [&](auto p) { return clock.to_utc(p) == z.to_utc(p); }));
    }
  }
}

TEST_CASE(
    "at random instants of every zone the wall clock is the tz library's, and to_utc its first reading") {
  std::mt19937_64 random(20230112);
  std::uniform_int_distribution<int64_t> between(at("1840-01-01 00:00:00").time_since_epoch().count(),
                                                 at("2040-01-01 00:00:00").time_since_epoch().count());
  for (const auto* source : all_zones()) {
    INFO(source->name());
    const auto& z = named(source->name());
    size_t wrong = 0;
    for (int i = 0; i < 100; ++i) {
      const instant u(duration(between(random)));
      const auto info = source->get_info(std::chrono::floor<seconds>(u));
      wrong += z.to_wall(u) != wall_time((u + info.offset).time_since_epoch());
      const wall_time l(duration(between(random)));
      const auto mapped = z.to_utc(l);
      wrong += z.to_wall(mapped) < l || z.to_wall(mapped - duration(1)) >= l;
      wrong +=
          mapped != source->to_sys(date::local_time<duration>(l.time_since_epoch()), date::choose::earliest);
    }
    CHECK(wrong == 0);
  }
}
