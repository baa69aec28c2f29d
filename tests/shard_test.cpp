/// A shard and its journal, step by step: nothing is seen or answered before it is durable, and what is
/// durable comes back.
#include "storemon/partition/shard_actor.hpp"

#include "support/fake_journal.hpp"
#include "support/partition_rows.hpp"
#include "support/results.hpp"
#include "support/sim.hpp"

#include <catch2/catch.hpp>

using namespace storemon;
using namespace storemon::protocol;
using namespace storemon::test;
using namespace std::chrono_literals;
using partition::shard_options;

namespace {

class rig : public sim {
public:
  rig() {
    journal = owns(system.spawn(fake_journal, &script));
    options.partition = 3;
    options.journal = journal;
    options.now = [this] { return clock; };
    respawn();
  }

  ~rig() { script.held.clear(); } // a promise that is kept holds its actor

  /// A shard of the same partition anew, as a supervisor makes it.
  void respawn() {
    shard = owns(system.spawn(partition::shard, options));
    settle();
  }

  /// Lets the journal answer the appends that it holds.
  void release() {
    self->send(journal, unpin_atom_v);
    settle();
  }

  loaded load() {
    const auto done = ask<loaded>(shard, load_atom_v);
    REQUIRE(done);
    return *done;
  }

  loaded reload() {
    self->send_exit(shard, caf::exit_reason::kill);
    respawn();
    return load();
  }

  result<applied> apply(update change) {
    return ask<applied>(shard, apply_atom_v, shared_update(std::move(change)));
  }

  result<batch_result> put(batch b) {
    return ask<batch_result>(shard, batch_atom_v, shared_batch(std::move(b)));
  }

  auto send(update change) {
    return self->request(shard, caf::infinite, apply_atom_v, shared_update(std::move(change)));
  }

  auto send(batch b) { return self->request(shard, caf::infinite, batch_atom_v, shared_batch(std::move(b))); }

  /// How many observations the shard shows.
  int64_t seen() {
    const auto counted = ask<census>(shard, census_atom_v);
    REQUIRE(counted);
    return counted->observations;
  }

  /// Whether the shard has ended.
  bool ended() {
    const auto counted = ask<census>(shard, census_atom_v);
    return !counted && counted.error().code == errc::partition_lost;
  }

  journal_script script;
  instant clock = now;
  journal_actor journal;
  shard_options options;
  shard_actor shard;
};

update poll(int n, store_status status = active) {
  return polls({{"a", {now + std::chrono::minutes(n), status}}});
}

batch keyed(uint64_t key, uint64_t body, int n, store_status status = active) {
  return {polls({{"a", {now + std::chrono::minutes(n), status}}}), {{key, 1}, {body, 1}}, false};
}

template <class R>
errc code_of(const result<R>& r) {
  return r ? errc::ok : r.error().code;
}

} // namespace

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

TEST_CASE("a change is neither seen nor answered before the journal has it") {
  rig r;
  r.load();
  r.script.holds = true;
  auto asked = r.send(poll(1));
  r.settle();
  CHECK(r.script.held.size() == 1);
  CHECK_FALSE(r.self->has_next_message());
  r.release();
  CHECK(r.script.records.size() == 1);
  r.settle();
  const auto done = r.take<applied>(asked);
  REQUIRE(done);
  CHECK(done->accepted == 1);
  CHECK(r.seen() == 1);
}

TEST_CASE("what comes during an append goes into the next as one, in the order it came") {
  rig r;
  r.load();
  r.script.holds = true;
  auto first = r.send(poll(0));
  r.settle();
  std::vector<decltype(first)> others;
  for (int n = 1; n <= 4; ++n)
    others.push_back(r.send(poll(n)));
  r.settle();
  CHECK(r.script.appends == std::vector<size_t>{1});
  r.release();
  CHECK(r.script.appends == std::vector<size_t>{1, 4});
  CHECK(r.take<applied>(first));
  CHECK(r.seen() == 1);
  r.release();
  for (auto& other : others)
    CHECK(r.take<applied>(other));
  REQUIRE(r.script.records.size() == 5);
  for (int n = 0; n < 5; ++n)
    CHECK(r.script.records[static_cast<size_t>(n)] == journal_entry{poll(n), {}, now});
  CHECK(r.seen() == 5);
}

