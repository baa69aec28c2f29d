/// What a partition holds as a number and as chunks: both say the same of the same state, however it came
/// about.
#include "storemon/partition/partition_data.hpp"

#include "support/partition_states.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <optional>

using namespace storemon;
using namespace storemon::test;
using namespace std::chrono_literals;
using partition::partition_data;
using protocol::snapshot_chunk;
using std::chrono::days;

namespace {

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
