#pragma once

#include "storemon/model/instant.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <type_traits>

namespace storemon::ingest {

namespace timestamp_detail {

/// Eight characters as one word, the first one in the lowest byte.
constexpr uint64_t word_of(const char* text) noexcept {
  uint64_t word = 0;
  if (!std::is_constant_evaluated() && std::endian::native == std::endian::little) {
    std::memcpy(&word, text, sizeof word);
    return word;
  }
  for (int i = 0; i < 8; ++i)
    word |= uint64_t{static_cast<unsigned char>(text[i])} << (8 * i);
  return word;
}

/// Whether any byte of `values` exceeds what its byte of `slack` was made for: 0x7f - n for at most n.
inline uint64_t excess(uint64_t values, uint64_t slack) noexcept {
  return (values | (values + slack)) & 0x8080808080808080;
}

/// Eight characters against a shape of eight, in which `0` stands for any digit and everything else for
/// itself.
template <uint64_t Shape>
struct shaped {
  uint64_t misfit; ///< 0 if the text has the shape

  explicit shaped(const char* text) noexcept {
    const auto values = word_of(text) ^ Shape;
    misfit = excess(values, slack());
    pairs_ = values * 10 + (values >> 8);
  }

  /// The number of two digits that begins at character `i`.
  uint32_t pair(int i) const noexcept { return static_cast<uint32_t>(pairs_ >> (8 * i) & 0xff); }

private:
  uint64_t pairs_; ///< in each byte, the number its digit and the next one make

  static constexpr uint64_t slack() noexcept {
    uint64_t slack = 0;
    for (int i = 0; i < 64; i += 8)
      slack |= uint64_t{(Shape >> i & 0xff) == '0' ? 0x7fu - 9 : 0x7fu} << i;
    return slack;
  }
};

/// The number that eight digit values make, the first one in the lowest byte: pairs, then fours, then eight.
inline uint32_t eight_digits(uint64_t values) noexcept {
  constexpr uint64_t odd = 0x000000ff000000ff;
  values = values * 10 + (values >> 8);
  return static_cast<uint32_t>(((values & odd) * (100 + (uint64_t{1000000} << 32)) +
                                (values >> 16 & odd) * (1 + (uint64_t{10000} << 32))) >>
                               32);
}

struct month_facts {
  uint16_t days_before;
  uint16_t days;
};

/// Of a year of 365 days; by month number, and no days in months that are none.
inline constexpr std::array<month_facts, 16> months{{{0, 0},
                                                     {0, 31},
                                                     {31, 28},
                                                     {59, 31},
                                                     {90, 30},
                                                     {120, 31},
                                                     {151, 30},
                                                     {181, 31},
                                                     {212, 31},
                                                     {243, 30},
                                                     {273, 31},
                                                     {304, 30},
                                                     {334, 31}}};

} // namespace timestamp_detail

/// parse_instant, and quick for what polls look like: `YYYY-MM-DD HH:MM:SS[.f{1,8}] UTC`, years 1970 to 2099.
inline std::optional<instant> read_timestamp(std::string_view text) noexcept {
  using namespace timestamp_detail;
  constexpr size_t bare = 23; // without a fraction
  if (text.size() < bare || text.size() > bare + 9 || text.size() == bare + 1)
    return parse_instant(text);
  const char* const at = text.data();
  const shaped<word_of("0000-00-")> date(at);
  const shaped<word_of("00-00 00")> day(at + 5);
  const shaped<word_of("00:00:00")> time(at + 11);
  const char* const zone = at + text.size() - 4;
  uint64_t misfit = date.misfit | day.misfit | time.misfit | (std::memcmp(zone, " UTC", 4) != 0);

  uint32_t micros = 0;
  if (text.size() > bare) {
    const auto dropped = static_cast<int>(8 * (8 - (text.size() - bare - 1)));
    const auto fraction = (word_of(zone - 8) >> dropped) ^ (0x3030303030303030 >> dropped);
    misfit |= excess(fraction, 0x7676767676767676) | (at[19] != '.');
    micros = eight_digits(fraction) / 100;
  }

  const auto year = date.pair(0) * 100 + date.pair(2) - 1970;
  const auto month = date.pair(5);
  const auto day_of_month = day.pair(3) - 1;
  const auto hours = time.pair(0);
  const auto minutes = time.pair(3);
  const auto seconds = time.pair(6);
  const auto& facts = months[month & 15];
  // Leap days are among what is left to parse_instant.
  misfit |= (year >= 130) | (month > 12) | (day_of_month >= facts.days) | (hours > 23) | (minutes > 59) |
            (seconds > 59);
  if (misfit != 0)
    return parse_instant(text);
  // 1972 is the first leap year of the epoch, and of those up to 2099 none is left out.
  const auto leap_days = (year + 1) / 4 + (year % 4 == 2 && month > 2);
  const auto days = year * 365 + leap_days + facts.days_before + day_of_month;
  const auto since_epoch = int64_t{days} * 86400 + hours * 3600 + minutes * 60 + seconds;
  return instant(duration(since_epoch * 1000000 + micros));
}

} // namespace storemon::ingest
