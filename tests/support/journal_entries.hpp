#pragma once

#include "storemon/journal/chain.hpp"
#include "storemon/journal/codec.hpp"
#include "storemon/synth/random.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

/// Entries, records and snapshots made up for tests of the journal.
namespace storemon::test {

using synth::random_source;

inline instant at_microseconds(int64_t n) {
  return instant(duration(n));
}

/// A text of 1 to 40 bytes of any value.
inline std::string random_name(random_source& random) {
  std::string name(random.between(1, 40), '\0');
  for (auto& c : name)
    c = static_cast<char>(random.next());
  return name;
}

inline batch_mark random_mark(random_source& random) {
  if (random.chance(300))
    return {};
  return {{random.next(), random.next()}, {random.next(), random.next()}};
}

/// Times of hourly polls, and now and then of any value an observation can hold.
inline observation random_observation(random_source& random) {
  const auto at = random.chance(20)
                      ? static_cast<int64_t>(random.next()) >> 1
                      : 1'674'000'000'000'000 + static_cast<int64_t>(random.below(14 * 24)) * 3'600'000'000 +
                            static_cast<int64_t>(random.below(1'000'000));
  return {at_microseconds(at), random.chance(100) ? store_status::inactive : store_status::active};
}

inline observation_rows random_observations(random_source& random, size_t stores, size_t rows) {
  observation_rows r;
  r.rule = static_cast<conflict_rule>(random.below(3));
  const auto first = random.below(100);
  for (size_t i = 0; i < stores; ++i)
    r.stores.add("store-" + std::to_string((first + i * 7919) % 10'007)); // in no order
  for (size_t i = 0; stores > 0 && i < rows; ++i) {
    r.store.push_back(static_cast<uint32_t>(random.below(stores)));
    r.seen.push_back(i > 0 && random.chance(50) ? r.seen.back() : random_observation(random));
  }
  return r;
}

inline hours_rows random_hours(random_source& random) {
  hours_rows r;
  if (random.chance(500))
    r.valid_from =
        std::chrono::local_days(std::chrono::days(static_cast<int>(random.below(40'000)) - 10'000));
  const auto stores = random.below(20);
  for (size_t i = 0; i < stores; ++i) {
    r.stores.add(std::to_string(i) + random_name(random));
    for (auto rows = random.below(10); rows > 0; --rows) {
      r.store.push_back(static_cast<uint32_t>(i));
      r.rows.push_back({duration(random.below(86'400'000'000)), duration(random.below(86'400'000'001)),
                        static_cast<uint8_t>(random.below(7))});
    }
  }
  return r;
}

inline update random_update(random_source& random, size_t rows_max = 2000) {
  switch (random.below(8)) {
  case 0:
    return random_hours(random);
  case 1: {
    zone_rows z;
    for (auto n = random.below(rows_max < 100 ? 6 : 60); n > 0; --n) {
      z.stores.add(random_name(random));
      z.zones.add(random.chance(500) ? "America/New_York" : random_name(random));
    }
    return z;
  }
  case 2:
    return closure_change{random_name(random),
                          {at_microseconds(static_cast<int64_t>(random.next())),
                           at_microseconds(static_cast<int64_t>(random.next()))},
                          random.chance(500)};
  case 3:
    return store_deletion{random_name(random)};
  case 4: {
    batch_memory m;
    for (auto n = random.below(50); n > 0; --n)
      m.batches.push_back({random_mark(random),
                           at_microseconds(static_cast<int64_t>(random.below(1'700'000'000'000'000))),
                           {static_cast<int64_t>(random.below(1000)), 1, -1}});
    return m;
  }
  default:
    return random_observations(random, random.below(rows_max < 100 || random.chance(500) ? 40 : 1000),
                               random.below(random.chance(500) ? 20 : rows_max));
  }
}

inline journal_entry random_entry(random_source& random, size_t rows_max = 2000) {
  return {random_update(random, rows_max), random_mark(random),
          at_microseconds(static_cast<int64_t>(random.below(1'700'000'000'000'000)))};
}

/// The same for all updates that mean the same: rows by store and in order, as text.
inline std::vector<std::string> meaning_of(const update& change) {
  std::vector<std::string> lines{std::to_string(change.index())};
  if (const auto* o = std::get_if<observation_rows>(&change)) {
    lines[0] += " rule " + std::to_string(static_cast<int>(o->rule));
    for (size_t i = 0; i < o->stores.size(); ++i)
      lines.push_back("store " + std::string(o->stores[i]));
    for (size_t i = 0; i < o->seen.size(); ++i)
      lines.push_back("row " + std::string(o->stores[o->store[i]]) + ": " +
                      std::to_string(o->seen[i].bits()));
  } else if (const auto* h = std::get_if<hours_rows>(&change)) {
    lines[0] += " from " + std::to_string(h->valid_from.time_since_epoch().count());
    for (size_t i = 0; i < h->stores.size(); ++i)
      lines.push_back("store " + std::string(h->stores[i]));
    for (size_t i = 0; i < h->rows.size(); ++i)
      lines.push_back("row " + std::string(h->stores[h->store[i]]) + ": " + std::to_string(h->rows[i].day) +
                      " " + std::to_string(h->rows[i].start.count()) + " " +
                      std::to_string(h->rows[i].end.count()));
  }
  std::sort(lines.begin() + 1, lines.end());
  return lines;
}

inline bool equivalent(const update& a, const update& b) {
  if (a.index() != b.index())
    return false;
  if (a.index() > 1)
    return a == b;
  return meaning_of(a) == meaning_of(b);
}

/// What an owner of partitions does: takes them over, and makes appends that continue their chains. It takes
/// all it makes to be committed, until it loads the partition again.
class owner_double {
public:
  explicit owner_double(uint64_t seed) : random_(seed, 7) {}

  /// Takes a partition over as the backend knows it.
  journal::take_over take(journal::backend& b, uint32_t partition) {
    load(b, partition);
    return {partition, partitions_[partition].end.epoch++};
  }

  /// Goes on from what the backend keeps of the partition.
  void load(journal::backend& b, uint32_t partition) {
    auto& p = partitions_[partition] = {};
    p.end = b.owner(partition).value();
    p.names = journal::store_names(b.store_names(partition).value());
    const auto manifests = b.manifests(partition).value();
    if (manifests.empty())
      return;
    p.generation = manifests.front().generation;
    for (const auto& c : b.read_chunks(partition, p.generation, INT64_MIN, SIZE_MAX).value())
      p.live.insert(c.number);
  }

  /// An append of some entries to the partition.
  journal::append next_append(uint32_t partition, size_t entries, size_t rows_max = 40) {
    auto& p = partitions_[partition];
    journal::append a{partition, p.end.epoch, {}, {}};
    for (size_t i = 0; i < entries; ++i) {
      auto r = codec_.encode(random_entry(random_, rows_max), p.names);
      journal::seal(*r, partition, p.end.epoch, p.end);
      a.records.push_back(std::move(*r));
    }
    a.names = p.names.births();
    p.names.keep(p.names.size());
    return a;
  }

  /// The next snapshot: chunks of the given numbers, those in `gone` without payload.
  journal::put_snapshot next_snapshot(uint32_t partition, const std::vector<int64_t>& numbers,
                                      const std::vector<int64_t>& gone = {}) {
    auto& p = partitions_[partition];
    journal::put_snapshot s;
    ++p.generation;
    const auto add = [&](int64_t number, journal::chunk_row c) {
      c.partition = partition;
      c.number = number;
      c.generation = p.generation;
      c.crc = journal::crc_of(c);
      s.chunks.push_back(std::move(c));
    };
    journal::store_names known = p.names; // chunks name only stores that are kept
    for (const auto number : numbers) {
      observation_rows rows;
      rows.stores.add(known.size() > 0 ? *known.name_of(0) : "first");
      rows.store = {0};
      rows.seen = {random_observation(random_)};
      add(number, *codec_.encode(update(rows), known));
      p.live.insert(number);
    }
    for (const auto number : gone) {
      add(number, {});
      p.live.erase(number);
    }
    s.what = {partition,
              p.generation,
              p.end.epoch,
              p.end.next_seq - 1,
              p.end.last_crc,
              int64_t{100},
              random_.next(),
              static_cast<uint32_t>(p.live.size()),
              0};
    s.what.crc = journal::crc_of(s.what);
    return s;
  }

  const journal::ownership& end(uint32_t partition) { return partitions_[partition].end; }

private:
  struct partition_state {
    journal::ownership end;
    journal::store_names names;
    uint64_t generation = 0;
    std::set<int64_t> live;
  };

  random_source random_;
  journal::codec codec_;
  std::map<uint32_t, partition_state> partitions_;
};

} // namespace storemon::test
