#include "storemon/ingest/timestamp.hpp"

namespace storemon::ingest {

std::optional<instant> timestamp_reader::read_slowly(std::string_view text) noexcept {
  const auto at = parse_instant(text);
  if (at && text.starts_with("20") && text.ends_with(" UTC")) {
    const auto date = words::load(text.data() + 2);
    days_[slot_of(date)] = {date, std::chrono::floor<std::chrono::days>(*at)};
  }
  return at;
}

} // namespace storemon::ingest
