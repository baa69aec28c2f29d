#pragma once

#include "storemon/model/business_hours.hpp"
#include "storemon/model/interval.hpp"
#include "storemon/model/observation.hpp"
#include "storemon/model/store_id.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace storemon {

/// Which of two statuses polled at one instant of a store stands. Both stay known whatever the rule: the
/// instant becomes a conflict.
enum class conflict_rule : uint8_t {
  inactive_wins, ///< whatever the order of arrival; the rule of the feeds (SEMANTICS section 1)
  replace,       ///< a correction: these rows' values stand from now on, against everything but another one
  keep,          ///< what is held stands from now on, likewise
};

/// Polls of stores of one partition, in any order. `stores` names each store once; `store[i]` is the index
/// into it of `seen[i]`. Of two statuses at one instant within these rows the inactive one counts. Without
/// any poll they say that the stores exist, and of that nothing else.
struct observation_rows {
  text_list stores;
  std::vector<uint32_t> store;
  std::vector<observation> seen;
  conflict_rule rule = conflict_rule::inactive_wins;

  friend bool operator==(const observation_rows&, const observation_rows&) = default;
};

/// Hours that were in force since ever.
inline constexpr std::chrono::local_days always_valid = std::chrono::local_days::min();

/// Business hours of stores from the local date `valid_from` on, until the next later date that hours of the
/// store are given for. They replace what each named store had for that date; those valid always replace all
/// that it had. `store[i]` is the index of `rows[i]` into `stores`; a store named without a row is open 24x7.
struct hours_rows {
  std::chrono::local_days valid_from = always_valid;
  text_list stores;
  std::vector<uint32_t> store;
  std::vector<hours_row> rows;

  friend bool operator==(const hours_rows&, const hours_rows&) = default;
};

/// Zones of stores: `zones[i]` is the zone name of `stores[i]` and replaces what the store had. Where a store
/// is named twice, a zone the tz database knows wins over one it does not, and then the one first in byte
/// order, so that the order of rows never matters.
struct zone_rows {
  text_list stores;
  text_list zones;

  friend bool operator==(const zone_rows&, const zone_rows&) = default;
};

/// A stretch in which the store is closed by plan: its opening time there is `excluded`.
struct closure_change {
  std::string store;
  interval span;
  bool withdrawn = false; ///< true: the stretch is opened again

  friend bool operator==(const closure_change&, const closure_change&) = default;
};

/// The store and everything known of it goes.
struct store_deletion {
  std::string store;

  friend bool operator==(const store_deletion&, const store_deletion&) = default;
};

/// What applying updates did, counted so that any order and any batches of the same rows give the same sums.
struct applied {
  int64_t accepted = 0;   ///< new observations, or rows of the other feeds taken
  int64_t duplicates = 0; ///< repeated rows
  int64_t conflicts = 0;  ///< instants of a store first seen now with both statuses; of corrections all that
                          ///< contradict what stood

  applied& operator+=(const applied& other) noexcept {
    accepted += other.accepted;
    duplicates += other.duplicates;
    conflicts += other.conflicts;
    return *this;
  }

  friend bool operator==(const applied&, const applied&) = default;
};

/// Names a client's batch, so that a repeated one is answered and not applied again: the first 128 bits of
/// SHA-256 of its idempotency key, and of its body.
struct batch_mark {
  std::array<uint64_t, 2> key{};
  std::array<uint64_t, 2> body{};

  /// Whether there is one: imports and single changes have none.
  bool given() const noexcept { return key != std::array<uint64_t, 2>{}; }

  friend bool operator==(const batch_mark&, const batch_mark&) = default;
};

/// A batch that was applied, and the answer it got.
struct remembered_batch {
  batch_mark mark;
  instant written;
  applied done;

  friend bool operator==(const remembered_batch&, const remembered_batch&) = default;
};

/// Batches to be remembered. Only snapshots hold these: elsewhere a batch is remembered as it is applied.
struct batch_memory {
  std::vector<remembered_batch> batches;

  friend bool operator==(const batch_memory&, const batch_memory&) = default;
};

/// One durable change of one partition. Live traffic, import and replay make the same values and apply them
/// by the same code.
using update =
    std::variant<observation_rows, hours_rows, zone_rows, closure_change, store_deletion, batch_memory>;

/// An update as the journal keeps it: what one record holds.
struct journal_entry {
  update change;
  batch_mark mark;
  instant written; ///< by the clock of the shard's node; what batches are forgotten by

  friend bool operator==(const journal_entry&, const journal_entry&) = default;
};

} // namespace storemon
