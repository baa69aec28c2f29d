/// What a partition holds as a number and as chunks: both say the same of the same state, however it came
/// about.
#include "storemon/partition/partition_data.hpp"

#include "support/partition_rows.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <optional>
#include <random>

using namespace storemon;
using namespace storemon::test;
using namespace std::chrono_literals;
using partition::partition_data;
using protocol::snapshot_chunk;
using std::chrono::days;

namespace {

/// All that can be seen of a partition: what an exporter would write, and the batches.
struct view {
  std::vector<std::pair<std::string, protocol::store_card>> cards;
  std::vector<std::vector<observation>> polls;
  std::vector<std::vector<observation>> standing;
  std::vector<std::vector<instant>> pins;
  std::vector<batch_mark> marks;
};

view view_of(partition_data& data) {
  view v;
  data.for_each_store([&](const partition::store& s) {
    v.cards.emplace_back(s.id, data.card(s.id));
    v.polls.push_back(polled(s));
    v.standing.push_back(s.observations);
    v.pins.push_back(s.pins);
  });
  v.marks = data.batches().marks();
  return v;
}

void require_same(partition_data& a, partition_data& b) {
  const auto left = view_of(a);
  const auto right = view_of(b);
  REQUIRE(left.cards.size() == right.cards.size());
  for (size_t i = 0; i < left.cards.size(); ++i) {
    REQUIRE(left.cards[i].first == right.cards[i].first);
    REQUIRE(left.cards[i].second.zone == right.cards[i].second.zone);
    REQUIRE(left.cards[i].second.hours == right.cards[i].second.hours);
    REQUIRE(left.cards[i].second.closures == right.cards[i].second.closures);
  }
  REQUIRE(left.polls == right.polls);
  REQUIRE(left.standing == right.standing);
  REQUIRE(left.pins == right.pins);
  REQUIRE(left.marks == right.marks);
  REQUIRE(a.census().observations == b.census().observations);
  REQUIRE(a.census().newest == b.census().newest);
  REQUIRE(a.state_hash() == b.state_hash());
}

/// Random changes of a few stores, polls on both sides of the epoch.
class change_maker {
public:
  explicit change_maker(uint64_t seed) : random_(seed) {}

  size_t below(size_t bound) { return random_() % bound; }

  std::string id() { return "store " + std::to_string(below(6)); }

  instant some_instant() {
    return instant(std::chrono::hours(below(24 * 8)) - 4 * 24h + std::chrono::minutes(30 * below(2)));
  }

  journal_entry entry() {
    journal_entry e{change(), {}, now + std::chrono::minutes(20 * entries_++)};
    if (std::holds_alternative<observation_rows>(e.change) && below(2))
      e.mark = {{random_(), random_()}, {random_(), random_()}};
    return e;
  }

private:
  update change() {
    switch (below(12)) {
    case 0:
      return store_deletion{id()};
    case 1:
      return zones({{id(), below(3) ? "Europe/Paris" : "Mars/Olympus"}});
    case 2:
      return closure_change{id(), {now, now + 1h * below(4)}, below(4) == 0};
    case 3:
    case 4: {
      const auto date = below(3) ? std::chrono::local_days(days(below(4)) - days(2)) : always_valid;
      if (below(5) == 0) {
        hours_rows none;
        none.valid_from = date;
        none.stores.add(id());
        return none;
      }
      return hours({{id(), {9h, 17h, static_cast<uint8_t>(below(7))}}, {id(), {10h, 2h, 1}}}, date);
    }
    default: {
      std::vector<poll_of_store> rows;
      for (auto n = below(30); n > 0; --n)
        rows.push_back({id(), {some_instant(), below(2) ? active : inactive}});
      return polls(rows, below(4) ? conflict_rule::inactive_wins : static_cast<conflict_rule>(1 + below(2)));
    }
    }
  }

  std::mt19937_64 random_;
  int64_t entries_ = 0;
};

/// Keeps chunks as a journal does: those without their change are the ones it has.
class kept_chunks {
public:
  size_t keep(const protocol::snapshot& s) {
    size_t written = 0;
    std::map<int64_t, update> now_held;
    std::optional<int64_t> previous;
    for (const auto& chunk : s.chunks) {
      REQUIRE((!previous || chunk.number > *previous));
      previous = chunk.number;
      written += chunk.change != nullptr;
      if (chunk.change) {
        now_held.emplace(chunk.number, *chunk.change);
      } else {
        REQUIRE(held_.contains(chunk.number));
        now_held.emplace(chunk.number, held_.at(chunk.number));
      }
    }
    held_ = std::move(now_held);
    return written;
  }

  partition_data load() const {
    partition_data data;
    for (const auto& [number, change] : held_)
      data.apply(change);
    return data;
  }

private:
  std::map<int64_t, update> held_;
};

} // namespace

