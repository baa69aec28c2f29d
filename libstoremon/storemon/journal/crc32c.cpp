#include "storemon/journal/crc32c.hpp"

#include <array>
#include <cstring>

namespace storemon::journal {

namespace {

constexpr uint32_t polynomial = 0x82f63b78; // reflected

/// `tables[k][b]`: what byte b, followed by k zero bytes, adds to the remainder.
constexpr auto tables = [] {
  std::array<std::array<uint32_t, 256>, 8> t{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit)
      rest = (rest >> 1) ^ ((rest & 1) != 0 ? polynomial : 0);
    t[0][byte] = rest;
  }
  for (size_t k = 1; k < t.size(); ++k)
    for (size_t byte = 0; byte < 256; ++byte)
      t[k][byte] = (t[k - 1][byte] >> 8) ^ t[0][t[k - 1][byte] & 0xff];
  return t;
}();

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) uint32_t by_instruction(std::string_view bytes, uint32_t before) noexcept {
  uint64_t rest = ~before;
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    rest = __builtin_ia32_crc32di(rest, word);
  }
  auto narrow = static_cast<uint32_t>(rest);
  for (; left > 0; ++at, --left)
    narrow = __builtin_ia32_crc32qi(narrow, static_cast<unsigned char>(*at));
  return ~narrow;
}

const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;

#endif

} // namespace

uint32_t crc32c_by_table(std::string_view bytes, uint32_t before) noexcept {
  uint32_t rest = ~before;
  const char* at = bytes.data();
  size_t left = bytes.size();
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(at[i]); };
  for (; left >= 8; at += 8, left -= 8)
    rest = tables[7][byte(0) ^ (rest & 0xff)] ^ tables[6][byte(1) ^ ((rest >> 8) & 0xff)] ^
           tables[5][byte(2) ^ ((rest >> 16) & 0xff)] ^ tables[4][byte(3) ^ (rest >> 24)] ^
           tables[3][byte(4)] ^ tables[2][byte(5)] ^ tables[1][byte(6)] ^ tables[0][byte(7)];
  for (; left > 0; ++at, --left)
    rest = (rest >> 8) ^ tables[0][byte(0) ^ (rest & 0xff)];
  return ~rest;
}

uint32_t crc32c(std::string_view bytes, uint32_t before) noexcept {
#if defined(__x86_64__)
  if (has_instruction)
    return by_instruction(bytes, before);
#endif
  return crc32c_by_table(bytes, before);
}

} // namespace storemon::journal
