#pragma once

#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/// Where the bytes stand that shape a CSV line.
namespace storemon::ingest::delimiters {

inline constexpr int block_bytes = 64;

/// Bit i is set when `at[i]` is a comma, a line feed or a quote; for `count` <= 64 bytes.
inline uint64_t find_bytewise(const char* at, int count) noexcept {
  uint64_t found = 0;
  for (int i = 0; i < count; ++i)
    found |= static_cast<uint64_t>(at[i] == ',' || at[i] == '\n' || at[i] == '"') << i;
  return found;
}

/// The same for a whole block.
inline uint64_t find_in_block(const char* at) noexcept {
#if defined(__SSE2__)
  const auto comma = _mm_set1_epi8(',');
  const auto feed = _mm_set1_epi8('\n');
  const auto quote = _mm_set1_epi8('"');
  const auto part = [&](int i) {
    const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at) + i);
    const auto hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, comma), _mm_cmpeq_epi8(bytes, feed)),
                                  _mm_cmpeq_epi8(bytes, quote));
    return static_cast<uint64_t>(static_cast<uint32_t>(_mm_movemask_epi8(hit))) << (16 * i);
  };
  return part(0) | part(1) | part(2) | part(3);
#else
  return find_bytewise(at, block_bytes);
#endif
}

} // namespace storemon::ingest::delimiters
