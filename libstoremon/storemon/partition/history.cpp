#include "storemon/partition/history.hpp"

#include <algorithm>

namespace storemon::partition {

namespace {

/// How much room a history gets when it must grow: enough that a store fed one poll at a time rarely moves,
/// little enough that a fleet's memory stays close to its polls.
constexpr size_t grown(size_t size) {
  return size + size / 4 + 4;
}

bool same_instant(observation a, observation b) noexcept {
  return a.at() == b.at();
}

bool before(observation o, instant at) noexcept {
  return o.at() < at;
}

template <class Instants>
bool contains(const Instants& ascending, instant at) {
  return std::binary_search(ascending.begin(), ascending.end(), at);
}

/// Adds instants to others; both ascending.
void unite(std::vector<instant>& to, std::span<const instant> more) {
  const auto held = static_cast<std::ptrdiff_t>(to.size());
  to.insert(to.end(), more.begin(), more.end());
  std::inplace_merge(to.begin(), to.begin() + held, to.end());
  to.erase(std::unique(to.begin(), to.end()), to.end());
}

/// The stretch of a history, as indexes, in which an instant may now occur twice.
struct stretch {
  size_t from;
  size_t to;
};

/// Merges ascending `fresh`, not empty, into an ascending history, from the back so that nothing is moved
/// twice. Which of the two is next is a coin toss no branch predictor wins, so the loop has no branch on it.
stretch merge(std::vector<observation>& history, std::span<const observation> fresh) {
  const auto held = history.size();
  stretch touched{held, held + fresh.size()};
  if (!history.empty() && history.back().at() >= fresh.front().at()) {
    const auto from = std::lower_bound(history.begin(), history.end(), fresh.front().at(), before);
    const auto after = std::lower_bound(from, history.end(), fresh.back().at() + duration(1), before);
    touched = {static_cast<size_t>(from - history.begin()),
               static_cast<size_t>(after - history.begin()) + fresh.size()};
  }
  if (history.capacity() < held + fresh.size())
    history.reserve(grown(held + fresh.size()));
  history.resize(held + fresh.size());
  auto* const begin = history.data();
  auto* out = begin + history.size();
  const auto* old = begin + held;
  const auto* next = fresh.data() + fresh.size();
  while (old != begin && next != fresh.data()) {
    const bool old_is_later = old[-1] > next[-1];
    *--out = old_is_later ? old[-1] : next[-1];
    old -= old_is_later;
    next -= !old_is_later;
  }
  std::copy(fresh.data(), next, begin);
  return touched;
}

/// Leaves one observation of each instant in `[first, last)`, the inactive one where there are both; notes
/// what is a conflict now and was none before.
void squeeze(store& in, std::vector<observation>::iterator first, std::vector<observation>::iterator last,
             std::vector<instant>& conflicts) {
  auto& history = in.observations;
  auto kept = first;
  for (auto next = first; next != last;) {
    const auto group = std::find_if(next, last, [&](observation o) { return !same_instant(o, *next); });
    // Ascending order puts the inactive ones first, so the last tells whether there is an active one.
    if (!next->active() && (group - 1)->active() && !contains(in.conflicts, next->at()))
      conflicts.push_back(next->at());
    *kept++ = *next;
    next = group;
  }
  history.erase(kept, last);
  if (history.capacity() > grown(history.size()))
    history.shrink_to_fit();
}

/// Adds polls where inactive wins at every instant.
void add_plainly(store& to, std::span<const observation> fresh, std::vector<instant>& conflicts) {
  auto& history = to.observations;
  const auto touched = merge(history, fresh);
  const auto last = history.begin() + static_cast<std::ptrdiff_t>(touched.to);
  const auto repeated =
      std::adjacent_find(history.begin() + static_cast<std::ptrdiff_t>(touched.from), last, same_instant);
  if (repeated != last)
    squeeze(to, repeated, last, conflicts);
}

/// Adds polls one instant after the other, where rules or pins say what stands.
void add_by_rule(store& to, std::span<const observation> fresh, conflict_rule rule,
                 std::vector<instant>& conflicts) {
  std::vector<observation> added;
  std::vector<instant> pinned;
  for (auto next = fresh.begin(); next != fresh.end();) {
    const auto group =
        std::find_if(next, fresh.end(), [&](observation o) { return !same_instant(o, *next); });
    const auto at = next->at();
    const bool is_pinned = contains(to.pins, at);
    const auto held = std::lower_bound(to.observations.begin(), to.observations.end(), at, before);
    bool contradicted = *next != *(group - 1);
    if (held == to.observations.end() || held->at() != at) {
      added.push_back(*next);
    } else {
      contradicted = contradicted || *held != *next;
      const bool inactive_now = rule == conflict_rule::inactive_wins && !is_pinned && !next->active();
      if (rule == conflict_rule::replace || inactive_now)
        *held = *next;
    }
    // A correction that contradicts what stands is told so, whether the instant was a conflict before or not.
    if (contradicted && (rule != conflict_rule::inactive_wins || !contains(to.conflicts, at)))
      conflicts.push_back(at);
    if (rule != conflict_rule::inactive_wins)
      pinned.push_back(at);
    next = group;
  }
  if (!added.empty())
    merge(to.observations, added);
  unite(to.pins, pinned);
}

} // namespace

applied add_observations(store& to, std::span<const observation> fresh, conflict_rule rule,
                         std::vector<instant>& conflicts) {
  conflicts.clear();
  if (fresh.empty())
    return {};
  const auto held = to.observations.size();
  if (rule == conflict_rule::inactive_wins && to.pins.empty())
    add_plainly(to, fresh, conflicts);
  else
    add_by_rule(to, fresh, rule, conflicts);
  if (!conflicts.empty())
    unite(to.conflicts, conflicts);
  applied done;
  done.accepted = static_cast<int64_t>(to.observations.size() - held);
  done.conflicts = static_cast<int64_t>(conflicts.size());
  done.duplicates = static_cast<int64_t>(fresh.size()) - done.accepted - done.conflicts;
  return done;
}

std::optional<store_status> status_at(const store& s, instant at) {
  const auto held = std::lower_bound(s.observations.begin(), s.observations.end(), at, before);
  if (held == s.observations.end() || held->at() != at)
    return std::nullopt;
  return held->status();
}

bool is_held(const store& s, observation poll, conflict_rule rule) {
  const auto stands = status_at(s, poll.at());
  if (!stands || (*stands != poll.status() && !contains(s.conflicts, poll.at())))
    return false;
  if (rule == conflict_rule::inactive_wins)
    return true;
  return contains(s.pins, poll.at()) && (rule == conflict_rule::keep || *stands == poll.status());
}

} // namespace storemon::partition
