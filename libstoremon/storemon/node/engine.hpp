#pragma once

#include "storemon/ingest/intake_actor.hpp"
#include "storemon/journal/journal_actor.hpp"
#include "storemon/model/error.hpp"
#include "storemon/node/actor_config.hpp"
#include "storemon/node/exporter_actor.hpp"
#include "storemon/node/supervisor_actor.hpp"
#include "storemon/protocol/actors.hpp"
#include "storemon/report/coordinator_actor.hpp"
#include "storemon/report/store_desk_actor.hpp"
#include "storemon/report/weights_actor.hpp"

#include <caf/all.hpp>

#include <memory>

namespace storemon::node {

struct engine_options {
  size_t threads = 0; ///< workers of the scheduler; 0: one a core
  bool remoting = false;
  supervisor_options supervisor;
  report::coordinator_options reports;
  report::weights_options weights;
  report::store_desk_options desk;
  ingest::intake_options intake;
  /// Where everything is kept; null: nothing is.
  std::unique_ptr<journal::backend> storage;
  journal::journal_options journal;
};

/// The actors of a leading node, without any front end: what the server, the tool, the tests and the
/// benchmarks share. Fills in what the options leave open: clocks, ids, parsers, slices in flight, handles.
class engine {
public:
  explicit engine(engine_options options);

  /// Stops, when nobody has.
  ~engine();

  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  caf::actor_system& system() noexcept { return system_; }

  const protocol::coordinator_actor& coordinator() const noexcept { return coordinator_; }

  const protocol::supervisor_actor& supervisor() const noexcept { return supervisor_; }

  const protocol::intake_actor& intake() const noexcept { return intake_; }

  const protocol::exporter_actor& exporter() const noexcept { return exporter_; }

  const protocol::weights_actor& weights() const noexcept { return weights_; }

  const protocol::store_desk_actor& desk() const noexcept { return desk_; }

  /// Null where nothing is kept.
  const protocol::journal_actor& journal() const noexcept { return journal_; }

  /// Blocks until all partitions serve, or the first load has failed.
  result<void> wait_ready();

  /// Finishes what runs, bounded by the options' drain_timeout, and ends the actors. Idempotent; blocks.
  void stop();

private:
  actor_config config_;
  caf::actor_system system_;
  protocol::journal_actor journal_;
  protocol::intake_actor intake_;
  protocol::exporter_actor exporter_;
  protocol::coordinator_actor coordinator_;
  protocol::weights_actor weights_;
  protocol::store_desk_actor desk_;
  protocol::supervisor_actor supervisor_;
};

/// Asks an actor from a plain thread and waits for the answer.
template <class R, class Handle, class... Args>
result<R> ask(caf::actor_system& system, const Handle& whom, Args&&... args) {
  caf::scoped_actor self(system);
  result<R> answer = error{errc::internal, "no answer"};
  self->request(whom, caf::infinite, std::forward<Args>(args)...)
      .receive([&](R& value) { answer = std::move(value); },
               [&](const caf::error& e) { answer = protocol::from_caf(e); });
  return answer;
}

/// The server's clock.
instant system_now();

} // namespace storemon::node
