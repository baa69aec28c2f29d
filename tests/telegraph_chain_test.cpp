/// The two-state chain against matrix exponentials in fifty digits, over the whole grid and gaps from a
/// microsecond to four weeks.
#include "storemon/estimate/behaviour.hpp"

#include <catch2/catch.hpp>

#include <boost/multiprecision/cpp_bin_float.hpp>

#include <cmath>
#include <vector>

namespace {

using namespace storemon::estimate;
using exact = boost::multiprecision::cpp_bin_float_50;
using matrix = std::array<std::array<exact, 2>, 2>;

matrix operator+(const matrix& a, const matrix& b) {
  return {{{a[0][0] + b[0][0], a[0][1] + b[0][1]}, {a[1][0] + b[1][0], a[1][1] + b[1][1]}}};
}

matrix operator*(const matrix& a, const matrix& b) {
  matrix m;
  for (size_t i = 0; i < 2; ++i)
    for (size_t j = 0; j < 2; ++j)
      m[i][j] = a[i][0] * b[0][j] + a[i][1] * b[1][j];
  return m;
}

/// `zeroth + first * e + second * e^2` with e^3 = 0. The exponential of `length * (Q + e * D)`, Q the rates
/// and D one where active, has P, K1 and K2 for coefficients: the moments' generating function.
struct dual {
  matrix zeroth, first, second;

  friend dual operator+(const dual& a, const dual& b) {
    return {a.zeroth + b.zeroth, a.first + b.first, a.second + b.second};
  }

  friend dual operator*(const dual& a, const dual& b) {
    return {a.zeroth * b.zeroth, a.zeroth * b.first + a.first * b.zeroth,
            a.zeroth * b.second + a.first * b.first + a.second * b.zeroth};
  }
};

/// Everything in units of the length, as paths are.
dual exponential(const two_state_chain& c, double length) {
  exact failing = exact(c.failing) * length;
  exact recovering = exact(c.recovering) * length;
  exact unit = 1;
  int halvings = 0;
  for (; failing + recovering + unit > exact(0.125); ++halvings) {
    failing /= 2;
    recovering /= 2;
    unit /= 2;
  }
  const dual step{{{{-recovering, recovering}, {failing, -failing}}}, {{{0, 0}, {0, unit}}}, {}};
  const dual one{{{{1, 0}, {0, 1}}}, {}, {}};
  dual sum = one;
  for (int n = 30; n >= 1; --n) {
    const exact part = exact(1) / n;
    sum = one + dual{{{{part, 0}, {0, part}}}, {}, {}} * step * sum;
  }
  for (; halvings > 0; --halvings)
    sum = sum * sum;
  return sum;
}

/// Seconds from a microsecond to four weeks, a third of a decade apart.
std::vector<double> lengths() {
  std::vector<double> all;
  for (double length = 1e-6; length < 28 * 86'400.0; length *= 2.15)
    all.push_back(length);
  all.push_back(28 * 86'400.0);
  return all;
}

double relative_error(double value, const exact& truth) {
  return std::abs(static_cast<double>((value - truth) / truth));
}

} // namespace

TEST_CASE("probabilities and moments of a stretch are precise over the whole grid and all lengths") {
  double worst_chance = 0;
  double worst_active = 0;
  double worst_half_square = 0;
  double worst_mean = 0;
  double worst_variance = 0;
  for (const auto length : lengths()) {
    const grid_decays decays(length);
    for (size_t k = 0; k < chains; ++k) {
      const auto& c = grid_chains[k];
      const auto truth = exponential(c, length);
      const passage p(c, length, 1 / length, decays[k]);
      for (const bool from : {false, true})
        for (const bool to : {false, true}) {
          const auto taken = p.between(from, to);
          const auto& chance = truth.zeroth[from][to];
          const exact mean = truth.first[from][to] / chance;
          const exact variance = 2 * truth.second[from][to] / chance - mean * mean;
          worst_chance = std::max(worst_chance, relative_error(taken.chance, chance));
          worst_active = std::max(worst_active, relative_error(taken.active, truth.first[from][to]));
          worst_half_square =
              std::max(worst_half_square, relative_error(taken.half_square, truth.second[from][to]));
          const auto m = taken.given();
          worst_mean = std::max(worst_mean, relative_error(m.mean, mean));
          worst_variance = std::max(worst_variance, std::abs(m.variance - static_cast<double>(variance)));
          REQUIRE(m.variance >= 0);
          REQUIRE(m.mean >= 0);
          REQUIRE(m.mean <= 1 + 1e-15);
        }
    }
  }
  CHECK(worst_chance < 2e-13);
  CHECK(worst_active < 2e-13);
  CHECK(worst_half_square < 2e-13);
  CHECK(worst_mean < 2e-13);
  CHECK(worst_variance < 2e-13); // of the square of the length
}

TEST_CASE("what is gone and what is left of a decay are both precise, however small") {
  for (double times = 1e-15; times < 700; times *= 1.7) {
    CAPTURE(times);
    const auto d = decay_over(times);
    CHECK(d.gone == Approx(-std::expm1(-times)).epsilon(1e-15));
    CHECK(d.left == Approx(std::exp(-times)).epsilon(2e-16 * (4 + 4 * times)));
  }
  CHECK(decay_over(0).gone == 0);
  CHECK(decay_over(0).left == 1);
  CHECK(decay_over(1e9).gone == Approx(1).epsilon(1e-15));
  CHECK(decay_over(1e9).left == 0);
}

TEST_CASE("the paths onwards from a state are those to either state") {
  for (const auto length : lengths())
    for (const auto& c : grid_chains) {
      const passage p(c, length, 1 / length, decay_over(c.rate * length));
      for (const bool from : {false, true}) {
        const auto all = p.onwards(from);
        const auto sum = p.between(from, false) + p.between(from, true);
        REQUIRE(all.chance == Approx(sum.chance).epsilon(1e-12));
        REQUIRE(all.active == Approx(sum.active).epsilon(1e-12));
        REQUIRE(all.half_square == Approx(sum.half_square).epsilon(1e-12));
      }
    }
}
