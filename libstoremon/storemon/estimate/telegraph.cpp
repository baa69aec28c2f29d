#include "storemon/estimate/telegraph.hpp"

#include <algorithm>
#include <cmath>

namespace storemon::estimate {

namespace {

/// Classes less probable than this cost time and change nothing.
constexpr double share_min = 1e-6;

/// The normal distribution's 95 % quantile: nine of ten values are within so many deviations.
constexpr double deviations = 1.6448536269514722;

constexpr by_state nothing_seen{1, 1};

constexpr by_state certain(bool active) noexcept {
  return active ? by_state{0, 1} : by_state{1, 0};
}

constexpr by_state at_opening(double active) noexcept {
  return {1 - active, active};
}

/// State weights after a stretch.
by_state forward(const by_state& from, const by_transition& through) noexcept {
  return {from[0] * through[0][0] + from[1] * through[1][0],
          from[0] * through[0][1] + from[1] * through[1][1]};
}

/// How likely what is seen after a stretch is from each state at its begin.
by_state backward(const by_transition& through, const by_state& to) noexcept {
  return {through[0][0] * to[0] + through[0][1] * to[1], through[1][0] * to[0] + through[1][1] * to[1]};
}

/// What a gap is bordered by on its left.
enum class border : uint8_t { inactive, active, opening, always_open };

constexpr border seen(bool active) noexcept {
  return active ? border::active : border::inactive;
}

/// Time of a session in which nothing was seen.
struct gap {
  interval span;
  border left;
  std::optional<bool> right; ///< what was seen at its end; nothing: the session or the window ends there
};

/// The gaps of a session that meet a stretch within it, one after the other.
template <class Visit>
void visit_gaps(const store_view& view, const session& s, const interval& stretch, Visit&& visit) {
  const auto own = view.seen.subspan(s.first, s.last - s.first);
  const bool always_open = s.span.from < view.begins_known_from;
  auto right = std::partition_point(own.begin(), own.end(),
                                    [&](const observation& o) { return o.at() <= stretch.from; });
  gap g{{s.span.from, {}}, always_open ? border::always_open : border::opening, {}};
  if (right != own.begin())
    g = {{right[-1].at(), {}}, seen(right[-1].active()), {}};
  else if (always_open)
    g.span.from = stretch.from; // where it begins is no matter: the chain is in its long run
  for (; right != own.end() && g.span.from < stretch.to; ++right) {
    g.span.to = right->at();
    g.right = right->active();
    visit(g);
    g = {{right->at(), {}}, seen(right->active()), {}};
  }
  if (g.span.from < stretch.to) {
    g.span.to = stretch.to;
    visit(g);
  }
}

/// Moments of the active time of a window for each class, added up gap by gap: given the class, gaps are
/// independent.
class window_moments {
public:
  window_moments(const by_class& shares, const by_chain<double>& chain_shares) noexcept : shares_(shares) {
    for (size_t k = 0; k < chains; ++k)
      if (chain_shares[k] > 0)
        live_[live_count_++] = k;
  }

