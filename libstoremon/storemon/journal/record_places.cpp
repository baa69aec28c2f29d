#include "storemon/journal/record_places.hpp"

#include <algorithm>

namespace storemon::journal {

int record_places::load(sqlite_handle& db) {
  places_.clear();
  undo();
  const int code = db.each("SELECT id, partition_id, seq FROM journal ORDER BY id", [&](const sqlite_row& r) {
    places_[r.integer<uint32_t>(1)].push_back({r.integer<uint64_t>(2), r.integer<int64_t>(0)});
    return true;
  });
  // They are in order, unless the file is damaged: what reads the records will see that.
  for (auto& [partition, where] : places_)
    if (!std::is_sorted(where.begin(), where.end()))
      std::sort(where.begin(), where.end());
  return code;
}

std::span<const record_places::place> record_places::from(uint32_t partition, uint64_t seq) const noexcept {
  const auto found = places_.find(partition);
  if (found == places_.end())
    return {};
  const auto& all = found->second;
  return {std::lower_bound(all.begin(), all.end(), seq, [](const place& p, uint64_t s) { return p.seq < s; }),
          all.end()};
}

void record_places::add(uint32_t partition, place where) {
  places_[partition].push_back(where);
  added_.push_back(partition);
}

void record_places::drop(uint32_t partition, uint64_t end) {
  dropped_.emplace_back(partition, end);
}

void record_places::keep() {
  added_.clear();
  for (const auto& [partition, end] : dropped_) {
    auto& all = places_[partition];
    all.erase(all.begin(),
              all.begin() + static_cast<std::ptrdiff_t>(all.size() - from(partition, end).size()));
  }
  dropped_.clear();
}

void record_places::undo() noexcept {
  for (const auto partition : added_)
    places_[partition].pop_back();
  added_.clear();
  dropped_.clear();
}

} // namespace storemon::journal
