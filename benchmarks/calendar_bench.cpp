/// What a fleet's calendar costs. The baseline asks the tz library for every endpoint of every day's row, as
/// a straightforward reading of the rules would; times are per call.
#include "storemon/calendar/opening_intervals.hpp"

#include <benchmark/benchmark.h>
#include <date/tz.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace {

using namespace storemon;
using namespace std::chrono_literals;
using calendar::zone;
using std::chrono::days;
using std::chrono::sys_days;

/// A week's report sees 36 days: 28 before the window, the window, and a day's reach.
const interval within{sys_days(std::chrono::year(2022) / 12 / 20) + 18h,
                      sys_days(std::chrono::year(2023) / 1 / 25) + 18h};

struct store {
  const zone* in;
  const date::time_zone* source;
  std::vector<hours_row> rows;
};

/// One row a day, as most stores have; some with a break, some past midnight.
std::vector<hours_row> make_rows(std::mt19937_64& random) {
  std::uniform_int_distribution kinds(0, 9);
  std::uniform_int_distribution quarters(0, 8);
  const auto kind = kinds(random);
  std::vector<hours_row> rows;
  for (uint8_t day = 0; day < 7; ++day) {
    const auto open = 8h + 15min * quarters(random);
    const auto close = 20h + 15min * quarters(random);
    if (kind == 0) {
      rows.push_back({open, 14h, day});
      rows.push_back({17h, close, day});
    } else {
      rows.push_back({open, kind == 1 ? duration(2h) : duration(close), day});
    }
  }
  return rows;
}

/// Stores over the zones of the United States, about as its people live.
std::vector<store> make_fleet() {
  constexpr std::array names{"America/New_York",    "America/Chicago", "America/Denver",
                             "America/Los_Angeles", "America/Phoenix", "America/Anchorage",
                             "Pacific/Honolulu"};
  std::mt19937_64 random(14'000);
  std::discrete_distribution<size_t> people{47, 29, 6, 15, 2, 0.5, 0.5};
  std::vector<store> fleet(std::getenv("STOREMON_BENCH_SMALL") ? 100 : 14'000);
  for (auto& s : fleet) {
    const auto* name = names[people(random)];
    s = {zone::find(name), date::locate_zone(name), make_rows(random)};
  }
  return fleet;
}

const std::vector<store>& fleet() {
  static const auto stores = make_fleet();
  return stores;
}

/// The same intervals by two questions to the tz library for each day's row, and a sort.
void baseline(const store& s, interval_set& out) {
  out.clear();
  const auto first = date::floor<date::days>(s.source->to_local(within.from)) - date::days(3);
  const auto last = date::floor<date::days>(s.source->to_local(within.to)) + date::days(1);
  for (auto day = first; day <= last; day += date::days(1)) {
    const auto weekday = (date::weekday(day) - date::Monday).count();
    for (const auto& row : s.rows) {
      if (row.day != weekday)
        continue;
      const auto open = meaning(row);
      out.push_back({s.source->to_sys(day + open.from, date::choose::earliest),
                     s.source->to_sys(day + open.to, date::choose::earliest)});
    }
  }
  normalise(out);
}

void one_store(benchmark::State& state) {
  const auto& s = fleet().front();
  interval_set out;
  for (auto _ : state) {
    calendar::opening_intervals(s.rows, *s.in, within, out);
    benchmark::DoNotOptimize(out.data());
  }
}

void one_store_baseline(benchmark::State& state) {
  interval_set out;
  for (auto _ : state) {
    baseline(fleet().front(), out);
    benchmark::DoNotOptimize(out.data());
  }
}

void whole_fleet(benchmark::State& state) {
  interval_set out;
  for (auto _ : state)
    for (const auto& s : fleet()) {
      calendar::opening_intervals(s.rows, *s.in, within, out);
      benchmark::DoNotOptimize(out.data());
    }
  state.counters["stores/s"] =
      benchmark::Counter(double(fleet().size()), benchmark::Counter::kIsIterationInvariantRate);
}

void whole_fleet_baseline(benchmark::State& state) {
  interval_set out;
  for (auto _ : state)
    for (const auto& s : fleet()) {
      baseline(s, out);
      benchmark::DoNotOptimize(out.data());
    }
  state.counters["stores/s"] =
      benchmark::Counter(double(fleet().size()), benchmark::Counter::kIsIterationInvariantRate);
}

/// Wall times all over the years that reports ask about.
std::vector<wall_time> make_walls() {
  std::mt19937_64 random(36);
  std::uniform_int_distribution<int64_t> minutes(0, 60 * 24 * 365 * 5);
  std::vector<wall_time> walls(1024);
  for (auto& wall : walls)
    wall = std::chrono::local_days(std::chrono::year(2020) / 1 / 1) + std::chrono::minutes(minutes(random));
  return walls;
}

void to_utc(benchmark::State& state) {
  const auto walls = make_walls();
  const auto& in = zone::fallback();
  size_t next = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(in.to_utc(walls[next++ % walls.size()]));
}

void to_utc_baseline(benchmark::State& state) {
  const auto walls = make_walls();
  const auto* in = date::locate_zone("America/Chicago");
  size_t next = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(in->to_sys(
        date::local_time<duration>(walls[next++ % walls.size()].time_since_epoch()), date::choose::earliest));
}

void find_again(benchmark::State& state) {
  zone::find("America/Los_Angeles");
  for (auto _ : state)
    benchmark::DoNotOptimize(zone::find("America/Los_Angeles"));
}

BENCHMARK(one_store);
BENCHMARK(one_store_baseline);
BENCHMARK(whole_fleet)->Unit(benchmark::kMillisecond);
BENCHMARK(whole_fleet_baseline)->Unit(benchmark::kMillisecond);
BENCHMARK(to_utc);
BENCHMARK(to_utc_baseline);
BENCHMARK(find_again);

} // namespace

int main(int argc, char** argv) {
  // A figure for work that gives other intervals than the baseline would mean nothing.
  interval_set ours;
  interval_set theirs;
  for (const auto& s : fleet()) {
    calendar::opening_intervals(s.rows, *s.in, within, ours);
    baseline(s, theirs);
    std::erase_if(theirs, [](const interval& i) { return intersect(i, within).empty(); });
    if (ours != theirs) {
      std::fputs("calendar_bench: opening_intervals and its baseline disagree\n", stderr);
      return 1;
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
