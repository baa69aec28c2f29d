#pragma once

#include "storemon/synth/random.hpp"
#include "support/sim.hpp"

#include <functional>
#include <utility>

namespace storemon::test {

/// What a simulation happens on: actors whose messages run in an order that chance makes, one actor that asks
/// on behalf of everybody, and a trace of all that happened.
class simulation_stage {
public:
  simulation_stage(sim& site, uint64_t seed) : random(seed, 0), site_(site) {
    holder_ = site_.system.spawn([this](caf::event_based_actor* self) -> caf::behavior {
      asker_ = self;
      self->set_down_handler([this](const caf::down_msg& down) { gone(down.source); });
      return {[](protocol::next_atom) {}};
    });
    run_all_of(holder_);
  }

  ~simulation_stage() {
    end();
    while (site_.scheduler.has_pending_timeout())
      site_.scheduler.trigger_timeout();
    site_.settle();
  }

  simulation_stage(const simulation_stage&) = delete;
  simulation_stage& operator=(const simulation_stage&) = delete;

  /// Makes everything that is left to chance.
  synth::random_source random;

  /// Called with each actor spawned here that ended.
  std::function<void(const caf::actor_addr&)> gone;

  template <class... Args>
  auto spawn(Args&&... args) {
    auto actor = site_.system.spawn(std::forward<Args>(args)...);
    asker_->monitor(actor);
    return actor;
  }

  template <class Handle>
  void send_exit(const Handle& actor, caf::exit_reason why) {
    site_.self->send_exit(actor, why);
  }

  /// It ends before anything else happens; what was sent to it is lost.
  template <class Handle>
  void kill(const Handle& actor) {
    send_exit(actor, caf::exit_reason::kill);
    run_all_of(actor);
  }

  /// From now on nobody is called back.
  void end() { kill(holder_); }

  /// `answered` is called once, with the answer or why there is none.
  template <class R, class Handle, class Answered, class... Args>
  void ask(const Handle& whom, Answered answered, const Args&... args) {
    asker_->context(nullptr); // that of the job it ran last is gone
    ++unanswered_;
    asker_->request(whom, caf::infinite, args...)
        .then(
            [this, answered](const R& r) {
              --unanswered_;
              answered(result<R>(r));
            },
            [this, answered](const caf::error& e) {
              --unanswered_;
              answered(result<R>(protocol::from_caf(e)));
            });
  }

  /// How many ask() made and are not answered yet.
  size_t unanswered() const { return unanswered_; }

  bool has_jobs() const { return !site_.scheduler.jobs.empty(); }

  void run_a_job() {
    auto& jobs = site_.scheduler.jobs;
    const auto chosen = random.below(jobs.size());
    note(jobs.size() << 8 | chosen);
    std::swap(jobs[0], jobs[chosen]);
    site_.scheduler.run_once();
    ++jobs_run_;
  }

  uint64_t jobs_run() const { return jobs_run_; }

  bool has_timeouts() const { return site_.scheduler.has_pending_timeout(); }

  void pass_time(caf::timespan by) {
    if (has_timeouts())
      site_.scheduler.advance_time(by);
  }

  void note(uint64_t what) { trace_ = (trace_ ^ what) * 0x9e3779b97f4a7c15 + 1; }

  uint64_t trace() const { return trace_; }

private:
  template <class Handle>
  void run_all_of(const Handle& actor) {
    while (site_.scheduler.prioritize(actor))
      site_.scheduler.run_once();
  }

  sim& site_;
  caf::actor holder_; ///< of the asker
  caf::event_based_actor* asker_ = nullptr;
  size_t unanswered_ = 0;
  uint64_t jobs_run_ = 0;
  uint64_t trace_ = 0;
};

} // namespace storemon::test
