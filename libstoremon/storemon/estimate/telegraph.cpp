#include "storemon/estimate/telegraph.hpp"

#include <algorithm>
#include <cmath>

namespace storemon::estimate {

namespace {

/// Classes less probable than this cost time and change nothing.
constexpr double share_min = 1e-6;

/// The normal distribution's 95 % quantile: nine of ten values are within so many deviations.
constexpr double deviations = 1.6448536269514722;

template <class Real>
by_state<Real> certain(bool active) noexcept {
  return active ? by_state<Real>{Real{}, Real{} + 1} : by_state<Real>{Real{} + 1, Real{}};
}

template <class Real>
by_state<Real> at_opening(double active) noexcept {
  return {Real{} + (1 - active), Real{} + active};
}

/// State weights after a stretch.
template <class Real>
by_state<Real> forward(const by_state<Real>& from, const by_transition<Real>& through) noexcept {
  return {from[0] * through[0][0] + from[1] * through[1][0],
          from[0] * through[0][1] + from[1] * through[1][1]};
}

/// How likely what is seen after a stretch is from each state at its begin.
template <class Real>
by_state<Real> backward(const by_transition<Real>& through, const by_state<Real>& to) noexcept {
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

} // namespace

/// Moments of the active time of a window for each class, added up gap by gap: given the class, gaps are
/// independent. Those that only the window's end may cut are the same for each longer window of that end, and
/// are kept for it.
class telegraph_windows::sums {
public:
  void begin(const by_class& shares, const by_chain<double>& chain_shares) noexcept {
    pair_count_ = 0;
    end_ = instant::min();
    std::optional<size_t> odd;
    for (size_t k = 0; k < chains; ++k)
      if (chain_shares[k] > 0) {
        if (odd)
          add_pair(*odd, k, shares);
        odd = odd ? std::nullopt : std::optional(k);
      }
    if (odd)
      add_pair(*odd, *odd, shares);
  }

  telegraph::uptime believe(const store_view& view) noexcept {
    if (view.window.to != end_ || view.window.from > kept_from_) {
      forget(kept);
      end_ = kept_from_ = view.window.to;
    }
    forget(passing);
    const interval older{view.window.from, kept_from_};
    for (const auto& s : view.asked) {
      const auto stretch = intersect(s.span, older);
      if (stretch.empty())
        continue;
      visit_gaps(view, s, stretch, [&](const gap& g) {
        const bool whole = g.left != border::always_open && g.span.from >= view.window.from;
        if (whole)
          kept_from_ = std::min(kept_from_, g.span.from);
        add(g, view.window, whole ? kept : passing);
      });
    }
    const auto [mean, variance] = total();
    const double open = seconds(duration(view.open));
    telegraph::uptime u;
    u.mean = std::clamp(mean, 0.0, open);
    u.deviation = std::sqrt(variance);
    u.low = std::max(0.0, u.mean - deviations * u.deviation);
    u.high = std::min(open, u.mean + deviations * u.deviation);
    return u;
  }

private:
  /// Where a gap is added: what goes for longer windows too, or for the present one alone.
  enum part : size_t { kept, passing };

  void forget(part which) noexcept {
    for (auto& p : live()) {
      p.of_both[which] = {};
      for (auto& o : p.of_openings)
        o.sum[which] = {};
    }
  }

  void add(const gap& g, const interval& window, part to) noexcept {
    const auto inside = intersect(g.span, window);
    const double length = seconds(inside.length());
    const double inverse_length = 1 / length;
    const grid_decays within(length);
    const auto through = [&](const pair& p) {
      return passage(p.chains, length, inverse_length, within.of_two(p.first, p.second));
    };
    const bool begin_known = g.left == border::active || g.left == border::inactive;
    const bool begin_whole = begin_known && inside.from == g.span.from;
    const bool left = g.left == border::active;
    if (begin_whole && !g.right) {
      for (auto& p : live())
        p.of_both[to].add(through(p).onwards(left), length);
      return;
    }
    if (begin_whole && inside.to == g.span.to) {
      for (auto& p : live())
        p.of_both[to].add(through(p).between(left, *g.right), length);
      return;
    }

    const grid_decays before(seconds(inside.from - g.span.from));
    const grid_decays after(seconds(g.span.to - inside.to));
    for (auto& p : live()) {
      const auto across = through(p);
      const auto from_state = [&](bool from) {
        if (!g.right)
          return across.onwards(from);
        if (inside.to == g.span.to)
          return across.between(from, *g.right);
        const auto then =
            backward(transitions(p.chains, after.of_two(p.first, p.second)), certain<lanes>(*g.right));
        return then[0] * across.between(from, false) + then[1] * across.between(from, true);
      };
      const auto from_inactive = from_state(false);
      const auto from_active = from_state(true);
      const auto earlier = transitions(p.chains, before.of_two(p.first, p.second));
      const auto add_from = [&](added& sum, const by_state<lanes>& begin) {
        const auto from = forward(begin, earlier);
        sum.add(from[0] * from_inactive + from[1] * from_active, length);
      };
      if (g.left != border::opening)
        add_from(p.of_both[to], begin_known ? certain<lanes>(left) : p.chains.share);
      else
        for (auto& o : p.of_openings)
          if (o.is_live)
            add_from(o.sum[to], at_opening<lanes>(o.active));
    }
  }

