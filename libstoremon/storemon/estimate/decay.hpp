#pragma once

#include "storemon/estimate/lanes.hpp"
#include "storemon/estimate/power_series.hpp"

#include <array>
#include <cstddef>
#include <type_traits>

namespace storemon::estimate {

/// What is gone and what is left after some time of exponential decay: `gone + left == 1`, each to full
/// relative precision however small it is.
///
/// Only additions, multiplications and divisions of IEEE doubles go into it, so that its bits are the same on
/// every processor; those of a mathematical library's `exp` differ with the processor it finds. (A compiler
/// that fuses multiplications and additions on its own must be told not to: -ffp-contract=off.)
/// @tparam Real  double, or lanes for several decays at once
template <class Real>
struct decay_of {
  Real gone;
  Real left;

  /// After twice as long.
  friend constexpr decay_of twice(const decay_of& d) noexcept {
    return from(d.gone * (2 - d.gone), d.left * d.left);
  }

  /// After three times as long.
  friend constexpr decay_of thrice(const decay_of& d) noexcept {
    return from(d.gone * (3 - d.gone * (3 - d.gone)), d.left * d.left * d.left);
  }

private:
  /// What is left as a product of many would lose a little each time; the smaller of the two never does.
  static constexpr decay_of from(const Real& gone, const Real& product) noexcept {
    return {gone, gone < 0.5 ? 1 - gone : product};
  }
};

using decay = decay_of<double>;

/// Of `(1 - exp(-times)) / times`.
template <size_t Terms>
inline constexpr auto decay_series = [] {
  std::array<double, Terms> inverse_factorials{};
  double factorial = 1;
  for (size_t n = 0; n < Terms; ++n)
    inverse_factorials[n] = 1 / (factorial *= static_cast<double>(n + 1));
  return inverse_factorials;
}();

/// After `times` mean lives, not negative: `1 - exp(-times)` and `exp(-times)`.
template <class Real = double>
decay_of<Real> decay_over(const std::type_identity_t<Real>& times) noexcept {
  constexpr double short_max = 1.0 / 64;
  constexpr double series_max = 0.25;
  Real rest = times;
  Real halvings{};
  for (auto too_long = rest > series_max; any(too_long); too_long = rest > series_max) {
    rest = too_long ? rest / 2 : rest;
    halvings = too_long ? halvings + 1 : halvings;
  }
  Real sum;
  sum_series(sum, decay_series<8>, rest);
  if (const auto longer = rest > short_max; any(longer)) {
    Real more;
    sum_series(more, decay_series<12>, rest);
    sum = longer ? more : sum;
  }
  decay_of<Real> d{rest * sum, 1 - rest * sum};
  for (auto halved = halvings > 0; any(halved); halved = halvings > 0) {
    const auto doubled = twice(d);
    d = {halved ? doubled.gone : d.gone, halved ? doubled.left : d.left};
    halvings = halvings - 1;
  }
  return d;
}

} // namespace storemon::estimate
