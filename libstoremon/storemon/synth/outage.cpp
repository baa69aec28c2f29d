#include "storemon/synth/outage.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace storemon::synth {

namespace {

constexpr std::array<std::pair<outage_law, std::string_view>, 4> names{
    {{outage_law::exponential, "exponential"},
     {outage_law::weibull, "weibull"},
     {outage_law::log_normal, "lognormal"},
     {outage_law::fixed, "fixed"}}};

/// An exponential number of mean one.
double exponential(random_source& random) noexcept {
  constexpr int64_t one = int64_t{1} << 40;
  return static_cast<double>(random.exponential(duration(one)).count()) / one;
}

/// The normal distribution, either sign, by rejection of exponential numbers (J. von Neumann, as cited at
/// random_source::exponential).
double normal(random_source& random) noexcept {
  for (;;) {
    const double size = exponential(random);
    if (2 * exponential(random) >= (size - 1) * (size - 1))
      return random.chance(500) ? size : -size;
  }
}

/// e^x by IEEE operations that every machine rounds alike, as the mathematical library's are not.
double exp(double x) noexcept {
  int doublings = 0;
  for (; std::abs(x) > 0.25; x /= 2)
    ++doublings;
  constexpr int terms = 14;
  double sum = 1;
  for (int n = terms; n > 0; --n)
    sum = 1 + x * sum / n;
  for (; doublings > 0; --doublings)
    sum *= sum;
  return sum;
}

/// How many means an outage lasts.
double draw_factor(random_source& random, outage_law law) noexcept {
  switch (law) {
  case outage_law::weibull: { // the square of an exponential number has mean 2
    const double root = exponential(random);
    return root * root / 2;
  }
  case outage_law::log_normal: // e to a normal number has mean e^(1/2)
    return exp(normal(random) - 0.5);
  case outage_law::exponential:
  case outage_law::fixed:
    break;
  }
  return 1;
}

} // namespace

std::string_view to_string(outage_law law) noexcept {
  return std::find_if(names.begin(), names.end(), [&](const auto& n) { return n.first == law; })->second;
}

std::optional<outage_law> parse_outage_law(std::string_view text) noexcept {
  const auto found =
      std::find_if(names.begin(), names.end(), [&](const auto& n) { return n.second == text; });
  if (found == names.end())
    return std::nullopt;
  return found->first;
}

duration draw_outage(random_source& random, outage_law law, duration mean) noexcept {
  if (law == outage_law::exponential)
    return random.exponential(mean);
  const double length = static_cast<double>(mean.count()) * draw_factor(random, law);
  return duration(std::max<int64_t>(1, std::llround(length)));
}

} // namespace storemon::synth
