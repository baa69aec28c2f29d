#pragma once

#include "storemon/journal/backend.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace storemon::journal {

/// What a memory_backend keeps of one partition.
struct memory_partition {
  ownership owner;
  std::map<uint32_t, std::string> names;                    ///< by index
  size_t names_given = 0;                                   ///< how many there must be
  std::map<uint64_t, record> records;                       ///< by seq
  std::map<uint64_t, manifest> manifests;                   ///< by generation
  std::map<std::pair<int64_t, uint64_t>, chunk_row> chunks; ///< by number and generation
};

/// What a memory_backend keeps.
struct memory_tables {
  std::map<uint32_t, memory_partition> partitions;
  std::map<std::string, protocol::stored_report> reports;
  std::map<std::string, std::string> values;
};

/// What stands in for a disk: it outlives the backends that are opened on it one after another, and fails as
/// it is told to. May be used from any thread.
class memory_disk {
public:
  /// What of a failing commit reaches the disk.
  enum class fate : uint8_t {
    lost,      ///< nothing, ever
    undecided, ///< it is there after crash(), unless a heal or another commit came first
  };

  /// The next commit that is not refused anyway fails so; storage_failing poisons the backend.
  void fail_next(errc code, fate what = fate::lost);

  /// All reads fail so, until told errc::ok.
  void fail_reads(errc code);

  /// The next attempts to heal fail.
  void fail_heals(size_t attempts);

  void set_bytes_free(uint64_t bytes);

  /// The process dies: to be called when its backend is gone, before another is opened.
  void crash();

  /// Changes what is kept behind the back of all backends.
  void edit(const std::function<void(memory_tables&)>& change);

  /// What was copied to a path; null where it wrote none.
  std::shared_ptr<memory_disk> copy(const std::string& path) const;

  uint64_t commits() const; ///< that succeeded
  uint64_t heals() const;   ///< that succeeded

private:
  friend class memory_backend;

  mutable std::mutex mutex_;
  memory_tables tables_;
  std::optional<memory_tables> undecided_; ///< what is there after a crash
  errc next_failure_ = errc::ok;
  fate next_fate_ = fate::lost;
  errc read_failure_ = errc::ok;
  size_t failing_heals_ = 0;
  uint64_t bytes_free_ = std::numeric_limits<uint64_t>::max();
  uint64_t commits_ = 0;
  uint64_t heals_ = 0;
  std::map<std::string, std::shared_ptr<memory_disk>> copies_;
};

/// Keeps things as long as its disk lives: for tests.
class memory_backend final : public backend {
public:
  explicit memory_backend(std::shared_ptr<memory_disk> disk = std::make_shared<memory_disk>());

  result<std::vector<errc>> commit(std::span<const operation> what) override;
  result<ownership> owner(uint32_t partition) override;
  result<std::vector<std::string>> store_names(uint32_t partition) override;
  result<std::vector<record>> read_records(uint32_t partition, uint64_t from, size_t bytes_max) override;
  result<std::vector<manifest>> manifests(uint32_t partition) override;
  result<std::vector<chunk_row>> read_chunks(uint32_t partition, uint64_t generation, int64_t from,
                                             size_t bytes_max) override;
  result<std::vector<protocol::stored_report>> reports() override;
  result<std::string> report_bytes(const std::string& id) override;
  result<std::string> value(const std::string& name) override;
  result<std::vector<std::string>> check() override;
  result<std::unique_ptr<copying>> begin_copy(const std::string& path) override;
  result<void> heal() override;
  uint64_t bytes_free() const override;

private:
  class disk_copy;

  /// The partition, with the disk locked by the caller; null where nothing is known of it.
  const memory_partition* find(uint32_t partition) const;

  std::shared_ptr<memory_disk> disk_;
  bool poisoned_ = false;
};

} // namespace storemon::journal
