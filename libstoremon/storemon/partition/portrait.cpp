#include "storemon/partition/portrait.hpp"

#include "storemon/estimate/exact.hpp"
#include "storemon/partition/opening.hpp"

#include <algorithm>
#include <cmath>

namespace storemon::partition {

using namespace protocol;

namespace {

bool contains(const interval_set& set, instant at) {
  return std::any_of(set.begin(), set.end(), [at](const interval& i) { return i.contains(at); });
}

int64_t in_millionths(double value) {
  return static_cast<int64_t>(std::nearbyint(value * 1e6));
}

store_habits habits_of(const estimate::telegraph& behaviour) {
  const auto h = behaviour.describe();
  return {in_millionths(h.failures_per_day), in_millionths(h.mean_outage),
          in_millionths(h.active_at_opening)};
}

int64_t observed_share(const figures& f) {
  const auto open = f.scheduled - f.excluded;
  if (open == 0)
    return no_chance;
  return estimate::divide_half_even(static_cast<estimate::uint128>(open - f.imputed - f.unknown) * 1'000'000,
                                    static_cast<estimate::uint128>(open));
}

} // namespace

result<const store*> store_asked_about(const partition_data& data, std::string_view id,
                                       const report_spec& spec) {
  const auto* estimator = estimate::find_estimator(spec.estimator);
  if (!estimator || !estimator->weighs_behaviours() || spec.windows.empty())
    return error{errc::invalid_argument, "stores are shown in a window, by an estimator of behaviours"};
  if (const auto* s = data.find(id))
    return s;
  return error{errc::not_found, "nothing is known of such a store"};
}

hours_version hours_in_force(const store& s, std::chrono::local_days on) {
  const auto later =
      std::upper_bound(s.hours.begin(), s.hours.end(), on,
                       [](std::chrono::local_days date, const auto& v) { return date < v.valid_from; });
  return later == s.hours.begin() ? hours_version() : later[-1];
}

result<store_portrait> portrait_of(const partition_data& data, std::string_view id, const report_spec& spec) {
  const auto found = store_asked_about(data, id, spec);
  if (!found)
    return found.error();
  const auto& s = **found;
  const auto& zone = s.zone_in_force();
  const auto& estimator = *estimate::find_estimator(spec.estimator);
  estimate::measurer measurer(spec);
  interval_set opening;
  opening_intervals(s.hours, zone, measurer.needed(s.observations), opening);
  const estimate::store_facts facts{opening, s.closures, s.observations};
  std::vector<measure> measures(spec.windows.size());
  measurer.measure_store(facts, measures.data(), 1);

  store_portrait portrait;
  portrait.as_of = spec.as_of;
  portrait.card = data.card(id, spec.as_of);
  portrait.in_force = hours_in_force(s, std::chrono::floor<std::chrono::days>(zone.to_wall(spec.as_of)));
  portrait.open_now = contains(opening, spec.as_of) && !contains(s.closures, spec.as_of);
  portrait.active_now = measurer.active_now();
  for (size_t w = 0; w < measures.size(); ++w) {
    const auto is = estimator.settle(measures[w], {});
    portrait.figures.push_back({spec.windows[w], is, measurer.bounds()[w], observed_share(is)});
  }
  if (const auto seen = measurer.look_at(facts); seen.behaviour)
    portrait.habits = habits_of(*seen.behaviour);
  const auto weights = spec.weights ? *spec.weights : fleet_weights();
  portrait.fleet = habits_of(estimate::telegraph(weights.by_class));
  portrait.weights = weights.label;
  return portrait;
}

} // namespace storemon::partition
