#pragma once

#include <array>
#include <cstddef>

namespace storemon::estimate {

/// What is gone and what is left after some time of exponential decay: `gone + left == 1`, each to full
/// relative precision however small it is.
///
/// Only additions, multiplications and divisions of IEEE doubles go into it, so that its bits are the same on
/// every processor; those of a mathematical library's `exp` differ with the processor it finds. (A compiler
/// that fuses multiplications and additions on its own must be told not to: -ffp-contract=off.)
/// @tparam Real  double, or lanes for two decays at once
template <class Real>
struct decay_of {
  Real gone{};
  Real left{};

  /// After both times.
  friend constexpr decay_of operator*(const decay_of& a, const decay_of& b) noexcept {
    const Real gone = a.gone + a.left * b.gone;
    // Each of the two as a product of many would lose a little each time; the smaller one never does.
    return {gone, gone < 0.5 ? 1 - gone : a.left * b.left};
  }
};

using decay = decay_of<double>;

/// After `times` mean lives, not negative: `1 - exp(-times)` and `exp(-times)`.
inline decay decay_over(double times) noexcept {
  constexpr auto inverse_factorials = [] {
    std::array<double, 12> c{};
    double factorial = 1;
    for (size_t n = 0; n < c.size(); ++n)
      c[n] = 1 / (factorial *= static_cast<double>(n + 1));
    return c;
  }();
  int doublings = 0;
  for (; times > 0.25; times /= 2)
    ++doublings;
  double sum = 0;
  for (auto n = inverse_factorials.size(); n-- > 0;)
    sum = inverse_factorials[n] - times * sum;
  decay d{times * sum, 1 - times * sum};
  for (; doublings > 0; --doublings)
    d = d * d;
  return d;
}

} // namespace storemon::estimate
