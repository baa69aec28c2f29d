#pragma once

#include "storemon/model/report.hpp"
#include "storemon/model/update.hpp"
#include "storemon/partition/batch_book.hpp"
#include "storemon/partition/store.hpp"
#include "storemon/protocol/messages.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace storemon::estimate {
struct class_likelihoods;
} // namespace storemon::estimate

namespace storemon::partition {

/// How much one answer to "rows" may hold. It bounds the size of a message, and how long a shard is deaf to
/// others.
struct slice_limits {
  size_t stores_max = 128;
  size_t observations_max = 100'000; ///< in all histories of the slice; a single longer history still goes
  size_t weighed_max = 2'000;        ///< the same where behaviours are weighed, which takes far longer
  /// After so long no further store is begun: a window of years costs what its length makes it. A server sets
  /// milliseconds; without them slices depend on no clock.
  std::chrono::steady_clock::duration time_max = std::chrono::steady_clock::duration::max();
};

/// The stores of one partition, in memory. Not shared between threads.
class partition_data {
public:
  /// Applies one durable change; what it does depends on the sequence of changes alone.
  applied apply(const update& change);

  /// The same for observations.
  /// @param conflicts  gets the instants that became conflicts now, as long as it holds fewer than
  ///                   conflicts_listed_max; may be null
  applied apply(const observation_rows& change, std::vector<protocol::conflict_seen>* conflicts);

  /// Applies a change as the journal kept it, and remembers its batch.
  applied apply(const journal_entry& entry);

  /// Remembers a client's batch that was applied.
  void remember(const remembered_batch& batch);

  /// The client batches remembered.
  const batch_book& batches() const noexcept { return batches_; }

  /// Whether applying these rows would change nothing.
  bool nothing_new(const observation_rows& rows) const;

  /// The first of the rows, as they come, that says another status than what stands or than another of them;
  /// with what stands now, or inactive where nothing does. Nothing where there is none.
  std::optional<protocol::conflict_seen> contradiction(const observation_rows& rows) const;

  protocol::census census() const;

  protocol::data_quality quality() const;

  /// One store; nullptr when there is none of that id. Good until the next change.
  const store* find(std::string_view id) const;

  /// What is known of one store, of its polls those up to an instant.
  protocol::store_card card(std::string_view id, instant until = instant::max()) const;

  /// Measures of the stores that come after `after` in byte order of id.
  /// @param spec  resolved and valid: its estimator exists
  report_columns rows(const report_spec& spec, std::string_view after, const slice_limits& limits);

  /// Looks at stores for a fit of the fleet's weights: appends the likelihoods of those with an in-session
  /// observation.
  protocol::fit_slice observe(const protocol::fit_order& order, const slice_limits& limits,
                              std::vector<estimate::class_likelihoods>& to);

  /// Calls `visit(const store&)` for all stores in byte order of id.
  template <class Visit>
  void for_each_store(Visit visit) {
    sort_stores();
    for (const auto& s : stores_)
      visit(std::as_const(*s));
  }

  /// A number that equal states share and others do not: see state_hash.hpp. The batches remembered do not
  /// count.
  uint64_t state_hash();

  /// Ascends with every change; see snapshot.
  uint64_t version() const noexcept { return version_; }

  /// The present state, without what says whose it is: partition, epoch and through_seq are left to the
  /// caller. Chunks that are the same as they were at version `since` (0: at the begin) come without their
  /// change. Their numbers are those of protocol::snapshot_chunk.
  protocol::snapshot snapshot(uint64_t since);

private:
  struct id_hash {
    size_t operator()(std::string_view id) const noexcept { return hash_of(id); }
  };

  /// What is kept of a UTC day, so that only days that changed are hashed and written again.
  struct day_state {
    uint64_t touched = 0; ///< the version that changed it last
    uint64_t hashed = 0;  ///< the version as of which `hash` is right
    uint64_t hash = 0;    ///< the sum over its observations
  };

  applied apply_to(const observation_rows& change) { return apply(change, nullptr); }

  applied apply_to(const hours_rows& change);
  applied apply_to(const zone_rows& change);
  applied apply_to(const closure_change& change);
  applied apply_to(const store_deletion& change);
  applied apply_to(const batch_memory& change);

  /// What observations do that are none: the stores exist from now on.
  applied name_stores(const text_list& stores);

  store& find_or_make(std::string_view id);
  std::optional<instant> find_newest() const;
  void sort_stores();

  /// The stores after `after` in byte order of id, as many as the limits allow.
  std::span<const std::unique_ptr<store>> slice(std::string_view after, size_t stores_max,
                                                size_t observations_max);

  /// Whether no store comes after those of the slice.
  bool is_last(std::span<const std::unique_ptr<store>> of) const;

  /// Notes that the days of these polls change now.
  void touch_days(std::span<const observation> polls);

  /// Sums up the days that changed since they were, and forgets those that are empty now.
  void hash_days();

  void add_hours_chunks(uint64_t since, std::vector<protocol::snapshot_chunk>& to) const;
  void add_zones_chunk(uint64_t since, std::vector<protocol::snapshot_chunk>& to) const;
  void add_closure_chunks(uint64_t since, std::vector<protocol::snapshot_chunk>& to) const;
  void add_pins_chunk(uint64_t since, std::vector<protocol::snapshot_chunk>& to) const;
  void add_batch_chunks(uint64_t since, std::vector<protocol::snapshot_chunk>& to);
  void add_day_chunks(uint64_t since, std::vector<protocol::snapshot_chunk>& to) const;

  // Ids in the index are views into the stores, which therefore must not move.
  std::vector<std::unique_ptr<store>> stores_; // in byte order of id where sorted_
  boost::unordered_flat_map<std::string_view, store*, id_hash> index_;
  bool sorted_ = true;
  batch_book batches_;

  // Sums over all stores, kept so that a census touches none of them.
  int64_t observations_ = 0;
  std::optional<instant> newest_;

  // The versions that changed last what the chunks of a snapshot hold.
  uint64_t version_ = 0;
  uint64_t hours_touched_ = 0; ///< or stores came or went
  uint64_t zones_touched_ = 0;
  uint64_t closures_touched_ = 0;
  uint64_t pins_touched_ = 0;
  std::map<int64_t, uint64_t> batches_touched_; ///< by the hour they were written in
  boost::unordered_flat_map<int32_t, day_state> days_;

  // Kept between batches so that a batch allocates nothing once warm.
  std::vector<uint32_t> scratch_ends_;
  std::vector<observation> scratch_;
  std::vector<store*> scratch_stores_;
  std::vector<instant> scratch_conflicts_;
};

} // namespace storemon::partition
