#pragma once

#include "storemon/model/error.hpp"
#include "storemon/model/update.hpp"
#include "storemon/partition/partition_data.hpp"

namespace storemon::partition {

/// How much one store may have of what clients can send without end. They bound what a report walks, what a
/// change costs and what a restart takes. Changes of older journals are replayed whatever they hold.
struct fact_limits {
  size_t hours_rows_max = 200;      ///< distinct rows of one version of hours
  size_t hours_versions_max = 1000; ///< versions of hours, each of its own date
  size_t closures_max = 10'000;     ///< planned closures, joined where they touch
};

/// Whether a change keeps every store it names within the limits.
/// @param ahead  changes that will be applied before it and are not in `data` yet: each counts as one more
/// @returns errc::invalid_argument naming the store and the limit
result<void> check_limits(const update& change, const partition_data& data, const fact_limits& limits,
                          size_t ahead);

} // namespace storemon::partition
