#pragma once

#include <caf/actor_system_config.hpp>

#include <cstddef>

namespace storemon::node {

/// How CAF runs here: the settings that its defaults get wrong for a server.
class actor_config : public caf::actor_system_config {
public:
  /// @param threads   workers of the scheduler; 0: as many as there are cores
  /// @param remoting  whether this process talks to other nodes
  explicit actor_config(size_t threads, bool remoting);
};

/// The number of workers `threads` means: itself, or the number of cores where it is 0.
size_t worker_count(size_t threads) noexcept;

} // namespace storemon::node
