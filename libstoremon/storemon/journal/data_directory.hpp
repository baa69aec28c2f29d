#pragma once

#include "storemon/model/error.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace storemon::journal {

/// The directory of a node's data, held by one process:
///   CURRENT       names the file that holds the data, store-<n>.db; replaced at once or not at all
///   LOCK          held while the process has the directory; its permissions are those of all files
///   reserve       room kept for when the disk is full: see hold_reserve()
///   io_failed     a write failed: what the operating system shows of the file may not be on the disk
class data_directory {
public:
  /// Makes the directory where there is none, for its owner alone. Fails with busy when another process has
  /// it, io_failed.
  static result<std::unique_ptr<data_directory>> open(const std::string& path);

  ~data_directory();
  data_directory(const data_directory&) = delete;
  data_directory& operator=(const data_directory&) = delete;

  /// The number of the file that CURRENT names; nothing where there is no CURRENT. Fails with damaged.
  result<std::optional<uint64_t>> current() const;

  /// Makes CURRENT name a file, durably.
  result<void> set_current(uint64_t number) const;

  std::string file(uint64_t number) const;

  std::string lock_file() const { return path_ + "/LOCK"; }

  bool marked_failed() const;

  result<void> mark_failed() const;

  result<void> clear_failed() const;

  uint64_t bytes_free() const;

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
