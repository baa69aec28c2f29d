#pragma once

#include "storemon/journal/chain.hpp"
#include "storemon/journal/journal_actor.hpp"
#include "storemon/journal/memory_backend.hpp"
#include "support/sim.hpp"

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace storemon::test {

/// The day all of these tests' observations begin at.
inline constexpr instant journal_day = std::chrono::sys_days(std::chrono::year(2023) / 1 / 20);

/// Observations of stores of given names, a minute apart, all active.
inline observation_rows polls(const std::vector<std::string>& stores, instant from, size_t each) {
  observation_rows rows;
  for (const auto& name : stores) {
    const auto index = rows.stores.add(name);
    for (size_t i = 0; i < each; ++i) {
      rows.store.push_back(index);
      rows.seen.emplace_back(from + std::chrono::minutes(i), store_status::active);
    }
  }
  return rows;
}

inline journal_entry entry_of(update change) {
  return {std::move(change), {}, journal_day};
}

/// A text that is the same of two entries exactly when they say the same: the order of rows says nothing.
inline std::string canonical(const journal_entry& entry) {
  struct writer {
    std::string operator()(const observation_rows& rows) const {
      std::map<std::pair<std::string, int64_t>, int> all;
      for (size_t i = 0; i < rows.seen.size(); ++i)
        ++all[{std::string(rows.stores[rows.store[i]]), rows.seen[i].bits()}];
      std::string text = "observations " + std::to_string(int(rows.rule));
      for (const auto& [at, times] : all)
        text += " " + at.first + "@" + std::to_string(at.second) + "x" + std::to_string(times);
      return text;
    }

    std::string operator()(const hours_rows& rows) const { return "hours of " + rows.stores.bytes(); }

    std::string operator()(const zone_rows& rows) const {
      std::map<std::string, std::string> all;
      for (size_t i = 0; i < rows.stores.size(); ++i)
        all.emplace(rows.stores[i], rows.zones[i]);
      std::string text = "zones";
      for (const auto& [store, zone] : all)
        text += " " + store + "=" + zone;
      return text;
    }

    std::string operator()(const closure_change& c) const {
      return "closure " + c.store + " " + to_rfc3339(c.span.from) + " " + to_rfc3339(c.span.to) +
             (c.withdrawn ? " withdrawn" : "");
    }

    std::string operator()(const store_deletion& d) const { return "deletion " + d.store; }

    std::string operator()(const batch_memory& m) const {
      return "batches " + std::to_string(m.batches.size());
    }
  };

  return std::to_string(entry.mark.key[0]) + "/" + std::to_string(entry.mark.body[1]) + " " +
         to_rfc3339(entry.written) + " " + std::visit(writer{}, entry.change);
}

inline std::vector<std::string> canonical_all(const std::vector<journal_entry>& entries) {
  std::vector<std::string> all;
  for (const auto& e : entries)
    all.push_back(canonical(e));
  return all;
}

/// One observation of one store.
inline journal_entry poll_of(const std::string& store, int minute = 0) {
  return entry_of(polls({store}, journal_day + std::chrono::minutes(minute), 1));
}

template <class T>
errc code_of(const result<T>& r) {
  return r ? errc::ok : r.error().code;
}

/// Entries of every kind, the same of the same seed.
class random_entries {
public:
  explicit random_entries(uint64_t seed) : random_(seed) {}

  journal_entry next() {
    journal_entry e = entry_of(change());
    e.written = journal_day + std::chrono::seconds(++count_);
    if (below(2) == 0)
      e.mark = {{random_(), random_()}, {random_(), random_()}};
    return e;
  }

  size_t below(size_t end) { return random_() % end; }

private:
  std::string store() { return "store-" + std::to_string(below(50)); }

  update change() {
    switch (below(6)) {
    case 0: {
      zone_rows rows;
      rows.stores.add(store());
      rows.zones.add("Europe/Berlin");
      return rows;
    }
    case 1:
      return closure_change{
          store(), {journal_day, journal_day + std::chrono::hours(1 + below(9))}, below(2) == 0};
    case 2:
      return store_deletion{store()};
    default: {
      auto rows = polls({store()}, journal_day + std::chrono::minutes(below(5000)), 1 + below(100));
      rows.rule = static_cast<conflict_rule>(below(3));
      return rows;
    }
    }
  }

  std::mt19937_64 random_;
  int64_t count_ = 0;
};

/// A journal on a disk in memory.
class journal_bench : public sim {
public:
  journal_bench() {
    options.partitions = 4;
    options.now = [this] { return now; };
    options.verify_copy = [](const std::string&) { return result<void>(); };
    options.log_info = [this](const std::string& line) { log.push_back(line); };
    options.log_error = [this](const std::string& line) { log.push_back(line); };
  }

  /// Starts the journal; one that ran before ends first, as if its process had died.
  void start() {
    end(caf::exit_reason::kill);
    handle = owns(protocol::journal_actor(system.spawn(journal::journal, open_storage(), options)));
  }

  void end(caf::exit_reason why) {
    if (handle)
      self->send_exit(handle, why);
    settle();
    handle = nullptr;
  }

  result<protocol::opening> open(uint32_t partition) {
    return ask<protocol::opening>(handle, protocol::open_atom_v, partition);
  }

  /// Opens a partition that must open; its epoch.
  uint64_t opened(uint32_t partition) { return open(partition).value().epoch; }

  result<uint64_t> append(uint32_t partition, uint64_t epoch, std::vector<journal_entry> entries) {
    return ask<uint64_t>(handle, protocol::append_atom_v, partition, epoch,
                         protocol::shared_entries(std::move(entries)));
  }

  auto append_later(uint32_t partition, uint64_t epoch, std::vector<journal_entry> entries) {
    return self->request(handle, caf::infinite, protocol::append_atom_v, partition, epoch,
                         protocol::shared_entries(std::move(entries)));
  }

  result<bool> snapshot(protocol::snapshot s) {
    return ask<bool>(handle, protocol::snap_atom_v, protocol::shared_snapshot(std::move(s)));
  }

  protocol::journal_health health() {
    return ask<protocol::journal_health>(handle, protocol::health_atom_v).value();
  }

  /// All that a replay tells.
  struct told {
    std::vector<std::string> entries; ///< canonical
    size_t slices = 0;
    size_t snapshots = 0;     ///< how many slices ended one
    size_t from_snapshot = 0; ///< of the entries
    int64_t observations = 0; ///< that the snapshot is said to hold
    uint64_t hash = 0;        ///< likewise
    uint64_t through = 0;     ///< of the last slice
    std::string damage;
  };

  result<told> replay(uint32_t partition, uint64_t epoch) {
    told all;
    for (protocol::replay_cursor at;;) {
      auto slice = ask<protocol::shared_replay>(handle, protocol::replay_atom_v, partition, epoch, at);
      if (!slice)
        return slice.error();
      const auto& s = **slice;
      ++all.slices;
      for (const auto& e : s.entries)
        all.entries.push_back(canonical(e));
      if (s.snapshot_ends) {
        ++all.snapshots;
        all.from_snapshot = all.entries.size();
        all.observations = s.snapshot_observations;
        all.hash = s.snapshot_hash;
      }
      all.through = s.through_seq;
      all.damage = s.damage;
      if (s.last)
        return all;
      at = s.next;
    }
  }

  std::function<std::unique_ptr<journal::backend>()> open_storage = [this] {
    return std::make_unique<journal::memory_backend>(disk);
  };
  std::shared_ptr<journal::memory_disk> disk = std::make_shared<journal::memory_disk>();
  journal::journal_options options;
  protocol::journal_actor handle;
  instant now = journal_day;
  std::vector<std::string> log;
};

} // namespace storemon::test
