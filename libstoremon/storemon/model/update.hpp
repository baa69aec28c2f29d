#pragma once

#include "storemon/model/business_hours.hpp"
#include "storemon/model/interval.hpp"
#include "storemon/model/observation.hpp"
#include "storemon/model/store_id.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace storemon {

/// Polls of stores of one partition, in any order. `stores` names each store once; `store[i]` is the index
/// into it of `seen[i]`.
struct observation_rows {
  text_list stores;
  std::vector<uint32_t> store;
  std::vector<observation> seen;
};

/// Rows of the hours feed. Rows of one revision add up, whatever their order and batches; the first row of a
/// newer revision replaces all that the store had. Rows of an older revision than the store's are ignored.
struct hours_rows {
  uint64_t revision = 0;
  text_list stores;
  std::vector<uint32_t> store;
  std::vector<hours_row> rows;
};

/// Rows of the zones feed: `zones[i]` is the zone name of `stores[i]`. Revisions as in hours_rows; where one
/// revision names two zones for a store, a zone the tz database knows wins over one it does not, and then the
/// one first in byte order, so that order of arrival never matters.
struct zone_rows {
  uint64_t revision = 0;
  text_list stores;
  text_list zones;
};

/// A stretch in which the store is closed by plan: its opening time there is `excluded`.
struct closure_change {
  std::string store;
  interval span;
  bool withdrawn = false; ///< true: the stretch is opened again
};

/// The store and everything known of it goes.
struct store_deletion {
  std::string store;
};

/// One durable change of one partition. Live traffic, import and replay make the same values and apply them
/// by the same code.
using update = std::variant<observation_rows, hours_rows, zone_rows, closure_change, store_deletion>;

/// What applying updates did, counted so that any order and any batches of the same rows give the same sums.
struct applied {
  int64_t accepted = 0;   ///< new observations, or rows of the other feeds taken
  int64_t duplicates = 0; ///< repeated rows; of the zones feed every further row of a store in one revision
  int64_t conflicts = 0;  ///< instants of a store first seen now with both statuses

  applied& operator+=(const applied& other) noexcept {
    accepted += other.accepted;
    duplicates += other.duplicates;
    conflicts += other.conflicts;
    return *this;
  }
};

} // namespace storemon
