#pragma once

#include "storemon/journal/backend.hpp"
#include "storemon/journal/codec.hpp"
#include "storemon/journal/snapshots.hpp"
#include "storemon/journal/store_names.hpp"

namespace storemon::journal {

/// A partition's past, to be read in slices: the chunks of its base, then the records after it.
struct past {
  backend& kept;
  codec& coder;
  uint32_t partition = 0;
  const store_names& names;
  ownership end; ///< where its chain has to end
  const snapshot_base& base;
  size_t bytes_max = 0; ///< of a slice's payloads
};

/// The slice at a cursor. Everything in it has been checked; the first thing that fails a check ends the past
/// with a sentence naming the partition, the place and what is wrong. Fails with invalid_argument when the
/// cursor is of no slice, and as reads do.
result<protocol::replay_slice> read_slice(const past& p, const protocol::replay_cursor& at);

} // namespace storemon::journal
