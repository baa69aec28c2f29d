#pragma once

#include "storemon/http/connection.hpp"
#include "storemon/http/options.hpp"
#include "storemon/model/error.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <memory>

namespace storemon::http {

/// An HTTP/1.1 server on one thread of its own. Its functions are called by one other thread, its owner.
class server {
public:
  server(const options& limits, request_service service);

  /// Drains and closes.
  ~server();

  /// Of the server's thread; all handlers run there.
  boost::asio::any_io_executor executor();

  /// Binds, listens and starts the thread; once. Fails with io_failed or invalid_argument, naming address and
  /// reason.
  result<void> start();

  /// The port it listens on; 0 before start().
  uint16_t port() const noexcept;

  /// Stops accepting, closes connections that have not said what they ask, and waits up to
  /// options::drain_timeout for requests under way to be answered. Idempotent.
  /// @returns whether all were.
  bool drain();

  /// After drain(): gives answers that are ready a moment to be written, then closes all connections and ends
  /// the thread. Idempotent.
  void close();

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace storemon::http
