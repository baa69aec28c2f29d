#pragma once

#include "storemon/model/interval.hpp"

#include <cstdint>
#include <vector>

namespace storemon::test {

/// The runs of marked units of time, as intervals; the first unit begins at `from`.
template <class Unit>
interval_set runs_of(const std::vector<char>& marked, instant from, Unit unit) {
  interval_set runs;
  for (size_t i = 0; i < marked.size(); ++i) {
    if (!marked[i])
      continue;
    const auto begin = i;
    while (i < marked.size() && marked[i])
      ++i;
    runs.push_back({from + static_cast<int64_t>(begin) * unit, from + static_cast<int64_t>(i) * unit});
  }
  return runs;
}

} // namespace storemon::test
