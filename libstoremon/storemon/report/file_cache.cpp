#include "storemon/report/file_cache.hpp"

#include <algorithm>

namespace storemon::report {

void file_cache::keep(const std::string& id, file_ptr file) {
  forget(id);
  known_.emplace(id, file);
  if (file->bytes.size() > bytes_max_)
    return;
  bytes_ += file->bytes.size();
  held_.push_front(std::move(file));
  while (bytes_ > bytes_max_) {
    bytes_ -= held_.back()->bytes.size();
    held_.pop_back();
  }
}

file_cache::file_ptr file_cache::find(const std::string& id) {
  const auto found = known_.find(id);
  if (found == known_.end())
    return nullptr;
  auto file = found->second.lock();
  if (file)
    keep(id, file);
  return file;
}

void file_cache::forget(const std::string& id) {
  const auto found = known_.find(id);
  if (found == known_.end())
    return;
  release(found->second.lock());
  known_.erase(found);
}

void file_cache::release(const file_ptr& file) {
  const auto held = std::find(held_.begin(), held_.end(), file);
  if (held == held_.end())
    return;
  bytes_ -= file->bytes.size();
  held_.erase(held);
}

} // namespace storemon::report
