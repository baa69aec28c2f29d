#pragma once

#include "storemon/estimate/decay.hpp"
#include "storemon/estimate/power_series.hpp"

#include <array>
#include <cstddef>

namespace storemon::estimate {

/// The power series of chain_integrals.
namespace integral_series {

constexpr double factorial(size_t n) noexcept {
  double product = 1;
  for (size_t i = 2; i <= n; ++i)
    product *= static_cast<double>(i);
  return product;
}

/// ESTIMATORS' coefficients of `(-z)^n`, their fractions brought over one denominator: of every order 1, n +
/// 1 and half of (n + 1) (n + 2), each over (n + order)!.
/// @param which  of those three numerators
template <size_t Terms>
constexpr std::array<double, Terms> coefficients(size_t order, size_t which) noexcept {
  std::array<double, Terms> c{};
  for (size_t n = 0; n < Terms; ++n) {
    const std::array<size_t, 3> numerators{1, n + 1, (n + 1) * (n + 2) / 2};
    c[n] = static_cast<double>(numerators[which]) / factorial(n + order);
  }
  return c;
}

/// Where they are summed, with as many terms as reach double precision there.
inline constexpr double second_below = 0.05;
inline constexpr double higher_below = 0.5;
inline constexpr auto phi2 = coefficients<8>(2, 0);
inline constexpr auto psi = coefficients<8>(2, 1);
inline constexpr auto d1 = coefficients<14>(3, 0);
inline constexpr auto d3 = coefficients<14>(3, 2);
inline constexpr auto g1 = coefficients<14>(4, 1);
inline constexpr auto g2 = coefficients<14>(4, 2);

} // namespace integral_series

/// The functions that the moments of a two-state chain are made of (ESTIMATORS section 4), for a stretch of
/// length one: phi1, phi2 and psi, then d1 to d3 and g1, g2 where asked for. All are positive. Closed forms
/// where they keep twelve digits or more, series below.
/// @tparam Real  double, or lanes for several stretches at once
template <class Real>
class chain_integrals {
public:
  /// @param z          length of the stretch in mean lives of the decay, positive
  /// @param inverse_z  `1 / z`, which callers have cheaper
  /// @param least_z    the least of the lanes
  chain_integrals(const Real& z, const Real& inverse_z, const decay_of<Real>& mixing, double least_z) noexcept
      : z_(z), inverse_z_(inverse_z), least_z_(least_z), left_(mixing.left), phi1_(mixing.gone * inverse_z),
        phi2_((1 - phi1_) * inverse_z), psi_((phi1_ - left_) * inverse_z) {
    if (least_z < integral_series::second_below) {
      const auto small = z < integral_series::second_below;
      put_series(phi2_, small, integral_series::phi2, z);
      put_series(psi_, small, integral_series::psi, z);
    }
  }

  const Real& left() const noexcept { return left_; }

  const Real& phi1() const noexcept { return phi1_; }

  const Real& phi2() const noexcept { return phi2_; }

  const Real& psi() const noexcept { return psi_; }

  /// d1, d2, d3; the second is `big` as well.
  std::array<Real, 3> third() const noexcept {
    std::array<Real, 3> d{(0.5 - phi2_) * inverse_z_, (phi2_ - psi_) * inverse_z_,
                          (psi_ - left_ / 2) * inverse_z_};
    if (least_z_ < integral_series::higher_below) {
      const auto small = z_ < integral_series::higher_below;
      put_series(d[0], small, integral_series::d1, z_);
      put_series(d[2], small, integral_series::d3, z_);
      d[1] = small ? phi1_ / 2 - d[0] - d[2] : d[1]; // all three make up half of phi1
    }
    return d;
  }

  /// g1, g2
  std::array<Real, 2> fourth() const noexcept {
    const auto inverse_square = inverse_z_ * inverse_z_;
    std::array<Real, 2> g{(0.5 - 2 * phi2_ + psi_) * inverse_square,
                          (phi2_ - 2 * psi_ + left_ / 2) * inverse_square};
    if (least_z_ < integral_series::higher_below) {
      const auto small = z_ < integral_series::higher_below;
      put_series(g[0], small, integral_series::g1, z_);
      put_series(g[1], small, integral_series::g2, z_);
    }
    return g;
  }

private:
  /// Puts the series where the closed form is not good enough.
  template <size_t Terms, class Mask>
  static void put_series(Real& closed, const Mask& small, const std::array<double, Terms>& c,
                         const Real& z) noexcept {
    Real sum;
    sum_series(sum, c, z);
    closed = small ? sum : closed;
  }

  Real z_;
  Real inverse_z_;
  double least_z_;
  Real left_;
  Real phi1_;
  Real phi2_;
  Real psi_;
};

} // namespace storemon::estimate
