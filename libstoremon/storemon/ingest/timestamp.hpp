#pragma once

#include "storemon/ingest/words.hpp"
#include "storemon/model/instant.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace storemon::ingest {

/// parse_instant, and quick for what polls look like: `20YY-MM-DD HH:MM:SS[.f{1,8}] UTC`. Polls come from few
/// days, so it remembers when days begin.
class timestamp_reader {
public:
  timestamp_reader() noexcept {
    days_.fill({words::load("00-01-01"), std::chrono::sys_days{std::chrono::days{10957}}});
  }

  /// Sets `at` to what parse_instant makes of the text. (An optional would pass through memory, in two halves
  /// that are read back as one: slower than all the rest here.)
  /// @returns false where parse_instant has nothing.
  [[gnu::always_inline]] bool read(std::string_view text, instant& at) noexcept {
    constexpr size_t bare_bytes = 23; // without a fraction
    constexpr uint64_t colons = 0x0000ff0000ff0000;
    constexpr uint64_t hours_minutes_seconds = 0x00ff0000ff0000ff;
    if (text.size() < bare_bytes || text.size() > bare_bytes + 9 || text.size() == bare_bytes + 1)
      return read_slowly(text, at);
    const char* const begin = text.data();
    const char* const zone = begin + text.size() - 4;
    const auto date = words::load(begin + 2);
    const auto& day = days_[slot_of(date)];
    const auto time = words::load(begin + 11) ^ words::load("00:00:00");
    const auto pairs = words::pairs(time);
    auto misfit = (date ^ day.date) | words::excess(time, words::repeat(9) & ~colons) |
                  words::excess(pairs & hours_minutes_seconds, 23 | uint64_t{59} << 24 | uint64_t{59} << 48) |
                  (words::load(zone - 4) ^ words::load("0000 UTC")) >> 32;
    misfit |= static_cast<uint64_t>((begin[0] ^ '2') | (begin[1] ^ '0') | (begin[10] ^ ' '));
    uint32_t micros = 0;
    if (text.size() > bare_bytes) {
      const auto surplus = 8 * (8 - (text.size() - bare_bytes - 1));
      const auto digits = (words::load(zone - 8) ^ words::repeat('0')) >> surplus;
      misfit |= words::excess(digits, words::repeat(9)) | static_cast<uint64_t>(begin[19] ^ '.');
      micros = words::number(digits) / 100;
    }
    if (misfit != 0)
      return read_slowly(text, at);
    const auto seconds = (pairs & 0xff) * 3600 + (pairs >> 24 & 0xff) * 60 + (pairs >> 48 & 0xff);
    at = day.begin + duration(static_cast<int64_t>(seconds * 1'000'000 + micros));
    return true;
  }

private:
  /// A day of this century: `YY-MM-DD` as a word. Every entry tells the truth at any time.
  struct known_day {
    uint64_t date;
    instant begin;
  };

  /// The days of four months in a row have slots of their own (from October on, of fewer).
  static size_t slot_of(uint64_t date) noexcept {
    return (date >> 52 & 0xf0) | (date >> 30 & 0x0c) | (date >> 48 & 0x03);
  }

  bool read_slowly(std::string_view text, instant& at) noexcept;

  std::array<known_day, 256> days_;
};

} // namespace storemon::ingest
