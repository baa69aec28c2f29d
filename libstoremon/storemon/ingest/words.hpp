#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

/// Eight characters at a time: a word holds them with the first one in its lowest byte.
namespace storemon::ingest::words {

constexpr uint64_t load(const char* text) noexcept {
  uint64_t word = 0;
  if (!std::is_constant_evaluated() && std::endian::native == std::endian::little) {
    std::memcpy(&word, text, sizeof word);
    return word;
  }
  for (int i = 0; i < 8; ++i)
    word |= uint64_t{static_cast<unsigned char>(text[i])} << (8 * i);
  return word;
}

/// Each of the eight bytes the same.
constexpr uint64_t repeat(unsigned char byte) noexcept {
  return uint64_t{0x0101010101010101} * byte;
}

/// Not 0 if a byte of `values` is greater than the same byte of `limits`, all of which are below 128. (Each
/// byte is topped up so that its highest bit shows an excess; a carry into the next byte comes only from one
/// that shows by itself.)
constexpr uint64_t excess(uint64_t values, uint64_t limits) noexcept {
  return (values | (values + (repeat(0x7f) - limits))) & repeat(0x80);
}

/// In each byte the number that its digit and the next one make.
constexpr uint64_t pairs(uint64_t digits) noexcept {
  return digits * 10 + (digits >> 8);
}

/// The number that eight digits make: two, four, then eight of them together.
constexpr uint32_t number(uint64_t digits) noexcept {
  constexpr uint64_t first_of_four = 0x000000ff000000ff;
  const auto twos = pairs(digits);
  return static_cast<uint32_t>(((twos & first_of_four) * (100 + (uint64_t{1'000'000} << 32)) +
                                (twos >> 16 & first_of_four) * (1 + (uint64_t{10'000} << 32))) >>
                               32);
}

} // namespace storemon::ingest::words
