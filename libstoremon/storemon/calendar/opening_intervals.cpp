#include "storemon/calendar/opening_intervals.hpp"

#include <algorithm>

namespace storemon::calendar {

namespace {

using std::chrono::days;

/// How long before `within` an interval's begin is still the true one.
constexpr days begin_true_max(2);

/// No clock was ever set back by more: bounds how far the wall clock can stand below where it has been.
constexpr days set_back_max(2);

/// The midnight of a Monday before which no row can begin that is still open at `at`: a row ends within 48
/// hours of its own midnight, so one of an earlier week has ended by the midnight before `at`.
wall_time first_week(const zone& in, instant at) {
  using namespace std::chrono;
  const auto day = floor<days>(in.to_wall(at)) - days(1);
  return day - (weekday(day) - Monday);
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
                       interval_set& out) {
  out.clear();
  if (rows.empty() || within.empty())
    return;
  auto week = first_week(in, within.from - begin_true_max);
  const auto stop = in.to_wall(within.to) + set_back_max;
  zone::ascending clock(in, week);
  // Rows are joined on the wall clock, and what they join to is mapped once, when it can grow no more.
  auto from = clock.to_utc(week);
  auto to = week;
  for (size_t next = 0; week < stop && from < within.to;) {
    const auto midnight = week + days(rows[next].day);
    const auto open = meaning(rows[next]);
    if (midnight + open.from <= to) {
      to = std::max(to, midnight + open.to);
    } else {
      append(from, clock.to_utc(to), out);
      from = clock.to_utc(midnight + open.from);
      to = midnight + open.to;
    }
    if (++next == rows.size()) {
      next = 0;
      week += days(7);
    }
  }
  if (from < within.to)
    append(from, clock.to_utc(to), out);
  out.erase(out.begin(),
            std::find_if(out.begin(), out.end(), [&](const interval& i) { return i.to > within.from; }));
}

} // namespace storemon::calendar