  void add(const gap& g, const interval& window) noexcept {
    const auto inside = intersect(g.span, window);
    const double length = seconds(inside.length());
    const double inverse_length = 1 / length;
    const grid_decays within(length);
    const auto add_to_chains = [&](auto&& taken) {
      for (const auto k : live())
        of_chain_[k].add(taken(k, passage(grid_chains[k], length, inverse_length, within[k])), length);
    };
    const bool begin_known = g.left == border::active || g.left == border::inactive;
    const bool begin_whole = begin_known && inside.from == g.span.from;
    const bool left = g.left == border::active;
    if (begin_whole && !g.right)
      return add_to_chains([&](size_t, const passage& p) { return p.onwards(left); });
    if (begin_whole && inside.to == g.span.to)
      return add_to_chains([&](size_t, const passage& p) { return p.between(left, *g.right); });

    const grid_decays before(seconds(inside.from - g.span.from));
    const grid_decays after(seconds(g.span.to - inside.to));
    const auto from_state = [&](size_t k, const passage& p, bool from) {
      if (!g.right)
        return p.onwards(from);
      if (inside.to == g.span.to)
        return p.between(from, *g.right);
      const auto to = backward(transitions(grid_chains[k], after[k]), certain(*g.right));
      return to[0] * p.between(from, false) + to[1] * p.between(from, true);
    };
    const auto from_states = [&](size_t k, const passage& p) {
      return std::array{from_state(k, p, false), from_state(k, p, true)};
    };
    if (g.left != border::opening)
      return add_to_chains([&](size_t k, const passage& p) {
        const auto from = forward(begin_known ? certain(left) : grid_chains[k].share,
                                  transitions(grid_chains[k], before[k]));
        const auto taken = from_states(k, p);
        return from[0] * taken[0] + from[1] * taken[1];
      });
    for (const auto k : live()) {
      const auto taken = from_states(k, passage(grid_chains[k], length, inverse_length, within[k]));
      const auto earlier = transitions(grid_chains[k], before[k]);
      for (size_t c = k * openings; c < (k + 1) * openings; ++c)
        if (shares_[c] > 0) {
          const auto from = forward(at_opening(active_at_opening[c % openings]), earlier);
          of_class_[c].add(from[0] * taken[0] + from[1] * taken[1], length);
        }
    }
  }

  /// Over all classes: the variance has a part within and one between them.
  moments total() const noexcept {
    moments sum;
    const auto visit = [&](auto&& add) {
      for (const auto k : live())
        for (size_t c = k * openings; c < (k + 1) * openings; ++c)
          if (shares_[c] > 0)
            add(shares_[c], of_chain_[k].mean + of_class_[c].mean,
                of_chain_[k].variance + of_class_[c].variance);
    };
    visit([&](double share, double mean, double) { sum.mean += share * mean; });
    visit([&](double share, double mean, double variance) {
      sum.variance += share * (variance + (mean - sum.mean) * (mean - sum.mean));
    });
    return sum;
  }

private:
  struct added_moments : moments {
    void add(const paths& taken, double length) noexcept {
      const auto given = taken.given();
      mean += given.mean * length;
      variance += given.variance * length * length;
    }
  };

  std::span<const size_t> live() const noexcept { return {live_.data(), live_count_}; }

  const by_class& shares_;
  by_chain<size_t> live_;
  size_t live_count_ = 0;
  by_chain<added_moments> of_chain_;
  std::array<added_moments, classes> of_class_;
};

} // namespace

telegraph::telegraph(const class_likelihoods& seen, const class_weights& fleet) noexcept : chain_shares_{} {
  const auto normalise = [this] {
    double sum = 0;
    for (const auto share : shares_)
      sum += share;
    for (auto& share : shares_)
      share /= sum;
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

telegraph::uptime telegraph::believe(const store_view& view) const noexcept {
  window_moments sum(shares_, chain_shares_);
  for (const auto& s : view.asked) {
    const auto stretch = intersect(s.span, view.window);
    if (!stretch.empty())
      visit_gaps(view, s, stretch, [&](const gap& g) { sum.add(g, view.window); });
  }
  const auto [mean, variance] = sum.total();
  const double open = seconds(duration(view.open));
  uptime u;
  u.mean = std::clamp(mean, 0.0, open);
  u.deviation = std::sqrt(variance);
  u.low = std::max(0.0, u.mean - deviations * u.deviation);
  u.high = std::min(open, u.mean + deviations * u.deviation);
  return u;
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
  for (size_t c = 0; c < classes; ++c) {
    if (shares_[c] == 0)
      continue;
    const auto k = c / openings;
    const auto& chain = grid_chains[k];
    const auto from = around->left == border::opening       ? at_opening(active_at_opening[c % openings])
                      : around->left == border::always_open ? chain.share
                                                            : certain(around->left == border::active);
    const auto here = forward(from, transitions(chain, before[k]));
    const auto later =
        around->right ? backward(transitions(chain, after[k]), certain(*around->right)) : nothing_seen;
    active += shares_[c] * (here[1] * later[1] / (here[0] * later[0] + here[1] * later[1]));
  }
  return active;
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
