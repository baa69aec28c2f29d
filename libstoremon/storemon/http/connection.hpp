#pragma once

#include "storemon/http/gzip.hpp"
#include "storemon/http/message.hpp"
#include "storemon/http/options.hpp"
#include "storemon/http/request_reader.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <span>
#include <string>

namespace storemon::http {

/// Answers one request; runs on the server's thread and must not block it. The request outlives the
/// coroutine.
using request_handler = std::function<boost::asio::awaitable<response>(const request&)>;

/// One client. All of it runs on the server's thread.
///
/// A deadline belongs to a phase (silence, head, body, each slice of an answer, lingering), not to a read, so
/// trickling bytes gains no time. Nobody waits for a deadline: the server calls expire() now and then.
class connection {
public:
  using clock = std::chrono::steady_clock;

  connection(boost::asio::ip::tcp::socket socket, const options& limits, const request_handler& handler);

  /// Serves requests one after the other until the client, a limit or drain() ends it.
  boost::asio::awaitable<void> serve();

  /// Says that there are too many connections, and ends.
  boost::asio::awaitable<void> refuse();

  /// Cuts short what has passed its deadline.
  void expire(clock::time_point now);

  /// Ends the connection: now while no request's head is whole, else after the answer.
  void drain();

  /// Ends the connection at once.
  void close();

private:
  enum class outcome { got_request, answer_refusal, hang_up };

  boost::asio::awaitable<bool> serve_one();
  boost::asio::awaitable<outcome> receive(request_reader& reader, response& refusal);
  boost::asio::awaitable<boost::system::error_code> fill();
  boost::asio::awaitable<response> handle(const request& asked);
  boost::asio::awaitable<bool> send(const response& answer, const request& asked, bool keep);
  boost::asio::awaitable<bool> send_file(const file_body& body, std::string head);
  boost::asio::awaitable<bool> send_gzip(const file_body& body, std::string head);
  boost::asio::awaitable<bool> write(std::span<const boost::asio::const_buffer> buffers);
  boost::asio::awaitable<void> linger();
  void begin_phase(std::chrono::milliseconds limit);

  boost::asio::ip::tcp::socket socket_;
  const options& limits_;
  const request_handler& handler_;
  std::string received_; ///< bytes not yet taken by a request
  std::array<char, 8 * 1024> chunk_;
  clock::time_point deadline_ = clock::time_point::max();
  bool expired_ = false;
  bool headless_ = true; ///< of the next request there is no whole head yet
  bool draining_ = false;
};

} // namespace storemon::http
