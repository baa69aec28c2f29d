#include "storemon/model/business_hours.hpp"

#include "storemon/model/digits.hpp"

namespace storemon {

using namespace std::chrono_literals;

std::optional<duration> parse_time_of_day(std::string_view text, bool is_end) noexcept {
  // H:MM is HH:MM with the leading zero left out.
  const size_t hour_digits = text.size() > 1 && text[1] == ':' ? 1 : 2;
  const auto hours = digits::read(text, 0, hour_digits);
  const auto minutes = digits::read(text, hour_digits + 1, 2);
  if (!hours || !minutes || text[hour_digits] != ':' || *minutes > 59)
    return std::nullopt;
  duration time = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  if (auto rest = text.substr(hour_digits + 3); !rest.empty()) {
    const auto seconds = digits::read(rest, 1, 2);
    if (rest[0] != ':' || !seconds || *seconds > 59)
      return std::nullopt;
    const auto fraction = digits::read_fraction(rest.substr(3));
    if (!fraction)
      return std::nullopt;
    time += std::chrono::seconds(*seconds) + *fraction;
  }
  if (time < 24h || (is_end && time == 24h))
    return time;
  return std::nullopt;
}

} // namespace storemon
