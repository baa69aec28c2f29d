#pragma once

#include "storemon/http/message.hpp"
#include "storemon/http/options.hpp"
#include "storemon/http/request_reader.hpp"
#include "storemon/http/transport.hpp"

#include <functional>
#include <optional>

namespace storemon::http {

/// Answers one request; runs on the server's thread and must not block it. The request outlives the
/// coroutine.
using request_handler = std::function<boost::asio::awaitable<response>(const request&)>;

/// What serves the requests of all connections.
struct request_service {
  request_handler answer;
  body_rule_finder rules{}; ///< null: all bodies are small
};

/// One client. All of it runs on the server's thread.
///
/// A deadline belongs to a phase (silence, head, body, each slice of an answer, lingering), not to a read, so
/// trickling bytes gains no time.
class connection {
public:
  using clock = transport::clock;

  connection(boost::asio::ip::tcp::socket socket, const options& limits, const request_service& service);

  /// Serves requests one after the other until the client, a limit or drain() ends it.
  boost::asio::awaitable<void> serve();

  /// Says that there are too many connections, and ends.
  boost::asio::awaitable<void> refuse();

  /// Cuts short what has passed its deadline.
  void expire(clock::time_point now) { client_.expire(now); }

  /// Ends the connection: now while no request's head is whole, else after the answer.
  void drain();

  /// Ends the connection at once.
  void close() { client_.close(); }

private:
  enum class outcome { got_request, answer_refusal, hang_up };

  /// What a handler made of a request.
  struct handled {
    std::optional<response> answer; ///< nothing: there is nobody to answer
    bool read_whole = true;         ///< what follows the request is the next one
  };

  boost::asio::awaitable<bool> serve_one();
  boost::asio::awaitable<outcome> receive(request_reader& reader, response& refusal);
  boost::asio::awaitable<handled> handle_streamed(request& asked, request_reader& reader);
  boost::asio::awaitable<response> handle(const request& asked);
  boost::asio::awaitable<void> send_last(const response& answer, const request& asked);
  boost::asio::awaitable<void> linger();

  transport client_;
  const options& limits_;
  const request_service& service_;
  bool headless_ = true; ///< of the next request there is no whole head yet
  bool draining_ = false;
};

} // namespace storemon::http
