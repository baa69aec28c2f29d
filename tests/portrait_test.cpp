/// One store as of an instant.
#include "storemon/partition/portrait.hpp"

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
using test::at;

namespace {

const auto wednesday = instant(std::chrono::sys_days(std::chrono::January / 25 / 2023));

/// Weights of no fleet, all different.
std::shared_ptr<const fleet_weights> some_weights() {
  fleet_weights weights;
  weights.label = {3, wednesday, 17};
  double sum = 0;
  for (size_t c = 0; c < weights.by_class.size(); ++c)
    sum += weights.by_class[c] = 1.0 + static_cast<double>(c % 13);
  for (auto& w : weights.by_class)
    w /= sum;
  return std::make_shared<const fleet_weights>(weights);
}

report_spec telegraph_at(instant as_of) {
  auto spec = test::spec_at(as_of, "telegraph");
  spec.weights = some_weights();
  return spec;
}

void fill(partition_data& data, const test::store_updates& store) {
  for (const auto& change : store.updates)
    data.apply(change);
}

/// Stores of every kind, with polls of the last ten days.
partition_data some_stores(int count) {
  std::mt19937 random(7);
  partition_data data;
  for (int i = 0; i < count; ++i) {
    test::store_updates store("store-" + std::to_string(i));
    store.zone(i % 3 == 0 ? "Asia/Kolkata" : "America/New_York");
    for (auto t = wednesday - 240h; i % 9 != 0 && t <= wednesday + 12h;
         t += std::chrono::minutes(10 + random() % 120))
      store.poll(t, random() % 4 == 0 ? store_status::inactive : store_status::active);
    fill(data, store);
    std::vector<std::pair<std::string, hours_row>> week;
    for (uint8_t day = 0; day < 7; ++day)
      week.push_back({store.id, {std::chrono::hours(8 + i % 5), std::chrono::hours((17 + i) % 24), day}});
    if (i % 4 != 0)
      data.apply(test::hours(week));
    if (i % 5 == 0)
      data.apply(closure_change{store.id, {wednesday - 20h, wednesday - 2h}, false});
  }
  return data;
}

store_portrait portrait_at(const partition_data& data, const std::string& id, instant as_of) {
  const auto portrait = partition::portrait_of(data, id, telegraph_at(as_of));
  REQUIRE(portrait);
  return *portrait;
}

} // namespace

TEST_CASE("a portrait's figures, bounds and probability are a report's") {
  auto data = some_stores(40);
  const auto spec = telegraph_at(wednesday + 12h);
  const auto rows = data.rows(spec, "", {.stores_max = 100, .weighed_max = 1'000'000});
  REQUIRE(rows.stores.size() == 40);
  const auto& telegraph = *estimate::find_estimator("telegraph");
  size_t observed = 0;
  for (size_t i = 0; i < rows.stores.size(); ++i) {
    const std::string id(rows.stores[i]);
    CAPTURE(id);
    const auto portrait = portrait_at(data, id, spec.as_of);
    REQUIRE(portrait.figures.size() == 3);
    for (size_t w = 0; w < 3; ++w) {
      const auto cell = w * rows.stores.size() + i;
      CHECK(portrait.figures[w].asked == spec.windows[w]);
      CHECK(portrait.figures[w].is == telegraph.settle(rows.measures[cell], {}));
      CHECK(portrait.figures[w].uptime == rows.bounds[cell]);
    }
    CHECK(portrait.active_now == rows.active_now[i]);
    CHECK(portrait.habits.has_value() == (rows.measures[i].horizon_observed > 0));
    CHECK(portrait.weights == spec.weights->label);
    observed += portrait.habits.has_value();
  }
  CHECK(observed == 35);
}

TEST_CASE("a portrait knows no poll after its instant") {
  partition_data data;
  data.apply(test::polls({{"a", {wednesday - 2h, store_status::active}},
                          {"a", {wednesday - 1h, store_status::inactive}},
                          {"a", {wednesday, store_status::active}},
                          {"a", {wednesday, store_status::inactive}}}));
  const auto then = portrait_at(data, "a", wednesday - 90min).card;
  CHECK(then.known);
  CHECK(then.observations == 1);
  CHECK(then.conflicts == 0);
  CHECK(then.oldest == wednesday - 2h);
  CHECK(then.newest == wednesday - 2h);
  CHECK(then.newest_status == store_status::active);
  const auto at_once = portrait_at(data, "a", wednesday - 1h).card;
  CHECK(at_once.newest == wednesday - 1h);
  CHECK(at_once.newest_status == store_status::inactive);
  const auto before = portrait_at(data, "a", wednesday - 3h).card;
  CHECK(before.known);
  CHECK_FALSE(before.newest);
  const auto later = portrait_at(data, "a", wednesday + 1h).card;
  CHECK(later.observations == 3);
  CHECK(later.conflicts == 1);
}

