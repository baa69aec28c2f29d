#pragma once

#include "storemon/ingest/rows.hpp"
#include "storemon/ingest/words.hpp"

#include <bit>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace storemon::ingest {

/// The shortcut through the one kind of line that bulk data are made of. It may decline any line: then the
/// way over record_reader and read_row says what it is.
namespace poll_line {

/// A line is read only where so many bytes follow, so that words can be loaded without asking.
inline constexpr size_t bytes_needed = 128;

/// Bit i is set when `at[i]`, of 16, is a comma, a line feed or a quote.
inline uint32_t delimiters(const char* at) noexcept {
#if defined(__SSE2__)
  const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  const auto is = [&](char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); };
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(is(','), is('\n')), is('"'))));
#else
  uint32_t found = 0;
  for (int i = 0; i < 16; ++i)
    found |= static_cast<uint32_t>(at[i] == ',' || at[i] == '\n' || at[i] == '"') << i;
  return found;
#endif
}

/// Reads `STORE,STATUS,TIMESTAMP` and its line end, plainly written: no quote, the id below 64 bytes, the
/// timestamp of at least 19.
/// @param at where bytes_needed bytes can be read.
/// @returns the bytes of the line with its line end; 0 if the line is declined.
inline size_t read(const char* at, timestamp_reader& timestamps, status_row& row) noexcept {
  size_t id_bytes = 0;
  auto found = delimiters(at);
  while (found == 0) {
    id_bytes += 16;
    if (id_bytes == 64)
      return 0;
    found = delimiters(at + id_bytes);
  }
  id_bytes += static_cast<size_t>(std::countr_zero(found));
  if (id_bytes == 0 || at[id_bytes] != ',')
    return 0;

  const char* const status = at + id_bytes + 1;
  constexpr uint64_t lower_case = words::repeat(' ');
  const auto word = words::load(status) | lower_case;
  // Which of the two it is is hard to foresee, so there is no branch on it.
  const bool inactive = word == words::load("inactive");
  const bool active = (word << 16) == (words::load("active  ") << 16);
  const char* const time = status + (inactive ? 9 : 7);
  if (!(active | inactive) || time[-1] != ',')
    return 0;

  constexpr size_t time_bytes_min = 19;
  const auto line_end = delimiters(time + time_bytes_min);
  if (line_end == 0)
    return 0;
  const auto time_bytes = time_bytes_min + static_cast<size_t>(std::countr_zero(line_end));
  if (time[time_bytes] != '\n')
    return 0;
  const auto seen = timestamps.read({time, time_bytes - (time[time_bytes - 1] == '\r')});
  if (!seen)
    return 0;
  row.store = {at, id_bytes};
  row.seen = observation(*seen, static_cast<store_status>(active));
  return static_cast<size_t>(time - at) + time_bytes + 1;
}

} // namespace poll_line

} // namespace storemon::ingest