TEST_CASE("an append that fails leaves nothing, and the next may succeed") {
  for (const auto code : {errc::disk_full, errc::storage_failing}) {
    rig r;
    r.load();
    r.script.append_fails = to_caf({code, "no"});
    CHECK(code_of(r.apply(poll(1))) == code);
    CHECK(code_of(r.put(keyed(1, 1, 2))) == code);
    CHECK(r.seen() == 0);
    r.script.append_fails.reset();
    CHECK(r.apply(poll(1)));
    const auto again = r.put(keyed(1, 1, 2));
    REQUIRE(again);
    CHECK_FALSE(again->replayed);
    CHECK(r.seen() == 2);
    CHECK(r.script.records.size() == 2);
  }
}

TEST_CASE("a shard that does not know what was kept ends, and its successor knows") {
  rig r;
  r.load();
  r.script.holds = true;
  auto in_flight = r.send(keyed(1, 1, 1));
  r.settle();
  auto queued = r.send(poll(2));
  r.settle();
  SECTION("for the journal failed as an actor") {
    r.script.append_fails = caf::make_error(caf::sec::runtime_error);
  }
  SECTION("for the journal counts otherwise") {
    r.script.seq_ahead = 1;
  }
  r.release();
  CHECK(code_of(r.take<batch_result>(in_flight)) == errc::storage_failing);
  CHECK(code_of(r.take<applied>(queued)) == errc::storage_failing);
  CHECK(r.ended());
  r.script.append_fails.reset();
  r.script.seq_ahead = 0;
  r.script.holds = false;
  const bool kept = !r.script.records.empty();
  r.respawn();
  CHECK(r.load().observations == static_cast<int64_t>(kept));
  const auto again = r.put(keyed(1, 1, 1));
  REQUIRE(again);
  CHECK(again->replayed == kept);
  CHECK(again->done == applied{1, 0, 0});
}

TEST_CASE("a shard ends with its journal, whether something is under way or not") {
  for (const bool writing : {false, true}) {
    rig r;
    r.load();
    r.script.holds = true;
    auto asked = r.send(poll(1));
    if (writing)
      r.settle();
    r.self->send_exit(r.journal, caf::exit_reason::kill);
    r.settle();
    CHECK(code_of(r.take<applied>(asked)) == errc::storage_failing);
    CHECK(r.ended());
  }
}

TEST_CASE("a shard that is fenced off says so and ends") {
  rig r;
  r.load();
  r.script.epoch += 1;
  CHECK(code_of(r.apply(poll(1))) == errc::fenced);
  CHECK(r.ended());
  CHECK(r.script.records.empty());
}

