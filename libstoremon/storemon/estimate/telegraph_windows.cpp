#include "storemon/estimate/gaps.hpp"
#include "storemon/estimate/telegraph.hpp"

#include <algorithm>
#include <cmath>

namespace storemon::estimate {

namespace {

/// The normal distribution's 95 % quantile: nine of ten values are within so many deviations.
constexpr double deviations = 1.6448536269514722;

/// Fills empty lanes with what the first one holds.
void pad(block& lanes, size_t size) noexcept {
  std::fill(lanes.begin() + static_cast<ptrdiff_t>(size), lanes.end(), lanes[0]);
}

/// Gaps that wait until a block of them is full, by what they are bordered by.
template <class Gaps>
using by_borders = std::array<std::array<Gaps, 2>, 3>; // [inactive, active or nothing at the end][begin]

constexpr size_t nothing_seen = 2;

} // namespace

/// Moments of the active time of a window for each class, added up gap by gap: given the class, gaps are
/// independent. Those that only the window's end may cut are the same for each longer window of that end, and
/// are kept for it.
class telegraph_windows::sums {
public:
  explicit sums(const lane_loops& loops) noexcept : loops_(loops) {
    for (auto* gaps : {&kept_.cut, &passing_.cut})
      for (size_t end = 0; end < gaps->size(); ++end)
        for (const bool opened : {false, true}) {
          auto& g = (*gaps)[end][opened];
          g.opened = opened;
          if (end != nothing_seen)
            g.right = end;
        }
    for (size_t end = 0; end < whole_.size(); ++end)
      for (const bool left : {false, true}) {
        auto& g = whole_[end][left];
        g.left = left;
        if (end != nothing_seen)
          g.right = end;
      }
  }

  void begin(const by_class& shares, const by_chain<double>& chain_shares) noexcept {
    live_chains_ = live_classes_ = 0;
    kept_.any_opened = passing_.any_opened = true;
    end_ = instant::min();
    for (size_t k = 0; k < chains; ++k) {
      if (chain_shares[k] == 0)
        continue;
      auto& chain = chains_[live_chains_++];
      chain = {k / downs, k % downs, live_classes_, live_classes_};
      for (size_t o = 0; o < openings; ++o)
        if (const auto share = shares[k * openings + o]; share > 0) {
          openings_[chain.last] = static_cast<uint8_t>(o);
          shares_[chain.last++] = share;
        }
      live_classes_ = chain.last;
    }
  }

