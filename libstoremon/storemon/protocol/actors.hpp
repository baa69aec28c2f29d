#pragma once

#include "storemon/protocol/errors.hpp"
#include "storemon/protocol/inspect.hpp"
#include "storemon/protocol/inspect_portrait.hpp"
#include "storemon/protocol/messages.hpp"
#include "storemon/protocol/portrait.hpp"
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
using shared_batch = shared<batch>;
using shared_entries = shared<std::vector<journal_entry>>;
using shared_replay = shared<replay_slice>;
using shared_snapshot = shared<snapshot>;
using shared_card = shared<store_card>;
using shared_marks = shared<std::vector<batch_mark>>;
using shared_weights = shared<fleet_weights>;
using shared_counts = shared<behaviour_counts>;
using shared_portrait = shared<store_portrait>;
using shared_timeline = shared<store_timeline>;

} // namespace storemon::protocol

// Values that never leave the process; CAF writes nothing of them, also not within others, so none of them
// may be part of a value that travels.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(storemon::report_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(storemon::protocol::report_status)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<storemon::protocol::report_status>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<const storemon::protocol::report_file>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<const storemon::protocol::import_result>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(storemon::protocol::health)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(storemon::protocol::journal_health)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(storemon::protocol::intake_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<const storemon::protocol::intake_result>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(storemon::protocol::import_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(storemon::protocol::import_status)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<storemon::protocol::import_status>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(storemon::feed_kind)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(storemon::protocol::store_question)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<const storemon::protocol::stored_report>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<const std::vector<storemon::protocol::stored_report>>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::shared_ptr<const std::string>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<uint64_t>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(std::vector<std::string>)

