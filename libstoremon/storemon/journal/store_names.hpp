#pragma once

#include "storemon/journal/backend.hpp"
#include "storemon/model/store_id.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace storemon::journal {

/// The stores of one partition by number: records name a store by its index here. Indexes are given in order,
/// without holes, for ever.
class store_names {
public:
  store_names() = default;

  /// All names that are kept, in order of index.
  explicit store_names(std::span<const std::string> kept);

  /// The index of a name; a new one where it had none.
  uint32_t index_of(std::string_view name);

  /// The name of an index, valid until the next index_of; nothing where there is none.
  std::optional<std::string_view> name_of(uint32_t index) const noexcept;

  uint32_t size() const noexcept { return static_cast<uint32_t>(names_.size()); }

  /// The names that are not known to be kept: what has to go with the next append.
  std::vector<store_name> births() const;

  /// Names of indexes below `end` are kept.
  void keep(uint32_t end) noexcept { kept_ = end; }

private:
  struct slot {
    uint32_t hash = 0;
    uint32_t index_plus_1 = 0; ///< 0: free
  };

  /// Where the name is, or would be.
  slot& find(std::string_view name, uint32_t hash) noexcept;
  void grow();

  text_list names_;
  std::vector<slot> slots_; ///< a power of two, at most half full
  uint32_t kept_ = 0;
};

} // namespace storemon::journal
