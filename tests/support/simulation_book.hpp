#pragma once

#include "storemon/journal/codec.hpp"
#include "storemon/journal/memory_backend.hpp"
#include "storemon/partition/partition_data.hpp"
#include "storemon/synth/random.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace storemon::test {

/// The day a simulation begins at.
inline constexpr instant simulation_day = std::chrono::sys_days(std::chrono::year(2023) / 1 / 20);

/// A change that a client of a simulation sends, once or repeatedly, and what became of it. Its content tells
/// its number: no two are the same.
struct sent_change {
  update change;
  batch_mark mark{}; ///< given: it goes as a client's batch
  bool reject_conflicts = false;
  uint32_t partition = 0;
  uint64_t sent = 0;
  uint64_t acked = 0;
  uint64_t refused = 0; ///< of those sent: certainly not kept

  struct kept_record {
    uint64_t epoch = 0;
    applied done;
  };

  std::vector<kept_record> kept{}; ///< its records in the journal

  /// Whether it does nothing where it was applied before.
  bool repeats_quietly() const {
    const auto* rows = std::get_if<observation_rows>(&change);
    return !mark.given() && rows && rows->rule == conflict_rule::inactive_wins;
  }
};

/// Everything that was sent, everything the disk ever held, and the states that follow from that.
class simulation_book {
public:
  explicit simulation_book(uint32_t partitions) : partitions_(partitions) {}

  /// The number of a new change of a partition.
  size_t make(uint32_t partition, synth::random_source& random) {
    const auto number = changes_.size();
    sent_change c{make_update(number, random)};
    c.partition = partition;
    if (std::holds_alternative<observation_rows>(c.change) && random.chance(800)) {
      c.mark = {{number + 1, partition + 1}, {number + 1, 1000}}; // other than the key: it was given
      c.reject_conflicts = random.chance(150);
    }
    changes_.push_back(std::move(c));
    return number;
  }

  uint32_t partitions() const { return static_cast<uint32_t>(partitions_.size()); }

  size_t size() const { return changes_.size(); }

  sent_change& operator[](size_t number) { return changes_[number]; }

  /// Reads what the disk holds that was not there before.
  void look(const journal::memory_tables& tables) {
    for (const auto& [number, kept] : tables.partitions) {
      auto& p = partitions_[number];
      for (auto index = p.names.size(); const auto* name = find(kept.names, index); ++index)
        p.names.index_of(*name);
      require(kept.owner.next_seq >= p.end.next_seq && kept.owner.epoch >= p.end.epoch, "a disk went back");
      for (; const auto* r = find(kept.records, p.end.next_seq); ++p.end.next_seq)
        take(number, p, *r);
      require(kept.owner.next_seq == p.end.next_seq, "a record is missing");
      for (; p.end.epoch < kept.owner.epoch; ++p.end.epoch)
        p.opened.push_back(p.hashes.size() - 1);
    }
  }

  uint64_t epoch(uint32_t partition) const { return partitions_[partition].end.epoch; }

  uint64_t records(uint32_t partition) const { return partitions_[partition].end.next_seq - 1; }

  uint64_t state_hash(uint32_t partition) const { return partitions_[partition].hashes.back(); }

  /// Whether the partition's first so many records made that state.
  bool was(uint32_t partition, uint64_t hash) const {
    const auto& past = partitions_[partition].hashes;
    return std::find(past.rbegin(), past.rend(), hash) != past.rend();
  }

  /// Whether an owner of an epoch after `since` began with that state.
  bool began_with(uint32_t partition, uint64_t since, uint64_t hash) const {
    const auto& p = partitions_[partition];
    return std::any_of(p.opened.begin() + static_cast<ptrdiff_t>(since), p.opened.end(),
                       [&](size_t seq) { return p.hashes[seq] == hash; });
  }

