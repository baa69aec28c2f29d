/// The whole engine against a second report, small and slow, written from SEMANTICS alone: it reads the files
/// by lines, asks the tz library for every row of every local date, and looks at a window second by second.
/// All polls are on even seconds, so that the middle between two of them is a whole one.
#include "support/reports.hpp"
#include "support/results.hpp"
#include "support/scratch_directory.hpp"

#include <boost/multiprecision/cpp_int.hpp>
#include <catch2/catch.hpp>
#include <date/tz.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

using namespace storemon;
using boost::multiprecision::int128_t;

namespace {

constexpr int64_t minute = 60;
constexpr int64_t hour = 60 * minute;
constexpr int64_t day = 24 * hour;
constexpr int64_t week = 7 * day;

// ---- The reference. All times are whole seconds of UTC.

struct plain_row {
  int weekday; // 0 = Monday
  int64_t start, end;
};

struct plain_store {
  std::map<int64_t, bool> polls; // second -> active
  std::vector<plain_row> rows;
  std::string zone;
};

struct plain_window {
  std::string name;
  int64_t from, to;
};

std::vector<std::vector<std::string>> read_lines(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<std::vector<std::string>> lines;
  std::string line;
  std::getline(in, line); // the header
  while (std::getline(in, line)) {
    std::istringstream fields(line);
    lines.emplace_back();
    for (std::string field; std::getline(fields, field, ',');)
      lines.back().push_back(field);
  }
  return lines;
}

int64_t read_time_of_day(const std::string& text) {
  int h = 0, m = 0, s = 0;
  REQUIRE(std::sscanf(text.c_str(), "%d:%d:%d", &h, &m, &s) >= 2);
  return h * hour + m * minute + s;
}

int64_t read_instant(const std::string& text) {
  int y = 0;
  unsigned m = 0, d = 0;
  REQUIRE(std::sscanf(text.c_str(), "%d-%u-%u ", &y, &m, &d) == 3);
  const date::sys_days midnight = date::year(y) / date::month(m) / date::day(d);
  return midnight.time_since_epoch().count() * day + read_time_of_day(text.substr(11));
}

std::map<std::string, plain_store> read_stores(const std::filesystem::path& directory) {
  std::map<std::string, plain_store> stores;
  for (const auto& f : read_lines(directory / "store_status.csv")) {
    auto& polls = stores[f.at(0)].polls;
    const bool active = f.at(1) == "active";
    const auto at = read_instant(f.at(2));
    polls[at] = active && (!polls.contains(at) || polls.at(at)); // inactive wins
  }
  for (const auto& f : read_lines(directory / "business_hours.csv"))
    stores[f.at(0)].rows.push_back(
        {std::stoi(f.at(1)), read_time_of_day(f.at(2)), read_time_of_day(f.at(3))});
  for (const auto& f : read_lines(directory / "timezones.csv"))
    stores[f.at(0)].zone = f.at(1);
  return stores;
}

const date::time_zone& zone_of(const plain_store& store) {
  try {
    return *date::locate_zone(store.zone);
  } catch (const std::runtime_error&) {
    return *date::locate_zone("America/Chicago");
  }
}

/// A wall time that occurs twice is its first occurrence, one that does not exist the instant of the change.
int64_t to_utc(const date::time_zone& zone, int64_t wall) {
  const date::local_seconds local{std::chrono::seconds(wall)};
  return date::make_zoned(&zone, local, date::choose::earliest).get_sys_time().time_since_epoch().count();
}

/// A stretch of seconds with a mark for each.
class marks {
public:
  void reset(int64_t from, int64_t to, char mark) {
    from_ = from;
    at_.assign(static_cast<size_t>(to - from), mark);
  }

  char& operator[](int64_t second) { return at_[static_cast<size_t>(second - from_)]; }

  char operator[](int64_t second) const { return at_[static_cast<size_t>(second - from_)]; }

