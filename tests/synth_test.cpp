#include "storemon/synth/feed_files.hpp"

#include "storemon/calendar/opening_intervals.hpp"
#include "storemon/synth/hours.hpp"
#include "storemon/synth/random.hpp"
#include "support/scratch_directory.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <regex>
#include <set>
#include <sstream>

using namespace storemon;
using namespace storemon::synth;
using namespace std::chrono_literals;

namespace {

fleet drawn(const fleet_options& options) {
  auto made = generate(options);
  REQUIRE(made.has_value());
  return std::move(*made);
}

constexpr fleet_options small{.stores = 300, .days = 8, .polls_per_hour = 1, .seed = 7};

const std::vector<std::string> feed_names{"store_status.csv", "menu_hours.csv", "timezones.csv"};

/// The bytes of the three feeds and the truth, as written.
std::vector<std::string> written(const fleet& from) {
  const test::scratch_directory scratch;
  REQUIRE(write_feeds(from, scratch.path() / "deep" / "er").has_value());
  REQUIRE(write_truth(from, scratch.path() / "truth.csv").has_value());
  std::vector<std::string> texts;
  for (const auto& name : feed_names)
    texts.push_back(test::read_file(scratch.path() / "deep" / "er" / name));
  texts.push_back(test::read_file(scratch.path() / "truth.csv"));
  return texts;
}

/// Checks the header and the form of every other line; returns how many those are.
size_t check_lines(const std::string& text, const std::string& header, const std::string& form) {
  REQUIRE(text.ends_with('\n'));
  std::istringstream in(text);
  std::string line;
  std::getline(in, line);
  CHECK(line == header);
  const std::regex pattern(form);
  size_t lines = 0;
  for (; std::getline(in, line); ++lines)
    if (!std::regex_match(line, pattern))
      FAIL_CHECK(line << " is not of the form " << form);
  return lines;
}

/// What the calendar makes of a fleet's own hours and zones, within a day more than its span.
std::vector<interval_set> opening_of(const fleet& from) {
  std::vector<std::vector<hours_row>> hours(from.ids.size());
  std::vector<const calendar::zone*> zones(from.ids.size(), &calendar::zone::fallback());
  for (const auto& [store, row] : from.hours)
    hours[store].push_back(row);
  for (const auto& [store, name] : from.zones)
    if (const auto* known = calendar::zone::find(name))
      zones[store] = known;
  const interval within{from.span.from - 24h, from.span.to + 24h};
  std::vector<interval_set> opening(from.ids.size(), interval_set{within});
  for (size_t store = 0; store < opening.size(); ++store) {
    std::sort(hours[store].begin(), hours[store].end());
    if (!hours[store].empty())
      calendar::opening_intervals(hours[store], *zones[store], within, opening[store]);
  }
  return opening;
}

bool contains(const interval_set& set, instant at) {
  return std::any_of(set.begin(), set.end(), [&](const interval& i) { return i.contains(at); });
}

} // namespace

TEST_CASE("equal options write equal bytes, and another seed others") {
  const auto once = written(drawn(small));
  CHECK(once == written(drawn(small)));
  auto other = small;
  other.seed = 8;
  const auto others = written(drawn(other));
  for (size_t i = 0; i < once.size(); ++i)
    CHECK(once[i] != others[i]);
}

TEST_CASE("a seed means the same bytes on every machine and in every version") {
  const auto texts = written(drawn(small));
  std::vector<uint64_t> hashes;
  for (const auto& text : texts)
    hashes.push_back(hash_of(text));
  CHECK(hashes == std::vector<uint64_t>{0x56f5e76e3c0fbcc7, 0xc458cb42a02171c4, 0x1f92c2aa1b63216f,
                                        0xd6674be190dfb562});
}

