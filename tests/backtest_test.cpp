#include "storemon/backtest/backtest.hpp"

#include "storemon/backtest/load.hpp"
#include "storemon/backtest/plot.hpp"
#include "storemon/estimate/measurer.hpp"
#include "storemon/synth/feed_files.hpp"
#include "support/scratch_directory.hpp"
#include "support/telegraph.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <random>

using namespace storemon;
using namespace storemon::backtest;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

const instant noon{std::chrono::sys_days(std::chrono::January / 25 / 2023) + 12h};
const instant midnight = noon - 12h;

constexpr auto active = store_status::active;
constexpr auto inactive = store_status::inactive;

std::vector<contender> all_of(std::initializer_list<std::string_view> names) {
  std::vector<contender> found;
  for (const auto name : names) {
    found.push_back(contender::find(name).value());
    CHECK(found.back().name() == name);
  }
  return found;
}

/// Open from nine to noon, polled at 10:14 and 11:15: the example of SEMANTICS section 5.
subject well_known_store() {
  return {{{midnight + 9h, noon}}, {{midnight + 10h + 14min, active}, {midnight + 11h + 15min, inactive}}};
}

fleet fleet_of(std::vector<subject> stores, instant as_of = noon) {
  fleet made;
  made.as_of = as_of;
  for (size_t i = 0; i < stores.size(); ++i)
    made.ids.add("store " + std::to_string(i));
  made.stores = std::move(stores);
  return made;
}

truth known_since_ever(std::vector<interval_set> active_of) {
  return {std::move(active_of), noon - std::chrono::days(9)};
}

/// What is wrong with a text as XML, as far as our drawings go: elements, attributes and character data.
std::string fault_of(const std::string& xml) {
  std::vector<std::string> open;
  size_t roots = 0;
  for (size_t i = 0; i < xml.size();) {
    if (xml[i] == '&') {
      const auto end = xml.find(';', i);
      const auto name = end == std::string::npos ? "" : xml.substr(i + 1, end - i - 1);
      if (name != "amp" && name != "lt" && name != "gt")
        return "a bare ampersand";
    }
    if (xml[i] != '<') {
      if (open.empty() && !std::isspace(static_cast<unsigned char>(xml[i])))
        return "text outside of the root";
      ++i;
      continue;
    }
    const auto end = xml.find('>', i);
    if (end == std::string::npos)
      return "a tag without an end";
    auto tag = xml.substr(i + 1, end - i - 1);
    i = end + 1;
    if (tag.find('<') != std::string::npos)
      return "a tag within <" + tag + ">";
    if (tag.starts_with('/')) {
      if (open.empty() || open.back() != tag.substr(1))
        return "<" + tag + "> closes nothing";
      open.pop_back();
      continue;
    }
    const bool empty = tag.ends_with('/');
    if (empty)
      tag.pop_back();
    const auto name = tag.substr(0, tag.find(' '));
    if (name.empty() || !std::all_of(name.begin(), name.end(), [](char c) { return std::isalpha(c); }))
      return "<" + tag + "> has no name";
    for (auto rest = tag.substr(name.size()); !rest.empty();) {
      const auto equals = rest.find("=\"");
      const auto close = equals == std::string::npos ? equals : rest.find('"', equals + 2);
      if (rest[0] != ' ' || close == std::string::npos)
        return "<" + tag + "> has a broken attribute";
      rest = rest.substr(close + 1);
    }
    roots += open.empty();
    if (!empty)
      open.push_back(name);
  }
  if (!open.empty())
    return "<" + open.back() + "> is not closed";
  return roots == 1 ? "" : "not one root";
}

} // namespace

