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

/// Which of the 16 bytes at `at` are `c`: bit i for `at[i]`.
class piece {
public:
#if defined(__SSE2__)
  explicit piece(const char* at) noexcept : bytes_(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))) {}

  uint32_t where(char c) const noexcept {
    return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes_, _mm_set1_epi8(c))));
  }

  /// A comma, a line feed or a quote.
  uint32_t where_delimiter() const noexcept {
    const auto is = [this](char c) { return _mm_cmpeq_epi8(bytes_, _mm_set1_epi8(c)); };
    return static_cast<uint32_t>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(is(','), is('\n')), is('"'))));
  }

private:
  __m128i bytes_;
#else
  explicit piece(const char* at) noexcept : bytes_(at) {}

  uint32_t where(char c) const noexcept {
    uint32_t found = 0;
    for (int i = 0; i < 16; ++i)
      found |= static_cast<uint32_t>(bytes_[i] == c) << i;
    return found;
  }

  uint32_t where_delimiter() const noexcept {
    return where(',') | where('\n') | where('"');
  }

private:
  const char* bytes_;
#endif
};

/// Where the first mark stands in the 64 bytes at `at`; 64: nowhere.
template <class Marks>
[[gnu::always_inline]] inline size_t find(const char* at, Marks marks) noexcept {
  for (size_t begin = 0; begin < 64; begin += 32) {
    const auto found = marks(piece(at + begin)) | marks(piece(at + begin + 16)) << 16;
    if (found != 0)
      return begin + static_cast<size_t>(std::countr_zero(found));
  }
  return 64;
}

/// Reads `STORE,STATUS,TIMESTAMP` and its line end, plainly written: no quote, an id below 64 bytes, a
/// timestamp of `YYYY-MM-DD HH:MM:SS UTC` or longer.
/// @param at where bytes_needed bytes can be read.
/// @returns the bytes of the line with its line end; 0 if the line is declined.
[[gnu::always_inline]] inline size_t read(const char* at, timestamp_reader& timestamps,
                                          status_row& row) noexcept {
  // The line end is looked for first, and by itself: so the processor can begin with the next line early.
  // What stands before is checked in full below; no line feed passes there.
  constexpr size_t line_end_min = 32; // of `1,active,2023-01-22 12:09:39 UTC`
  const auto line_end = line_end_min + find(at + line_end_min, [](piece p) { return p.where('\n'); });
  const auto id_bytes = find(at, [](piece p) { return p.where_delimiter(); });
  if (id_bytes == 0 || id_bytes == 64 || at[id_bytes] != ',')
    return 0;

  const char* const status = at + id_bytes + 1;
  const auto word = words::load(status) | words::repeat(' '); // in lower case
  // Which of the two it is is hard to foresee, so there is no branch on it.
  const bool inactive = word == words::load("inactive");
  const bool active = (word << 16) == (words::load("active  ") << 16);
  const char* const time = status + 7 + 2 * inactive;
  const auto line = at + line_end;
  if (!(active | inactive) || time[-1] != ',' || line < time || *line != '\n')
    return 0;

  instant seen;
  if (!timestamps.read({time, static_cast<size_t>(line - time) - (line[-1] == '\r')}, seen))
    return 0;
  row.store = {at, id_bytes};
  row.seen = observation(seen, static_cast<store_status>(active));
  return line_end + 1;
}

} // namespace poll_line

} // namespace storemon::ingest
