#pragma once

#include "storemon/model/error.hpp"
#include "storemon/protocol/errors.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <caf/actor_companion.hpp>
#include <caf/all.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <type_traits>
#include <unordered_map>
#include <utility>

namespace storemon::http {

/// Where coroutines ask actors: the one place that knows both Asio and CAF (CAF.md section 7).
///
/// An answer is handed over by the thread that gives it, to the executor of the coroutine that waits. Every
/// question gets exactly one outcome: the answer; the actor's error; partition_lost when the actor is gone;
/// busy when its limit passes, which is looked at every sweep_interval; or shutting_down at stop(). An answer
/// that comes later than that is dropped.
class gateway {
public:
  using clock = std::chrono::steady_clock;

  /// How late a limit may be noticed.
  static constexpr auto sweep_interval = std::chrono::milliseconds(50);

  /// @param executor  of the one thread on which ask() is called and limits are watched.
  gateway(caf::actor_system& system, boost::asio::any_io_executor executor);

  /// Stops. The executor's thread must no longer run, or be the caller.
  ~gateway();

  gateway(const gateway&) = delete;
  gateway& operator=(const gateway&) = delete;

  /// `co_await gateway.ask(handle, limit, atom_v, args...)` gives result<R>, R being what the typed actor
  /// answers to these. On the executor's thread only. A null handle is not_ready.
  template <class Handle, class... Ts>
  auto ask(const Handle& to, std::chrono::milliseconds limit, Ts... args);

  /// Tells an actor something it does not answer. Any thread, also after stop().
  template <class Handle, class... Ts>
  static void tell(const Handle& to, Ts... args) {
    caf::anon_send(to, std::move(args)...);
  }

  /// Fails all questions, and those to come, with shutting_down, and lets go of all actors. Idempotent; any
  /// thread.
  void stop();

  /// Questions without an answer so far. Any thread.
  size_t pending() const;

private:
  /// A coroutine that waits.
  struct slot {
    clock::time_point deadline;

    virtual ~slot() = default;
    virtual void answer(caf::message content) = 0;
    virtual void fail(error e) = 0;
  };

  template <class R, class Handler>
  struct slot_of;

  /// Registers a question and names it; an error when there can be none any more.
  result<std::pair<uint64_t, caf::strong_actor_ptr>> enter(std::unique_ptr<slot>& waiting);

  void on_message(caf::mailbox_element& element);
  void watch();
  void sweep();

  mutable std::mutex mutex_; ///< guards the members down to stopped_
  caf::actor self_;
  std::unordered_map<uint64_t, std::unique_ptr<slot>> slots_;
  uint64_t last_id_ = 0;
  bool stopped_ = false;

  boost::asio::steady_timer timer_; ///< with watching_, touched on the executor's thread only
  bool watching_ = false;
};

template <class R, class Handler>
struct gateway::slot_of final : slot {
  explicit slot_of(Handler h) : handler(std::move(h)), work(boost::asio::make_work_guard(handler)) {}

  void answer(caf::message content) override {
    if (content.match_elements<R>())
      deliver(std::move(content.get_mutable_as<R>(0)));
    else if (content.match_elements<caf::error>())
      deliver(protocol::from_caf(content.get_as<caf::error>(0)));
    else
      deliver(error{errc::internal, "an actor gave an answer of an unexpected type"});
  }

  void fail(error e) override { deliver(std::move(e)); }

  void deliver(result<R> outcome) {
    auto resume = [h = std::move(handler), o = std::move(outcome)]() mutable { std::move(h)(std::move(o)); };
    boost::asio::post(work.get_executor(), std::move(resume));
  }

  Handler handler;
  boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler>> work;
};

template <class Handle, class... Ts>
auto gateway::ask(const Handle& to, std::chrono::milliseconds limit, Ts... args) {
  using answers = caf::response_type_t<typename Handle::signatures, Ts...>;
  static_assert(caf::detail::tl_size<answers>::value == 1, "an actor answers one value");
  using answer_type = caf::detail::tl_head_t<answers>;
  auto initiate = [this, to, limit](auto handler, Ts... contents) {
    std::unique_ptr<slot> waiting =
        std::make_unique<slot_of<answer_type, decltype(handler)>>(std::move(handler));
    waiting->deadline = clock::now() + limit;
    if (!to) {
      waiting->fail({errc::not_ready, "there is no actor to ask"});
      return;
    }
    auto entered = enter(waiting);
    if (!entered) {
      waiting->fail(entered.error());
      return;
    }
    watch();
    auto& [id, self] = *entered;
    caf::actor_cast<caf::abstract_actor*>(to)->enqueue(
        caf::make_mailbox_element(std::move(self), caf::make_message_id(id), {}, std::move(contents)...),
        nullptr);
  };
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(result<answer_type>)>(
      std::move(initiate), boost::asio::use_awaitable, std::move(args)...);
}

} // namespace storemon::http
