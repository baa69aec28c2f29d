#include "storemon/partition/timeline.hpp"

#include "storemon/estimate/estimators.hpp"
#include "storemon/partition/opening.hpp"

#include <algorithm>
#include <cmath>

namespace storemon::partition {

using namespace protocol;

namespace {

constexpr int64_t certain = 1'000'000;

/// The parts of a set that lie in a span.
interval_set cut(std::span<const interval> set, const interval& span) {
  interval_set inside;
  for (const auto& i : set)
    if (const auto part = intersect(i, span); !part.empty())
      inside.push_back(part);
  return inside;
}

/// Those of ascending observations with `span.from <= t <= span.to`.
std::span<const observation> within(std::span<const observation> seen, const interval& span) {
  const auto first =
      std::partition_point(seen.begin(), seen.end(), [&](observation o) { return o.at() < span.from; });
  const auto last = std::partition_point(first, seen.end(), [&](observation o) { return o.at() <= span.to; });
  return {first, last};
}

std::span<const observation> own(const estimate::store_view& view, const estimate::session& s) {
  return view.seen.subspan(s.first, s.last - s.first);
}

/// Appends a stretch, cut to the span, and joined to the last where it goes on.
void add(interval stretch, stretch_state state, const interval& span, std::vector<timeline_stretch>& to) {
  stretch = intersect(stretch, span);
  if (stretch.empty())
    return;
  if (!to.empty() && to.back().state == state && to.back().span.to == stretch.from)
    to.back().span.to = stretch.to;
  else
    to.push_back({stretch, state});
}

} // namespace

std::vector<timeline_stretch> stretches_of(const estimate::store_view& view, const interval& span) {
  constexpr auto reach = estimate::observation_reach;
  std::vector<timeline_stretch> stretches;
  for (const auto& s : view.sessions) {
    if (intersect(s.span, span).empty())
      continue;
    const auto seen = own(view, s);
    auto told_to = s.span.from;
    auto nearest_from = s.span.from; // where the present observation is the nearest
    for (size_t i = 0; i < seen.size(); ++i) {
      const auto at = seen[i].at();
      const auto nearest_to = i + 1 < seen.size() ? at + (seen[i + 1].at() - at) / 2 : s.span.to;
      const auto reached = intersect({nearest_from, nearest_to}, {at - reach, at + reach});
      add({told_to, reached.from}, stretch_state::unknown, span, stretches);
      add(reached, seen[i].active() ? stretch_state::up : stretch_state::down, span, stretches);
      told_to = reached.to;
      nearest_from = nearest_to;
    }
    add({told_to, s.span.to}, stretch_state::unknown, span, stretches);
  }
  return stretches;
}

std::vector<chance_at> curve_of(const estimate::store_view& view, const estimate::telegraph& behaviour,
                                const interval& span) {
  const auto step = std::max(curve_step_min, span.length() / curve_points);
  std::vector<chance_at> curve;
  for (const auto& s : view.sessions) {
    const auto part = intersect(s.span, span);
    if (part.empty())
      continue;
    const auto seen = within(own(view, s), part);
    auto next = seen.begin();
    const auto draw_to = [&](instant at) {
      for (; next != seen.end() && next->at() <= at; ++next)
        curve.push_back({next->at(), next->active() ? certain : 0});
      if (!curve.empty() && curve.back().at == at)
        return;
      // A session's begin belongs to none.
      const auto chance = behaviour.active_at(view, std::max(at, s.span.from + duration(1)));
      curve.push_back({at, static_cast<int64_t>(std::nearbyint(*chance * 1e6))});
    };
    draw_to(part.from);
    for (auto at = span.from + ((part.from - span.from) / step + 1) * step; at < part.to; at += step)
      draw_to(at);
    draw_to(part.to);
  }
  return curve;
}

result<store_timeline> timeline_of(const partition_data& data, std::string_view id, const report_spec& spec) {
  const auto found = store_asked_about(data, id, spec);
  if (!found)
    return found.error();
  const auto& s = **found;
  const auto& span = spec.windows.front().span;
  const interval known{span.from, std::min(span.to, spec.as_of)};
  const auto observations = within(s.observations, known);
  if (observations.size() > timeline_observations_max)
    return error{errc::too_large, std::to_string(observations.size()) +
                                      " observations lie in the span, more than the " +
                                      std::to_string(timeline_observations_max) +
                                      " that are shown at once; ask for a shorter one"};
  estimate::measurer measurer(spec);
  const auto needed = measurer.needed(s.observations);
  interval_set opening;
  opening_intervals(s.hours, s.zone_in_force(), {needed.from, std::max(needed.to, span.to)}, opening);
  const auto seen = measurer.look_at({opening, s.closures, s.observations});

  store_timeline timeline;
  timeline.as_of = spec.as_of;
  timeline.span = span;
  timeline.opening = cut(opening, span);
  timeline.closures = cut(s.closures, span);
  timeline.observations.assign(observations.begin(), observations.end());
  timeline.stretches = stretches_of(seen.view, known);
  if (seen.behaviour)
    timeline.curve = curve_of(seen.view, *seen.behaviour, known);
  if (spec.weights)
    timeline.weights = spec.weights->label;
  return timeline;
}

} // namespace storemon::partition
