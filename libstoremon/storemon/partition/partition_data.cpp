#include "storemon/partition/partition_data.hpp"

#include "storemon/calendar/opening_intervals.hpp"
#include "storemon/estimate/measurer.hpp"

#include <algorithm>

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

/// Asks the memory for the begin of a store's history, which lies apart from all others.
void prefetch(const store& s) {
  constexpr size_t line_bytes = 64;
  constexpr size_t lines = 8; // the processor itself notices the direction then
  const auto* begin = reinterpret_cast<const char*>(s.observations.data());
  const auto bytes = s.observations.size() * sizeof(observation);
  // Recent windows look at the end.
  const auto* from = bytes > lines * line_bytes ? begin + (bytes - lines * line_bytes) : begin;
  for (size_t i = 0; i < lines; ++i)
    __builtin_prefetch(from + i * line_bytes);
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
  }
  return done;
}

protocol::batch_result partition_data::check(const observation_rows& rows) const {
  protocol::batch_result would;
  std::map<std::pair<uint32_t, instant>, store_status> within; // of the rows
  for (size_t i = 0; i < rows.seen.size(); ++i) {
    const auto row = rows.seen[i];
    const auto id = rows.stores[rows.store[i]];
    auto [known, is_new] = within.try_emplace({rows.store[i], row.at()}, row.status());
    const auto found = index_.find(id);
    if (is_new && found != index_.end()) {
      const auto& held = found->second->observations;
      const auto at =
          std::lower_bound(held.begin(), held.end(), observation(row.at(), store_status::inactive));
      if (at != held.end() && at->at() == row.at()) {
        known->second = at->status();
        is_new = false;
      }
    }
    if (is_new)
      ++would.done.accepted;
    else if (known->second == row.status())
      ++would.done.duplicates;
    else {
      ++would.done.conflicts;
      if (would.conflicts.size() < protocol::conflicts_listed_max)
        would.conflicts.push_back({std::string(id), row.at(), known->second});
    }
  }
  return would;
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
  const auto* gone = found->second;
  index_.erase(found);
  std::erase_if(stores_, [gone](const auto& s) { return s.get() == gone; });
  done.accepted = 1;
  return done;
}

protocol::census partition_data::census() const {
  protocol::census sum;
  for (const auto& s : stores_) {
    protocol::census one{1, static_cast<int64_t>(s->observations.size()), std::nullopt};
    if (!s->observations.empty())
      one.newest = s->observations.back().at();
    sum += one;
  }
  return sum;
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
  const auto covers = measurer.covers();
  interval_set opening;
  for (size_t i = 0; i < count; ++i) {
    const auto& s = *first[static_cast<std::ptrdiff_t>(i)];
    if (i + 1 < count)
      prefetch(*first[static_cast<std::ptrdiff_t>(i + 1)]);
    slice.stores.add(s.id);
    if (s.hours.empty())
      opening.assign(1, covers);
    else
      calendar::opening_intervals(s.hours, s.zone_in_force(), covers, opening);
    measurer.measure_store({opening, s.closures, s.observations}, slice.measures.data() + i, count);
  }
  return slice;
}

} // namespace storemon::partition
