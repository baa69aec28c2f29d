#pragma once

#include "storemon/protocol/errors.hpp"
#include "storemon/protocol/inspect.hpp"
#include "storemon/protocol/messages.hpp"
#include "storemon/protocol/shared.hpp"

#include <caf/all.hpp>

#include <memory>
#include <string>
#include <vector>

namespace storemon::protocol {

/// `op<R, A...>`: an actor answers R to the message A...
template <class R, class... A>
using op = typename caf::replies_to<A...>::template with<R>;

using shared_update = shared<update>;
using shared_spec = shared<report_spec>;
using shared_columns = shared<report_columns>;
using shared_quality = shared<data_quality>;

} // namespace storemon::protocol

// Values that never leave the process.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(storemon::report_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(storemon::protocol::report_status)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<storemon::protocol::report_status>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<const storemon::protocol::report_file>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<const storemon::protocol::import_result>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(storemon::protocol::health)

CAF_BEGIN_TYPE_ID_BLOCK(storemon_values, first_custom_type_id)
CAF_ADD_TYPE_ID(storemon_values, (std::vector<uint32_t>))
CAF_ADD_TYPE_ID(storemon_values, (storemon::applied))
CAF_ADD_TYPE_ID(storemon_values, (storemon::protocol::census))
CAF_ADD_TYPE_ID(storemon_values, (storemon::protocol::shared_update))
CAF_ADD_TYPE_ID(storemon_values, (storemon::protocol::shared_spec))
CAF_ADD_TYPE_ID(storemon_values, (storemon::protocol::shared_columns))
CAF_ADD_TYPE_ID(storemon_values, (storemon::protocol::shared_quality))
CAF_ADD_ATOM(storemon_values, storemon::protocol, apply_atom, "apply")
CAF_ADD_ATOM(storemon_values, storemon::protocol, census_atom, "census")
CAF_ADD_ATOM(storemon_values, storemon::protocol, rows_atom, "rows")
CAF_ADD_ATOM(storemon_values, storemon::protocol, quality_atom, "quality")
CAF_ADD_ATOM(storemon_values, storemon::protocol, spawn_atom, "spawn")
CAF_ADD_ATOM(storemon_values, storemon::protocol, trigger_atom, "trigger")
CAF_ADD_ATOM(storemon_values, storemon::protocol, poll_atom, "poll")
CAF_ADD_ATOM(storemon_values, storemon::protocol, cancel_atom, "cancel")
CAF_ADD_ATOM(storemon_values, storemon::protocol, list_atom, "list")
CAF_ADD_ATOM(storemon_values, storemon::protocol, file_atom, "file")
CAF_ADD_ATOM(storemon_values, storemon::protocol, placed_atom, "placed")
CAF_ADD_ATOM(storemon_values, storemon::protocol, deadline_atom, "deadline")
CAF_ADD_ATOM(storemon_values, storemon::protocol, done_atom, "done")
CAF_ADD_ATOM(storemon_values, storemon::protocol, import_atom, "import")
CAF_ADD_ATOM(storemon_values, storemon::protocol, health_atom, "health")
CAF_ADD_ATOM(storemon_values, storemon::protocol, ready_atom, "ready")
CAF_ADD_ATOM(storemon_values, storemon::protocol, join_atom, "join")
CAF_ADD_ATOM(storemon_values, storemon::protocol, stop_atom, "stop")
CAF_END_TYPE_ID_BLOCK(storemon_values)

namespace storemon::protocol {

/// SHARD: one partition's stores, in memory. May live on another node.
using shard_actor = caf::typed_actor<
    /// Applies one durable change; answers what it did.
    op<applied, apply_atom, shared_update>,
    /// What the partition holds.
    op<census, census_atom>,
    /// Measures of the stores whose ids come after the given one in byte order (empty: from the first), as
    /// many as make a message of bounded size; `last` tells when there are no more.
    op<shared_columns, rows_atom, shared_spec, std::string>,
    /// The quality of the partition's data.
    op<shared_quality, quality_atom>>;

/// HOST: one per process; makes shards there at the supervisor's word.
using host_actor = caf::typed_actor<
    /// Spawns fresh, empty shards for these partitions; the answers are in the same order. A partition the
    /// host has already gets a new shard, and the old one is stopped.
    op<std::vector<shard_actor>, spawn_atom, std::vector<uint32_t>>,
    /// Stops all shards, then the host.
    caf::reacts_to<stop_atom>>;

/// COORDINATOR: reports and their life cycle.
using coordinator_actor = caf::typed_actor<
    /// Starts a report; answers its id. Fails with invalid_argument, busy, not_ready or shutting_down.
    op<std::string, trigger_atom, report_request>,
    /// One report by id, or not_found.
    op<report_status, poll_atom, std::string>,
    /// Cancels a running report; a finished one stays as it is. Answers the status, or not_found.
    op<report_status, cancel_atom, std::string>,
    /// All reports kept, newest first, without their files' bytes.
    op<std::vector<report_status>, list_atom>,
    /// The finished file of that name, or not_found.
    op<std::shared_ptr<const report_file>, file_atom, std::string>,
    /// The quality of the data of all partitions.
    op<shared_quality, quality_atom>,
    /// Takes no more reports; answers once none is running.
    op<bool, stop_atom>,
    /// From the supervisor: the shard of each partition; a null handle where none serves now.
    caf::reacts_to<placed_atom, std::vector<shard_actor>>>;

/// IMPORTER: reads the feeds of one directory into the shards, once; then quits.
using importer_actor = caf::typed_actor<
    /// Starts; answers when everything is applied. Fails with io_failed or bad_feed.
    op<std::shared_ptr<const import_result>, import_atom>>;

/// SUPERVISOR: the shards of the cluster and the actors of this node.
using supervisor_actor = caf::typed_actor<
    /// A node offers itself for its share of the partitions. Answers the number of partitions of the cluster.
    /// Fails with invalid_argument when the name is not among the nodes configured, busy while a node of that
    /// name is up.
    op<uint32_t, join_atom, std::string, host_actor>, op<health, health_atom>,
    /// Answers once all partitions serve for the first time. Fails when the first import does.
    op<bool, ready_atom>,
    /// Imports the configured directory again. Fails with busy while an import runs, invalid_argument when
    /// there is no directory, not_ready before all partitions have a shard.
    op<std::shared_ptr<const import_result>, import_atom>,
    /// Stops coordinator, importer and shards, in that order; answers when they are gone, then quits.
    op<bool, stop_atom>>;

} // namespace storemon::protocol

CAF_BEGIN_TYPE_ID_BLOCK(storemon_handles, storemon_values_last_type_id + 1)
CAF_ADD_TYPE_ID(storemon_handles, (storemon::protocol::shard_actor))
CAF_ADD_TYPE_ID(storemon_handles, (std::vector<storemon::protocol::shard_actor>))
CAF_ADD_TYPE_ID(storemon_handles, (storemon::protocol::host_actor))
CAF_ADD_TYPE_ID(storemon_handles, (storemon::protocol::supervisor_actor))
CAF_END_TYPE_ID_BLOCK(storemon_handles)
