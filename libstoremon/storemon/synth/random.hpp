#pragma once

#include "storemon/model/instant.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace storemon::synth {

/// Random numbers by integer arithmetic alone, so that a seed means the same on every machine: the standard
/// library's distributions, and floating-point logarithms, differ between machines. The generator is
/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
class random_source {
public:
  /// Streams of one seed are independent of each other.
  random_source(uint64_t seed, uint64_t stream) noexcept : state_(mix(seed ^ mix(stream + golden))) {}

  /// Uniform over all 64-bit values.
  uint64_t next() noexcept { return mix(state_ += golden); }

  /// Uniform in [0, n), n > 0; biased by less than n / 2^64.
  uint64_t below(uint64_t n) noexcept { return scaled(n, next()); }

  /// Uniform in [low, high].
  uint64_t between(uint64_t low, uint64_t high) noexcept { return low + below(high - low + 1); }

  duration between(duration low, duration high) noexcept {
    return duration(static_cast<int64_t>(
        between(static_cast<uint64_t>(low.count()), static_cast<uint64_t>(high.count()))));
  }

  bool chance(uint64_t per_mille) noexcept { return below(1000) < per_mille; }

  /// In [low, high] with density 1 / x, so that every doubling is equally likely; low > 0. By rejection.
  duration spread(duration low, duration high) noexcept {
    for (;;) {
      const auto x = between(low, high);
      if (below(static_cast<uint64_t>(x.count())) < static_cast<uint64_t>(low.count()))
        return x;
    }
  }

  /// Exponential with that mean, at least one microsecond. By comparisons alone (J. von Neumann: "Various
  /// techniques used in connection with random digits", 1951): of descending runs of uniform numbers those of
  /// odd length begin with the fraction of an exponential one, and those of even length add one to its whole.
  duration exponential(duration mean) noexcept {
    for (int64_t whole = 0;; ++whole) {
      const auto first = next();
      bool odd = true;
      for (auto last = first;; odd = !odd) {
        const auto u = next();
        if (u >= last)
          break;
        last = u;
      }
      if (odd)
        return mean * whole +
               duration(1 + static_cast<int64_t>(scaled(static_cast<uint64_t>(mean.count()), first)));
    }
  }

  template <class T>
  void shuffle(std::vector<T>& values) noexcept {
    for (auto left = values.size(); left > 1; --left)
      std::swap(values[left - 1], values[below(left)]);
  }

private:
  static constexpr uint64_t golden = 0x9e3779b97f4a7c15;

  static constexpr uint64_t mix(uint64_t z) noexcept {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  /// n * u / 2^64
  static constexpr uint64_t scaled(uint64_t n, uint64_t u) noexcept {
    __extension__ using wide = unsigned __int128;
    return static_cast<uint64_t>((static_cast<wide>(n) * u) >> 64);
  }

  uint64_t state_;
};

} // namespace storemon::synth
