#pragma once

#include "storemon/ingest/words.hpp"
#include "storemon/model/store_id.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace storemon::ingest {

/// What a router remembers of a store, in one cache line: its id, and where it stands in its partition's open
/// batch.
class alignas(64) known_store {
public:
  uint64_t hash = 0;
  uint32_t partition = 0;
  uint32_t batch = 0; ///< the number of the batch that `index` is of; 0: none yet
  uint32_t index = 0; ///< into that batch's `stores`

private:
  friend class store_table;

  static constexpr size_t near_bytes_max = 40;

  uint16_t size_ = 0; ///< of the id; 0: the slot is free

  union {
    char near_[near_bytes_max]; ///< the id, if it fits; decimals and UUIDs do
    uint32_t far_;              ///< else its index among the long ids
  };

public:
  known_store() noexcept : near_{} {}
};

static_assert(sizeof(known_store) == 64);

/// An open-addressing hash table of store ids: finding a known one costs one probe of one cache line.
class store_table {
public:
  /// Beyond so many ids the owner should clear the table: with them it takes 16 MiB.
  static constexpr size_t ids_max = 196'608;

  /// @param ids_expected  so many find room without growth
  store_table(uint32_t partitions, size_t ids_expected)
      : partitions_(partitions),
        slots_(std::max(slots_min, std::bit_ceil(std::min(ids_expected, ids_max) * 4 / 3))) {}

  bool full() const noexcept { return ids_ >= ids_max; }

  /// Has the cache fetch the slot of a hash: worth it a few stores before entry().
  void prefetch(uint64_t hash) const noexcept { __builtin_prefetch(&slots_[hash & (slots_.size() - 1)], 1); }

  /// The entry of `id`, whose hash_of is `hash`; made if it is new. Valid until the next call.
  [[gnu::always_inline]] known_store& entry(uint64_t hash, std::string_view id) {
    auto& slot = *find(hash, id);
    return slot.size_ != 0 ? slot : insert(hash, id);
  }

  void clear();

private:
  static constexpr size_t slots_min = 64;

  /// The slot of `id`, or the free one where it belongs.
  [[gnu::always_inline]] known_store* find(uint64_t hash, std::string_view id) noexcept {
    const auto mask = slots_.size() - 1;
    for (auto i = hash & mask;; i = (i + 1) & mask) {
      auto& slot = slots_[i];
      if (slot.size_ == 0 || (slot.hash == hash && slot.size_ == id.size() && same(slot, id)))
        return &slot;
    }
  }

  [[gnu::always_inline]] bool same(const known_store& slot, std::string_view id) const noexcept {
    if (id.size() > known_store::near_bytes_max)
      return long_ids_[slot.far_] == id;
    const auto size = id.size();
    if (size < 8)
      return std::memcmp(slot.near_, id.data(), size) == 0;
    // Word by word, the last one reaching back: a call of memcmp costs more than this.
    auto differs = words::load(slot.near_ + size - 8) ^ words::load(id.data() + size - 8);
    for (size_t i = 0; i + 8 < size; i += 8)
      differs |= words::load(slot.near_ + i) ^ words::load(id.data() + i);
    return differs == 0;
  }

  known_store& insert(uint64_t hash, std::string_view id);
  void grow();

  uint32_t partitions_;
  size_t ids_ = 0;
  std::vector<known_store> slots_; ///< a power of two of them, at most three quarters taken
  text_list long_ids_;
};

} // namespace storemon::ingest
