/// The stores of one partition, read in slices.
#include "storemon/partition/partition_data.hpp"

#include "storemon/calendar/opening_intervals.hpp"
#include "storemon/estimate/measurer.hpp"

#include "support/naive_history.hpp"
#include "support/partition_rows.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <set>

using namespace storemon;
using namespace storemon::test;
using namespace std::chrono_literals;
using partition::partition_data;
using partition::slice_limits;

namespace {

/// The measures of each store's windows, in the order they came.
using rows_read = std::vector<std::pair<std::string, std::vector<measure>>>;

void append(rows_read& all, const report_columns& slice, size_t windows) {
  REQUIRE(slice.measures.size() == slice.stores.size() * windows);
  for (size_t i = 0; i < slice.stores.size(); ++i) {
    std::vector<measure> of_store;
    for (size_t w = 0; w < windows; ++w)
      of_store.push_back(slice.measures[w * slice.stores.size() + i]);
    all.emplace_back(slice.stores[i], std::move(of_store));
  }
}

std::vector<std::string> ids_of(const rows_read& rows) {
  std::vector<std::string> ids;
  for (const auto& [id, measures] : rows)
    ids.push_back(id);
  return ids;
}

/// Reads slice after slice; `between` is called with the last id after each that is not the last.
template <class Between>
rows_read read_slices(partition_data& data, const report_spec& spec, const slice_limits& limits,
                      Between between) {
  rows_read all;
  std::string after;
  for (;;) {
    const auto slice = data.rows(spec, after, limits);
    append(all, slice, spec.windows.size());
    if (slice.last)
      return all;
    REQUIRE(slice.stores.size() >= 1);
    REQUIRE(slice.stores.size() <= limits.stores_max);
    after = slice.stores[slice.stores.size() - 1];
    between(after);
  }
}

rows_read read_slices(partition_data& data, const report_spec& spec, const slice_limits& limits) {
  return read_slices(data, spec, limits, [](const std::string&) {});
}

/// Ids that sort differently as bytes, as signed characters, and up to a zero byte.
std::string random_id(std::mt19937_64& random) {
  constexpr std::string_view bytes("\0\x01"
                                   "09Aaz\x7f\x80\xff",
                                   10);
  std::string id = random() % 2 ? "12345678" : "";
  for (auto n = 1 + random() % 4; n > 0; --n)
    id += bytes[random() % bytes.size()];
  return id;
}

} // namespace

TEST_CASE("a batch of many stores gives each its own polls") {
  std::mt19937_64 random(2);
  for (int round = 0; round < 60; ++round) {
    std::map<std::string, naive_history> expected;
    std::vector<poll_of_store> rows;
    for (auto n = 1 + random() % 300; n > 0; --n) {
      const auto id = "store " + std::to_string(random() % 12);
      rows.emplace_back(
          id, observation(now - std::chrono::minutes(random() % 40), random() % 2 ? active : inactive));
      expected[id].add(rows.back().second);
    }
    partition_data data;
    sums done{};
    for (size_t from = 0; from < rows.size();) {
      const auto to = std::min(rows.size(), from + 1 + random() % 60);
      const auto part = data.apply(polls({rows.begin() + static_cast<std::ptrdiff_t>(from),
                                          rows.begin() + static_cast<std::ptrdiff_t>(to)}));
      for (size_t k = 0; k < done.size(); ++k)
        done[k] += sums_of(part)[k];
      from = to;
    }
    sums all{};
    std::vector<std::string> ids;
    const auto read = read_slices(data, spec_at(now), {});
    REQUIRE(read.size() == expected.size());
    for (const auto& [id, measures] : read) {
      const auto& model = expected.at(id);
      CAPTURE(round, id);
      // Open 24x7, so all polls of the horizon are in session.
      REQUIRE(measures[0].horizon_observed == static_cast<int64_t>(model.polls.size()));
      const auto only_active = std::count_if(model.polls.begin(), model.polls.end(),
                                             [](const auto& p) { return *p.second.begin() == active; });
      REQUIRE(measures[0].horizon_active == only_active);
      for (size_t k = 0; k < all.size(); ++k)
        all[k] += model.totals()[k];
    }
    CHECK(done == all);
    CHECK(data.quality().conflicts == all[2]);
    CHECK(data.census().observations == all[0]);
  }
}

