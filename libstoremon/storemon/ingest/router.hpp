#pragma once

#include "storemon/ingest/rows.hpp"
#include "storemon/ingest/store_table.hpp"
#include "storemon/model/update.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// Rows to batches, one open batch a partition. A batch goes to `emit(uint32_t partition, Batch&&)`, which
/// runs on the caller's thread.
namespace storemon::ingest {

/// How a router makes its batches.
struct router_options {
  uint32_t partitions = 64;
  /// A batch that has so many rows goes: bounds a message, and the memory of the open batches (12 bytes a row
  /// and partition, in every parser).
  size_t rows_max = 4096;
  /// Rows that an empty batch gets room for at once.
  size_t rows_expected = 4096;
  /// Stores that an empty batch gets room for at once; none: they come in time.
  size_t stores_expected = 0;
  /// Stores of all partitions that a new router gets room for.
  size_t ids_expected = 768;
  std::chrono::local_days valid_from = always_valid; ///< of hours
};

/// An empty batch with room for its rows.
inline void open(observation_rows& batch, const router_options& options) {
  const auto rows = std::min(options.rows_expected, options.rows_max);
  batch.store.reserve(rows);
  batch.seen.reserve(rows);
  constexpr size_t id_bytes = 24; // decimals; longer ones cost a copy
  batch.stores.reserve(options.stores_expected, options.stores_expected * id_bytes);
}

inline void append(observation_rows& batch, uint32_t store, const observation& row) {
  batch.store.push_back(store);
  batch.seen.push_back(row);
}

/// Routes rows into batches that name each of their stores once: observation_rows.
template <class Batch, class Row, class Emit>
class dictionary_router {
public:
  dictionary_router(const router_options& options, Emit emit)
      : options_(options), emit_(std::move(emit)), known_(options.partitions, options.ids_expected),
        parts_(options.partitions) {}

  /// Takes a row in. The text of `id` must live until drain().
  void add(std::string_view id, const Row& row) {
    const auto hash = hash_of(id);
    known_.prefetch(hash);
    waiting_[waiting_count_++] = {hash, id, row};
    if (waiting_count_ == waiting_.size())
      drain();
  }

  /// Puts every row taken in into its batch.
  void drain() {
    for (const auto& next : std::span(waiting_).first(std::exchange(waiting_count_, 0)))
      put(next);
  }

  /// Emits every open batch.
  void flush() {
    drain();
    emit_open();
  }

private:
  struct waiting {
    uint64_t hash = 0;
    std::string_view id;
    Row row;
  };

  struct part {
    uint32_t number = 1; ///< of the open batch, in the order of this partition's
    Batch batch;
  };

  void put(const waiting& next) {
    if (known_.full())
      forget();
    auto& store = known_.entry(next.hash, next.id);
    auto& part = parts_[store.partition];
    if (store.batch != part.number) {
      if (part.batch.store.empty())
        open(part.batch, options_);
      store.batch = part.number;
      store.index = part.batch.stores.add(next.id);
    }
    append(part.batch, store.index, next.row);
    if (part.batch.store.size() >= options_.rows_max)
      emit(store.partition);
  }

  void emit_open() {
    for (uint32_t p = 0; p < parts_.size(); ++p)
      if (!parts_[p].batch.store.empty())
        emit(p);
  }

  void emit(uint32_t p) {
    emit_(p, std::exchange(parts_[p].batch, Batch()));
    ++parts_[p].number;
  }

  /// A forgotten store would be named a second time in a batch that is open, so those go first.
  void forget() {
    emit_open();
    known_.clear();
  }

  router_options options_;
  Emit emit_;
  store_table known_;
  std::vector<part> parts_;
  std::array<waiting, 32> waiting_; ///< so many memory fetches overlap
  size_t waiting_count_ = 0;
};

/// A batch being put together whose stores are to be named once.
template <class Batch>
class named_batch {
public:
  /// The number of a store among those of the batch.
  uint32_t index_of(std::string_view store) {
    const auto [place, is_new] = index_.try_emplace(std::string(store), 0);
    if (is_new)
      place->second = rows.stores.add(store);
    return place->second;
  }

