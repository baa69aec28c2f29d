#pragma once

#include <array>
#include <cstddef>
#include <cstring>

namespace storemon::estimate {

/// Doubles that every operator works on at once, each as if it were alone: a number has the same bits in
/// lanes of any width as outside of them.
///
/// Functions take and give them by reference or inside of larger structures, never alone by value: how that
/// is done differs between code for processors with AVX2 and code for any.
typedef double two_lanes __attribute__((vector_size(16)));

typedef double four_lanes __attribute__((vector_size(32)));

template <class Lanes>
inline constexpr size_t width = sizeof(Lanes) / sizeof(double);

/// As many numbers as are brought together to be worked on at once: whatever the width of the lanes, so that
/// it shows in no sum.
inline constexpr size_t block_size = 4;

struct alignas(sizeof(four_lanes)) block : std::array<double, block_size> {};

inline constexpr block ones{{1, 1, 1, 1}};

/// The sum that is the same in any width.
inline double sum_of(const block& lanes) noexcept {
  return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
}

/// As many numbers as fit.
template <class Lanes, class Number>
void load(Lanes& lanes, const Number* from) noexcept {
  static_assert(sizeof(lanes[0]) == sizeof(Number));
  std::memcpy(&lanes, from, sizeof(lanes));
}

template <class Lanes, class Number>
void store(const Lanes& lanes, Number* to) noexcept {
  static_assert(sizeof(lanes[0]) == sizeof(Number));
  std::memcpy(to, &lanes, sizeof(lanes));
}

/// Of a comparison: whether it holds for any of the numbers compared.
inline bool any(bool holds) noexcept {
  return holds;
}

template <class Mask>
bool any(const Mask& holds) noexcept {
  auto some = holds[0];
  for (size_t i = 1; i < width<Mask>; ++i)
    some |= holds[i];
  return some != 0;
}

template <class Lanes>
double least(const Lanes& lanes) noexcept {
  double l = lanes[0];
  for (size_t i = 1; i < width<Lanes>; ++i)
    l = lanes[i] < l ? lanes[i] : l;
  return l;
}

} // namespace storemon::estimate