  /// Whether the marks are those of all batches a partition keeps.
  bool all_marks(uint32_t partition, std::vector<batch_mark> marks) const {
    std::sort(marks.begin(), marks.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
    auto next = marks.begin();
    for (const auto& c : changes_) { // keys ascend
      if (c.partition != partition || !c.mark.given() || c.kept.empty())
        continue;
      if (next == marks.end() || *next != c.mark)
        return false;
      ++next;
    }
    return next == marks.end();
  }

  /// Says what was promised and is not so.
  void check() {
    for (const auto& c : changes_) {
      require(c.acked == 0 || !c.kept.empty(), "an acknowledged change is lost");
      require(!c.mark.given() || c.kept.size() <= 1, "a batch was applied twice");
      require(c.kept.size() + c.refused <= c.sent, "a change is there that was refused");
    }
  }

  /// The first time that what is required does not hold is what failed.
  void require(bool holds, const char* otherwise) {
    if (!holds && failure_.empty())
      failure_ = otherwise;
  }

  const std::string& failure() const { return failure_; }

  /// Of all records in the order they were seen.
  uint64_t trace() const { return trace_; }

private:
  struct partition_past {
    partition::partition_data data;
    journal::store_names names;
    journal::ownership end;
    std::vector<uint64_t> hashes{partition::partition_data().state_hash()}; ///< after each record
    std::vector<size_t> opened{};                                           ///< the record before each epoch
  };

  template <class Map, class Key>
  static const typename Map::mapped_type* find(const Map& in, Key key) {
    const auto at = in.find(static_cast<typename Map::key_type>(key));
    return at == in.end() ? nullptr : &at->second;
  }

  static std::string deleted_store(size_t number) { return "d" + std::to_string(number); }

  static instant own_instant(size_t number) { return simulation_day + std::chrono::microseconds(number + 1); }

  static std::string any_store(size_t number, synth::random_source& random) {
    const auto n = random.below(8);
    return n < 3 ? "s" + std::to_string(n) : deleted_store(number + n - 3); // one that may be deleted soon
  }

  static update make_update(size_t number, synth::random_source& random) {
    using std::chrono::hours;
    const auto kind = random.below(20);
    if (kind == 0)
      return store_deletion{deleted_store(number)};
    if (kind == 1)
      return closure_change{any_store(number, random),
                            {own_instant(number), own_instant(number) + hours(1 + random.below(5))},
                            random.chance(300)};
    if (kind == 2) {
      zone_rows rows;
      rows.stores.add(any_store(number, random));
      rows.zones.add("zone/" + std::to_string(number));
      return rows;
    }
    if (kind == 3) {
      hours_rows rows;
      rows.stores.add(any_store(number, random));
      rows.store.push_back(0);
      rows.rows.push_back({duration(number), hours(8), static_cast<uint8_t>(random.below(7))});
      if (random.chance(500))
        rows.valid_from = std::chrono::local_days(std::chrono::days(19'000 + random.below(3)));
      return rows;
    }
    observation_rows rows;
    rows.rule =
        random.chance(700) ? conflict_rule::inactive_wins : static_cast<conflict_rule>(1 + random.below(2));
    for (auto left = 1 + random.below(2); left > 0; --left) {
      auto store = any_store(number, random);
      if (rows.stores.size() == 0 || rows.stores[0] != store)
        rows.stores.add(store);
    }
    const auto add = [&](instant at) {
      rows.store.push_back(static_cast<uint32_t>(random.below(rows.stores.size())));
      rows.seen.emplace_back(at, static_cast<store_status>(random.below(2)));
    };
    add(own_instant(number));
    for (auto left = random.below(4); left > 0; --left) {
      const auto day = simulation_day + std::chrono::days(random.below(2));
      add(day + hours(1 + random.below(3)));
    }
    return rows;
  }

  /// The number a change was made with.
  static size_t number_of(const update& change) {
    const auto of_text = [](std::string_view text) {
      size_t number = SIZE_MAX;
      std::from_chars(text.data(), text.data() + text.size(), number);
      return number;
    };
    if (const auto* deletion = std::get_if<store_deletion>(&change))
      return of_text(std::string_view(deletion->store).substr(1));
    if (const auto* closure = std::get_if<closure_change>(&change))
      return static_cast<size_t>(duration(closure->span.from - simulation_day).count() - 1);
    if (const auto* zones = std::get_if<zone_rows>(&change))
      return zones->zones.empty() ? SIZE_MAX : of_text(zones->zones[0].substr(5));
    if (const auto* hours = std::get_if<hours_rows>(&change))
      return hours->rows.empty() ? SIZE_MAX : static_cast<size_t>(hours->rows[0].start.count());
    if (const auto* rows = std::get_if<observation_rows>(&change))
      for (const auto seen : rows->seen)
        if (const auto after = seen.at() - simulation_day; after < std::chrono::hours(1))
          return static_cast<size_t>(duration(after).count() - 1);
    return SIZE_MAX;
  }

  static std::vector<std::pair<std::string_view, observation>> sorted(const observation_rows& rows) {
    std::vector<std::pair<std::string_view, observation>> all;
    for (size_t i = 0; i < rows.seen.size(); ++i)
      all.emplace_back(rows.stores[rows.store[i]], rows.seen[i]);
    std::sort(all.begin(), all.end());
    return all;
  }

  /// Whether they say the same; the journal keeps observations in its own order.
  static bool same(const update& a, const update& b) {
    const auto* rows = std::get_if<observation_rows>(&a);
    const auto* others = std::get_if<observation_rows>(&b);
    if (!rows || !others)
      return a == b;
    return rows->rule == others->rule && sorted(*rows) == sorted(*others);
  }

  void take(uint32_t number, partition_past& p, const journal::record& r) {
    require(r.prev_crc == p.end.last_crc, "the chain of records is broken");
    p.end.last_crc = r.crc;
    trace_ = (trace_ ^ r.crc) * 0x9e3779b97f4a7c15;
    const auto entry = coder_.decode(r, p.names);
    require(entry.has_value(), "a record cannot be read");
    if (!entry)
      return;
    const auto made = number_of(entry->change);
    const bool known = made < changes_.size() && changes_[made].partition == number &&
                       changes_[made].sent > 0 && changes_[made].mark == entry->mark &&
                       same(changes_[made].change, entry->change);
    require(known, "a record was never sent");
    const auto done = p.data.apply(*entry);
    p.hashes.push_back(p.data.state_hash());
    if (known)
      changes_[made].kept.push_back({r.epoch, done});
  }

  std::vector<sent_change> changes_;
  std::vector<partition_past> partitions_;
  journal::codec coder_;
  std::string failure_;
  uint64_t trace_ = 0;
};

} // namespace storemon::test
