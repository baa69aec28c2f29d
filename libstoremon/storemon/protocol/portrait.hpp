#pragma once

#include "storemon/model/interval.hpp"
#include "storemon/model/observation.hpp"
#include "storemon/model/report.hpp"
#include "storemon/protocol/messages.hpp"

#include <cstdint>
#include <optional>
#include <vector>

/// All there is to say of one store: how it is, and how it was.
namespace storemon::protocol {

/// What is asked of one store.
struct store_question {
  std::optional<instant> as_of{}; ///< nothing: the newest observation over all stores, as reports have it
  std::optional<instant> from{};  ///< of timelines; nothing: 24 hours before the end
  std::optional<instant> to{}; ///< likewise; nothing: as_of, or 24 hours after `from` where that is earlier
};

/// How a store, or the whole fleet, fares in the long run.
struct store_habits {
  int64_t failures_per_day = 0;  ///< outages begun in 24 hours of opening time; in millionths
  int64_t mean_outage = 0;       ///< opening time; microseconds
  int64_t active_at_opening = 0; ///< probability, in millionths

  friend bool operator==(const store_habits&, const store_habits&) = default;
};

/// What a report of telegraph says of one store and window.
struct window_figures {
  window asked;
  figures is;
  uptime_bounds uptime; ///< means nothing where the store has no habits
  int64_t observed_share =
      no_chance; ///< of the opening time; in millionths, or no_chance where there is none

  friend bool operator==(const window_figures&, const window_figures&) = default;
};

/// How one store is as of an instant.
struct store_portrait {
  instant as_of;
  store_card card;                     ///< of a store that is known; of its polls those up to as_of
  hours_version in_force;              ///< on the store's local date; no rows: open 24x7
  bool open_now = false;               ///< within business hours, and not closed by plan
  int64_t active_now = no_chance;      ///< probability in millionths, or no_chance
  std::vector<window_figures> figures; ///< of the windows asked about, by telegraph
  std::optional<store_habits> habits;  ///< nothing where the horizon shows no in-session observation
  store_habits fleet;                  ///< what the weights alone say
  weights_label weights;
};

/// What is believed of a stretch of opening time.
enum class stretch_state : uint8_t { down, up, unknown };

struct timeline_stretch {
  interval span;
  stretch_state state = stretch_state::unknown;

  friend bool operator==(const timeline_stretch&, const timeline_stretch&) = default;
};

/// A point of a curve.
struct chance_at {
  instant at;
  int64_t active = 0; ///< probability, in millionths

  friend bool operator==(const chance_at&, const chance_at&) = default;
};

/// How one store was in a span of time. All of it lies within the span.
struct store_timeline {
  instant as_of;
  interval span;
  interval_set opening;                  ///< business hours
  interval_set closures;                 ///< planned
  std::vector<observation> observations; ///< not after as_of; those outside of business hours too
  /// Covers the opening time without planned closures, up to as_of; ascending, and neighbours differ.
  std::vector<timeline_stretch> stretches;
  /// Probability to be active, ascending, at instants of the same time and at its ends, dense enough to be
  /// drawn as straight lines; not from one stretch of that time to the next. None where nothing was observed.
  std::vector<chance_at> curve;
  weights_label weights;
};

} // namespace storemon::protocol
