#pragma once

#include "storemon/partition/shard_actor.hpp"
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
/// @param options  of all of them; partition and journal are filled in.
protocol::host_actor::behavior_type host(protocol::host_actor::stateful_pointer<host_state> self,
                                         const partition::shard_options& options);

} // namespace storemon::node
