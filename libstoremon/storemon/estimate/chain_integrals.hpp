#pragma once

#include "storemon/estimate/decay.hpp"

#include <array>
#include <cstddef>

namespace storemon::estimate {

/// The functions that the moments of a two-state chain are made of (ESTIMATORS section 4), for a stretch of
/// length one: phi1, phi2 and psi, then d1 to d3 and g1, g2 where asked for. All are positive. Closed forms
/// where they keep twelve digits or more, series below.
class chain_integrals {
public:
  /// @param z          length of the stretch in mean lives of the decay, positive
  /// @param inverse_z  `1 / z`, which callers have cheaper
  chain_integrals(double z, double inverse_z, const decay& mixing) noexcept
      : z_(z), inverse_z_(inverse_z), left_(mixing.left), phi1_(mixing.gone * inverse_z) {
    if (z < second_below) {
      const auto s = sum(second_series, z);
      phi2_ = s[0];
      psi_ = s[1];
    } else {
      phi2_ = (1 - phi1_) * inverse_z_;
      psi_ = (phi1_ - left_) * inverse_z_;
    }
  }

  double left() const noexcept { return left_; }

  double phi1() const noexcept { return phi1_; }

  double phi2() const noexcept { return phi2_; }

  double psi() const noexcept { return psi_; }

  /// d1, d2, d3; the second is `big` as well.
  std::array<double, 3> third() const noexcept {
    if (z_ < higher_below)
      return sum(third_series, z_);
    return {(0.5 - phi2_) * inverse_z_, (phi2_ - psi_) * inverse_z_, (psi_ - left_ / 2) * inverse_z_};
  }

  /// g1, g2
  std::array<double, 2> fourth() const noexcept {
    if (z_ < higher_below)
      return sum(fourth_series, z_);
    const double inverse_square = inverse_z_ * inverse_z_;
    return {(0.5 - 2 * phi2_ + psi_) * inverse_square, (phi2_ - 2 * psi_ + left_ / 2) * inverse_square};
  }

private:
  static constexpr double second_below = 0.05;
  static constexpr double higher_below = 0.5;

  template <size_t Functions, size_t Terms>
  using series = std::array<std::array<double, Functions>, Terms>;

  static constexpr double factorial(size_t n) noexcept {
    double product = 1;
    for (size_t i = 2; i <= n; ++i)
      product *= static_cast<double>(i);
    return product;
  }

  /// ESTIMATORS' coefficients of `(-z)^n`, their fractions brought over one denominator: of every order 1,
  /// n + 1, or half of (n + 1) (n + 2) over (n + order)!. The first function of the order is `skipped`.
  template <size_t Functions, size_t Terms>
  static constexpr series<Functions, Terms> coefficients(size_t order, size_t skipped) noexcept {
    series<Functions, Terms> c{};
    for (size_t n = 0; n < Terms; ++n) {
      const std::array<size_t, 3> numerators{1, n + 1, (n + 1) * (n + 2) / 2};
      for (size_t f = 0; f < Functions; ++f)
        c[n][f] = static_cast<double>(numerators[f + skipped]) / factorial(n + order);
    }
    return c;
  }

  // As many terms as reach double precision below the bounds above.
  static const series<2, 8> second_series;
  static const series<3, 14> third_series;
  static const series<2, 14> fourth_series;

  template <size_t Functions, size_t Terms>
  static std::array<double, Functions> sum(const series<Functions, Terms>& c, double z) noexcept {
    auto s = c[Terms - 1];
    for (auto n = Terms - 1; n-- > 0;)
      for (size_t f = 0; f < Functions; ++f)
        s[f] = c[n][f] - z * s[f];
    return s;
  }

  double z_;
  double inverse_z_;
  double left_;
  double phi1_;
  double phi2_;
  double psi_;
};

inline constexpr chain_integrals::series<2, 8> chain_integrals::second_series = coefficients<2, 8>(2, 0);
inline constexpr chain_integrals::series<3, 14> chain_integrals::third_series = coefficients<3, 14>(3, 0);
inline constexpr chain_integrals::series<2, 14> chain_integrals::fourth_series = coefficients<2, 14>(4, 1);

} // namespace storemon::estimate
