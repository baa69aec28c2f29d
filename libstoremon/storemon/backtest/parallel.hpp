#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace storemon::backtest {

/// Calls `work(i)` for each i < count, on as many threads as the machine has cores; each result belongs in a
/// place of its own, so that sums are added up in one order whatever the machine.
/// @param work  throws nothing
template <class Work>
void in_parallel(size_t count, Work&& work) {
  std::atomic<size_t> next = 0;
  const auto run = [&] {
    for (size_t i; (i = next.fetch_add(1)) < count;)
      work(i);
  };
  const size_t cores = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::jthread> helpers;
  for (size_t h = 1; h < std::min(cores, count); ++h)
    helpers.emplace_back(run);
  run();
}

/// The same for stretches `[first, last)` of up to `stretch` of `count` things: `work(s, first, last)`.
/// @returns how many stretches there are, which is asked beforehand by stretches().
inline constexpr size_t stretch = 256;

constexpr size_t stretches(size_t count) noexcept {
  return (count + stretch - 1) / stretch;
}

template <class Work>
void in_stretches(size_t count, Work&& work) {
  in_parallel(stretches(count), [&](size_t s) { work(s, s * stretch, std::min(count, (s + 1) * stretch)); });
}

} // namespace storemon::backtest
