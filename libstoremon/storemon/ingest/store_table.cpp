#include "storemon/ingest/store_table.hpp"

#include <algorithm>

namespace storemon::ingest {

void store_table::clear() {
  std::fill(slots_.begin(), slots_.end(), known_store());
  ids_ = 0;
  long_ids_ = {};
}

known_store& store_table::insert(uint64_t hash, std::string_view id) {
  if ((ids_ + 1) * 4 > slots_.size() * 3)
    grow();
  auto& slot = *find(hash, id);
  slot.hash = hash;
  slot.partition = partition_of(hash, partitions_);
  slot.size_ = static_cast<uint16_t>(id.size());
  if (id.size() > known_store::near_bytes_max)
    slot.far_ = long_ids_.add(id);
  else
    std::memcpy(slot.near_, id.data(), id.size());
  ++ids_;
  return slot;
}

void store_table::grow() {
  std::vector<known_store> old(slots_.size() * 2);
  old.swap(slots_);
  const auto mask = slots_.size() - 1;
  for (const auto& store : old) {
    if (store.size_ == 0)
      continue;
    auto i = store.hash & mask;
    while (slots_[i].size_ != 0)
      i = (i + 1) & mask;
    slots_[i] = store;
  }
}

} // namespace storemon::ingest