  void fill(int64_t from, int64_t to, char mark) {
    from = std::max(from, from_);
    to = std::min(to, from_ + static_cast<int64_t>(at_.size()));
    if (from < to)
      std::fill(&(*this)[from], &(*this)[to - 1] + 1, mark);
  }

private:
  int64_t from_ = 0;
  std::vector<char> at_;
};

void mark_open(const plain_store& store, int64_t from, int64_t to, marks& open) {
  open.reset(from, to, store.rows.empty());
  if (store.rows.empty())
    return;
  const auto& zone = zone_of(store);
  for (auto date = from / day - 3; date <= to / day + 3; ++date)
    for (const auto& row : store.rows) {
      if ((date + 3) % 7 != row.weekday) // the epoch was a Thursday
        continue;
      const bool end_of_day = row.end == 23 * hour + 59 * minute || row.end == 24 * hour - 1;
      auto end = end_of_day ? day : row.end;
      if (end <= row.start)
        end += day;
      open.fill(to_utc(zone, date * day + row.start), to_utc(zone, date * day + end), 1);
    }
}

enum : size_t { carry_forward, nearest, capped_nearest, rules };

/// What one store and window come to; seconds.
struct plain_figures {
  int64_t scheduled = 0;
  std::array<int64_t, rules> known{};
  std::array<int64_t, rules> active{};
  int64_t polls = 0, active_polls = 0;                 // in session, in the window
  int64_t horizon_polls = 0, horizon_active_polls = 0; // in session, in the horizon
};

/// Looks at one store after the other, window by window.
class onlooker {
public:
  /// @param from  no horizon begins before it
  onlooker(int64_t from, int64_t as_of) : from_(from), as_of_(as_of) {}

  void look_at(const plain_store& store) {
    store_ = &store;
    mark_open(store, from_, as_of_ + 1, open_);
    polled_.reset(from_, as_of_ + 1, 0);
  }

  plain_figures judge(const plain_window& w, observation_scope scope) {
    scope_ = scope;
    horizon_ = std::min(as_of_, w.from + week) - 28 * day;
    auto f = mark_polls(w);
    auto last = last_poll(w.from - 1);
    auto next = look_ahead(w.from);
    for (auto s = w.from; s < w.to; ++s) {
      last = polled_[s] ? s : ends_sight(s) ? none : last;
      if (!open_[s])
        continue;
      ++f.scheduled;
      if (next.end <= s)
        next = look_ahead(s + 1);
      believe(s, last, next.poll, f);
    }
    return f;
  }

private:
  static constexpr int64_t none = -1;

  /// Marks the polls of the horizon that the scope sees, and counts those in session.
  plain_figures mark_polls(const plain_window& w) {
    plain_figures f;
    for (const auto& [at, active] : store_->polls) {
      if (at < from_ || at > as_of_)
        continue;
      const bool visible = at >= horizon_ && (scope_ == observation_scope::all || open_[at]);
      polled_[at] = static_cast<char>(visible ? 1 + active : 0);
      if (!visible || !open_[at])
        continue;
      f.horizon_polls += 1;
      f.horizon_active_polls += active;
      if (w.from < at && at <= w.to) {
        f.polls += 1;
        f.active_polls += active;
      }
    }
    return f;
  }

  bool ends_sight(int64_t s) const { return scope_ == observation_scope::session && !open_[s]; }

  int64_t last_poll(int64_t s) const {
    const auto first = store_->polls.empty() ? s + 1 : store_->polls.begin()->first;
    for (; s >= std::max(horizon_, first) && !ends_sight(s); --s)
      if (polled_[s])
        return s;
    return none;
  }

  /// What is seen from a second on: a poll, or none up to where sight ends.
  struct ahead {
    int64_t poll, end;
  };

  ahead look_ahead(int64_t s) const {
    for (; s <= as_of_ && !ends_sight(s); ++s)
      if (polled_[s])
        return {s, s};
    return {none, s};
  }

  /// What each rule believes of one open second, seen from the last poll at or before it and the next one
  /// after.
  void believe(int64_t s, int64_t last, int64_t next, plain_figures& f) const {
    if (last == none && next == none)
      return;
    const auto carried = last != none ? last : next;
    const bool nearer_to_last = next == none || (last != none && s < (last + next) / 2);
    const auto near = nearer_to_last ? last : next;
    const auto farthest = near <= s ? s + 1 - near : near - s;
    const auto take = [&](size_t rule, int64_t poll) {
      ++f.known[rule];
      f.active[rule] += polled_[poll] == 2;
    };
    take(carry_forward, carried);
    take(nearest, near);
    if (farthest <= 2 * hour)
      take(capped_nearest, near);
  }

