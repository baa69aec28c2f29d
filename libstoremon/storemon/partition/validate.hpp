#pragma once

#include "storemon/model/error.hpp"
#include "storemon/model/update.hpp"

namespace storemon::partition {

/// Whether an update may be made durable: its rows name stores it has, ids and times are in range. Fails with
/// invalid_argument. What fails here must not reach the journal, for replay would have to take it.
result<void> check(const update& change);

/// The same for observations.
result<void> check(const observation_rows& rows);

} // namespace storemon::partition
