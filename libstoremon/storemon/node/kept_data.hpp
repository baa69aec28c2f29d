#pragma once

#include "storemon/journal/backend.hpp"
#include "storemon/model/error.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>

/// Data directories opened to be looked at.
namespace storemon::node {

/// A directory that is gone at the end.
class temporary_directory {
public:
  /// For what is as large as what is at `path`: beside it, or where nothing can be made there, in the
  /// system's directory for such.
  static result<temporary_directory> make_for(const std::string& path);

  temporary_directory(temporary_directory&& other) noexcept : path_(std::exchange(other.path_, {})) {}

  temporary_directory& operator=(temporary_directory&&) = delete;

  ~temporary_directory();

  std::string inside(const char* name) const { return path_ + "/" + name; }

private:
  explicit temporary_directory(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

/// What a data directory holds whose server is stopped. A directory that a process has held before and that
/// can be written to is opened as a server opens it, which may finish what the server left to its next start.
/// Of any other a copy is opened, so that a directory that only was copied or unpacked to somewhere stays as
/// it is, and one that cannot be written to can be read.
class kept_data {
public:
  /// Fails with invalid_argument where it is no data directory, busy while another process has it, and as
  /// open_sqlite.
  static result<kept_data> open(const std::string& directory);

  journal::backend& backend() const noexcept { return *backend_; }

private:
  kept_data(std::optional<temporary_directory> copy, std::unique_ptr<journal::backend> opened)
      : copy_(std::move(copy)), backend_(std::move(opened)) {}

  std::optional<temporary_directory> copy_; ///< what is open, if it is one
  std::unique_ptr<journal::backend> backend_;
};

} // namespace storemon::node
