#include "storemon/http/gateway.hpp"
#include "storemon/node/actor_config.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <caf/io/all.hpp>
#include <catch2/catch.hpp>

#include <future>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace storemon;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

/// Repeats a number as often as it says; what becomes of other numbers is the test's subject.
using echo_actor = caf::typed_actor<caf::replies_to<int32_t>::with<std::string>>;

enum class manner { answers, refuses, keeps_silent, throws, quits };

echo_actor::behavior_type echo(echo_actor::pointer self, manner how) {
  return {[self, how](int32_t number) -> caf::result<std::string> {
    switch (how) {
    case manner::answers:
      return std::string(static_cast<size_t>(number), '*');
    case manner::refuses:
      return protocol::to_caf({errc::not_found, "no such number"});
    case manner::keeps_silent:
      return self->make_response_promise<std::string>(); // dropping it sends nothing in CAF 0.17
    case manner::throws:
      throw std::runtime_error("a fault of the actor");
    case manner::quits:
      self->quit();
      return self->make_response_promise<std::string>();
    }
    return std::string();
  }};
}

/// Takes its time, so that the questions that follow wait in its mailbox.
echo_actor::behavior_type stuck(echo_actor::pointer) {
  return {[](int32_t) {
    std::this_thread::sleep_for(50ms);
    return std::string("one");
  }};
}

struct site {
  caf::actor_system& system;
  asio::io_context io{1};
  http::gateway actors{system, io.get_executor()};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(io);
  std::thread thread{[this] { io.run(); }};

  explicit site(caf::actor_system& s) : system(s) {}

  ~site() {
    actors.stop();
    work.reset();
    thread.join();
  }

  /// Asks from a coroutine on the server's thread; the future gets the outcome.
  std::future<result<std::string>> ask(const echo_actor& to, int32_t number,
                                       std::chrono::milliseconds limit = 30s) {
    auto promise = std::make_shared<std::promise<result<std::string>>>();
    auto future = promise->get_future();
    asio::co_spawn(io, run(to, number, limit, promise), asio::detached);
    return future;
  }

  asio::awaitable<void> run(echo_actor to, int32_t number, std::chrono::milliseconds limit,
                            std::shared_ptr<std::promise<result<std::string>>> promise) {
    auto outcome = co_await actors.ask(to, limit, number);
    promise->set_value(std::move(outcome));
  }
};

errc code_of(std::future<result<std::string>> outcome) {
  const auto got = outcome.get();
  return got ? errc::ok : got.error().code;
}

} // namespace

TEST_CASE("an answer or a refusal of an actor reaches the coroutine") {
  node::actor_config config(2, false);
  caf::actor_system system(config);
  site s(system);
  CHECK(s.ask(system.spawn(echo, manner::answers), 3).get().value() == "***");
  const auto refused = s.ask(system.spawn(echo, manner::refuses), 3).get();
  REQUIRE(!refused);
  CHECK(refused.error().code == errc::not_found);
  CHECK(refused.error().detail == "no such number");
  CHECK(s.actors.pending() == 0);
}

