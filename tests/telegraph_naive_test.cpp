/// The telegraph model against one that knows no formula: it lets every chain run in steps of a second or
/// less, carries probability, mean and mean square of the active time through them, and weighs the classes by
/// what the polls make of them.
#include "storemon/estimate/telegraph.hpp"
#include "support/telegraph.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <random>

namespace {

using namespace storemon;
using namespace storemon::estimate;
using namespace std::chrono_literals;
using test::telegraph_store;

/// Of the paths that have come to a state and explain all polls so far: their probability, and over it the
/// active time, its square, and whether they were active at the instant asked about.
struct paths {
  double probability = 0;
  double active = 0;
  double square = 0;
  double active_then = 0;

  paths& operator+=(const paths& o) {
    probability += o.probability;
    active += o.active;
    square += o.square;
    active_then += o.active_then;
    return *this;
  }

  /// Those that take a transition of that probability and are active for `time` more.
  paths moved(double chance, double time) const {
    return {chance * probability, chance * (active + time * probability),
            chance * (square + 2 * time * active + time * time * probability), chance * active_then};
  }
};

struct answer {
  double log_likelihood = 0;
  double mean = 0;
  double variance = 0;
  double active_then = 0;
};

/// One class of the grid.
class naive {
public:
  naive(const telegraph_store& store, size_t c) : store_(store) {
    failing_ = 1 / (4 * 3600 * std::pow(3, static_cast<double>(c / 28)));
    recovering_ = 12 / (3600 * std::pow(3, static_cast<double>(c / 4 % 7)));
    opening_ = std::array{0.05, 0.35, 0.65, 0.95}[c % 4];
  }

  answer ask(const interval& window, instant then, instant always_open_before) const {
    answer all;
    for (const auto& span : store_.opening) {
      const double share = recovering_ / (failing_ + recovering_);
      const double first = span.from < always_open_before ? share : opening_;
      std::array<paths, 2> now{paths{.probability = 1 - first}, paths{.probability = first}};
      // Before anything is seen or asked an always open store is in its long run.
      auto at = span.from < always_open_before ? std::min(window.from, then) : span.from;
      for (const auto o : store_.observations)
        if (span.contains(o.at()))
          at = std::min(at, o.at());
      at = std::max(at, span.from);
      for (;; at = step(now, at, span, window, then)) {
        for (const auto o : store_.observations)
          if (o.at() == at && span.contains(at))
            now[!o.active()] = {};
        if (at == then)
          now[1].active_then = now[1].probability;
        if (at >= std::min(span.to, store_.as_of))
          break;
      }
      auto sum = now[0];
      sum += now[1];
      all.log_likelihood += std::log(sum.probability);
      const double mean = sum.active / sum.probability;
      all.mean += mean;
      all.variance += sum.square / sum.probability - mean * mean;
      all.active_then += sum.active_then / sum.probability;
    }
    return all;
  }

private:
  instant step(std::array<paths, 2>& now, instant at, const interval& span, const interval& window,
               instant then) const {
    auto next = std::min({at + 1s, span.to, store_.as_of});
    for (const auto edge : {window.from, window.to, then})
      if (edge > at)
        next = std::min(next, edge);
    for (const auto o : store_.observations)
      if (o.at() > at)
        next = std::min(next, o.at());
    const double length = seconds(next - at);
    const double counted = window.contains(at) ? length : 0;
    const double fails = failing_ * length * (1 - (failing_ + recovering_) * length / 2);
    const double recovers = recovering_ * length * (1 - (failing_ + recovering_) * length / 2);
    auto inactive = now[0].moved(1 - recovers, 0);
    inactive += now[1].moved(fails, counted / 2);
    auto active = now[0].moved(recovers, counted / 2);
    active += now[1].moved(1 - fails, counted);
    now = {inactive, active};
    return next;
  }

  const telegraph_store& store_;
  double failing_;
  double recovering_;
  double opening_;
};

/// Some hours of up to three sessions, the first perhaps since ever, and a few polls.
telegraph_store random_store(std::mt19937_64& random, bool always_open) {
  const instant noon = std::chrono::sys_days(2023y / 1 / 25) + 12h;
  const auto micros = [&](duration limit) { return duration(random() % limit.count()); };
  interval_set opening;
  std::vector<observation> polls;
  auto at = noon - 5h;
  if (always_open) {
    opening.push_back({noon - 24h * 60, noon + 1us});
  } else {
    for (int i = 0; i < 3; ++i) {
      const auto from = at + micros(1h);
      at = from + micros(1h) + 1us;
      opening.push_back({from, at});
    }
  }
  const auto count = random() % 6;
  for (size_t i = 0; i < count; ++i)
    polls.emplace_back(noon - micros(5h), random() % 3 ? store_status::active : store_status::inactive);
  std::sort(polls.begin(), polls.end());
  return {opening, polls, noon};
}

} // namespace

TEST_CASE("the telegraph's figures are those of paths counted step by step") {
  std::mt19937_64 random(20230125);
  const auto between = [&](duration limit) { return duration(random() % limit.count()); };
  int asked_while_open = 0;
  for (int round = 0; round < 24; ++round) {
    CAPTURE(round);
    const auto store = random_store(random, round % 4 == 0);
    interval window{store.as_of - between(5h), store.as_of - between(5h)};
    if (window.from >= window.to)
      window = {window.to - 1us, window.from};
    const auto view = store.view(window);
    // Half of the instants lie anywhere, the other half at a poll or an edge.
    auto then = store.as_of - between(4h);
    if (round % 2 == 1)
      then = !store.observations.empty() ? store.observations.back().at() : store.opening.front().to;

    class_weights weights;
    double total = 0;
    for (auto& w : weights)
      total += w = static_cast<double>(random() % 1000 + 1);
    for (auto& w : weights)
      w /= total;

    const auto seen = likelihoods_of(view);
    std::array<answer, classes> answers;
    std::array<double, classes> joint;
    double evidence = 0;
    for (size_t c = 0; c < classes; ++c) {
      answers[c] = naive(store, c).ask(window, then, view.begins_known_from);
      CHECK(seen.log(c) == Approx(answers[c].log_likelihood).margin(1e-4));
      evidence += joint[c] = weights[c] * std::exp(answers[c].log_likelihood);
    }
    answer truth;
    for (size_t c = 0; c < classes; ++c) {
      truth.mean += joint[c] / evidence * answers[c].mean;
      truth.active_then += joint[c] / evidence * answers[c].active_then;
    }
    for (size_t c = 0; c < classes; ++c)
      truth.variance +=
          joint[c] / evidence * (answers[c].variance + std::pow(answers[c].mean - truth.mean, 2));

    const telegraph model(seen, weights);
    const auto u = model.believe(view);
    CHECK(u.mean == Approx(truth.mean).epsilon(1e-4).margin(0.05));
    CHECK(u.deviation == Approx(std::sqrt(truth.variance)).epsilon(1e-3).margin(0.5));
    const auto active = model.active_at(view, then);
    bool open = false;
    for (const auto& span : store.opening)
      open = open || (span.from < then && then <= span.to);
    REQUIRE(active.has_value() == open);
    if (open)
      CHECK(*active == Approx(truth.active_then).margin(1e-4));
    asked_while_open += open;
  }
  CHECK(asked_while_open > 6);
}
