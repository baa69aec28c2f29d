#pragma once

#include "storemon/estimate/estimator.hpp"

#include <algorithm>
#include <concepts>

namespace storemon::estimate {

/// What a rule that carries states believes, told piece by piece; it adds up the active time itself.
template <class Rule>
concept gap_rule = requires(Rule rule, bool state, duration length) {
  /// Only one observation counts: the time between `near` and `far` away from it, on either side.
  { rule.beside(state, length, length) } -> std::same_as<void>;
  /// The whole time between two observations `gap` apart: left, right, gap.
  { rule.whole(state, state, length) } -> std::same_as<void>;
  /// Of that time the part from `begin` to `end` after the left one: left, right, gap, begin, end.
  { rule.part(state, state, length, length, length) } -> std::same_as<void>;
};

/// Leads a rule over a stretch: before the first observation, through every gap that meets the stretch, and
/// after the last one.
/// @param seen   not empty, ascending; what the rule is to know, within the stretch or not.
/// @param next   index of the first observation that is not before the stretch, or the size; one right at
///               its begin may be passed over.
template <gap_rule Rule>
void walk(std::span<const observation> seen, size_t next, const interval& stretch, Rule& rule) {
  const auto to = stretch.to;
  auto from = stretch.from;
  auto right = seen.begin() + static_cast<ptrdiff_t>(next);
  const auto part_until = [&](instant end) {
    const auto left = right[-1];
    rule.part(left.active(), right->active(), right->at() - left.at(), from - left.at(), end - left.at());
  };

  if (right == seen.begin()) {
    const auto end = std::min(to, right->at());
    rule.beside(right->active(), right->at() - end, right->at() - from);
    from = right->at();
    ++right;
  } else if (right != seen.end() && right[-1].at() < from) {
    part_until(std::min(to, right->at()));
    from = right->at();
    ++right;
  }
  for (; right != seen.end() && right->at() <= to; ++right) {
    rule.whole(right[-1].active(), right->active(), right->at() - from);
    from = right->at();
  }
  if (from >= to)
    return;
  if (right != seen.end())
    part_until(to);
  else
    rule.beside(right[-1].active(), from - right[-1].at(), to - right[-1].at());
}

/// Leads a rule over the opening time of a window. A session alone sees its own observations; in the other
/// scopes every stretch of opening time sees them all.
/// @returns the opening time about which anything was seen.
template <gap_rule Rule>
duration walk_window(const store_view& view, observation_scope scope, Rule& rule) {
  auto judged = duration::zero();
  for (const auto& s : view.asked) {
    const bool alone = scope == observation_scope::session;
    const size_t first = alone ? s.first : 0;
    const size_t last = alone ? s.last : view.seen.size();
    if (first == last)
      continue;
    const auto stretch = intersect(s.span, view.window);
    const size_t next = std::max(s.first, view.first_in_window);
    judged += stretch.length();
    walk(view.seen.subspan(first, last - first), next - first, stretch, rule);
  }
  return judged;
}

} // namespace storemon::estimate
