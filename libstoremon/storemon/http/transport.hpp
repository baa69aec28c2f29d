#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>

namespace storemon::http {

/// The socket of one client, with a deadline that belongs to a phase, not to a read or write. All of it runs
/// on the server's thread. Nobody waits for a deadline: the server calls expire() now and then.
class transport {
public:
  using clock = std::chrono::steady_clock;

  explicit transport(boost::asio::ip::tcp::socket socket);

  /// Receives some bytes and appends them to `received`.
  boost::asio::awaitable<boost::system::error_code> fill();

  /// Sends all of the buffers, within `limit`.
  /// @returns whether they were handed to the kernel.
  boost::asio::awaitable<bool> write(std::span<const boost::asio::const_buffer> buffers,
                                     std::chrono::milliseconds limit);

  /// Says that no more will be sent, then takes and drops what the client still sends, within both limits.
  boost::asio::awaitable<void> linger(std::chrono::milliseconds limit, size_t bytes_max);

  /// Sets the deadline anew.
  void begin_phase(std::chrono::milliseconds limit);

  /// Lifts the deadline.
  void end_phase() noexcept { deadline_ = clock::time_point::max(); }

  /// Whether the phase begun last has passed its deadline.
  bool expired() const noexcept { return expired_; }

  /// Cuts short what is under way when its deadline has passed.
  void expire(clock::time_point now);

  /// Ends the connection at once.
  void close();

  /// Ends the connection with a reset, which no client takes for the end of an answer.
  void reset();

  std::string received; ///< bytes not yet taken by a request

private:
  boost::asio::ip::tcp::socket socket_;
  std::array<char, 8 * 1024> chunk_;
  clock::time_point deadline_ = clock::time_point::max();
  bool expired_ = false;
};

} // namespace storemon::http
