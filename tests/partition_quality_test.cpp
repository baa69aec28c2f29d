/// What is counted of a partition: census, quality, outages of the poller.
#include "storemon/partition/partition_data.hpp"

#include "support/instants.hpp"
#include "support/partition_rows.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <random>
#include <set>

using namespace storemon;
using namespace storemon::test;
using namespace std::chrono_literals;
using partition::partition_data;

TEST_CASE("census and quality of no stores are empty") {
  const partition_data data;
  CHECK(data.census().stores == 0);
  CHECK_FALSE(data.census().newest);
  const auto quality = data.quality();
  CHECK(quality.stores == 0);
  CHECK_FALSE(quality.oldest);
  CHECK(quality.poller_outages().empty());
}

TEST_CASE("quality counts what is missing, census what a report needs") {
  partition_data data;
  const hours_row monday{9h, 17h, 0};
  data.apply(polls({{"bare", {now - 3h, active}}, {"bare", {now - 3h, inactive}}, {"bare", {now, active}}}));
  data.apply(polls({{"whole", {now - 200h, active}}}));
  data.apply(hours({{"whole", monday}, {"orphan", monday}}));
  data.apply(zones({{"whole", "Asia/Tokyo"}, {"lost", "Mars/Olympus"}}));
  const auto census = data.census();
  CHECK(census.stores == 4);
  CHECK(census.observations == 3);
  CHECK(census.newest == now);
  const auto quality = data.quality();
  CHECK(quality.stores == 4);
  CHECK(quality.observations == 3);
  CHECK(quality.conflicts == 1);
  CHECK(quality.without_hours == 2); // bare, lost
  CHECK(quality.without_zone == 2);  // bare, orphan
  CHECK(quality.unknown_zone == 1);  // lost
  CHECK(quality.never_polled == 2);  // orphan, lost
  CHECK(quality.only_polled == 1);   // bare
  CHECK(quality.oldest == now - 200h);
  CHECK(quality.newest == now);
}

TEST_CASE("a census counts what is there after any polls, repeats and deletions") {
  std::mt19937_64 random(11);
  partition_data data;
  std::map<std::string, std::set<instant>> there;
  for (int step = 0; step < 3000; ++step) {
    const auto id = "store " + std::to_string(random() % 8);
    if (random() % 4 == 0) {
      CHECK(data.apply(store_deletion{id}).accepted == static_cast<int64_t>(there.erase(id)));
    } else {
      const auto at = now - std::chrono::minutes(random() % 200);
      data.apply(polls({{id, {at, random() % 2 ? active : inactive}}}));
      there[id].insert(at);
    }
    protocol::census expected;
    for (const auto& [store, instants] : there)
      expected += {1, static_cast<int64_t>(instants.size()), *instants.rbegin()};
    const auto census = data.census();
    REQUIRE(census.stores == expected.stores);
    REQUIRE(census.observations == expected.observations);
    REQUIRE(census.newest == expected.newest);
  }
}

namespace {

/// Outages by looking at every minute between the first and the last that has a poll.
std::vector<interval> naive_outages(const std::set<int64_t>& minutes) {
  std::vector<interval> outages;
  int64_t silent = 0;
  if (minutes.empty())
    return outages;
  for (auto m = *minutes.begin(); m <= *minutes.rbegin(); ++m) {
    if (!minutes.contains(m)) {
      ++silent;
      continue;
    }
    if (silent > 120)
      outages.push_back({instant(std::chrono::minutes(m - silent)), instant(std::chrono::minutes(m))});
    silent = 0;
  }
  return outages;
}

protocol::data_quality polled_at(const std::vector<instant>& polled) {
  partition_data data;
  for (size_t i = 0; i < polled.size(); ++i)
    data.apply(polls({{"store " + std::to_string(i % 3), {polled[i], active}}}));
  return data.quality();
}

} // namespace

TEST_CASE("two hours without any poll are no outage, a minute more is one, over the ends of days too") {
  for (const auto* text :
       {"2023-01-25T10:00:00Z", "2023-01-25T22:30:00Z", "1969-12-30T23:59:00Z", "1970-01-01T00:00:00Z"}) {
    const auto first = test::at(text);
    CAPTURE(text);
    CHECK(polled_at({first, first + 1min + 2h}).poller_outages().empty());
    CHECK(polled_at({first, first + 2min + 2h}).poller_outages() ==
          std::vector<interval>{{first + 1min, first + 2min + 2h}});
    // Where within its minute a poll was does not matter.
    CHECK(polled_at({first + 59s, first + 2min + 2h + 59s}).poller_outages() ==
          std::vector<interval>{{first + 1min, first + 2min + 2h}});
    CHECK(polled_at({first, first + 72h}).poller_outages() ==
          std::vector<interval>{{first + 1min, first + 72h}});
  }
}

TEST_CASE("outages of merged partitions are those that a walk over all minutes finds") {
  std::mt19937_64 random(8);
  size_t outages = 0;
  for (int round = 0; round < 150; ++round) {
    std::set<int64_t> minutes;
    protocol::data_quality merged;
    const auto span = 200 + random() % 6000;
    for (auto parts = 1 + random() % 4; parts > 0; --parts) {
      std::vector<instant> polled;
      for (auto n = random() % 20; n > 0; --n) {
        const auto minute = static_cast<int64_t>(random() % span) - static_cast<int64_t>(span) * 2 / 3;
        minutes.insert(minute);
        polled.push_back(instant(std::chrono::minutes(minute)) + duration(random() % 60'000'000));
      }
      merged.merge(polled_at(polled));
    }
    CAPTURE(round, span);
    const auto expected = naive_outages(minutes);
    REQUIRE(merged.poller_outages() == expected);
    outages += expected.size();
  }
  CHECK(outages > 300);
}
