/// A whole report as a client waits for it: from the trigger until its CSV is there, and the same with the
/// import of the files before it. The baseline does the same work in one loop on one thread, without any
/// actor; the counter `of_baseline` is the engine's time as a part of the baseline's in the same run.
#include "storemon/ingest/chunk_reader.hpp"
#include "storemon/ingest/feed_files.hpp"
#include "storemon/ingest/feed_parser.hpp"
#include "storemon/node/engine.hpp"
#include "storemon/synth/feed_files.hpp"

#include "../tests/support/scratch_directory.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

using namespace storemon;
using namespace std::chrono_literals;

/// The feeds of a synthetic fleet in files of their own; made at the first call.
std::string feeds() {
  static const test::scratch_directory directory;
  static const bool written = [] {
    const uint32_t stores = std::getenv("STOREMON_BENCH_SMALL") ? 500 : 14'000;
    const auto fleet = synth::generate({.stores = stores, .days = 8, .polls_per_hour = 1, .seed = 20230125});
    return synth::write_feeds(fleet.value(), directory.path()).has_value();
  }();
  if (!written)
    throw std::runtime_error("the feeds cannot be written");
  return directory.path().string();
}

using partitions = std::vector<partition::partition_data>;

void read_feed(feed_kind kind, const std::string& path, partitions& into) {
  auto reader = ingest::chunk_reader::open(path).value();
  const ingest::router_options routing{.partitions = static_cast<uint32_t>(into.size())};
  ingest::feed_parser parser(ingest::read_header(kind, reader.header()).value(), routing,
                             [&](uint32_t p, update change) { into[p].apply(change); });
  for (ingest::chunk bytes;;) {
    reader.next(bytes).value();
    if (bytes.text().empty())
      break;
    parser.parse(bytes.text());
  }
  parser.flush();
}

partitions import_plainly(size_t count) {
  partitions data(count);
  const auto files = ingest::find_feed_files(feeds()).value();
  for (const auto& [kind, path] : files)
    read_feed(kind, path, data);
  return data;
}

std::string report_plainly(partitions& data) {
  const report_request request;
  protocol::census counted;
  for (const auto& p : data)
    counted += p.census();
  const auto spec = resolve(request, counted.newest.value()).value();
  report::report_parts parts;
  for (auto& p : data) {
    std::string after;
    bool last = false;
    while (!last) {
      auto slice = std::make_shared<report_columns>(p.rows(spec, after, {}));
      last = slice->last;
      if (!slice->stores.empty())
        after = slice->stores[slice->stores.size() - 1];
      parts.push_back(std::move(slice));
    }
  }
  return report::write_csv(request, spec, parts);
}

node::engine_options loading(size_t threads) {
  node::engine_options options;
  options.threads = threads;
  options.supervisor.import_directory = feeds();
  options.weights.only_when_asked = true; // else a fit would run beside what is measured
  return options;
}

std::string report_by_engine(node::engine& engine) {
  using namespace protocol;
  const auto id =
      node::ask<std::string>(engine.system(), engine.coordinator(), trigger_atom_v, report_request()).value();
  for (;;) {
    const auto status =
        node::ask<report_status>(engine.system(), engine.coordinator(), poll_atom_v, id).value();
    if (status.state == report_state::complete)
      return status.file->bytes;
    if (status.state != report_state::running)
      throw std::runtime_error(status.failure.detail);
    std::this_thread::sleep_for(50us); // leaves the cores to the report
  }
}

/// Runs the work, checks that every text is the one expected, and tells the time of one run.
template <class Work>
std::chrono::duration<double> measure(benchmark::State& state, const std::string& expected, Work work) {
  const auto begin = std::chrono::steady_clock::now();
  for (auto _ : state)
    if (work() != expected) {
      state.SkipWithError("the report is another than the baseline's");
      break;
    }
  const auto stores = static_cast<double>(std::count(expected.begin(), expected.end(), '\n') - 1);
  state.counters["stores"] = stores;
  return (std::chrono::steady_clock::now() - begin) /
         static_cast<double>(std::max<int64_t>(state.iterations(), 1));
}

/// Of the baselines' last runs; zero before.
std::chrono::duration<double> baseline_report_time, baseline_import_time;

void compare(benchmark::State& state, std::chrono::duration<double> mine,
             std::chrono::duration<double> baseline) {
  if (baseline > 0s)
    state.counters["of_baseline"] = mine / baseline;
}

const std::string& expected_report() {
  static const auto text = [] {
    auto data = import_plainly(1);
    return report_plainly(data);
  }();
  return text;
}

void baseline_report_in_one_loop(benchmark::State& state) {
  auto data = import_plainly(1);
  baseline_report_time = measure(state, expected_report(), [&] { return report_plainly(data); });
}

void engine_report(benchmark::State& state) {
  node::engine engine(loading(static_cast<size_t>(state.range(0))));
  engine.wait_ready().value();
  const auto mine = measure(state, expected_report(), [&] { return report_by_engine(engine); });
  compare(state, mine, baseline_report_time);
}

/// With as many partitions as the engine has: a batch for one of many has more rows a store, which by itself
/// makes an import about three times faster.
void baseline_import_and_report_in_one_loop(benchmark::State& state) {
  baseline_import_time = measure(state, expected_report(), [] {
    auto data = import_plainly(node::supervisor_options().partitions);
    return report_plainly(data);
  });
}

void engine_import_and_report(benchmark::State& state) {
  const auto mine = measure(state, expected_report(), [&] {
    node::engine engine(loading(static_cast<size_t>(state.range(0))));
    engine.wait_ready().value();
    return report_by_engine(engine);
  });
  compare(state, mine, baseline_import_time);
}

BENCHMARK(baseline_report_in_one_loop)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(engine_report)->ArgName("threads")->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(baseline_import_and_report_in_one_loop)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(engine_import_and_report)
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

} // namespace

BENCHMARK_MAIN();