TEST_CASE("errors are those of a truth worked by hand") {
  // The first store was open for orders until 10:44, the second one all the time, the third one was not
  // polled.
  const auto stores =
      fleet_of({well_known_store(),
                {{{midnight + 9h, noon}}, {{midnight + 10h, active}, {midnight + 11h + 30min, active}}},
                {{{midnight + 9h, noon}}, {}}});
  const auto course =
      known_since_ever({{{midnight + 9h, midnight + 10h + 44min}}, {{midnight + 9h, noon}}, {}});
  const auto contenders = all_of({"nearest", "carry_forward", "poll_ratio", "poll_count"});
  const auto scores = score_uptime(stores, course, contenders);
  REQUIRE(scores.size() == 3);
  CHECK(scores[0].asked.name == "last_hour");
  const auto& day = scores[1].of;
  for (const auto& s : day) {
    CHECK(s.rows() == 3);
    CHECK(s.answered() == 2);
    CHECK(s.answered_by_all() == 2);
    CHECK(std::isnan(s.coverage()));
  }
  // Minutes claimed: nearest 104.5 and 180, carry_forward 135 and 180, poll_ratio 90 and 180, poll_count 60
  // and 120.
  CHECK(day[0].root_mean_square() == Approx(0.5 / std::sqrt(2)));
  CHECK(day[0].mean_absolute() == Approx(0.25));
  CHECK(day[0].fleet_bias() == Approx(100 * 0.5 / 360));
  CHECK(day[1].root_mean_square() == Approx(31 / std::sqrt(2)));
  CHECK(day[2].root_mean_square() == Approx(14 / std::sqrt(2)));
  CHECK(day[2].fleet_bias() == Approx(-100. * 14 / 360));
  CHECK(day[3].mean_absolute() == Approx((44 + 60) / 2.));
  CHECK(day[3].fleet_bias() == Approx(-100. * 104 / 360));
  // In the last hour nearest has none and carry_forward a quarter of the first store's, who really had none.
  CHECK(scores[0].of[0].root_mean_square() == Approx(0).margin(1e-12));
  CHECK(scores[0].of[1].root_mean_square() == Approx(15 / std::sqrt(2)));
}

TEST_CASE("unknown time is prorated, but a poll counted stands for its hour alone") {
  auto store = well_known_store();
  store.opening.insert(store.opening.begin(), {midnight + 6h, midnight + 8h}); // nobody looked
  const auto course = known_since_ever({{}});
  const auto contenders = all_of({"nearest", "poll_count"});
  const auto scores = score_uptime(fleet_of({store}), course, contenders);
  CHECK(scores[1].of[0].mean_absolute() == Approx(104.5 * 300 / 180));
  CHECK(scores[1].of[1].mean_absolute() == Approx(60));
}

TEST_CASE("what some did not answer is left out where estimators are compared") {
  // In the last hour the first store has one poll, the second one none: poll_ratio knows nothing of it.
  const auto stores = fleet_of({well_known_store(), {{{midnight + 9h, noon}}, {{midnight + 10h, active}}}});
  const auto course = known_since_ever({{}, {}});
  const auto scores = score_uptime(stores, course, all_of({"nearest", "poll_ratio"}));
  const auto& hour = scores[0].of;
  CHECK(hour[0].answered() == 2);
  CHECK(hour[1].answered() == 1);
  CHECK(hour[0].answered_by_all() == 1);
  CHECK(hour[0].root_mean_square() == Approx(60 / std::sqrt(2)));
  CHECK(hour[0].root_mean_square_by_all() == Approx(0).margin(1e-12));
}

TEST_CASE("only telegraph has intervals, and their coverage is the share that holds the truth") {
  const auto stores = fleet_of({well_known_store()});
  const auto contenders = all_of({"capped_nearest", "telegraph"});
  const auto true_day =
      score_uptime(stores, known_since_ever({{{midnight + 9h, midnight + 10h + 44min}}}), contenders);
  const auto false_day = score_uptime(stores, known_since_ever({{}}), contenders);
  CHECK(std::isnan(true_day[1].of[0].coverage()));
  CHECK(true_day[1].of[1].coverage() == 1);
  CHECK(false_day[1].of[1].coverage() == 0);
  // ESTIMATORS section 9: fitted to this store alone, the day's mean and bounds.
  CHECK(false_day[1].of[1].mean_absolute() == Approx(6528.867322154 / 60).epsilon(1e-4));
  CHECK(false_day[1].of[1].interval_width() == Approx((9395.849565601 - 3661.885078707) / 60).epsilon(1e-4));
}

