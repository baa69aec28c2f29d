/// One store over a span of time.
#include "storemon/partition/timeline.hpp"

#include "support/fleet.hpp"
#include "support/instants.hpp"
#include "support/partition_rows.hpp"
#include "support/results.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace storemon;
using namespace storemon::protocol;
using namespace std::chrono_literals;
using partition::partition_data;

namespace {

const auto wednesday = instant(std::chrono::sys_days(std::chrono::January / 25 / 2023));
constexpr auto up = stretch_state::up;
constexpr auto down = stretch_state::down;
constexpr auto unknown = stretch_state::unknown;

report_spec spec_of(const interval& asked, instant as_of, std::string estimator = "telegraph") {
  return {std::move(estimator), observation_scope::session, as_of, {{"", asked}}};
}

store_timeline timeline(const partition_data& data, const interval& asked, instant as_of,
                        const std::string& id = "a") {
  const auto made = partition::timeline_of(data, id, spec_of(asked, as_of));
  if (!made)
    FAIL(made.error().detail);
  return *made;
}

void fill(partition_data& data, const test::store_updates& store) {
  for (const auto& change : store.updates)
    data.apply(change);
}

/// A store with gaps from minutes to hours, polled outside of its hours too, with closures.
partition_data random_store(unsigned seed) {
  std::mt19937 random(seed);
  partition_data data;
  test::store_updates store("a");
  store.zone("Etc/UTC");
  std::vector<std::pair<std::string, hours_row>> week;
  for (uint8_t day = 0; day < 7; ++day)
    week.push_back({"a",
                    {std::chrono::minutes(300 + random() % 300),
                     std::chrono::minutes((900 + random() % 700) % 1440), day}});
  for (auto t = wednesday - 100h; t <= wednesday + 24h;
       t += random() % 8 == 0 ? std::chrono::minutes(random() % 900) + 1us
                              : duration(1'000'000 + static_cast<int64_t>(random())))
    store.poll(t, random() % 3 == 0 ? store_status::inactive : store_status::active);
  fill(data, store);
  if (seed % 4 != 0)
    data.apply(test::hours(week));
  if (seed % 3 == 0)
    data.apply(closure_change{"a", {wednesday - 5h, wednesday - 1h}, false});
  return data;
}

bool is_in(const interval_set& set, instant at) {
  return std::any_of(set.begin(), set.end(), [at](const interval& i) { return i.contains(at); });
}

/// The session that an instant lies in: as far as the store is open around it.
interval session_at(const interval_set& sessions, instant at) {
  for (const auto& s : sessions)
    if (s.contains(at))
      return s;
  FAIL("no session");
  return {};
}

/// By looking at every observation.
stretch_state naive_state(const interval& session, const std::vector<observation>& polls, instant at) {
  std::optional<observation> nearest;
  duration distance = std::chrono::hours(1000);
  for (const auto o : polls)
    if (const auto d = o.at() <= at ? at - o.at() : o.at() - at;
        session.contains(o.at()) && d <= distance + 1us) {
      nearest = o; // of two as near the later counts, and so it does where half a gap is no whole microsecond
      distance = d;
    }
  const bool reached = nearest && (nearest->at() <= at ? distance < 2h : distance <= 2h);
  return !reached ? unknown : nearest->active() ? up : down;
}

} // namespace

TEST_CASE("the well-known store is up until the middle of its two polls, and down after") {
  partition_data data;
  fill(data, test::well_known_store("a"));
  const auto shown = timeline(data, {wednesday, wednesday + 24h}, wednesday + 12h);
  CHECK(shown.opening == interval_set{{wednesday + 9h, wednesday + 12h}});
  CHECK(shown.closures.empty());
  CHECK(shown.observations.size() == 2);
  const auto middle = wednesday + 10h + 44min + 30s;
  CHECK(shown.stretches ==
        std::vector<timeline_stretch>{{{wednesday + 9h, middle}, up}, {{middle, wednesday + 12h}, down}});
  CHECK(shown.curve.front().at == wednesday + 9h);
  CHECK(shown.curve.back().at == wednesday + 12h);
}

