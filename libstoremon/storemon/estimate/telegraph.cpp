#include "storemon/estimate/telegraph.hpp"

#include "storemon/estimate/gaps.hpp"

#include <algorithm>
#include <cmath>

namespace storemon::estimate {

namespace {

/// Classes less probable than this cost time and change nothing.
constexpr double share_min = 1e-6;

/// Four sums at a time, as fast as the processor adds.
double sum_of(const by_class& values) noexcept {
  block sums{};
  for (size_t c = 0; c < classes; c += block_size)
    for (size_t i = 0; i < block_size; ++i)
      sums[i] += values[c + i];
  return estimate::sum_of(sums);
}

constexpr by_state<double> certain(bool active) noexcept {
  return active ? by_state<double>{0, 1} : by_state<double>{1, 0};
}

} // namespace

telegraph::telegraph(const class_likelihoods& seen, const class_weights& fleet) noexcept : chain_shares_{} {
  const auto normalise = [this] {
    const double scale = 1 / sum_of(shares_);
    for (auto& share : shares_)
      share *= scale;
  };
  for (size_t c = 0; c < classes; ++c)
    shares_[c] = fleet[c] * seen.scaled[c];
  normalise();
  for (auto& share : shares_)
    if (share < share_min)
      share = 0;
  normalise();
  for (size_t c = 0; c < classes; ++c)
    chain_shares_[c / openings] += shares_[c];
}

telegraph::telegraph(const class_weights& fleet) noexcept
    : telegraph(
          [] {
            class_likelihoods nothing{{}, 0};
            nothing.scaled.fill(1);
            return nothing;
          }(),
          fleet) {}

telegraph::uptime telegraph::believe(const store_view& view) const noexcept {
  telegraph_windows alone;
  alone.begin(*this);
  return alone.believe(view);
}

std::optional<double> telegraph::active_at(const store_view& view, instant at) const noexcept {
  const auto s = std::partition_point(view.sessions.begin(), view.sessions.end(),
                                      [&](const session& other) { return other.span.to < at; });
  if (s == view.sessions.end() || at <= s->span.from)
    return {};
  std::optional<gap> around;
  visit_gaps(view, *s, {at - duration(1), at}, [&](const gap& g) { around = g; });
  const grid_decays before(seconds(at - around->span.from));
  const grid_decays after(seconds(around->span.to - at));
  double active = 0;
  double all = 0; // one, but for rounding: what is certain is to be so to the last bit
  for (size_t k = 0; k < chains; ++k) {
    if (chain_shares_[k] == 0)
      continue;
    const auto& chain = grid_chains[k];
    const auto earlier = transitions(chain, before[k]);
    const auto later = around->right ? backward(transitions(chain, after[k]), certain(*around->right))
                                     : by_state<double>{1, 1};
    const auto add_from = [&](const by_state<double>& begin, double share) {
      const auto here = forward(begin, earlier);
      active += share * (here[1] * later[1] / (here[0] * later[0] + here[1] * later[1]));
      all += share;
    };
    if (around->left == border::opening)
      for (size_t o = 0; o < openings; ++o)
        add_from({1 - active_at_opening[o], active_at_opening[o]}, shares_[k * openings + o]);
    else
      add_from(around->left == border::always_open ? chain.share : certain(around->left == border::active),
               chain_shares_[k]);
  }
  return active / all;
}

telegraph::habits telegraph::describe() const noexcept {
  constexpr double day = 86'400;
  habits h;
  for (size_t c = 0; c < classes; ++c) {
    const auto& chain = grid_chains[c / openings];
    h.failures_per_day += shares_[c] * chain.failing * chain.share[1] * day;
    h.mean_outage += shares_[c] / chain.recovering;
    h.active_at_opening += shares_[c] * active_at_opening[c % openings];
  }
  return h;
}

uptime_figures round(const telegraph::uptime& belief, int64_t open) noexcept {
  const auto micros = [open](double seconds) {
    return std::min(static_cast<int64_t>(std::nearbyint(seconds * 1e6)), open);
  };
  return {micros(belief.mean), micros(belief.low), micros(belief.high)};
}

} // namespace storemon::estimate
