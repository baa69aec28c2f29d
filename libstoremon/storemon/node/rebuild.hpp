#pragma once

#include "storemon/journal/backend.hpp"
#include "storemon/model/error.hpp"
#include "storemon/partition/partition_data.hpp"

namespace storemon::node {

/// A partition's state as the journal tells it, without any actor: for work on data that no server has. Fails
/// with damaged where its past does not pass the checks of a replay, and as reads do.
result<partition::partition_data> rebuild(journal::backend& kept, uint32_t partition);

} // namespace storemon::node
