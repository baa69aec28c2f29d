#include "storemon/http/connection.hpp"

#include "storemon/http/status.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <exception>

namespace storemon::http {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

/// How much of a file is handed to the kernel, or compressed, before other connections get their turn.
constexpr size_t slice_bytes = 64 * 1024;

std::string_view slice(const file_body& body, size_t done) {
  const auto whole = std::string_view(body.file->bytes).substr(body.offset, body.length);
  return whole.substr(done, slice_bytes);
}

asio::const_buffer buffer_of(std::string_view text) {
  return {text.data(), text.size()};
}

/// For logs: anything but printable ASCII would let a client write lines of its own there.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c > 0x20 && c < 0x7f && c != '\\')
      out += c;
    else
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  return out;
}

} // namespace

connection::connection(asio::ip::tcp::socket socket, const options& limits, const request_handler& handler)
    : socket_(std::move(socket)), limits_(limits), handler_(handler) {
  error_code ignored; // without it answers come a little later, no more
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

asio::awaitable<void> connection::serve() {
  bool more = true;
  while (more)
    more = co_await serve_one();
  close();
}

asio::awaitable<void> connection::refuse() {
  const auto answer = problem(503, "too_many_connections", "the server has as many connections as it takes");
  const request unread;
  const bool sent = co_await send(answer, unread, false);
  if (sent)
    co_await linger();
  close();
}

void connection::expire(clock::time_point now) {
  if (now < deadline_)
    return;
  expired_ = true;
  error_code ignored; // a socket that cannot be cancelled is closed already
  // Cancels what is under way at this moment only, and is therefore repeated until the next phase begins.
  socket_.cancel(ignored);
}

void connection::drain() {
  draining_ = true;
  if (headless_)
    close();
}

void connection::close() {
  error_code ignored; // there is nothing left to do with the socket
  socket_.close(ignored);
}

void connection::begin_phase(std::chrono::milliseconds limit) {
  deadline_ = clock::now() + limit;
  expired_ = false;
}

asio::awaitable<bool> connection::serve_one() {
  request_reader reader(limits_);
  response refusal;
  const auto received = co_await receive(reader, refusal);
  headless_ = false;
  if (received == outcome::hang_up)
    co_return false;
  deadline_ = clock::time_point::max();
  if (received == outcome::answer_refusal) {
    spdlog::debug("http: {} {} refused with {}", reader.partial().method, printable(reader.partial().target),
                  refusal.status);
    const bool told = co_await send(refusal, reader.partial(), false);
    if (told)
      co_await linger();
    co_return false;
  }
  const auto asked = reader.take();
  const auto begin = clock::now();
  const auto answer = co_await handle(asked);
  const bool keep = asked.keep_alive && !draining_;
  const bool sent = co_await send(answer, asked, keep);
  if (spdlog::should_log(spdlog::level::debug))
    spdlog::debug("http: {} {} {} in {} us", asked.method, printable(asked.target), answer.status,
                  std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - begin).count());
  if (sent && keep)
    co_return true;
  if (sent)
    co_await linger();
  co_return false;
}

asio::awaitable<connection::outcome> connection::receive(request_reader& reader, response& refusal) {
  using phase = request_reader::phase;
  bool continued = false;
  bool silent = received_.empty();
  begin_phase(silent ? limits_.idle_timeout : limits_.header_timeout);
  auto at = reader.read(received_);
  headless_ = at == phase::head;
  if (at == phase::body)
    begin_phase(limits_.body_timeout);
  if (headless_ && draining_)
    co_return outcome::hang_up;
  while (at == phase::head || at == phase::body) {
    if (at == phase::body && reader.expects_continue() && !continued && received_.empty()) {
      continued = true;
      const std::array<asio::const_buffer, 1> go_on{buffer_of("HTTP/1.1 100 Continue\r\n\r\n")};
      const bool told = co_await write(go_on);
      if (!told)
        co_return outcome::hang_up;
      begin_phase(limits_.body_timeout);
    }
    const auto failure = co_await fill();
    if (failure && silent)
      co_return outcome::hang_up;
    if (failure && expired_) {
      refusal = problem(408, "request_timeout", "the request did not come in time");
      co_return outcome::answer_refusal;
    }
    if (failure == asio::error::eof) {
      refusal = problem(400, "bad_request", "the request ends before it is whole");
      co_return outcome::answer_refusal;
    }
    if (failure)
      co_return outcome::hang_up;
    if (silent) {
      silent = false;
      begin_phase(limits_.header_timeout);
    }
    at = reader.read(received_);
    if (headless_ && at == phase::body)
      begin_phase(limits_.body_timeout);
    headless_ = at == phase::head;
  }
  if (at == phase::refused) {
    refusal = reader.refusal();
    co_return outcome::answer_refusal;
  }
  co_return outcome::got_request;
}