CAF_BEGIN_TYPE_ID_BLOCK(storemon_values, first_custom_type_id)
CAF_ADD_TYPE_ID(storemon_values, (std::vector<uint32_t>))
CAF_ADD_TYPE_ID(storemon_values, (storemon::applied))
CAF_ADD_TYPE_ID(storemon_values, (storemon::update))
CAF_ADD_TYPE_ID(storemon_values, (storemon::protocol::census))
CAF_ADD_TYPE_ID(storemon_values, (storemon::protocol::shared_update))
CAF_ADD_TYPE_ID(storemon_values, (storemon::protocol::shared_spec))
CAF_ADD_TYPE_ID(storemon_values, (storemon::protocol::shared_columns))
CAF_ADD_TYPE_ID(storemon_values, (storemon::protocol::shared_quality))
CAF_ADD_TYPE_ID(storemon_values, (storemon::protocol::batch_result))
CAF_ADD_TYPE_ID(storemon_values, (storemon::protocol::loaded))
CAF_ADD_TYPE_ID(storemon_values, (storemon::protocol::opening))
CAF_ADD_TYPE_ID(storemon_values, (storemon::protocol::replay_cursor))
CAF_ADD_TYPE_ID(storemon_values, (storemon::protocol::shared_batch))
CAF_ADD_TYPE_ID(storemon_values, (storemon::protocol::shared_entries))
CAF_ADD_TYPE_ID(storemon_values, (storemon::protocol::shared_replay))
CAF_ADD_TYPE_ID(storemon_values, (storemon::protocol::shared_snapshot))
CAF_ADD_TYPE_ID(storemon_values, (storemon::protocol::shared_card))
CAF_ADD_TYPE_ID(storemon_values, (storemon::protocol::shared_marks))
CAF_ADD_TYPE_ID(storemon_values, (storemon::protocol::fit_order))
CAF_ADD_TYPE_ID(storemon_values, (storemon::protocol::fit_slice))
CAF_ADD_TYPE_ID(storemon_values, (storemon::protocol::shared_weights))
CAF_ADD_TYPE_ID(storemon_values, (storemon::protocol::shared_counts))
CAF_ADD_TYPE_ID(storemon_values, (storemon::protocol::shared_portrait))
CAF_ADD_TYPE_ID(storemon_values, (storemon::protocol::shared_timeline))
CAF_ADD_ATOM(storemon_values, storemon::protocol, apply_atom, "apply")
CAF_ADD_ATOM(storemon_values, storemon::protocol, batch_atom, "batch")
CAF_ADD_ATOM(storemon_values, storemon::protocol, check_atom, "check")
CAF_ADD_ATOM(storemon_values, storemon::protocol, load_atom, "load")
CAF_ADD_ATOM(storemon_values, storemon::protocol, marks_atom, "marks")
CAF_ADD_ATOM(storemon_values, storemon::protocol, store_atom, "store")
CAF_ADD_ATOM(storemon_values, storemon::protocol, open_atom, "open")
CAF_ADD_ATOM(storemon_values, storemon::protocol, replay_atom, "replay")
CAF_ADD_ATOM(storemon_values, storemon::protocol, append_atom, "append")
CAF_ADD_ATOM(storemon_values, storemon::protocol, snap_atom, "snapshot")
CAF_ADD_ATOM(storemon_values, storemon::protocol, put_atom, "put")
CAF_ADD_ATOM(storemon_values, storemon::protocol, drop_atom, "drop")
CAF_ADD_ATOM(storemon_values, storemon::protocol, reports_atom, "reports")
CAF_ADD_ATOM(storemon_values, storemon::protocol, get_atom, "get")
CAF_ADD_ATOM(storemon_values, storemon::protocol, pin_atom, "pin")
CAF_ADD_ATOM(storemon_values, storemon::protocol, unpin_atom, "unpin")
CAF_ADD_ATOM(storemon_values, storemon::protocol, backup_atom, "backup")
CAF_ADD_ATOM(storemon_values, storemon::protocol, ingest_atom, "ingest")
CAF_ADD_ATOM(storemon_values, storemon::protocol, change_atom, "change")
CAF_ADD_ATOM(storemon_values, storemon::protocol, export_atom, "export")
CAF_ADD_ATOM(storemon_values, storemon::protocol, next_atom, "next")
CAF_ADD_ATOM(storemon_values, storemon::protocol, census_atom, "census")
CAF_ADD_ATOM(storemon_values, storemon::protocol, rows_atom, "rows")
CAF_ADD_ATOM(storemon_values, storemon::protocol, quality_atom, "quality")
CAF_ADD_ATOM(storemon_values, storemon::protocol, portrait_atom, "portrait")
CAF_ADD_ATOM(storemon_values, storemon::protocol, timeline_atom, "timeline")
CAF_ADD_ATOM(storemon_values, storemon::protocol, fit_atom, "fit")
CAF_ADD_ATOM(storemon_values, storemon::protocol, counts_atom, "counts")
CAF_ADD_ATOM(storemon_values, storemon::protocol, weights_atom, "weights")
CAF_ADD_ATOM(storemon_values, storemon::protocol, spawn_atom, "spawn")
CAF_ADD_ATOM(storemon_values, storemon::protocol, trigger_atom, "trigger")
CAF_ADD_ATOM(storemon_values, storemon::protocol, poll_atom, "poll")
CAF_ADD_ATOM(storemon_values, storemon::protocol, cancel_atom, "cancel")
CAF_ADD_ATOM(storemon_values, storemon::protocol, list_atom, "list")
CAF_ADD_ATOM(storemon_values, storemon::protocol, file_atom, "file")
CAF_ADD_ATOM(storemon_values, storemon::protocol, placed_atom, "placed")
CAF_ADD_ATOM(storemon_values, storemon::protocol, deadline_atom, "deadline")
CAF_ADD_ATOM(storemon_values, storemon::protocol, lost_atom, "lost")
CAF_ADD_ATOM(storemon_values, storemon::protocol, done_atom, "done")
CAF_ADD_ATOM(storemon_values, storemon::protocol, import_atom, "import")
CAF_ADD_ATOM(storemon_values, storemon::protocol, health_atom, "health")
CAF_ADD_ATOM(storemon_values, storemon::protocol, ready_atom, "ready")
CAF_ADD_ATOM(storemon_values, storemon::protocol, join_atom, "join")
CAF_ADD_ATOM(storemon_values, storemon::protocol, stop_atom, "stop")
CAF_END_TYPE_ID_BLOCK(storemon_values)

