#include "storemon/protocol/messages.hpp"

#include <algorithm>

namespace storemon::protocol {

namespace {

template <class Better>
void take(std::optional<instant>& mine, const std::optional<instant>& other, Better better) {
  if (other && (!mine || better(*other, *mine)))
    mine = other;
}

} // namespace

void data_quality::merge(const data_quality& other) {
  stores += other.stores;
  observations += other.observations;
  conflicts += other.conflicts;
  without_hours += other.without_hours;
  without_zone += other.without_zone;
  unknown_zone += other.unknown_zone;
  never_polled += other.never_polled;
  only_polled += other.only_polled;
  take(oldest, other.oldest, std::less<>());
  take(newest, other.newest, std::greater<>());
  for (const auto& [day, words] : other.polled_minutes) {
    auto& mine = polled_minutes[day];
    mine.resize(std::max(mine.size(), words.size()));
    for (size_t i = 0; i < words.size(); ++i)
      mine[i] |= words[i];
  }
}

std::vector<interval> data_quality::poller_outages() const {
  using namespace std::chrono;
  constexpr auto outage_min = hours(2);
  std::vector<interval> outages;
  std::optional<instant> last_end; // of the newest minute with a poll so far
  for (const auto& [day, words] : polled_minutes)
    for (size_t word = 0; word < words.size(); ++word)
      for (auto bits = words[word]; bits != 0; bits &= bits - 1) {
        const auto minute = static_cast<int>(word * 64) + __builtin_ctzll(bits);
        const instant begin = sys_days(days(day)) + minutes(minute);
        if (last_end && begin - *last_end > outage_min)
          outages.push_back({*last_end, begin});
        last_end = begin + minutes(1);
      }
  return outages;
}

std::string_view to_string(report_state state) noexcept {
  switch (state) {
  case report_state::running:
    return "Running";
  case report_state::complete:
    return "Complete";
  case report_state::failed:
    return "Error";
  case report_state::cancelled:
    return "Cancelled";
  }
  return "Error";
}

} // namespace storemon::protocol
