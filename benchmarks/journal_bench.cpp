/// The journal's codec, and commits to SQLite on the file system of the temporary directory.
#include "storemon/journal/chain.hpp"
#include "storemon/journal/codec.hpp"
#include "storemon/journal/crc32c.hpp"
#include "storemon/journal/sqlite_backend.hpp"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <random>

namespace {

using namespace storemon;
using namespace storemon::journal;

/// `rows` polls of as many of 2,000 stores as there are, within an hour.
journal_entry polls(size_t rows) {
  std::mt19937_64 random(1);
  journal_entry entry;
  entry.mark = {{1, 2}, {3, 4}};
  observation_rows o;
  const auto stores = std::min<size_t>(rows, 2000);
  for (size_t i = 0; i < stores; ++i)
    o.stores.add(std::to_string(5'000'000'000'000'000'000 + (i * 7919) % 2000));
  for (size_t i = 0; i < rows; ++i) {
    o.store.push_back(static_cast<uint32_t>(i % stores));
    o.seen.emplace_back(
        instant(duration(1'674'000'000'000'000 + static_cast<int64_t>(random() % 3'600'000'000))),
        random() % 10 == 0 ? store_status::inactive : store_status::active);
  }
  entry.change = std::move(o);
  return entry;
}

void encode(benchmark::State& state) {
  const auto entry = polls(static_cast<size_t>(state.range(0)));
  codec coder;
  store_names names;
  size_t bytes = 0;
  for (auto _ : state)
    bytes = coder.encode(entry, names)->payload.size();
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["bytes_per_row"] = static_cast<double>(bytes) / static_cast<double>(state.range(0));
}

void decode(benchmark::State& state) {
  codec coder;
  store_names names;
  const auto r = coder.encode(polls(static_cast<size_t>(state.range(0))), names).value();
  for (auto _ : state)
    benchmark::DoNotOptimize(coder.decode(r, names));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void crc(benchmark::State& state) {
  const std::string bytes(1 << 16, 'x');
  for (auto _ : state)
    benchmark::DoNotOptimize(crc32c(bytes));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
}

/// Commits of `appends` records of `rows` rows, each of another partition.
void commit(benchmark::State& state) {
  const auto directory =
      std::filesystem::temp_directory_path() / ("storemon-bench-" + std::to_string(std::random_device()()));
  {
    const auto b = open_sqlite({directory.string()}).value();
    const auto appends = static_cast<uint32_t>(state.range(0));
    const auto entry = polls(static_cast<size_t>(state.range(1)));
    codec coder;
    std::vector<store_names> names(appends);
    std::vector<ownership> ends(appends);
    for (uint32_t p = 0; p < appends; ++p) {
      b->commit(std::vector<operation>{take_over{p, 0}}).value();
      ends[p].epoch = 1;
    }
    for (auto _ : state) {
      std::vector<operation> what;
      for (uint32_t p = 0; p < appends; ++p) {
        append a{p, 1, {}, {}};
        a.records.push_back(coder.encode(entry, names[p]).value());
        seal(a.records.back(), p, 1, ends[p]);
        a.names = names[p].births();
        names[p].keep(names[p].size());
        what.emplace_back(std::move(a));
      }
      b->commit(what).value();
    }
    state.SetItemsProcessed(state.iterations() * appends * state.range(1));
    state.counters["commits"] =
        benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
  }
  std::filesystem::remove_all(directory);
}

BENCHMARK(encode)->Arg(16)->Arg(1000)->Arg(30'000);
BENCHMARK(decode)->Arg(16)->Arg(1000)->Arg(30'000);
BENCHMARK(crc);
BENCHMARK(commit)->Args({1, 16})->Args({1, 1000})->Args({16, 16})->Args({16, 2000})->UseRealTime();

} // namespace

BENCHMARK_MAIN();