  int64_t from_, as_of_, horizon_ = 0;
  observation_scope scope_{};
  const plain_store* store_ = nullptr;
  marks open_, polled_; // polled: 1 inactive, 2 active
};

int64_t divide_half_even(const int128_t& number, const int128_t& by) {
  const auto whole = static_cast<int64_t>(number / by);
  const int128_t doubled = number % by * 2;
  return whole + (doubled > by || (doubled == by && whole % 2 == 1));
}

struct fleet_polls {
  int64_t all = 0, active = 0;
};

/// The window's columns: seconds from microseconds, then the polls.
std::string settle(const plain_figures& f, const std::string& estimator, const fleet_polls& fleet) {
  constexpr int64_t second = 1'000'000;
  const auto open = f.scheduled * second;
  int64_t up = 0, down = 0, imputed = 0;
  if (estimator == "poll_ratio") {
    up = f.polls > 0 ? divide_half_even(int128_t(open) * f.active_polls, f.polls) : 0;
    down = f.polls > 0 ? open - up : 0;
  } else if (estimator == "poll_count") {
    up = std::min(open, f.active_polls * hour * second);
    down = std::min(open - up, (f.polls - f.active_polls) * hour * second);
  } else {
    const auto rule = estimator == "nearest"         ? nearest
                      : estimator == "carry_forward" ? carry_forward
                                                     : capped_nearest;
    up = f.active[rule] * second;
    down = (f.known[rule] - f.active[rule]) * second;
    if (estimator == "capped_nearest" && f.horizon_polls == 0)
      up = down = 0;
    else if (estimator == "capped_nearest") {
      imputed = open - up - down;
      const int128_t share = int128_t(f.horizon_active_polls) * fleet.all + 4 * fleet.active;
      const auto filled = divide_half_even(imputed * share, int128_t(f.horizon_polls + 4) * fleet.all);
      up += filled;
      down += imputed - filled;
    }
  }
  std::string text;
  for (const auto us : {open, up, down, open - up - down, int64_t{0}, imputed}) {
    char field[40];
    std::snprintf(field, sizeof field, ",%lld.%06lld", static_cast<long long>(us / second),
                  static_cast<long long>(us % second));
    text += field;
  }
  return text + "," + std::to_string(f.polls);
}

std::string text_of(int64_t at, const char* form) {
  return date::format(form, date::sys_seconds{std::chrono::seconds(at)});
}

/// The estimators whose rules are written here, in the scope looked at.
std::vector<std::string> estimators_of(observation_scope scope) {
  if (scope == observation_scope::session)
    return {"capped_nearest", "nearest", "carry_forward", "poll_ratio", "poll_count"};
  return {"nearest", "carry_forward"};
}

/// The rows of every estimator's full report, without the header.
std::map<std::string, std::vector<std::string>>
reference_rows(const std::map<std::string, plain_store>& stores, const std::vector<plain_window>& windows,
               int64_t as_of, observation_scope scope) {
  auto earliest = as_of - 28 * day;
  for (const auto& w : windows)
    earliest = std::min(earliest, w.from - 21 * day);
  onlooker eyes(earliest, as_of);
  std::vector<std::vector<plain_figures>> judged;
  std::vector<fleet_polls> fleet(windows.size());
  for (const auto& [id, store] : stores) {
    eyes.look_at(store);
    judged.emplace_back();
    for (size_t w = 0; w < windows.size(); ++w) {
      judged.back().push_back(eyes.judge(windows[w], scope));
      fleet[w].all += judged.back().back().horizon_polls;
      fleet[w].active += judged.back().back().horizon_active_polls;
    }
  }
  std::map<std::string, std::vector<std::string>> rows;
  for (const auto& estimator : estimators_of(scope)) {
    size_t i = 0;
    for (const auto& [id, store] : stores) {
      auto row = id + text_of(as_of, ",%Y-%m-%dT%H:%M:%S.000000Z,") + estimator + "," +
                 std::string(to_string(scope));
      for (size_t w = 0; w < windows.size(); ++w)
        row += settle(judged[i][w], estimator, fleet[w]);
      rows[estimator].push_back(std::move(row));
      ++i;
    }
  }
  return rows;
}

// ---- The stores.

std::vector<std::string> all_zones() {
  std::vector<std::string> names;
  for (const auto& zone : date::get_tzdb().zones)
    if (zone.name() != "localtime") // listed by the library, but no zone of its own
      names.push_back(zone.name());
  REQUIRE(names.size() > 300);
  return names;
}

/// Draws feeds around one instant.
class drawer {
public:
  explicit drawer(uint64_t seed) : random_(seed), zones_(all_zones()) {}

