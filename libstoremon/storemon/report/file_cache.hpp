#pragma once

#include "storemon/protocol/messages.hpp"

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>

namespace storemon::report {

/// The report files used last, by the id of their report, within a bound of bytes. A file that someone else
/// still holds is found too, wherever the bound is: there is never a second copy of it.
class file_cache {
public:
  using file_ptr = std::shared_ptr<const protocol::report_file>;

  explicit file_cache(size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Takes a file as the one used last; those used longest ago make room. One beyond the bound by itself
  /// leaves the others where they are.
  void keep(const std::string& id, file_ptr file);

  /// The file, now the one used last; nullptr when it is not in memory.
  file_ptr find(const std::string& id);

  void forget(const std::string& id);

  /// Of the files that are held.
  size_t bytes() const noexcept { return bytes_; }

private:
  void release(const file_ptr& file);

  size_t bytes_max_;
  size_t bytes_ = 0;
  std::deque<file_ptr> held_; // used last first
  std::unordered_map<std::string, std::weak_ptr<const protocol::report_file>> known_;
};

} // namespace storemon::report
