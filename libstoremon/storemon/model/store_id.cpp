#include "storemon/model/store_id.hpp"

#include <xxhash.h>

#include <algorithm>

namespace storemon {

uint64_t hash_of(std::string_view id) noexcept {
  return XXH3_64bits(id.data(), id.size());
}

bool text_list::well_formed() const noexcept {
  if (ends_.empty())
    return bytes_.empty();
  return std::is_sorted(ends_.begin(), ends_.end()) && ends_.back() == bytes_.size();
}

} // namespace storemon