  int64_t below(int64_t n) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(n)); }

  bool one_in(int64_t n) { return below(n) == 0; }

  template <class T>
  const T& one_of(const std::vector<T>& list) {
    return list[static_cast<size_t>(below(static_cast<int64_t>(list.size())))];
  }

  /// An even second near a change of some zone's clock, which many stores then are in.
  int64_t near_a_change() {
    for (;;) {
      local_ = one_of(zones_);
      const auto around = date::sys_days(date::year(1975 + static_cast<int>(below(61))) / 1 / 1);
      const auto change = date::locate_zone(local_)->get_info(around).end.time_since_epoch().count();
      if (change < around.time_since_epoch().count() * day ||
          change > around.time_since_epoch().count() * day + 366 * day)
        continue;
      return (change + (one_in(4) ? 0 : below(9 * day) - day / 2)) / 2 * 2;
    }
  }

  void write_feeds(int stores, int64_t as_of, const test::scratch_directory& to) {
    std::string polls = "store_id,status,timestamp_utc\n" + std::to_string(below(1000)) + poll_text(as_of);
    std::string hours = "store_id,day,start_time_local,end_time_local\n";
    std::string zones = "store_id,timezone_str\n";
    for (int i = 0; i < stores; ++i) {
      const auto id = std::to_string(below(1'000'000'000));
      if (!one_in(20))
        zones += id + "," +
                 (one_in(25)                     ? "Mars/Olympus"
                  : one_in(3) && !local_.empty() ? local_
                                                 : one_of(zones_)) +
                 "\n";
      if (!one_in(8))
        for (auto n = 1 + below(one_in(2) ? 4 : 20); n > 0; --n)
          add_hours(id, hours);
      for (auto n = one_in(10) ? 0 : below(one_in(3) ? 8 : 250); n > 0; --n)
        polls += id + poll_text(poll_near(as_of));
    }
    to.write("store_status.csv", polls);
    to.write("business_hours.csv", hours);
    to.write("timezones.csv", zones);
  }

private:
  std::string poll_text(int64_t at) {
    return (one_in(3) ? ",inactive," : ",active,") + text_of(at, "%Y-%m-%d %H:%M:%S UTC\n");
  }

  /// Mostly of the last days; often where windows and horizon end, or on the quarter hours at which stores
  /// open.
  int64_t poll_near(int64_t as_of) {
    static const std::vector<int64_t> ends{0, hour, day, week, 28 * day};
    if (one_in(20))
      return as_of - one_of(ends) + 2 * (below(3) - 1) * one_in(2);
    const auto at = as_of - below(one_in(3) ? 35 * day : one_in(2) ? 8 * day : 2 * day) + below(day / 8);
    return one_in(4) ? at / (15 * minute) * (15 * minute) : at / 2 * 2;
  }

  int64_t time_of_day() {
    return one_in(12) ? below(day) : one_in(3) ? below(16) * 15 * minute : below(96) * 15 * minute;
  }

  static std::string time_text(int64_t t, bool short_form) {
    char text[40];
    std::snprintf(text, sizeof text, short_form ? "%lld:%02lld" : "%02lld:%02lld:%02lld",
                  static_cast<long long>(t / hour), static_cast<long long>(t / minute % 60),
                  static_cast<long long>(t % 60));
    return text;
  }

  void add_hours(const std::string& id, std::string& to) {
    const auto start = time_of_day();
    const auto end = one_in(8) ? start : one_in(4) ? std::min(day, start + below(16) * hour) : time_of_day();
    static const std::vector<std::string> ends_of_day{"23:59:00", "23:59:59", "24:00:00", "24:00",
                                                      "23:59",    "23:59:30", "00:00:00"};
    const auto end_text = one_in(5) ? one_of(ends_of_day) : time_text(end, end % 60 == 0 && one_in(2));
    const auto add = [&](int64_t weekday) {
      to += id + "," + std::to_string(weekday) + "," + time_text(start, false) + "," + end_text + "\n";
    };
    if (!one_in(3)) {
      add(below(7));
      return;
    }
    for (int weekday = 0; weekday < 7; ++weekday)
      add(weekday);
  }

  std::mt19937_64 random_;
  std::vector<std::string> zones_;
  std::string local_;
};

instant to_instant(int64_t at) {
  return instant(std::chrono::seconds(at));
}

/// Draws stores, asks engine and reference, compares every row of every report.
/// @returns how many rows agreed.
size_t compare(drawer& draw, int64_t as_of, int stores, observation_scope other_scope) {
  const test::scratch_directory scratch;
  draw.write_feeds(stores, as_of, scratch);
  node::engine engine(test::loading(scratch.path().string()));
  REQUIRE(engine.wait_ready());
  for (const auto& totals : test::last_totals(engine))
    REQUIRE(totals.rejected == 0);
  const auto plain = read_stores(scratch.path());
  std::vector<plain_window> windows{{"last_hour", as_of - hour, as_of},
                                    {"last_day", as_of - day, as_of},
                                    {"last_week", as_of - week, as_of}};
  const auto past = as_of - draw.below(20 * day);
  windows.push_back({"past", past - 1 - draw.below(3 * day), past});
  size_t rows = 0;
  for (const auto scope : {observation_scope::session, other_scope})
    for (const auto& [estimator, expected] : reference_rows(plain, windows, as_of, scope)) {
      report_request request;
      request.estimator = estimator;
      request.scope = scope;
      request.columns = column_set::full;
      request.as_of = to_instant(as_of);
      request.windows.push_back({"past", {to_instant(windows[3].from), to_instant(windows[3].to)}});
      std::istringstream report(test::csv_of(engine, request));
      std::string row;
      std::getline(report, row); // the header
      for (const auto& of_store : expected) {
        REQUIRE(std::getline(report, row));
        if (row != of_store)
          FAIL("engine:    " << row << "\nreference: " << of_store
                             << "\nzone: " << plain.at(row.substr(0, row.find(','))).zone);
        ++rows;
      }
      REQUIRE_FALSE(std::getline(report, row));
    }
  return rows;
}

constexpr auto business = observation_scope::business;
constexpr auto all = observation_scope::all;

} // namespace