TEST_CASE("a larger fleet begins with the smaller one's stores") {
  auto fewer = small;
  fewer.stores = 50;
  const auto some = drawn(fewer);
  const auto all = drawn(small);
  for (size_t store = 0; store < some.ids.size(); ++store)
    CHECK(some.ids[store] == all.ids[store]);
  REQUIRE(some.truth.size() > 50);
  for (size_t i = 0; i < some.truth.size(); ++i)
    CHECK(some.truth[i].value == all.truth[i].value);
}

TEST_CASE("the files have the form of the real feeds, and a line for every row") {
  const auto from = drawn(small);
  const auto texts = written(from);
  const std::string id = "[1-9][0-9]{14,18}";
  const std::string time = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]";
  const std::string at = "20(22|23)-[01][0-9]-[0-3][0-9] " + time + "(\\.[0-9]{0,5}[1-9])? UTC";
  CHECK(check_lines(texts[0], "store_id,status,timestamp_utc", id + ",(active|inactive)," + at) ==
        from.polls.size());
  CHECK(check_lines(texts[1], "store_id,day,start_time_local,end_time_local",
                    id + ",[0-6]," + time + "," + time) == from.hours.size());
  CHECK(check_lines(texts[2], "store_id,timezone_str", id + ",(America|Pacific|Asia)/[A-Za-z_/]+") ==
        from.zones.size());
  CHECK(check_lines(texts[3], "store_id,from_utc,to_utc", id + "," + at + "," + at) == from.truth.size());
}

TEST_CASE("what is written reads back as what was drawn") {
  const auto from = drawn({.stores = 20, .days = 2, .polls_per_hour = 4, .seed = 3});
  std::istringstream status(written(from)[0]);
  std::string line;
  std::getline(status, line);
  for (const auto& poll : from.polls) {
    std::getline(status, line);
    const auto first = line.find(',');
    const auto second = line.find(',', first + 1);
    CHECK(line.substr(0, first) == from.ids[poll.store()]);
    CHECK((line.substr(first + 1, second - first - 1) == "active") == poll.active());
    CHECK(parse_instant(line.substr(second + 1)) == from.at(poll));
  }
}

TEST_CASE("fractions of seconds lose their trailing zeros, and none is left of a whole second") {
  const auto text = written(drawn(small))[0];
  CHECK(text.find("2023-01-25 18:13:22 UTC\n") != std::string::npos);
  std::set<size_t> digits;
  const std::regex fraction("\\.([0-9]+) UTC");
  for (auto i = std::sregex_iterator(text.begin(), text.end(), fraction); i != std::sregex_iterator(); ++i)
    digits.insert(i->str(1).size());
  CHECK(digits.count(6) == 1);
  CHECK(digits.count(5) == 1);
  CHECK(digits.count(4) == 1);
}