TEST_CASE("whoever waits for a shard that is stopped is told") {
  rig r;
  r.load();
  r.script.holds = true;
  auto in_flight = r.send(poll(1));
  r.settle();
  r.self->send_exit(r.shard, caf::exit_reason::user_shutdown);
  r.settle();
  CHECK(code_of(r.take<applied>(in_flight)) == errc::partition_lost);
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

TEST_CASE("a key that is under way is refused until it is answered") {
  rig r;
  r.load();
  r.script.holds = true;
  auto other = r.send(poll(0));
  r.settle();
  auto first = r.send(keyed(1, 1, 1));
  r.settle();
  CHECK(code_of(r.put(keyed(1, 1, 1))) == errc::conflict); // queued
  r.release();
  CHECK(r.take<applied>(other));
  CHECK(code_of(r.put(keyed(1, 1, 1))) == errc::conflict); // in flight
  r.release();
  CHECK(r.take<batch_result>(first));
  const auto again = r.put(keyed(1, 1, 1));
  REQUIRE(again);
  CHECK(again->replayed);
}

TEST_CASE("a batch that refuses conflicts is judged by all that came before it") {
  rig r;
  r.load();
  r.script.holds = true;
  auto first = r.send(poll(1, active));
  r.settle();
  auto second = r.send(poll(2, active));
  auto refusing = keyed(1, 1, 2, inactive);
  refusing.reject_conflicts = true;
  auto refused = r.send(refusing);
  refusing = keyed(2, 1, 3, inactive);
  refusing.reject_conflicts = true;
  auto taken = r.send(refusing);
  auto last = r.send(poll(4));
  r.settle();
  for (int n = 0; n < 4; ++n) {
    r.release();
  }
  CHECK(r.script.appends == std::vector<size_t>{1, 1, 1, 1});
  CHECK(r.take<applied>(first));
  CHECK(r.take<applied>(second));
  const auto conflict = r.take<batch_result>(refused);
  REQUIRE(code_of(conflict) == errc::conflict);
  CHECK(conflict.error().detail == "store a was polled with another status at 2023-01-25T18:15:22.000000Z");
  CHECK(r.take<batch_result>(taken));
  CHECK(r.take<applied>(last));
  CHECK(r.seen() == 4);
  // Its key is free again.
  r.script.holds = false;
  CHECK(r.put(keyed(1, 2, 9)));
}

TEST_CASE("an import of what is held writes nothing to the journal") {
  rig r;
  r.load();
  const auto rows = polls({{"a", {now, active}}, {"b", {now, active}}, {"a", {now, inactive}}});
  REQUIRE(r.apply(rows));
  const auto again = r.apply(rows);
  REQUIRE(again);
  CHECK(*again == applied{0, 3, 0});
  CHECK(r.script.appends.size() == 1);
  // What is deleted before it in the same append is not held any more.
  r.script.holds = true;
  auto other = r.send(poll(5));
  r.settle();
  auto deletion = r.send(update(store_deletion{"a"}));
  auto import = r.send(update(rows));
  r.settle();
  r.release();
  r.release();
  CHECK(r.take<applied>(other));
  CHECK(r.take<applied>(deletion));
  CHECK(*r.take<applied>(import) == applied{1, 1, 1});
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

TEST_CASE("changes that no replay could take are refused before the journal sees them") {
  rig r;
  r.load();
  auto wild = polls({{"a", {now, active}}});
  wild.store[0] = 1;
  CHECK(code_of(r.apply(wild)) == errc::invalid_argument);
  CHECK(code_of(r.put({wild, {}, false})) == errc::invalid_argument);
  CHECK(code_of(r.apply(store_deletion{""})) == errc::invalid_argument);
  CHECK(code_of(r.apply(batch_memory())) == errc::invalid_argument);
  CHECK(code_of(r.apply(hours({{"a", {25h, 1h, 0}}}))) == errc::invalid_argument);
  CHECK(r.script.appends.empty());
}

TEST_CASE("a shard without a journal applies at once and remembers keys") {
  sim s;
  const auto shard = s.owns(s.system.spawn(partition::shard, shard_options{}));
  CHECK(s.ask<applied>(shard, apply_atom_v, shared_update(poll(1))));
  REQUIRE(s.ask<batch_result>(shard, batch_atom_v, shared_batch(keyed(1, 1, 2))));
  CHECK(s.ask<batch_result>(shard, batch_atom_v, shared_batch(keyed(1, 1, 2)))->replayed);
  const auto totals = s.ask<loaded>(shard, load_atom_v);
  REQUIRE(totals);
  CHECK(totals->observations == 2);
  const auto card = s.ask<shared_card>(shard, store_atom_v, std::string("a"));
  REQUIRE(card);
  CHECK((*card)->observations == 2);
}
