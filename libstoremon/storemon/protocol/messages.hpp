#pragma once

#include "storemon/model/error.hpp"
#include "storemon/model/feed_kind.hpp"
#include "storemon/model/report.hpp"
#include "storemon/model/store_id.hpp"
#include "storemon/model/update.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What actors tell one another, besides the values of the model.
namespace storemon::protocol {

/// What a partition holds, in the few numbers a report needs before it starts.
struct census {
  int64_t stores = 0;
  int64_t observations = 0;
  std::optional<instant> newest;
  bool damaged = false; ///< the partition is read-only and may miss data

  census& operator+=(const census& other) noexcept {
    damaged = damaged || other.damaged;
    stores += other.stores;
    observations += other.observations;
    if (!newest || (other.newest && *other.newest > *newest))
      newest = other.newest;
    return *this;
  }
};

/// What is known of the quality of the data held.
struct data_quality {
  int64_t stores = 0;
  int64_t observations = 0;
  int64_t conflicts = 0;     ///< instants of a store polled with both statuses
  int64_t without_hours = 0; ///< taken as open 24x7
  int64_t without_zone = 0;  ///< taken as America/Chicago
  int64_t unknown_zone = 0;  ///< a zone the tz database does not know; likewise
  int64_t never_polled = 0;  ///< orphan ids: only the hours or zones feed names them
  int64_t only_polled = 0;   ///< orphan ids: neither the hours nor the zones feed names them
  std::optional<instant> oldest;
  std::optional<instant> newest;
  /// Minutes of the epoch in which any store was polled, as a bitmap per day: day -> 1440 bits in 23 words.
  std::map<int32_t, std::vector<uint64_t>> polled_minutes;

  void merge(const data_quality& other);

  /// Stretches longer than two hours within [oldest, newest] in which no store at all was polled, to the
  /// minute: the poller was down, not the stores.
  std::vector<interval> poller_outages() const;
};

/// Observations of one partition from one client's request.
struct batch {
  observation_rows rows;
  batch_mark mark;
  bool reject_conflicts = false; ///< refuse these rows with errc::conflict when any contradicts what is held
};

/// An instant of a store polled with both statuses.
struct conflict_seen {
  std::string store;
  instant at;
  store_status stands = store_status::inactive;
};

/// What became of a batch.
struct batch_result {
  applied done;
  bool replayed = false; ///< the batch had been applied before; `done` is what was answered then
  std::vector<conflict_seen>
      conflicts; ///< the first of them, at most conflicts_listed_max; empty where replayed
};

inline constexpr size_t conflicts_listed_max = 100;

/// Hours in force from a local date on.
struct hours_version {
  std::chrono::local_days valid_from = always_valid;
  std::vector<hours_row> rows; ///< ascending, distinct; none: open 24x7

