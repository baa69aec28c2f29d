/// Numbers have the same bits in lanes as alone, in lanes of either width, and beside any others.
#include "storemon/estimate/lane_loops.hpp"
#include "storemon/estimate/telegraph.hpp"
#include "support/telegraph.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>

namespace {

using namespace storemon;
using namespace storemon::estimate;
using namespace std::chrono_literals;
using std::chrono::days;
using test::telegraph_store;

const instant now = std::chrono::sys_days(2023y / 1 / 25) + 16h;

/// From a microsecond to some weeks, short ones as likely as long ones.
double random_length(std::mt19937_64& random) {
  return std::exp2(std::uniform_real_distribution(-20.0, 22.0)(random));
}

two_lanes pair(double a, double b) {
  return two_lanes{a, b};
}

/// Up to 60 sessions of up to three days, or one since ever; polls in runs of the same state.
telegraph_store random_store(std::mt19937_64& random) {
  const auto up_to = [&](duration limit) { return duration(1 + random() % limit.count()); };
  interval_set opening;
  if (random() % 5 == 0)
    opening.push_back({now - days(60), now + duration(1)});
  else
    for (auto from = now - days(1 + random() % 28); from < now;) {
      const auto to = from + up_to(random() % 4 ? duration(12h) : duration(days(3)));
      opening.push_back({from, to});
      from = to + up_to(12h);
    }
  std::vector<observation> polls;
  const auto rarely = 1 + random() % 10;
  const auto pause = random() % 3 ? duration(2h) : duration(random() % 2 ? 1s : duration(days(4)));
  bool active = true;
  for (auto at = now - std::min(duration(days(27)), 150 * pause); at < now; at += up_to(pause)) {
    if (random() % rarely == 0)
      active = !active;
    polls.emplace_back(at, active ? store_status::active : store_status::inactive);
  }
  return {opening, polls, now};
}

template <size_t Size>
std::array<uint64_t, Size> bits(const std::array<double, Size>& values) {
  std::array<uint64_t, Size> all;
  std::transform(values.begin(), values.end(), all.begin(),
                 [](double v) { return std::bit_cast<uint64_t>(v); });
  return all;
}

auto bits(const telegraph::uptime& u) {
  return bits(std::array{u.mean, u.deviation, u.low, u.high});
}

} // namespace

TEST_CASE("lanes are loaded, stored, compared and added up") {
  const block numbers{{4, 3, 8, 5}};
  two_lanes lanes;
  load(lanes, &numbers[1]);
  CHECK(least(lanes) == 3);
  CHECK(any(lanes > 7));
  CHECK_FALSE(any(lanes > 8));
  block copy{};
  store(lanes, &copy[2]);
  CHECK(copy == block{{0, 0, 3, 8}});
  CHECK(sum_of(numbers) == 20);
}

TEST_CASE("a power series has alternating signs") {
  double sum = 0;
  sum_series(sum, std::array{3.0, 5.0, 7.0, 11.0}, 0.5);
  CHECK(sum == 3 - 5.0 / 2 + 7.0 / 4 - 11.0 / 8);
}

TEST_CASE("decays over twice and three times as long are those over the longer time") {
  for (double times = 1e-12; times < 200; times *= 1.7) {
    CAPTURE(times);
    for (const auto& [d, longer] : {std::pair(twice(decay_over(times)), decay_over(2 * times)),
                                    std::pair(thrice(decay_over(times)), decay_over(3 * times))}) {
      CHECK(d.gone == Approx(longer.gone).epsilon(2e-15));
      CHECK(d.left == Approx(longer.left).epsilon(1e-15 * (4 + 4 * times)));
    }
  }
}

TEST_CASE("a decay has the same bits beside any other") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    const std::array lengths{random_length(random), random_length(random)};
    CAPTURE(lengths[0], lengths[1]);
    const grid_decays_of<two_lanes> both(pair(lengths[0], lengths[1]));
    for (int lane = 0; lane < 2; ++lane) {
      const grid_decays alone(lengths[lane]);
      for (size_t k = 0; k < chains; ++k) {
        REQUIRE(both[k].gone[lane] == alone[k].gone);
        REQUIRE(both[k].left[lane] == alone[k].left);
      }
    }
  }
}

