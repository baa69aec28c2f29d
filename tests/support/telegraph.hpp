#pragma once

#include "storemon/estimate/class_likelihoods.hpp"
#include "support/instants.hpp"

#include <vector>

namespace storemon::test {

/// A store as estimators are shown it, made in the plainest way.
class telegraph_store {
public:
  interval_set opening;
  std::vector<observation> observations; ///< ascending
  instant as_of;

  telegraph_store(interval_set open, std::vector<observation> polls, instant now)
      : opening(std::move(open)), observations(std::move(polls)), as_of(now) {
    for (const auto& span : opening) {
      estimate::session s{span, index_of(span.from), index_of(span.to), 0};
      for (auto i = s.first; i < s.last; ++i)
        s.active += observations[i].active();
      sessions_.push_back(s);
    }
  }

  interval last(duration length) const { return {as_of - length, as_of}; }

  estimate::store_view view(const interval& window) const {
    estimate::store_view v{.window = window, .sessions = sessions_, .asked = {}, .seen = observations};
    auto first = sessions_.begin();
    while (first != sessions_.end() && first->span.to <= window.from)
      ++first;
    auto last = first;
    for (; last != sessions_.end() && last->span.from <= window.to; ++last)
      v.open += intersect(last->span, window).length().count();
    v.asked = {first, last};
    if (first != last)
      v.first_in_window = std::min(first->last, std::max(first->first, index_of(window.from + duration(1))));
    for (const auto& s : sessions_)
      v.observed_in_horizon += s.last - s.first;
    const auto first_seen = observations.empty() ? as_of : observations.front().at();
    v.begins_known_from = estimate::sessions_known_from({as_of - std::chrono::days(28), as_of}, first_seen);
    return v;
  }

private:
  /// Of the first observation not before an instant.
  uint32_t index_of(instant at) const {
    uint32_t i = 0;
    while (i < observations.size() && observations[i].at() < at)
      ++i;
    return i;
  }

  std::vector<estimate::session> sessions_;
};

} // namespace storemon::test
