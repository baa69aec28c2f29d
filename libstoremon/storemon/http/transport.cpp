#include "storemon/http/transport.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace storemon::http {

namespace asio = boost::asio;
using boost::system::error_code;

transport::transport(asio::ip::tcp::socket socket) : socket_(std::move(socket)) {
  error_code ignored; // without it answers come a little later, no more
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

asio::awaitable<error_code> transport::fill() {
  error_code failure;
  auto token = asio::redirect_error(asio::use_awaitable, failure);
  const auto count = co_await socket_.async_read_some(asio::buffer(chunk_), token);
  received.append(chunk_.data(), count);
  co_return failure;
}

asio::awaitable<bool> transport::write(std::span<const asio::const_buffer> buffers,
                                       std::chrono::milliseconds limit) {
  begin_phase(limit);
  error_code failure;
  auto token = asio::redirect_error(asio::use_awaitable, failure);
  co_await asio::async_write(socket_, buffers, token);
  end_phase();
  co_return !failure;
}

asio::awaitable<void> transport::linger(std::chrono::milliseconds limit, size_t bytes_max) {
  error_code failure;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, failure);
  begin_phase(limit);
  size_t dropped = received.size();
  while (!failure && dropped < bytes_max) {
    received.clear();
    failure = co_await fill();
    dropped += received.size();
  }
}

void transport::begin_phase(std::chrono::milliseconds limit) {
  deadline_ = clock::now() + limit;
  expired_ = false;
}

void transport::expire(clock::time_point now) {
  if (now < deadline_)
    return;
  expired_ = true;
  error_code ignored; // a socket that cannot be cancelled is closed already
  // Cancels what is under way at this moment only, and is therefore repeated until the next phase begins.
  socket_.cancel(ignored);
}

void transport::close() {
  error_code ignored; // there is nothing left to do with the socket
  socket_.close(ignored);
}

void transport::reset() {
  error_code ignored; // without it the connection ends without a reset
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  close();
}

} // namespace storemon::http
