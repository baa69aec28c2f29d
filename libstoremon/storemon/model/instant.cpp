#include "storemon/model/instant.hpp"

#include "storemon/model/digits.hpp"

#include <cstdio>

namespace storemon {

namespace {

/// What stands after the seconds and their fraction: the distance of the written time from UTC.
std::optional<std::chrono::minutes> read_zone(std::string_view text) noexcept {
  using std::chrono::hours;
  using std::chrono::minutes;
  if (text.empty() || text == " UTC" || text == "Z")
    return minutes::zero();
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':')
    return std::nullopt;
  const auto h = digits::read(text, 1, 2);
  const auto m = digits::read(text, 4, 2);
  if (!h || !m || *h > 23 || *m > 59)
    return std::nullopt;
  const minutes offset = hours(*h) + minutes(*m);
  return text[0] == '-' ? -offset : offset;
}

} // namespace

std::optional<instant> parse_instant(std::string_view text) noexcept {
  using namespace std::chrono;
  constexpr size_t to_the_second = 19;
  const auto y = digits::read(text, 0, 4);
  const auto mon = digits::read(text, 5, 2);
  const auto d = digits::read(text, 8, 2);
  const auto h = digits::read(text, 11, 2);
  const auto min = digits::read(text, 14, 2);
  const auto s = digits::read(text, 17, 2);
  if (!y || !mon || !d || !h || !min || !s)
    return std::nullopt;
  if (text[4] != '-' || text[7] != '-' || (text[10] != ' ' && text[10] != 'T') || text[13] != ':' ||
      text[16] != ':')
    return std::nullopt;
  const year_month_day date{year(*y), month(static_cast<unsigned>(*mon)), day(static_cast<unsigned>(*d))};
  if (!date.ok() || *h > 23 || *min > 59 || *s > 59)
    return std::nullopt;
  auto fraction_end = to_the_second;
  if (fraction_end < text.size() && text[fraction_end] == '.')
    for (++fraction_end;
         fraction_end < text.size() && text[fraction_end] >= '0' && text[fraction_end] <= '9';)
      ++fraction_end;
  const auto fraction = digits::read_fraction(text.substr(to_the_second, fraction_end - to_the_second));
  const auto zone = read_zone(text.substr(fraction_end));
  if (!fraction || !zone)
    return std::nullopt;
  return sys_days(date) + hours(*h) + minutes(*min) + seconds(*s) + *fraction - *zone;
}

std::string to_rfc3339(instant at) {
  using namespace std::chrono;
  const auto day = floor<days>(at);
  const year_month_day date(day);
  const hh_mm_ss time(at - day);
  char text[64];
  const int length =
      std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                    static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                    static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
  return {text, static_cast<size_t>(length)};
}

} // namespace storemon
