#pragma once

#include "storemon/model/business_hours.hpp"
#include "storemon/model/error.hpp"
#include "storemon/model/interval.hpp"
#include "storemon/model/observation.hpp"
#include "storemon/model/store_id.hpp"
#include "storemon/synth/outage.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace storemon::synth {

/// What a synthetic fleet is made from; equal options make equal fleets, on any machine with the same tz
/// rules.
struct fleet_options {
  uint32_t stores = 14'000;
  uint32_t days = 8;
  double polls_per_hour = 1;
  uint64_t seed = 1;
  outage_law outages = outage_law::exponential;
  bool holes = true;          ///< whether the poller fails at times
  bool ignores_hours = false; ///< whether stores go up and down with no regard to their hours
  double lost = 0;            ///< share of the polls that are lost, each for itself
};

inline constexpr uint32_t stores_max = 1'000'000;
inline constexpr uint32_t days_max = 100;
inline constexpr double polls_per_hour_min = 0.01;
inline constexpr double polls_per_hour_max = 60;
inline constexpr double lost_max = 0.99;
/// All polls are held at once, to be shuffled: 8 bytes each.
inline constexpr double polls_max = 200e6;

/// Whether the options are within the limits above.
result<void> validate(const fleet_options& options);

/// The newest poll of every fleet is at exactly this instant: that of the real feed.
inline constexpr instant data_end = std::chrono::sys_days(std::chrono::January / 25 / 2023) +
                                    std::chrono::hours(18) + std::chrono::minutes(13) +
                                    std::chrono::seconds(22);

/// One poll of one store in eight bytes: 43 bits of microseconds since the fleet's begin (101 days), 20 bits
/// of store, one of status.
class packed_poll {
public:
  packed_poll(uint32_t store, duration since_begin, bool active) noexcept
      : bits_(static_cast<uint64_t>(since_begin.count()) << 21 | static_cast<uint64_t>(store) << 1 |
              static_cast<uint64_t>(active)) {}

  uint32_t store() const noexcept { return static_cast<uint32_t>(bits_ >> 1 & 0xfffff); }

  duration since_begin() const noexcept { return duration(static_cast<int64_t>(bits_ >> 21)); }

  bool active() const noexcept { return (bits_ & 1) != 0; }

private:
  uint64_t bits_;
};

/// A value that belongs to a store, which is an index into fleet::ids.
template <class T>
struct of_store {
  uint32_t store = 0;
  T value;
};

/// A fleet and what is known of it, in random order, and beside that the truth.
struct fleet {
  interval span; ///< polls are in [from, to], the newest at `to` == data_end
  text_list ids; ///< distinct decimal numbers of 15 to 19 digits
  std::vector<packed_poll> polls;
  std::vector<of_store<hours_row>> hours;        ///< about 18 % of the stores have none
  std::vector<of_store<std::string_view>> zones; ///< about 3 % of the stores have none
  interval_set holes;                            ///< stretches in which no store was polled
  /// When each store was open for orders: within its opening intervals and `span`; by store, then ascending.
  std::vector<of_store<interval>> truth;

  instant at(const packed_poll& poll) const noexcept { return span.from + poll.since_begin(); }
};

/// Draws a fleet.
///
/// - Each store, while it should be open, follows a hidden two-state process: up for an exponential time of
///   mean 4 to 100 h, out for one of mean 15 min to 20 h that fleet_options::outages spreads (both means the
///   store's own, every doubling equally likely), and up at an opening with the store's own probability of 50
///   to 99.9 %. So restless that the estimators err on it about as ESTIMATORS section 5 finds them to on a
///   fleet like the real one. A store without hours is always open, one without a zone is in
///   zone::fallback().
/// - Within its opening intervals a poll sees that process. Outside them it sees `inactive`, but for one
/// store
///   in ten which leaves its tablet on and is always seen `active`: a closed store takes no orders, and an
///   estimator that listens to polls outside business hours should be found out. (The polls of the real
///   sample are active at all hours.) Where stores ignore their hours the process goes on around the clock,
///   and so does what polls see of it; the truth is still asked for opening time only.
/// - A store is polled around the clock, about `polls_per_hour` times an hour, with a period (±5 %) and a
///   jitter (5 to 45 % of it) of its own, in microseconds, though never at a tenth of a second: as in the
///   real feed a fraction has two to six digits, or there is none.
/// - The poller itself fails: a hole of 10 to 90 minutes each day, and one of 4 to 36 h each two days; never
///   in the newest two hours. Polls that are lost besides leave all others as they were; the newest is not.
/// @returns errc::invalid_argument when the options break a limit.
result<fleet> generate(const fleet_options& options);

} // namespace storemon::synth