TEST_CASE("a window that begins before the truth does is left out") {
  auto course = known_since_ever({{{midnight + 9h, noon}}});
  course.from = noon - 24h;
  const auto scores = score_uptime(fleet_of({well_known_store()}), course, all_of({"nearest"}));
  REQUIRE(scores.size() == 2);
  CHECK(scores[1].asked.name == "last_day");
}

TEST_CASE("hidden polls are told from those that are left, as worked by hand") {
  // Fold 0 hides 01:00 and 03:00, fold 1 the other two.
  const subject store{
      {{midnight, noon}},
      {{midnight + 1h, active}, {midnight + 2h, active}, {midnight + 3h, inactive}, {midnight + 4h, active}}};
  const auto contenders = all_of({"nearest", "linear", "carry_forward", "poll_ratio"});
  const auto scores = score_hidden_polls(fleet_of({store}), contenders, 2);
  REQUIRE(scores.size() == 4);
  for (const auto& s : scores) {
    CHECK(s.polls() == 4);
    CHECK(s.answered() == 4);
  }
  // Chances of active at 1 h, 3 h, 2 h, 4 h. nearest, linear: 1, 1, 1/2 (right at the switch), 0.
  CHECK(scores[0].brier() == Approx((0 + 1 + 0.25 + 1) / 4));
  CHECK(scores[1].brier() == Approx((0 + 1 + 0.25 + 1) / 4));
  CHECK(scores[2].brier() == Approx((0 + 1 + 0 + 1) / 4.));      // carry_forward: 1, 1, 1, 0
  CHECK(scores[3].brier() == Approx((0 + 1 + 0.25 + 0.25) / 4)); // poll_ratio: 1, 1, 1/2, 1/2
  const double certain_and_wrong = -std::log(poll_score::certainty_min);
  const double certain_and_right = -std::log(1 - poll_score::certainty_min);
  CHECK(scores[0].log_loss() == Approx((certain_and_right + 2 * certain_and_wrong - std::log(0.5)) / 4));
  CHECK(scores[3].log_loss() == Approx((certain_and_right + certain_and_wrong - 2 * std::log(0.5)) / 4));
}

TEST_CASE(
    "polls outside opening time are not asked for, and a store left without a poll is not answered for") {
  const subject store{{{midnight + 9h, noon}}, {{midnight + 1h, active}, {midnight + 10h, active}}};
  const auto scores = score_hidden_polls(fleet_of({store}), all_of({"nearest", "telegraph"}));
  for (const auto& s : scores) {
    CHECK(s.polls() == 1);
    CHECK(s.answered() == 0);
    CHECK(std::isnan(s.brier()));
  }
}

TEST_CASE("telegraph foretells a hidden poll as fitted to the polls that are left") {
  const interval_set opening{{midnight, midnight + 6h}, {midnight + 8h, noon}};
  const std::vector<observation> polls{{midnight, active},
                                       {midnight + 3h, inactive},
                                       {midnight + 5h, active},
                                       {midnight + 8h, active},
                                       {midnight + 11h, inactive}};
  const auto scores = score_hidden_polls(fleet_of({{opening, polls}}), all_of({"telegraph"}), polls.size());
  double expected = 0;
  for (size_t hidden = 0; hidden < polls.size(); ++hidden) {
    auto shown = polls;
    shown.erase(shown.begin() + static_cast<ptrdiff_t>(hidden));
    const test::telegraph_store store(opening, shown, noon);
    const auto view = store.view(store.last(12h));
    const auto row = estimate::likelihoods_of(view);
    const estimate::telegraph model(row, estimate::fit(std::span(&row, 1)));
    // Right at an opening it says nothing; a microsecond later it does.
    const auto chance = model.active_at(view, polls[hidden].at() + (hidden % 3 == 0 ? 1us : 0us)).value();
    expected += std::pow(chance - polls[hidden].active(), 2);
  }
  REQUIRE(scores[0].answered() == polls.size());
  CHECK(scores[0].brier() == Approx(expected / static_cast<double>(polls.size())).epsilon(1e-6));
}

