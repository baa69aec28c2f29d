#pragma once

#include "storemon/journal/backend.hpp"
#include "storemon/journal/codec.hpp"
#include "storemon/journal/store_names.hpp"

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>

/// Snapshots as they are made, checked, and chosen to start from.
namespace storemon::journal {

/// Where a partition's replay starts: at a snapshot that is whole, or, with generation 0, at the first
/// record.
struct snapshot_base {
  manifest what;
  int64_t last_chunk = std::numeric_limits<int64_t>::min(); ///< the highest number; lowest: there is none
  std::string broken; ///< what is wrong with the newer snapshots passed over; empty: nothing
};

/// Told of each chunk of a snapshot; its failure ends the walk.
using chunk_visitor = std::function<result<void>(const chunk_row&)>;

/// Reads a whole snapshot and checks it: its manifest's and its chunks' CRCs, that none is missing, and that
/// it claims no record from `next_seq` on. @returns the highest number. Fails with damaged when the snapshot
/// is broken, and as reads do.
result<int64_t> check_snapshot(backend& kept, uint32_t partition, const manifest& m, uint64_t next_seq,
                               const chunk_visitor& visit);

/// The newest whole snapshot of a partition; where all are broken, the begin of its records.
result<snapshot_base> choose_base(backend& kept, uint32_t partition, uint64_t next_seq);

/// A snapshot to be put, and the whole one before it, if there is one.
struct composed_snapshot {
  put_snapshot what;
  std::optional<manifest> before;
};

/// Makes the partition's next snapshot. Numbers that the one before has and this one names no more get an
/// empty chunk. Fails with invalid_argument when `s` contradicts what is kept: it claims records that there
/// are not, calls a chunk unchanged that is not there, or names a store that no record does; with damaged
/// when a chunk called unchanged fails its check; too_large; and as reads do.
result<composed_snapshot> compose_snapshot(backend& kept, codec& coder, store_names& names,
                                           const protocol::snapshot& s, uint64_t next_seq);

/// Reads the newest snapshot of a partition back: whether it is `m` and whole, can be decoded, and holds as
/// many observations as it says. Fails with damaged when not.
result<void> verify_snapshot(backend& kept, codec& coder, const store_names& names, const manifest& m,
                             uint64_t next_seq);

} // namespace storemon::journal
