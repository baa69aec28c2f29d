#include "storemon/http/server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

#include <exception>
#include <future>
#include <string>
#include <thread>
#include <unordered_set>

namespace storemon::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

using namespace std::chrono_literals;

/// How late a connection's deadline may be noticed.
constexpr auto sweep_interval = 50ms;

/// How long accepting rests when the system has no descriptor or memory for one more, or when too many
/// clients are being refused.
constexpr auto accept_pause = 50ms;

/// How long close() gives answers that are ready, and then connections to notice that they are closed.
constexpr auto close_grace = 1s;

void log_failure(const std::exception_ptr& failure) {
  if (!failure)
    return;
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& e) {
    spdlog::error("http: a connection failed: {}", e.what());
  }
}

} // namespace

struct server::state {
  state(const options& o, request_service s) : limits(o), service(std::move(s)) {}

  options limits;
  request_service service;
  std::unordered_set<connection*> connections; ///< outlives the coroutines that enter it, hence before io
  size_t refusals = 0;                         ///< how many of the connections are being refused
  bool draining = false;
  std::promise<void> all_answered;
  std::future<void> answered = all_answered.get_future();
  asio::io_context io{1};
  tcp::acceptor acceptor{io};
  uint16_t port = 0;
  std::thread thread;

  result<void> bind();
  asio::awaitable<void> accept();
  asio::awaitable<void> wait(std::chrono::milliseconds time);
  asio::awaitable<void> run(tcp::socket socket);
  asio::awaitable<void> sweep();
  void end_if_answered();
  void begin_drain();
  bool await_answers(std::chrono::milliseconds limit);
};

result<void> server::state::bind() {
  const auto where = limits.address + ":" + std::to_string(limits.port);
  error_code failure;
  const auto address = asio::ip::make_address(limits.address, failure);
  if (failure)
    return error{errc::invalid_argument, "cannot listen on " + where + ": not an IP address"};
  const tcp::endpoint endpoint(address, limits.port);
  acceptor.open(endpoint.protocol(), failure);
  if (!failure)
    acceptor.set_option(tcp::acceptor::reuse_address(true), failure);
  if (!failure)
    acceptor.bind(endpoint, failure);
  if (!failure)
    acceptor.listen(asio::socket_base::max_listen_connections, failure);
  if (!failure)
    port = acceptor.local_endpoint(failure).port();
  if (failure)
    return error{errc::io_failed, "cannot listen on " + where + ": " + failure.message()};
  return {};
}

asio::awaitable<void> server::state::wait(std::chrono::milliseconds time) {
  asio::steady_timer timer(io, time);
  co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> server::state::accept() {
  while (!draining) {
    if (refusals >= limits.refusals_max) {
      co_await wait(accept_pause);
      continue;
    }
    error_code failure;
    auto token = asio::redirect_error(asio::use_awaitable, failure);
    auto socket = co_await acceptor.async_accept(token);
    if (!failure) {
      asio::co_spawn(io, run(std::move(socket)), log_failure);
    } else if (!draining && failure != asio::error::connection_aborted) {
      spdlog::warn("http: cannot accept a connection: {}", failure.message());
      co_await wait(accept_pause);
    }
  }
}

asio::awaitable<void> server::state::run(tcp::socket socket) {
  if (draining)
    co_return;
  connection client(std::move(socket), limits, service);
  const bool refused = connections.size() - refusals >= limits.connections_max;

  /// Leaves when the coroutine ends in any way, also by being destroyed with the io_context.
  struct membership {
    state& of;
    connection& client;
    bool refused;

    membership(state& s, connection& c, bool r) : of(s), client(c), refused(r) {
      of.connections.insert(&client);
      of.refusals += refused ? 1 : 0;
    }

    ~membership() {
      of.connections.erase(&client);
      of.refusals -= refused ? 1 : 0;
      of.end_if_answered();
    }
  } member(*this, client, refused);

  if (refused)
    co_await client.refuse();
  else
    co_await client.serve();
}

asio::awaitable<void> server::state::sweep() {
  while (!draining || !connections.empty()) {
    co_await wait(sweep_interval);
    const auto now = connection::clock::now();
    for (auto* client : connections)
      client->expire(now);
  }
}

void server::state::end_if_answered() {
  if (draining && connections.empty())
    all_answered.set_value(); // once only: while draining none enters
}

void server::state::begin_drain() {
  draining = true;
  error_code ignored; // it is not needed any more
  acceptor.close(ignored);
  // A coroutine whose connection is closed leaves the set later, when it finds its socket closed.
  for (auto* client : connections)
    client->drain();
  end_if_answered();
}

bool server::state::await_answers(std::chrono::milliseconds limit) {
  return answered.wait_for(limit) == std::future_status::ready;
}

server::server(const options& limits, request_service service)
    : state_(std::make_unique<state>(limits, std::move(service))) {}

server::~server() {
  drain();
  close();
}

asio::any_io_executor server::executor() {
  return state_->io.get_executor();
}

uint16_t server::port() const noexcept {
  return state_->port;
}

result<void> server::start() {
  auto& s = *state_;
  if (auto bound = s.bind(); !bound)
    return bound;
  asio::co_spawn(s.io, s.accept(), log_failure);
  asio::co_spawn(s.io, s.sweep(), log_failure);
  s.thread = std::thread([&s] { s.io.run(); });
  return {};
}

bool server::drain() {
  auto& s = *state_;
  if (!s.thread.joinable())
    return true;
  asio::post(s.io, [&s] {
    if (!s.draining)
      s.begin_drain();
  });
  return s.await_answers(s.limits.drain_timeout);
}

void server::close() {
  auto& s = *state_;
  if (!s.thread.joinable())
    return;
  if (!s.await_answers(close_grace)) {
    asio::post(s.io, [&s] {
      for (auto* client : s.connections)
        client->close();
    });
    // A handler that waits for something else than an actor would hold its connection for ever.
    if (!s.await_answers(close_grace))
      s.io.stop();
  }
  s.thread.join();
}

} // namespace storemon::http
