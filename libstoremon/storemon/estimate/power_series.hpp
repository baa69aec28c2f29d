#pragma once

#include <array>
#include <cstddef>

namespace storemon::estimate {

/// The sum over n of `c[n] * (-x)^n`. Its even terms are summed apart from its odd ones: two short chains of
/// operations take half of the time that one long chain does.
/// @tparam Real  double, or lanes for several sums at once
template <size_t Terms, class Real>
void sum_series(Real& sum, const std::array<double, Terms>& c, const Real& x) noexcept {
  static_assert(Terms % 2 == 0);
  const Real square = x * x;
  Real even = Real{} + c[Terms - 2];
  Real odd = Real{} + c[Terms - 1];
  for (auto n = Terms - 2; n > 0; n -= 2) {
    even = c[n - 2] + square * even;
    odd = c[n - 1] + square * odd;
  }
  sum = even - x * odd;
}

} // namespace storemon::estimate
