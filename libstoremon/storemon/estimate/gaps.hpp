#pragma once

#include "storemon/estimate/estimator.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace storemon::estimate {

/// What a gap is bordered by on its left.
enum class border : uint8_t { inactive, active, opening, always_open };

constexpr border seen(bool active) noexcept {
  return active ? border::active : border::inactive;
}

/// Time of a session in which nothing was seen.
struct gap {
  interval span;
  border left;
  std::optional<bool> right; ///< what was seen at its end; nothing: the session or the window ends there
};

/// The gaps of a session that meet a stretch within it, one after the other.
template <class Visit>
void visit_gaps(const store_view& view, const session& s, const interval& stretch, Visit&& visit) {
  const auto own = view.seen.subspan(s.first, s.last - s.first);
  const bool always_open = s.span.from < view.begins_known_from;
  auto right = std::partition_point(own.begin(), own.end(),
                                    [&](const observation& o) { return o.at() <= stretch.from; });
  gap g{{s.span.from, {}}, always_open ? border::always_open : border::opening, {}};
  if (right != own.begin())
    g = {{right[-1].at(), {}}, seen(right[-1].active()), {}};
  else if (always_open)
    g.span.from = stretch.from; // where it begins is no matter: the chain is in its long run
  for (; right != own.end() && g.span.from < stretch.to; ++right) {
    g.span.to = right->at();
    g.right = right->active();
    visit(g);
    g = {{right->at(), {}}, seen(right->active()), {}};
  }
  if (g.span.from < stretch.to) {
    g.span.to = stretch.to;
    visit(g);
  }
}

} // namespace storemon::estimate
