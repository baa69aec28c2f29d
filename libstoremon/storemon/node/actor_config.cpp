#include "storemon/node/actor_config.hpp"

#include "storemon/protocol/actors.hpp"

#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

static_assert(CAF_VERSION == 1706, "get_root_uuid below is bound to this version of CAF");

// CAF 0.17 names a node by its network cards, its disk and its process id, so two containers with a copied
// card and process id 1 would be one node. Its library calls this function through the dynamic symbol table;
// ours comes first.
namespace caf::detail {

std::string get_root_uuid() {
  std::random_device entropy;
  std::string nonce;
  for (int i = 0; i < 4; ++i)
    nonce += std::to_string(entropy()) + "-";
  return nonce;
}

} // namespace caf::detail

namespace storemon::node {

namespace {

using namespace std::chrono_literals;

/// A batch of messages an actor may handle before others get their turn.
constexpr size_t messages_per_turn = 50;

// A peer that is silent so long is lost. An interval under a second breaks CAF 0.17's handshake.
constexpr caf::timespan heartbeat_interval = 1s;
constexpr caf::timespan connection_timeout = 5s;

} // namespace

size_t worker_count(size_t threads) noexcept {
  return threads > 0 ? threads : std::max<size_t>(1, std::thread::hardware_concurrency());
}

actor_config::actor_config(size_t threads, bool remoting) {
  add_message_types<caf::id_block::storemon_values>();
  add_message_types<caf::id_block::storemon_handles>();
  // The default policy lets two busy pairs of actors starve all others.
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads", worker_count(threads));
  set("scheduler.max-throughput", messages_per_turn);
  if (!remoting)
    return;
  load<caf::io::middleman>();
  // Reading messages on the scheduler's workers would let a busy one delay answers to idle actors.
  set("middleman.workers", size_t{0});
  set("middleman.heartbeat-interval", heartbeat_interval);
  set("middleman.connection-timeout", connection_timeout);
  // The cluster's protocol and its version: other programs, and nodes of another version, are turned away.
  set("middleman.app-identifiers", std::vector<std::string>{"storemon/1"});
}

} // namespace storemon::node
