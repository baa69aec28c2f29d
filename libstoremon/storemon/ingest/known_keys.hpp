#pragma once

#include "storemon/model/update.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <chrono>
#include <cstddef>
#include <deque>

namespace storemon::ingest {

/// Idempotency keys and the bodies they came with, for a time: so that a key used again for something else is
/// refused before anything of it is applied. The shards remember likewise, each what it has seen; what is
/// forgotten here they still refuse.
class known_keys {
public:
  using time = std::chrono::steady_clock::time_point;

  known_keys(size_t keys_max, std::chrono::seconds life) : keys_max_(keys_max), life_(life) {}

  void add(const batch_mark& mark, time now) {
    while (!order_.empty() && (order_.front().added + life_ <= now || order_.size() >= keys_max_)) {
      bodies_.erase(order_.front().key);
      order_.pop_front();
    }
    if (bodies_.emplace(mark.key, mark.body).second)
      order_.push_back({now, mark.key});
  }

  /// Whether the key is known with another body.
  bool contradict(const batch_mark& mark) const {
    const auto found = bodies_.find(mark.key);
    return found != bodies_.end() && found->second != mark.body;
  }

  size_t size() const noexcept { return order_.size(); }

private:
  using words = std::array<uint64_t, 2>;

  /// Keys are hashes already.
  struct first_word {
    size_t operator()(const words& key) const noexcept { return static_cast<size_t>(key[0]); }
  };

  struct entry {
    time added;
    words key;
  };

  size_t keys_max_;
  std::chrono::seconds life_;
  boost::unordered_flat_map<words, words, first_word> bodies_;
  std::deque<entry> order_; // oldest first
};

} // namespace storemon::ingest
