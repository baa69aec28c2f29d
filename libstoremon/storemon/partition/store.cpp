#include "storemon/partition/store.hpp"

#include <algorithm>

namespace storemon::partition {

namespace {

/// How much room a history gets when it must grow: enough that a store fed one poll at a time rarely moves,
/// little enough that a fleet's memory stays close to its polls.
constexpr size_t grown(size_t size) {
  return size + size / 4 + 4;
}

/// What stands at one instant, in the history and in the fresh polls.
struct seen_statuses {
  bool active = false;
  bool inactive = false;

  bool conflict() const noexcept { return active && inactive; }

  void add(observation o) noexcept { (o.active() ? active : inactive) = true; }
};

/// Inserts ascending `fresh`, none of whose instants the history has, from the back so that nothing is moved
/// twice.
void merge(std::vector<observation>& history, std::span<const observation> fresh) {
  const auto held = history.size();
  if (history.capacity() < held + fresh.size())
    history.reserve(grown(held + fresh.size()));
  history.resize(held + fresh.size());
  auto out = history.end();
  auto old = history.begin() + static_cast<std::ptrdiff_t>(held);
  auto next = fresh.end();
  while (next != fresh.begin()) {
    if (old != history.begin() && *(old - 1) > *(next - 1))
      *--out = *--old;
    else
      *--out = *--next;
  }
}

} // namespace

applied add_observations(store& to, std::span<observation> fresh) {
  applied done;
  auto& history = to.observations;
  size_t kept = 0; // fresh[0, kept) are the instants the history has not
  auto held = fresh.empty() ? history.end()
                            : std::lower_bound(history.begin(), history.end(),
                                               observation(fresh[0].at(), store_status::inactive));
  for (size_t i = 0; i < fresh.size();) {
    const auto at = fresh[i].at();
    const auto first = fresh[i];
    seen_statuses seen;
    int64_t rows = 0;
    for (; i < fresh.size() && fresh[i].at() == at; ++i, ++rows)
      seen.add(fresh[i]);
    while (held != history.end() && held->at() < at)
      ++held;
    if (held != history.end() && held->at() == at) {
      const auto known = std::lower_bound(to.conflicts.begin(), to.conflicts.end(), at);
      const bool was_conflict = known != to.conflicts.end() && *known == at;
      seen.add(*held);
      const bool is_new_conflict = seen.conflict() && !was_conflict;
      if (is_new_conflict) {
        to.conflicts.insert(known, at);
        *held = observation(at, store_status::inactive);
      }
      done.conflicts += is_new_conflict;
      done.duplicates += rows - is_new_conflict;
    } else {
      if (seen.conflict())
        to.conflicts.insert(std::lower_bound(to.conflicts.begin(), to.conflicts.end(), at), at);
      done.accepted += 1;
      done.conflicts += seen.conflict();
      done.duplicates += rows - 1 - seen.conflict();
      fresh[kept++] = first; // of an instant's polls the inactive one comes first
    }
  }
  merge(history, fresh.first(kept));
  return done;
}

applied add_hours(store& to, const hours_row& row, uint64_t revision) {
  applied done;
  if (revision < to.hours_revision)
    return done;
  if (revision > to.hours_revision) {
    to.hours.clear();
    to.hours_revision = revision;
  }
  const auto place = std::lower_bound(to.hours.begin(), to.hours.end(), row);
  if (place != to.hours.end() && *place == row) {
    done.duplicates = 1;
  } else {
    to.hours.insert(place, row);
    done.accepted = 1;
  }
  return done;
}

applied add_zone(store& to, std::string_view name, uint64_t revision) {
  applied done;
  if (revision < to.zone_revision)
    return done;
  const auto* zone = calendar::zone::find(name);
  const bool has_one = to.zone || !to.unknown_zone.empty();
  if (revision == to.zone_revision && has_one) {
    const std::string_view held =
        to.zone ? std::string_view(to.zone->name()) : std::string_view(to.unknown_zone);
    done.duplicates = 1;
    const bool wins = (zone != nullptr) != (to.zone != nullptr) ? zone != nullptr : name < held;
    if (!wins)
      return done;
  } else {
    done.accepted = 1;
  }
  to.zone_revision = revision;
  to.zone = zone;
  to.unknown_zone = zone ? std::string() : std::string(name);
  return done;
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
