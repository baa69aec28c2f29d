#pragma once

#include "storemon/model/error.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace storemon::journal {

/// The directory of a node's data, held by one process:
///   CURRENT       names the file that holds the data, store-<n>.db, and says whether a process has it open;
///                 replaced at once or not at all
///   LOCK          held while the process has the directory; its permissions are those of all files
///   reserve       room kept for when the disk is full: see hold_reserve()
///   restoring     a restore into the directory has begun: no server starts there until one has ended
///   io_failed     a write failed: what the operating system shows of the file may not be on the disk
class data_directory {
public:
  /// Makes the directory where there is none, for its owner alone. Fails with busy when another process has
  /// it, invalid_argument when it holds files of another kind and no data, io_failed.
  static result<std::unique_ptr<data_directory>> open(const std::string& path);

  ~data_directory();
  data_directory(const data_directory&) = delete;
  data_directory& operator=(const data_directory&) = delete;

  /// The number of the file that CURRENT names; nothing where there is no CURRENT. Fails with damaged.
  result<std::optional<uint64_t>> current() const;

  /// On which start of the machine (see boot_id) a process opened that file and has not closed it; empty
  /// where it was closed.
  result<std::string> opened_on() const;

  /// Makes CURRENT name a file, durably.
  /// @param opened_on  see opened_on()
  result<void> set_current(uint64_t number, const std::string& opened_on = {}) const;

  std::string file(uint64_t number) const;

  std::string lock_file() const { return path_ + "/LOCK"; }

  /// Whether a restore into the directory was begun and not ended: what it holds is no whole copy.
  bool marked_restoring() const;

  result<void> mark_restoring() const;

  result<void> clear_restoring() const;

  bool marked_failed() const;

  result<void> mark_failed() const;

  result<void> clear_failed() const;

  /// Whether the directory still stands at its path. Two system calls, no disk. Fails with storage_failing
  /// when it was removed or moved, or another took its place; io_failed.
  result<void> in_place() const;

  /// Of the file system. Fails with io_failed.
  result<uint64_t> bytes_free() const;

  /// Takes room on the disk that can be given up once it is full, so that what must be finished can be; where
  /// there is not much more room than that, it takes none. @returns whether it is held.
  bool hold_reserve(uint64_t bytes) const;

  void give_up_reserve() const noexcept;

private:
  data_directory(std::string path, int lock) noexcept : path_(std::move(path)), lock_(lock) {}

  result<void> write(const std::string& name, const std::string& text) const;

  std::string path_;
  int lock_;
};

/// Copies the data of a directory that no process has to a new directory, for its owner alone: the file that
/// CURRENT names, with its log. Nothing is written to the directory, nor made durable. Fails with busy where
/// a process has it, damaged where the file is not there, io_failed, disk_full.
result<void> copy_data(const std::string& from, const std::string& to);

/// Makes what a file holds durable, or the names in a directory. Fails with io_failed, disk_full.
result<void> sync_path(const std::string& path);

} // namespace storemon::journal
