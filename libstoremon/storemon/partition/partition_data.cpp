#include "storemon/partition/partition_data.hpp"

#include "storemon/calendar/opening_intervals.hpp"
#include "storemon/estimate/measurer.hpp"

#include <algorithm>
#include <utility>

namespace storemon::partition {

namespace {

constexpr size_t words_per_day = (24 * 60 + 63) / 64;

/// Marks the minutes of a store's polls in the fleet's bitmap.
void mark_minutes(std::span<const observation> polls, std::map<int32_t, std::vector<uint64_t>>& minutes) {
  using namespace std::chrono;
  instant day_begin = instant::max(); // of the day whose words are at hand; none yet
  uint64_t* words = nullptr;
  for (const auto poll : polls) {
    auto in_day = poll.at() - day_begin;
    if (!words || in_day < duration::zero() || in_day >= days(1)) {
      const auto day = floor<days>(poll.at());
      auto& marks = minutes[static_cast<int32_t>(day.time_since_epoch().count())];
      marks.resize(words_per_day);
      words = marks.data();
      day_begin = day;
      in_day = poll.at() - day_begin;
    }
    const auto bit = static_cast<uint64_t>(in_day.count()) / 60'000'000;
    words[bit / 64] |= uint64_t{1} << (bit % 64);
  }
}

/// How many stores ahead of the one being measured the memory is asked for a store, and for what it points to
/// once it is there: all of them lie apart from one another.
constexpr size_t stores_ahead = 6;
constexpr size_t contents_ahead = 3;

void prefetch(const void* begin, size_t bytes) {
  constexpr size_t line_bytes = 64;
  for (size_t i = 0; i < bytes; i += line_bytes)
    __builtin_prefetch(static_cast<const char*>(begin) + i);
}

void prefetch_contents(const store& s) {
  constexpr size_t history_bytes_max = 2048; // the measurer asks for the rest
  prefetch(s.hours.data(), s.hours.size() * sizeof(hours_row));
  prefetch(s.observations.data(), std::min(history_bytes_max, s.observations.size() * sizeof(observation)));
  if (!s.observations.empty())
    __builtin_prefetch(&s.observations.back());
}

} // namespace

applied partition_data::apply(const update& change) {
  return std::visit([this](const auto& c) { return apply_to(c); }, change);
}

store& partition_data::find_or_make(std::string_view id) {
  if (const auto found = index_.find(id); found != index_.end())
    return *found->second;
  auto made = std::make_unique<store>();
  made->id = id;
  index_.emplace(made->id, made.get());
  stores_.push_back(std::move(made));
  sorted_ = stores_.size() < 2;
  return *stores_.back();
}

applied partition_data::apply_to(const observation_rows& change) {
  // A counting sort by store: afterwards the rows of store s are scratch_[ends[s], ends[s + 1]).
  auto& ends = scratch_ends_;
  ends.assign(change.stores.size() + 1, 0);
  for (const auto s : change.store)
    ++ends[s + 1];
  for (size_t s = 1; s < ends.size(); ++s)
    ends[s] += ends[s - 1];
  scratch_.resize(change.seen.size());
  for (size_t i = change.seen.size(); i-- > 0;)
    scratch_[--ends[change.store[i] + 1]] = change.seen[i];
  // Each end has moved down to its store's begin; the next one's begin is its end.
  applied done;
  for (size_t s = 0; s < change.stores.size(); ++s) {
    const auto from = ends[s + 1];
    const auto to = s + 2 < ends.size() ? ends[s + 2] : static_cast<uint32_t>(scratch_.size());
    const std::span rows(scratch_.data() + from, to - from);
    std::sort(rows.begin(), rows.end());
    done += add_observations(find_or_make(change.stores[s]), rows);
    if (!rows.empty())
      newest_ = std::max(newest_.value_or(rows.back().at()), rows.back().at());
  }
  observations_ += done.accepted;
  return done;
}

applied partition_data::apply_to(const hours_rows& change) {
  std::vector<store*> named;
  named.reserve(change.stores.size());
  for (size_t s = 0; s < change.stores.size(); ++s) {
    named.push_back(&find_or_make(change.stores[s]));
    named.back()->hours.clear();
  }
  applied done;
  for (size_t i = 0; i < change.rows.size(); ++i)
    done += add_hours(*named[change.store[i]], change.rows[i]);
  return done;
}

applied partition_data::apply_to(const zone_rows& change) {
  boost::unordered_flat_map<std::string_view, std::string_view> chosen;
  applied done;
  for (size_t s = 0; s < change.stores.size(); ++s) {
    const auto [place, is_new] = chosen.emplace(change.stores[s], change.zones[s]);
    (is_new ? done.accepted : done.duplicates) += 1;
    if (!is_new && zone_wins(change.zones[s], place->second))
      place->second = change.zones[s];
  }
  for (const auto& [id, zone] : chosen)
    set_zone(find_or_make(id), zone);
  return done;
}

applied partition_data::apply_to(const batch_memory&) {
  return {};
}

applied partition_data::apply_to(const closure_change& change) {
  change_closures(find_or_make(change.store), change);
  applied done;
  done.accepted = 1;
  return done;
}

applied partition_data::apply_to(const store_deletion& change) {
  applied done;
  const auto found = index_.find(change.store);
  if (found == index_.end())
    return done;
  auto* gone = found->second;
  index_.erase(found);
  const auto held = std::exchange(gone->observations, {});
  std::erase_if(stores_, [gone](const auto& s) { return s.get() == gone; });
  observations_ -= static_cast<int64_t>(held.size());
  if (!held.empty() && held.back().at() == newest_)
    newest_ = find_newest();
  done.accepted = 1;
  return done;
}

std::optional<instant> partition_data::find_newest() const {
  std::optional<instant> newest;
  for (const auto& s : stores_)
    if (!s->observations.empty())
      newest = std::max(newest.value_or(s->observations.back().at()), s->observations.back().at());
  return newest;
}

protocol::census partition_data::census() const {
  return {static_cast<int64_t>(stores_.size()), observations_, newest_};
}

protocol::data_quality partition_data::quality() const {
  protocol::data_quality sum;
  for (const auto& s : stores_) {
    sum.stores += 1;
    sum.observations += static_cast<int64_t>(s->observations.size());
    sum.conflicts += static_cast<int64_t>(s->conflicts.size());
    sum.without_hours += s->hours.empty();
    sum.without_zone += !s->zone && s->unknown_zone.empty();
    sum.unknown_zone += !s->unknown_zone.empty();
    sum.never_polled += s->observations.empty();
    if (s->observations.empty())
      continue;
    const auto first = s->observations.front().at();
    const auto last = s->observations.back().at();
    sum.oldest = std::min(sum.oldest.value_or(first), first);
    sum.newest = std::max(sum.newest.value_or(last), last);
    mark_minutes(s->observations, sum.polled_minutes);
  }
  return sum;
}

report_columns partition_data::rows(const report_spec& spec, std::string_view after,
                                    const slice_limits& limits) {
  if (!sorted_) {
    std::sort(stores_.begin(), stores_.end(), [](const auto& a, const auto& b) { return a->id < b->id; });
    sorted_ = true;
  }
  const auto first = std::upper_bound(stores_.begin(), stores_.end(), after,
                                      [](std::string_view id, const auto& s) { return id < s->id; });
  auto last = first;
  size_t observations = 0;
  size_t id_bytes = 0;
  while (last != stores_.end() && static_cast<size_t>(last - first) < limits.stores_max &&
         (last == first || observations + (*last)->observations.size() <= limits.observations_max)) {
    observations += (*last)->observations.size();
    id_bytes += (*last)->id.size();
    ++last;
  }
  const auto count = static_cast<size_t>(last - first);
  report_columns slice;
  slice.last = last == stores_.end();
  slice.stores.reserve(count, id_bytes);
  slice.measures.resize(count * spec.windows.size());
  estimate::measurer measurer(spec);
  interval_set opening;
  for (size_t i = 0; i < count; ++i) {
    const auto& s = *first[static_cast<std::ptrdiff_t>(i)];
    if (i + stores_ahead < count)
      prefetch(first[static_cast<std::ptrdiff_t>(i + stores_ahead)].get(), sizeof(store));
    if (i + contents_ahead < count)
      prefetch_contents(*first[static_cast<std::ptrdiff_t>(i + contents_ahead)]);
    slice.stores.add(s.id);
    const auto needed = measurer.needed(s.observations);
    if (s.hours.empty())
      opening.assign(1, needed);
    else
      calendar::opening_intervals(s.hours, s.zone_in_force(), needed, opening);
    measurer.measure_store({opening, s.closures, s.observations}, slice.measures.data() + i, count);
  }
  return slice;
}

} // namespace storemon::partition
