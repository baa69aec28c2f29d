#pragma once

#include "storemon/partition/fit_rows.hpp"
#include "storemon/partition/partition_data.hpp"
#include "storemon/partition/write_queue.hpp"
#include "storemon/protocol/actors.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace storemon::partition {

struct shard_options {
  slice_limits limits{};
  uint32_t partition = 0;
  protocol::journal_actor journal{}; ///< null: changes are applied at once and kept nowhere
  write_limits writes{};
  /// A snapshot is taken after so many records since the last: bounds how long a replay takes.
  uint64_t snapshot_after_records = 512;
  /// The clock of what is written; tests have their own.
  std::function<instant()> now = [] {
    return std::chrono::floor<duration>(std::chrono::system_clock::now());
  };
};

/// What a shard owns: the partition, what is on its way into it, and how far the journal has it.
class shard_state {
public:
  static inline const char* name = "shard";
  using pointer = protocol::shard_actor::stateful_pointer<shard_state>;
  using load_promise = caf::typed_response_promise<protocol::loaded>;

  shard_state() = default;
  shard_state(const shard_state&) = delete;
  shard_state& operator=(const shard_state&) = delete;

  /// Whoever still waits is told that nobody knows.
  ~shard_state();

  void start(pointer self, shard_options options);

  void load(load_promise promise);

  /// Queues a change and writes on.
  void take(write w);

  /// Why questions cannot be answered now; errc::ok when they can.
  error not_serving() const;

  protocol::census census() const;

  /// Its part in a fit of the fleet's weights.
  caf::result<protocol::fit_slice> observe(const protocol::fit_order& order);
  caf::result<protocol::shared_counts> count(uint64_t fit, const fleet_weights& weights) const;
  void drop_fit(uint64_t fit);

  const shard_options& options() const noexcept { return options_; }

  partition_data data;

private:
  enum class phase : uint8_t { empty, loading, serving };

  bool durable() const { return static_cast<bool>(options_.journal); }

  void replay(const protocol::replay_cursor& from);
  void take(const protocol::replay_slice& slice);
  void loading_failed(const error& why);
  protocol::loaded totals();

  /// Hands the next group to the journal, if there is one and none is under way.
  void write_on();
  void appended(uint64_t seq);
  void append_failed(const error& why);
  void snapshot();

  /// Ends the shard: all who wait are told why, and its successor replays.
  void end(const error& why);

  void drop_leader();

  /// The journal is gone, or whoever had a fit under way here.
  void gone(const caf::down_msg& down);

  pointer self_ = nullptr;
  shard_options options_;
  phase phase_ = phase::empty;
  std::vector<load_promise> loads_;
  uint64_t epoch_ = 0;
  uint64_t next_seq_ = 1;    ///< of the journal when the partition was taken over
  uint64_t through_seq_ = 0; ///< of the last record in the data
  std::string damage_;       ///< why nothing may be written; empty: it may
  write_queue writes_;
  uint64_t records_ = 0; ///< since the last attempt at a snapshot
  bool snapping_ = false;
  uint64_t kept_version_ = 0; ///< of the data in the last snapshot that is kept
  fit_rows fit_;
  uint64_t fit_number_ = 0;    ///< of the fit begun last
  caf::actor_addr fit_leader_; ///< who began it, until it is dropped
};

/// SHARD: serves one partition. It never blocks; an exception ends it, and the supervisor makes a new one. It
/// ends itself when it does not know what the journal kept, or when another has taken the partition over.
protocol::shard_actor::behavior_type shard(shard_state::pointer self, const shard_options& options);

} // namespace storemon::partition
