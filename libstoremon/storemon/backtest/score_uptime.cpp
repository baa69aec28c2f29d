#include "storemon/backtest/backtest.hpp"
#include "storemon/backtest/parallel.hpp"

#include <algorithm>

namespace storemon::backtest {

namespace {

using table = std::vector<std::vector<uptime_score>>; // windows x contenders

/// Time of the opening time of a view in which the store was really open for orders.
duration true_uptime(const estimate::store_view& view, const interval_set& active) noexcept {
  auto sum = duration::zero();
  for (const auto& s : view.asked)
    sum += overlap(active, intersect(s.span, view.window));
  return sum;
}

} // namespace

std::vector<window_scores> score_uptime(const fleet& stores, const truth& course,
                                        std::span<const contender> contenders) {
  const auto spec = resolve({}, stores.as_of);
  std::vector<window_scores> scores;
  for (const auto& w : spec->windows)
    if (w.span.from >= course.from)
      scores.push_back({w, std::vector<uptime_score>(contenders.size())});

  std::vector<sight> sights;
  sights.reserve(stores.stores.size());
  for (const auto& s : stores.stores)
    sights.emplace_back(s.opening, s.polls, stores.as_of);
  const bool with_telegraph =
      std::any_of(contenders.begin(), contenders.end(), [](const auto& c) { return !c.rule(); });
  const lesson learnt(sights, with_telegraph);

  std::vector<table> parts(stretches(sights.size()),
                           table(scores.size(), std::vector<uptime_score>(contenders.size())));
  in_stretches(sights.size(), [&](size_t part, size_t first, size_t last) {
    std::vector<std::optional<claim>> claims(contenders.size());
    for (auto i = first; i < last; ++i) {
      const answers of_store(sights[i], learnt, i);
      for (size_t w = 0; w < scores.size(); ++w) {
        const auto view = sights[i].view(scores[w].asked.span);
        if (view.open == 0)
          continue;
        const auto open = static_cast<double>(view.open);
        const auto uptime = static_cast<double>(true_uptime(view, course.active[i]).count());
        for (size_t c = 0; c < contenders.size(); ++c)
          claims[c] = of_store.uptime(contenders[c], view);
        const bool by_all = std::all_of(claims.begin(), claims.end(),
                                        [](const auto& claimed) { return claimed.has_value(); });
        for (size_t c = 0; c < contenders.size(); ++c)
          if (claims[c])
            parts[part][w][c].add(*claims[c], uptime, open, by_all);
          else
            parts[part][w][c].add_unanswered();
      }
    }
  });
  for (const auto& part : parts)
    for (size_t w = 0; w < scores.size(); ++w)
      for (size_t c = 0; c < contenders.size(); ++c)
        scores[w].of[c] += part[w][c];
  return scores;
}

} // namespace storemon::backtest
