#pragma once

#include "storemon/ingest/words.hpp"
#include "storemon/model/instant.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace storemon::ingest {

/// parse_instant, and quick for what polls look like: `20YY-MM-DD HH:MM:SS[.f{1,8}] UTC`. Polls come from few
/// days, so it remembers when days begin.
class timestamp_reader {
public:
  timestamp_reader() noexcept {
    days_.fill({words::load("00-01-01"), std::chrono::sys_days{std::chrono::days{10957}}});
  }

  /// @returns what parse_instant does.
  std::optional<instant> read(std::string_view text) noexcept {
    constexpr size_t bare_bytes = 23; // without a fraction
    constexpr uint64_t colons = 0x0000ff0000ff0000;
    constexpr uint64_t hours_minutes_seconds = 0x00ff0000ff0000ff;
    if (text.size() < bare_bytes || text.size() > bare_bytes + 9 || text.size() == bare_bytes + 1)
      return parse_instant(text);
    const char* const at = text.data();
    const char* const zone = at + text.size() - 4;
    const auto date = words::load(at + 2);
    const auto& day = days_[slot_of(date)];
    const auto time = words::load(at + 11) ^ words::load("00:00:00");
    const auto pairs = words::pairs(time);
    auto misfit = (date ^ day.date) | words::excess(time, words::repeat(9) & ~colons) |
                  words::excess(pairs & hours_minutes_seconds, 23 | uint64_t{59} << 24 | uint64_t{59} << 48) |
                  (std::memcmp(at, "20", 2) != 0) | (at[10] != ' ') | (std::memcmp(zone, " UTC", 4) != 0);
    uint32_t micros = 0;
    if (text.size() > bare_bytes) {
      const auto surplus = 8 * (8 - (text.size() - bare_bytes - 1));
      const auto digits = (words::load(zone - 8) >> surplus) ^ (words::repeat('0') >> surplus);
      misfit |= words::excess(digits, words::repeat(9)) | (at[19] != '.');
      micros = words::number(digits) / 100;
    }
    if (misfit != 0)
      return read_slowly(text);
    const auto seconds = (pairs & 0xff) * 3600 + (pairs >> 24 & 0xff) * 60 + (pairs >> 48 & 0xff);
    return day.begin + duration(static_cast<int64_t>(seconds * 1'000'000 + micros));
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

  std::optional<instant> read_slowly(std::string_view text) noexcept;

  std::array<known_day, 256> days_;
};

} // namespace storemon::ingest
