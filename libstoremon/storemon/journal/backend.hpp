#pragma once

#include "storemon/model/error.hpp"
#include "storemon/model/instant.hpp"
#include "storemon/protocol/messages.hpp"

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What is on disk, and how it gets there.
namespace storemon::journal {

/// A journal record: one update of one partition. `crc` is crc32c over all the others and the payload, and
/// `prev_crc` is that of the record before, so that a lost, altered or misplaced record shows.
struct record {
  uint32_t partition = 0;
  uint64_t seq = 0; ///< from 1, without holes
  uint64_t epoch = 0;
  uint8_t kind = 0;   ///< index of the alternative of `update`
  uint8_t codec = 0;  ///< see codec.hpp
  uint32_t count = 0; ///< rows
  int64_t oldest = 0; ///< of its observations, microseconds since the epoch; 0 where it has none
  int64_t newest = 0;
  instant written;
  uint32_t prev_crc = 0;
  uint32_t crc = 0;
  std::string payload;

  friend bool operator==(const record&, const record&) = default;
};

/// The name of a store, and the index that records call it by.
struct store_name {
  uint32_t index = 0;
  std::string name;

  friend bool operator==(const store_name&, const store_name&) = default;
};

/// One chunk of a snapshot, see protocol::snapshot_chunk; `crc` is crc32c over the others and the payload.
struct chunk_row {
  uint32_t partition = 0;
  int64_t number = 0;
  uint64_t generation = 0; ///< of the snapshot that wrote it
  uint8_t kind = 0;
  uint8_t codec = 0;
  uint32_t count = 0;
  uint32_t crc = 0;
  std::string payload;

  friend bool operator==(const chunk_row&, const chunk_row&) = default;
};

/// What makes chunks a snapshot: of each number the newest of at most this generation, where that is not
/// empty. `crc` is crc32c over the others.
struct manifest {
  uint32_t partition = 0;
  uint64_t generation = 0; ///< from 1
  uint64_t epoch = 0;
  uint64_t through_seq = 0;
  uint32_t through_crc = 0; ///< crc of the record through_seq, so that the chain can be checked from there
  int64_t observations = 0;
  uint64_t state_hash = 0;
  uint32_t chunks = 0; ///< how many chunks make it
  uint32_t crc = 0;

  friend bool operator==(const manifest&, const manifest&) = default;
};

/// Who owns a partition, and where its chain ends.
struct ownership {
  uint64_t epoch = 0;
  uint64_t next_seq = 1;
  uint32_t last_crc = 0;
};

/// Raises a partition's epoch by one. Fails with `fenced` when the epoch is not the one seen.
struct take_over {
  uint32_t partition = 0;
  uint64_t seen = 0;
};

/// Appends records to a partition. Fails with `fenced` when the epoch is not the partition's, `damaged` when
/// the records do not go on from the end of its chain, or a name or its index is taken.
struct append {
  uint32_t partition = 0;
  uint64_t epoch = 0;
  std::vector<store_name> names; ///< that these records call by index for the first time
  std::vector<record> records;   ///< consecutive
};

/// Keeps a snapshot and its new chunks. Fails with `fenced` as append, `damaged` when its generation is not
/// above all that are kept. A number whose chunk is gone is given as one without payload.
struct put_snapshot {
  manifest what;
  std::vector<chunk_row> chunks;
};

/// Forgets records up to `through_seq` written before `older_than`, chunks that only generations before
/// `generation_min` need, and those generations. Fails with `fenced` as append. Whatever is asked, the two
/// newest generations stay with all they need, and so do the records after the older one; what stays of the
/// records has no holes.
struct compact {
  uint32_t partition = 0;
  uint64_t epoch = 0;
  uint64_t through_seq = 0;
  instant older_than;
  uint64_t generation_min = 0;
};

struct put_report {
  std::shared_ptr<const protocol::stored_report> report;
};

struct drop_reports {
  std::vector<std::string> ids;
};

struct put_value {
  std::string name;
  std::string value;
};

/// A durable change.
using operation = std::variant<take_over, append, put_snapshot, compact, put_report, drop_reports, put_value>;

/// A place that keeps what is committed. Not for several threads at once. All failures are errors:
/// disk_full (nothing of the call is kept, the next may succeed), storage_failing (the backend is poisoned
/// until heal() succeeds), io_failed (a read failed, the next may succeed), damaged (what is stored fails a
/// check).
class backend {
public:
  virtual ~backend() = default;

  /// Commits all operations or none, and returns when they are durable; the outcome of each is ok, fenced or
  /// damaged, and those not ok are left out as a whole. Nothing is kept when the call fails; only after
  /// storage_failing and the end of the process without heal() may it turn out to be.
  virtual result<std::vector<errc>> commit(std::span<const operation> what) = 0;

  /// The partition's ownership; a fresh one where it is not known.
  virtual result<ownership> owner(uint32_t partition) = 0;

  /// All names of a partition's stores in order of index. Fails with damaged where an index is missing or a
  /// name fails its check.
  virtual result<std::vector<std::string>> store_names(uint32_t partition) = 0;

  /// Records of a partition in ascending order from `from` on: at least one if there is one, and no more once
  /// `bytes_max` bytes of payload are exceeded. Rows are given as they are stored, unchecked.
  virtual result<std::vector<record>> read_records(uint32_t partition, uint64_t from, size_t bytes_max) = 0;

  /// The newest manifests of a partition, newest first, at most two, unchecked.
  virtual result<std::vector<manifest>> manifests(uint32_t partition) = 0;

  /// Chunks of a snapshot in ascending order of number from `from` on, limited as in read_records; unchecked.
  virtual result<std::vector<chunk_row>> read_chunks(uint32_t partition, uint64_t generation, int64_t from,
                                                     size_t bytes_max) = 0;

  /// All reports, oldest first, without bytes.
  virtual result<std::vector<protocol::stored_report>> reports() = 0;

  /// The bytes of a report as they were put; not_found, or damaged.
  virtual result<std::string> report_bytes(const std::string& id) = 0;

  /// A value, empty where there is none.
  virtual result<std::string> value(const std::string& name) = 0;

  /// What the engine's own check finds wrong, a sentence each; none: it is sound.
  virtual result<std::vector<std::string>> check() = 0;

  /// Does what no answer waits for, such as moving a log into the file it belongs to. To be called after a
  /// commit once it is answered: left out for long, it makes the next start slow. Fails as commit does.
  virtual result<void> tidy() { return {}; }

  /// A copy under way, in a new file that is removed again unless it gets whole. Not to outlive its backend.
  class copying {
  public:
    virtual ~copying() = default;

    /// Copies about so many bytes more; there may be commits between two calls. @returns whether the copy is
    /// whole: it then holds all that was committed so far. What is written need not be durable yet.
    virtual result<bool> go_on(size_t bytes) = 0;
  };

  /// Begins a copy of everything in a new file. invalid_argument where the file exists.
  virtual result<std::unique_ptr<copying>> begin_copy(const std::string& path) = 0;

  /// After storage_failing: tries to get into a state in which commits are durable again, without losing
  /// anything committed. No copy may be under way.
  virtual result<void> heal() = 0;

  /// Whether what is committed can be found again: the files still stand at their paths. Costs no disk. Fails
  /// with storage_failing when they were removed or moved, io_failed.
  virtual result<void> in_place() const { return {}; }

  /// Of the file system; maximum where that means nothing.
  virtual uint64_t bytes_free() const { return std::numeric_limits<uint64_t>::max(); }
};

/// Goes on with a copy until it is whole.
result<void> copy_all(backend::copying& copy);

} // namespace storemon::journal
