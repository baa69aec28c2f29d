/// What judging a whole fleet costs on one core: three windows over eight days of hourly polls, opening
/// intervals given. The baseline walks every observation of the history for every window.
#include "storemon/estimate/measurer.hpp"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <random>

namespace {

using namespace storemon;
using namespace std::chrono_literals;
using std::chrono::days;

const instant as_of{std::chrono::sys_days(std::chrono::year(2023) / 1 / 25) + 18h + 13min};

struct store {
  std::span<const interval> opening;
  std::vector<observation> observations;
};

/// Nine of ten open 8 to 16 hours a day, the rest always.
interval_set random_opening(std::mt19937_64& random) {
  if (random() % 10 == 0)
    return {{as_of - days(28), as_of + duration(1)}};
  interval_set opening;
  const auto length = std::chrono::hours(8 + random() % 9);
  const auto first = as_of - days(29) + std::chrono::minutes(random() % 1440);
  for (int d = 0; d < 30; ++d)
    opening.push_back({first + days(d), first + days(d) + length});
  return opening;
}

/// About 130 polls each. Few opening sets, so that they are read from a cache: the calendar has just written
/// them when a store is measured.
std::vector<store> make_fleet(size_t stores) {
  std::mt19937_64 random(20230125);
  static std::vector<interval_set> openings(40);
  for (auto& o : openings)
    o = random_opening(random);
  std::vector<store> fleet(stores);
  for (size_t i = 0; i < stores; ++i) {
    auto& s = fleet[i];
    s.opening = openings[i % openings.size()];
    for (auto at = as_of - days(8); at < as_of; at += 1h)
      if (random() % 192 < 130)
        s.observations.emplace_back(at + duration(random() % 3'600'000'000),
                                    random() % 10 == 0 ? store_status::inactive : store_status::active);
  }
  return fleet;
}

const std::vector<store>& fleet() {
  static const auto made = make_fleet(std::getenv("STOREMON_BENCH_SMALL") ? 100 : 14'000);
  return made;
}

report_spec spec_of(std::string estimator, observation_scope scope) {
  report_request request;
  request.estimator = std::move(estimator);
  request.scope = scope;
  return *resolve(request, as_of);
}

void count_work(benchmark::State& state) {
  int64_t observations = 0;
  for (const auto& s : fleet())
    observations += static_cast<int64_t>(s.observations.size());
  state.counters["stores"] = static_cast<double>(fleet().size());
  state.SetItemsProcessed(state.iterations() * observations);
}

void measure_fleet(benchmark::State& state, const char* estimator, observation_scope scope) {
  const auto spec = spec_of(estimator, scope);
  estimate::measurer measurer(spec);
  const auto& stores = fleet();
  std::vector<measure> measures(spec.windows.size() * stores.size());
  for (auto _ : state) {
    for (size_t i = 0; i < stores.size(); ++i)
      measurer.measure_store({stores[i].opening, {}, stores[i].observations}, &measures[i], stores.size());
    benchmark::DoNotOptimize(measures.data());
    benchmark::ClobberMemory();
  }
  count_work(state);
}

/// Baseline: the belief between two observations as an object, asked for every gap of the history.
class belief {
public:
  virtual ~belief() = default;
  virtual duration active(const observation& left, const observation& right, const interval& part) const = 0;
};

class nearest_belief final : public belief {
public:
  duration active(const observation& left, const observation& right, const interval& part) const override {
    const auto middle = left.at() + (right.at() - left.at()) / 2;
    auto sum = duration::zero();
    if (left.active())
      sum += intersect(part, {part.from, middle}).length();
    if (right.active())
      sum += intersect(part, {middle, part.to}).length();
    return sum;
  }
};

duration walk_everything(const store& s, const interval& window, const belief& rule) {
  auto sum = duration::zero();
  auto next = s.observations.begin();
  for (const auto& open : s.opening) {
    while (next != s.observations.end() && next->at() < open.from)
      ++next;
    auto from = open.from;
    for (auto left = next; next != s.observations.end() && next->at() < open.to; left = next++) {
      sum += rule.active(*left, *next, intersect({from, next->at()}, window));
      from = next->at();
      if (next + 1 == s.observations.end() || next[1].at() >= open.to)
        sum += rule.active(*next, *next, intersect({from, open.to}, window));
    }
  }
  return sum;
}

void baseline_walk_everything(benchmark::State& state) {
  const auto spec = spec_of("nearest", observation_scope::session);
  const std::unique_ptr<belief> rule = std::make_unique<nearest_belief>();
  for (auto _ : state)
    for (const auto& w : spec.windows)
      for (const auto& s : fleet())
        benchmark::DoNotOptimize(walk_everything(s, w.span, *rule));
  count_work(state);
}

BENCHMARK(baseline_walk_everything)->Unit(benchmark::kMillisecond);

/// The floor: what the memory costs when every observation is only counted, once.
void baseline_read_once(benchmark::State& state) {
  for (auto _ : state) {
    int64_t active = 0;
    for (const auto& s : fleet())
      for (const auto o : s.observations)
        active += o.active();
    benchmark::DoNotOptimize(active);
  }
  count_work(state);
}

BENCHMARK(baseline_read_once)->Unit(benchmark::kMillisecond);
#define STOREMON_MEASURE(estimator, scope)                                                                   \
  BENCHMARK_CAPTURE(measure_fleet, estimator##_##scope, #estimator, observation_scope::scope)                \
      ->Unit(benchmark::kMillisecond)
STOREMON_MEASURE(capped_nearest, session);
STOREMON_MEASURE(nearest, session);
STOREMON_MEASURE(linear, session);
STOREMON_MEASURE(carry_forward, session);
STOREMON_MEASURE(poll_ratio, session);
STOREMON_MEASURE(poll_count, session);
STOREMON_MEASURE(nearest, business);
STOREMON_MEASURE(nearest, all);
STOREMON_MEASURE(linear, business);
STOREMON_MEASURE(linear, all);
#undef STOREMON_MEASURE

void settle_fleet(benchmark::State& state) {
  const auto spec = spec_of("capped_nearest", observation_scope::session);
  estimate::measurer measurer(spec);
  const auto& stores = fleet();
  std::vector<measure> measures(spec.windows.size() * stores.size());
  fleet_counts counts;
  for (size_t i = 0; i < stores.size(); ++i) {
    measurer.measure_store({stores[i].opening, {}, stores[i].observations}, &measures[i], stores.size());
    counts += measures[i];
  }
  const auto& estimator = *estimate::find_estimator(spec.estimator);
  for (auto _ : state)
    for (const auto& m : measures)
      benchmark::DoNotOptimize(estimator.settle(m, counts));
}

BENCHMARK(settle_fleet)->Unit(benchmark::kMillisecond);

} // namespace

BENCHMARK_MAIN();
