#pragma once

#include "storemon/model/instant.hpp"

#include <optional>
#include <string_view>

/// Fixed-width decimal numbers, as dates and times are made of.
namespace storemon::digits {

/// The number in `text[at, at + count)`; nothing when it reaches past the end or holds anything but digits.
inline std::optional<int> read(std::string_view text, size_t at, size_t count) noexcept {
  if (at + count > text.size())
    return std::nullopt;
  int value = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9')
      return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

/// A fraction of a second: nothing at all (= 0), or a point and one to nine digits, those past the sixth cut.
inline std::optional<duration> read_fraction(std::string_view text) noexcept {
  if (text.empty())
    return duration::zero();
  if (text[0] != '.' || text.size() < 2 || text.size() > 10)
    return std::nullopt;
  int64_t value = 0;
  for (size_t i = 1; i < text.size(); ++i)
    if (text[i] < '0' || text[i] > '9')
      return std::nullopt;
  for (size_t i = 1; i <= 6; ++i)
    value = value * 10 + (i < text.size() ? text[i] - '0' : 0);
  return duration(value);
}

} // namespace storemon::digits
