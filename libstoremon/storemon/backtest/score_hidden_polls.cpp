#include "storemon/backtest/backtest.hpp"
#include "storemon/backtest/parallel.hpp"

#include <algorithm>

namespace storemon::backtest {

namespace {

/// A store's polls in one fold.
struct split {
  std::vector<observation> shown;
  std::vector<observation> hidden; ///< in-session ones
};

split split_of(const subject& store, instant as_of, size_t fold, size_t folds) {
  const sight whole(store.opening, store.polls, as_of);
  split made;
  made.shown.reserve(store.polls.size());
  size_t in_session = 0;
  size_t next = 0;
  for (const auto& s : whole.sessions()) {
    for (; next < s.first; ++next)
      made.shown.push_back(store.polls[next]);
    for (; next < s.last; ++next, ++in_session)
      (in_session % folds == fold ? made.hidden : made.shown).push_back(store.polls[next]);
  }
  made.shown.insert(made.shown.end(), store.polls.begin() + static_cast<ptrdiff_t>(next), store.polls.end());
  return made;
}

} // namespace

std::vector<poll_score> score_hidden_polls(const fleet& stores, std::span<const contender> contenders,
                                           size_t folds) {
  const auto count = stores.stores.size();
  const bool with_telegraph =
      std::any_of(contenders.begin(), contenders.end(), [](const auto& c) { return !c.rule(); });
  std::vector<poll_score> scores(contenders.size());
  for (size_t fold = 0; fold < folds; ++fold) {
    std::vector<split> splits(count);
    in_stretches(count, [&](size_t, size_t first, size_t last) {
      for (auto i = first; i < last; ++i)
        splits[i] = split_of(stores.stores[i], stores.as_of, fold, folds);
    });
    std::vector<sight> sights;
    sights.reserve(count);
    for (size_t i = 0; i < count; ++i)
      sights.emplace_back(stores.stores[i].opening, splits[i].shown, stores.as_of);
    const lesson learnt(sights, with_telegraph);

    std::vector<std::vector<poll_score>> parts(stretches(count), std::vector<poll_score>(contenders.size()));
    in_stretches(count, [&](size_t part, size_t first, size_t last) {
      for (auto i = first; i < last; ++i) {
        const answers of_store(sights[i], learnt, i);
        for (const auto poll : splits[i].hidden)
          for (size_t c = 0; c < contenders.size(); ++c) {
            auto& score = parts[part][c];
            if (const auto chance = of_store.chance_active(contenders[c], poll.at()))
              score.add(*chance, poll.active());
            else
              score.add_unanswered();
          }
      }
    });
    for (const auto& part : parts)
      for (size_t c = 0; c < contenders.size(); ++c)
        scores[c] += part[c];
  }
  return scores;
}

} // namespace storemon::backtest
