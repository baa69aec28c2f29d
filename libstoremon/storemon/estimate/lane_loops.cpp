#include "storemon/estimate/lane_loops.hpp"

#include <bit>

namespace storemon::estimate {

namespace {

template <class Lanes>
void multiply(double* product, const Lanes& factor) noexcept {
  Lanes lanes;
  load(lanes, product);
  store(Lanes(lanes * factor), product);
}

/// Long-run share of the state that each gap ends in.
template <class Lanes, class Mask>
void load_share(Lanes& share, const two_state_chain& c, const Mask& active) noexcept {
  share = active ? Lanes{} + c.share[1] : Lanes{} + c.share[0];
}

template <class Lanes>
void multiply_seen(const seen_gaps& gaps, by_chain<block>& to) noexcept {
  for (size_t at = 0; at < block_size; at += width<Lanes>) {
    Lanes length, ends_active, ends_as_begun, share;
    load(length, &gaps.length[at]);
    load(ends_active, &gaps.ends_active[at]);
    load(ends_as_begun, &gaps.ends_as_begun[at]);
    const auto active = ends_active > 0;
    const grid_decays_of<Lanes> over(length);
    for (size_t up = 0, k = 0; up < ups; ++up)
      for (size_t down = 0; down < downs; ++down, ++k) {
        load_share(share, grid_chains[k], active);
        const auto mixing = over.of(up, down);
        multiply(&to[k][at], Lanes(share * mixing.gone + ends_as_begun * mixing.left));
      }
  }
}

template <class Lanes>
void multiply_opened(const opened_gaps& gaps, std::array<block, classes>& to) noexcept {
  for (size_t at = 0; at < block_size; at += width<Lanes>) {
    Lanes length, ends_active, share;
    load(length, &gaps.length[at]);
    load(ends_active, &gaps.ends_active[at]);
    std::array<Lanes, openings> at_opening;
    for (size_t o = 0; o < openings; ++o)
      load(at_opening[o], &gaps.at_opening[o][at]);
    const auto active = ends_active > 0;
    const grid_decays_of<Lanes> over(length);
    for (size_t k = 0; k < chains; ++k) {
      load_share(share, grid_chains[k], active);
      const auto mixing = over[k];
      const Lanes forgotten = share * mixing.gone;
      for (size_t o = 0; o < openings; ++o)
        multiply(&to[k * openings + o][at], Lanes(forgotten + at_opening[o] * mixing.left));
    }
  }
}

/// Adds what is known of the active time in gaps whose paths these are.
template <class Lanes>
void add(const paths<Lanes>& taken, const Lanes& counted, lane_moments& to, size_t begin) noexcept {
  const auto given = taken.given();
  Lanes mean, variance;
  load(mean, &to.mean[begin]);
  load(variance, &to.variance[begin]);
  store(Lanes(mean + given.mean * counted), &to.mean[begin]);
  store(Lanes(variance + given.variance * (counted * counted)), &to.variance[begin]);
}

template <class Lanes>
void add_whole(const whole_gaps& gaps, const live_behaviours& live, lane_moments* to) noexcept {
  for (size_t at = 0; at < block_size; at += width<Lanes>) {
    Lanes length, counted;
    load(length, &gaps.length[at]);
    load(counted, &gaps.counted[at]);
    const Lanes inverse = 1 / length;
    const double shortest = least(length);
    const grid_decays_of<Lanes> within(length);
    auto* sum = to;
    for (const auto& l : live.chains) {
      const passage across(grid_chains[l.up * downs + l.down], length, inverse, within.of(l.up, l.down),
                           shortest);
      add(gaps.right ? across.between(gaps.left, *gaps.right) : across.onwards(gaps.left), counted, *sum++,
          at);
    }
  }
}

template <class Lanes>
void add_cut(const cut_gaps& gaps, const live_behaviours& live, lane_moments* to) noexcept {
  for (size_t at = 0; at < block_size; at += width<Lanes>) {
    Lanes length, counted, length_before, length_after, long_run;
    load(length, &gaps.length[at]);
    load(counted, &gaps.counted[at]);
    load(length_before, &gaps.before[at]);
    load(length_after, &gaps.after[at]);
    load(long_run, &gaps.long_run[at]);
    by_state<Lanes> seen;
    load(seen[0], &gaps.begin[0][at]);
    load(seen[1], &gaps.begin[1][at]);
    const Lanes inverse = 1 / length;
    const double shortest = least(length);
    const grid_decays_of<Lanes> within(length);
    std::optional<grid_decays_of<Lanes>> before, after; // without length they change nothing
    if (any(length_before > 0))
      before.emplace(length_before);
    if (any(length_after > 0))
      after.emplace(length_after);
    auto* sum = to;
    for (const auto& l : live.chains) {
      const auto& chain = grid_chains[l.up * downs + l.down];
      const passage across(chain, length, inverse, within.of(l.up, l.down), shortest);
      const auto from_state = [&](bool from) {
        if (!gaps.right)
          return across.onwards(from);
        if (!after)
          return across.between(from, *gaps.right);
        const auto then = transitions(chain, after->of(l.up, l.down));
        return then[0][*gaps.right] * across.between(from, false) +
               then[1][*gaps.right] * across.between(from, true);
      };
      const auto from_inactive = from_state(false);
      const auto from_active = from_state(true);
      const auto add_from = [&](const by_state<Lanes>& begin) {
        const auto from = before ? forward(begin, transitions(chain, before->of(l.up, l.down))) : begin;
        add(from[0] * from_inactive + from[1] * from_active, counted, *sum++, at);
      };
      if (gaps.opened)
        for (auto o = l.first; o < l.last; ++o) {
          const double active = active_at_opening[live.openings[o]];
          add_from({Lanes{} + (1 - active), Lanes{} + active});
        }
      else
        add_from({seen[0] + long_run * chain.share[0], seen[1] + long_run * chain.share[1]});
    }
  }
}

/// What is added to this number is rounded to whole units, and they are the difference of the bits.
constexpr double whole_units = 0x1.8p12;
static_assert(whole_units + share_unit > whole_units && whole_units + share_unit / 2 == whole_units);

template <class Lanes>
void add_shares(const by_class& likelihoods, const by_class& weights,
                std::array<int64_t, classes>& counts) noexcept {
  by_class joint;
  std::array<Lanes, block_size / width<Lanes>> sums{}; // in any width those of one block
  for (size_t c = 0; c < classes; c += block_size)
    for (size_t part = 0; part < sums.size(); ++part) {
      const auto at = c + part * width<Lanes>;
      Lanes likelihood, weight;
      load(likelihood, &likelihoods[at]);
      load(weight, &weights[at]);
      const Lanes both = weight * likelihood;
      store(both, &joint[at]);
      sums[part] += both;
    }
  block sum;
  for (size_t part = 0; part < sums.size(); ++part)
    store(sums[part], &sum[part * width<Lanes>]);
  const double scale = 1 / sum_of(sum);
  for (size_t c = 0; c < classes; c += width<Lanes>) {
    Lanes share;
    load(share, &joint[c]);
    share = share * scale + whole_units;
    decltype(share < share) count, bits;
    load(count, &counts[c]);
    std::memcpy(&bits, &share, sizeof(bits));
    store(decltype(bits)(count + (bits - std::bit_cast<int64_t>(whole_units))), &counts[c]);
  }
}

/// A loop for any processor, with all that it calls made part of it.
template <auto Loop, class... Args>
[[gnu::flatten]] void narrow(Args... args) noexcept {
  Loop(args...);
}

#ifdef __x86_64__
/// A loop for processors with AVX2, for which only what is made part of it is compiled. Fused multiplications
/// and additions, which such processors have too, are not asked for: they round differently.
template <auto Loop, class... Args>
[[gnu::target("avx2"), gnu::flatten]] void wide(Args... args) noexcept {
  Loop(args...);
}
#endif

} // namespace

const lane_loops& narrow_loops() noexcept {
  static constexpr lane_loops loops{narrow<multiply_seen<two_lanes>>, narrow<multiply_opened<two_lanes>>,
                                    narrow<add_whole<two_lanes>>, narrow<add_cut<two_lanes>>,
                                    narrow<add_shares<two_lanes>>};
  return loops;
}

const lane_loops* wide_loops() noexcept {
#ifdef __x86_64__
  static constexpr lane_loops loops{wide<multiply_seen<four_lanes>>, wide<multiply_opened<four_lanes>>,
                                    wide<add_whole<four_lanes>>, wide<add_cut<four_lanes>>,
                                    wide<add_shares<four_lanes>>};
  if (__builtin_cpu_supports("avx2"))
    return &loops;
#endif
  return nullptr;
}

const lane_loops& best_loops() noexcept {
  static const auto* const wide = wide_loops();
  return wide ? *wide : narrow_loops();
}

} // namespace storemon::estimate