  /// Over all classes: the variance has a part within and one between them.
  moments<double> total() noexcept {
    moments<double> sum;
    visit([&](double share, double mean, double) { sum.mean += share * mean; });
    visit([&](double share, double mean, double variance) {
      sum.variance += share * (variance + (mean - sum.mean) * (mean - sum.mean));
    });
    return sum;
  }

  struct added : moments<lanes> {
    void add(const paths<lanes>& taken, double length) noexcept {
      const auto given = taken.given();
      mean += given.mean * length;
      variance += given.variance * (length * length);
    }
  };

  /// Two chains that are worked on at once; where one is left over, its share counts once.
  struct pair {
    struct opening {
      double active;
      bool is_live;
      lanes shares;
      std::array<added, 2> sum; ///< by part
    };

    size_t first;
    size_t second;
    chain_of<lanes> chains;
    std::array<added, 2> of_both; ///< by part; whatever the opening was like
    std::array<opening, openings> of_openings;
  };

  void add_pair(size_t first, size_t second, const by_class& shares) noexcept {
    auto& p = pairs_[pair_count_++];
    const auto& a = grid_chains[first];
    const auto& b = grid_chains[second];
    p.first = first;
    p.second = second;
    p.chains = {lanes{a.failing, b.failing},
                lanes{a.recovering, b.recovering},
                {lanes{a.share[0], b.share[0]}, lanes{a.share[1], b.share[1]}},
                lanes{a.rate, b.rate},
                lanes{a.memory, b.memory}};
    p.of_both = {};
    for (size_t i = 0; i < openings; ++i) {
      const double one = shares[first * openings + i];
      const double other = first == second ? 0 : shares[second * openings + i];
      p.of_openings[i] = {active_at_opening[i], one + other > 0, lanes{one, other}, {}};
    }
  }

  template <class Add>
  void visit(Add&& add) noexcept {
    for (const auto& p : live())
      for (const auto& o : p.of_openings)
        for (int lane = 0; lane < 2; ++lane)
          add(o.shares[lane],
              (p.of_both[kept].mean[lane] + o.sum[kept].mean[lane]) +
                  (p.of_both[passing].mean[lane] + o.sum[passing].mean[lane]),
              (p.of_both[kept].variance[lane] + o.sum[kept].variance[lane]) +
                  (p.of_both[passing].variance[lane] + o.sum[passing].variance[lane]));
  }

  std::span<pair> live() noexcept { return {pairs_.data(), pair_count_}; }

  std::array<pair, chains / 2> pairs_;
  size_t pair_count_ = 0;
  instant end_;       // of the windows
  instant kept_from_; // the gaps from here to the end are in the kept sums
};

telegraph_windows::telegraph_windows() : sums_(std::make_unique<sums>()) {}

telegraph_windows::~telegraph_windows() = default;

void telegraph_windows::begin(const telegraph& store) noexcept {
  sums_->begin(store.shares_, store.chain_shares_);
}

telegraph::uptime telegraph_windows::believe(const store_view& view) noexcept {
  return sums_->believe(view);
}

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

telegraph::telegraph(const class_weights& fleet) noexcept
    : telegraph(
          [] {
            class_likelihoods nothing{{}, 0};
            nothing.scaled.fill(1);
            return nothing;
          }(),
          fleet) {}

telegraph::uptime telegraph::believe(const store_view& view) const noexcept {
  telegraph_windows::sums alone;
  alone.begin(shares_, chain_shares_);
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
  for (size_t c = 0; c < classes; ++c) {
    if (shares_[c] == 0)
      continue;
    const auto k = c / openings;
    const auto& chain = grid_chains[k];
    const auto from = around->left == border::opening ? at_opening<double>(active_at_opening[c % openings])
                      : around->left == border::always_open ? chain.share
                                                            : certain<double>(around->left == border::active);
    const auto here = forward(from, transitions(chain, before[k]));
    const auto later = around->right ? backward(transitions(chain, after[k]), certain<double>(*around->right))
                                     : by_state<double>{1, 1};
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
