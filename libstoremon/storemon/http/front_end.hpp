#pragma once

#include "storemon/http/api.hpp"
#include "storemon/http/gateway.hpp"
#include "storemon/http/options.hpp"
#include "storemon/http/server.hpp"

namespace storemon::http {

/// The HTTP side of a node: server, gateway and handlers, made, started and stopped in order. To be destroyed
/// before the actor system. Its functions are called by one thread, its owner.
class front_end {
public:
  front_end(caf::actor_system& system, services to, const options& limits);

  /// Stops.
  ~front_end();

  /// Listens and serves. Fails with io_failed or invalid_argument, naming address and reason.
  result<void> start() { return server_.start(); }

  /// The port it listens on; 0 before start().
  uint16_t port() const noexcept { return server_.port(); }

  /// Questions to actors without an answer so far. Any thread.
  size_t pending() const { return gateway_.pending(); }

  /// Stops accepting, lets requests under way be answered up to options::drain_timeout, answers the rest 503
  /// shutting_down, closes, and lets go of all actors. Idempotent.
  void stop();

private:
  options limits_;
  server server_;
  file_thread files_; ///< ends before the server, whose executor it answers on
  gateway gateway_;
  api_context context_;
  router routes_;
};

} // namespace storemon::http
