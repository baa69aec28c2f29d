#pragma once

#include "storemon/journal/data_directory.hpp"
#include "storemon/journal/memory_backend.hpp"
#include "storemon/journal/sqlite_backend.hpp"
#include "support/results.hpp"
#include "support/scratch_directory.hpp"

#include <sqlite3.h>

#include <filesystem>
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

/// Opens what must open.
inline std::unique_ptr<journal::backend> must_open(const std::string& directory, const std::string& vfs = {},
                                                   int log_pages_max = 4000) {
  auto opened = journal::open_sqlite({directory, vfs, log_pages_max});
  INFO(directory << ": " << (opened ? "" : opened.error().detail));
  REQUIRE(opened);
  return std::move(*opened);
}

/// Runs SQL on a file that no backend has open.
inline void run_sql(const std::string& file, const std::string& sql) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &db) == SQLITE_OK);
  INFO(sql);
  CHECK(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  REQUIRE(sqlite3_close(db) == SQLITE_OK);
}

struct sqlite_site {
  scratch_directory scratch;

  std::string directory() const { return (scratch.path() / "data").string(); }

  std::unique_ptr<journal::backend> open() { return must_open(directory()); }

  std::string copy_path() { return (scratch.path() / "copy.db").string(); }

  std::unique_ptr<journal::backend> open_copy(const std::string& path) {
    const auto restored = (scratch.path() / "restored").string();
    REQUIRE(journal::restore_sqlite(path, restored));
    return must_open(restored);
  }

  void lose_name(uint32_t partition, uint32_t index) {
    run_sql(directory() + "/store-1.db",
            "DELETE FROM store WHERE partition_id = " + std::to_string(partition) +
                " AND idx = " + std::to_string(index));
  }
};

} // namespace storemon::test