  Batch rows;

private:
  boost::unordered_flat_map<std::string, uint32_t> index_; ///< into the batch's stores
};

/// Routes the rows of the hours feed. All of a partition and date go in one batch at the end, for a store's
/// rows replace what it had and must not be torn apart; earlier dates go first, for hours always valid
/// replace all. So the feed is held in memory, 28 bytes a row and its ids.
template <class Emit>
class hours_router {
public:
  hours_router(const router_options& options, Emit emit)
      : valid_from_(options.valid_from), emit_(std::move(emit)), parts_(options.partitions) {}

  void add(const store_hours_row& row) {
    auto& dates = parts_[partition_of(hash_of(row.store), static_cast<uint32_t>(parts_.size()))];
    auto& to = dates[row.valid_from.value_or(valid_from_)];
    const auto store = to.index_of(row.store);
    if (!row.row)
      return; // the store is named, which says that it has none
    to.rows.store.push_back(store);
    to.rows.rows.push_back(*row.row);
  }

  /// Nothing waits here.
  void drain() {}

  /// Emits every batch.
  void flush() {
    for (uint32_t p = 0; p < parts_.size(); ++p)
      for (auto& [date, part] : std::exchange(parts_[p], {})) {
        part.rows.valid_from = date;
        emit_(p, std::move(part.rows));
      }
  }

private:
  std::chrono::local_days valid_from_;
  Emit emit_;
  std::vector<std::map<std::chrono::local_days, named_batch<hours_rows>>> parts_;
};

/// Routes the rows of the zones feed, which are pairs; all of a partition in one batch, as for hours.
template <class Emit>
class zone_router {
public:
  zone_router(const router_options& options, Emit emit) : emit_(std::move(emit)), open_(options.partitions) {}

  void add(std::string_view id, std::string_view zone) {
    const auto p = partition_of(hash_of(id), static_cast<uint32_t>(open_.size()));
    open_[p].stores.add(id);
    open_[p].zones.add(zone);
  }

  /// Nothing waits here.
  void drain() {}

  /// Emits every batch.
  void flush() {
    for (uint32_t p = 0; p < open_.size(); ++p)
      if (!open_[p].stores.empty())
        emit_(p, std::exchange(open_[p], zone_rows()));
  }

private:
  Emit emit_;
  std::vector<zone_rows> open_;
};

/// Routes the rows of the closures feed, each an update of its own, which goes at once.
template <class Emit>
class closure_router {
public:
  closure_router(const router_options& options, Emit emit)
      : partitions_(options.partitions), emit_(std::move(emit)) {}

  void add(const closure_row& row) {
    emit_(partition_of(hash_of(row.store), partitions_), closure_change{std::string(row.store), row.span});
  }

  /// Nothing waits here.
  void drain() {}

  /// Nor here.
  void flush() {}

private:
  uint32_t partitions_;
  Emit emit_;
};

/// Routes polls, or stores without a poll, that must not be torn apart: all of a partition in one batch at
/// the end. Of two corrections of an instant the later batch's would stand, whichever line came first; in one
/// batch the inactive one does. The feed is held in memory, 12 bytes a row and its ids.
template <class Emit>
class held_router {
public:
  held_router(const router_options& options, conflict_rule rule, Emit emit)
      : rule_(rule), emit_(std::move(emit)), parts_(options.partitions) {}

  /// Only names the store.
  void add(std::string_view id) { part_of(id).index_of(id); }

  void add(std::string_view id, observation seen) {
    auto& to = part_of(id);
    to.rows.store.push_back(to.index_of(id));
    to.rows.seen.push_back(seen);
  }

  /// Nothing waits here.
  void drain() {}

  /// Emits every batch.
  void flush() {
    for (uint32_t p = 0; p < parts_.size(); ++p) {
      auto part = std::exchange(parts_[p], {});
      part.rows.rule = rule_;
      if (!part.rows.stores.empty())
        emit_(p, std::move(part.rows));
    }
  }

private:
  named_batch<observation_rows>& part_of(std::string_view id) {
    return parts_[partition_of(hash_of(id), static_cast<uint32_t>(parts_.size()))];
  }

  conflict_rule rule_;
  Emit emit_;
  std::vector<named_batch<observation_rows>> parts_;
};

} // namespace storemon::ingest
