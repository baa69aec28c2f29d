/// One share of the stores against models that know no cleverness: sets of rows, and minutes one by one.
#include "storemon/partition/partition_data.hpp"

#include "storemon/calendar/opening_intervals.hpp"
#include "storemon/estimate/measurer.hpp"
#include "support/instants.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>

using namespace storemon;
using namespace std::chrono_literals;
using partition::partition_data;
using partition::slice_limits;
using partition::store;

namespace {

const instant now = parse_instant("2023-01-25T18:13:22Z").value();

constexpr auto active = store_status::active;
constexpr auto inactive = store_status::inactive;

/// Accepted, duplicates, conflicts.
using sums = std::array<int64_t, 3>;

sums sums_of(const applied& done) {
  return {done.accepted, done.duplicates, done.conflicts};
}

/// What a history should be: for every instant the set of statuses polled then.
struct naive_history {
  std::map<instant, std::set<store_status>> polls;
  int64_t rows = 0;

  void add(observation o) {
    polls[o.at()].insert(o.status());
    ++rows;
  }

  std::vector<observation> history() const {
    std::vector<observation> all;
    for (const auto& [at, seen] : polls)
      all.emplace_back(at, *seen.begin());
    return all;
  }

  std::vector<instant> conflicts() const {
    std::vector<instant> all;
    for (const auto& [at, seen] : polls)
      if (seen.size() == 2)
        all.push_back(at);
    return all;
  }

  sums totals() const {
    const auto instants = static_cast<int64_t>(polls.size());
    const auto twofold = static_cast<int64_t>(conflicts().size());
    return {instants, rows - instants - twofold, twofold};
  }
};

/// Adds the rows in their order, in batches that end where `ends_after(index)` says.
template <class EndsAfter>
applied add_in_batches(store& to, const std::vector<observation>& rows, EndsAfter ends_after) {
  applied sum;
  std::vector<observation> batch;
  for (size_t i = 0; i < rows.size(); ++i) {
    batch.push_back(rows[i]);
    if (i + 1 < rows.size() && !ends_after(i))
      continue;
    std::sort(batch.begin(), batch.end());
    sum += partition::add_observations(to, batch);
    batch.clear();
  }
  return sum;
}

/// Fails unless the store and the sums are what the rows make them, whatever the batches.
void require_as_naive(const store& s, const applied& done, const naive_history& expected) {
  REQUIRE(s.observations == expected.history());
  REQUIRE(s.conflicts == expected.conflicts());
  REQUIRE(sums_of(done) == expected.totals());
}

/// The rows of a feed, each with its store, as one update.
template <class Rows, class Row>
Rows batch_of(const std::vector<std::pair<std::string, Row>>& rows, std::vector<Row> Rows::*of) {
  Rows batch;
  std::map<std::string, uint32_t> index;
  for (const auto& [id, row] : rows) {
    const auto [at, is_new] = index.emplace(id, 0);
    if (is_new)
      at->second = batch.stores.add(id);
    batch.store.push_back(at->second);
    (batch.*of).push_back(row);
  }
  return batch;
}

using poll_of_store = std::pair<std::string, observation>;

observation_rows polls(const std::vector<poll_of_store>& rows) {
  return batch_of(rows, &observation_rows::seen);
}

hours_rows hours(uint64_t revision, const std::vector<std::pair<std::string, hours_row>>& rows) {
  auto batch = batch_of(rows, &hours_rows::rows);
  batch.revision = revision;
  return batch;
}

zone_rows zones(uint64_t revision, const std::vector<std::pair<std::string, std::string>>& rows) {
  zone_rows batch;
  batch.revision = revision;
  for (const auto& [id, zone] : rows) {
    batch.stores.add(id);
    batch.zones.add(zone);
  }
  return batch;
}

report_spec spec_at(instant as_of, std::string estimator = "nearest") {
  report_request request;
  request.estimator = std::move(estimator);
  return resolve(request, as_of).value();
}

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

measure one_row(partition_data& data, const report_spec& spec) {
  const auto slice = data.rows(spec, "", {});
  REQUIRE(slice.stores.size() == 1);
  return slice.measures[1]; // of the last day
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

TEST_CASE("five polls in every order and every batching make the same history and the same sums") {
  const std::array<observation, 4> kinds{observation(now, active), observation(now, inactive),
                                         observation(now + 1us, active), observation(now + 1us, inactive)};
  constexpr size_t length = 5;
  size_t sequences = 0;
  for (size_t code = 0; code < 1024; ++code) {
    std::vector<observation> rows;
    naive_history expected;
    for (size_t i = 0, rest = code; i < length; ++i, rest /= kinds.size()) {
      rows.push_back(kinds[rest % kinds.size()]);
      expected.add(rows.back());
    }
    for (uint32_t cuts = 0; cuts < 1u << (length - 1); ++cuts) {
      CAPTURE(code, cuts);
      store s;
      const auto done = add_in_batches(s, rows, [cuts](size_t i) { return (cuts >> i & 1) != 0; });
      require_as_naive(s, done, expected);
    }
    ++sequences;
  }
  CHECK(sequences == 1024);
}

TEST_CASE("random polls with repeats and conflicts make the history and sums of a map of sets") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 300; ++round) {
    std::vector<observation> rows;
    naive_history expected;
    const auto instants = 1 + random() % 120;
    for (auto n = random() % 200; n > 0; --n) {
      const auto offset = static_cast<int64_t>(random() % instants) - static_cast<int64_t>(instants / 2);
      rows.emplace_back(instant(duration(offset)), random() % 3 ? active : inactive);
      expected.add(rows.back());
    }
    const auto batch_length = 1 + random() % 50;
    CAPTURE(round, rows.size(), instants, batch_length);
    store s;
    const auto done = add_in_batches(s, rows, [&](size_t) { return random() % batch_length == 0; });
    require_as_naive(s, done, expected);
  }
}

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

