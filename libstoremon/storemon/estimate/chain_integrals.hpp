#pragma once

#include "storemon/estimate/decay.hpp"
#include "storemon/estimate/lanes.hpp"

#include <array>
#include <cstddef>

namespace storemon::estimate {

/// The power series of chain_integrals, by the order of their first term.
namespace integral_series {

template <size_t Functions, size_t Terms>
using table = std::array<std::array<double, Functions>, Terms>;

constexpr double factorial(size_t n) noexcept {
  double product = 1;
  for (size_t i = 2; i <= n; ++i)
    product *= static_cast<double>(i);
  return product;
}

/// ESTIMATORS' coefficients of `(-z)^n`, their fractions brought over one denominator: of every order 1, n +
/// 1 and half of (n + 1) (n + 2), each over (n + order)!, from the first or second of them on.
template <size_t Functions, size_t Terms>
constexpr table<Functions, Terms> coefficients(size_t order, size_t begin) noexcept {
  table<Functions, Terms> c{};
  for (size_t n = 0; n < Terms; ++n) {
    const std::array<size_t, 3> numerators{1, n + 1, (n + 1) * (n + 2) / 2};
    for (size_t f = 0; f < Functions; ++f)
      c[n][f] = static_cast<double>(numerators[begin + f]) / factorial(n + order);
  }
  return c;
}

/// Where they are summed, with as many terms as reach double precision there.
inline constexpr double second_below = 0.05;
inline constexpr double higher_below = 0.5;
inline constexpr auto second = coefficients<2, 8>(2, 0);
inline constexpr auto third = coefficients<3, 14>(3, 0);
inline constexpr auto fourth = coefficients<2, 14>(4, 1);

} // namespace integral_series

/// The functions that the moments of a two-state chain are made of (ESTIMATORS section 4), for a stretch of
/// length one: phi1, phi2 and psi, then d1 to d3 and g1, g2 where asked for. All are positive. Closed forms
/// where they keep twelve digits or more, series below.
/// @tparam Real  double, or lanes for two chains at once
template <class Real>
class chain_integrals {
public:
  /// @param z          length of the stretch in mean lives of the decay, positive
  /// @param inverse_z  `1 / z`, which callers have cheaper
  chain_integrals(Real z, Real inverse_z, const decay_of<Real>& mixing) noexcept
      : z_(z), inverse_z_(inverse_z), left_(mixing.left), phi1_(mixing.gone * inverse_z),
        phi2_((1 - phi1_) * inverse_z), psi_((phi1_ - left_) * inverse_z) {
    if (const auto small = z < integral_series::second_below; any(small)) {
      const auto s = sum(integral_series::second, z);
      phi2_ = small ? s[0] : phi2_;
      psi_ = small ? s[1] : psi_;
    }
  }

  Real left() const noexcept { return left_; }

  Real phi1() const noexcept { return phi1_; }

  Real phi2() const noexcept { return phi2_; }

  Real psi() const noexcept { return psi_; }

  /// d1, d2, d3; the second is `big` as well.
  std::array<Real, 3> third() const noexcept {
    std::array<Real, 3> d{(0.5 - phi2_) * inverse_z_, (phi2_ - psi_) * inverse_z_,
                          (psi_ - left_ / 2) * inverse_z_};
    choose(d, integral_series::third);
    return d;
  }

  /// g1, g2
  std::array<Real, 2> fourth() const noexcept {
    const auto inverse_square = inverse_z_ * inverse_z_;
    std::array<Real, 2> g{(0.5 - 2 * phi2_ + psi_) * inverse_square,
                          (phi2_ - 2 * psi_ + left_ / 2) * inverse_square};
    choose(g, integral_series::fourth);
    return g;
  }

private:
  template <size_t Functions, size_t Terms>
  static std::array<Real, Functions> sum(const integral_series::table<Functions, Terms>& c, Real z) noexcept {
    std::array<Real, Functions> s{};
    for (auto n = Terms; n-- > 0;)
      for (size_t f = 0; f < Functions; ++f)
        s[f] = c[n][f] - z * s[f];
    return s;
  }

  /// Puts the series where the closed forms are not good enough.
  template <size_t Functions, size_t Terms>
  void choose(std::array<Real, Functions>& closed,
              const integral_series::table<Functions, Terms>& c) const noexcept {
    if (const auto small = z_ < integral_series::higher_below; any(small)) {
      const auto s = sum(c, z_);
      for (size_t f = 0; f < Functions; ++f)
        closed[f] = small ? s[f] : closed[f];
    }
  }

  Real z_;
  Real inverse_z_;
  Real left_;
  Real phi1_;
  Real phi2_;
  Real psi_;
};

} // namespace storemon::estimate
