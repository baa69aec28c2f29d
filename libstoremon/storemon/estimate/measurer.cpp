#include "storemon/estimate/measurer.hpp"

#include "storemon/estimate/gap_walk.hpp"

#include <algorithm>

namespace storemon::estimate {

namespace {

int64_t count_active(std::span<const observation> seen) noexcept {
  int64_t active = 0;
  for (const auto o : seen)
    active += o.active();
  return active;
}

/// Index of the first observation later than `at`.
uint32_t first_after(std::span<const observation> seen, instant at) noexcept {
  const auto found =
      std::partition_point(seen.begin(), seen.end(), [&](const observation& o) { return o.at() <= at; });
  return static_cast<uint32_t>(found - seen.begin());
}

std::span<const observation> within(std::span<const observation> observations, const horizon& h) noexcept {
  const auto first = std::partition_point(observations.begin(), observations.end(),
                                          [&](const observation& o) { return o.at() < h.from; });
  const auto last =
      std::partition_point(first, observations.end(), [&](const observation& o) { return o.at() <= h.to; });
  return {first, last};
}

} // namespace

measurer::measurer(const report_spec& spec) : spec_(spec), estimator_(*find_estimator(spec.estimator)) {
  covers_ = {spec.as_of, spec.as_of + duration(1)};
  for (size_t w = 0; w < spec.windows.size(); ++w) {
    const auto h = horizon_of(spec.windows[w], spec.as_of);
    // A horizon begins before its window, and no window ends after as_of.
    covers_.from = std::min(covers_.from, h.from);
    auto same =
        std::find_if(horizons_.begin(), horizons_.end(), [&](const auto& known) { return known.seen == h; });
    if (same == horizons_.end())
      same = horizons_.insert(same, {h, {}});
    same->windows.push_back(w);
  }
}

void measurer::measure_store(const store_facts& facts, measure* out, size_t stride) {
  auto open = facts.opening;
  if (!facts.closures.empty()) {
    subtract(facts.opening, facts.closures, open_);
    open = open_;
  }
  for (const auto& [h, windows] : horizons_) {
    const auto sight = look(open, facts.observations, h);
    for (const auto w : windows)
      out[w * stride] = measure_window(spec_.windows[w].span, facts.opening, sight);
  }
}

measurer::sight measurer::look(std::span<const interval> open, std::span<const observation> observations,
                               const horizon& h) {
  const bool compact = spec_.scope == observation_scope::business;
  const auto visible = within(observations, h);
  sight s{visible, 0, 0};
  sessions_.clear();
  in_session_.clear();
  auto next = visible.begin();
  auto span =
      std::partition_point(open.begin(), open.end(), [&](const interval& i) { return i.to <= h.from; });
  for (; span != open.end() && span->from <= h.to; ++span) {
    while (next != visible.end() && next->at() < span->from)
      ++next;
    const auto first = next;
    for (; next != visible.end() && next->at() < span->to; ++next)
      s.active += next->active();
    const auto begin = compact ? s.observed : first - visible.begin();
    s.observed += next - first;
    sessions_.push_back({*span, static_cast<uint32_t>(begin), static_cast<uint32_t>(begin + (next - first))});
    if (compact)
      in_session_.insert(in_session_.end(), first, next);
  }
  if (compact)
    s.seen = in_session_;
  return s;
}

measure measurer::measure_window(const interval& window, std::span<const interval> opening,
                                 const sight& sight) const {
  store_view view{window, sessions_, sight.seen, 0, 0, 0, sight.observed};
  const auto first = first_after(sight.seen, window.from);
  const auto last = first_after(sight.seen, window.to);
  for (const auto& s : meeting(sessions_, window)) {
    view.open += intersect(s.span, window).length().count();
    const auto begin = std::max(s.first, first);
    const auto end = std::min(s.last, last);
    if (begin < end) {
      view.observed_in_window += end - begin;
      view.active_in_window += count_active(sight.seen.subspan(begin, end - begin));
    }
  }
  const auto known = estimator_.judge(view, spec_.scope);
  measure m;
  m.scheduled = overlap(opening, window).count();
  m.excluded = m.scheduled - view.open;
  m.uptime = known.uptime;
  m.downtime = known.downtime;
  m.imputed = known.imputed;
  m.observations = view.observed_in_window;
  m.horizon_active = sight.active;
  m.horizon_observed = sight.observed;
  return m;
}

} // namespace storemon::estimate
