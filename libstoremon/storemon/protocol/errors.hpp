#pragma once

#include "storemon/model/error.hpp"

#include <caf/error.hpp>

namespace storemon::protocol {

/// An error as it travels between actors: the code under our category, the sentence as its context.
caf::error to_caf(const error& e);

/// An error that came from an actor; one of CAF's own becomes errc::internal, or errc::partition_lost where
/// it says that the receiver is gone.
error from_caf(const caf::error& e);

} // namespace storemon::protocol
