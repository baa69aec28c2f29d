#include "storemon/partition/batch_book.hpp"

#include <algorithm>

namespace storemon::partition {

void batch_book::remember(const remembered_batch& batch) {
  forget(batch.mark.key);
  const place at{batch.written, batch.mark.key};
  order_.insert(std::upper_bound(order_.begin(), order_.end(), at), at);
  batches_.emplace(batch.mark.key, batch);
  while (order_.size() > batches_max_ ||
         order_.front().written < order_.back().written - batch_memory_age_max) {
    batches_.erase(order_.front().key);
    order_.pop_front();
  }
}

void batch_book::forget(const batch_key& key) {
  const auto held = batches_.find(key);
  if (held == batches_.end())
    return;
  order_.erase(std::lower_bound(order_.begin(), order_.end(), place{held->second.written, key}));
  batches_.erase(held);
}

const remembered_batch* batch_book::find(const batch_key& key) const {
  const auto held = batches_.find(key);
  return held == batches_.end() ? nullptr : &held->second;
}

std::vector<batch_mark> batch_book::marks() const {
  std::vector<batch_mark> all;
  all.reserve(order_.size());
  for (const auto& p : order_)
    all.push_back(batches_.at(p.key).mark);
  return all;
}

std::vector<remembered_batch> batch_book::written_in(instant from, instant to) const {
  std::vector<remembered_batch> all;
  auto next = std::lower_bound(order_.begin(), order_.end(), from,
                               [](const place& p, instant at) { return p.written < at; });
  for (; next != order_.end() && next->written < to; ++next)
    all.push_back(batches_.at(next->key));
  return all;
}

} // namespace storemon::partition
