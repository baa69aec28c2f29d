#include "storemon/estimate/two_state_chain.hpp"

#include <algorithm>
#include <cstddef>

namespace storemon::estimate {

namespace {

/// Below this many mean lives the closed forms would cancel and series are summed.
constexpr double series_below = 0.5;

/// That many terms reach double precision below it.
constexpr size_t terms = 14;

constexpr double factorial(size_t n) noexcept {
  double product = 1;
  for (size_t i = 2; i <= n; ++i)
    product *= static_cast<double>(i);
  return product;
}

template <size_t Functions>
using series = std::array<std::array<double, Functions>, terms>;

// The coefficients of ESTIMATORS section 4, their fractions brought over one denominator: exact up to the one
// division.

constexpr auto second_order = [] {
  series<2> c{};
  for (size_t n = 0; n < terms; ++n)
    c[n] = {1 / factorial(n + 2), static_cast<double>(n + 1) / factorial(n + 2)};
  return c;
}();

constexpr auto third_order = [] {
  series<3> c{};
  for (size_t n = 0; n < terms; ++n)
    c[n] = {1 / factorial(n + 3), static_cast<double>(n + 1) / factorial(n + 3),
            static_cast<double>((n + 1) * (n + 2) / 2) / factorial(n + 3)};
  return c;
}();

constexpr auto fourth_order = [] {
  series<2> c{};
  for (size_t n = 0; n < terms; ++n)
    c[n] = {static_cast<double>(n + 1) / factorial(n + 4),
            static_cast<double>((n + 1) * (n + 2) / 2) / factorial(n + 4)};
  return c;
}();

template <size_t Functions>
std::array<double, Functions> sum(const series<Functions>& c, double z) noexcept {
  auto s = c[terms - 1];
  for (auto n = terms - 1; n-- > 0;)
    for (size_t f = 0; f < Functions; ++f)
      s[f] = c[n][f] - z * s[f];
  return s;
}

/// The functions of ESTIMATORS section 4 for a stretch of length one and `z` mean lives.
struct integrals {
  double z;
  double left;
  double phi1;
  double phi2, psi;

  integrals(double lives, const decay& mixing) noexcept : z(lives), left(mixing.left), phi1(mixing.gone / z) {
    if (z < series_below) {
      const auto s = sum(second_order, z);
      phi2 = s[0];
      psi = s[1];
    } else {
      phi2 = (1 - phi1) / z;
      psi = (phi1 - left) / z;
    }
  }

  /// d1, d2, d3; the second is `big` as well.
  std::array<double, 3> third() const noexcept {
    if (z < series_below)
      return sum(third_order, z);
    return {(0.5 - phi2) / z, (phi2 - psi) / z, (psi - left / 2) / z};
  }

  /// g1, g2
  std::array<double, 2> fourth() const noexcept {
    if (z < series_below)
      return sum(fourth_order, z);
    return {(0.5 - 2 * phi2 + psi) / (z * z), (phi2 - 2 * psi + left / 2) / (z * z)};
  }
};

/// Entries of K1 and K2.
struct weighted {
  double active;
  double half_square;
};

/// A chain over a stretch: its integrals put together to the entries of K1 and K2.
class stretch {
public:
  stretch(const two_state_chain& c, double length, const decay& mixing) noexcept
      : rho_(c.share[0]), pi_(c.share[1]), failing_(c.failing * length), recovering_(c.recovering * length),
        of_(c.rate() * length, mixing) {}

  weighted stays_active() const noexcept {
    return {pi_ * pi_ + 2 * pi_ * rho_ * of_.phi1 + rho_ * rho_ * of_.left,
            pi_ * pi_ * pi_ / 2 + 3 * pi_ * rho_ * (pi_ * of_.phi2 + rho_ * of_.psi) +
                rho_ * rho_ * rho_ * of_.left / 2};
  }

  weighted fails() const noexcept { return changes(failing_); }

  weighted recovers() const noexcept { return changes(recovering_); }

  weighted stays_inactive() const noexcept {
    const auto [g1, g2] = of_.fourth();
    const double twice = failing_ * recovering_;
    return {twice * of_.third()[1], twice * (pi_ * g1 + rho_ * g2)};
  }

private:
  weighted changes(double times) const noexcept {
    const auto [d1, d2, d3] = of_.third();
    return {times * (pi_ * of_.phi2 + rho_ * of_.psi),
            times * (pi_ * pi_ * d1 + 2 * pi_ * rho_ * d2 + rho_ * rho_ * d3)};
  }

  double rho_, pi_;
  double failing_, recovering_; ///< expected changes, were the state to stay as it is
  integrals of_;
};

/// Of paths of that probability.
moments given(double chance, double active, double half_square) noexcept {
  const double mean = std::min(active / chance, 1.0);
  return {mean, std::max(0.0, 2 * half_square / chance - mean * mean)};
}

double product(const by_state& from, const by_transition& through, const by_state& to) noexcept {
  return from[0] * (through[0][0] * to[0] + through[0][1] * to[1]) +
         from[1] * (through[1][0] * to[0] + through[1][1] * to[1]);
}

} // namespace

passage pass(const two_state_chain& c, double length, const decay& mixing) noexcept {
  const stretch s(c, length, mixing);
  const auto k00 = s.stays_inactive();
  const auto k01 = s.recovers();
  const auto k10 = s.fails();
  const auto k11 = s.stays_active();
  return {transitions(c, mixing),
          {{{k00.active, k01.active}, {k10.active, k11.active}}},
          {{{k00.half_square, k01.half_square}, {k10.half_square, k11.half_square}}}};
}

moments active_between(const two_state_chain& c, double length, const decay& mixing, bool from,
                       bool to) noexcept {
  const stretch s(c, length, mixing);
  const auto k =
      from == to ? (from ? s.stays_active() : s.stays_inactive()) : (from ? s.fails() : s.recovers());
  return given(transitions(c, mixing)[from][to], k.active, k.half_square);
}

moments active_between(const passage& through, const by_state& from, const by_state& to) noexcept {
  return given(product(from, through.chance, to), product(from, through.active, to),
               product(from, through.half_square, to));
}

} // namespace storemon::estimate