TEST_CASE("a store exists when any feed names it, and is gone with all its data when deleted") {
  partition_data data;
  const hours_row monday{9h, 17h, 0};
  data.apply(polls({{"polled", {now, active}}}));
  data.apply(hours({{"open", monday}}));
  data.apply(zones({{"zoned", "Europe/Paris"}}));
  data.apply(closure_change{"closed", {now - 1h, now}});
  CHECK(ids_of(read_slices(data, spec_at(now), {})) ==
        std::vector<std::string>{"closed", "open", "polled", "zoned"});
  CHECK(data.apply(store_deletion{"open"}).accepted == 1);
  CHECK(data.apply(store_deletion{"open"}).accepted == 0);
  CHECK(data.apply(store_deletion{"polled"}).accepted == 1);
  CHECK(ids_of(read_slices(data, spec_at(now), {})) == std::vector<std::string>{"closed", "zoned"});
  CHECK(data.census().stores == 2);
  CHECK_FALSE(data.census().newest);
  // Named again it begins afresh.
  CHECK(data.apply(hours({{"open", monday}, {"open", monday}})).accepted == 1);
  CHECK(ids_of(read_slices(data, spec_at(now), {})) == std::vector<std::string>{"closed", "open", "zoned"});
  CHECK(data.quality().never_polled == 3);
}

