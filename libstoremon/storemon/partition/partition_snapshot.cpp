/// A partition's state as a number to compare it by, and as the chunks that make it anew.
#include "storemon/partition/partition_data.hpp"
#include "storemon/partition/state_hash.hpp"

#include <algorithm>

namespace storemon::partition {

namespace {

using protocol::snapshot_chunk;

// Numbers of chunks, as protocol::snapshot_chunk has them.
constexpr int64_t first_hours = -(int64_t{1} << 44);
constexpr int64_t dated_hours = -(int64_t{1} << 43); // plus the date's day
constexpr int64_t only_zones = -(int64_t{1} << 42);
constexpr int64_t first_closure = only_zones + 1;
constexpr int64_t only_pins = -(int64_t{1} << 41);
constexpr int64_t first_batches = -(int64_t{1} << 40); // plus the hour

void add(int64_t number, update change, std::vector<snapshot_chunk>& to) {
  to.push_back({number, std::make_shared<const update>(std::move(change))});
}

void add_unchanged(int64_t number, std::vector<snapshot_chunk>& to) {
  to.push_back({number, nullptr});
}

instant day_begin(int32_t day) {
  return std::chrono::sys_days(std::chrono::days(day));
}

/// The store's polls of a day, with its name where there are any.
void add_polls(const store& s, int32_t day, observation_rows& to) {
  const auto before = to.seen.size();
  for_each_poll(s, day_begin(day), day_begin(day + 1), [&](observation o) { to.seen.push_back(o); });
  if (to.seen.size() > before)
    to.store.resize(to.seen.size(), to.stores.add(s.id));
}

} // namespace

void partition_data::hash_days() {
  std::vector<std::pair<int32_t, day_state*>> stale;
  for (auto& [day, state] : days_)
    if (state.hashed < state.touched)
      stale.emplace_back(day, &state);
  std::vector<uint64_t> sums(stale.size());
  std::vector<bool> polled(stale.size());
  for (const auto& s : stores_) {
    const auto id = hash_of(s->id);
    for (size_t i = 0; i < stale.size(); ++i)
      for_each_poll(*s, day_begin(stale[i].first), day_begin(stale[i].first + 1), [&](observation o) {
        sums[i] += hash_of_poll(id, o);
        polled[i] = true;
      });
  }
  std::vector<int32_t> gone;
  for (size_t i = 0; i < stale.size(); ++i) {
    stale[i].second->hash = sums[i];
    stale[i].second->hashed = version_;
    if (!polled[i])
      gone.push_back(stale[i].first);
  }
  for (const auto day : gone)
    days_.erase(day);
}

uint64_t partition_data::state_hash() {
  hash_days();
  uint64_t sum = 0;
  for (const auto& [day, state] : days_)
    sum += state.hash;
  for (const auto& s : stores_)
    sum += hash_of_facts(*s);
  return sum;
}

protocol::snapshot partition_data::snapshot(uint64_t since) {
  sort_stores();
  protocol::snapshot made;
  made.observations = observations_;
  made.state_hash = state_hash();
  auto& chunks = made.chunks;
  add_hours_chunks(since, chunks);
  add_zones_chunk(since, chunks);
  add_closure_chunks(since, chunks);
  add_pins_chunk(since, chunks);
  add_batch_chunks(since, chunks);
  add_day_chunks(since, chunks);
  return made;
}

void partition_data::add_hours_chunks(uint64_t since, std::vector<snapshot_chunk>& to) const {
  if (stores_.empty())
    return;
  std::map<int64_t, hours_rows> chunks;
  auto& always = chunks[first_hours];
  for (const auto& s : stores_) {
    const auto index = always.stores.add(s->id);
    for (const auto& version : s->hours) {
      const bool dated = version.valid_from != always_valid;
      auto& rows = dated ? chunks[dated_hours + version.valid_from.time_since_epoch().count()] : always;
      rows.valid_from = version.valid_from;
      rows.rows.insert(rows.rows.end(), version.rows.begin(), version.rows.end());
      rows.store.resize(rows.rows.size(), dated ? rows.stores.add(s->id) : index);
    }
  }
  for (auto& [number, rows] : chunks)
    if (hours_touched_ > since)
      add(number, std::move(rows), to);
    else
      add_unchanged(number, to);
}

void partition_data::add_zones_chunk(uint64_t since, std::vector<snapshot_chunk>& to) const {
  zone_rows rows;
  for (const auto& s : stores_)
    if (const auto zone = s->zone_given(); !zone.empty()) {
      rows.stores.add(s->id);
      rows.zones.add(zone);
    }
  if (rows.stores.empty())
    return;
  if (zones_touched_ > since)
    add(only_zones, std::move(rows), to);
  else
    add_unchanged(only_zones, to);
}

void partition_data::add_closure_chunks(uint64_t since, std::vector<snapshot_chunk>& to) const {
  auto number = first_closure;
  for (const auto& s : stores_)
    for (const auto& closure : s->closures) {
      if (closures_touched_ > since)
        add(number, closure_change{s->id, closure}, to);
      else
        add_unchanged(number, to);
      ++number;
    }
}

void partition_data::add_pins_chunk(uint64_t since, std::vector<snapshot_chunk>& to) const {
  observation_rows rows;
  rows.rule = conflict_rule::replace;
  for (const auto& s : stores_) {
    if (s->pins.empty())
      continue;
    const auto index = rows.stores.add(s->id);
    for_each_correction(*s, [&](observation o) {
      rows.store.push_back(index);
      rows.seen.push_back(o);
    });
  }
  if (rows.seen.empty())
    return;
  if (pins_touched_ > since)
    add(only_pins, std::move(rows), to);
  else
    add_unchanged(only_pins, to);
}

void partition_data::add_batch_chunks(uint64_t since, std::vector<snapshot_chunk>& to) {
  std::map<int64_t, batch_memory> by_hour; // those that changed with their batches, the others empty
  batches_.for_each([&](const remembered_batch& b) {
    const auto hour = std::chrono::floor<std::chrono::hours>(b.written).time_since_epoch().count();
    auto& chunk = by_hour[hour];
    if (batches_touched_.at(hour) > since)
      chunk.batches.push_back(b);
  });
  std::erase_if(batches_touched_, [&](const auto& hour) { return !by_hour.contains(hour.first); });
  for (auto& [hour, batches] : by_hour)
    if (batches.batches.empty())
      add_unchanged(first_batches + hour, to);
    else
      add(first_batches + hour, std::move(batches), to);
}

void partition_data::add_day_chunks(uint64_t since, std::vector<snapshot_chunk>& to) const {
  std::map<int32_t, bool> days; // whether it changed
  for (const auto& [day, state] : days_)
    days.emplace(day, state.touched > since);
  for (const auto& [day, changed] : days) {
    if (!changed) {
      add_unchanged(day, to);
      continue;
    }
    observation_rows rows;
    for (const auto& s : stores_)
      add_polls(*s, day, rows);
    add(day, std::move(rows), to);
  }
}

} // namespace storemon::partition
