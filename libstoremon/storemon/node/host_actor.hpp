#pragma once

#include "storemon/partition/partition_data.hpp"
#include "storemon/protocol/actors.hpp"

#include <map>

namespace storemon::node {

class host_state {
public:
  static inline const char* name = "host";

  host_state() = default;
  host_state(const host_state&) = delete;
  host_state& operator=(const host_state&) = delete;

  /// However the host ends, its shards end with it.
  ~host_state();

  std::map<uint32_t, protocol::shard_actor> shards;
};

/// HOST: the shards of one process.
protocol::host_actor::behavior_type host(protocol::host_actor::stateful_pointer<host_state> self,
                                         partition::slice_limits limits);

} // namespace storemon::node
