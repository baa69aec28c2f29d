#pragma once

#include "storemon/journal/memory_backend.hpp"
#include "support/results.hpp"
#include "support/scratch_directory.hpp"

#include <memory>
#include <string>

/// Places where backends of each sort are opened, again and again: what a contract is tested on.
namespace storemon::test {

struct memory_site {
  std::shared_ptr<journal::memory_disk> disk = std::make_shared<journal::memory_disk>();

  std::unique_ptr<journal::backend> open() { return std::make_unique<journal::memory_backend>(disk); }

  std::string copy_path() { return "copy"; }

  std::unique_ptr<journal::backend> open_copy(const std::string& path) {
    return std::make_unique<journal::memory_backend>(disk->copy(path));
  }

  /// To be called while none is open.
  void lose_name(uint32_t partition, uint32_t index) {
    disk->edit([&](journal::memory_tables& t) { t.partitions[partition].names.erase(index); });
  }
};

} // namespace storemon::test
