#pragma once

#include "storemon/model/error.hpp"

#include <filesystem>
#include <string>

namespace storemon::node {

/// A data directory, held by this process alone for as long as the object lives.
///
///     CURRENT, store-<n>.db   the journal, see journal/sqlite_backend.hpp
///     lock                    locked by who holds the directory; names its process
///     control.sock            where `storemond backup` finds the running server
///     spool/                  files on their way to be imported; emptied when the directory is taken
class data_directory {
public:
  /// Takes the directory, making it, for this user alone, where there is none. Fails with busy, naming the
  /// process, while another holds it, and io_failed.
  static result<data_directory> take(const std::filesystem::path& path);

  data_directory(data_directory&& other) noexcept;
  data_directory& operator=(data_directory&&) = delete;

  /// Lets go of the directory.
  ~data_directory();

  const std::filesystem::path& path() const noexcept { return path_; }

  std::filesystem::path spool() const { return path_ / "spool"; }

  std::filesystem::path control_socket() const { return path_ / "control.sock"; }

private:
  data_directory(std::filesystem::path path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::filesystem::path path_;
  int lock_ = -1;
};

} // namespace storemon::node
