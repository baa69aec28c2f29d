#pragma once

#include "storemon/journal/backend.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace storemon::journal {

struct sqlite_options {
  std::string directory; ///< see data_directory.hpp; made where there is none
  std::string vfs{};     ///< SQLite's virtual file system; empty: the operating system's
  /// Pages of 4 KiB the log may hold before it is moved into the file: how much a start has to read again.
  int log_pages_max = 4000;
  /// Room on the disk kept for when it is full, so that a shutdown and a snapshot can finish; 0: none.
  uint64_t reserve_bytes = 0;
};

/// Opens the data in a directory, or begins anew where there is none. Copies it first when the process before
/// left it failing. Fails with busy when another process has it, invalid_argument when it was written by a
/// newer storemon, damaged, io_failed, disk_full, storage_failing.
result<std::unique_ptr<backend>> open_sqlite(const sqlite_options& options);

/// Gives up what a damaged or missing log held, so that the directory can be opened; see log_scan.hpp.
/// @returns a sentence about what was given up. Fails with busy, invalid_argument, io_failed.
result<std::string> accept_log_loss(const std::string& directory);

/// Makes a new directory of a file that backend::begin_copy wrote, by copying it. Fails with invalid_argument
/// when the directory holds data already, and not of a restore that was cut short, io_failed, disk_full.
result<void> restore_sqlite(const std::string& copy, const std::string& directory);

} // namespace storemon::journal
