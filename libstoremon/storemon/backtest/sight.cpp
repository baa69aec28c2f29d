#include "storemon/backtest/sight.hpp"

#include "storemon/estimate/class_likelihoods.hpp"

#include <algorithm>

namespace storemon::backtest {

using estimate::session;
using estimate::store_view;

sight::sight(std::span<const interval> opening, std::span<const observation> polls, instant as_of)
    : polls_(polls) {
  using std::chrono::days;
  sessions_.reserve(opening.size());
  uint32_t next = 0;
  for (const auto& span : opening) {
    while (next < polls.size() && polls[next].at() < span.from)
      ++next;
    session s{span, next, next, 0};
    for (; next < polls.size() && polls[next].at() < span.to; ++next)
      s.active += polls[next].active();
    s.last = next;
    counts_.observed += s.last - s.first;
    counts_.active += s.active;
    sessions_.push_back(s);
  }
  begins_known_from_ =
      estimate::sessions_known_from({as_of - days(28), as_of}, polls.empty() ? as_of : polls.front().at());
}

store_view sight::view(const interval& window) const noexcept {
  const auto first = std::partition_point(sessions_.begin(), sessions_.end(),
                                          [&](const session& s) { return s.span.to <= window.from; });
  const auto last = std::partition_point(first, sessions_.end(),
                                         [&](const session& s) { return s.span.from <= window.to; });
  store_view v{.window = window,
               .sessions = sessions_,
               .asked = {first, last},
               .seen = polls_,
               .observed_in_horizon = counts_.observed,
               .begins_known_from = begins_known_from_};
  for (const auto& s : v.asked) {
    v.open += intersect(s.span, window).length().count();
    const auto own = polls_.subspan(s.first, s.last - s.first);
    const auto begin = std::partition_point(
        own.begin(), own.end(), [&](observation o) { return o.at() < s.span.from || o.at() <= window.from; });
    const auto end =
        std::partition_point(begin, own.end(), [&](observation o) { return o.at() <= window.to; });
    if (&s == &v.asked.front())
      v.first_in_window = s.first + static_cast<uint32_t>(begin - own.begin());
    v.observed_in_window += end - begin;
    v.active_in_window += std::count_if(begin, end, [](observation o) { return o.active(); });
  }
  return v;
}

} // namespace storemon::backtest
