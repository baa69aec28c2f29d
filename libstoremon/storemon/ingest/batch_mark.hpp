#pragma once

#include "storemon/model/update.hpp"
#include "storemon/protocol/messages.hpp"

namespace storemon::ingest {

/// The mark of a client's request. What is asked for is the body and what to do with conflicts: both are in
/// `body`. Without an idempotency key, that is the key too.
batch_mark mark_of(const protocol::intake_request& request);

} // namespace storemon::ingest
