#pragma once

#include "storemon/model/error.hpp"
#include "storemon/model/fleet_weights.hpp"
#include "storemon/model/interval.hpp"
#include "storemon/model/store_id.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace storemon {

/// Which observations an estimator sees and how far they carry (ESTIMATORS section 3).
enum class observation_scope : uint8_t {
  session,  ///< each opening interval alone
  business, ///< all observations within opening intervals, carried over closures
  all,      ///< observations outside opening intervals too
};

std::string_view to_string(observation_scope scope) noexcept;
std::optional<observation_scope> parse_scope(std::string_view text) noexcept;

/// Which columns the CSV has.
enum class column_set : uint8_t { loop, full };

std::string_view to_string(column_set columns) noexcept;
std::optional<column_set> parse_columns(std::string_view text) noexcept;

/// A named stretch of UTC the figures are asked for.
struct window {
  std::string name;
  interval span;

  friend bool operator==(const window&, const window&) = default;
};

inline constexpr size_t custom_windows_max = 16;

/// Reads `NAME=FROM..TO`: the name of 1 to 32 of `a-z 0-9 _` and not one of the standard three, the instants
/// as in parse_instant, FROM before TO.
result<window> parse_window(std::string_view text);

/// What a client asks for.
struct report_request {
  std::string estimator = "capped_nearest";
  observation_scope scope = observation_scope::session;
  column_set columns = column_set::loop;
  bool raw_ids = false;           ///< false: ids a spreadsheet would run as a formula get a leading '
  std::optional<instant> as_of{}; ///< nothing: the newest observation over all stores
  std::vector<window> windows{};  ///< besides the standard three; only with column_set::full
};

/// Whether a request can be served at all: names known, scope fitting the estimator, windows of distinct
/// names, at most custom_windows_max of them, none ending after a given `as_of`. Estimators are checked by
/// their own room.
result<void> validate(const report_request& request);

/// A request with its "now" and all its windows, ready to be computed: the same for every shard.
struct report_spec {
  std::string estimator;
  observation_scope scope = observation_scope::session;
  instant as_of;
  std::vector<window> windows; ///< last_hour, last_day, last_week, then the custom ones
  /// For estimators that weigh behaviours; null: all weigh the same.
  std::shared_ptr<const fleet_weights> weights{};
};

/// Fixes a request's now. Fails when a custom window ends after it.
result<report_spec> resolve(const report_request& request, instant as_of);

/// The stretch whose observations an estimator sees for a window: from `min(as_of, from + 7 days) - 28 days`
/// to `as_of`, both ends included (SEMANTICS section 3).
struct horizon {
  instant from;
  instant to;

  friend bool operator==(const horizon&, const horizon&) = default;
};

horizon horizon_of(const window& w, instant as_of) noexcept;

/// What one store's data say of one window before the fleet is known; all lengths in microseconds.
struct measure {
  int64_t scheduled = 0;
  int64_t excluded = 0;
  int64_t uptime = 0;           ///< known without the fleet
  int64_t downtime = 0;         ///< known without the fleet
  int64_t imputed = 0;          ///< opening time left to imputation by the fleet's ratio, or by behaviour
  int64_t observations = 0;     ///< in-session observations with from < t <= to
  int64_t horizon_active = 0;   ///< active ones of the in-session observations of the horizon
  int64_t horizon_observed = 0; ///< in-session observations of the horizon

  friend bool operator==(const measure&, const measure&) = default;
};

/// Sums over all stores for one window; the fleet's active ratio is `active / observed`.
struct fleet_counts {
  int64_t active = 0;
  int64_t observed = 0;

  fleet_counts& operator+=(const measure& m) noexcept {
    active += m.horizon_active;
    observed += m.horizon_observed;
    return *this;
  }
};

/// The figures of one store and window, in microseconds:
/// `uptime + downtime + unknown + excluded == scheduled`, none negative.
struct figures {
  int64_t scheduled = 0;
  int64_t uptime = 0;
  int64_t downtime = 0;
  int64_t unknown = 0;
  int64_t excluded = 0;
  int64_t imputed = 0; ///< part of uptime + downtime known only by imputation
  int64_t observations = 0;

  friend bool operator==(const figures&, const figures&) = default;
};

/// Between what bounds uptime lies in nine cases of ten; microseconds.
struct uptime_bounds {
  int64_t low = 0;
  int64_t high = 0;

  friend bool operator==(const uptime_bounds&, const uptime_bounds&) = default;
};

/// In place of the probability of a store that is closed, or never was observed.
inline constexpr int64_t no_chance = -1;

/// Measures of some stores of one partition, in byte order of their ids.
struct report_columns {
  text_list stores;
  std::vector<measure> measures;       ///< windows x stores: window w of store i at `w * stores.size() + i`
  std::vector<uptime_bounds> bounds{}; ///< of estimators that weigh behaviours, as measures; else none
  /// Of the same: the probability of each store to be active at as_of, in millionths, or no_chance.
  std::vector<int64_t> active_now{};
  bool last = true; ///< whether the partition has no store after these
};

} // namespace storemon
