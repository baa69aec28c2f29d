/// What telegraph costs in the engine: a fit of the fleet's weights, and a report with weights in force, from
/// the question until the answer. 13,600 stores, 1.8 M polls, 1.1 M of them in sessions.
#include "storemon/node/engine.hpp"
#include "storemon/synth/feed_files.hpp"

#include "../tests/support/scratch_directory.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <thread>

namespace {

using namespace storemon;
using namespace protocol;
using namespace std::chrono_literals;

/// The feeds of a synthetic fleet; made at the first call.
std::string feeds() {
  static const test::scratch_directory directory;
  static const bool written = [] {
    const uint32_t stores = std::getenv("STOREMON_BENCH_SMALL") ? 100 : 13'600;
    const auto fleet = synth::generate({.stores = stores, .days = 8, .seed = 2});
    return synth::write_feeds(fleet.value(), directory.path()).has_value();
  }();
  if (!written)
    throw std::runtime_error("the feeds cannot be written");
  return directory.path().string();
}

/// An engine with everything loaded, on so many threads as the benchmark is asked for.
class loaded_engine : public node::engine {
public:
  explicit loaded_engine(const benchmark::State& state) : node::engine(options(state)) {
    wait_ready().value();
  }

  void fit() { static_cast<void>(node::ask<shared_weights>(system(), weights(), fit_atom_v).value()); }

  void report(const std::string& estimator) {
    const report_request request{.estimator = estimator, .columns = column_set::full};
    const auto id = node::ask<std::string>(system(), coordinator(), trigger_atom_v, request).value();
    for (;;) {
      const auto status = node::ask<report_status>(system(), coordinator(), poll_atom_v, id).value();
      if (status.state == report_state::complete)
        return;
      if (status.state != report_state::running)
        throw std::runtime_error(status.failure.detail);
      std::this_thread::sleep_for(200us); // leaves the cores to the report
    }
  }

private:
  static node::engine_options options(const benchmark::State& state) {
    node::engine_options options;
    options.threads = static_cast<size_t>(state.range(0));
    options.supervisor.import_directory = feeds();
    options.weights.only_when_asked = true;
    return options;
  }
};

void fit(benchmark::State& state) {
  loaded_engine engine(state);
  for (auto _ : state)
    engine.fit();
}

void report_with_fresh_weights(benchmark::State& state) {
  loaded_engine engine(state);
  engine.fit();
  for (auto _ : state)
    engine.report("telegraph");
}

void refit_and_report(benchmark::State& state) {
  loaded_engine engine(state);
  for (auto _ : state) {
    engine.fit();
    engine.report("telegraph");
  }
}

void baseline_report_by_capped_nearest(benchmark::State& state) {
  loaded_engine engine(state);
  for (auto _ : state)
    engine.report("capped_nearest");
}

void on_one_and_two_threads(benchmark::internal::Benchmark* b) {
  b->ArgName("threads")
      ->Arg(1)
      ->Arg(2)
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime()
      ->MeasureProcessCPUTime();
}

BENCHMARK(baseline_report_by_capped_nearest)->Apply(on_one_and_two_threads);
BENCHMARK(fit)->Apply(on_one_and_two_threads);
BENCHMARK(report_with_fresh_weights)->Apply(on_one_and_two_threads);
BENCHMARK(refit_and_report)->Apply(on_one_and_two_threads);

} // namespace

BENCHMARK_MAIN();
