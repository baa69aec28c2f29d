#pragma once

#include "storemon/model/instant.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace storemon {

/// How many behaviours of stores `telegraph` tells apart (estimate/behaviour.hpp says which).
inline constexpr size_t behaviour_classes = 168;

/// How many stores are of each class; see estimate::class_counts, which fills it.
struct behaviour_counts {
  std::array<int64_t, behaviour_classes> units{}; ///< in 2^-40 stores
  int64_t stores = 0;

  /// Adds other stores of the same round of a fit.
  behaviour_counts& operator+=(const behaviour_counts& others) noexcept {
    for (size_t c = 0; c < units.size(); ++c)
      units[c] += others.units[c];
    stores += others.stores;
    return *this;
  }

  friend bool operator==(const behaviour_counts&, const behaviour_counts&) = default;
};

/// By what clients and reports call fleet weights.
struct weights_label {
  uint64_t version = 0; ///< ascends with every fit; 0: not fitted yet, all classes weigh the same
  std::optional<instant> fitted_at{}; ///< by the server's clock; nothing in version 0
  int64_t stores = 0;                 ///< the fit looked at: those with an in-session observation

  friend bool operator==(const weights_label&, const weights_label&) = default;
};

/// How common each behaviour is in the fleet, as one fit found it.
struct fleet_weights {
  weights_label label;
  instant as_of;            ///< the newest observation the fit knew
  int64_t observations = 0; ///< in-session ones it looked at
  int64_t held = 0;         ///< all that the shards held then
  std::array<double, behaviour_classes> by_class = [] {
    std::array<double, behaviour_classes> equal{};
    equal.fill(1.0 / behaviour_classes);
    return equal;
  }(); ///< none 0; sums to one

  friend bool operator==(const fleet_weights&, const fleet_weights&) = default;
};

} // namespace storemon