TEST_CASE("plain rules say here what they say in reports") {
  std::mt19937_64 random(17);
  for (int round = 0; round < 50; ++round) {
    CAPTURE(round);
    subject store;
    for (auto from = noon - std::chrono::days(16); from < noon + 1h; from += 24h) {
      const auto opens = from + std::chrono::minutes(random() % 600);
      store.opening.push_back({opens, opens + std::chrono::minutes(30 + random() % 700)});
    }
    for (auto t = noon - std::chrono::days(8); t <= noon; t += std::chrono::minutes(1 + random() % 300))
      store.polls.emplace_back(t, random() % 4 == 0 ? inactive : active);
    const sight seen(store.opening, store.polls, noon);
    for (const auto name : contender::names()) {
      const auto* rule = estimate::find_estimator(name);
      if (name == "telegraph")
        continue;
      CAPTURE(name);
      REQUIRE(rule);
      const auto spec = resolve({.estimator = std::string(name)}, noon).value();
      std::array<measure, 3> measures{};
      estimate::measurer(spec).measure_store({store.opening, {}, store.polls}, measures.data(), 1);
      for (size_t w = 0; w < measures.size(); ++w) {
        const auto view = seen.view(spec.windows[w].span);
        const auto known = rule->judge(view, observation_scope::session);
        CHECK(view.open == measures[w].scheduled);
        CHECK(known.uptime == measures[w].uptime);
        CHECK(known.downtime == measures[w].downtime);
        CHECK(known.imputed == measures[w].imputed);
        CHECK(view.observed_in_window == measures[w].observations);
        CHECK(seen.counts().active == measures[w].horizon_active);
        CHECK(seen.counts().observed == measures[w].horizon_observed);
      }
    }
  }
}

