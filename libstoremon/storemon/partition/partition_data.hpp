#pragma once

#include "storemon/model/report.hpp"
#include "storemon/model/update.hpp"
#include "storemon/partition/store.hpp"
#include "storemon/protocol/messages.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <memory>
#include <string_view>
#include <vector>

namespace storemon::partition {

/// How much one answer to "rows" may hold. It bounds the size of a message, and how long a shard is deaf to
/// others.
struct slice_limits {
  size_t stores_max = 128;
  size_t observations_max = 100'000; ///< in all histories of the slice; a single longer history still goes
};

/// The stores of one partition, in memory. Not shared between threads.
class partition_data {
public:
  /// Applies one durable change; what it does depends on the sequence of changes alone.
  applied apply(const update& change);

  /// What applying these rows would do now. Its conflicts are the first rows that contradict what is held or
  /// one another, also where the instant is known as a conflict already.
  protocol::batch_result check(const observation_rows& rows) const;

  protocol::census census() const;

  protocol::data_quality quality() const;

  /// Measures of the stores that come after `after` in byte order of id.
  /// @param spec  resolved and valid: its estimator exists
  report_columns rows(const report_spec& spec, std::string_view after, const slice_limits& limits);

private:
  struct id_hash {
    size_t operator()(std::string_view id) const noexcept { return hash_of(id); }
  };

  applied apply_to(const observation_rows& change);
  applied apply_to(const hours_rows& change);
  applied apply_to(const zone_rows& change);
  applied apply_to(const closure_change& change);
  applied apply_to(const batch_memory& change);
  applied apply_to(const store_deletion& change);

  store& find_or_make(std::string_view id);

  // Ids in the index are views into the stores, which therefore must not move.
  std::vector<std::unique_ptr<store>> stores_; // in byte order of id where sorted_
  boost::unordered_flat_map<std::string_view, store*, id_hash> index_;
  bool sorted_ = true;

  // Kept between batches so that a batch allocates nothing once warm.
  std::vector<uint32_t> scratch_ends_;
  std::vector<observation> scratch_;
};

} // namespace storemon::partition
