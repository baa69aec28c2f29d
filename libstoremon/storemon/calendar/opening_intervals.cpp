#include "storemon/calendar/opening_intervals.hpp"

#include <algorithm>

namespace storemon::calendar {

namespace {

using std::chrono::days;

/// How long before `within` an interval's begin is still the true one.
constexpr days begin_true_max(2);

/// No clock was ever set back by more: bounds how far the wall clock can stand below where it has been.
constexpr days set_back_max(2);

/// The midnight before which no row can begin that is still open at `at`: a row ends within 48 hours of its
/// own midnight, so one of an earlier day has ended by the midnight before `at`.
std::chrono::local_days first_day(const zone& in, instant at) {
  return std::chrono::floor<days>(in.to_wall(at)) - days(1);
}

/// Appends `[from, to)`, which begins no earlier than what is in `out`. Stretches apart on the wall clock may
/// still touch here, when a gap swallowed what was between them.
inline void append(instant from, instant to, interval_set& out) {
  if (from >= to)
    return;
  if (!out.empty() && from <= out.back().to)
    out.back().to = to;
  else
    out.emplace_back(from, to);
}

} // namespace

void opening_intervals(std::span<const hours_row> rows, const zone& in, const interval& within,
                       interval_set& out, const date_range& dates) {
  out.clear();
  if (rows.empty() || within.empty())
    return;
  const auto first = std::max(first_day(in, within.from - begin_true_max), dates.from);
  const auto stop = std::min(std::chrono::ceil<days>(in.to_wall(within.to) + set_back_max), dates.to);
  if (first >= stop)
    return;
  const auto weekday = std::chrono::weekday(first) - std::chrono::Monday;
  wall_time week = first - weekday; // the midnight of its Monday
  zone::ascending clock(in, first);
  // Rows are joined on the wall clock, and what they join to is mapped once, when it can grow no more.
  wall_time to = first;
  auto from = clock.to_utc(to);
  auto next = static_cast<size_t>(
      std::find_if(rows.begin(), rows.end(), [&](const hours_row& r) { return r.day >= weekday.count(); }) -
      rows.begin());
  for (; from < within.to; ++next) {
    if (next == rows.size()) {
      next = 0;
      week += days(7);
    }
    const auto midnight = week + days(rows[next].day);
    if (midnight >= stop)
      break;
    const auto open = meaning(rows[next]);
    if (midnight + open.from <= to) {
      to = std::max(to, midnight + open.to);
    } else {
      append(from, clock.to_utc(to), out);
      from = clock.to_utc(midnight + open.from);
      to = midnight + open.to;
    }
  }
  if (from < within.to)
    append(from, clock.to_utc(to), out);
  out.erase(out.begin(),
            std::find_if(out.begin(), out.end(), [&](const interval& i) { return i.to > within.from; }));
}

} // namespace storemon::calendar
