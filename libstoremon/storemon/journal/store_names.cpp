#include "storemon/journal/store_names.hpp"

namespace storemon::journal {

store_names::store_names(std::span<const std::string> kept) {
  for (const auto& name : kept)
    index_of(name);
  kept_ = size();
}

store_names::slot& store_names::find(std::string_view name, uint32_t hash) noexcept {
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash & mask;; at = (at + 1) & mask) {
    auto& s = slots_[at];
    if (s.index_plus_1 == 0 || (s.hash == hash && names_[s.index_plus_1 - 1] == name))
      return s;
  }
}

void store_names::grow() {
  constexpr size_t slots_min = 64;
  std::vector<slot> old(std::max(slots_min, slots_.size() * 2));
  old.swap(slots_);
  const size_t mask = slots_.size() - 1;
  for (const auto& s : old)
    if (s.index_plus_1 != 0) {
      size_t at = s.hash & mask;
      while (slots_[at].index_plus_1 != 0)
        at = (at + 1) & mask;
      slots_[at] = s;
    }
}

uint32_t store_names::index_of(std::string_view name) {
  if ((names_.size() + 1) * 2 > slots_.size())
    grow();
  const auto hash = static_cast<uint32_t>(hash_of(name) >> 32); // the low bits chose the partition
  auto& s = find(name, hash);
  if (s.index_plus_1 == 0)
    s = {hash, names_.add(name) + 1};
  return s.index_plus_1 - 1;
}

std::optional<std::string_view> store_names::name_of(uint32_t index) const noexcept {
  if (index >= names_.size())
    return std::nullopt;
  return names_[index];
}

std::vector<store_name> store_names::births() const {
  std::vector<store_name> born;
  for (auto index = kept_; index < size(); ++index)
    born.push_back({index, std::string(names_[index])});
  return born;
}

} // namespace storemon::journal
