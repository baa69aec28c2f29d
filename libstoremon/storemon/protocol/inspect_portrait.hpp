#pragma once

#include "storemon/protocol/inspect.hpp"
#include "storemon/protocol/portrait.hpp"

#include <string>
#include <vector>

/// How portraits and timelines travel between nodes.
namespace storemon {

template <class Inspector>
auto inspect(Inspector& f, figures& x) {
  return f(caf::meta::type_name("figures"), x.scheduled, x.uptime, x.downtime, x.unknown, x.excluded,
           x.imputed, x.observations);
}

template <class Inspector>
auto inspect(Inspector& f, uptime_bounds& x) {
  return f(caf::meta::type_name("uptime_bounds"), x.low, x.high);
}

} // namespace storemon

namespace storemon::protocol {

template <class Inspector>
auto inspect(Inspector& f, store_habits& x) {
  return f(caf::meta::type_name("store_habits"), x.failures_per_day, x.mean_outage, x.active_at_opening);
}

template <class Inspector>
auto inspect(Inspector& f, window_figures& x) {
  return f(caf::meta::type_name("window_figures"), x.asked, x.is, x.uptime, x.observed_share);
}

template <class Inspector>
auto inspect(Inspector& f, store_portrait& x) {
  auto as_of = to_wire(x.as_of);
  bool observed = x.habits.has_value();
  auto habits = x.habits.value_or(store_habits());
  return inspect_as(
      f, "store_portrait",
      [&] {
        x.as_of = from_wire(as_of);
        x.habits = observed ? std::optional(habits) : std::nullopt;
        return caf::error();
      },
      as_of, x.card, x.in_force, x.open_now, x.active_now, x.figures, observed, habits, x.fleet, x.weights);
}

namespace portrait_wire {

/// Stretches as three integers each.
inline std::string stretches_to_block(const std::vector<timeline_stretch>& stretches) {
  std::vector<int64_t> flat;
  flat.reserve(stretches.size() * 3);
  for (const auto& s : stretches)
    flat.insert(flat.end(), {to_wire(s.span.from), to_wire(s.span.to), static_cast<int64_t>(s.state)});
  return to_block(flat);
}

inline caf::error stretches_from_block(const std::string& block, std::vector<timeline_stretch>& stretches) {
  std::vector<int64_t> flat;
  if (auto e = from_block(block, flat))
    return e;
  if (flat.size() % 3 != 0)
    return malformed("stretches come in threes");
  stretches.clear();
  for (size_t i = 0; i < flat.size(); i += 3) {
    if (flat[i + 2] < 0 || flat[i + 2] > static_cast<int64_t>(stretch_state::unknown))
      return malformed("unknown state of a stretch");
    stretches.push_back(
        {{from_wire(flat[i]), from_wire(flat[i + 1])}, static_cast<stretch_state>(flat[i + 2])});
  }
  return {};
}

} // namespace portrait_wire

template <class Inspector>
auto inspect(Inspector& f, store_timeline& x) {
  static_assert(sizeof(chance_at) == 2 * sizeof(int64_t));
  auto as_of = to_wire(x.as_of);
  std::string seen(reinterpret_cast<const char*>(x.observations.data()),
                   x.observations.size() * sizeof(observation));
  auto stretches = portrait_wire::stretches_to_block(x.stretches);
  std::string curve(reinterpret_cast<const char*>(x.curve.data()), x.curve.size() * sizeof(chance_at));
  return inspect_as(
      f, "store_timeline",
      [&] {
        x.as_of = from_wire(as_of);
        if (auto e = from_block(seen, x.observations))
          return e;
        if (auto e = portrait_wire::stretches_from_block(stretches, x.stretches))
          return e;
        return from_block(curve, x.curve);
      },
      as_of, x.span, x.opening, x.closures, seen, stretches, curve, x.weights);
}

} // namespace storemon::protocol