TEST_CASE("hours of one revision add up in any order; a newer one replaces, an older one is ignored") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 400; ++round) {
    std::vector<std::pair<uint64_t, hours_row>> rows;
    std::map<uint64_t, std::set<hours_row>> of_revision;
    for (auto n = 1 + random() % 20; n > 0; --n) {
      const hours_row row{std::chrono::hours(random() % 3), std::chrono::hours(9 + random() % 2),
                          static_cast<uint8_t>(random() % 3)};
      const auto revision = 1 + random() % 3;
      rows.emplace_back(revision, row);
      of_revision[revision].insert(row);
    }
    store s;
    uint64_t newest = 0;
    std::set<hours_row> held;
    for (const auto& [revision, row] : rows) {
      const auto done = partition::add_hours(s, row, revision);
      if (revision < newest) {
        REQUIRE(sums_of(done) == sums{0, 0, 0});
        continue;
      }
      if (revision > newest)
        held.clear();
      newest = revision;
      const bool is_new = held.insert(row).second;
      REQUIRE(sums_of(done) == sums{is_new, !is_new, 0});
    }
    const auto& expected = of_revision.rbegin()->second;
    REQUIRE(s.hours == std::vector<hours_row>(expected.begin(), expected.end()));
  }
}

TEST_CASE("of a revision's zones a known one wins, then the first in byte order, whatever the order") {
  const std::vector<std::string> names{"Europe/Paris", "America/Boise", "Mars/Olympus", "America/boise",
                                       "Z\x80"};
  const auto is_known = [](const std::string& name) { return calendar::zone::find(name) != nullptr; };
  REQUIRE(std::count_if(names.begin(), names.end(), is_known) == 2);
  std::mt19937_64 random(4);
  for (int round = 0; round < 400; ++round) {
    store s;
    std::map<uint64_t, std::set<std::string>> of_revision;
    applied done;
    const bool one_revision = round % 2 == 0;
    const auto count = 1 + random() % 8;
    for (size_t n = 0; n < count; ++n) {
      const auto revision = one_revision ? 7 : 1 + random() % 3;
      const auto& name = names[random() % names.size()];
      of_revision[revision].insert(name);
      done += partition::add_zone(s, name, revision);
    }
    const auto& newest = of_revision.rbegin()->second;
    const auto known = std::find_if(newest.begin(), newest.end(), is_known);
    const auto& expected = known != newest.end() ? *known : *newest.begin();
    CAPTURE(round, expected);
    REQUIRE((s.zone ? s.zone->name() : s.unknown_zone) == expected);
    REQUIRE((s.zone == nullptr) == (known == newest.end()));
    REQUIRE((s.zone == nullptr || s.unknown_zone.empty()));
    if (one_revision)
      REQUIRE(sums_of(done) == sums{1, static_cast<int64_t>(count) - 1, 0});
  }
}

