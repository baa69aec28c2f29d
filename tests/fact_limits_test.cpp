/// What one store may have, and what it costs to add to it.
#include "storemon/partition/fact_limits.hpp"
#include "storemon/partition/store.hpp"
#include "storemon/partition/write_queue.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace storemon;
using namespace storemon::partition;
using namespace std::chrono_literals;

namespace {

instant at(int64_t hour) {
  return instant(std::chrono::hours(hour));
}

update closure(int64_t from, int64_t to, bool withdrawn = false) {
  return closure_change{"a", {at(from), at(to)}, withdrawn};
}

hours_rows rows_of(int count, std::chrono::local_days from = always_valid) {
  hours_rows made;
  made.valid_from = from;
  made.stores.add("a");
  for (int i = 0; i < count; ++i) {
    made.store.push_back(0);
    made.rows.push_back({std::chrono::minutes(i), std::chrono::minutes(i + 1), 0});
  }
  return made;
}

std::vector<std::string> write_all(partition_data& data, const std::vector<update>& changes,
                                   const fact_limits& limits) {
  write_limits all;
  all.facts = limits;
  write_queue queue(all);
  std::vector<std::string> answers(changes.size(), "none");
  for (size_t i = 0; i < changes.size(); ++i)
    queue.push(
        {.change = std::make_shared<const update>(changes[i]),
         .answer = [&answers,
                    i](const result<protocol::batch_result>& r) { answers[i] = r ? "" : r.error().detail; }},
        data, at(0));
  while (queue.begin(data, at(0)))
    queue.commit(data);
  return answers;
}

} // namespace

TEST_CASE("closures one by one are the set they would be together") {
  std::mt19937 random(1);
  const auto any = [&](int max) { return std::uniform_int_distribution<int>(0, max)(random); };
  for (int round = 0; round < 2000; ++round) {
    store s;
    interval_set expected;
    for (int step = 0; step < 30; ++step) {
      const interval span{at(any(40)), at(any(40))};
      const bool withdrawn = any(2) == 0;
      change_closures(s, {"a", span, withdrawn});
      if (withdrawn) {
        expected = subtract(expected, std::span(&span, span.empty() ? 0 : 1));
      } else {
        expected.push_back(span);
        normalise(expected);
      }
      REQUIRE(s.closures == expected);
    }
  }
}

TEST_CASE("a store has so many closures, also within one group of changes, and others go on") {
  partition_data data;
  std::vector<update> changes;
  for (int i = 0; i < 7; ++i)
    changes.push_back(closure(10 * i, 10 * i + 5));
  changes.push_back(closure(1, 3));       // within the first: no more of them
  changes.push_back(closure(0, 5, true)); // room again
  changes.push_back(closure(100, 105));
  changes.push_back(closure(11, 12, true)); // would cut one in two
  const auto answers = write_all(data, changes, {.closures_max = 5});
  const std::string refused = "store a would have more than 5 planned closures, the most allowed";
  CHECK(answers == std::vector<std::string>{"", "", "", "", "", refused, refused, "", "", "", refused});
  CHECK(data.find("a")->closures.size() == 5);
}

TEST_CASE("a version of hours has so many rows, repeated ones counted once, and a store so many versions") {
  partition_data data;
  auto repeated = rows_of(5);
  for (int i = 0; i < 100; ++i) {
    repeated.store.push_back(0);
    repeated.rows.push_back(repeated.rows.front());
  }
  const std::chrono::local_days day(std::chrono::days(19'000));
  const auto answers = write_all(data,
                                 {rows_of(5), rows_of(6), repeated, rows_of(1, day),
                                  rows_of(1, day + 1 * std::chrono::days(1)),
                                  rows_of(1, day + 2 * std::chrono::days(1)), rows_of(2, day)},
                                 {.hours_rows_max = 5, .hours_versions_max = 3});
  CHECK(answers ==
        std::vector<std::string>{
            "", "store a would have more than 5 rows of business hours in one version, the most allowed", "",
            "", "", "store a would have more than 3 versions of business hours, the most allowed", ""});
  CHECK(data.find("a")->hours.size() == 3);
}

TEST_CASE("to withdraw a closure of a store never heard of makes no store") {
  partition_data data;
  data.apply(closure(1, 2, true));
  CHECK(data.find("a") == nullptr);
}

TEST_CASE("a slice that runs out of time ends after a store, and the rest is the same") {
  partition_data data;
  observation_rows polls;
  for (uint32_t i = 0; i < 50; ++i) {
    polls.stores.add("store " + std::to_string(100 + i));
    polls.store.push_back(i);
    polls.seen.push_back({at(1000 + i), store_status::active});
  }
  data.apply(update(polls));
  const report_spec spec{"nearest",
                         observation_scope::session,
                         at(1100),
                         {{"w", {at(900), at(1100)}}, {"v", {at(990), at(1010)}}}};
  const auto whole = data.rows(spec, "", {});
  REQUIRE(whole.stores.size() == 50);
  slice_limits hurried;
  hurried.time_max = std::chrono::nanoseconds(-1);
  std::string after;
  for (size_t i = 0; i < 50; ++i) {
    const auto one = data.rows(spec, after, hurried);
    REQUIRE(one.stores.size() == 1);
    CHECK(one.last == (i == 49));
    REQUIRE(one.measures.size() == 2);
    CHECK(one.measures[0] == whole.measures[i]);
    CHECK(one.measures[1] == whole.measures[50 + i]);
    after = one.stores[0];
  }
}
