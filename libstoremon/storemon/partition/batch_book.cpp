#include "storemon/partition/batch_book.hpp"

#include <algorithm>

namespace storemon::partition {

void batch_book::remember(const remembered_batch& batch) {
  forget(batch.mark.key);
  if (batch.written > last_written_)
    age_clock_ += std::min<duration>(batch.written - last_written_, book_step_max);
  last_written_ = batch.written;
  batches_.emplace(batch.mark.key, entry{batch, first_ + order_.size()});
  order_.push_back({age_clock_, batch.mark.key});
  while (order_.front().replaced || batches_.size() > batches_max_ ||
         order_.front().age_clock < age_clock_ - batch_memory_age_max) {
    if (!order_.front().replaced)
      batches_.erase(order_.front().key);
    order_.pop_front();
    ++first_;
  }
}

void batch_book::forget(const batch_key& key) {
  const auto held = batches_.find(key);
  if (held == batches_.end())
    return;
  order_[held->second.serial - first_].replaced = true;
  batches_.erase(held);
}

const remembered_batch* batch_book::find(const batch_key& key) const {
  const auto held = batches_.find(key);
  return held == batches_.end() ? nullptr : &held->second.batch;
}

const remembered_batch* batch_book::repeated(const batch_mark& mark, instant now) const {
  const auto held = batches_.find(mark.key);
  if (held == batches_.end())
    return nullptr;
  const auto& [batch, serial] = held->second;
  const bool keyless = mark.key == mark.body;
  const bool plausible =
      serial >= sealed_ && batch.written >= now - keyless_life && batch.written <= now + keyless_life;
  return keyless && !plausible ? nullptr : &batch;
}

std::vector<batch_mark> batch_book::marks() const {
  std::vector<batch_mark> all;
  all.reserve(size());
  for_each([&](const remembered_batch& b) { all.push_back(b.mark); });
  return all;
}

} // namespace storemon::partition
