#pragma once

#include "storemon/estimate/estimator.hpp"
#include "storemon/estimate/telegraph.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace storemon::estimate {

/// All that is known of one store.
struct store_facts {
  std::span<const interval> opening;  ///< opening intervals, normalised, all that meet measurer::needed()
  std::span<const interval> closures; ///< planned closures, normalised
  std::span<const observation> observations; ///< one per instant, ascending; the whole history
};

/// Measures stores for one report, one after the other. Keeps its buffers between stores, so that a store
/// allocates nothing; not shared between threads.
///
/// Opening time covered by a planned closure is `excluded`, and a closure ends a session as closing does:
/// what was polled during it tells nothing about the opening time around it, unless the scope is `all`.
class measurer {
public:
  /// @param spec  must outlive the measurer; its estimator exists (find_estimator).
  explicit measurer(const report_spec& spec);

  /// The stretch for which opening intervals of a store with that history are needed: from the earliest begin
  /// of any window, or from the first of its observations that any horizon shows if that is earlier, to just
  /// after as_of. When the store was open before anything was asked or seen changes no figure, unless its
  /// behaviour is weighed: then from where sessions begin for sure.
  interval needed(std::span<const observation> history) const noexcept;

  /// Writes the measure of window `w` to `out[w * stride]`.
  void measure_store(const store_facts& facts, measure* out, size_t stride);

  /// Whether the estimator does.
  bool weighs_behaviours() const noexcept { return weighs_behaviours_; }

  /// Of the store measured last, where the estimator weighs behaviours: bounds by window, and the probability
  /// to be active at as_of in millionths, or no_chance.
  std::span<const uptime_bounds> bounds() const noexcept { return bounds_; }

  int64_t active_now() const noexcept { return active_now_; }

  /// What a fit of the fleet's weights needs of a store: how likely all that the first window's horizon shows
  /// in sessions is. Nothing where that is nothing.
  struct observed {
    class_likelihoods likelihoods;
    int64_t observations = 0;
  };

  std::optional<observed> observe(const store_facts& facts);

  /// What the first window's horizon shows of a store, and what is believed of it.
  struct outlook {
    store_view view;                    ///< no window is asked about; good until the next store is looked at
    std::optional<telegraph> behaviour; ///< nothing where nothing was observed in sessions
  };

  outlook look_at(const store_facts& facts);

private:
  /// Windows that see the same observations: the standard three always do.
  struct windows_of_horizon {
    horizon seen;
    std::vector<size_t> windows; ///< indexes of spec.windows
  };

  /// What one horizon shows of one store, whatever the window.
  struct sight {
    std::span<const observation> seen;
    int64_t active = 0;        ///< in-session ones
    int64_t observed = 0;      ///< in-session ones
    instant begins_known_from; ///< of sessions; where behaviours are weighed
  };

  /// Opening time without planned closures; may be kept in a buffer.
  std::span<const interval> open_of(const store_facts& facts);

  sight look(std::span<const interval> open, std::span<const observation> observations, const horizon& h);

  /// Copies what is in sessions, so that a gap may span a closure, and points the sessions at the copy.
  std::span<const observation> keep_in_session(std::span<const observation> seen);

  /// The sessions that were looked at last, with nothing asked about them.
  store_view view_of(const sight& sight) const noexcept;

  measure measure_window(size_t w, store_view view, const store_facts& facts, const sight& sight);

  const report_spec& spec_;
  const estimator& estimator_;
  const bool weighs_behaviours_;
  const class_weights weights_;
  interval windows_;       ///< from the earliest begin of any window to just after as_of
  instant horizons_begin_; ///< the earliest
  std::vector<windows_of_horizon> horizons_;

  // Buffers, kept between stores.
  interval_set open_;
  std::vector<session> sessions_;
  std::vector<observation> in_session_;
  std::vector<uptime_bounds> bounds_;
  telegraph_windows believed_;
  int64_t active_now_ = no_chance;
};

} // namespace storemon::estimate
