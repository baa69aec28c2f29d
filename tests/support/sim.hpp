#pragma once

#include "storemon/protocol/actors.hpp"

#include <caf/all.hpp>
#include <caf/detail/test_actor_clock.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace storemon::test {

/// The configuration of a deterministic actor system: one thread, and a clock that stands still until told.
struct sim_config : caf::actor_system_config {
  sim_config() {
    add_message_types<caf::id_block::storemon_values>();
    add_message_types<caf::id_block::storemon_handles>();
    set("scheduler.policy", caf::atom("testing"));
    set("logger.inline-output", true);
  }
};

/// An actor system whose every step is the test's: messages run in the order they were sent, time passes when
/// the test says so. Actors given to `owns` end with it.
class sim {
public:
  sim()
      : system(config_), scheduler(dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler())),
        self(system, true) {
    scheduler.clock().current_time += std::chrono::hours(1); // timeouts at the clock's zero would never come
  }

  ~sim() {
    for (const auto& actor : owned_)
      self->send_exit(actor, caf::exit_reason::kill);
    do
      settle();
    while (scheduler.trigger_timeout()); // a timeout to come holds its actor
  }

  sim(const sim&) = delete;
  sim& operator=(const sim&) = delete;

  template <class Handle>
  Handle owns(Handle actor) {
    owned_.push_back(caf::actor_cast<caf::actor>(actor));
    return actor;
  }

  /// Runs until nobody has a message left. @returns how many steps that took.
  size_t settle() {
    size_t steps = 0;
    while (scheduler.try_run_once())
      ++steps;
    return steps;
  }

  void advance(caf::timespan by) {
    scheduler.advance_time(by);
    settle();
  }

  /// Asks, runs until all is quiet, and takes the answer. errc::internal "no answer" when none came.
  template <class R, class Handle, class... Args>
  result<R> ask(const Handle& whom, Args&&... args) {
    auto asked = self->request(whom, caf::infinite, std::forward<Args>(args)...);
    settle();
    return take<R>(asked);
  }

  /// The answer to a request made before, if it has come.
  template <class R, class Request>
  result<R> take(Request& asked) {
    result<R> answer = error{errc::internal, "no answer"};
    if (!self->has_next_message())
      return answer;
    asked.receive([&](R& value) { answer = std::move(value); },
                  [&](const caf::error& e) { answer = protocol::from_caf(e); });
    return answer;
  }

private:
  sim_config config_;

public:
  caf::actor_system system;
  caf::scheduler::test_coordinator& scheduler;
  caf::scoped_actor self;

private:
  std::vector<caf::actor> owned_;
};

} // namespace storemon::test
