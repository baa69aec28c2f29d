/// The journal's actor and the shards, run in random orders with random faults: see support/simulation.hpp.
/// STOREMON_FAULT_RUNS sets the number of seeds, STOREMON_FAULT_SEED the first: a seed that failed is run
/// alone with STOREMON_FAULT_SEED=SEED STOREMON_FAULT_RUNS=1.
#include "support/simulation.hpp"

#include "support/ledger.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <unordered_set>

using namespace storemon;
using namespace storemon::test;

namespace {

constexpr uint64_t seeds_run_twice = 50;

uint64_t first_seed() {
  const auto* wanted = std::getenv("STOREMON_FAULT_SEED");
  return wanted ? std::strtoull(wanted, nullptr, 10) : 1;
}

struct tally {
  simulation_totals totals;
  std::unordered_set<uint64_t> traces{};
  uint64_t seeds = 0;
  std::vector<std::string> failures{};
  std::vector<uint64_t> unlike{}; ///< seeds that made two different lives
};

/// @returns the trace of that life.
uint64_t live(sim& site, uint64_t seed, tally& sum) {
  simulation one(site, seed, sum.totals);
  if (const auto failure = one.run(); !failure.empty())
    sum.failures.push_back("seed " + std::to_string(seed) + ": " + failure);
  return one.trace();
}

bool is_repeatable(sim& site, uint64_t seed, uint64_t trace) {
  tally again;
  return live(site, seed, again) == trace;
}

void print(const tally& sum, double seconds) {
  std::printf(
      "simulation: %llu seeds, %zu distinct traces, %.0f seeds/s, %llu jobs, %llu sent, %llu acked (%llu "
      "replayed), %llu records, %llu loads; faults:",
      static_cast<unsigned long long>(sum.seeds), sum.traces.size(), static_cast<double>(sum.seeds) / seconds,
      static_cast<unsigned long long>(sum.totals.jobs), static_cast<unsigned long long>(sum.totals.sent),
      static_cast<unsigned long long>(sum.totals.acked), static_cast<unsigned long long>(sum.totals.replayed),
      static_cast<unsigned long long>(sum.totals.records), static_cast<unsigned long long>(sum.totals.loads));
  for (size_t f = 0; f < faults; ++f)
    std::printf(" %s %llu", std::string(fault_names[f]).c_str(),
                static_cast<unsigned long long>(sum.totals.planted[f]));
  std::printf("\n");
}

} // namespace

TEST_CASE("whatever order actors run in and whatever fails, what is acknowledged is kept exactly once") {
  const auto runs = fault_runs(3000);
  const auto first = first_seed();
  constexpr size_t failures_max = 5;
  sim site;
  tally sum;
  const auto began = std::chrono::steady_clock::now();
  for (auto seed = first; seed < first + runs && sum.failures.size() < failures_max; ++seed) {
    const auto trace = live(site, seed, sum);
    sum.traces.insert(trace);
    if (sum.seeds++ < seeds_run_twice && !is_repeatable(site, seed, trace))
      sum.unlike.push_back(seed);
  }
  print(sum, std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  CHECK(sum.failures == std::vector<std::string>());
  CHECK(sum.unlike == std::vector<uint64_t>());
  CHECK(sum.traces.size() == sum.seeds);
  if (sum.seeds < 1000)
    return;                            // too few to be judged by how often things happen
  CHECK(sum.totals.acked > 10 * runs); // else the faults leave nothing to lose
  for (const auto planted : sum.totals.planted)
    CHECK(planted > runs / 100);
}