TEST_CASE("slices put together are the rows of one slice, in byte order of id") {
  std::mt19937_64 random(6);
  for (int round = 0; round < 25; ++round) {
    partition_data data;
    std::set<std::string> expected;
    for (auto n = random() % 60; n > 0; --n) {
      const auto id = random_id(random);
      expected.insert(id);
      std::vector<poll_of_store> rows;
      for (auto k = random() % 5; k > 0; --k)
        rows.emplace_back(
            id, observation(now - duration(random() % 600'000'000'000), random() % 2 ? active : inactive));
      data.apply(polls(rows));
      data.apply(zones({{id, "Asia/Kolkata"}}));
      if (random() % 2)
        data.apply(hours({{id, {9h, 21h, static_cast<uint8_t>(random() % 7)}}}));
    }
    const auto spec = spec_at(now, round % 2 ? "linear" : "capped_nearest");
    const auto whole = read_slices(data, spec, {.stores_max = 1000, .observations_max = 1'000'000});
    REQUIRE(ids_of(whole) == std::vector<std::string>(expected.begin(), expected.end()));
    for (const size_t stores_max : {1, 2, 7, 1000})
      for (const size_t observations_max : {1, 6, 1'000'000}) {
        CAPTURE(round, stores_max, observations_max);
        REQUIRE(read_slices(data, spec, {stores_max, observations_max}) == whole);
      }
  }
}

TEST_CASE("a slice holds no more observations than allowed, but one store goes whatever its history") {
  partition_data data;
  for (const auto* id : {"a", "b", "c", "d"})
    for (int n = 0; n < (*id == 'c' ? 10 : 2); ++n)
      data.apply(polls({{id, {now - std::chrono::minutes(n), active}}}));
  const slice_limits five{100, 5};
  const auto ids = [&](const char* after) {
    const auto slice = data.rows(spec_at(now), after, five);
    std::string text;
    for (size_t i = 0; i < slice.stores.size(); ++i)
      text += slice.stores[i];
    return text + (slice.last ? "." : "");
  };
  CHECK(ids("") == "ab");
  CHECK(ids("b") == "c");
  CHECK(ids("c") == "d.");
  CHECK(ids("d") == ".");
}

TEST_CASE("stores that come and go between slices do no harm to the others") {
  std::mt19937_64 random(7);
  size_t changes = 0;
  for (int round = 0; round < 60; ++round) {
    partition_data data;
    std::set<std::string> there;
    const auto insert = [&] {
      const auto id = random_id(random);
      data.apply(polls({{id, {now, active}}}));
      there.insert(id);
    };
    for (int n = 0; n < 30; ++n)
      insert();
    const slice_limits limits{1 + random() % 7, 1000};
    std::vector<std::string> expected;
    const auto take = [&](const std::string& after) {
      auto next = there.upper_bound(after);
      for (size_t n = 0; n < limits.stores_max && next != there.end(); ++n)
        expected.push_back(*next++);
    };
    take("");
    const auto read = read_slices(data, spec_at(now), limits, [&](const std::string& after) {
      if (random() % 2)
        insert();
      if (random() % 2) {
        // Often the very store that the next slice goes on from.
        const auto gone =
            random() % 2 ? after
                         : *std::next(there.begin(), static_cast<std::ptrdiff_t>(random() % there.size()));
        REQUIRE(data.apply(store_deletion{gone}).accepted == static_cast<int64_t>(there.erase(gone)));
        ++changes;
      }
      if (there.empty())
        insert();
      take(after);
    });
    CAPTURE(round, limits.stores_max);
    REQUIRE(ids_of(read) == expected);
  }
  CHECK(changes > 100);
}

TEST_CASE("rows are those of a measurer that knows opening times from long before the first poll") {
  std::mt19937_64 random(13);
  constexpr std::array estimators{"capped_nearest", "nearest", "linear", "carry_forward", "poll_ratio"};
  const auto& zone = *calendar::zone::find("Asia/Kolkata");
  for (int round = 0; round < 500; ++round) {
    std::set<hours_row> open;
    std::vector<std::pair<std::string, hours_row>> rows;
    for (auto n = 1 + random() % 10; n > 0; --n) {
      const hours_row row{std::chrono::minutes(random() % 1440), std::chrono::minutes(random() % 1440),
                          static_cast<uint8_t>(random() % 7)};
      rows.emplace_back("a", row);
      open.insert(row);
    }
    std::set<observation> seen;
    const auto back = 1 + random() % (40 * 24 * 60);
    for (auto n = random() % 60; n > 0; --n)
      seen.insert({now - std::chrono::minutes(random() % back), active});
    std::vector<poll_of_store> batch;
    for (const auto o : seen)
      batch.emplace_back("a", o);
    partition_data data;
    data.apply(hours(rows));
    data.apply(zones({{"a", zone.name()}}));
    data.apply(polls(batch));

    auto spec = spec_at(now, estimators[random() % estimators.size()]);
    if (estimate::find_estimator(spec.estimator)->supports(observation_scope::business) && random() % 2)
      spec.scope = random() % 2 ? observation_scope::business : observation_scope::all;
    spec.windows.push_back({"past", {now - 20 * 24h, now - 15 * 24h}});
    interval_set opening;
    calendar::opening_intervals(std::vector<hours_row>(open.begin(), open.end()), zone,
                                {now - 70 * 24h, now + 24h}, opening);
    const std::vector<observation> history(seen.begin(), seen.end());
    std::vector<measure> expected(spec.windows.size());
    estimate::measurer(spec).measure_store({opening, {}, history}, expected.data(), 1);
    CAPTURE(round, spec.estimator, to_string(spec.scope), back);
    REQUIRE(data.rows(spec, "", {}).measures == expected);
  }
}

TEST_CASE("rows are new as long as any of them would change something") {
  partition_data data;
  CHECK(data.nothing_new({}));
  const auto rows = polls({{"a", {now, active}}, {"b", {now, inactive}}});
  CHECK_FALSE(data.nothing_new(rows));
  data.apply(rows);
  CHECK(data.nothing_new(rows));
  CHECK_FALSE(data.nothing_new(polls({{"a", {now, active}}, {"b", {now, active}}})));
  CHECK_FALSE(data.nothing_new(polls({{"a", {now, active}}, {"c", {now, active}}})));
  auto corrected = polls({{"a", {now, active}}}, conflict_rule::replace);
  CHECK_FALSE(data.nothing_new(corrected));
  data.apply(corrected);
  CHECK(data.nothing_new(corrected));
  // A store that is only named is new as well.
  observation_rows named;
  named.stores.add("d");
  CHECK_FALSE(data.nothing_new(named));
}

TEST_CASE("a contradiction is another status than what stands, or than another row's") {
  partition_data data;
  data.apply(polls({{"a", {now, active}}}));
  CHECK_FALSE(
      data.contradiction(polls({{"a", {now, active}}, {"b", {now, active}}, {"a", {now + 1h, inactive}}})));
  const auto held = data.contradiction(polls({{"b", {now, active}}, {"a", {now, inactive}}}));
  REQUIRE(held);
  CHECK(held->store == "a");
  CHECK(held->at == now);
  CHECK(held->stands == active);
  const auto within = data.contradiction(polls({{"b", {now, active}}, {"b", {now, inactive}}}));
  REQUIRE(within);
  CHECK(within->store == "b");
  // What lost a conflict contradicts what stands as well.
  data.apply(polls({{"a", {now, inactive}}}));
  CHECK(data.contradiction(polls({{"a", {now, active}}})));
}

TEST_CASE("conflicts are listed as they arise, with what stands, up to a limit") {
  partition_data data;
  std::vector<protocol::conflict_seen> seen;
  data.apply(polls({{"a", {now, active}}, {"b", {now, inactive}}}), &seen);
  CHECK(seen.empty());
  const auto done =
      data.apply(polls({{"a", {now, inactive}}, {"b", {now, active}}}, conflict_rule::replace), &seen);
  CHECK(done.conflicts == 2);
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].store == "a");
  CHECK(seen[0].stands == inactive);
  CHECK(seen[1].stands == active);
  std::vector<poll_of_store> rows;
  for (int n = 1; n < 300; ++n)
    for (const auto status : {active, inactive})
      rows.push_back({"c", {now + std::chrono::minutes(n), status}});
  seen.clear();
  CHECK(data.apply(polls(rows), &seen).conflicts == 299);
  CHECK(seen.size() == protocol::conflicts_listed_max);
}
