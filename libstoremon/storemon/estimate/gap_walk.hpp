#pragma once

#include "storemon/estimate/estimator.hpp"

#include <algorithm>
#include <concepts>

namespace storemon::estimate {

/// What a rule that carries states believes, told piece by piece; it adds up the active time itself.
template <class Rule>
concept gap_rule = requires(Rule rule, bool active, duration length) {
  /// Only one observation counts: the time between `near` and `far` away from it, on either side.
  { rule.beside(active, length, length) } -> std::same_as<void>;
  /// Two observations `gap` apart: the time from `begin` to `end` after the left one.
  { rule.between(active, active, length, length, length) } -> std::same_as<void>;
};

/// The sessions that meet a window, the one that begins where the window ends included: a poll at the
/// window's end belongs to the window.
inline std::span<const session> meeting(std::span<const session> sessions, const interval& window) noexcept {
  const auto first = std::partition_point(sessions.begin(), sessions.end(),
                                          [&](const session& s) { return s.span.to <= window.from; });
  const auto last =
      std::partition_point(first, sessions.end(), [&](const session& s) { return s.span.from <= window.to; });
  return {first, last};
}

/// Leads a rule over a stretch: before the first observation, through every gap that meets the stretch, and
/// after the last one.
/// @param seen  not empty, ascending; what the rule is to know, within the stretch or not.
template <gap_rule Rule>
void walk(std::span<const observation> seen, const interval& stretch, Rule& rule) {
  auto from = stretch.from;
  const auto to = stretch.to;
  auto right = seen.begin();
  if (from < right->at()) {
    const auto end = std::min(to, right->at());
    rule.beside(right->active(), right->at() - end, right->at() - from);
    from = end;
    ++right;
  } else {
    right = std::partition_point(right, seen.end(), [&](const observation& o) { return o.at() <= from; });
  }
  for (; right != seen.end() && from < to; ++right) {
    const auto left = right[-1];
    const auto end = std::min(to, right->at());
    rule.between(left.active(), right->active(), right->at() - left.at(), from - left.at(), end - left.at());
    from = end;
  }
  if (from < to)
    rule.beside(right[-1].active(), from - right[-1].at(), to - right[-1].at());
}

/// Leads a rule over the opening time of a window. A session alone sees its own observations; in the other
/// scopes every stretch of opening time sees them all.
/// @returns the opening time about which anything was seen.
template <gap_rule Rule>
duration walk_window(const store_view& view, observation_scope scope, Rule& rule) {
  auto judged = duration::zero();
  for (const auto& s : meeting(view.sessions, view.window)) {
    const auto seen =
        scope == observation_scope::session ? view.seen.subspan(s.first, s.last - s.first) : view.seen;
    if (seen.empty())
      continue;
    const auto stretch = intersect(s.span, view.window);
    judged += stretch.length();
    walk(seen, stretch, rule);
  }
  return judged;
}

} // namespace storemon::estimate
