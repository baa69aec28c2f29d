#include "storemon/estimate/class_likelihoods.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace storemon::estimate {

namespace {

/// Products of many probabilities. Their exponents are kept apart, so they neither underflow nor cost a
/// logarithm.
template <size_t Count>
class products {
public:
  products() noexcept {
    mantissas_.fill(1);
    clear();
  }

  /// @param multiply_lanes  multiplies each lane of each product by a factor in [2^-60, 1]
  template <class MultiplyLanes>
  void multiply(MultiplyLanes&& multiply_lanes) noexcept {
    multiply_lanes(lanes_);
    if (++factors_ == factors_max)
      fold();
  }

  /// Makes one product of each one's lanes, with a mantissa in [0.5, 1).
  void fold() noexcept {
    for (size_t i = 0; i < Count; ++i) {
      const auto& l = lanes_[i];
      const auto bits = std::bit_cast<uint64_t>(mantissas_[i] * ((l[0] * l[1]) * (l[2] * l[3])));
      exponents_[i] += static_cast<int64_t>(bits >> 52) - 1022;
      mantissas_[i] = std::bit_cast<double>((bits & 0x000f'ffff'ffff'ffff) | 0x3fe0'0000'0000'0000);
    }
    clear();
  }

  double mantissa(size_t i) const noexcept { return mantissas_[i]; }

  int64_t exponent(size_t i) const noexcept { return exponents_[i]; }

private:
  /// So many factors of 2^-60 in each lane, and a half, stay above the smallest normal number.
  static constexpr int factors_max = 16 / block_size;

  void clear() noexcept {
    factors_ = 0;
    lanes_.fill(ones);
  }

  std::array<double, Count> mantissas_;
  std::array<int64_t, Count> exponents_{};
  std::array<block, Count> lanes_;
  int factors_;
};

/// 2^n for n in [-1000, 0].
double power_of_two(int64_t n) noexcept {
  return std::bit_cast<double>((n + 1023) << 52);
}

/// The parts of the likelihood that depend on the chain alone, and those that an opening goes into.
class store_products {
public:
  explicit store_products(const lane_loops& loops) noexcept : loops_(loops) {}

  void always_open(bool active) noexcept {
    by_chain.multiply([&](auto& lanes) {
      for (size_t k = 0; k < chains; ++k)
        lanes[k][0] *= grid_chains[k].share[active];
    });
  }

  void after_opening(duration length, bool active) noexcept {
    opened_.put(seconds(length), active);
    if (opened_.size == block_size)
      multiply_opened();
  }

  void between(duration length, bool from, bool to) noexcept {
    seen_.put(seconds(length), from, to);
    if (seen_.size == block_size)
      multiply_seen();
  }

  /// After the last of them.
  void finish() noexcept {
    if (seen_.size > 0)
      multiply_seen();
    if (opened_.size > 0)
      multiply_opened();
    by_chain.fold();
    by_class.fold();
  }

  products<chains> by_chain;
  products<classes> by_class;

private:
  void multiply_seen() noexcept {
    by_chain.multiply([&](auto& lanes) { loops_.multiply_seen(seen_, lanes); });
    seen_ = {};
  }

  void multiply_opened() noexcept {
    by_class.multiply([&](auto& lanes) { loops_.multiply_opened(opened_, lanes); });
    opened_ = {};
  }

  const lane_loops& loops_;
  seen_gaps seen_;
  opened_gaps opened_;
};

} // namespace

double class_likelihoods::log(size_t c) const noexcept {
  return std::log(scaled[c]) + static_cast<double>(exponent) * std::log(2.0);
}

class_likelihoods likelihoods_of(const store_view& view, const lane_loops& loops) noexcept {
  store_products all(loops);
  for (const auto& s : view.sessions) {
    const auto own = view.seen.subspan(s.first, s.last - s.first);
    if (own.empty())
      continue;
    if (s.span.from < view.begins_known_from)
      all.always_open(own.front().active());
    else
      all.after_opening(own.front().at() - s.span.from, own.front().active());
    for (size_t i = 1; i < own.size(); ++i)
      all.between(own[i].at() - own[i - 1].at(), own[i - 1].active(), own[i].active());
  }
  all.finish();
  const auto exponent = [&](size_t c) {
    return all.by_chain.exponent(c / openings) + all.by_class.exponent(c);
  };
  class_likelihoods row;
  row.exponent = exponent(0);
  for (size_t c = 1; c < classes; ++c)
    row.exponent = std::max(row.exponent, exponent(c));
  for (size_t c = 0; c < classes; ++c) {
    const auto below = exponent(c) - row.exponent;
    row.scaled[c] =
        below < -1000 ? 0
                      : all.by_chain.mantissa(c / openings) * all.by_class.mantissa(c) * power_of_two(below);
  }
  return row;
}

instant sessions_known_from(const horizon& h, instant first_seen) noexcept {
  using std::chrono::days;
  return std::min(first_seen, h.from + days(28 - 7)) - days(8);
}

} // namespace storemon::estimate
