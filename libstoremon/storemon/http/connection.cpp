#include "storemon/http/connection.hpp"

#include "storemon/http/answer_writer.hpp"
#include "storemon/http/incoming_body.hpp"
#include "storemon/http/status.hpp"

#include <boost/asio/error.hpp>
#include <spdlog/spdlog.h>

#include <array>
#include <exception>

namespace storemon::http {

namespace asio = boost::asio;

namespace {

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

connection::connection(asio::ip::tcp::socket socket, const options& limits, const request_service& service)
    : client_(std::move(socket)), limits_(limits), service_(service) {}

asio::awaitable<void> connection::serve() {
  bool more = true;
  while (more)
    more = co_await serve_one();
  close();
}

asio::awaitable<void> connection::refuse() {
  const auto answer = problem(503, "too_many_connections", "the server has as many connections as it takes");
  const request unread;
  co_await send_last(answer, unread);
  close();
}

void connection::drain() {
  draining_ = true;
  if (headless_)
    close();
}

asio::awaitable<bool> connection::serve_one() {
  request_reader reader(limits_, service_.rules);
  response refusal;
  const auto received = co_await receive(reader, refusal);
  headless_ = false;
  if (received == outcome::hang_up)
    co_return false;
  client_.end_phase();
  if (received == outcome::answer_refusal) {
    spdlog::debug("http: {} {} refused with {}", reader.partial().method, printable(reader.partial().target),
                  refusal.status);
    co_await send_last(refusal, reader.partial());
    co_return false;
  }
  auto asked = reader.take();
  const auto begin = clock::now();
  handled done;
  if (reader.streamed())
    done = co_await handle_streamed(asked, reader);
  else
    done.answer = co_await handle(asked);
  if (!done.answer)
    co_return false;
  const bool keep =
      asked.keep_alive && !draining_ && done.read_whole && !ends_connection(*done.answer, asked);
  answer_writer writer(client_, limits_.write_timeout);
  const auto sent = co_await writer.send(*done.answer, asked, keep);
  if (spdlog::should_log(spdlog::level::debug))
    spdlog::debug("http: {} {} {} in {} us", asked.method, printable(asked.target), done.answer->status,
                  std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - begin).count());
  if (sent == answer_writer::outcome::broken)
    client_.reset();
  if (sent != answer_writer::outcome::sent)
    co_return false;
  if (!keep)
    co_await linger();
  co_return keep;
}

asio::awaitable<connection::outcome> connection::receive(request_reader& reader, response& refusal) {
  using phase = request_reader::phase;
  bool continued = false;
  bool silent = client_.received.empty();
  client_.begin_phase(silent ? limits_.idle_timeout : limits_.header_timeout);
  auto at = reader.read(client_.received);
  headless_ = at == phase::head;
  if (at == phase::body)
    client_.begin_phase(limits_.body_timeout);
  if (headless_ && draining_)
    co_return outcome::hang_up;
  while (at == phase::head || (at == phase::body && !reader.streamed())) {
    if (at == phase::body && reader.expects_continue() && !continued && client_.received.empty()) {
      continued = true;
      const bool told =
          co_await client_.write(std::array{asio::buffer(continue_line)}, limits_.write_timeout);
      if (!told)
        co_return outcome::hang_up;
      client_.begin_phase(limits_.body_timeout);
    }
    const auto failure = co_await client_.fill();
    if (failure && silent)
      co_return outcome::hang_up;
    if (failure && client_.expired()) {
      refusal = late_request();
      co_return outcome::answer_refusal;
    }
    if (failure == asio::error::eof) {
      refusal = cut_request();
      co_return outcome::answer_refusal;
    }
    if (failure)
      co_return outcome::hang_up;
    if (silent) {
      silent = false;
      client_.begin_phase(limits_.header_timeout);
    }
    at = reader.read(client_.received);
    if (headless_ && at == phase::body)
      client_.begin_phase(limits_.body_timeout);
    headless_ = at == phase::head;
  }
  if (at == phase::refused) {
    refusal = reader.refusal();
    co_return outcome::answer_refusal;
  }
  co_return outcome::got_request;
}

asio::awaitable<connection::handled> connection::handle_streamed(request& asked, request_reader& reader) {
  incoming_body body(client_, reader, limits_);
  asked.stream = &body;
  handled done;
  done.answer = co_await handle(asked);
  asked.stream = nullptr;
  done.read_whole = body.whole();
  if (body.failed())
    done.answer = body.refusal();
  co_return done;
}

asio::awaitable<response> connection::handle(const request& asked) {
  try {
    response answer = co_await service_.answer(asked);
    co_return answer;
  } catch (const std::exception& e) {
    spdlog::error("http: {} {} failed: {}", asked.method, printable(asked.target), e.what());
  }
  co_return problem(500, to_string(errc::internal), "the request could not be handled");
}

asio::awaitable<void> connection::send_last(const response& answer, const request& asked) {
  answer_writer writer(client_, limits_.write_timeout);
  const auto sent = co_await writer.send(answer, asked, false);
  if (sent == answer_writer::outcome::sent)
    co_await linger();
}

asio::awaitable<void> connection::linger() {
  co_await client_.linger(limits_.linger_timeout, limits_.linger_bytes_max);
}

} // namespace storemon::http
