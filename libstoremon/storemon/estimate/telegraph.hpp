#pragma once

#include "storemon/estimate/fleet_weights.hpp"

#include <memory>
#include <optional>

namespace storemon::estimate {

/// What the telegraph model believes of one store (ESTIMATORS section 4). It is told by sessions that begin
/// where store_view::begins_known_from says, and by the observations in them.
class telegraph {
public:
  /// The store's behaviour, weighed by what was seen of it and by the fleet's.
  /// @param fleet  as a fit gives them: none is 0
  telegraph(const class_likelihoods& seen, const class_weights& fleet) noexcept;

  /// A store of which nothing is known but the fleet it is of.
  explicit telegraph(const class_weights& fleet) noexcept;

  /// Active time within the opening time of a window, in seconds.
  struct uptime {
    double mean = 0;
    double deviation = 0; ///< standard deviation
    double low = 0;       ///< 90 % bounds, `0 <= low <= mean <= high <= view.open`
    double high = 0;
  };

  /// @param view  its sessions are those whose likelihoods the store was made from. Of a store never seen
  ///              this is what the fleet alone says, which reports show as unknown.
  uptime believe(const store_view& view) const noexcept;

  /// Probability that the store is active at an instant; nothing while it is closed. A session's begin does
  /// not belong to it here, its end does. Of `view` only the sessions and what was seen matter.
  std::optional<double> active_at(const store_view& view, instant at) const noexcept;

  /// The store's ways, in the mean over the classes it may be of.
  struct habits {
    double failures_per_day = 0;  ///< outages begun in 24 hours of opening time, in the long run
    double mean_outage = 0;       ///< seconds of opening time
    double active_at_opening = 0; ///< probability; the fleet's where no opening was seen
  };

  habits describe() const noexcept;

  /// Probability of each class, less than one in a million taken for 0.
  const by_class& shares() const noexcept { return shares_; }

private:
  friend class telegraph_windows;

  by_class shares_;
  by_chain<double> chain_shares_; ///< sums over the classes of a chain
};

/// Believes several windows of a store, one after the other. A window that holds the one before and ends with
/// it costs what it holds more: in this order, the hour and the day come free with the week.
class telegraph_windows {
public:
  /// @param loops  any: they give the same bits
  explicit telegraph_windows(const lane_loops& loops = best_loops());
  ~telegraph_windows();

  telegraph_windows(const telegraph_windows&) = delete;
  telegraph_windows& operator=(const telegraph_windows&) = delete;

  /// Goes on with another store.
  void begin(const telegraph& store) noexcept;

  /// As telegraph::believe, but for rounding: sums are added up in another order.
  telegraph::uptime believe(const store_view& view) noexcept;

private:
  class sums;
  std::unique_ptr<sums> sums_;
};

/// The same in whole microseconds, halves to the even neighbour, as figures are given; downtime is what
/// remains of the opening time, its bounds are these mirrored.
struct uptime_figures {
  int64_t mean = 0;
  int64_t low = 0;
  int64_t high = 0; ///< `0 <= low <= mean <= high <= open`

  friend bool operator==(const uptime_figures&, const uptime_figures&) = default;
};

/// @param open  opening time of the window, microseconds
uptime_figures round(const telegraph::uptime& belief, int64_t open) noexcept;

} // namespace storemon::estimate