TEST_CASE("on fleets of several hidden processes telegraph errs least in a week, hardly to one side, and as "
          "much as it "
          "says") {
  // An hour's bias is an error of six minutes over the root of the stores: of fewer, chance alone would show.
  std::vector<synth::fleet_options> fleets(4, {.stores = 6'000});
  fleets[1].outages = synth::outage_law::weibull;
  fleets[2].holes = false;
  fleets[3].ignores_hours = true;
  fleets[3].lost = 0.2;
  std::vector<contender> contenders;
  for (const auto name : contender::names())
    contenders.push_back(contender::find(name).value());
  for (size_t i = 0; i < fleets.size(); ++i) {
    CAPTURE(i);
    const test::scratch_directory scratch;
    const auto made = synth::generate(fleets[i]).value();
    REQUIRE(synth::write_feeds(made, scratch.path()).has_value());
    REQUIRE(synth::write_truth(made, scratch.path() / "truth.csv").has_value());
    const auto loaded = load_fleet(scratch.path()).value();
    const auto course = load_truth(scratch.path() / "truth.csv", loaded.stores).value();
    CHECK(course.strangers == 0);
    const auto scores = score_uptime(loaded.stores, course.course, contenders);
    REQUIRE(scores.size() == 3);
    const auto& week = scores[2].of;
    for (size_t c = 0; c + 1 < contenders.size(); ++c) {
      CAPTURE(contenders[c].name());
      CHECK(week.back().root_mean_square_by_all() < week[c].root_mean_square_by_all());
      CHECK(week[c].rows() == 6'000);
    }
    for (const auto& window : scores) {
      CAPTURE(window.asked.name);
      CHECK(std::abs(window.of.back().fleet_bias()) < 0.4);
      CHECK(window.of.back().coverage() > 0.88);
      CHECK(window.of.back().coverage() < 0.97);
    }
  }
}

TEST_CASE("predictions are counted in the band they fall in, the greatest in the last") {
  calibration c;
  c.add(0, 1);
  c.add(0.05, 0);
  c.add(0.1, 1);
  c.add(1, 1);
  CHECK(c.bands[0].count == 2);
  CHECK(c.bands[0].predicted == Approx(0.05));
  CHECK(c.bands[0].observed == Approx(1));
  CHECK(c.bands[1].count == 1);
  CHECK(c.bands[9].count == 1);
  auto twice = c;
  twice += c;
  CHECK(twice.bands[0].count == 4);
  CHECK(twice.bands[9].observed == Approx(2));
}

TEST_CASE("a drawing is well-formed, names everyone, and leaves bands of few out") {
  std::vector<panel> panels(2);
  for (auto& p : panels) {
    p.title = "last <hour> & more";
    for (const auto name : contender::names()) {
      p.curves.push_back({std::string(name), {}});
      for (int i = 0; i < 1000; ++i)
        p.curves.back().of.add(i % 500 / 500., i % 3 == 0);
    }
    for (uint64_t i = 1; i < drawn_min; ++i)
      p.curves[0].of.add(0.99, 1); // the last band of 100 gets more
  }
  panels[1].curves[0].of = {};
  for (uint64_t i = 1; i < drawn_min; ++i)
    panels[1].curves[0].of.add(0.5, 1);
  const auto svg = calibration_svg(panels);
  CHECK(fault_of(svg) == "");
  CHECK(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  CHECK_THAT(svg, Contains("last &lt;hour&gt; &amp; more") && Contains("prefers-color-scheme: dark"));
  for (const auto name : contender::names())
    CHECK_THAT(svg, Contains(">" + std::string(name) + "</text>"));
  size_t curves = 0;
  for (auto i = svg.find("<polyline"); i != std::string::npos; i = svg.find("<polyline", i + 1))
    ++curves;
  CHECK(curves == 2 * contender::names().size() - 1);
  CHECK(svg.find("nan") == std::string::npos);
  CHECK(fault_of(calibration_svg({})) == "");
}

TEST_CASE("the check of drawings finds faults") {
  CHECK(fault_of("<a><b></a></b>") != "");
  CHECK(fault_of("<a b=1/>") != "");
  CHECK(fault_of("<a>&</a>") != "");
  CHECK(fault_of("<a>") != "");
  CHECK(fault_of("<a/><b/>") != "");
  CHECK(fault_of("<a b=\"1\"><c/>&amp;</a>\n") == "");
}

TEST_CASE("feeds and a truth are read by store, whatever their order") {
  const test::scratch_directory scratch;
  scratch.write("store_status.csv", "store_id,status,timestamp_utc\n"
                                    "b,active,2023-01-25 11:00:00 UTC\n"
                                    "a,inactive,2023-01-25 12:00:00 UTC\n"
                                    "a,perhaps,2023-01-25 11:30:00 UTC\n"
                                    "a,active,2023-01-25 10:00:00 UTC\n"
                                    "a,active,2022-12-01 10:00:00 UTC\n"); // before the horizon
  scratch.write("menu_hours.csv", "store_id,day,start_time_local,end_time_local\nb,2,09:00:00,12:00:00\n");
  scratch.write("timezones.csv", "store_id,timezone_str\nb,UTC\nc,UTC\n");
  const auto loaded = load_fleet(scratch.path()).value();
  CHECK(loaded.polls == 4);
  CHECK(loaded.rejected == 1);
  CHECK(loaded.stores.as_of == noon);
  REQUIRE(loaded.stores.ids.size() == 3);
  CHECK(loaded.stores.find("b") == 1);
  CHECK(loaded.stores.find("bb") == std::nullopt);
  CHECK(loaded.stores.find("d") == std::nullopt);
  const auto& a = loaded.stores.stores[0];
  CHECK(a.polls == std::vector<observation>{{noon - 2h, active}, {noon, inactive}});
  REQUIRE(a.opening.size() == 1);
  CHECK(a.opening[0].from < noon - std::chrono::days(15));
  CHECK(loaded.stores.stores[1].opening.back() == interval{noon - 3h, noon});
  CHECK(loaded.stores.stores[2].polls.empty());

  const auto file = scratch.write("truth.csv", "store_id,from_utc,to_utc\n"
                                               "b,2023-01-25 10:00:00 UTC,2023-01-25 11:00:00 UTC\n"
                                               "z,2023-01-25 10:00:00 UTC,2023-01-25 11:00:00 UTC\n"
                                               "b,2023-01-25 09:00:00 UTC,2023-01-25 09:30:00 UTC\n");
  const auto course = load_truth(file, loaded.stores).value();
  CHECK(course.strangers == 1);
  CHECK(course.course.from == noon - 3h);
  CHECK(course.course.active[1] == interval_set{{noon - 3h, noon - 2h - 30min}, {noon - 2h, noon - 1h}});
  CHECK(course.course.active[0].empty());
}

TEST_CASE("what is no fleet or no truth is refused by name") {
  const test::scratch_directory scratch;
  CHECK(load_fleet(scratch.path()).error().code == errc::io_failed);
  scratch.write("timezones.csv", "store_id,timezone_str\nb,UTC\n");
  CHECK(load_fleet(scratch.path()).error().code == errc::no_data);
  scratch.write("store_status.csv", "store_id,status\n");
  const auto headless = load_fleet(scratch.path());
  CHECK(headless.error().code == errc::bad_feed);
  CHECK_THAT(headless.error().detail, Contains("store_status.csv") && Contains("timestamp_utc"));

  const auto stores = fleet_of({well_known_store()});
  const auto refusal = [&](const std::string& text) {
    const auto course = load_truth(scratch.write("truth.csv", text), stores);
    REQUIRE(course.has_error());
    CHECK(course.error().code == errc::bad_feed);
    return course.error().detail;
  };
  CHECK_THAT(refusal("store_id,from,to\n"), Contains("store_id,from_utc,to_utc"));
  CHECK_THAT(refusal("store_id,from_utc,to_utc\n"), Contains("no row"));
  CHECK_THAT(refusal("store_id,from_utc,to_utc\n"
                     "store 0,2023-01-25 10:00:00 UTC,2023-01-25 11:00:00 UTC\n\nstore 0,soon\n"),
             Contains("line 4"));
  CHECK(load_truth("/no/such/truth.csv", stores).error().code == errc::io_failed);
}

TEST_CASE("what is closed by plan is no opening time of a backtest") {
  const test::scratch_directory scratch;
  scratch.write("store_status.csv", "store_id,status,timestamp_utc\n"
                                    "a,active,2023-01-25 10:00:00 UTC\nb,active,2023-01-25 11:00:00 UTC\n");
  const auto open_time = [&] {
    const auto loaded = load_fleet(scratch.path().string()).value();
    std::vector<duration> sums;
    for (const auto& s : loaded.stores.stores) {
      duration sum{};
      for (const auto& i : s.opening)
        sum += i.length();
      sums.push_back(sum);
    }
    return sums;
  };
  const auto before = open_time();
  scratch.write("closures.csv", "store_id,from_utc,to_utc\na,2000-01-01T00:00:00Z,2100-01-01T00:00:00Z\n"
                                "b,2023-01-25T08:00:00Z,2023-01-25T09:00:00Z\n");
  const auto after = open_time();
  CHECK(before[0] > 0h);
  CHECK(after[0] == 0h);
  CHECK(before[1] - after[1] == 1h);
}
