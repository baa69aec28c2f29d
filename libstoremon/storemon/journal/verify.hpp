#pragma once

#include "storemon/journal/backend.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace storemon::journal {

/// What a walk through all that is kept of a partition found.
struct partition_verdict {
  uint32_t partition = 0;
  uint64_t records = 0;            ///< read
  int64_t observations = 0;        ///< rows of the newest snapshot, and of the records after it
  std::vector<std::string> damage; ///< a sentence each; none: it is sound
};

struct verdict {
  std::vector<partition_verdict> partitions;
  uint64_t reports = 0;
  std::vector<std::string> damage; ///< of what is of no partition

  /// All sentences.
  std::vector<std::string> all_damage() const;
};

/// Reads everything a backend keeps of partitions 0 to `partitions` - 1, and its reports, and checks it: the
/// engine's own check, names, manifests, chunks and records each by CRC and by decoding, each partition's
/// chain from the first record needed to its end, that nothing is missing. Fails only where nothing can be
/// read.
result<verdict> verify(backend& b, uint32_t partitions);

} // namespace storemon::journal