namespace storemon::protocol {

/// JOURNAL: makes changes durable, in groups: what arrives during one commit goes into the next. Answers of
/// success mean durable. Fails with disk_full or storage_failing, and then nothing of the request is kept;
/// the same request may succeed later.
using journal_actor = caf::typed_actor<
    /// Takes a partition over: whoever had it before is fenced from now on.
    op<opening, open_atom, uint32_t>,
    /// The partition's past from a place on, to its owner, or to others under reader_epoch. Fails with
    /// fenced.
    op<shared_replay, replay_atom, uint32_t, uint64_t, replay_cursor>,
    /// Appends entries to the partition under the epoch, in one commit; answers the seq of the last. Fails
    /// with fenced.
    op<uint64_t, append_atom, uint32_t, uint64_t, shared_entries>,
    /// Keeps a snapshot and forgets records that two snapshots cover and that are past their retention. Fails
    /// with fenced, busy while exports run, damaged when what was written does not read back.
    op<bool, snap_atom, shared_snapshot>,
    /// Keeps a report, new or again. Within the process, as all that follows.
    op<bool, put_atom, std::shared_ptr<const protocol::stored_report>>,
    /// Forgets reports.
    op<bool, drop_atom, std::vector<std::string>>,
    /// All reports kept, oldest first, without their bytes.
    op<std::shared_ptr<const std::vector<protocol::stored_report>>, reports_atom>,
    /// A report's bytes as they were put, or not_found, or damaged.
    op<std::shared_ptr<const std::string>, reports_atom, std::string>,
    /// A value kept under a name; empty where there is none.
    op<std::string, get_atom, std::string>,
    /// Keeps a value under a name.
    op<bool, put_atom, std::string, std::string>,
    /// Holds the present state for the sender, until it unpins or ends: the seq of the last record of each
    /// partition. No snapshot is taken meanwhile.
    op<std::vector<uint64_t>, pin_atom>, caf::reacts_to<unpin_atom>,
    /// Copies everything into a new file, verifies the copy, and only then gives it its name. Fails with
    /// invalid_argument where there is such a file, io_failed, disk_full or damaged.
    op<bool, backup_atom, std::string>, op<journal_health, health_atom>>;

/// SHARD: one partition's stores, in memory. May live on another node. Each change is made durable by the
/// journal before it is applied and answered; a shard without a journal applies at once.
using shard_actor = caf::typed_actor<
    /// Takes the partition over and replays its past; answers once it can serve. What else comes before that
    /// is answered not_ready.
    op<loaded, load_atom>,
    /// Makes one change durable and applies it; answers what it did. Fails as the journal does, with damaged
    /// where the partition is read-only, fenced when another owns it.
    op<applied, apply_atom, shared_update>,
    /// As apply, for a client's batch: one applied before is not applied again. Fails with key_reused where
    /// its key came with another body, conflict where the batch says so.
    op<batch_result, batch_atom, shared_batch>,
    /// Whether an observation of the batch contradicts what is held, or another of them: then
    /// `done.conflicts` is 1 and `conflicts` holds the first. Nothing is applied.
    op<batch_result, check_atom, shared_batch>,
    /// The batches remembered.
    op<shared_marks, marks_atom>,
    /// What the partition holds.
    op<census, census_atom>,
    /// Measures of the stores whose ids come after the given one in byte order (empty: from the first), as
    /// many as make a message of bounded size; `last` tells when there are no more.
    op<shared_columns, rows_atom, shared_spec, std::string>,
    /// The quality of the partition's data.
    op<shared_quality, quality_atom>,
    /// What is known of a store.
    op<shared_card, store_atom, std::string>,
    /// How a store is as of the spec's "now", with figures of its windows. This and the next fail with
    /// not_found where there is no such store.
    op<shared_portrait, portrait_atom, std::string, shared_spec>,
    /// How a store was in the spec's one window, which may end after its "now". Fails with too_large where it
    /// holds more observations than one answer may.
    op<shared_timeline, timeline_atom, std::string, shared_spec>,
    /// Looks at some of the stores for a fit of the fleet's weights and keeps what it saw; the first such
    /// message of a fit begins it and ends any before. Fails with conflict where another fit was begun since.
    op<fit_slice, fit_atom, fit_order>,
    /// How many of the stores looked at are of each class under these weights. Fails with conflict likewise.
    op<shared_counts, counts_atom, uint64_t, shared_weights>,
    /// The fit is over: what was kept for it is forgotten. So it is when whoever began it is gone.
    caf::reacts_to<drop_atom, uint64_t>>;

/// HOST: one per process; makes shards there at the supervisor's word.
using host_actor = caf::typed_actor<
    /// Spawns fresh, empty shards for these partitions, with this journal (null: none); the answers are in
    /// the same order. A partition the host has already gets a new shard, and the old one is stopped.
    op<std::vector<shard_actor>, spawn_atom, std::vector<uint32_t>, journal_actor>,
    /// How many partitions it has shards of.
    op<uint32_t, census_atom>,
    /// Stops all shards, then the host.
    caf::reacts_to<stop_atom>>;

/// COORDINATOR: reports and their life cycle.
using coordinator_actor = caf::typed_actor<
    /// Starts a report; answers its id once the journal has it, or cannot keep it. Fails with
    /// invalid_argument, busy, not_ready or shutting_down.
    op<std::string, trigger_atom, report_request>,
    /// One report by id, or not_found. This and what follows fails with not_ready while the reports kept by
    /// the journal are being read.
    op<report_status, poll_atom, std::string>,
    /// Cancels a running report; a finished one stays as it is. Answers the status, or not_found.
    op<report_status, cancel_atom, std::string>,
    /// All reports kept, newest first.
    op<std::vector<report_status>, list_atom>,
    /// The finished file of that name, or not_found; damaged where the journal has other bytes than it was
    /// given, busy when too many are being read from it.
    op<std::shared_ptr<const report_file>, file_atom, std::string>,
    /// The quality of the data of all partitions.
    op<shared_quality, quality_atom>,
    /// Takes no more reports; answers once none is running.
    op<bool, stop_atom>,
    /// From the supervisor: the shard of each partition; a null handle where none serves now.
    caf::reacts_to<placed_atom, std::vector<shard_actor>>,
    /// From WEIGHTS: what reports weigh behaviours with from now on.
    caf::reacts_to<weights_atom, shared_weights>>;

/// WEIGHTS: how common each behaviour is in the fleet; fits it to what the shards hold, and keeps the last
/// fit in the journal.
using weights_actor = caf::typed_actor<
    /// The weights in force. Fails with not_ready while those kept by the journal are being read.
    op<shared_weights, get_atom>,
    /// Fits now, or waits for the fit under way; answers the weights in force then, which are the ones before
    /// where no store was observed. Fails with not_ready or partition_lost, or as the journal does, and then
    /// the weights are those before.
    op<shared_weights, fit_atom>,
    /// As the coordinator's.
    caf::reacts_to<placed_atom, std::vector<shard_actor>>>;

/// STORE DESK: what there is to say of single stores. Fails with partition_lost where the store's shard is
/// not there or keeps silent, not_ready before the fleet weights or any shard are known, not_found where
/// there is no such store, busy when too many questions are under way.
using store_desk_actor = caf::typed_actor<
    /// How a store is; the question's span is not looked at.
    op<shared_portrait, portrait_atom, std::string, store_question>,
    /// How a store was. Fails with invalid_argument where the span is empty or too long, too_large as shards
    /// do.
    op<shared_timeline, timeline_atom, std::string, store_question>,
    /// As the coordinator's.
    caf::reacts_to<placed_atom, std::vector<shard_actor>>, caf::reacts_to<weights_atom, shared_weights>>;

/// IMPORTER: reads feeds into the shards, once; then quits.
using importer_actor = caf::typed_actor<
    /// Starts; answers when everything is applied. Fails with io_failed or bad_feed.
    op<std::shared_ptr<const import_result>, import_atom>>;

/// INTAKE: what clients send, to the shards it belongs to.
using intake_actor = caf::typed_actor<
    /// Reads a client's observations and has them applied; answers when all are durable. Fails with
    /// invalid_argument, too_large, overloaded, key_reused, conflict, and as shards do: then some partitions
    /// may have applied their part, and the same request with the same key completes it.
    op<std::shared_ptr<const intake_result>, ingest_atom, intake_request>,
    /// Has one store's change applied by its shard.
    op<applied, change_atom, update>,
    /// What is known of a store.
    op<shared_card, store_atom, std::string>,
    /// Imports a file; answers how it ended, and removes the file. Fails with busy when too many run.
    op<import_status, import_atom, import_order>,
    /// An import, running or one of the last; or not_found.
    op<import_status, poll_atom, std::string>,
    /// The imports known, newest first.
    op<std::vector<import_status>, list_atom>,
    /// Takes nothing more; answers once nothing is under way.
    op<bool, stop_atom>,
    /// As the coordinator's.
    caf::reacts_to<placed_atom, std::vector<shard_actor>>>;

/// EXPORTER: all data as CSV feeds, as of one position of the journal. Without a journal it fails with
/// invalid_argument.
using exporter_actor = caf::typed_actor<
    /// Begins an export of a feed; answers its number. Fails with busy when too many run.
    op<uint64_t, export_atom, feed_kind>,
    /// The next piece of it; empty: that was all, and the export is over. An export nobody asks for any more
    /// is dropped after a while.
    op<std::shared_ptr<const std::string>, next_atom, uint64_t>,
    /// The client is gone: the export is over.
    caf::reacts_to<drop_atom, uint64_t>>;

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
CAF_ADD_TYPE_ID(storemon_handles, (storemon::protocol::journal_actor))
CAF_ADD_TYPE_ID(storemon_handles, (storemon::protocol::host_actor))
CAF_ADD_TYPE_ID(storemon_handles, (storemon::protocol::supervisor_actor))
CAF_END_TYPE_ID_BLOCK(storemon_handles)
