/// Hours, zones and closures of stores against plain models.
#include "storemon/partition/partition_data.hpp"

#include "support/partition_rows.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <random>
#include <set>

using namespace storemon;
using namespace storemon::test;
using namespace std::chrono_literals;
using partition::partition_data;
using partition::store;

TEST_CASE("hours of a date replace those of that date, hours always valid all, whatever the order of rows") {
  using std::chrono::days;
  using std::chrono::local_days;
  std::mt19937_64 random(3);
  for (int round = 0; round < 400; ++round) {
    partition_data data;
    std::map<local_days, std::set<hours_row>> expected;
    for (int step = 0; step < 8; ++step) {
      const auto date = random() % 3 ? local_days(days(19000 + random() % 4)) : always_valid;
      std::vector<std::pair<std::string, hours_row>> rows;
      std::set<hours_row> distinct;
      for (auto n = random() % 6; n > 0; --n) {
        rows.push_back({"a",
                        {std::chrono::hours(random() % 3), std::chrono::hours(9 + random() % 2),
                         static_cast<uint8_t>(random() % 3)}});
        distinct.insert(rows.back().second);
      }
      auto change = hours(rows, date);
      if (rows.empty())
        change.stores.add("a"); // open 24x7 from then on
      const auto done = data.apply(change);
      const auto taken = static_cast<int64_t>(distinct.size());
      REQUIRE(sums_of(done) == sums{taken, static_cast<int64_t>(rows.size()) - taken, 0});
      if (date == always_valid)
        expected.clear();
      if (date != always_valid || !distinct.empty())
        expected[date] = distinct;
      std::vector<protocol::hours_version> versions;
      for (const auto& [from, held] : expected)
        versions.push_back({from, {held.begin(), held.end()}});
      REQUIRE(data.card("a").hours == versions);
    }
  }
}

TEST_CASE(
    "of the zones in an update a known one wins, then the first in byte order; the next update replaces") {
  const std::vector<std::string> names{"Europe/Paris", "America/Boise", "Mars/Olympus", "America/boise",
                                       "Z\x80"};
  const auto is_known = [](const std::string& name) { return calendar::zone::find(name) != nullptr; };
  REQUIRE(std::count_if(names.begin(), names.end(), is_known) == 2);
  std::mt19937_64 random(4);
  partition_data data;
  for (int round = 0; round < 400; ++round) {
    std::set<std::string> given;
    std::vector<std::pair<std::string, std::string>> rows;
    for (auto n = 1 + random() % 8; n > 0; --n) {
      rows.emplace_back("a", names[random() % names.size()]);
      given.insert(rows.back().second);
    }
    CHECK(sums_of(data.apply(zones(rows))) == sums{1, static_cast<int64_t>(rows.size()) - 1, 0});
    const auto known = std::find_if(given.begin(), given.end(), is_known);
    const auto& expected = known != given.end() ? *known : *given.begin();
    CAPTURE(round, expected);
    REQUIRE(data.card("a").zone == expected);
    REQUIRE(data.card("a").zone_known == (known != given.end()));
  }
}

TEST_CASE("closures planned and withdrawn cover what a list of seconds says, an empty stretch nothing") {
  std::mt19937_64 random(5);
  for (int round = 0; round < 400; ++round) {
    store s;
    std::array<bool, 60> closed{};
    for (int step = 0; step < 12; ++step) {
      const auto from = random() % closed.size();
      const auto to = random() % (closed.size() + 1); // every second stretch is empty or turned round
      const bool withdrawn = random() % 2;
      const auto second = [](size_t n) { return instant(std::chrono::seconds(n)); };
      partition::change_closures(s, {"", {second(from), second(to)}, withdrawn});
      for (auto i = from; i < to; ++i)
        closed[i] = !withdrawn;
      interval_set expected;
      for (size_t i = 0; i < closed.size(); ++i)
        if (closed[i])
          expected.push_back({second(i), second(i + 1)});
      normalise(expected);
      CAPTURE(round, step, from, to, withdrawn);
      REQUIRE(s.closures == expected);
    }
  }
}

TEST_CASE("a planned closure is excluded from a report until it is withdrawn") {
  partition_data data;
  data.apply(polls({{"a", {now - 1h, active}}}));
  const auto spec = spec_at(now);
  CHECK(one_row(data, spec).excluded == 0);
  CHECK(data.apply(closure_change{"a", {now - 5h, now - 3h}}).accepted == 1);
  CHECK(one_row(data, spec).excluded == duration(2h).count());
  CHECK(one_row(data, spec).scheduled == duration(24h).count());
  data.apply(closure_change{"a", {now - 4h, now}, true});
  CHECK(one_row(data, spec).excluded == duration(1h).count());
  data.apply(closure_change{"a", {now - 100h, now}, true});
  CHECK(one_row(data, spec).excluded == 0);
}

TEST_CASE("a store without a known zone is measured as one in America/Chicago") {
  const auto measured = [](const std::optional<std::string>& zone) {
    partition_data data;
    data.apply(polls({{"a", {now - 1h, active}}, {"a", {now - 30min, inactive}}}));
    std::vector<std::pair<std::string, hours_row>> rows;
    for (uint8_t day = 0; day < 7; ++day)
      rows.push_back({"a", {11h, 13h, day}});
    data.apply(hours(rows));
    if (zone)
      data.apply(zones({{"a", *zone}}));
    return one_row(data, spec_at(now));
  };
  const auto chicago = measured("America/Chicago");
  CHECK(chicago.scheduled == duration(2h).count());
  CHECK(measured(std::nullopt) == chicago);
  CHECK(measured("Mars/Olympus") == chicago);
  CHECK_FALSE(measured("Asia/Tokyo") == chicago);
}

TEST_CASE("a card shows what is known of a store, and that nothing is known of another") {
  partition_data data;
  CHECK_FALSE(data.card("a").known);
  data.apply(polls({{"a", {now - 2h, active}}, {"a", {now - 2h, inactive}}, {"a", {now - 1h, active}}}));
  data.apply(zones({{"a", "Mars/Olympus"}}));
  data.apply(closure_change{"a", {now, now + 1h}});
  const auto card = data.card("a");
  CHECK(card.known);
  CHECK(card.zone == "Mars/Olympus");
  CHECK_FALSE(card.zone_known);
  CHECK(card.hours.empty());
  CHECK(card.closures == interval_set{{now, now + 1h}});
  CHECK(card.observations == 2);
  CHECK(card.conflicts == 1);
  CHECK(card.oldest == now - 2h);
  CHECK(card.newest == now - 1h);
  CHECK(card.newest_status == active);
}