TEST_CASE("chunks of any snapshot make the partition anew, and records after it the later one") {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    change_maker maker(seed);
    partition_data live;
    kept_chunks kept;
    uint64_t kept_version = 0;
    std::vector<journal_entry> tail;
    for (int step = 0; step < 120; ++step) {
      const auto entry = maker.entry();
      live.apply(entry);
      tail.push_back(entry);
      if (maker.below(15) == 0) {
        const auto taken = live.snapshot(kept_version);
        kept.keep(taken);
        kept_version = live.version();
        tail.clear();
        auto loaded = kept.load();
        require_same(loaded, live);
        REQUIRE(taken.observations == live.census().observations);
        REQUIRE(taken.state_hash == live.state_hash());
      }
      if (maker.below(20) == 0) {
        auto replayed = kept.load();
        for (const auto& after : tail)
          replayed.apply(after);
        require_same(replayed, live);
        // A successor goes on from what was loaded as if it had been there all the time.
        live = std::move(replayed);
        kept_version = 0;
      }
    }
  }
}

TEST_CASE("a snapshot writes again only what changed since the one before") {
  partition_data data;
  for (int day = 0; day < 30; ++day)
    data.apply(polls({{"a", {now - days(day), active}}, {"b", {now - days(day), inactive}}}));
  data.apply(hours({{"a", {9h, 17h, 1}}}));
  data.apply(zones({{"a", "Europe/Paris"}}));
  kept_chunks kept;
  CHECK(kept.keep(data.snapshot(0)) == 32);
  auto version = data.version();
  CHECK(kept.keep(data.snapshot(version)) == 0);
  data.apply(polls({{"a", {now - days(3) + 1min, active}}}));
  data.apply(polls({{"b", {now - days(5), inactive}}})); // known already
  CHECK(kept.keep(data.snapshot(version)) == 1);
  version = data.version();
  data.apply(store_deletion{"b"});
  // All days of the store, and all facts that may have named it.
  CHECK(kept.keep(data.snapshot(version)) == 32);
  auto loaded = kept.load();
  require_same(loaded, data);
}

TEST_CASE("a day that lost its last poll is no chunk any more") {
  partition_data data;
  data.apply(polls({{"a", {now, active}}, {"b", {now + 48h, active}}}));
  CHECK(data.snapshot(0).chunks.size() == 3);
  data.apply(store_deletion{"b"});
  CHECK(data.snapshot(0).chunks.size() == 2);
  data.apply(store_deletion{"a"});
  CHECK(data.snapshot(0).chunks.empty());
}

TEST_CASE("the hash of a state knows neither the order of changes nor partitions") {
  change_maker maker(5);
  std::vector<poll_of_store> rows;
  for (int n = 0; n < 500; ++n)
    rows.push_back({maker.id(), {maker.some_instant(), maker.below(2) ? active : inactive}});
  partition_data forward, backward;
  std::array<partition_data, 3> parts;
  for (const auto& row : rows)
    forward.apply(polls({row}));
  backward.apply(polls({rows.rbegin(), rows.rend()}));
  for (const auto& row : rows)
    parts[partition_of(hash_of(row.first), 3)].apply(polls({row}));
  CHECK(forward.state_hash() == backward.state_hash());
  CHECK(forward.state_hash() == parts[0].state_hash() + parts[1].state_hash() + parts[2].state_hash());
}

TEST_CASE("the hash of a state differs with each single fact") {
  std::vector<update> changes{
      polls({{"a", {now, active}}}),
      polls({{"a", {now, inactive}}}),
      polls({{"a", {now + 1us, active}}}),
      polls({{"b", {now, active}}}),
      polls({{"a", {now, active}}, {"a", {now, inactive}}}),
      polls({{"a", {now, active}}}, conflict_rule::replace),
      zones({{"a", "Europe/Paris"}}),
      zones({{"a", "Mars/Olympus"}}),
      hours({{"a", {9h, 17h, 1}}}),
      hours({{"a", {9h, 17h, 1}}}, std::chrono::local_days(days(19000))),
      hours({{"a", {9h, 17h, 2}}}),
      closure_change{"a", {now, now + 1h}},
      closure_change{"a", {now, now + 2h}},
      closure_change{"a", {now, now}}, // nothing but a store
  };
  std::map<uint64_t, size_t> hashes;
  for (size_t i = 0; i < changes.size(); ++i) {
    partition_data data;
    CHECK(data.state_hash() == 0);
    data.apply(changes[i]);
    CAPTURE(i);
    CHECK(hashes.emplace(data.state_hash(), i).second);
    data.apply(store_deletion{"a"});
    data.apply(store_deletion{"b"});
    CHECK(data.state_hash() == 0);
  }
}

TEST_CASE("the hash of a state is the same in every version") {
  partition_data data;
  data.apply(
      polls({{"a", {instant(1s), active}}, {"a", {instant(1s), inactive}}, {"b", {instant(-1us), active}}}));
  data.apply(zones({{"a", "Europe/Paris"}}));
  data.apply(hours({{"b", {9h, 17h, 1}}}));
  data.apply(closure_change{"b", {instant(0s), instant(1s)}});
  data.apply(polls({{"b", {instant(-1us), inactive}}}, conflict_rule::keep));
  CHECK(data.state_hash() == 2390484848113253041U);
}