  friend bool operator==(const hours_version&, const hours_version&) = default;
};

/// What a shard knows of one store.
struct store_card {
  bool known = false;
  std::string zone;                 ///< as given; empty where none was
  bool zone_known = false;          ///< whether the tz database knows it; else America/Chicago is taken
  std::vector<hours_version> hours; ///< ascending by valid_from; none: open 24x7
  interval_set closures;            ///< planned
  int64_t observations = 0;
  int64_t conflicts = 0;
  std::optional<instant> oldest;
  std::optional<instant> newest;
  store_status newest_status = store_status::inactive; ///< where there is a newest
};

/// What a shard holds once it has taken over its partition.
struct loaded {
  int64_t stores = 0;
  int64_t observations = 0;
  uint64_t state_hash = 0;
  std::string damage; ///< why the partition is read-only and may miss data; empty: it is sound
};

/// What a shard is asked to look at for a fit of the fleet's weights: the stores whose ids come after the
/// given one in byte order (empty: from the first, which begins a fit), as of an instant.
struct fit_order {
  uint64_t fit = 0; ///< which
  instant as_of;
  std::string after;
};

/// What it looked at.
struct fit_slice {
  std::string through;      ///< the id of the last store
  bool last = true;         ///< whether the partition has no store after it
  int64_t stores = 0;       ///< with an in-session observation
  int64_t observations = 0; ///< in-session ones
};

/// Where in a partition's past a replay stands: in the chunks of its newest snapshot, then in the records
/// after it. A default one is the begin.
struct replay_cursor {
  int64_t chunk = std::numeric_limits<int64_t>::min(); ///< of the snapshot, next to be read
  uint64_t seq = 0; ///< of the next record; 0: the snapshot is not read yet
};

/// In place of an epoch: whoever only reads a partition's past, and does not own it.
inline constexpr uint64_t reader_epoch = 0;

/// A piece of a partition's past, of bounded size, in order.
struct replay_slice {
  std::vector<journal_entry> entries;
  replay_cursor next;
  uint64_t through_seq = 0; ///< of the last record that is in the state once the entries are applied
  bool last = false;        ///< there is nothing after these
  /// Set in the slice that ends the snapshot: what partition_data must then hold, or it is damaged.
  bool snapshot_ends = false;
  int64_t snapshot_observations = 0;
  uint64_t snapshot_hash = 0;
  std::string damage; ///< what follows cannot be trusted, and why; the slice is then the last
};

/// A partition taken over.
struct opening {
  uint64_t epoch = 0; ///< with which its owner appends
  uint64_t next_seq = 1;
};

/// A piece of a snapshot: an update that, with the others of its snapshot in ascending order of `number`,
/// makes the partition anew. A number of at least -2^31 is a UTC day, counted from the epoch, and the chunk
/// holds its observations, of an instant polled with both statuses both; days before the epoch are negative.
/// Below are facts, with room between them:
///   -2^44      hours valid always; it names every store, so that all exist
///   -2^43 + d  hours valid from the local date of day d on
///   -2^42      zones
///   -2^42 + 1  and on: closures, one each
///   -2^41      instants whose value only a correction changes, as observations under conflict_rule::replace:
///              what stands there. They come before the days, which then change it no more
///   -2^40 + h  the batches written in the hour h since the epoch
struct snapshot_chunk {
  int64_t number = 0;
  std::shared_ptr<const update> change{}; ///< null: unchanged since the snapshot before
};

/// A partition's state after its record `through_seq`.
struct snapshot {
  uint32_t partition = 0;
  uint64_t epoch = 0;
  uint64_t through_seq = 0;
  int64_t observations = 0;
  uint64_t state_hash = 0;
  std::vector<snapshot_chunk> chunks; ///< all there are, ascending by number
};

/// What the journal says of itself.
struct journal_health {
  bool durable = false;    ///< false: nothing is kept (no data directory)
  std::string failure;     ///< why nothing can be made durable now, one sentence; empty: it can
  uint64_t commits = 0;    ///< since start
  uint64_t records = 0;    ///< since start
  uint64_t heals = 0;      ///< since start
  uint64_t bytes_free = 0; ///< of the file system
};

/// Forms of a body of observations.
enum class body_format : uint8_t { csv, json, ndjson };

/// What to do with an observation that contradicts one held.
enum class on_conflict : uint8_t { inactive_wins, replace, keep, reject };

/// A client's observations, not yet read.
struct intake_request {
  body_format format = body_format::json;
  std::shared_ptr<const std::string> body; ///< plain, not compressed
  std::string idempotency_key;             ///< as sent; empty: the body's own hash is taken
  on_conflict conflicts = on_conflict::inactive_wins;
};

/// A row that was not taken, and why.
struct rejected_row {
  uint64_t line = 0;  ///< 1 for the first; of JSON the number of the array's element, of others the line
  std::string reason; ///< as in import results
  std::string text;   ///< of the row, at most 200 bytes
};

inline constexpr size_t rejects_listed_max = 100;

struct intake_result {
  bool replayed = false; ///< all of it had been applied before
  applied done;
  uint64_t rejected = 0;
  std::vector<rejected_row> rejects;    ///< the first, at most rejects_listed_max
  std::vector<conflict_seen> conflicts; ///< the first, at most conflicts_listed_max
};

/// A file that a client sent to be imported.
struct import_order {
  std::string id; ///< a UUID, new
  feed_kind feed = feed_kind::status;
  std::string path;
  std::chrono::local_days valid_from = always_valid; ///< of hours
};

/// Where a report is in its life.
enum class report_state : uint8_t { running, complete, failed, cancelled };

/// `Running`, `Complete`, `Error`, `Cancelled`: as clients see it.
std::string_view to_string(report_state state) noexcept;

/// A finished report's text and what it is served under.
struct report_file {
  report_file(std::string file_name, std::string csv)
      : name(std::move(file_name)), bytes(std::move(csv)), hash(hash_of(bytes)) {}

