#pragma once

namespace storemon::estimate {

/// Two doubles that every operator works on at once, each as if it were alone; the processor has had that for
/// longer than it has been a 64-bit one, so nothing is chosen at run time and the bits are the same
/// everywhere.
typedef double lanes __attribute__((vector_size(16)));

/// Of a comparison: whether it holds for any of the numbers compared.
inline bool any(bool holds) noexcept {
  return holds;
}

template <class Mask>
bool any(const Mask& holds) noexcept {
  return (holds[0] | holds[1]) != 0;
}

} // namespace storemon::estimate
