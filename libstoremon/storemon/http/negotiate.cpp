#include "storemon/http/negotiate.hpp"

#include "storemon/http/message.hpp"

#include <algorithm>
#include <limits>

namespace storemon::http {

namespace {

std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

/// Cuts the text before the next `separator` off the front of `rest`.
std::string_view next_part(std::string_view& rest, char separator) noexcept {
  const auto part = rest.substr(0, rest.find(separator));
  rest.remove_prefix(std::min(rest.size(), part.size() + 1));
  return trim(part);
}

/// A weight in thousandths (`0`, `1`, `0.123`); 0 when it is malformed.
int parse_weight(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1') ||
      (text.size() > 1 && text[1] != '.'))
    return 0;
  int weight = (text[0] - '0') * 1000;
  int unit = 100;
  for (size_t i = 2; i < text.size(); ++i, unit /= 10) {
    if (text[i] < '0' || text[i] > '9')
      return 0;
    weight += (text[i] - '0') * unit;
  }
  return std::min(weight, 1000);
}

/// Calls `f(name, weight)` for each element of a list such as `text/csv;q=0.5, */*`.
template <class F>
void each_weighted(std::string_view list, F f) noexcept {
  while (!list.empty()) {
    auto element = next_part(list, ',');
    const auto name = next_part(element, ';');
    int weight = 1000;
    while (!element.empty()) {
      const auto parameter = next_part(element, ';');
      if (parameter.size() >= 2 && (parameter[0] == 'q' || parameter[0] == 'Q') && parameter[1] == '=')
        weight = parse_weight(parameter.substr(2));
    }
    if (!name.empty())
      f(name, weight);
  }
}

/// How much a media type is wanted: by the most exact element that names it.
struct preference {
  int weight = 0;
  int exactness = -1; ///< 2 the type itself, 1 its family, 0 anything, -1 not named
};

preference preference_for(std::string_view accept, std::string_view type) noexcept {
  preference found;
  const auto family = type.substr(0, type.find('/'));
  each_weighted(accept, [&](std::string_view name, int weight) {
    int exactness = -1;
    if (same_letters(name, type))
      exactness = 2;
    else if (name.size() > 2 && name.ends_with("/*") && same_letters(name.substr(0, name.size() - 2), family))
      exactness = 1;
    else if (name == "*/*")
      exactness = 0;
    if (exactness > found.exactness)
      found = {weight, exactness};
  });
  return found;
}

/// A decimal number, saturating; nothing when there is anything but digits.
std::optional<size_t> parse_size(std::string_view text) noexcept {
  if (text.empty())
    return std::nullopt;
  constexpr auto most = std::numeric_limits<size_t>::max();
  size_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9')
      return std::nullopt;
    const auto digit = static_cast<size_t>(c - '0');
    value = value > (most - digit) / 10 ? most : value * 10 + digit;
  }
  return value;
}

} // namespace

bool prefers_csv(std::string_view accept) noexcept {
  const auto csv = preference_for(accept, "text/csv");
  const auto json = preference_for(accept, "application/json");
  if (csv.weight != json.weight)
    return csv.weight > json.weight;
  return csv.weight > 0 && csv.exactness > json.exactness;
}

bool accepts_gzip(std::string_view accept_encoding) noexcept {
  std::optional<int> gzip;
  std::optional<int> any;
  std::optional<int> identity;
  each_weighted(accept_encoding, [&](std::string_view name, int weight) {
    if (same_letters(name, "gzip") || same_letters(name, "x-gzip"))
      gzip = weight;
    else if (same_letters(name, "identity"))
      identity = weight;
    else if (name == "*")
      any = weight;
  });
  const int wanted = gzip.value_or(any.value_or(0));
  return wanted > 0 && wanted >= identity.value_or(0);
}

std::string media_type(std::string_view content_type) {
  std::string type(next_part(content_type, ';'));
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return type;
}

bool prefers_async(std::string_view prefer) noexcept {
  while (!prefer.empty()) {
    auto element = next_part(prefer, ',');
    if (same_letters(next_part(element, ';'), "respond-async"))
      return true;
  }
  return false;
}

bool lists_tag(std::string_view list, std::string_view tag) noexcept {
  // Our own tags hold no comma, so a part cut out of a foreign tag that does cannot equal one.
  while (!list.empty()) {
    auto element = next_part(list, ',');
    if (element == "*")
      return true;
    if (element.starts_with("W/"))
      element.remove_prefix(2);
    if (element == tag)
      return true;
  }
  return false;
}

std::optional<byte_range> parse_range(std::string_view range, size_t size) noexcept {
  constexpr std::string_view unit = "bytes=";
  if (!same_letters(range.substr(0, unit.size()), unit))
    return std::nullopt;
  const auto spec = trim(range.substr(unit.size()));
  const auto dash = spec.find('-');
  if (dash == std::string_view::npos)
    return std::nullopt;
  const auto first = parse_size(trim(spec.substr(0, dash)));
  const auto last = parse_size(trim(spec.substr(dash + 1)));
  if (dash == 0) {
    if (!last)
      return std::nullopt;
    const auto length = std::min(*last, size);
    return byte_range{size - length, length};
  }
  if (!first || (!last && dash + 1 != spec.size()) || (last && *last < *first))
    return std::nullopt;
  if (*first >= size)
    return byte_range{};
  const auto end = last ? std::min(*last, size - 1) + 1 : size;
  return byte_range{*first, end - *first};
}

} // namespace storemon::http
