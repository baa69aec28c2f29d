#include "storemon/ingest/timestamp.hpp"

namespace storemon::ingest {

bool timestamp_reader::read_slowly(std::string_view text, instant& at) noexcept {
  const auto parsed = parse_instant(text);
  if (!parsed)
    return false;
  at = *parsed;
  if (text.starts_with("20") && text.ends_with(" UTC")) {
    const auto date = words::load(text.data() + 2);
    days_[slot_of(date)] = {date, std::chrono::floor<std::chrono::days>(at)};
  }
  return true;
}

} // namespace storemon::ingest
