#include "storemon/partition/opening.hpp"

#include "storemon/calendar/opening_intervals.hpp"

#include <algorithm>

namespace storemon::partition {

namespace {

using calendar::date_range;
using protocol::hours_version;
using std::chrono::days;
using std::chrono::floor;

/// How far on both sides of what is asked for dates matter: the reach of overnight rows, of begins that must
/// be true ones and of clocks set back, with room to spare.
constexpr days margin(7);

/// How long before what is asked for the begin of an interval must be the true one.
constexpr days begin_true_max(2);

/// What opens on these dates under one version.
void add_version(std::span<const hours_row> rows, const date_range& dates, const calendar::zone& in,
                 const interval& within, interval_set& out) {
  if (dates.from >= dates.to)
    return;
  if (rows.empty()) {
    out.push_back({in.to_utc(dates.from), in.to_utc(dates.to)});
    return;
  }
  // What ends before `within` may be the begin of what goes on in it under the next version.
  interval_set opened;
  calendar::opening_intervals(rows, in, {within.from - begin_true_max, within.to}, opened, dates);
  out.insert(out.end(), opened.begin(), opened.end());
}

} // namespace

void opening_intervals(std::span<const hours_version> versions, const calendar::zone& in,
                       const interval& within, interval_set& out) {
  const bool always_the_same =
      versions.empty() || (versions.size() == 1 && versions.front().valid_from == always_valid);
  if (always_the_same) {
    if (versions.empty() || versions.front().rows.empty())
      out.assign(1, within);
    else
      calendar::opening_intervals(versions.front().rows, in, within, out);
    return;
  }
  out.clear();
  if (within.empty())
    return;
  const date_range all{floor<days>(in.to_wall(within.from)) - margin,
                       floor<days>(in.to_wall(within.to)) + margin};
  const auto until = [&](size_t next) {
    return next < versions.size() ? std::clamp(versions[next].valid_from, all.from, all.to) : all.to;
  };
  add_version({}, {all.from, until(0)}, in, within, out);
  for (size_t v = 0; v < versions.size(); ++v)
    add_version(versions[v].rows, {until(v), until(v + 1)}, in, within, out);
  normalise(out);
  std::erase_if(out, [&](const interval& i) { return intersect(i, within).empty(); });
}

} // namespace storemon::partition
