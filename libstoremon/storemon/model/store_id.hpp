#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace storemon {

/// A store id is text of 1 to 128 bytes, kept byte for byte.
inline constexpr size_t store_id_bytes_max = 128;

inline bool is_store_id(std::string_view id) noexcept {
  return !id.empty() && id.size() <= store_id_bytes_max;
}

/// Stable 64-bit hash of a store id (XXH3): the same in every process, version and node, for it decides where
/// a store's data lives.
uint64_t hash_of(std::string_view id) noexcept;

/// The partition a store belongs to, of `partitions` > 0.
inline uint32_t partition_of(uint64_t hash, uint32_t partitions) noexcept {
  return static_cast<uint32_t>(hash % partitions);
}

/// Texts in one block of bytes: what a message carries instead of many small strings.
class text_list {
public:
  size_t size() const noexcept { return ends_.size(); }

  bool empty() const noexcept { return ends_.empty(); }

  std::string_view operator[](size_t i) const noexcept {
    const size_t begin = i == 0 ? 0 : ends_[i - 1];
    return {bytes_.data() + begin, ends_[i] - begin};
  }

  /// @returns the index of the added text.
  uint32_t add(std::string_view text) {
    bytes_.append(text);
    ends_.push_back(static_cast<uint32_t>(bytes_.size()));
    return static_cast<uint32_t>(ends_.size() - 1);
  }

  void reserve(size_t texts, size_t bytes) {
    ends_.reserve(texts);
    bytes_.reserve(bytes);
  }

  const std::string& bytes() const noexcept { return bytes_; }

  const std::vector<uint32_t>& ends() const noexcept { return ends_; }

  std::string& bytes() noexcept { return bytes_; }

  std::vector<uint32_t>& ends() noexcept { return ends_; }

  /// Whether the ends ascend and the last one is the end of the bytes: to be asked of a list that came over a
  /// wire.
  bool well_formed() const noexcept;

  friend bool operator==(const text_list&, const text_list&) = default;

private:
  std::string bytes_;
  std::vector<uint32_t> ends_;
};

} // namespace storemon