TEST_CASE("ten thousand questions at once each get their own answer") {
  node::actor_config config(2, false);
  caf::actor_system system(config);
  site s(system);
  const auto actor = system.spawn(echo, manner::answers);
  std::vector<std::future<result<std::string>>> outcomes;
  for (int i = 0; i < 10'000; ++i)
    outcomes.push_back(s.ask(actor, i % 50));
  size_t right = 0;
  for (int i = 0; i < 10'000; ++i)
    right += outcomes[static_cast<size_t>(i)].get().value().size() == static_cast<size_t>(i % 50);
  CHECK(right == 10'000);
  CHECK(s.actors.pending() == 0);
}

TEST_CASE("an actor that says nothing is given up, and its late answer dropped") {
  node::actor_config config(2, false);
  caf::actor_system system(config);
  site s(system);
  CHECK(code_of(s.ask(system.spawn(echo, manner::keeps_silent), 1, 1ms)) == errc::busy);

  const auto slow = system.spawn(stuck);
  std::vector<std::future<result<std::string>>> outcomes;
  for (int i = 0; i < 8; ++i)
    outcomes.push_back(s.ask(slow, 1, 1ms)); // the last ones are answered long after they were given up
  for (auto& outcome : outcomes)
    outcome.wait();
  CHECK(code_of(std::move(outcomes.back())) == errc::busy);
  CHECK(s.actors.pending() == 0);
  CHECK(s.ask(slow, 1).get().value() == "one");
}

TEST_CASE("an actor that throws, quits, is gone or was never there fails the question") {
  node::actor_config config(2, false);
  caf::actor_system system(config);
  site s(system);
  const auto throwing = system.spawn(echo, manner::throws);
  CHECK(code_of(s.ask(throwing, 1)) == errc::internal);
  CHECK(code_of(s.ask(throwing, 1)) == errc::partition_lost);
  const auto quitting = system.spawn(echo, manner::quits);
  CHECK(code_of(s.ask(quitting, 1, 1ms)) == errc::busy); // nobody tells that it left without answering
  CHECK(code_of(s.ask(quitting, 1)) == errc::partition_lost);
  CHECK(code_of(s.ask(echo_actor(), 1)) == errc::not_ready);

  const auto killed = system.spawn(stuck);
  auto first = s.ask(killed, 1);
  auto second = s.ask(killed, 1); // waits in the mailbox when the exit, which is urgent, overtakes it
  while (s.actors.pending() < 2)
    std::this_thread::yield();
  caf::anon_send_exit(killed, caf::exit_reason::kill);
  first.wait();
  CHECK(code_of(std::move(second)) != errc::busy);
  CHECK(s.actors.pending() == 0);
}

TEST_CASE("stopping fails what is pending and what comes after") {
  node::actor_config config(2, false);
  caf::actor_system system(config);
  site s(system);
  const auto silent = system.spawn(echo, manner::keeps_silent);
  std::vector<std::future<result<std::string>>> outcomes;
  for (int i = 0; i < 100; ++i)
    outcomes.push_back(s.ask(silent, 1));
  while (s.actors.pending() < 100)
    std::this_thread::yield();
  s.actors.stop();
  s.actors.stop();
  for (auto& outcome : outcomes)
    REQUIRE(code_of(std::move(outcome)) == errc::shutting_down);
  CHECK(code_of(s.ask(silent, 1)) == errc::shutting_down);
  CHECK(s.actors.pending() == 0);
}

TEST_CASE("stopping while answers rain down loses none") {
  node::actor_config config(2, false);
  caf::actor_system system(config);
  for (int round = 0; round < 20; ++round) {
    site s(system);
    const auto actor = system.spawn(echo, manner::answers);
    std::vector<std::future<result<std::string>>> outcomes;
    for (int i = 0; i < 200; ++i)
      outcomes.push_back(s.ask(actor, 1));
    s.actors.stop();
    for (auto& outcome : outcomes) {
      const auto code = code_of(std::move(outcome));
      REQUIRE((code == errc::ok || code == errc::shutting_down));
    }
  }
}

TEST_CASE("an actor of another node is asked alike") {
  node::actor_config far_config(1, true);
  caf::actor_system far(far_config);
  node::actor_config near_config(1, true);
  caf::actor_system near(near_config);
  const auto there = far.spawn(echo, manner::answers);
  const auto port = far.middleman().publish(there, 0, "127.0.0.1");
  REQUIRE(port);
  auto here = near.middleman().remote_actor<echo_actor>("127.0.0.1", *port);
  REQUIRE(here);
  {
    site s(near);
    CHECK(s.ask(*here, 4).get().value() == "****");
    caf::anon_send_exit(there, caf::exit_reason::user_shutdown);
    // What becomes of a question to a node's dead actor depends on who notices first; but it never hangs.
    CHECK(code_of(s.ask(*here, 4, 100ms)) != errc::shutting_down);
  }
  far.middleman().unpublish(there, *port);
}
