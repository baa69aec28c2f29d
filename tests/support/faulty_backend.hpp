#pragma once

#include "storemon/journal/memory_backend.hpp"
#include "storemon/synth/random.hpp"

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace storemon::test {

/// What a simulation does to the actors and their disk.
enum class fault : uint8_t {
  commit_lost,      ///< a commit fails, and nothing of it is there
  commit_undecided, ///< a commit fails, and may turn out to be there
  commit_found,     ///< and it was, when the backend was healed
  disk_full,        ///< a commit fails for want of room
  no_room,          ///< the journal sees that the room ends
  heal_failed,
  read_failed,
  shard_killed,
  second_owner, ///< a partition is opened although its shard lives
  journal_stopped,
  journal_killed,
  process_killed, ///< all actors at once
};

inline constexpr size_t faults = 12;
inline constexpr std::array<std::string_view, faults> fault_names{
    "commit_lost", "commit_undecided", "commit_found", "disk_full",       "no_room",        "heal_failed",
    "read_failed", "shard_killed",     "second_owner", "journal_stopped", "journal_killed", "process_killed"};

/// When the disk of a simulation fails.
struct fault_plan {
  synth::random_source& random;
  std::array<uint64_t, faults>& counts;
  bool calm = false;            ///< nothing fails any more
  uint64_t commits_fail = 0;    ///< of a thousand
  uint64_t reads_fail = 0;      ///< of a thousand
  std::function<void()> look{}; ///< called when the disk may hold something new

  bool happens(uint64_t per_mille) { return !calm && random.chance(per_mille); }

  void count(fault what) { ++counts[static_cast<size_t>(what)]; }
};

/// A backend on a disk in memory that fails as the plan says.
class faulty_backend final : public journal::backend {
public:
  faulty_backend(std::shared_ptr<journal::memory_disk> disk, fault_plan& plan)
      : disk_(std::move(disk)), inner_(disk_), plan_(plan) {}

  result<std::vector<errc>> commit(std::span<const journal::operation> what) override {
    if (!poisoned_ && plan_.happens(plan_.commits_fail))
      plant();
    auto done = inner_.commit(what);
    poisoned_ = poisoned_ || (!done && done.error().code == errc::storage_failing);
    plan_.look();
    return done;
  }

  result<journal::ownership> owner(uint32_t partition) override {
    return read([&] { return inner_.owner(partition); });
  }

  result<std::vector<std::string>> store_names(uint32_t partition) override {
    return read([&] { return inner_.store_names(partition); });
  }

  result<std::vector<journal::record>> read_records(uint32_t partition, uint64_t from,
                                                    size_t bytes_max) override {
    return read([&] { return inner_.read_records(partition, from, bytes_max); });
  }

  result<std::vector<journal::manifest>> manifests(uint32_t partition) override {
    return read([&] { return inner_.manifests(partition); });
  }

  result<std::vector<journal::chunk_row>> read_chunks(uint32_t partition, uint64_t generation, int64_t from,
                                                      size_t bytes_max) override {
    return read([&] { return inner_.read_chunks(partition, generation, from, bytes_max); });
  }

  result<std::vector<protocol::stored_report>> reports() override { return inner_.reports(); }

  result<std::string> report_bytes(const std::string& id) override { return inner_.report_bytes(id); }

  result<std::string> value(const std::string& name) override { return inner_.value(name); }

  result<std::vector<std::string>> check() override { return inner_.check(); }

  result<std::unique_ptr<copying>> begin_copy(const std::string& path) override {
    return inner_.begin_copy(path);
  }

  /// What the failed commit left may be found now.
  result<void> heal() override {
    if (plan_.happens(400)) {
      plan_.count(fault::heal_failed);
      return error{errc::storage_failing, "a planted fault: not healed"};
    }
    if (undecided_ && plan_.random.chance(500)) {
      plan_.count(fault::commit_found);
      disk_->crash();
    }
    poisoned_ = undecided_ = false;
    auto healed = inner_.heal();
    plan_.look();
    return healed;
  }

  uint64_t bytes_free() const override { return inner_.bytes_free(); }

private:
  void plant() {
    using fate = journal::memory_disk::fate;
    switch (plan_.random.below(3)) {
    case 0:
      plan_.count(fault::disk_full);
      disk_->fail_next(errc::disk_full);
      break;
    case 1:
      plan_.count(fault::commit_lost);
      disk_->fail_next(errc::storage_failing);
      break;
    default:
      plan_.count(fault::commit_undecided);
      disk_->fail_next(errc::storage_failing, fate::undecided);
      undecided_ = true;
    }
  }

  template <class Read>
  auto read(Read read) -> decltype(read()) {
    if (plan_.happens(plan_.reads_fail)) {
      plan_.count(fault::read_failed);
      return error{errc::io_failed, "a planted fault: not read"};
    }
    return read();
  }

  std::shared_ptr<journal::memory_disk> disk_;
  journal::memory_backend inner_;
  fault_plan& plan_;
  bool poisoned_ = false;
  bool undecided_ = false;
};

} // namespace storemon::test
