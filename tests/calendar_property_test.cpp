/// Opening intervals of random stores against a model that knows no tables and no joining: it marks seconds.
#include "storemon/calendar/opening_intervals.hpp"

#include "support/instants.hpp"
#include "support/runs.hpp"

#include <catch2/catch.hpp>
#include <date/tz.h>

#include <array>
#include <random>

using namespace storemon;
using namespace std::chrono_literals;
using std::chrono::days;
using std::chrono::seconds;
using std::chrono::sys_seconds;

namespace {

/// A row as the feed writes it, in whole seconds after midnight.
struct written_row {
  int day;
  seconds start;
  seconds end;
};

struct store {
  const date::time_zone* zone;
  std::vector<written_row> rows;
  sys_seconds from;
  sys_seconds to;
};

/// The seconds of `[from, to)` in which the store is open, one flag each, straight from SEMANTICS section 2.
std::vector<char> open_seconds(const store& s, sys_seconds from, sys_seconds to) {
  std::vector<char> open(static_cast<size_t>((to - from).count()), 0);
  const auto first = date::floor<date::days>(s.zone->to_local(from)) - date::days(4);
  const auto last = date::floor<date::days>(s.zone->to_local(to)) + date::days(4);
  for (auto date = first; date <= last; date += date::days(1))
    for (const auto& row : s.rows) {
      if (date::weekday(date) != date::weekday(static_cast<unsigned>(row.day + 1) % 7))
        continue;
      date::local_seconds end = date + row.end;
      if (row.end == 86340s || row.end == 86399s)
        end = date + date::days(1);
      if (end <= date + row.start)
        end += date::days(1);
      const auto opens = s.zone->to_sys(date::local_seconds(date + row.start), date::choose::earliest);
      const auto closes = s.zone->to_sys(end, date::choose::earliest);
      for (auto u = std::max(opens, from); u < std::min(closes, to); u += 1s)
        open[static_cast<size_t>((u - from).count())] = 1;
    }
  return open;
}

class store_maker {
public:
  explicit store_maker(uint64_t seed) : random_(seed) {
    for (const auto& zone : date::get_tzdb().zones)
      if (zone.name() != "localtime")
        zones_.push_back(&zone);
  }

  store next() {
    store s{zones_[static_cast<size_t>(below(zones_.size()))], {}, {}, {}};
    for (auto rows = 1 + below(10); rows > 0; --rows)
      s.rows.push_back({static_cast<int>(below(7)), start(), end()});
    if (below(4) == 0) // the same hours every day: rows that touch, and whole weeks
      for (int day = 0; day < 7; ++day)
        s.rows.push_back({day, s.rows[0].start, s.rows[0].end});
    s.from = interesting_instant(*s.zone) - std::chrono::hours(below(100)) - seconds(below(3600));
    s.to = s.from + 1s + std::chrono::hours(below(200)) + seconds(below(3600));
    return s;
  }

private:
  int64_t below(size_t bound) {
    return std::uniform_int_distribution<int64_t>(0, static_cast<int64_t>(bound) - 1)(random_);
  }

  /// Half of the times are round ones, early in the day, so that rows and changes of clock meet.
  seconds start() { return below(2) == 0 ? 900s * below(16) : seconds(below(86400)); }

  seconds end() {
    constexpr std::array edges{0s, 86340s, 86399s, 86400s};
    return below(3) == 0 ? edges[static_cast<size_t>(below(edges.size()))] : start();
  }

  /// A change of the zone's clock, or just any instant where it had none.
  sys_seconds interesting_instant(const date::time_zone& zone) {
    const auto any =
        sys_seconds(std::chrono::sys_days(std::chrono::year(1860) / 1 / 1)) + 24h * below(177 * 365);
    const auto change = zone.get_info(any).begin;
    return change > any - days(365 * 100) ? change : any;
  }

  std::mt19937_64 random_;
  std::vector<const date::time_zone*> zones_;
};

std::vector<hours_row> feed_rows(const store& s) {
  std::vector<hours_row> rows;
  for (const auto& row : s.rows)
    rows.push_back({row.start, row.end, static_cast<uint8_t>(row.day)});
  std::sort(rows.begin(), rows.end());
  return rows;
}

std::string described(const store& s) {
  auto text = s.zone->name() + " " + Catch::StringMaker<interval>::convert({s.from, s.to});
  for (const auto& row : s.rows)
    text += " " + std::to_string(row.day) + ":" + std::to_string(row.start.count()) + "-" +
            std::to_string(row.end.count());
  return text;
}

} // namespace

TEST_CASE("random stores around changes of clock are open exactly in the seconds that the rules say") {
  store_maker maker(20230125);
  interval_set result;
  size_t opened = 0;
  for (int i = 0; i < 1500; ++i) {
    const auto s = maker.next();
    INFO(described(s));
    const interval within{s.from, s.to};
    // Begins are true ones up to two days before the range, so that far the model looks as well.
    const interval seen{s.from - days(2), s.to};
    auto expected = test::runs_of(open_seconds(s, s.from - days(2), s.to), s.from - days(2), seconds(1));
    std::erase_if(expected, [&](const interval& run) { return intersect(run, within).empty(); });

    calendar::opening_intervals(feed_rows(s), *calendar::zone::find(s.zone->name()), within, result);

    auto joined = result;
    normalise(joined);
    CHECK(joined == result);
    for (auto& opening : result)
      opening = intersect(opening, seen);
    REQUIRE(result == expected);
    opened += result.size();
  }
  CHECK(opened > 3000);
}