TEST_CASE("habits lie within the grid of behaviours, and the fleet's are those of its weights alone") {
  const auto data = some_stores(12);
  const auto fleet = portrait_at(data, "store-1", wednesday).fleet;
  for (int i = 1; i < 12; ++i) {
    const auto portrait = portrait_at(data, "store-" + std::to_string(i), wednesday);
    CHECK(portrait.fleet == fleet);
    for (const auto& h : {portrait.habits.value_or(fleet), fleet}) {
      CHECK(h.failures_per_day > 0);
      CHECK(h.failures_per_day < 6'000'000); // the shortest mean active time is four hours
      CHECK(h.mean_outage >= 300'000'000);
      CHECK(h.mean_outage <= int64_t{300'000'000} * 729);
      CHECK(h.active_at_opening >= 50'000);
      CHECK(h.active_at_opening <= 950'000);
    }
    if (portrait.habits)
      CHECK_FALSE(*portrait.habits == fleet);
  }
  const fleet_weights weights = *some_weights();
  double opening = 0;
  for (size_t c = 0; c < weights.by_class.size(); ++c)
    opening += weights.by_class[c] * std::array{0.05, 0.35, 0.65, 0.95}[c % 4];
  CHECK(static_cast<double>(fleet.active_at_opening) == Approx(opening * 1e6).margin(0.51));
}

TEST_CASE("a store is open within its hours, their begin included, and closed by a planned closure") {
  partition_data data;
  fill(data, test::well_known_store("a"));
  const auto open_at = [&](duration since_midnight) {
    return portrait_at(data, "a", wednesday + since_midnight).open_now;
  };
  CHECK_FALSE(open_at(9h - 1us));
  CHECK(open_at(9h));
  CHECK(open_at(12h - 1us));
  CHECK_FALSE(open_at(12h));
  data.apply(closure_change{"a", {wednesday + 10h, wednesday + 11h}, false});
  CHECK(open_at(10h - 1us));
  CHECK_FALSE(open_at(10h));
  CHECK(open_at(11h));
}

TEST_CASE("hours in force are those of the store's own date") {
  partition_data data;
  fill(data, test::store_updates("a").zone("America/New_York").hours(2, 9h, 12h));
  const std::chrono::local_days thursday{std::chrono::January / 26 / 2023};
  data.apply(test::hours({{"a", {1h, 2h, 3}}}, thursday));
  const auto before = portrait_at(data, "a", at("2023-01-26T04:59:59Z")).in_force;
  CHECK(before.valid_from == always_valid);
  CHECK(before.rows == std::vector<hours_row>{{9h, 12h, 2}});
  const auto after = portrait_at(data, "a", at("2023-01-26T05:00:00Z")).in_force;
  CHECK(after.valid_from == thursday);
  CHECK(after.rows == std::vector<hours_row>{{1h, 2h, 3}});
  fill(data, test::store_updates("b").zone("Etc/UTC"));
  CHECK(portrait_at(data, "b", wednesday).in_force == hours_version());
  CHECK(portrait_at(data, "b", wednesday).open_now);
}

TEST_CASE("of a store never observed all opening time is unknown, and it has no habits") {
  partition_data data;
  fill(data, test::store_updates("a").zone("Etc/UTC"));
  const auto portrait = portrait_at(data, "a", wednesday);
  CHECK(portrait.card.known);
  CHECK(portrait.active_now == no_chance);
  CHECK_FALSE(portrait.habits);
  for (const auto& w : portrait.figures) {
    CHECK(w.is.unknown == w.asked.span.length().count());
    CHECK(w.is.scheduled == w.is.unknown);
    CHECK(w.observed_share == 0);
  }
}

TEST_CASE("the share observed is that of the opening time within an observation's reach") {
  partition_data data;
  fill(data, test::well_known_store("a"));
  const auto portrait = portrait_at(data, "a", wednesday + 12h);
  CHECK(portrait.figures[1].observed_share == 1'000'000);
  CHECK(portrait_at(data, "a", wednesday + 9h).figures[0].observed_share == no_chance);
  data.apply(test::polls({{"b", {wednesday + 6h, store_status::active}}}));
  CHECK(portrait_at(data, "b", wednesday + 12h).figures[1].observed_share == 166'667); // 4 of 24 h
}

TEST_CASE("who asks for a store that is not there, or by an estimator without behaviours, is told so") {
  partition_data data;
  fill(data, test::well_known_store("a"));
  const auto code_of = [&](const char* id, const report_spec& spec) {
    const auto portrait = partition::portrait_of(data, id, spec);
    return portrait ? errc::ok : portrait.error().code;
  };
  auto spec = telegraph_at(wednesday);
  CHECK(code_of("a", spec) == errc::ok);
  CHECK(code_of("b", spec) == errc::not_found);
  CHECK(code_of("a", test::spec_at(wednesday, "nearest")) == errc::invalid_argument);
  CHECK(code_of("a", test::spec_at(wednesday, "no such")) == errc::invalid_argument);
  spec.windows.clear();
  CHECK(code_of("a", spec) == errc::invalid_argument);
}