TEST_CASE("the reference itself knows the vectors of SEMANTICS") {
  const auto seconds_open = [](const char* around, plain_row row) {
    plain_store store{{}, {row}, "America/New_York"};
    const auto at = read_instant(around);
    marks open;
    mark_open(store, at - 2 * day, at + 3 * day, open);
    int64_t sum = 0;
    for (auto s = at - 2 * day; s < at + 3 * day; ++s)
      sum += open[s];
    return sum;
  };
  constexpr int sunday = 6;
  const auto clock = [](int64_t h, int64_t m) { return h * hour + m * minute; };
  const auto* spring = "2023-03-12 00:00:00 UTC";
  CHECK(seconds_open(spring, {sunday, clock(1, 30), clock(2, 30)}) == 1800);
  CHECK(seconds_open(spring, {sunday, clock(2, 15), clock(2, 45)}) == 0);
  CHECK(seconds_open(spring, {sunday, clock(2, 30), clock(3, 30)}) == 1800);
  CHECK(seconds_open(spring, {sunday, 0, clock(23, 59)}) == 82800);
  const auto* autumn = "2023-11-05 00:00:00 UTC";
  CHECK(seconds_open(autumn, {sunday, clock(1, 30), clock(2, 30)}) == 7200);
  CHECK(seconds_open(autumn, {sunday, clock(0, 30), clock(1, 30)}) == 3600);
  CHECK(seconds_open(autumn, {sunday, 0, 0}) == 90000);
}

TEST_CASE("engine and reference agree to the microsecond around the changes of clock of 2023") {
  drawer draw(1);
  const std::vector<std::string> instants{"2023-03-12 07:00:00 UTC", "2023-03-15 18:13:22 UTC",
                                          "2023-11-05 06:00:00 UTC", "2023-11-06 05:00:00 UTC",
                                          "2023-03-26 01:30:00 UTC"};
  size_t rows = 0;
  for (size_t i = 0; i < instants.size(); ++i)
    rows += compare(draw, read_instant(instants[i]), 150, i % 2 ? business : all);
  CHECK(rows > 5 * 7 * 140);
}

TEST_CASE("engine and reference agree to the microsecond around any change of any clock") {
  drawer draw(2);
  size_t rows = 0;
  for (int round = 0; round < 10; ++round) {
    CAPTURE(round);
    rows += compare(draw, draw.near_a_change(), 90, round % 2 ? business : all);
  }
  CHECK(rows > 10 * 7 * 85);
}

TEST_CASE("engine and reference agree to the microsecond where a zone crossed the date line") {
  drawer draw(3);
  size_t rows = 0;
  for (const auto* text : {"2011-12-31 12:00:00 UTC", "1995-01-03 00:00:00 UTC"}) // Samoa, Kiribati
    rows += compare(draw, read_instant(text), 60, all);
  CHECK(rows > 2 * 7 * 55);
}
