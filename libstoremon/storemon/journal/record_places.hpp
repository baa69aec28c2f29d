#pragma once

#include "storemon/journal/sqlite_handle.hpp"

#include <cstdint>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace storemon::journal {

/// Where the records of each partition stand in table journal.
///
/// The table is kept in the order of arrival, so that a commit of small records of many partitions writes a
/// page or two; ordered by partition it would write one for each of them. What SQLite does not keep an index
/// of is known here, for there is one connection only: 16 bytes a record.
class record_places {
public:
  struct place {
    uint64_t seq = 0;
    int64_t row = 0;

    friend auto operator<=>(const place&, const place&) = default;
  };

  /// Reads them all anew. @returns SQLite's result code.
  int load(sqlite_handle& db);

  /// Those of a partition from `seq` on, ascending. Until the next change of this partition.
  std::span<const place> from(uint32_t partition, uint64_t seq) const noexcept;

  /// A record was added, after all others of its partition.
  void add(uint32_t partition, place where);

  /// The records before `end` were deleted.
  void drop(uint32_t partition, uint64_t end);

  /// What was added and dropped since is so, for the transaction ended well; or it never was.
  void keep();
  void undo() noexcept;

private:
  std::unordered_map<uint32_t, std::vector<place>> places_;
  std::vector<uint32_t> added_; ///< the partitions of what was added since, in order
  std::vector<std::pair<uint32_t, uint64_t>> dropped_;
};

} // namespace storemon::journal
