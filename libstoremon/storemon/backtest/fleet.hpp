#pragma once

#include "storemon/model/interval.hpp"
#include "storemon/model/observation.hpp"
#include "storemon/model/store_id.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace storemon::backtest {

/// What is known of one store for a report made at the newest poll of the fleet.
struct subject {
  interval_set opening;           ///< opening intervals without planned closures, normalised, from before the
                                  ///< first begin that matters
  std::vector<observation> polls; ///< of the horizon; one per instant, ascending
};

/// The stores whose estimates are put to the test.
struct fleet {
  instant as_of;               ///< the newest poll
  text_list ids;               ///< in byte order
  std::vector<subject> stores; ///< by their place in `ids`

  /// The place of a store; nothing where there is none of that id.
  std::optional<size_t> find(std::string_view id) const noexcept;
};

/// The hidden course of a fleet: when each store was really open for orders.
struct truth {
  std::vector<interval_set> active; ///< by the store's place in the fleet
  instant from;                     ///< the earliest begin of all: before it nothing is known
};

} // namespace storemon::backtest
