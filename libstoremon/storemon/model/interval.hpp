#pragma once

#include "storemon/model/instant.hpp"

#include <algorithm>
#include <span>
#include <vector>

namespace storemon {

/// Half-open stretch of UTC, `[from, to)`; empty when `from >= to`.
struct interval {
  instant from;
  instant to;

  duration length() const noexcept { return std::max(to - from, duration::zero()); }

  bool empty() const noexcept { return from >= to; }

  bool contains(instant at) const noexcept { return from <= at && at < to; }

  friend bool operator==(const interval&, const interval&) = default;
};

/// The common part; empty when there is none.
inline interval intersect(const interval& a, const interval& b) noexcept {
  return {std::max(a.from, b.from), std::min(a.to, b.to)};
}

/// A set of instants: its intervals are not empty, ascend, and neither overlap nor touch.
using interval_set = std::vector<interval>;

/// Turns any intervals into the set of the instants they cover: sorts, drops empty ones, joins what overlaps
/// or touches.
void normalise(interval_set& set);

/// The instants of `set` that are not in `taken`; both normalised.
interval_set subtract(std::span<const interval> set, std::span<const interval> taken);

/// The same, written to `left`: cleared first, its capacity is reused.
void subtract(std::span<const interval> set, std::span<const interval> taken, interval_set& left);

/// Length of the common part of a normalised set and one interval.
duration overlap(std::span<const interval> set, const interval& with) noexcept;

} // namespace storemon
