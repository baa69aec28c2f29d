#include "storemon/model/local_text.hpp"

#include "storemon/model/digits.hpp"

#include <algorithm>

namespace storemon {

namespace {

void append(std::string& to, int64_t value, int digits) {
  const auto text = std::to_string(value);
  to.append(static_cast<size_t>(digits) - std::min(text.size(), static_cast<size_t>(digits)), '0');
  to += text;
}

} // namespace

std::optional<std::chrono::local_days> parse_date(std::string_view text) noexcept {
  constexpr size_t date_bytes = 10;
  if (text.size() != date_bytes || text[4] != '-' || text[7] != '-')
    return std::nullopt;
  const auto year = digits::read(text, 0, 4);
  const auto month = digits::read(text, 5, 2);
  const auto day = digits::read(text, 8, 2);
  if (!year || !month || !day)
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok())
    return std::nullopt;
  return std::chrono::local_days(date);
}

std::string date_text(std::chrono::local_days date) {
  const std::chrono::year_month_day d(date);
  std::string text;
  append(text, static_cast<int>(d.year()), 4);
  text += '-';
  append(text, static_cast<unsigned>(d.month()), 2);
  text += '-';
  append(text, static_cast<unsigned>(d.day()), 2);
  return text;
}

std::string time_text(duration since_midnight) {
  const std::chrono::hh_mm_ss time(since_midnight);
  std::string text;
  append(text, time.hours().count(), 2);
  text += ':';
  append(text, time.minutes().count(), 2);
  text += ':';
  append(text, time.seconds().count(), 2);
  if (time.subseconds() != duration::zero()) {
    text += '.';
    append(text, time.subseconds().count(), 6);
  }
  return text;
}

} // namespace storemon
