/// What the telegraph model costs for a fleet like the real one: 13,600 stores, eight days of hourly polls
/// around the clock, two thirds of them within sessions. Sessions are given; what finding them costs is in
/// estimate_bench.
#include "storemon/estimate/telegraph.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <thread>

namespace {

using namespace storemon;
using namespace storemon::estimate;
using namespace std::chrono_literals;
using std::chrono::days;

const instant as_of{std::chrono::sys_days(std::chrono::year(2023) / 1 / 25) + 18h + 13min};

struct store {
  std::vector<session> sessions;
  std::vector<observation> seen;

  store_view view(const interval& window) const {
    store_view v{.window = window, .sessions = sessions, .asked = {}, .seen = seen};
    const auto first = std::find_if(sessions.begin(), sessions.end(),
                                    [&](const session& s) { return s.span.to > window.from; });
    v.asked = {first, sessions.end()};
    for (const auto& s : v.asked)
      v.open += intersect(s.span, window).length().count();
    v.begins_known_from = sessions_known_from({as_of - days(28), as_of}, seen.front().at());
    return v;
  }
};

/// Nine of ten open 10 to 18 hours a day, the rest always; one poll in thirty to one in two is inactive, in
/// runs.
store random_store(std::mt19937_64& random) {
  store s;
  const auto length = std::chrono::hours(10 + random() % 9);
  const auto first = as_of - days(8) + std::chrono::minutes(random() % 1440);
  const auto often = 2 + random() % 29;
  bool active = true;
  for (auto at = as_of - days(8); at < as_of; at += 1h)
    if (random() % 192 < 132) {
      if (random() % 3 == 0)
        active = random() % often != 0;
      s.seen.emplace_back(at + duration(random() % 3'600'000'000),
                          active ? store_status::active : store_status::inactive);
    }
  std::erase_if(s.seen, [](observation o) { return o.at() > as_of; });
  const auto index = [&](instant at) {
    return static_cast<uint32_t>(
        std::partition_point(s.seen.begin(), s.seen.end(), [&](observation o) { return o.at() < at; }) -
        s.seen.begin());
  };
  const auto add = [&](const interval& span) {
    s.sessions.push_back({span, index(span.from), index(span.to), 0});
  };
  if (random() % 10 == 0)
    add({as_of - days(28), as_of + duration(1)});
  else
    for (auto from = first; from <= as_of; from += days(1))
      add({from, from + length});
  return s;
}

const std::vector<store>& fleet() {
  static const auto made = [] {
    std::mt19937_64 random(20230125);
    std::vector<store> stores(std::getenv("STOREMON_BENCH_SMALL") ? 60 : 13'600);
    for (auto& s : stores)
      s = random_store(random);
    return stores;
  }();
  return made;
}

std::vector<class_likelihoods> likelihoods_of_fleet() {
  std::vector<class_likelihoods> rows;
  for (const auto& s : fleet())
    rows.push_back(likelihoods_of(s.view({as_of - 1h, as_of})));
  return rows;
}

const std::vector<class_likelihoods>& rows() {
  static const auto made = likelihoods_of_fleet();
  return made;
}

void believe_all(const store& s, const class_likelihoods& row, const class_weights& weights,
                 telegraph_windows& windows) {
  const telegraph model(row, weights);
  windows.begin(model);
  for (const auto length : {1h, 24h, 168h})
    benchmark::DoNotOptimize(windows.believe(s.view({as_of - length, as_of})));
  benchmark::DoNotOptimize(model.active_at(s.view({as_of - 1h, as_of}), as_of));
}

void count_work(benchmark::State& state) {
  int64_t in_session = 0;
  for (const auto& s : fleet())
    for (const auto& x : s.sessions)
      in_session += x.last - x.first;
  const auto stores = static_cast<double>(fleet().size());
  state.counters["stores"] = stores;
  state.counters["in_session"] = static_cast<double>(in_session);
  state.counters["per_store"] =
      benchmark::Counter(stores, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void likelihoods(benchmark::State& state) {
  const auto& stores = fleet();
  for (auto _ : state)
    for (const auto& s : stores)
      benchmark::DoNotOptimize(likelihoods_of(s.view({as_of - 1h, as_of})));
  count_work(state);
}

BENCHMARK(likelihoods)->Unit(benchmark::kMillisecond);

void one_round_of_the_fit(benchmark::State& state) {
  const auto weights = equal_weights();
  const auto& observed = rows();
  for (auto _ : state) {
    class_counts counts;
    for (const auto& row : observed)
      counts.add(row, weights);
    benchmark::DoNotOptimize(counts.weights());
  }
  count_work(state);
}

BENCHMARK(one_round_of_the_fit)->Unit(benchmark::kMillisecond);

void fit_of_the_fleet(benchmark::State& state) {
  const auto& observed = rows();
  for (auto _ : state)
    benchmark::DoNotOptimize(fit(observed));
  count_work(state);
}

BENCHMARK(fit_of_the_fleet)->Unit(benchmark::kMillisecond);

void figures_of_three_windows(benchmark::State& state) {
  const auto weights = fit(rows());
  telegraph_windows windows;
  for (auto _ : state)
    for (size_t i = 0; i < fleet().size(); ++i)
      believe_all(fleet()[i], rows()[i], weights, windows);
  count_work(state);
}

BENCHMARK(figures_of_three_windows)->Unit(benchmark::kMillisecond);

/// A report with weights at hand keeps no likelihoods: it makes them anew, store by store.
void report_with_fresh_weights(benchmark::State& state) {
  const auto weights = fit(rows());
  telegraph_windows windows;
  for (auto _ : state)
    for (const auto& s : fleet())
      believe_all(s, likelihoods_of(s.view({as_of - 1h, as_of})), weights, windows);
  count_work(state);
}

BENCHMARK(report_with_fresh_weights)->Unit(benchmark::kMillisecond);

/// Everything, on as many threads as asked for: each has its own stores, and in each round one adds up.
void refit_and_report(benchmark::State& state) {
  const auto threads = static_cast<size_t>(state.range(0));
  std::vector<class_likelihoods> made(fleet().size());
  const auto on_all = [&](auto&& work) {
    std::vector<std::jthread> running;
    for (size_t t = 0; t < threads; ++t)
      running.emplace_back([&, t] { work(t, made.size() * t / threads, made.size() * (t + 1) / threads); });
  };
  for (auto _ : state) {
    on_all([&](size_t, size_t first, size_t last) {
      for (auto i = first; i < last; ++i)
        made[i] = likelihoods_of(fleet()[i].view({as_of - 1h, as_of}));
    });
    auto weights = equal_weights();
    for (int round = 0; round < fit_rounds; ++round) {
      std::vector<class_counts> counts(threads);
      on_all([&](size_t t, size_t first, size_t last) {
        for (auto i = first; i < last; ++i)
          counts[t].add(made[i], weights);
      });
      for (size_t t = 1; t < threads; ++t)
        counts[0] += counts[t];
      weights = counts[0].weights();
    }
    on_all([&](size_t, size_t first, size_t last) {
      telegraph_windows windows;
      for (auto i = first; i < last; ++i)
        believe_all(fleet()[i], made[i], weights, windows);
    });
  }
  count_work(state);
}

BENCHMARK(refit_and_report)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

} // namespace

BENCHMARK_MAIN();