asio::awaitable<error_code> connection::fill() {
  error_code failure;
  auto token = asio::redirect_error(asio::use_awaitable, failure);
  const auto count = co_await socket_.async_read_some(asio::buffer(chunk_), token);
  received_.append(chunk_.data(), count);
  co_return failure;
}

asio::awaitable<response> connection::handle(const request& asked) {
  try {
    response answer = co_await handler_(asked);
    co_return answer;
  } catch (const std::exception& e) {
    spdlog::error("http: {} {} failed: {}", asked.method, printable(asked.target), e.what());
  }
  co_return problem(500, to_string(errc::internal), "the request could not be handled");
}

asio::awaitable<bool> connection::send(const response& answer, const request& asked, bool keep) {
  auto head = head_of(answer, asked, keep);
  const auto* file = std::get_if<file_body>(&answer.body);
  if (file && sends_body(answer, asked)) {
    bool sent = false;
    if (file->gzip)
      sent = co_await send_gzip(*file, std::move(head));
    else
      sent = co_await send_file(*file, std::move(head));
    co_return sent;
  }
  std::array<asio::const_buffer, 2> buffers{asio::buffer(head), {}};
  if (!file && sends_body(answer, asked))
    buffers[1] = asio::buffer(std::get<std::string>(answer.body));
  const bool sent = co_await write(buffers);
  co_return sent;
}

asio::awaitable<bool> connection::send_file(const file_body& body, std::string head) {
  size_t done = 0;
  do {
    const auto part = slice(body, done);
    const std::array<asio::const_buffer, 2> buffers{asio::buffer(head), buffer_of(part)};
    const bool sent = co_await write(buffers);
    if (!sent)
      co_return false;
    head.clear();
    done += part.size();
  } while (done < body.length);
  co_return true;
}

asio::awaitable<bool> connection::send_gzip(const file_body& body, std::string head) {
  gzip_stream gzip;
  std::string packed;
  size_t done = 0;
  do {
    const auto part = slice(body, done);
    done += part.size();
    const bool last = done == body.length;
    packed.clear();
    gzip.add(part, last, packed);
    // A chunk of no bytes would end the body, so a slice that gave none yet is not sent.
    if (!packed.empty()) {
      head += fmt::format("{:x}\r\n", packed.size());
      packed += last ? "\r\n0\r\n\r\n" : "\r\n";
    }
    const std::array<asio::const_buffer, 2> buffers{asio::buffer(head), asio::buffer(packed)};
    const bool sent = co_await write(buffers);
    if (!sent)
      co_return false;
    head.clear();
  } while (done < body.length);
  co_return true;
}

asio::awaitable<bool> connection::write(std::span<const asio::const_buffer> buffers) {
  begin_phase(limits_.write_timeout);
  error_code failure;
  auto token = asio::redirect_error(asio::use_awaitable, failure);
  co_await asio::async_write(socket_, buffers, token);
  deadline_ = clock::time_point::max();
  co_return !failure;
}

asio::awaitable<void> connection::linger() {
  error_code failure;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, failure);
  begin_phase(limits_.linger_timeout);
  size_t dropped = received_.size();
  while (!failure && dropped < limits_.linger_bytes_max) {
    received_.clear();
    failure = co_await fill();
    dropped += received_.size();
  }
}

} // namespace storemon::http