  telegraph::uptime believe(const store_view& view) noexcept {
    if (view.window.to != end_ || view.window.from > kept_from_) {
      forget(kept_);
      end_ = kept_from_ = view.window.to;
    }
    forget(passing_);
    const interval older{view.window.from, kept_from_};
    for (const auto& s : view.asked) {
      const auto stretch = intersect(s.span, older);
      if (stretch.empty())
        continue;
      visit_gaps(view, s, stretch, [&](const gap& g) {
        const bool whole = g.left != border::always_open && g.span.from >= view.window.from;
        if (whole)
          kept_from_ = std::min(kept_from_, g.span.from);
        put(g, view.window, whole ? kept_ : passing_);
      });
    }
    finish();
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
  /// Sums that are forgotten together: those for longer windows too, or for the present one alone.
  struct part {
    by_chain<lane_moments> of_chains;             ///< of gaps that are the same to all classes of a chain
    std::array<lane_moments, classes> of_classes; ///< of those that begin with an opening
    by_borders<cut_gaps> cut;
    bool any_opened = true; ///< whether of_classes are more than 0
  };

  void forget(part& p) noexcept {
    std::fill_n(p.of_chains.begin(), live_chains_, lane_moments{});
    if (p.any_opened)
      std::fill_n(p.of_classes.begin(), live_classes_, lane_moments{});
    p.any_opened = false;
  }

  void put(const gap& g, const interval& window, part& to) noexcept {
    const size_t end = g.right ? *g.right : nothing_seen;
    const bool begin_seen = g.left == border::active || g.left == border::inactive;
    if (begin_seen && g.span.from >= window.from && g.span.to <= window.to) {
      auto& gaps = whole_[end][g.left == border::active];
      gaps.length[gaps.size] = gaps.counted[gaps.size] = seconds(g.span.length());
      if (++gaps.size == block_size)
        finish(gaps);
      return;
    }
    auto& gaps = to.cut[end][g.left == border::opening];
    const auto inside = intersect(g.span, window);
    const auto i = gaps.size++;
    gaps.before[i] = seconds(inside.from - g.span.from);
    gaps.length[i] = gaps.counted[i] = seconds(inside.length());
    gaps.after[i] = g.right ? seconds(g.span.to - inside.to) : 0;
    gaps.begin[0][i] = g.left == border::inactive;
    gaps.begin[1][i] = g.left == border::active;
    gaps.long_run[i] = g.left == border::always_open;
    if (gaps.size == block_size)
      finish(gaps, to);
  }

  void finish() noexcept {
    for (auto& of_end : whole_)
      for (auto& gaps : of_end)
        if (gaps.size > 0)
          finish(gaps);
    for (auto* p : {&kept_, &passing_})
      for (auto& of_end : p->cut)
        for (auto& gaps : of_end)
          if (gaps.size > 0)
            finish(gaps, *p);
  }

  void finish(whole_gaps& gaps) noexcept {
    pad(gaps.length, gaps.size);
    std::fill(gaps.counted.begin() + static_cast<ptrdiff_t>(gaps.size), gaps.counted.end(), 0.0);
    loops_.add_whole(gaps, live(), kept_.of_chains.data());
    gaps.size = 0;
  }

  void finish(cut_gaps& gaps, part& to) noexcept {
    for (auto* lanes :
         {&gaps.before, &gaps.length, &gaps.after, &gaps.begin[0], &gaps.begin[1], &gaps.long_run})
      pad(*lanes, gaps.size);
    std::fill(gaps.counted.begin() + static_cast<ptrdiff_t>(gaps.size), gaps.counted.end(), 0.0);
    to.any_opened |= gaps.opened;
    loops_.add_cut(gaps, live(), gaps.opened ? to.of_classes.data() : to.of_chains.data());
    gaps.size = 0;
  }

  /// Over all classes: the variance has a part within and one between them.
  moments<double> total() const noexcept {
    moments<double> all{};
    std::array<double, classes> means;
    for (const auto& l : std::span(chains_).first(live_chains_)) {
      const auto k = static_cast<size_t>(&l - chains_.data());
      const auto alike = sum_of(kept_.of_chains[k], passing_.of_chains[k]);
      for (auto c = l.first; c < l.last; ++c) {
        const auto own = sum_of(kept_.of_classes[c], passing_.of_classes[c]);
        means[c] = alike.mean + own.mean;
        all.mean += shares_[c] * means[c];
        all.variance += shares_[c] * (alike.variance + own.variance);
      }
    }
    for (size_t c = 0; c < live_classes_; ++c)
      all.variance += shares_[c] * ((means[c] - all.mean) * (means[c] - all.mean));
    return all;
  }

  static moments<double> sum_of(const lane_moments& a, const lane_moments& b) noexcept {
    return {estimate::sum_of(a.mean) + estimate::sum_of(b.mean),
            estimate::sum_of(a.variance) + estimate::sum_of(b.variance)};
  }

  live_behaviours live() const noexcept { return {{chains_.data(), live_chains_}, openings_}; }

  const lane_loops& loops_;
  by_chain<live_chain> chains_;
  size_t live_chains_ = 0;
  std::array<uint8_t, classes> openings_;
  by_class shares_;
  size_t live_classes_ = 0;
  by_borders<whole_gaps> whole_;
  part kept_;
  part passing_;
  instant end_;       // of the windows
  instant kept_from_; // the gaps from here to the end are in the kept sums
};

telegraph_windows::telegraph_windows(const lane_loops& loops) : sums_(std::make_unique<sums>(loops)) {}

telegraph_windows::~telegraph_windows() = default;

void telegraph_windows::begin(const telegraph& store) noexcept {
  sums_->begin(store.shares_, store.chain_shares_);
}

telegraph::uptime telegraph_windows::believe(const store_view& view) noexcept {
  return sums_->believe(view);
}

} // namespace storemon::estimate
