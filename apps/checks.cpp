#include "checks.hpp"

#include <charconv>
#include <cstdint>

namespace storemon {

std::string check_file_name(const std::string& text) {
  return !text.empty() && text[0] != '-' ? "" : "the name of a file is expected, not '" + text + "'";
}

std::string check_whole_number(const std::string& text) {
  uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = failure == std::errc() && end == text.data() + text.size();
  return whole && std::to_string(value) == text ? "" : "a whole number is expected, not '" + text + "'";
}

} // namespace storemon
