#pragma once

#include "storemon/model/error.hpp"
#include "storemon/model/report.hpp"
#include "storemon/model/update.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// What actors tell one another, besides the values of the model.
namespace storemon::protocol {

/// What a partition holds, in the few numbers a report needs before it starts.
struct census {
  int64_t stores = 0;
  int64_t observations = 0;
  std::optional<instant> newest;

  census& operator+=(const census& other) noexcept {
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
  int64_t never_polled = 0;  ///< orphans: named by the hours or zones feed only
  std::optional<instant> oldest;
  std::optional<instant> newest;
  /// Minutes of the epoch in which any store was polled, as a bitmap per day: day -> 1440 bits in 23 words.
  std::map<int32_t, std::vector<uint64_t>> polled_minutes;

  void merge(const data_quality& other);

  /// Stretches longer than two hours within [oldest, newest] in which no store at all was polled, to the
  /// minute: the poller was down, not the stores.
  std::vector<interval> poller_outages() const;
};

/// Where a report is in its life.
enum class report_state : uint8_t { running, complete, failed, cancelled };

/// `Running`, `Complete`, `Error`, `Cancelled`: as clients see it.
std::string_view to_string(report_state state) noexcept;

/// A finished report's text and what it is served under.
struct report_file {
  std::string name;  ///< store_report_YYYYMMDD_HHMMSS.csv, unique among the reports kept
  std::string bytes; ///< the CSV
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
  std::shared_ptr<const report_file> file{}; ///< of complete ones
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
  std::vector<uint32_t> partitions_lost; ///< whose shard died meanwhile; their rows are missing
  std::chrono::microseconds took{};
};

/// How far an import has come.
struct import_progress {
  uint64_t bytes_done = 0;
  uint64_t bytes_total = 0;
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
  bool ready = false; ///< all partitions serve
  std::vector<node_health> nodes;
  std::vector<partition_state> partitions;
  uint64_t shard_failures = 0; ///< since start
  std::string last_failure;    ///< of a shard or node, one sentence; empty when there was none
  bool importing = false;
  import_progress import;
  std::shared_ptr<const import_result> last_import{}; ///< the last that ended well; empty before
};

} // namespace storemon::protocol