  std::string name;        ///< store_report_YYYYMMDD_HHMMSS.csv, unique among the reports kept
  const std::string bytes; ///< the CSV
  const uint64_t hash;     ///< XXH3 of the bytes
};

/// A report as the coordinator knows it.
struct report_status {
  std::string id;
  report_state state = report_state::running;
  report_request request;
  std::optional<instant> as_of; ///< once resolved
  instant created;
  std::optional<instant> finished;
  int64_t stores_total = 0;
  int64_t stores_done = 0;
  error failure;                             ///< of failed ones
  std::shared_ptr<const report_file> file{}; ///< of complete ones that are not durable; else ask by file_name
  std::string file_name;                     ///< of complete ones
  uint64_t file_bytes = 0;                   ///< of complete ones
  bool durable = false;                      ///< it survives a restart
  std::vector<uint32_t> gaps;                ///< partitions that are damaged and may miss data
  std::optional<weights_label> weights{};    ///< what behaviours were weighed with, where they were
};

/// A report as the journal keeps it: what is written at its begin, and again at its end.
struct stored_report {
  report_status status;                       ///< its file is not looked at
  std::shared_ptr<const std::string> bytes{}; ///< the CSV in zstd frames; null: none
};

/// Totals of one import.
struct feed_totals {
  std::string file;
  uint64_t bytes = 0;
  uint64_t lines = 0; ///< physical lines, header included
  applied rows;
  uint64_t rejected = 0;
  std::map<std::string, uint64_t> rejected_by_reason;
  std::vector<std::string> reject_samples; ///< "line 17: bad_timestamp: ..." in line order, at most 100
};

struct import_result {
  std::vector<feed_totals> feeds;        ///< in the order read
  std::vector<uint32_t> partitions_lost; ///< whose shard died or failed meanwhile; rows are missing
  std::chrono::microseconds took{};
};

/// How far an import has come.
struct import_progress {
  uint64_t bytes_done = 0;
  uint64_t bytes_total = 0;
};

/// An import that a client ordered.
struct import_status {
  std::string id;
  feed_kind feed = feed_kind::status;
  instant created;
  std::optional<instant> finished;
  import_progress progress;
  std::shared_ptr<const import_result> result{}; ///< of one that ended well
  error failure{errc::ok, ""};                   ///< of one that did not
};

/// Where an importer writes down how far it has come, for whoever cannot wait for it to answer: it may be
/// stuck in a read. Any thread may read.
struct import_gauge {
  std::atomic<uint64_t> bytes_done = 0;
  std::atomic<uint64_t> bytes_total = 0;

  import_progress read() const noexcept { return {bytes_done, bytes_total}; }
};

/// Where a partition is served.
enum class partition_state : uint8_t {
  absent,  ///< its node has not joined, or is lost
  loading, ///< its shard lives and is being filled
  serving,
};

struct node_health {
  std::string name;
  bool up = false;
  uint32_t partitions = 0;
};

/// What the supervisor knows of the node and its peers.
struct health {
  bool ready = false;                      ///< all partitions serve
  std::vector<node_health> nodes;          ///< of a member's own its partitions are those it has now
  std::vector<partition_state> partitions; ///< of the cluster; a member, which cannot know, says nothing
  std::vector<uint32_t> damaged; ///< partitions that serve read-only, for what is stored fails its checks
  uint64_t shard_failures = 0;   ///< shards that died, by themselves or with their node, since start
  std::string last_failure;      ///< whatever it was of, one sentence; empty when there was none
  bool importing = false;
  import_progress import;
  std::shared_ptr<const import_result> last_import{}; ///< the last that ended well; empty before
};

} // namespace storemon::protocol
