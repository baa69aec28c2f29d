#pragma once

#include "storemon/partition/partition_data.hpp"
#include "storemon/protocol/actors.hpp"

namespace storemon::partition {

/// What a shard owns.
struct shard_state {
  static inline const char* name = "shard";

  partition_data data;
  slice_limits limits;
};

/// SHARD: serves one partition. It never blocks and holds no handle to others; an exception ends it, and the
/// supervisor makes a new one.
protocol::shard_actor::behavior_type shard(protocol::shard_actor::stateful_pointer<shard_state> self,
                                           slice_limits limits);

} // namespace storemon::partition