TEST_CASE("what lies out of every poll's reach is unknown, and nothing is carried over a closure") {
  partition_data data;
  fill(data, test::store_updates("a").zone("Etc/UTC").poll(wednesday + 6h, store_status::active));
  const interval day{wednesday, wednesday + 24h};
  using stretches = std::vector<timeline_stretch>;
  CHECK(timeline(data, day, wednesday + 24h).stretches ==
        stretches{{{wednesday, wednesday + 4h}, unknown},
                  {{wednesday + 4h, wednesday + 8h}, up},
                  {{wednesday + 8h, wednesday + 24h}, unknown}});
  data.apply(closure_change{"a", {wednesday + 7h, wednesday + 9h}, false});
  const auto shown = timeline(data, day, wednesday + 24h);
  CHECK(shown.stretches == stretches{{{wednesday, wednesday + 4h}, unknown},
                                     {{wednesday + 4h, wednesday + 7h}, up},
                                     {{wednesday + 9h, wednesday + 24h}, unknown}});
  CHECK(shown.opening == interval_set{day});
  CHECK(shown.closures == interval_set{{wednesday + 7h, wednesday + 9h}});
}

TEST_CASE(
    "every instant has the state that the nearest poll of its session says, by looking at all of them") {
  for (unsigned seed = 1; seed <= 24; ++seed) {
    CAPTURE(seed);
    const auto data = random_store(seed);
    std::mt19937 random(seed + 1000);
    const auto as_of = wednesday + std::chrono::minutes(random() % 1440);
    const interval asked{as_of - std::chrono::minutes(60 + random() % 5000), as_of};
    const auto shown = timeline(data, asked, as_of);
    // As far as sessions may matter, and what is polled in them, without the code under test.
    const auto wide = timeline(data, {asked.from - 48h, asked.to + 48h}, as_of);
    const auto sessions = subtract(wide.opening, wide.closures);
    REQUIRE_FALSE(shown.stretches.empty());
    duration told{};
    for (size_t i = 0; i < shown.stretches.size(); ++i) {
      const auto& [where, state] = shown.stretches[i];
      told += where.length();
      REQUIRE_FALSE(where.empty());
      REQUIRE(intersect(where, asked) == where);
      if (i > 0) {
        const auto& before = shown.stretches[i - 1];
        REQUIRE(before.span.to <= where.from);
        REQUIRE((before.span.to < where.from || before.state != state));
      }
      for (const auto t : {where.from, where.from + where.length() / 3, where.to - duration(1)})
        REQUIRE(naive_state(session_at(sessions, t), wide.observations, t) == state);
    }
    CHECK(told == overlap(sessions, asked));
  }
}

TEST_CASE("the lengths of the stretches are what capped_nearest knows and imputes") {
  for (unsigned seed = 1; seed <= 24; ++seed) {
    CAPTURE(seed);
    auto data = random_store(seed);
    const auto as_of = wednesday + std::chrono::minutes(seed * 50);
    const interval asked{as_of - 30h, as_of};
    const auto rows = data.rows(spec_of(asked, as_of, "capped_nearest"), "", {});
    int64_t lengths[3] = {};
    for (const auto& s : timeline(data, asked, as_of).stretches)
      lengths[static_cast<size_t>(s.state)] += s.span.length().count();
    REQUIRE(rows.measures.front().horizon_observed > 0);
    CHECK(lengths[static_cast<size_t>(up)] == rows.measures.front().uptime);
    CHECK(lengths[static_cast<size_t>(down)] == rows.measures.front().downtime);
    CHECK(lengths[static_cast<size_t>(unknown)] == rows.measures.front().imputed);
  }
}