TEST_CASE("closures planned and withdrawn cover what a list of seconds says, an empty stretch nothing") {
  std::mt19937_64 random(5);
  for (int round = 0; round < 400; ++round) {
    store s;
    std::array<bool, 60> closed{};
    for (int step = 0; step < 12; ++step) {
      const auto from = random() % closed.size();
      const auto to = random() % (closed.size() + 1); // every second stretch is empty or turned round
      const bool withdrawn = random() % 2;
      const auto second = [](size_t n) { return instant(std::chrono::seconds(n)); };
      partition::change_closures(s, {"", {second(from), second(to)}, withdrawn});
      for (auto i = from; i < to; ++i)
        closed[i] = !withdrawn;
      interval_set expected;
      for (size_t i = 0; i < closed.size(); ++i)
        if (closed[i])
          expected.push_back({second(i), second(i + 1)});
      normalise(expected);
      CAPTURE(round, step, from, to, withdrawn);
      REQUIRE(s.closures == expected);
    }
  }
}

TEST_CASE("a planned closure is excluded from a report until it is withdrawn") {
  partition_data data;
  data.apply(polls({{"a", {now - 1h, active}}}));
  const auto spec = spec_at(now);
  CHECK(one_row(data, spec).excluded == 0);
  CHECK(data.apply(closure_change{"a", {now - 5h, now - 3h}}).accepted == 1);
  CHECK(one_row(data, spec).excluded == duration(2h).count());
  CHECK(one_row(data, spec).scheduled == duration(24h).count());
  data.apply(closure_change{"a", {now - 4h, now}, true});
  CHECK(one_row(data, spec).excluded == duration(1h).count());
  data.apply(closure_change{"a", {now - 100h, now}, true});
  CHECK(one_row(data, spec).excluded == 0);
}

