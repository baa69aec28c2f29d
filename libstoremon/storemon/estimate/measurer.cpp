#include "storemon/estimate/measurer.hpp"

#include <algorithm>
#include <utility>

namespace storemon::estimate {

namespace {

std::span<const session> meeting(std::span<const session> sessions, const interval& window) noexcept {
  const auto first = std::partition_point(sessions.begin(), sessions.end(),
                                          [&](const session& s) { return s.span.to <= window.from; });
  auto last = sessions.end();
  if (first != last && last[-1].span.from > window.to)
    last = std::partition_point(first, last, [&](const session& s) { return s.span.from <= window.to; });
  return {first, last};
}

int64_t count_active(std::span<const observation> seen) noexcept {
  int64_t active = 0;
  for (const auto o : seen)
    active += o.active();
  return active;
}

/// Index of the first observation later than `at`. The ends are asked first, here and below: most windows and
/// horizons end with the data, and a search through a history that is not yet in the cache costs more than
/// all that follows.
uint32_t first_after(std::span<const observation> seen, instant at) noexcept {
  if (seen.empty() || seen.back().at() <= at)
    return static_cast<uint32_t>(seen.size());
  const auto found =
      std::partition_point(seen.begin(), seen.end(), [&](const observation& o) { return o.at() <= at; });
  return static_cast<uint32_t>(found - seen.begin());
}

std::span<const observation> within(std::span<const observation> observations, const horizon& h) noexcept {
  auto visible = observations.first(first_after(observations, h.to));
  if (!visible.empty() && visible.front().at() < h.from)
    visible = visible.subspan(first_after(visible, h.from - duration(1)));
  return visible;
}

/// The session's observations with from < t <= to.
std::pair<uint32_t, uint32_t> in_window(const session& s, std::span<const observation> seen,
                                        const interval& window) noexcept {
  const auto own = seen.subspan(s.first, s.last - s.first);
  const auto begin = s.span.from > window.from ? 0 : first_after(own, window.from);
  const auto end = s.span.to <= window.to ? s.last - s.first : first_after(own, window.to);
  return {s.first + begin, s.first + end};
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
      out[w * stride] = measure_window(spec_.windows[w].span, facts, sight);
  }
}

measurer::sight measurer::look(std::span<const interval> open, std::span<const observation> observations,
                               const horizon& h) {
  const bool compact = spec_.scope == observation_scope::business;
  const auto visible = within(observations, h);
  sight s{visible, 0, 0};
  sessions_.clear();
  in_session_.clear();
  auto span =
      std::partition_point(open.begin(), open.end(), [&](const interval& i) { return i.to <= h.from; });
  auto next = visible.begin();
  for (; span != open.end() && span->from <= h.to; ++span) {
    // One pass whose only branch is the session's end: what is before the session is counted, not sought.
    ptrdiff_t before = 0;
    uint32_t active = 0;
    const auto start = next;
    for (; next != visible.end() && next->at() < span->to; ++next) {
      const bool outside = next->at() < span->from;
      before += outside;
      active += !outside & next->active();
    }
    const auto first = start + before;
    const auto index = static_cast<uint32_t>(compact ? s.observed : first - visible.begin());
    sessions_.push_back({*span, index, index + static_cast<uint32_t>(next - first), active});
    s.observed += next - first;
    s.active += active;
    if (compact)
      in_session_.insert(in_session_.end(), first, next);
  }
  if (compact)
    s.seen = in_session_;
  return s;
}

measure measurer::measure_window(const interval& window, const store_facts& facts, const sight& sight) const {
  store_view view{window, sessions_, meeting(sessions_, window), sight.seen, 0, 0, 0, 0, sight.observed};
  for (const auto& s : view.asked) {
    view.open += intersect(s.span, window).length().count();
    const auto [begin, end] = in_window(s, sight.seen, window);
    if (&s == &view.asked.front())
      view.first_in_window = begin;
    view.observed_in_window += end - begin;
    view.active_in_window +=
        end - begin == s.last - s.first ? s.active : count_active(sight.seen.subspan(begin, end - begin));
  }
  const auto known = estimator_.judge(view, spec_.scope);
  measure m;
  m.scheduled = facts.closures.empty() ? view.open : overlap(facts.opening, window).count();
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
