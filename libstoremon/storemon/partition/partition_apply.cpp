/// How the stores of a partition change.
#include "storemon/partition/history.hpp"
#include "storemon/partition/partition_data.hpp"

#include <algorithm>

namespace storemon::partition {

namespace {

/// Puts rows of an update together by store, with a counting sort; see rows_of. The buffers are reused.
template <class Row>
void sort_by_store(size_t stores, const std::vector<uint32_t>& store, const std::vector<Row>& rows,
                   std::vector<uint32_t>& begin_of, std::vector<Row>& sorted) {
  begin_of.assign(stores + 1, 0);
  for (const auto s : store)
    ++begin_of[s + 1];
  for (size_t s = 1; s < begin_of.size(); ++s)
    begin_of[s] += begin_of[s - 1];
  sorted.resize(rows.size());
  for (size_t i = rows.size(); i-- > 0;)
    sorted[--begin_of[store[i] + 1]] = rows[i];
  // Each end has moved down to its store's begin; the next one's begin is its end.
}

template <class Row>
std::span<Row> rows_of(size_t s, const std::vector<uint32_t>& begin_of, std::vector<Row>& sorted) {
  const auto from = begin_of[s + 1];
  const auto to = s + 2 < begin_of.size() ? begin_of[s + 2] : static_cast<uint32_t>(sorted.size());
  return {sorted.data() + from, to - from};
}

} // namespace

applied partition_data::apply(const update& change) {
  ++version_;
  return std::visit([this](const auto& c) { return apply_to(c); }, change);
}

applied partition_data::apply(const journal_entry& entry) {
  const auto done = apply(entry.change);
  if (entry.mark.given())
    remember({entry.mark, entry.written, done});
  return done;
}

void partition_data::remember(const remembered_batch& batch) {
  const auto hour = std::chrono::floor<std::chrono::hours>(batch.written);
  batches_touched_[hour.time_since_epoch().count()] = ++version_;
  batches_.remember(batch);
}

store& partition_data::find_or_make(std::string_view id) {
  if (const auto found = index_.find(id); found != index_.end())
    return *found->second;
  auto made = std::make_unique<store>();
  made->id = id;
  index_.emplace(made->id, made.get());
  stores_.push_back(std::move(made));
  sorted_ = stores_.size() < 2;
  hours_touched_ = version_;
  return *stores_.back();
}

void partition_data::touch_days(std::span<const observation> polls) {
  using std::chrono::days;
  instant day_end = instant::min();
  for (const auto poll : polls) {
    if (poll.at() < day_end)
      continue;
    const auto day = std::chrono::floor<days>(poll.at());
    day_end = day + days(1);
    days_[static_cast<int32_t>(day.time_since_epoch().count())].touched = version_;
  }
}

applied partition_data::apply(const observation_rows& change,
                              std::vector<protocol::conflict_seen>* conflicts) {
  ++version_;
  if (change.seen.empty())
    return name_stores(change.stores);
  const bool pins = change.rule != conflict_rule::inactive_wins;
  if (pins)
    batches_.seal();
  sort_by_store(change.stores.size(), change.store, change.seen, scratch_ends_, scratch_);
  // Stores and their histories lie apart from one another: the memory is asked for them ahead of their use.
  scratch_stores_.clear();
  for (size_t s = 0; s < change.stores.size(); ++s) {
    auto& to = find_or_make(change.stores[s]);
    __builtin_prefetch(&to.observations);
    scratch_stores_.push_back(&to);
  }
  constexpr size_t stores_ahead = 4;
  applied done;
  for (size_t s = 0; s < change.stores.size(); ++s) {
    if (s + stores_ahead < scratch_stores_.size())
      if (const auto& next = scratch_stores_[s + stores_ahead]->observations; !next.empty())
        __builtin_prefetch(&next.back(), 1);
    const auto rows = rows_of(s, scratch_ends_, scratch_);
    std::sort(rows.begin(), rows.end());
    auto& to = *scratch_stores_[s];
    if (rows.empty())
      continue;
    const auto one = add_observations(to, rows, change.rule, scratch_conflicts_);
    if (pins || one.duplicates < static_cast<int64_t>(rows.size()))
      touch_days(rows);
    if (conflicts)
      for (const auto at : scratch_conflicts_)
        if (conflicts->size() < protocol::conflicts_listed_max)
          conflicts->push_back({to.id, at, *status_at(to, at)});
    done += one;
    newest_ = std::max(newest_.value_or(rows.back().at()), rows.back().at());
  }
  if (pins)
    pins_touched_ = version_;
  observations_ += done.accepted;
  return done;
}

applied partition_data::name_stores(const text_list& stores) {
  const auto before = stores_.size();
  for (size_t s = 0; s < stores.size(); ++s)
    find_or_make(stores[s]);
  const auto made = static_cast<int64_t>(stores_.size() - before);
  return {made, static_cast<int64_t>(stores.size()) - made, 0};
}

applied partition_data::apply_to(const hours_rows& change) {
  std::vector<uint32_t> begin_of;
  std::vector<hours_row> sorted;
  sort_by_store(change.stores.size(), change.store, change.rows, begin_of, sorted);
  applied done;
  for (size_t s = 0; s < change.stores.size(); ++s)
    done += set_hours(find_or_make(change.stores[s]), change.valid_from, rows_of(s, begin_of, sorted));
  hours_touched_ = version_;
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
  zones_touched_ = version_;
  return done;
}

applied partition_data::apply_to(const closure_change& change) {
  if (change.withdrawn && !find(change.store))
    return {}; // to withdraw makes no store
  change_closures(find_or_make(change.store), change);
  closures_touched_ = version_;
  return {1, 0, 0};
}

applied partition_data::apply_to(const store_deletion& change) {
  const auto found = index_.find(change.store);
  if (found == index_.end())
    return {};
  batches_.seal();
  auto* gone = found->second;
  index_.erase(found);
  const auto held = std::exchange(gone->observations, {});
  std::erase_if(stores_, [gone](const auto& s) { return s.get() == gone; });
  touch_days(held);
  hours_touched_ = zones_touched_ = closures_touched_ = pins_touched_ = version_;
  observations_ -= static_cast<int64_t>(held.size());
  if (!held.empty() && held.back().at() == newest_)
    newest_ = find_newest();
  return {1, 0, 0};
}

applied partition_data::apply_to(const batch_memory& change) {
  for (const auto& batch : change.batches)
    remember(batch);
  batches_.seal(); // a snapshot does not say what came after which batch
  return {};
}

bool partition_data::nothing_new(const observation_rows& rows) const {
  std::vector<const store*> named;
  named.reserve(rows.stores.size());
  for (size_t s = 0; s < rows.stores.size(); ++s) {
    named.push_back(find(rows.stores[s]));
    if (!named.back())
      return false;
  }
  for (size_t i = 0; i < rows.seen.size(); ++i)
    if (!is_held(*named[rows.store[i]], rows.seen[i], rows.rule))
      return false;
  return true;
}

std::optional<protocol::conflict_seen> partition_data::contradiction(const observation_rows& rows) const {
  boost::unordered_flat_map<std::pair<uint32_t, instant::rep>, store_status> said;
  for (size_t i = 0; i < rows.seen.size(); ++i) {
    const auto poll = rows.seen[i];
    const auto key = std::pair(rows.store[i], poll.at().time_since_epoch().count());
    const auto first_said = said.emplace(key, poll.status()).first->second;
    const auto* held = find(rows.stores[rows.store[i]]);
    const auto stands = held ? status_at(*held, poll.at()) : std::nullopt;
    if (poll.status() == (stands ? *stands : first_said))
      continue;
    protocol::conflict_seen found{std::string(rows.stores[rows.store[i]]), poll.at(), store_status::inactive};
    if (stands)
      found.stands = *stands;
    return found;
  }
  return std::nullopt;
}

} // namespace storemon::partition
