#include "storemon/estimate/measurer.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace storemon::estimate {

namespace {

const interval& span_of(const interval& i) noexcept {
  return i;
}

const interval& span_of(const session& s) noexcept {
  return s.span;
}

/// Those of an ascending list that meet a stretch, the one that begins where the stretch ends included.
template <class Span>
std::span<const Span> meeting(std::span<const Span> list, const interval& stretch) noexcept {
  const auto first = std::partition_point(list.begin(), list.end(),
                                          [&](const Span& s) { return span_of(s).to <= stretch.from; });
  auto last = list.end();
  if (first != last && span_of(last[-1]).from > stretch.to)
    last = std::partition_point(first, last, [&](const Span& s) { return span_of(s).from <= stretch.to; });
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
  // Which half it is no branch predictor guesses, so the search has no branch on it.
  const auto* begin = seen.data();
  for (auto size = seen.size(); size > 0;) {
    const auto half = (size + 1) / 2;
    begin += half * static_cast<size_t>(begin[half - 1].at() <= at);
    size -= half;
  }
  return static_cast<uint32_t>(begin - seen.data());
}

/// Histories lie scattered in memory. Asking for all of a history's cache lines at once costs one wait, not
/// one for each; further on the hardware has seen the pattern.
void prefetch(std::span<const observation> seen) noexcept {
  constexpr size_t line = 64 / sizeof(observation);
  constexpr size_t ahead_max = 64 * line;
  for (size_t i = 0; i < std::min(seen.size(), ahead_max); i += line)
    __builtin_prefetch(&seen[i]);
}

std::span<const observation> within(std::span<const observation> observations, const horizon& h) noexcept {
  auto visible = observations.first(first_after(observations, h.to));
  if (!visible.empty() && visible.front().at() < h.from)
    visible = visible.subspan(first_after(visible, h.from - duration(1)));
  return visible;
}

int64_t millionths(std::optional<double> chance) noexcept {
  return chance ? static_cast<int64_t>(std::nearbyint(*chance * 1e6)) : no_chance;
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

measurer::measurer(const report_spec& spec)
    : spec_(spec), estimator_(*find_estimator(spec.estimator)),
      weighs_behaviours_(estimator_.weighs_behaviours()),
      weights_(spec.weights ? spec.weights->by_class : equal_weights()),
      bounds_(weighs_behaviours_ ? spec.windows.size() : 0) {
  windows_ = {spec.as_of, spec.as_of + duration(1)}; // no window ends after as_of
  horizons_begin_ = spec.as_of;
  for (size_t w = 0; w < spec.windows.size(); ++w) {
    const auto h = horizon_of(spec.windows[w], spec.as_of);
    windows_.from = std::min(windows_.from, spec.windows[w].span.from);
    horizons_begin_ = std::min(horizons_begin_, h.from);
    auto same =
        std::find_if(horizons_.begin(), horizons_.end(), [&](const auto& known) { return known.seen == h; });
    if (same == horizons_.end())
      same = horizons_.insert(same, {h, {}});
    same->windows.push_back(w);
  }
}

interval measurer::needed(std::span<const observation> history) const noexcept {
  if (history.empty())
    return windows_;
  if (weighs_behaviours_) {
    auto from = windows_.from;
    for (const auto& [h, windows] : horizons_)
      if (const auto seen = within(history, h); !seen.empty())
        from = std::min(from, sessions_known_from(h, seen.front().at()) - duration(1));
    return {from, windows_.to};
  }
  return {std::min(windows_.from, std::max(horizons_begin_, history.front().at())), windows_.to};
}

std::span<const interval> measurer::open_of(const store_facts& facts) {
  if (facts.closures.empty())
    return facts.opening;
  subtract(facts.opening, facts.closures, open_);
  return open_;
}

store_view measurer::view_of(const sight& sight) const noexcept {
  return {.window = {},
          .sessions = sessions_,
          .asked = {},
          .seen = sight.seen,
          .observed_in_horizon = sight.observed,
          .begins_known_from = sight.begins_known_from};
}

std::optional<measurer::observed> measurer::observe(const store_facts& facts) {
  const auto sight = look(open_of(facts), facts.observations, horizons_.front().seen);
  if (sight.observed == 0)
    return std::nullopt;
  return observed{likelihoods_of(view_of(sight)), sight.observed};
}

measurer::outlook measurer::look_at(const store_facts& facts) {
  const auto sight = look(open_of(facts), facts.observations, horizons_.front().seen);
  outlook seen{.view = view_of(sight), .behaviour = {}};
  if (sight.observed > 0)
    seen.behaviour.emplace(likelihoods_of(seen.view), weights_);
  return seen;
}

void measurer::measure_store(const store_facts& facts, measure* out, size_t stride) {
  const auto open = open_of(facts);
  active_now_ = no_chance;
  for (const auto& [h, windows] : horizons_) {
    const auto sight = look(open, facts.observations, h);
    auto view = view_of(sight);
    if (weighs_behaviours_ && sight.observed > 0) {
      const telegraph store(likelihoods_of(view), weights_);
      believed_.begin(store);
      view.behaviour = &believed_;
      if (&h == &horizons_.front().seen)
        active_now_ = millionths(store.active_at(view, spec_.as_of));
    }
    for (const auto w : windows)
      out[w * stride] = measure_window(w, view, facts, sight);
  }
}

measurer::sight measurer::look(std::span<const interval> open, std::span<const observation> observations,
                               const horizon& h) {
  const auto within_horizon = meeting(open, {h.from, h.to});
  sight s{.seen = within(observations, h), .begins_known_from = instant::min()};
  if (weighs_behaviours_ && !s.seen.empty())
    s.begins_known_from = sessions_known_from(h, s.seen.front().at());
  prefetch(s.seen);
  sessions_.resize(within_horizon.size());
  const auto size = static_cast<uint32_t>(s.seen.size());
  uint32_t next = 0;
  for (size_t i = 0; i < within_horizon.size(); ++i) {
    const auto& span = within_horizon[i];
    const observation from(span.from, store_status::inactive);
    const observation to(span.to, store_status::inactive);
    while (next < size && s.seen[next] < from)
      ++next;
    const auto first = next;
    uint32_t active = 0;
    for (; next < size && s.seen[next] < to; ++next)
      active += s.seen[next].active();
    sessions_[i] = {span, first, next, active};
    s.observed += next - first;
    s.active += active;
  }
  if (spec_.scope == observation_scope::business)
    s.seen = keep_in_session(s.seen);
  return s;
}

std::span<const observation> measurer::keep_in_session(std::span<const observation> seen) {
  in_session_.clear();
  for (auto& s : sessions_) {
    const auto own = seen.subspan(s.first, s.last - s.first);
    s.first = static_cast<uint32_t>(in_session_.size());
    s.last = s.first + static_cast<uint32_t>(own.size());
    in_session_.insert(in_session_.end(), own.begin(), own.end());
  }
  return in_session_;
}

measure measurer::measure_window(size_t w, store_view view, const store_facts& facts, const sight& sight) {
  const auto& window = spec_.windows[w].span;
  view.window = window;
  view.asked = meeting(std::span<const session>(sessions_), window);
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
  if (weighs_behaviours_)
    bounds_[w] = known.bounds;
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
