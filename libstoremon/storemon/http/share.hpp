#pragma once

#include <cstddef>
#include <memory>

namespace storemon::http {

/// What one request has of something that all requests together may have only so much of; given back when it
/// goes. On the server's thread only.
class share {
public:
  explicit share(std::shared_ptr<size_t> taken_by_all) : all_(std::move(taken_by_all)) {}

  ~share() { *all_ -= mine_; }

  share(const share&) = delete;
  share& operator=(const share&) = delete;

  /// @returns whether so much more could be had.
  bool take(size_t amount, size_t all_max) {
    if (amount > all_max - *all_)
      return false;
    *all_ += amount;
    mine_ += amount;
    return true;
  }

private:
  std::shared_ptr<size_t> all_;
  size_t mine_ = 0;
};

} // namespace storemon::http
