/// What a shard made durable comes back: by records, by snapshots, with the answers to batches.
#include "support/shard_rig.hpp"

using namespace storemon;
using namespace storemon::protocol;
using namespace storemon::test;
using namespace std::chrono_literals;
using rig = shard_rig;

TEST_CASE("before it is loaded a shard answers nothing but that it is not ready") {
  rig r;
  CHECK(code_of(r.apply(poll(1))) == errc::not_ready);
  CHECK(code_of(r.put(keyed(1, 1, 1))) == errc::not_ready);
  CHECK(code_of(r.ask<census>(r.shard, census_atom_v)) == errc::not_ready);
  CHECK(code_of(r.ask<shared_marks>(r.shard, marks_atom_v)) == errc::not_ready);
  CHECK(code_of(r.ask<shared_card>(r.shard, store_atom_v, std::string("a"))) == errc::not_ready);
  CHECK(code_of(r.ask<shared_quality>(r.shard, quality_atom_v)) == errc::not_ready);
  CHECK(code_of(r.ask<shared_columns>(r.shard, rows_atom_v, shared_spec(), std::string())) ==
        errc::not_ready);
  CHECK(r.load().damage.empty());
  CHECK(r.seen() == 0);
  CHECK(r.script.appends.empty());
}

TEST_CASE("a successor replays to the state that was, by records alone or with a snapshot") {
  for (const uint64_t after : {1000, 10, 1}) {
    rig r;
    r.options.snapshot_after_records = after;
    r.reload();
    for (int n = 0; n < 35; ++n) {
      r.clock += 1h;
      REQUIRE(r.apply(polls({{"store " + std::to_string(n % 4), {now + 12h * n, n % 3 ? active : inactive}}},
                            static_cast<conflict_rule>(n % 3))));
      REQUIRE(r.apply(hours({{"store 1", {9h, 17h, static_cast<uint8_t>(n % 7)}}},
                            std::chrono::local_days(std::chrono::days(n % 3)))));
      REQUIRE(r.put(keyed(static_cast<uint64_t>(n), 1, n / 2, n % 2 ? active : inactive)));
    }
    CAPTURE(after);
    CHECK((r.script.through_seq > 0) == (after < 1000));
    const auto before = r.load();
    const auto marks = r.ask<shared_marks>(r.shard, marks_atom_v);
    const auto replayed = r.reload();
    CHECK(replayed.damage.empty());
    CHECK(replayed.stores == before.stores);
    CHECK(replayed.observations == before.observations);
    CHECK(replayed.state_hash == before.state_hash);
    CHECK(**r.ask<shared_marks>(r.shard, marks_atom_v) == **marks);
    CHECK((*marks)->size() == 35);
    // And it goes on as if nothing had been.
    REQUIRE(r.apply(poll(77)));
    CHECK(r.load().observations == before.observations + 1);
  }
}

TEST_CASE("snapshots come after so many records, write what changed, and are tried again when they fail") {
  rig r;
  r.options.snapshot_after_records = 5;
  r.reload();
  const auto write = [&](int count) {
    for (int n = 0; n < count; ++n)
      REQUIRE(r.apply(polls({{"a", {r.clock += 1min, active}}})));
  };
  r.script.snapshot_fails = to_caf({errc::busy, "an export runs"});
  write(4);
  CHECK(r.script.snapshots_asked == 0);
  write(1);
  CHECK(r.script.snapshots_asked == 1);
  r.script.snapshot_fails.reset();
  write(4);
  CHECK(r.script.snapshots_asked == 1);
  write(1);
  CHECK(r.script.snapshots_asked == 2);
  CHECK(r.script.through_seq == 10);
  CHECK(r.script.chunks_written == 2); // the store, and its only day
  r.clock += 24h;
  write(5);
  CHECK(r.script.chunks_written == 1); // the next day
  CHECK(r.script.chunks.size() == 3);
  // What a successor has loaded from a snapshot is as clean; records after it count.
  write(3);
  r.reload();
  write(2);
  CHECK(r.script.through_seq == 20);
  CHECK(r.script.chunks_written == 1);
  // After a snapshot that failed for another reason than work, all is written again.
  r.script.snapshot_fails = to_caf({errc::damaged, "it does not read back"});
  write(5);
  r.script.snapshot_fails.reset();
  write(5);
  CHECK(r.script.through_seq == 30);
  CHECK(r.script.chunks_written == 3);
}

TEST_CASE("a key that came before is answered as it was, or refused with another body, after a replay too") {
  rig r;
  r.load();
  const auto first = r.put(keyed(1, 1, 1));
  REQUIRE(first);
  CHECK_FALSE(first->replayed);
  for (const bool replay : {false, true}) {
    if (replay)
      r.reload();
    const auto again = r.put(keyed(1, 1, 1));
    REQUIRE(again);
    CHECK(again->replayed);
    CHECK(again->done == first->done);
    CHECK(code_of(r.put(keyed(1, 2, 1))) == errc::key_reused);
  }
  CHECK(r.script.appends.size() == 1);
}

TEST_CASE("a partition that is damaged is read-only and says so") {
  rig r;
  r.options.snapshot_after_records = 2;
  r.reload();
  for (int n = 0; n < 7; ++n)
    REQUIRE(r.apply(poll(n)));
  SECTION("for the journal says so") {
    r.script.damage = "record 3 fails its CRC";
  }
  SECTION("for the snapshot makes another state") {
    REQUIRE(r.script.through_seq > 0);
    r.script.state_hash ^= 1;
  }
  SECTION("for records are missing at the end") {
    r.script.records_lost = 1;
  }
  const auto loaded = r.reload();
  CHECK_FALSE(loaded.damage.empty());
  const auto counted = r.ask<census>(r.shard, census_atom_v);
  REQUIRE(counted);
  CHECK(counted->damaged);
  CHECK(counted->observations == 7);
  CHECK(code_of(r.apply(poll(8))) == errc::damaged);
  CHECK(code_of(r.put(keyed(1, 1, 8))) == errc::damaged);
}

TEST_CASE("a load that fails may be tried again") {
  rig r;
  r.script.open_fails = to_caf({errc::storage_failing, "no"});
  CHECK(code_of(r.ask<loaded>(r.shard, load_atom_v)) == errc::storage_failing);
  CHECK(code_of(r.apply(poll(1))) == errc::not_ready);
  r.script.open_fails.reset();
  CHECK(r.load().damage.empty());
  CHECK(r.apply(poll(1)));
}
