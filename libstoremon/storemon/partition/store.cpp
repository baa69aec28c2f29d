#include "storemon/partition/store.hpp"

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

/// Merges ascending `fresh` into an ascending history, from the back so that nothing is moved twice. Which of
/// the two is next is a coin toss no branch predictor wins, so the loop has no branch on it.
void merge(std::vector<observation>& history, std::span<const observation> fresh) {
  const auto held = history.size();
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
}

/// Leaves one observation of each instant, the inactive one where there are both; notes what is a conflict
/// now and was none before.
/// @returns how many conflicts that are.
int64_t squeeze(store& in, std::vector<observation>::iterator from) {
  auto& history = in.observations;
  int64_t conflicts = 0;
  auto kept = from;
  for (auto next = from; next != history.end();) {
    const auto group =
        std::find_if(next, history.end(), [&](observation o) { return !same_instant(o, *next); });
    // Ascending order puts the inactive ones first, so the last tells whether there is an active one.
    if (!next->active() && (group - 1)->active()) {
      const auto at = next->at();
      const auto place = std::lower_bound(in.conflicts.begin(), in.conflicts.end(), at);
      if (place == in.conflicts.end() || *place != at) {
        in.conflicts.insert(place, at);
        ++conflicts;
      }
    }
    *kept++ = *next;
    next = group;
  }
  history.erase(kept, history.end());
  if (history.capacity() > grown(history.size()))
    history.shrink_to_fit();
  return conflicts;
}

} // namespace

applied add_observations(store& to, std::span<const observation> fresh) {
  applied done;
  auto& history = to.observations;
  const auto held = history.size();
  merge(history, fresh);
  const auto repeated = std::adjacent_find(history.begin(), history.end(), same_instant);
  if (repeated != history.end())
    done.conflicts = squeeze(to, repeated);
  done.accepted = static_cast<int64_t>(history.size() - held);
  done.duplicates = static_cast<int64_t>(fresh.size()) - done.accepted - done.conflicts;
  return done;
}

applied add_hours(store& to, const hours_row& row) {
  applied done;
  const auto place = std::lower_bound(to.hours.begin(), to.hours.end(), row);
  if (place != to.hours.end() && *place == row) {
    done.duplicates = 1;
  } else {
    to.hours.insert(place, row);
    done.accepted = 1;
  }
  return done;
}

bool zone_wins(std::string_view name, std::string_view held) {
  const bool known = calendar::zone::find(name) != nullptr;
  const bool held_known = calendar::zone::find(held) != nullptr;
  return known != held_known ? known : name < held;
}

void set_zone(store& to, std::string_view name) {
  to.zone = calendar::zone::find(name);
  to.unknown_zone = to.zone ? std::string() : std::string(name);
}

void change_closures(store& to, const closure_change& change) {
  if (change.span.empty())
    return;
  if (change.withdrawn) {
    to.closures = subtract(to.closures, std::span(&change.span, 1));
  } else {
    to.closures.push_back(change.span);
    normalise(to.closures);
  }
}

} // namespace storemon::partition
