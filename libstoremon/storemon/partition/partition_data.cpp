#include "storemon/partition/partition_data.hpp"

#include "storemon/estimate/estimators.hpp"
#include "storemon/estimate/measurer.hpp"
#include "storemon/partition/history.hpp"
#include "storemon/partition/opening.hpp"

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

/// How many stores ahead of the one being measured the memory is asked for a store, and for what it points to
/// once it is there: all of them lie apart from one another.
constexpr size_t stores_ahead = 6;
constexpr size_t contents_ahead = 3;
constexpr size_t hours_ahead = 1;

void prefetch(const void* begin, size_t bytes) {
  constexpr size_t line_bytes = 64;
  for (size_t i = 0; i < bytes; i += line_bytes)
    __builtin_prefetch(static_cast<const char*>(begin) + i);
}

void prefetch_contents(const store& s) {
  constexpr size_t history_bytes_max = 2048; // the measurer asks for the rest
  __builtin_prefetch(s.hours.data());
  prefetch(s.observations.data(), std::min(history_bytes_max, s.observations.size() * sizeof(observation)));
  if (!s.observations.empty())
    __builtin_prefetch(&s.observations.back());
}

void prefetch_hours(const store& s) {
  if (!s.hours.empty())
    prefetch(s.hours.back().rows.data(), s.hours.back().rows.size() * sizeof(hours_row));
}

} // namespace

const store* partition_data::find(std::string_view id) const {
  const auto found = index_.find(id);
  return found == index_.end() ? nullptr : found->second;
}

void partition_data::sort_stores() {
  if (sorted_)
    return;
  std::sort(stores_.begin(), stores_.end(), [](const auto& a, const auto& b) { return a->id < b->id; });
  sorted_ = true;
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
    sum.only_polled += !s->observations.empty() && s->hours.empty() && s->zone_given().empty();
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

protocol::store_card partition_data::card(std::string_view id, instant until) const {
  protocol::store_card card;
  const auto* s = find(id);
  if (!s)
    return card;
  card.known = true;
  card.zone = s->zone_given();
  card.zone_known = s->zone != nullptr;
  card.hours = s->hours;
  card.closures = s->closures;
  const auto seen = std::partition_point(s->observations.begin(), s->observations.end(),
                                         [until](observation o) { return o.at() <= until; });
  card.observations = seen - s->observations.begin();
  card.conflicts = std::upper_bound(s->conflicts.begin(), s->conflicts.end(), until) - s->conflicts.begin();
  if (card.observations > 0) {
    card.oldest = s->observations.front().at();
    card.newest = seen[-1].at();
    card.newest_status = seen[-1].status();
  }
  return card;
}

std::span<const std::unique_ptr<store>> partition_data::slice(std::string_view after, size_t stores_max,
                                                              size_t observations_max) {
  sort_stores();
  const auto first = std::upper_bound(stores_.begin(), stores_.end(), after,
                                      [](std::string_view id, const auto& s) { return id < s->id; });
  auto last = first;
  size_t observations = 0;
  while (last != stores_.end() && static_cast<size_t>(last - first) < stores_max &&
         (last == first || observations + (*last)->observations.size() <= observations_max)) {
    observations += (*last)->observations.size();
    ++last;
  }
  return {first, last};
}

bool partition_data::is_last(std::span<const std::unique_ptr<store>> of) const {
  return of.data() + of.size() == stores_.data() + stores_.size();
}

namespace {

/// Calls `visit(store, facts)` for each store of a slice, with the opening intervals that the measurer needs,
/// until time is up.
/// @returns for how many it was called: at least one of any
template <class Visit>
size_t for_each_opened(std::span<const std::unique_ptr<store>> slice, const estimate::measurer& measurer,
                       std::chrono::steady_clock::duration time_max, Visit visit) {
  using clock = std::chrono::steady_clock;
  const auto begun = clock::now();
  interval_set opening;
  for (size_t i = 0; i < slice.size(); ++i) {
    const auto& s = *slice[i];
    if (i + stores_ahead < slice.size())
      prefetch(slice[i + stores_ahead].get(), sizeof(store));
    if (i + contents_ahead < slice.size())
      prefetch_contents(*slice[i + contents_ahead]);
    if (i + hours_ahead < slice.size())
      prefetch_hours(*slice[i + hours_ahead]);
    opening_intervals(s.hours, s.zone_in_force(), measurer.needed(s.observations), opening);
    visit(s, estimate::store_facts{opening, s.closures, s.observations});
    if (clock::now() - begun > time_max)
      return i + 1;
  }
  return slice.size();
}

/// Moves the first `rows` of each window together, where there was room for `room` of them.
template <class Value>
void close_up(std::vector<Value>& by_window, size_t windows, size_t room, size_t rows) {
  for (size_t w = 1; w < windows; ++w)
    std::move(by_window.begin() + static_cast<ptrdiff_t>(w * room),
              by_window.begin() + static_cast<ptrdiff_t>(w * room + rows),
              by_window.begin() + static_cast<ptrdiff_t>(w * rows));
  by_window.resize(windows * rows);
}

} // namespace

report_columns partition_data::rows(const report_spec& spec, std::string_view after,
                                    const slice_limits& limits) {
  estimate::measurer measurer(spec);
  const bool weighed = measurer.weighs_behaviours();
  const auto stores = slice(after, limits.stores_max, weighed ? limits.weighed_max : limits.observations_max);
  const auto count = stores.size();
  size_t id_bytes = 0;
  for (const auto& s : stores)
    id_bytes += s->id.size();
  report_columns columns;
  columns.stores.reserve(count, id_bytes);
  columns.measures.resize(count * spec.windows.size());
  if (weighed) {
    columns.bounds.resize(columns.measures.size());
    columns.active_now.reserve(count);
  }
  const auto visit = [&](const store& s, const estimate::store_facts& facts) {
    const auto i = columns.stores.size();
    columns.stores.add(s.id);
    measurer.measure_store(facts, columns.measures.data() + i, count);
    if (!weighed)
      return;
    for (size_t w = 0; w < spec.windows.size(); ++w)
      columns.bounds[w * count + i] = measurer.bounds()[w];
    columns.active_now.push_back(measurer.active_now());
  };
  const auto rows = for_each_opened(stores, measurer, limits.time_max, visit);
  columns.last = is_last(stores.first(rows));
  if (rows < count) {
    close_up(columns.measures, spec.windows.size(), count, rows);
    if (weighed)
      close_up(columns.bounds, spec.windows.size(), count, rows);
  }
  return columns;
}

protocol::fit_slice partition_data::observe(const protocol::fit_order& order, const slice_limits& limits,
                                            std::vector<estimate::class_likelihoods>& to) {
  const report_spec spec{std::string(estimate::telegraph_chain().name()),
                         observation_scope::session,
                         order.as_of,
                         {{"", {order.as_of, order.as_of}}}};
  estimate::measurer measurer(spec);
  const auto stores = slice(order.after, limits.stores_max, limits.weighed_max);
  protocol::fit_slice seen;
  const auto visit = [&](const store&, const estimate::store_facts& facts) {
    if (const auto observed = measurer.observe(facts)) {
      ++seen.stores;
      seen.observations += observed->observations;
      to.push_back(observed->likelihoods);
    }
  };
  const auto looked_at = stores.first(for_each_opened(stores, measurer, limits.time_max, visit));
  seen.last = is_last(looked_at);
  if (!looked_at.empty())
    seen.through = looked_at.back()->id;
  return seen;
}

} // namespace storemon::partition
