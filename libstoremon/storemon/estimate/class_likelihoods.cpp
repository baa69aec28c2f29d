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
  products() noexcept { mantissas_.fill(1); }

  /// Multiplies product i by `factor(i)`, which is in [2^-60, 1].
  template <class Factor>
  void multiply(Factor&& factor) noexcept {
    for (size_t i = 0; i < Count; ++i)
      mantissas_[i] *= factor(i);
    if (++factors_ == factors_max) {
      split();
      factors_ = 0;
    }
  }

  /// Leaves mantissas in [0.5, 1).
  void split() noexcept {
    for (size_t i = 0; i < Count; ++i) {
      const auto bits = std::bit_cast<int64_t>(mantissas_[i]);
      exponents_[i] += (bits >> 52) - 1022;
      mantissas_[i] = std::bit_cast<double>((bits & 0x000f'ffff'ffff'ffff) | 0x3fe0'0000'0000'0000);
    }
  }

  double mantissa(size_t i) const noexcept { return mantissas_[i]; }

  int64_t exponent(size_t i) const noexcept { return exponents_[i]; }

private:
  /// So many factors of 2^-60 stay above the smallest normal number.
  static constexpr int factors_max = 16;

  std::array<double, Count> mantissas_;
  std::array<int64_t, Count> exponents_{};
  int factors_ = 0;
};

/// 2^n for n in [-1000, 0].
double power_of_two(int64_t n) noexcept {
  return std::bit_cast<double>((n + 1023) << 52);
}

/// The decays of all chains over one stretch, so laid out that the compiler works on several at once.
struct mixing {
  by_chain<double> gone;
  by_chain<double> left;

  explicit mixing(duration length) noexcept {
    const grid_decays decays(seconds(length));
    for (size_t up = 0, k = 0; up < ups; ++up) {
      const auto u = decays.up()[up];
      for (size_t down = 0; down < downs; ++down, ++k) {
        const auto d = decays.down()[down];
        gone[k] = u.gone + u.left * d.gone;
        left[k] = u.left * d.left;
      }
    }
  }
};

/// Long-run shares of the two states.
constexpr auto grid_shares = [] {
  std::array<by_chain<double>, 2> shares{};
  for (size_t k = 0; k < chains; ++k)
    for (size_t state = 0; state < 2; ++state)
      shares[state][k] = grid_chains[k].share[state];
  return shares;
}();

/// The parts of the likelihood that depend on the chain alone, and those that an opening goes into.
struct store_products {
  products<chains> by_chain;
  products<classes> by_class;

  void after_opening(const mixing& m, bool active) noexcept {
    const auto& share = grid_shares[active];
    by_class.multiply([&](size_t c) {
      const auto k = c / openings;
      const auto p = active_at_opening[c % openings];
      return share[k] * m.gone[k] + (active ? p : 1 - p) * m.left[k];
    });
  }

  void always_open(bool active) noexcept {
    by_chain.multiply([&](size_t k) { return grid_shares[active][k]; });
  }

  void between(const mixing& m, bool from, bool to) noexcept {
    const auto& share = grid_shares[to];
    if (from == to)
      by_chain.multiply([&](size_t k) { return share[k] * m.gone[k] + m.left[k]; });
    else
      by_chain.multiply([&](size_t k) { return share[k] * m.gone[k]; });
  }
};

} // namespace

double class_likelihoods::log(size_t c) const noexcept {
  return std::log(scaled[c]) + static_cast<double>(exponent) * std::log(2.0);
}

class_likelihoods likelihoods_of(const store_view& view) noexcept {
  store_products all;
  for (const auto& s : view.sessions) {
    const auto own = view.seen.subspan(s.first, s.last - s.first);
    if (own.empty())
      continue;
    if (s.span.from < view.begins_known_from)
      all.always_open(own.front().active());
    else
      all.after_opening(mixing(own.front().at() - s.span.from), own.front().active());
    for (size_t i = 1; i < own.size(); ++i)
      all.between(mixing(own[i].at() - own[i - 1].at()), own[i - 1].active(), own[i].active());
  }
  all.by_chain.split();
  all.by_class.split();
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
