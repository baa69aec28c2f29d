#pragma once

#include "storemon/estimate/estimator.hpp"
#include "storemon/node/engine.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace storemon::test {

/// Triggers a report and polls for it, as a client does, until it is no longer running.
inline protocol::report_status run_report(caf::actor_system& system,
                                          const protocol::coordinator_actor& coordinator,
                                          const report_request& request) {
  using namespace protocol;
  const auto id = node::ask<std::string>(system, coordinator, trigger_atom_v, request);
  if (!id)
    FAIL("no report was started: " << id.error().detail);
  for (;;) {
    auto status = node::ask<report_status>(system, coordinator, poll_atom_v, *id);
    if (!status)
      FAIL("a report was lost: " << status.error().detail);
    if (status->state != report_state::running)
      return std::move(*status);
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
}

/// The CSV of a report that must succeed.
inline std::string csv_of(caf::actor_system& system, const protocol::coordinator_actor& coordinator,
                          const report_request& request) {
  const auto status = run_report(system, coordinator, request);
  INFO(status.failure.detail);
  REQUIRE(status.state == protocol::report_state::complete);
  REQUIRE(status.stores_done == status.stores_total);
  return status.file->bytes;
}

inline std::string csv_of(node::engine& engine, const report_request& request) {
  return csv_of(engine.system(), engine.coordinator(), request);
}

/// Options of an engine that loads a directory.
inline node::engine_options loading(const std::string& directory, uint32_t partitions = 7,
                                    size_t threads = 2) {
  node::engine_options options;
  options.threads = threads;
  options.supervisor.import_directory = directory;
  options.supervisor.partitions = partitions;
  options.weights.only_when_asked = true; // so that a report's weights are the test's word
  return options;
}

/// Totals of the engine's last import; there was one.
inline std::vector<protocol::feed_totals> last_totals(node::engine& engine) {
  const auto health =
      node::ask<protocol::health>(engine.system(), engine.supervisor(), protocol::health_atom_v);
  REQUIRE(health);
  REQUIRE(health->last_import);
  return health->last_import->feeds;
}

/// Has the fleet's weights fitted to what the shards hold now.
inline fleet_weights fit_weights(caf::actor_system& system, const protocol::weights_actor& weights) {
  const auto fitted = node::ask<protocol::shared_weights>(system, weights, protocol::fit_atom_v);
  if (!fitted)
    FAIL("no weights were fitted: " << fitted.error().detail);
  return **fitted;
}

/// One request of every estimator and every scope it knows.
inline std::vector<report_request> every_estimator_and_scope() {
  std::vector<report_request> requests;
  for (const std::string name :
       {"capped_nearest", "nearest", "linear", "carry_forward", "poll_ratio", "poll_count", "telegraph"})
    for (const auto scope :
         {observation_scope::session, observation_scope::business, observation_scope::all}) {
      const auto* estimator = estimate::find_estimator(name);
      REQUIRE(estimator);
      if (!estimator->supports(scope))
        continue;
      report_request request;
      request.estimator = name;
      request.scope = scope;
      requests.push_back(std::move(request));
    }
  REQUIRE(requests.size() == 13);
  return requests;
}

} // namespace storemon::test
