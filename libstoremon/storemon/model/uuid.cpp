#include "storemon/model/uuid.hpp"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace storemon {

namespace {

constexpr std::string_view form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

} // namespace

std::string random_uuid() {
  std::array<unsigned char, 16> bytes;
  // So few bytes come whole once the system has started, and are never interrupted (getrandom(2)).
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw std::system_error(errno, std::generic_category(), "getrandom");
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  std::string text(form);
  size_t digit = 0;
  for (auto& c : text)
    if (c != '-') {
      const auto byte = bytes[digit / 2];
      c = "0123456789abcdef"[digit % 2 == 0 ? byte >> 4 : byte & 0x0f];
      ++digit;
    }
  return text;
}

std::optional<std::string> parse_uuid(std::string_view text) {
  if (text.size() != form.size())
    return std::nullopt;
  std::string id(text);
  for (size_t i = 0; i < id.size(); ++i) {
    char& c = id[i];
    if (c >= 'A' && c <= 'F')
      c = static_cast<char>(c - 'A' + 'a');
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (form[i] == '-' ? c != '-' : !hex)
      return std::nullopt;
  }
  return id;
}

} // namespace storemon
