#pragma once

#include "storemon/model/error.hpp"

#include <string>
#include <string_view>

namespace storemon::http {

/// A new file that only this user may read; it goes with this object, if it is still there.
class spool_file {
public:
  explicit spool_file(std::string path) : path_(std::move(path)) {}

  ~spool_file();
  spool_file(const spool_file&) = delete;
  spool_file& operator=(const spool_file&) = delete;

  /// Makes the file; once, before all else. Fails with io_failed or disk_full.
  result<void> create();

  /// Appends. Fails as create().
  result<void> write(std::string_view bytes);

  /// Ends the writing. Fails as create(): some file systems tell only now.
  result<void> close();

private:
  std::string path_;
  int descriptor_ = -1;
};

} // namespace storemon::http