TEST_CASE("the curve is 0 or 1 at polls, a probability between them, and ends where sessions do") {
  size_t polled_in_all = 0;
  for (unsigned seed = 1; seed <= 24; ++seed) {
    CAPTURE(seed);
    const auto data = random_store(seed);
    const auto as_of = wednesday + std::chrono::minutes(seed * 50);
    const interval asked{as_of - std::chrono::hours(seed % 4 == 0 ? 4 : 24 + seed * 3), as_of};
    const auto shown = timeline(data, asked, as_of);
    const auto parts = subtract(shown.opening, shown.closures);
    std::map<instant, int64_t> curve;
    for (const auto& [t, active] : shown.curve) {
      REQUIRE((curve.empty() || curve.rbegin()->first < t));
      REQUIRE((0 <= active && active <= 1'000'000));
      curve[t] = active;
    }
    size_t polled = 0;
    for (const auto o : shown.observations)
      if (is_in(parts, o.at())) {
        REQUIRE(curve.at(o.at()) == (o.active() ? 1'000'000 : 0));
        ++polled;
      }
    polled_in_all += polled;
    const auto step = std::max<duration>(1min, asked.length() / 400);
    size_t drawn = 0;
    for (const auto& part : parts) {
      const auto begin = curve.find(part.from);
      const auto end = curve.find(part.to);
      REQUIRE(begin != curve.end());
      REQUIRE(end != curve.end());
      for (auto p = begin; p != end; ++p)
        REQUIRE(std::next(p)->first - p->first <= step);
      drawn += static_cast<size_t>(std::distance(begin, end)) + 1;
    }
    CHECK(drawn == shown.curve.size()); // none lies elsewhere
    CHECK(drawn <= 400 + polled + 2 * parts.size() + 1);
    const auto portrait = partition::portrait_of(data, "a", test::spec_at(as_of, "telegraph"));
    REQUIRE(portrait);
    if (portrait->active_now != no_chance)
      CHECK(shown.curve.back() == chance_at{as_of, portrait->active_now});
  }
  CHECK(polled_in_all > 400);
}

TEST_CASE("at an opening the curve begins with the probability just after it") {
  partition_data data;
  fill(data, test::well_known_store("a"));
  const auto shown = timeline(data, {wednesday, wednesday + 24h}, wednesday + 12h);
  REQUIRE(shown.curve.size() > 3);
  const auto [first, second] = std::pair(shown.curve[0], shown.curve[1]);
  CHECK(first.at == wednesday + 9h);
  CHECK(first.active > 0);
  CHECK(std::abs(first.active - second.active) < 20'000); // a few minutes change it little
}

TEST_CASE("what comes after as_of shows when the store will be open, and nothing else") {
  partition_data data;
  fill(data, test::well_known_store("a"));
  const auto as_of = wednesday + 10h + 30min;
  const auto half = timeline(data, {wednesday, wednesday + 24h * 8}, as_of);
  CHECK(half.opening == interval_set{{wednesday + 9h, wednesday + 12h},
                                     {wednesday + 24h * 7 + 9h, wednesday + 24h * 7 + 12h}});
  CHECK(half.observations.size() == 1);
  CHECK(half.stretches == std::vector<timeline_stretch>{{{wednesday + 9h, as_of}, up}});
  CHECK(half.curve.back().at == as_of);
  const auto later = timeline(data, {wednesday + 24h, wednesday + 24h * 8}, as_of);
  CHECK(later.opening.size() == 1);
  CHECK(later.observations.empty());
  CHECK(later.stretches.empty());
  CHECK(later.curve.empty());
}

TEST_CASE("of a store never observed the opening time is unknown and there is no curve") {
  partition_data data;
  fill(data, test::store_updates("a").zone("Etc/UTC").hours(2, 9h, 12h));
  const auto shown = timeline(data, {wednesday, wednesday + 24h}, wednesday + 24h);
  CHECK(shown.stretches == std::vector<timeline_stretch>{{{wednesday + 9h, wednesday + 12h}, unknown}});
  CHECK(shown.curve.empty());
}

TEST_CASE("a poll at either end of the span is shown") {
  partition_data data;
  fill(data, test::well_known_store("a"));
  const auto shown =
      timeline(data, {wednesday + 10h + 14min, wednesday + 11h + 15min}, wednesday + 11h + 15min);
  CHECK(shown.observations.size() == 2);
  CHECK(shown.curve.front() == chance_at{wednesday + 10h + 14min, 1'000'000});
  CHECK(shown.curve.back() == chance_at{wednesday + 11h + 15min, 0});
}

TEST_CASE("a span with more observations than are shown at once is refused, not cut") {
  partition_data data;
  std::vector<test::poll_of_store> rows;
  for (size_t i = 0; i <= partition::timeline_observations_max; ++i)
    rows.push_back({"a", {wednesday + std::chrono::seconds(i), store_status::active}});
  data.apply(test::polls(rows));
  const auto as_of = rows.back().second.at();
  const auto all = partition::timeline_of(data, "a", spec_of({wednesday, as_of}, as_of));
  REQUIRE_FALSE(all);
  CHECK(all.error().code == errc::too_large);
  CHECK(timeline(data, {wednesday + 1s, as_of}, as_of).observations.size() ==
        partition::timeline_observations_max);
}