TEST_CASE("a store exists when any feed names it, and is gone with all its data when deleted") {
  partition_data data;
  const hours_row monday{9h, 17h, 0};
  data.apply(polls({{"polled", {now, active}}}));
  data.apply(hours(1, {{"open", monday}}));
  data.apply(zones(1, {{"zoned", "Europe/Paris"}}));
  data.apply(closure_change{"closed", {now - 1h, now}});
  CHECK(ids_of(read_slices(data, spec_at(now), {})) ==
        std::vector<std::string>{"closed", "open", "polled", "zoned"});
  CHECK(data.apply(store_deletion{"open"}).accepted == 1);
  CHECK(data.apply(store_deletion{"open"}).accepted == 0);
  CHECK(data.apply(store_deletion{"polled"}).accepted == 1);
  CHECK(ids_of(read_slices(data, spec_at(now), {})) == std::vector<std::string>{"closed", "zoned"});
  CHECK(data.census().stores == 2);
  CHECK_FALSE(data.census().newest);
  // Named again it begins afresh: a row of a revision older than the deleted one's counts.
  CHECK(data.apply(hours(0, {{"open", monday}, {"open", monday}})).accepted == 1);
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
      data.apply(zones(1, {{id, "Asia/Kolkata"}}));
      if (random() % 2)
        data.apply(hours(1, {{id, {9h, 21h, static_cast<uint8_t>(random() % 7)}}}));
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

TEST_CASE("a store without a known zone is measured as one in America/Chicago") {
  const auto measured = [](const std::optional<std::string>& zone) {
    partition_data data;
    data.apply(polls({{"a", {now - 1h, active}}, {"a", {now - 30min, inactive}}}));
    for (uint8_t day = 0; day < 7; ++day)
      data.apply(hours(1, {{"a", {11h, 13h, day}}}));
    if (zone)
      data.apply(zones(1, {{"a", *zone}}));
    return one_row(data, spec_at(now));
  };
  const auto chicago = measured("America/Chicago");
  CHECK(chicago.scheduled == duration(2h).count());
  CHECK(measured(std::nullopt) == chicago);
  CHECK(measured("Mars/Olympus") == chicago);
  CHECK_FALSE(measured("Asia/Tokyo") == chicago);
}

TEST_CASE("census and quality of no stores are empty") {
  const partition_data data;
  CHECK(data.census().stores == 0);
  CHECK_FALSE(data.census().newest);
  const auto quality = data.quality();
  CHECK(quality.stores == 0);
  CHECK_FALSE(quality.oldest);
  CHECK(quality.poller_outages().empty());
}

TEST_CASE("quality counts what is missing, census what a report needs") {
  partition_data data;
  const hours_row monday{9h, 17h, 0};
  data.apply(polls({{"bare", {now - 3h, active}}, {"bare", {now - 3h, inactive}}, {"bare", {now, active}}}));
  data.apply(polls({{"whole", {now - 200h, active}}}));
  data.apply(hours(1, {{"whole", monday}, {"orphan", monday}}));
  data.apply(zones(1, {{"whole", "Asia/Tokyo"}, {"lost", "Mars/Olympus"}}));
  const auto census = data.census();
  CHECK(census.stores == 4);
  CHECK(census.observations == 3);
  CHECK(census.newest == now);
  const auto quality = data.quality();
  CHECK(quality.stores == 4);
  CHECK(quality.observations == 3);
  CHECK(quality.conflicts == 1);
  CHECK(quality.without_hours == 2); // bare, lost
  CHECK(quality.without_zone == 2);  // bare, orphan
  CHECK(quality.unknown_zone == 1);  // lost
  CHECK(quality.never_polled == 2);  // orphan, lost
  CHECK(quality.oldest == now - 200h);
  CHECK(quality.newest == now);
}

namespace {

/// Outages by looking at every minute between the first and the last that has a poll.
std::vector<interval> naive_outages(const std::set<int64_t>& minutes) {
  std::vector<interval> outages;
  int64_t silent = 0;
  if (minutes.empty())
    return outages;
  for (auto m = *minutes.begin(); m <= *minutes.rbegin(); ++m) {
    if (!minutes.contains(m)) {
      ++silent;
      continue;
    }
    if (silent > 120)
      outages.push_back({instant(std::chrono::minutes(m - silent)), instant(std::chrono::minutes(m))});
    silent = 0;
  }
  return outages;
}

protocol::data_quality polled_at(const std::vector<instant>& polled) {
  partition_data data;
  for (size_t i = 0; i < polled.size(); ++i)
    data.apply(polls({{"store " + std::to_string(i % 3), {polled[i], active}}}));
  return data.quality();
}

} // namespace

TEST_CASE("two hours without any poll are no outage, a minute more is one, over the ends of days too") {
  for (const auto* text :
       {"2023-01-25T10:00:00Z", "2023-01-25T22:30:00Z", "1969-12-30T23:59:00Z", "1970-01-01T00:00:00Z"}) {
    const auto first = test::at(text);
    CAPTURE(text);
    CHECK(polled_at({first, first + 1min + 2h}).poller_outages().empty());
    CHECK(polled_at({first, first + 2min + 2h}).poller_outages() ==
          std::vector<interval>{{first + 1min, first + 2min + 2h}});
    // Where within its minute a poll was does not matter.
    CHECK(polled_at({first + 59s, first + 2min + 2h + 59s}).poller_outages() ==
          std::vector<interval>{{first + 1min, first + 2min + 2h}});
    CHECK(polled_at({first, first + 72h}).poller_outages() ==
          std::vector<interval>{{first + 1min, first + 72h}});
  }
}

TEST_CASE("outages of merged partitions are those that a walk over all minutes finds") {
  std::mt19937_64 random(8);
  size_t outages = 0;
  for (int round = 0; round < 150; ++round) {
    std::set<int64_t> minutes;
    protocol::data_quality merged;
    const auto span = 200 + random() % 6000;
    for (auto parts = 1 + random() % 4; parts > 0; --parts) {
      std::vector<instant> polled;
      for (auto n = random() % 20; n > 0; --n) {
        const auto minute = static_cast<int64_t>(random() % span) - static_cast<int64_t>(span) * 2 / 3;
        minutes.insert(minute);
        polled.push_back(instant(std::chrono::minutes(minute)) + duration(random() % 60'000'000));
      }
      merged.merge(polled_at(polled));
    }
    CAPTURE(round, span);
    const auto expected = naive_outages(minutes);
    REQUIRE(merged.poller_outages() == expected);
    outages += expected.size();
  }
  CHECK(outages > 300);
}

TEST_CASE("a census counts what is there after any polls, repeats and deletions") {
  std::mt19937_64 random(11);
  partition_data data;
  std::map<std::string, std::set<instant>> there;
  for (int step = 0; step < 3000; ++step) {
    const auto id = "store " + std::to_string(random() % 8);
    if (random() % 4 == 0) {
      CHECK(data.apply(store_deletion{id}).accepted == static_cast<int64_t>(there.erase(id)));
    } else {
      const auto at = now - std::chrono::minutes(random() % 200);
      data.apply(polls({{id, {at, random() % 2 ? active : inactive}}}));
      there[id].insert(at);
    }
    protocol::census expected;
    for (const auto& [store, instants] : there)
      expected += {1, static_cast<int64_t>(instants.size()), *instants.rbegin()};
    const auto census = data.census();
    REQUIRE(census.stores == expected.stores);
    REQUIRE(census.observations == expected.observations);
    REQUIRE(census.newest == expected.newest);
  }
}

TEST_CASE("rows are those of a measurer that knows opening times from long before the first poll") {
  std::mt19937_64 random(13);
  constexpr std::array estimators{"capped_nearest", "nearest", "linear", "carry_forward", "poll_ratio"};
  const auto& zone = *calendar::zone::find("Asia/Kolkata");
  for (int round = 0; round < 500; ++round) {
    store s;
    std::vector<std::pair<std::string, hours_row>> rows;
    for (auto n = 1 + random() % 10; n > 0; --n) {
      const hours_row row{std::chrono::minutes(random() % 1440), std::chrono::minutes(random() % 1440),
                          static_cast<uint8_t>(random() % 7)};
      rows.emplace_back("a", row);
      partition::add_hours(s, row, 1);
    }
    std::set<observation> seen;
    const auto back = 1 + random() % (40 * 24 * 60);
    for (auto n = random() % 60; n > 0; --n)
      seen.insert({now - std::chrono::minutes(random() % back), active});
    std::vector<poll_of_store> batch;
    for (const auto o : seen)
      batch.emplace_back("a", o);
    partition_data data;
    data.apply(hours(1, rows));
    data.apply(zones(1, {{"a", zone.name()}}));
    data.apply(polls(batch));

    auto spec = spec_at(now, estimators[random() % estimators.size()]);
    if (estimate::find_estimator(spec.estimator)->supports(observation_scope::business) && random() % 2)
      spec.scope = random() % 2 ? observation_scope::business : observation_scope::all;
    spec.windows.push_back({"past", {now - 20 * 24h, now - 15 * 24h}});
    interval_set opening;
    calendar::opening_intervals(s.hours, zone, {now - 70 * 24h, now + 24h}, opening);
    const std::vector<observation> history(seen.begin(), seen.end());
    std::vector<measure> expected(spec.windows.size());
    estimate::measurer(spec).measure_store({opening, {}, history}, expected.data(), 1);
    CAPTURE(round, spec.estimator, to_string(spec.scope), back);
    REQUIRE(data.rows(spec, "", {}).measures == expected);
  }
}