TEST_CASE("no poll is at a tenth of a second, as none in the real feed is") {
  const auto from = drawn({.stores = 1000, .days = 8, .polls_per_hour = 6, .seed = 1});
  REQUIRE(from.polls.size() > 500'000); // of so many, five would be
  size_t at_tenths = 0;
  size_t at_hundredths = 0;
  for (const auto& poll : from.polls) {
    const auto fraction = from.at(poll) - std::chrono::floor<std::chrono::seconds>(from.at(poll));
    at_tenths += fraction > 0s && fraction % 100ms == 0s;
    at_hundredths += fraction % 100ms != 0s && fraction % 10ms == 0s;
  }
  CHECK(at_tenths == 0);
  CHECK(at_hundredths > 0);
}

TEST_CASE("ids are distinct") {
  const auto from = drawn({.stores = 20'000, .days = 1, .polls_per_hour = 0.01, .seed = 1});
  std::set<std::string_view> seen;
  for (size_t store = 0; store < from.ids.size(); ++store)
    seen.insert(from.ids[store]);
  CHECK(from.ids.size() == 20'000);
  CHECK(seen.size() == 20'000);
}

TEST_CASE("within opening time a poll says what the truth says; outside, each store always the same") {
  const auto from = drawn(small);
  const auto opening = opening_of(from);
  std::vector<interval_set> truth(from.ids.size());
  for (const auto& [store, active] : from.truth)
    truth[store].push_back(active);

  size_t in_session = 0, outages = 0, wrong = 0;
  std::map<uint32_t, std::set<bool>> outside;
  for (const auto& poll : from.polls) {
    const auto at = from.at(poll);
    if (!contains(opening[poll.store()], at)) {
      outside[poll.store()].insert(poll.active());
      continue;
    }
    if (at == from.span.to)
      continue; // the truth ends there
    ++in_session;
    outages += !poll.active();
    wrong += contains(truth[poll.store()], at) != poll.active();
  }
  CHECK(wrong == 0);
  CHECK(in_session > from.polls.size() / 4);
  CHECK(outages > in_session / 50);
  CHECK(outages < in_session / 3);

  REQUIRE(outside.size() > 100);
  size_t tablets_left_on = 0;
  for (const auto& [store, statuses] : outside) {
    CHECK(statuses.size() == 1);
    tablets_left_on += statuses.contains(true);
  }
  CHECK(tablets_left_on > 0);
  CHECK(tablets_left_on < outside.size() / 4);
}

TEST_CASE("the truth lies within opening time and the span, ascending, and no store's overlaps") {
  const auto from = drawn(small);
  const auto opening = opening_of(from);
  std::map<uint32_t, interval_set> truth;
  uint32_t last = 0;
  for (const auto& [store, active] : from.truth) {
    CHECK(last <= store);
    last = store;
    truth[store].push_back(active);
  }
  CHECK(truth.size() > from.ids.size() * 9 / 10);
  for (const auto& [store, active] : truth) {
    auto normal = active;
    normalise(normal);
    CHECK(normal == active);
    CHECK(subtract(active, opening[store]).empty());
    CHECK(active.front().from >= from.span.from);
    CHECK(active.back().to <= from.span.to);
  }
}

TEST_CASE("the poller has short and long holes in which no store was polled, but not at the end") {
  const auto from = drawn(small);
  size_t in_holes = 0;
  for (const auto& poll : from.polls)
    in_holes += contains(from.holes, from.at(poll));
  CHECK(in_holes == 0);
  const auto is_long = [](const interval& hole) { return hole.length() >= 4h; };
  const auto longs = std::count_if(from.holes.begin(), from.holes.end(), is_long);
  CHECK(longs >= 2);
  CHECK(static_cast<long>(from.holes.size()) > longs);
  CHECK(from.holes.front().from >= from.span.from);
  CHECK(from.holes.back().to <= from.span.to - 2h);
}

TEST_CASE("the newest poll is at the end of the data, and polls come at about the rate asked for") {
  for (const double rate : {0.5, 1., 12.}) {
    const auto from = drawn({.stores = 100, .days = 4, .polls_per_hour = rate, .seed = 5});
    CHECK(from.span == interval{data_end - 96h, data_end});
    auto newest = from.span.from;
    for (const auto& poll : from.polls) {
      CHECK(from.at(poll) >= from.span.from);
      newest = std::max(newest, from.at(poll));
    }
    CHECK(newest == data_end);
    auto polled = from.span.length();
    for (const auto& hole : from.holes)
      polled -= hole.length();
    const double expected = 100 * rate * static_cast<double>(polled / 1s) / 3600;
    CHECK(static_cast<double>(from.polls.size()) == Approx(expected).epsilon(0.05));
  }
}

TEST_CASE("rows come in random order") {
  const auto from = drawn(small);
  size_t ascending_time = 0, ascending_store = 0;
  for (size_t i = 1; i < from.polls.size(); ++i) {
    ascending_time += from.at(from.polls[i - 1]) < from.at(from.polls[i]);
    ascending_store += from.polls[i - 1].store() <= from.polls[i].store();
  }
  const auto half = static_cast<double>(from.polls.size()) / 2;
  CHECK(static_cast<double>(ascending_time) == Approx(half).epsilon(0.05));
  CHECK(static_cast<double>(ascending_store) == Approx(half).epsilon(0.05));
}

TEST_CASE("some stores have no hours, few no zone, most zones are the real feed's largest") {
  const auto from = drawn({.stores = 5000, .days = 1, .polls_per_hour = 0.01, .seed = 2});
  std::set<uint32_t> with_hours;
  for (const auto& row : from.hours)
    with_hours.insert(row.store);
  CHECK(static_cast<double>(with_hours.size()) == Approx(5000 * 0.82).epsilon(0.03));
  CHECK(static_cast<double>(from.zones.size()) == Approx(5000 * 0.97).epsilon(0.02));
  std::map<std::string_view, double> zones;
  for (const auto& [store, name] : from.zones)
    ++zones[name];
  CHECK(zones["America/New_York"] == Approx(from.zones.size() * 8191. / 13559).epsilon(0.05));
  CHECK(zones["America/Los_Angeles"] == Approx(from.zones.size() * 3224. / 13559).epsilon(0.08));
  for (const auto& [name, count] : zones)
    CHECK(calendar::zone::find(name) != nullptr);
}

TEST_CASE("hours come in all the shapes of the real feed, sorted, none overlapping") {
  size_t whole_days = 0, splits = 0, past_midnight = 0, closed_days = 0, daytime = 0, glances = 0;
  random_source random(1, 1);
  for (int store = 0; store < 2000; ++store) {
    const auto rows = draw_hours(random);
    REQUIRE_FALSE(rows.empty());
    CHECK(std::is_sorted(rows.begin(), rows.end()));
    std::array<size_t, 7> per_day{};
    bool spills = false, is_split = false;
    for (size_t i = 0; i < rows.size(); ++i) {
      CHECK(rows[i].start < rows[i].end);
      ++per_day.at(rows[i].day);
      const bool same_day = i > 0 && rows[i - 1].day == rows[i].day;
      if (same_day)
        CHECK(rows[i - 1].end < rows[i].start);
      spills |= rows[i].start == 0h && rows[i].end <= 6h && rows[i].end > 10min;
      is_split |= same_day && rows[i - 1].start > 0h;
    }
    const auto& first = rows.front();
    whole_days += first.start == 0h && meaning(first).to == 24h;
    glances += first.end == 10min;
    daytime += first.start > 0h && first.end < 23h + 59min && !is_split;
    splits += is_split;
    past_midnight += spills;
    closed_days += std::count(per_day.begin(), per_day.end(), size_t{0}) > 0;
  }
  CHECK(whole_days > 200);
  CHECK(daytime > 600);
  CHECK(splits > 100);
  CHECK(past_midnight > 200);
  CHECK(closed_days > 250);
  CHECK(glances > 5);
}

TEST_CASE("exponential and spread numbers have the mean their definitions give") {
  random_source random(1, 2);
  constexpr int draws = 200'000;
  double exponentials = 0, spreads = 0;
  int beyond_the_mean = 0;
  for (int i = 0; i < draws; ++i) {
    const auto x = random.exponential(1h);
    CHECK(x > duration::zero());
    exponentials += static_cast<double>(x.count());
    beyond_the_mean += x > 1h;
    spreads += static_cast<double>(random.spread(1h, 10h).count());
  }
  CHECK(exponentials / draws == Approx(3.6e9).epsilon(0.01));
  CHECK(static_cast<double>(beyond_the_mean) / draws == Approx(0.3679).epsilon(0.01)); // 1/e
  CHECK(spreads / draws == Approx(3.6e9 * 9 / 2.302585).epsilon(0.01));                // (b - a) / ln(b / a)
}

TEST_CASE("outages of every law have the mean asked for, and the law's own median") {
  constexpr int draws = 200'000;
  const std::vector<std::pair<outage_law, double>> medians{{outage_law::exponential, 0.693147}, // ln 2
                                                           {outage_law::weibull, 0.240227}, // (ln 2)^2 / 2
                                                           {outage_law::log_normal, 0.606531}}; // e^(-1/2)
  for (const auto& [law, median] : medians) {
    CAPTURE(to_string(law));
    random_source random(3, 4);
    double sum = 0;
    int below = 0;
    for (int i = 0; i < draws; ++i) {
      const auto x = draw_outage(random, law, 1h);
      CHECK(x > duration::zero());
      sum += static_cast<double>(x.count());
      below += static_cast<double>(x.count()) < median * 3.6e9;
    }
    CHECK(sum / draws == Approx(3.6e9).epsilon(0.02));
    CHECK(static_cast<double>(below) / draws == Approx(0.5).epsilon(0.01));
  }
  random_source random(3, 4);
  CHECK(draw_outage(random, outage_law::fixed, 1h) == 1h);
}

TEST_CASE("a log-normal outage's logarithm is normal: a deviation of one, a third outside of it, five in a "
          "hundred of "
          "two") {
  constexpr int draws = 100'000;
  random_source random(5, 6);
  double squares = 0;
  int beyond_one = 0, beyond_two = 0;
  for (int i = 0; i < draws; ++i) {
    const auto x = draw_outage(random, outage_law::log_normal, 1h);
    const double z = std::log(static_cast<double>(x.count()) / 3.6e9) + 0.5;
    squares += z * z;
    beyond_one += std::abs(z) > 1;
    beyond_two += std::abs(z) > 2;
  }
  CHECK(squares / draws == Approx(1).epsilon(0.02));
  CHECK(static_cast<double>(beyond_one) / draws == Approx(0.3173).epsilon(0.02));
  CHECK(static_cast<double>(beyond_two) / draws == Approx(0.0455).epsilon(0.05));
}

TEST_CASE("laws of outages go by their names") {
  for (const auto law :
       {outage_law::exponential, outage_law::weibull, outage_law::log_normal, outage_law::fixed})
    CHECK(parse_outage_law(to_string(law)) == law);
  CHECK(parse_outage_law("pareto") == std::nullopt);
}

TEST_CASE("a seed means the same outages of every law on every machine") {
  std::vector<uint64_t> hashes;
  for (const auto law : {outage_law::weibull, outage_law::log_normal, outage_law::fixed}) {
    auto options = small;
    options.outages = law;
    hashes.push_back(hash_of(written(drawn(options))[3]));
  }
  CHECK(hashes == std::vector<uint64_t>{0xf5728efd8f28bc4, 0x1c728f385a73ce3d, 0xdec826134c2ff03c});
}

TEST_CASE(
    "outages of fixed length are as long as the store's others where neither opening nor closing cut them") {
  auto options = small;
  options.outages = outage_law::fixed;
  options.ignores_hours = true;
  const auto from = drawn(options);
  const auto opening = opening_of(from);
  std::map<uint32_t, std::set<duration>> lengths;
  for (size_t i = 1; i < from.truth.size(); ++i) {
    const auto& [store, up] = from.truth[i];
    const auto& [before, up_before] = from.truth[i - 1];
    const interval outage{up_before.to, up.from};
    const auto within = [&](const interval& s) { return s.from <= up_before.from && up.to <= s.to; };
    if (store == before && std::any_of(opening[store].begin(), opening[store].end(), within))
      lengths[store].insert(outage.length());
  }
  CHECK(lengths.size() > 50);
  for (const auto& [store, of_store] : lengths) {
    CAPTURE(store);
    CHECK(of_store.size() == 1);
  }
}

TEST_CASE("without holes the poller never fails, and nothing else changes") {
  auto options = small;
  options.holes = false;
  const auto whole = drawn(options);
  const auto holed = drawn(small);
  CHECK(whole.holes.empty());
  CHECK(whole.polls.size() > holed.polls.size());
  CHECK(written(whole)[3] == written(holed)[3]);
  size_t in_holes = 0;
  for (const auto& poll : whole.polls)
    in_holes += contains(holed.holes, whole.at(poll));
  CHECK(whole.polls.size() - in_holes == holed.polls.size());
}

TEST_CASE("about the share asked for of the polls is lost, and the others are as they were") {
  auto options = small;
  options.lost = 0.3;
  const auto some = drawn(options);
  const auto all = drawn(small);
  CHECK(written(some)[3] == written(all)[3]);
  CHECK(static_cast<double>(some.polls.size()) ==
        Approx(0.7 * static_cast<double>(all.polls.size())).epsilon(0.02));
  const auto key = [](const packed_poll& p) { return std::tuple(p.store(), p.since_begin(), p.active()); };
  std::set<std::tuple<uint32_t, duration, bool>> known;
  for (const auto& poll : all.polls)
    known.insert(key(poll));
  auto newest = duration::zero();
  for (const auto& poll : some.polls) {
    CHECK(known.contains(key(poll)));
    newest = std::max(newest, poll.since_begin());
  }
  CHECK(some.span.from + newest == data_end);
}

TEST_CASE("a store that ignores its hours is seen as it is around the clock, and its truth is that of "
          "opening time") {
  auto options = small;
  options.ignores_hours = true;
  const auto from = drawn(options);
  const auto opening = opening_of(from);
  std::vector<interval_set> truth(from.ids.size());
  for (const auto& [store, active] : from.truth)
    truth[store].push_back(active);
  size_t wrong = 0, stores_of_both = 0;
  std::map<uint32_t, std::set<bool>> outside;
  for (const auto& poll : from.polls) {
    const auto at = from.at(poll);
    if (!contains(opening[poll.store()], at))
      outside[poll.store()].insert(poll.active());
    else if (at != from.span.to)
      wrong += contains(truth[poll.store()], at) != poll.active();
  }
  CHECK(wrong == 0);
  for (const auto& [store, statuses] : outside)
    stores_of_both += statuses.size() == 2;
  CHECK(stores_of_both > outside.size() / 3);
  for (size_t store = 0; store < truth.size(); ++store)
    CHECK(subtract(truth[store], opening[store]).empty());
}

TEST_CASE("options beyond a limit are refused by name") {
  const std::vector<std::pair<fleet_options, std::string>> refused{
      {{.stores = 0}, "stores"},
      {{.stores = stores_max + 1}, "stores"},
      {{.days = 0}, "days"},
      {{.days = days_max + 1}, "days"},
      {{.polls_per_hour = 0}, "polls-per-hour"},
      {{.polls_per_hour = -1}, "polls-per-hour"},
      {{.polls_per_hour = 61}, "polls-per-hour"},
      {{.polls_per_hour = std::numeric_limits<double>::quiet_NaN()}, "polls-per-hour"},
      {{.stores = stores_max, .days = days_max}, "200 million"},
      {{.lost = -0.1}, "lose"},
      {{.lost = 1}, "lose"},
      {{.lost = std::numeric_limits<double>::quiet_NaN()}, "lose"},
  };
  for (const auto& [options, named] : refused) {
    const auto made = generate(options);
    REQUIRE(made.has_error());
    CHECK(made.error().code == errc::invalid_argument);
    CHECK(made.error().detail.find(named) != std::string::npos);
  }
}

TEST_CASE("a file the system refuses is an error that names it") {
  const auto from = drawn({.stores = 1, .days = 1, .polls_per_hour = 1, .seed = 1});
  const test::scratch_directory scratch;
  const auto in_a_file = scratch.write("file", "x") + "/sub";
  for (const auto& done :
       {write_truth(from, scratch.path()), write_truth(from, "/dev/full"), write_feeds(from, in_a_file)}) {
    REQUIRE(done.has_error());
    CHECK(done.error().code == errc::io_failed);
    CHECK(done.error().detail.find(" cannot be ") != std::string::npos);
    CHECK(done.error().detail.find("Success") == std::string::npos);
  }
  CHECK(write_truth(from, "/dev/full").error().detail.starts_with("/dev/full "));
}
