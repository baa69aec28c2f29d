#pragma once

#include "storemon/estimate/telegraph.hpp"
#include "storemon/partition/portrait.hpp"
#include "storemon/protocol/portrait.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace storemon::partition {

/// Observations in one timeline: bounds the size of a message and of an answer.
inline constexpr size_t timeline_observations_max = 50'000;

/// Points of a curve besides observations and ends of sessions, where the span is long enough: as many as a
/// screen shows.
inline constexpr int64_t curve_points = 400;

/// No two of them are nearer than this.
inline constexpr duration curve_step_min = std::chrono::minutes(1);

/// How a store was in the spec's first window, as of its "now"; the window may end after it. Fails as
/// store_asked_about, and with too_large where more than timeline_observations_max lie in it.
result<protocol::store_timeline> timeline_of(const partition_data& data, std::string_view id,
                                             const report_spec& spec);

/// What stretches of a span's sessions are taken for: what the nearest observation of the session says, as
/// far as it reaches (estimate::observation_reach); the instant in the middle of a gap belongs to the later.
/// So the lengths are what capped_nearest knows and what it imputes.
std::vector<protocol::timeline_stretch> stretches_of(const estimate::store_view& view, const interval& span);

/// Probability to be active in a span's sessions, at an opening the one just after it; exactly 0 or 1 where
/// an observation is.
std::vector<protocol::chance_at> curve_of(const estimate::store_view& view,
                                          const estimate::telegraph& behaviour, const interval& span);

} // namespace storemon::partition
