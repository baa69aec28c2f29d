/// A store's history against a model that knows no cleverness: sets of rows.
#include "storemon/partition/history.hpp"

#include "support/naive_history.hpp"
#include "support/partition_rows.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <set>

using namespace storemon;
using namespace storemon::test;
using namespace std::chrono_literals;
using partition::store;

namespace {

/// Adds the rows in their order, in batches that end where `ends_after(index)` says.
template <class EndsAfter>
applied add_in_batches(store& to, const std::vector<observation>& rows, EndsAfter ends_after) {
  applied sum;
  std::vector<observation> batch;
  std::vector<instant> conflicts;
  for (size_t i = 0; i < rows.size(); ++i) {
    batch.push_back(rows[i]);
    if (i + 1 < rows.size() && !ends_after(i))
      continue;
    std::sort(batch.begin(), batch.end());
    sum += partition::add_observations(to, batch, conflict_rule::inactive_wins, conflicts);
    batch.clear();
  }
  return sum;
}

/// Fails unless the store and the sums are what the rows make them, whatever the batches.
void require_as_naive(const store& s, const applied& done, const naive_history& expected) {
  REQUIRE(s.observations == expected.history());
  REQUIRE(s.conflicts == expected.conflicts());
  REQUIRE(sums_of(done) == expected.totals());
}

} // namespace

TEST_CASE("five polls in every order and every batching make the same history and the same sums") {
  const std::array<observation, 4> kinds{observation(now, active), observation(now, inactive),
                                         observation(now + 1us, active), observation(now + 1us, inactive)};
  constexpr size_t length = 5;
  size_t sequences = 0;
  for (size_t code = 0; code < 1024; ++code) {
    std::vector<observation> rows;
    naive_history expected;
    for (size_t i = 0, rest = code; i < length; ++i, rest /= kinds.size()) {
      rows.push_back(kinds[rest % kinds.size()]);
      expected.add(rows.back());
    }
    for (uint32_t cuts = 0; cuts < 1u << (length - 1); ++cuts) {
      CAPTURE(code, cuts);
      store s;
      const auto done = add_in_batches(s, rows, [cuts](size_t i) { return (cuts >> i & 1) != 0; });
      require_as_naive(s, done, expected);
    }
    ++sequences;
  }
  CHECK(sequences == 1024);
}

TEST_CASE("random polls with repeats and conflicts make the history and sums of a map of sets") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 300; ++round) {
    std::vector<observation> rows;
    naive_history expected;
    const auto instants = 1 + random() % 120;
    for (auto n = random() % 200; n > 0; --n) {
      const auto offset = static_cast<int64_t>(random() % instants) - static_cast<int64_t>(instants / 2);
      rows.emplace_back(instant(duration(offset)), random() % 3 ? active : inactive);
      expected.add(rows.back());
    }
    const auto batch_length = 1 + random() % 50;
    CAPTURE(round, rows.size(), instants, batch_length);
    store s;
    const auto done = add_in_batches(s, rows, [&](size_t) { return random() % batch_length == 0; });
    require_as_naive(s, done, expected);
  }
}

TEST_CASE("rules and pins let stand what a map of sets says, whatever the batches hold") {
  std::mt19937_64 random(31);
  size_t conflicts_told = 0;
  size_t sum_of_conflicts = 0;
  for (int round = 0; round < 600; ++round) {
    store s;
    naive_history expected;
    sums done{};
    const auto instants = 1 + random() % 40;
    for (int batch = 0; batch < 12; ++batch) {
      const auto rule = static_cast<conflict_rule>(round % 2 ? random() % 3 : 2 * (random() % 2));
      std::vector<observation> rows;
      for (auto n = random() % 12; n > 0; --n)
        rows.emplace_back(now + duration(random() % instants), random() % 2 ? active : inactive);
      std::sort(rows.begin(), rows.end());
      const auto told = expected.add(rows, rule);
      std::vector<instant> conflicts;
      const auto part = partition::add_observations(s, rows, rule, conflicts);
      for (size_t k = 0; k < done.size(); ++k)
        done[k] += sums_of(part)[k];
      CAPTURE(round, batch, rows.size());
      REQUIRE(s.observations == expected.history());
      REQUIRE(s.conflicts == expected.conflicts());
      REQUIRE(s.pins == std::vector<instant>(expected.pins.begin(), expected.pins.end()));
      REQUIRE(conflicts == told);
      conflicts_told += told.size();
    }
    REQUIRE(done[0] == static_cast<int64_t>(s.observations.size()));
    REQUIRE(done[0] + done[1] + done[2] == expected.rows);
    sum_of_conflicts += static_cast<size_t>(done[2]);
  }
  CHECK(sum_of_conflicts == conflicts_told);
  CHECK(conflicts_told > 3000);
}

TEST_CASE("a poll is held under a rule exactly when adding it changes nothing") {
  std::mt19937_64 random(32);
  size_t held = 0;
  for (int round = 0; round < 3000; ++round) {
    store s;
    std::vector<instant> conflicts;
    const auto poll = [&] {
      return observation(now + duration(random() % 3), random() % 2 ? active : inactive);
    };
    for (auto n = random() % 8; n > 0; --n) {
      const auto added = poll();
      partition::add_observations(s, std::span(&added, 1), static_cast<conflict_rule>(random() % 3),
                                  conflicts);
    }
    const auto asked = poll();
    const auto rule = static_cast<conflict_rule>(random() % 3);
    auto after = s;
    partition::add_observations(after, std::span(&asked, 1), rule, conflicts);
    const bool unchanged =
        after.observations == s.observations && after.conflicts == s.conflicts && after.pins == s.pins;
    REQUIRE(partition::is_held(s, asked, rule) == unchanged);
    held += unchanged;
  }
  CHECK(held > 300);
  CHECK(held < 2700);
}

TEST_CASE("polls that come late, one by one, into a long history make the same as all at once") {
  std::mt19937_64 random(33);
  store s;
  naive_history expected;
  std::vector<observation> rows;
  for (int n = 0; n < 5000; ++n)
    rows.emplace_back(now + std::chrono::minutes(n * 10), n % 7 ? active : inactive);
  for (const auto o : rows)
    expected.add(o);
  std::vector<instant> conflicts;
  partition::add_observations(s, rows, conflict_rule::inactive_wins, conflicts);
  for (int n = 0; n < 2000; ++n) {
    const observation late(now + std::chrono::minutes(random() % 55000), random() % 2 ? active : inactive);
    expected.add(late);
    partition::add_observations(s, std::span(&late, 1), conflict_rule::inactive_wins, conflicts);
  }
  CHECK(s.observations == expected.history());
  CHECK(s.conflicts == expected.conflicts());
  CHECK(!s.conflicts.empty());
}

TEST_CASE("all that was polled comes back in order, of a conflict both") {
  store s;
  std::vector<instant> conflicts;
  const std::vector<observation> rows{
      {now, active}, {now + 1h, inactive}, {now + 1h, active}, {now + 2h, active}};
  partition::add_observations(s, rows, conflict_rule::replace, conflicts);
  CHECK(polled(s) == rows);
  std::vector<observation> middle;
  partition::for_each_poll(s, now + 1h, now + 2h, [&](observation o) { middle.push_back(o); });
  CHECK(middle == std::vector<observation>{rows[1], rows[2]});
}
