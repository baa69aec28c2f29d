#pragma once

#include "storemon/estimate/behaviour.hpp"
#include "storemon/estimate/lanes.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace storemon::estimate {

/// Gaps of one store with an observation at either end. An empty lane holds one of no length and no change:
/// it multiplies by exactly one.
struct seen_gaps {
  size_t size = 0;
  block length{};            ///< seconds
  block ends_active{};       ///< 1 or 0
  block ends_as_begun{ones}; ///< 1 or 0

  void put(double seconds, bool from, bool to) noexcept {
    length[size] = seconds;
    ends_active[size] = to;
    ends_as_begun[size] = from == to;
    ++size;
  }
};

/// Gaps from an opening to the first observation; empty lanes as in seen_gaps.
struct opened_gaps {
  size_t size = 0;
  block length{};
  block ends_active{};
  std::array<block, openings> at_opening{ones, ones, ones, ones}; ///< probability to be seen so there

  void put(double seconds, bool to) noexcept {
    length[size] = seconds;
    ends_active[size] = to;
    for (size_t o = 0; o < openings; ++o)
      at_opening[o][size] = to ? active_at_opening[o] : 1 - active_at_opening[o];
    ++size;
  }
};

/// Gaps that begin with an observation and lie in the window. An empty lane holds a length as if there were a
/// gap, but counts nothing.
struct whole_gaps {
  bool left = false;         ///< what was seen at their begin
  std::optional<bool> right; ///< and at their end; nothing: nothing was
  size_t size = 0;
  block length{};
  block counted{}; ///< the length; 0 in empty lanes
};

/// Gaps of any kind; empty lanes as in whole_gaps.
struct cut_gaps {
  bool opened = false; ///< all begin with an opening, or none does
  std::optional<bool> right;
  size_t size = 0;
  block before{}; ///< length of the part before the window
  block length{}; ///< of the part in the window
  block after{};  ///< of the part after it; 0 where nothing was seen at the end
  block counted{};
  by_state<block> begin{}; ///< where none is opened: 1 for the state that was seen
  block long_run{};        ///< 1 where nothing was, for the chain is in its long run
};

/// Mean and variance of the active time of several gaps, in seconds and their square, added up lane by lane.
struct lane_moments {
  block mean{};
  block variance{};
};

/// A chain that a store may be of, and which of live_behaviours::openings its classes have.
struct live_chain {
  size_t up;
  size_t down;
  size_t first;
  size_t last;
};

/// What a store may be, in the order of the grid.
struct live_behaviours {
  std::span<const live_chain> chains;
  std::span<const uint8_t> openings; ///< one for each live class
};

/// What shares of classes are counted in.
inline constexpr double share_unit = 0x1p-40;

/// The loops that most of the model's time goes into. Every set of them gives the same bits.
struct lane_loops {
  /// Multiplies each chain's lanes by the probabilities of what was seen at the ends.
  void (*multiply_seen)(const seen_gaps& gaps, by_chain<block>& to) noexcept;

  /// The same for each class.
  void (*multiply_opened)(const opened_gaps& gaps, std::array<block, classes>& to) noexcept;

  /// Adds the gaps' active time to one sum for each live chain.
  void (*add_whole)(const whole_gaps& gaps, const live_behaviours& live, lane_moments* to) noexcept;

  /// To one sum for each live class where the gaps begin with an opening, else for each live chain.
  void (*add_cut)(const cut_gaps& gaps, const live_behaviours& live, lane_moments* to) noexcept;

  /// Adds the shares of the classes in a store, by their weights and likelihoods, to counts in whole units.
  void (*add_shares)(const by_class& likelihoods, const by_class& weights,
                     std::array<int64_t, classes>& counts) noexcept;
};

/// For any processor.
const lane_loops& narrow_loops() noexcept;

/// Twice as wide; nullptr where the processor has no AVX2.
const lane_loops* wide_loops() noexcept;

/// The fastest that the processor has.
const lane_loops& best_loops() noexcept;

} // namespace storemon::estimate
