/// Fleet weights do not depend on how stores are spread or ordered, and what comes of them is sound for any
/// data.
#include "storemon/estimate/telegraph.hpp"
#include "support/telegraph.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace {

using namespace storemon;
using namespace storemon::estimate;
using namespace std::chrono_literals;
using std::chrono::days;
using test::telegraph_store;

const instant now = std::chrono::sys_days(2023y / 1 / 25) + 16h;

/// Polled about hourly for a week while it is open from 08:00 to 20:00.
telegraph_store random_store(std::mt19937_64& random) {
  interval_set opening;
  std::vector<observation> polls;
  const auto ill = 1 + random() % 5;
  for (auto day = now - 7 * 24h - 8h; day < now; day += 24h) {
    opening.push_back({day, day + 12h});
    for (auto hour = day; hour < day + 12h; hour += 1h)
      if (const auto at = hour + duration(random() % 3'600'000'000); at <= now)
        polls.emplace_back(at, random() % ill == 1 ? store_status::inactive : store_status::active);
  }
  return {opening, polls, now};
}

std::vector<class_likelihoods> random_rows(size_t count) {
  std::mt19937_64 random(7);
  std::vector<class_likelihoods> rows;
  while (rows.size() < count) {
    const auto s = random_store(random);
    rows.push_back(likelihoods_of(s.view(s.last(1h))));
  }
  return rows;
}

/// Weights fitted by shards that each hold some of the rows, as a fleet on several nodes does it.
class_weights fit_together(const std::vector<std::vector<class_likelihoods>>& shards) {
  auto weights = equal_weights();
  for (int round = 0; round < fit_rounds; ++round) {
    class_counts sum;
    for (const auto& rows : shards) {
      class_counts own;
      for (const auto& row : rows)
        own.add(row, weights);
      sum += own;
    }
    weights = sum.weights();
  }
  return weights;
}

void require_sound(const telegraph::uptime& u, const store_view& view) {
  const double open = seconds(duration(view.open));
  REQUIRE(std::isfinite(u.deviation));
  REQUIRE(u.deviation >= 0);
  REQUIRE(0 <= u.low);
  REQUIRE(u.low <= u.mean);
  REQUIRE(u.mean <= u.high);
  REQUIRE(u.high <= open);
  const auto rounded = round(u, view.open);
  REQUIRE(0 <= rounded.low);
  REQUIRE(rounded.low <= rounded.mean);
  REQUIRE(rounded.mean <= rounded.high);
  REQUIRE(rounded.high <= view.open);
  REQUIRE(std::abs(static_cast<double>(rounded.mean) - u.mean * 1e6) <= 0.5);
}

void require_sound(const telegraph& store, const telegraph_store& of, const interval& window) {
  const auto view = of.view(window);
  require_sound(store.believe(view), view);
  for (const auto at : {window.from, window.from + (window.to - window.from) / 2, window.to})
    if (const auto active = store.active_at(view, at)) {
      REQUIRE(*active >= 0);
      REQUIRE(*active <= 1 + 1e-12);
    }
}

double sum_of(const by_class& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

class_weights single_class(size_t c) {
  class_weights w{};
  w[c] = 1;
  return w;
}

} // namespace

TEST_CASE("fitted weights have the same bits however stores are spread over shards and ordered") {
  const auto rows = random_rows(200);
  const auto weights = fit(rows);
  CHECK(sum_of(weights) == Approx(1).epsilon(1e-9));
  CHECK(weights != equal_weights());
  std::mt19937_64 random(11);
  for (const size_t shards : {1, 3, 64}) {
    CAPTURE(shards);
    auto order = rows;
    std::shuffle(order.begin(), order.end(), random);
    std::vector<std::vector<class_likelihoods>> spread(shards);
    for (const auto& row : order)
      spread[random() % shards].push_back(row);
    CHECK(fit_together(spread) == weights);
    std::reverse(spread.begin(), spread.end());
    CHECK(fit_together(spread) == weights);
  }
}

TEST_CASE("a count of stores is their number, to the last unit of each class") {
  const auto rows = random_rows(50);
  class_counts counts;
  for (const auto& row : rows)
    counts.add(row, equal_weights());
  CHECK(counts.stores == 50);
  const auto units = std::accumulate(counts.units.begin(), counts.units.end(), int64_t{0});
  CHECK(std::abs(static_cast<double>(units) * 0x1p-40 - 50) <= 50 * 84 * 0x1p-40);
  for (const auto u : counts.units)
    CHECK(u >= 0);
  class_counts one;
  one.add(rows[0], equal_weights());
  const telegraph store(rows[0], equal_weights());
  for (size_t c = 0; c < classes; ++c)
    CHECK(static_cast<double>(one.units[c]) * 0x1p-40 == Approx(store.shares()[c]).margin(1.1e-6));
}

TEST_CASE("a fleet nobody has seen keeps equal weights") {
  const auto weights = fit({});
  for (const auto w : weights)
    CHECK(w == Approx(1.0 / classes));
}

TEST_CASE("likelihoods are those of an opening nobody looked into when a session saw nothing") {
  const telegraph_store store({{now - 5h, now - 3h}, {now - 2h, now}}, {{now - 4h, store_status::active}},
                              now);
  const telegraph_store first({{now - 5h, now - 3h}}, {{now - 4h, store_status::active}}, now);
  CHECK(likelihoods_of(store.view(store.last(1h))).scaled ==
        likelihoods_of(first.view(first.last(1h))).scaled);
  const telegraph_store unseen({{now - 5h, now - 3h}}, {}, now);
  const auto row = likelihoods_of(unseen.view(unseen.last(1h)));
  for (size_t c = 0; c < classes; ++c)
    CHECK(row.log(c) == 0);
}

TEST_CASE("any two polls from a microsecond to four weeks apart give sound figures in every class") {
  for (const bool always_open : {false, true})
    for (double length = 1; length <= 28 * 86'400e6; length *= 19)
      for (const bool left : {false, true})
        for (const bool right : {false, true}) {
          const duration gap(std::llround(length));
          const auto to = now - 1h;
          CAPTURE(gap.count(), left, right, always_open);
          const telegraph_store store(
              {{always_open ? to - 100 * days(1) : to - gap, now}},
              {{to - gap, static_cast<store_status>(left)}, {to, static_cast<store_status>(right)}}, now);
          const auto seen = likelihoods_of(store.view(store.last(1h)));
          const std::array<interval, 4> windows{interval{to - gap, to},
                                                {to - gap, now},
                                                {to - gap + gap / 3, to - gap / 3},
                                                {to - gap - 1us, to - gap / 2}};
          for (size_t c = 0; c < classes; ++c) {
            CAPTURE(c);
            REQUIRE(std::isfinite(seen.log(c)));
            const telegraph of_class(seen, single_class(c));
            for (const auto& window : windows)
              if (!window.empty())
                require_sound(of_class, store, window);
          }
          const telegraph of_all(seen, equal_weights());
          for (const auto& window : windows)
            if (!window.empty())
              require_sound(of_all, store, window);
        }
}

TEST_CASE("a hundred thousand polls, each against the one a microsecond before, are survived") {
  std::vector<observation> polls;
  for (int i = 0; i < 100'000; ++i)
    polls.emplace_back(now - 1h + duration(i), static_cast<store_status>(i % 2));
  const telegraph_store store({{now - 2h, now}}, polls, now);
  const auto seen = likelihoods_of(store.view(store.last(1h)));
  CHECK(seen.log(0) < -1'000'000);
  const telegraph of_store(seen, fit(std::span(&seen, 1)));
  CHECK(sum_of(of_store.shares()) == Approx(1));
  for (const auto length : {duration(1us), duration(1h), duration(2h)})
    require_sound(of_store, store, store.last(length));
}

TEST_CASE("random stores give sound figures in all windows, and a longer window has no less uptime") {
  std::mt19937_64 random(3);
  const auto rows = random_rows(20);
  const auto weights = fit(rows);
  std::mt19937_64 same(7);
  for (const auto& row : rows) {
    const auto store = random_store(same);
    const telegraph model(row, weights);
    double shorter = 0;
    for (const duration length : {duration(1h), duration(24h), duration(168h)}) {
      require_sound(model, store, store.last(length));
      const auto mean = model.believe(store.view(store.last(length))).mean;
      CHECK(mean >= shorter);
      shorter = mean;
    }
    const auto habits = model.describe();
    CHECK(habits.failures_per_day > 0);
    CHECK(habits.failures_per_day < 6);
    CHECK(habits.mean_outage >= 300);
    CHECK(habits.mean_outage <= 60.75 * 3600);
    CHECK(habits.active_at_opening >= 0.05);
    CHECK(habits.active_at_opening <= 0.95);
  }
}

TEST_CASE("windows side by side have the uptime of the window they make up") {
  std::mt19937_64 random(5);
  const auto store = random_store(random);
  const auto seen = likelihoods_of(store.view(store.last(1h)));
  const telegraph model(seen, equal_weights());
  const auto whole = model.believe(store.view(store.last(24h)));
  double sum = 0;
  for (auto from = now - 24h; from < now; from += 90min)
    sum += model.believe(store.view({from, from + 90min})).mean;
  CHECK(sum == Approx(whole.mean).epsilon(1e-10));
}

TEST_CASE("a store's habits are those of its class") {
  const telegraph_store unseen({{now - 5h, now - 3h}}, {}, now);
  const auto seen = likelihoods_of(unseen.view(unseen.last(1h)));
  // 12 h active, 3/4 h out, 0.65 at opening.
  const auto habits = telegraph(seen, single_class((1 * 7 + 2) * 4 + 2)).describe();
  CHECK(habits.failures_per_day == Approx(24 / 12.75));
  CHECK(habits.mean_outage == Approx(2700));
  CHECK(habits.active_at_opening == Approx(0.65));
}