TEST_CASE("a chain's passage has the same bits beside any other") {
  std::mt19937_64 random(2);
  for (int i = 0; i < 300; ++i) {
    const std::array lengths{random_length(random), random_length(random)};
    CAPTURE(lengths[0], lengths[1]);
    const auto length = pair(lengths[0], lengths[1]);
    const grid_decays_of<two_lanes> decays(length);
    for (size_t k = 0; k < chains; ++k) {
      const passage<two_lanes> both(grid_chains[k], length, 1 / length, decays[k], least(length));
      for (int lane = 0; lane < 2; ++lane) {
        const grid_decays decays_alone(lengths[lane]);
        const passage alone(grid_chains[k], lengths[lane], 1 / lengths[lane], decays_alone[k]);
        const auto require_same = [&](const paths<two_lanes>& beside, const paths<double>& expected) {
          REQUIRE(beside.chance[lane] == expected.chance);
          REQUIRE(beside.active[lane] == expected.active);
          REQUIRE(beside.half_square[lane] == expected.half_square);
          REQUIRE(beside.given().mean[lane] == expected.given().mean);
          REQUIRE(beside.given().variance[lane] == expected.given().variance);
        };
        for (const bool from : {false, true}) {
          require_same(both.onwards(from), alone.onwards(from));
          for (const bool to : {false, true})
            require_same(both.between(from, to), alone.between(from, to));
        }
      }
    }
  }
}

TEST_CASE("empty lanes multiply by exactly one, and add nothing") {
  const auto& loops = best_loops();
  by_chain<block> of_chains;
  of_chains.fill({{1, 1, 1, 1}});
  seen_gaps seen;
  seen.put(3600, true, false);
  loops.multiply_seen(seen, of_chains);
  std::array<block, classes> of_classes;
  of_classes.fill({{1, 1, 1, 1}});
  opened_gaps opened;
  opened.put(3600, false);
  loops.multiply_opened(opened, of_classes);
  for (size_t lane = 0; lane < block_size; ++lane) {
    for (const auto& product : of_chains)
      CHECK((product[lane] == 1) == (lane > 0));
    for (const auto& product : of_classes)
      CHECK((product[lane] == 1) == (lane > 0));
  }
  const std::array live{live_chain{2, 3, 0, 1}};
  const std::array<uint8_t, 1> openings_of_live{3};
  whole_gaps whole;
  whole.left = true;
  whole.length.fill(3600);
  whole.counted[2] = 3600;
  lane_moments sum;
  loops.add_whole(whole, {live, openings_of_live}, &sum);
  for (size_t lane = 0; lane < block_size; ++lane) {
    CHECK((sum.mean[lane] == 0) == (lane != 2));
    CHECK((sum.variance[lane] == 0) == (lane != 2));
  }
}

TEST_CASE("loops of either width give random stores the same bits") {
  const auto* wide = wide_loops();
  if (!wide) {
    WARN("this processor has no wide loops to compare");
    return;
  }
  std::mt19937_64 random(20230125);
  telegraph_windows narrow_windows(narrow_loops());
  telegraph_windows wide_windows(*wide);
  auto weights = equal_weights();
  class_counts counts_of_wide;
  class_counts counts_of_narrow;
  for (int round = 0; round < 300; ++round) {
    CAPTURE(round);
    const auto store = random_store(random);
    const auto ends = now - (round % 3 == 0 ? duration(random() % duration(days(9)).count()) : 0us);
    const auto row = likelihoods_of(store.view(store.last(1h)), *wide);
    const auto same = likelihoods_of(store.view(store.last(1h)), narrow_loops());
    REQUIRE(bits(row.scaled) == bits(same.scaled));
    REQUIRE(row.exponent == same.exponent);
    wide->add_shares(row.scaled, weights, counts_of_wide.units);
    narrow_loops().add_shares(row.scaled, weights, counts_of_narrow.units);
    REQUIRE(counts_of_wide.units == counts_of_narrow.units);

    const telegraph model(row, weights);
    wide_windows.begin(model);
    narrow_windows.begin(model);
    for (const auto length : {duration(1h), duration(24h), duration(168h), duration(days(20))}) {
      const auto view = store.view({ends - length, ends});
      const auto u = wide_windows.believe(view);
      REQUIRE(bits(u) == bits(narrow_windows.believe(view)));
      REQUIRE(u.mean == Approx(model.believe(view).mean).epsilon(1e-12));
      REQUIRE(std::isfinite(u.deviation));
    }
    if (++counts_of_wide.stores % 50 == 0)
      weights = counts_of_wide.weights();
  }
}
