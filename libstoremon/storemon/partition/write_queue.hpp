#pragma once

#include "storemon/partition/fact_limits.hpp"
#include "storemon/partition/partition_data.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <vector>

namespace storemon::partition {

/// A change on its way into the journal, and who waits for it.
struct write {
  std::shared_ptr<const update> change{};                     ///< of an import, or a single one
  std::shared_ptr<const protocol::batch> batch{};             ///< or a client's
  std::function<void(result<protocol::batch_result>)> answer; ///< called once
};

struct write_limits {
  /// Changes in one append: bounds what fails together and how long a shard is deaf while it applies them.
  size_t group_entries_max = 1024;
  /// In one append, roughly; a single larger change still goes. Bounds a message between nodes.
  size_t group_bytes_max = size_t{1} << 20;
  /// Of changes waiting, roughly; what comes beyond it is answered overloaded. Bounds memory.
  size_t waiting_bytes_max = size_t{64} << 20;
  fact_limits facts; ///< of one store
};

/// Changes of one partition in the order they came, until they are durable and applied: one group of them is
/// with the journal, and what comes meanwhile waits for the next. Knows neither actors nor journals.
class write_queue {
public:
  explicit write_queue(const write_limits& limits = {}) : limits_(limits) {}

  /// Queues a change that is valid. A batch that was applied before is answered at once: with its first
  /// answer, or key_reused when its body is another. One whose key is under way is answered conflict.
  /// @param now  by the shard's clock
  void push(write w, const partition_data& data, instant now);

  /// Forms the next group, to be made durable as of `now`, unless one is under way. Answers on the way what
  /// needs no journal: observations of imports that are all held, and batches that refuse conflicts and have
  /// one (errc::conflict), and what goes past the limits of a store (errc::invalid_argument); these are
  /// judged by all that was queued before.
  /// @returns whether there is a group that was not there before.
  bool begin(const partition_data& data, instant now);

  bool under_way() const noexcept { return !group_.empty(); }

  size_t group_size() const noexcept { return group_.size(); }

  /// The group, as the journal is to keep it.
  std::vector<journal_entry> entries() const;

  /// The group is durable: applies it and answers.
  void commit(partition_data& data);

  /// The group is not durable and never will be.
  void fail_group(const error& why);

  /// No group will follow, and what became of the present one is `why` as well.
  void fail_all(const error& why);

private:
  bool needs_no_journal(const write& w, const partition_data& data) const;
  void answer(write& w, result<protocol::batch_result> what);

  write_limits limits_;
  std::deque<write> waiting_;
  size_t waiting_bytes_ = 0;
  std::vector<write> group_;
  bool group_deletes_ = false; ///< so that what is held now need not be held then
  instant group_written_;
  std::set<std::array<uint64_t, 2>> keys_; ///< of the batches in both
};

} // namespace storemon::partition
