/// Snapshots, and what a replay makes of a disk that was damaged.
#include "support/journal_bench.hpp"
#include "support/results.hpp"

#include <catch2/catch.hpp>

#include <functional>

using namespace storemon;
using namespace storemon::protocol;
using storemon::journal::memory_partition;
using storemon::journal::memory_tables;
using storemon::test::canonical_all;
using storemon::test::code_of;
using storemon::test::entry_of;
using storemon::test::journal_bench;
using storemon::test::journal_day;
using storemon::test::poll_of;
using storemon::test::polls;
using namespace std::chrono_literals;

namespace {

/// One day's observations of a store.
observation_rows day_of(const std::string& store, int day, size_t count) {
  return polls({store}, journal_day + std::chrono::hours(24 * day), count);
}

snapshot_chunk chunk(int64_t number, update change) {
  return {number, std::make_shared<const update>(std::move(change))};
}

/// What a replay gives of an update that a snapshot's chunk holds.
std::string canonical_chunk(update change) {
  return test::canonical({std::move(change), {}, {}});
}

/// A partition with six records, two snapshots that hold one observation a record, through 2 and through 4,
/// and a day for each record.
class journal_with_snapshots : public journal_bench {
public:
  journal_with_snapshots() {
    options.slice_bytes_max = 1;
    start();
    epoch = opened(0);
    for (int day = 0; day < 6; ++day) {
      append(0, epoch, {entry_of(day_of("a", day, 1))}).value();
      if (day == 1)
        snapshot({0, epoch, 2, 2, 22, {chunk(0, day_of("a", 0, 1)), chunk(1, day_of("a", 1, 1))}}).value();
      if (day == 3)
        snapshot({0,
                  epoch,
                  4,
                  4,
                  44,
                  {{0, nullptr}, {1, nullptr}, chunk(2, day_of("a", 2, 1)), chunk(3, day_of("a", 3, 1))}})
            .value();
    }
  }

  void damage(const std::function<void(memory_partition&)>& how) {
    disk->edit([&how](memory_tables& t) { how(t.partitions.at(0)); });
  }

  /// All six days, the first so many of them out of a snapshot.
  static std::vector<std::string> days(int from_snapshot) {
    std::vector<std::string> all;
    for (int day = 0; day < 6; ++day)
      all.push_back(day < from_snapshot ? canonical_chunk(day_of("a", day, 1))
                                        : test::canonical(entry_of(day_of("a", day, 1))));
    return all;
  }

  uint64_t epoch = 0;
};

} // namespace

TEST_CASE_METHOD(journal_with_snapshots,
                 "a replay begins with the newest snapshot and goes on with what came after it") {
  const bool restarted = GENERATE(false, true);
  if (restarted) {
    start();
    epoch = opened(0);
  }
  const auto told = replay(0, epoch).value();
  CHECK(told.damage == "");
  CHECK(told.snapshots == 1);
  CHECK(told.from_snapshot == 4);
  CHECK(told.observations == 4);
  CHECK(told.hash == 44);
  CHECK(told.entries == days(4));
  CHECK(told.through == 6);
}

TEST_CASE_METHOD(journal_with_snapshots, "whoever does not own the partition may read its past as well") {
  CHECK(replay(0, reader_epoch).value().entries == days(4));
  CHECK(code_of(replay(1, reader_epoch)) == errc::fenced); // it is not open
}

TEST_CASE_METHOD(journal_with_snapshots, "a chunk that is named no more is gone, also for later snapshots") {
  CHECK(snapshot({0, epoch, 6, 2, 66, {{0, nullptr}, chunk(5, day_of("a", 5, 1))}}).value());
  CHECK(snapshot({0, epoch, 6, 2, 66, {{0, nullptr}, {5, nullptr}}}).value());
  const auto told = replay(0, epoch).value();
  CHECK(told.damage == "");
  CHECK(told.entries == std::vector{canonical_chunk(day_of("a", 0, 1)), canonical_chunk(day_of("a", 5, 1))});
  CHECK(code_of(snapshot({0, epoch, 6, 2, 66, {{0, nullptr}, {3, nullptr}}})) == errc::invalid_argument);
}

TEST_CASE_METHOD(journal_with_snapshots, "a snapshot of nothing is one") {
  CHECK(snapshot({0, epoch, 6, 0, 0, {}}).value());
  const auto told = replay(0, epoch).value();
  CHECK(told.snapshots == 1);
  CHECK(told.entries.empty());
  CHECK(told.through == 6);
  CHECK(told.damage == "");
}

TEST_CASE_METHOD(journal_with_snapshots, "a snapshot that contradicts what is kept is refused") {
  const auto refused = [this](uint64_t through, std::vector<snapshot_chunk> chunks) {
    return code_of(snapshot({0, epoch, through, 1, 1, std::move(chunks)}));
  };
  CHECK(refused(7, {chunk(0, day_of("a", 0, 1))}) == errc::invalid_argument); // no such record
  CHECK(refused(3, {chunk(0, day_of("a", 0, 1))}) == errc::invalid_argument); // the last went further
  CHECK(refused(6, {{9, nullptr}}) == errc::invalid_argument);
  CHECK(refused(6, {chunk(1, day_of("a", 0, 1)), chunk(1, day_of("a", 0, 1))}) == errc::invalid_argument);
  CHECK(refused(6, {chunk(0, day_of("stranger", 0, 1))}) == errc::invalid_argument);
  CHECK(replay(0, epoch).value().entries == days(4));
}

TEST_CASE_METHOD(journal_with_snapshots,
                 "a snapshot that does not hold what it says is damaged, and nothing is forgotten for it") {
  now += 24h * 365;
  CHECK(code_of(snapshot({0, epoch, 6, 5, 66, {{0, nullptr}, chunk(5, day_of("a", 5, 3))}})) ==
        errc::damaged); // one and three are not five
  damage([](memory_partition& p) { CHECK(p.records.size() == 6); });
}

TEST_CASE_METHOD(journal_with_snapshots,
                 "both statuses of one instant, and corrections kept apart, count once") {
  observation_rows both = day_of("a", 5, 2);
  both.store.push_back(0);
  both.seen.emplace_back(both.seen[0].at(), store_status::inactive);
  observation_rows corrections = day_of("a", 5, 1);
  corrections.rule = conflict_rule::keep;
  auto elsewhere = day_of("a", 7, 1);
  elsewhere.rule = conflict_rule::replace;
  CHECK(
      snapshot({0, epoch, 6, 3, 0, {chunk(-2, corrections), chunk(-1, elsewhere), chunk(5, both)}}).value());
}

TEST_CASE_METHOD(journal_with_snapshots,
                 "records go once two snapshots cover them and they are older than is kept") {
  const auto records = [this] {
    size_t count = 0;
    damage([&count](memory_partition& p) { count = p.records.size(); });
    return count;
  };
  const auto third = [this] {
    return snapshot({0, epoch, 6, 2, 66, {{0, nullptr}, chunk(5, day_of("a", 5, 1))}});
  };
  SECTION("both") {
    now = journal_day + options.retention + 1us;
    CHECK(third().value());
    CHECK(records() == 2);
    const auto told = replay(0, epoch).value();
    CHECK(told.damage == "");
    CHECK(told.entries.size() == 2);
    CHECK(append(0, epoch, {poll_of("b")}).value() == 7);
    damage([](memory_partition& p) { CHECK(p.manifests.begin()->first == 2); });
  }
  SECTION("too young") {
    now = journal_day + options.retention;
    CHECK(third().value());
    CHECK(records() == 6);
  }
  SECTION("the snapshot before is broken") {
    now = journal_day + options.retention + 1us;
    damage([](memory_partition& p) { p.manifests.at(2).state_hash ^= 1; });
    CHECK(third().value());
    CHECK(records() == 6);
  }
}

TEST_CASE_METHOD(journal_with_snapshots,
                 "a chunk called unchanged that fails its check is no part of a new snapshot") {
  damage([](memory_partition& p) { p.chunks.at({1, 1}).payload.back() ^= 1; });
  CHECK(code_of(snapshot({0, epoch, 6, 2, 66, {{0, nullptr}, {1, nullptr}}})) == errc::damaged);
  CHECK(snapshot({0, epoch, 6, 2, 66, {{0, nullptr}, chunk(1, day_of("a", 1, 1))}}).value());
  CHECK(replay(0, epoch).value().damage == "");
}

TEST_CASE_METHOD(journal_with_snapshots,
                 "a broken snapshot is passed over for the one before, or for the records") {
  const auto [what, broken, from] = GENERATE(table<std::string, std::function<void(memory_partition&)>, int>({
      {"manifest", [](memory_partition& p) { p.manifests.at(2).observations = 5; }, 2},
      {"chunk",
       [](memory_partition& p) {
         p.chunks.at({3, 2}).payload.front() ^= 8;
       },
       2},
      {"chunk of another place",
       [](memory_partition& p) {
         p.chunks.at({3, 2}).number = 4;
       },
       2},
      {"missing chunk",
       [](memory_partition& p) {
         p.chunks.erase({2, 2});
       },
       2},
      {"empty chunk",
       [](memory_partition& p) {
         p.chunks.at({2, 2}).payload.clear();
       },
       2},
      {"missing manifest", [](memory_partition& p) { p.manifests.erase(2); }, 2},
      {"chunk of both", [](memory_partition& p) { p.chunks.at({0, 1}).crc ^= 1; }, 0},
  }));
  INFO(what);
  damage(broken);
  start();
  epoch = opened(0);
  const auto told = replay(0, epoch).value();
  CHECK(told.damage == "");
  CHECK(told.from_snapshot == static_cast<size_t>(from));
  CHECK(told.entries == days(from));
  CHECK((what == "missing manifest" || !log.empty()));
  CHECK(append(0, epoch, {poll_of("b")}).value() == 7);
}

TEST_CASE_METHOD(journal_with_snapshots,
                 "a broken snapshot whose records are forgotten is damage, and named") {
  damage([](memory_partition& p) {
    p.manifests.at(2).crc ^= 1;
    p.records.erase(3);
    p.records.erase(4);
  });
  start();
  epoch = opened(0);
  const auto told = replay(0, epoch).value();
  INFO(told.damage);
  CHECK(told.damage.find("record 3 of partition 0 is missing") != std::string::npos);
  CHECK(told.damage.find("snapshot 2 of partition 0") != std::string::npos);
  CHECK(told.entries.size() == 2);
}

TEST_CASE_METHOD(journal_with_snapshots,
                 "every damage to records ends the replay there, is named, and stops appends") {
  using change = std::function<void(memory_partition&)>;
  const auto [how, sentence, sound] = GENERATE(table<change, std::string, size_t>({
      {[](memory_partition& p) { p.records.at(5).payload.back() ^= 1; }, "record 5 of partition 0", 4},
      {[](memory_partition& p) { p.records.at(6).written += 1us; }, "record 6 of partition 0", 5},
      {[](memory_partition& p) { p.records.erase(5); }, "record 5 of partition 0 is missing", 4},
      {[](memory_partition& p) { p.records.erase(6); }, "record 6 of partition 0 is missing", 5},
      {[](memory_partition& p) { std::swap(p.records.at(5), p.records.at(6)); }, "record 5 of partition 0",
       4},
      {[](memory_partition& p) { p.records.at(5) = p.records.at(4); }, "record 5 of partition 0", 4},
      {[](memory_partition& p) {
         auto& r = p.records.at(5); // sound by itself, of another chain
         r.prev_crc ^= 1;
         r.crc = journal::crc_of(r);
       },
       "record 5 of partition 0", 4},
      {[](memory_partition& p) {
         auto& r = p.records.at(6);
         r.payload += "x";
         r.crc = journal::crc_of(r);
       },
       "record 6 of partition 0", 5},
      {[](memory_partition& p) {
         auto& r = p.records.at(6);
         r.written += 1us;
         r.crc = journal::crc_of(r);
       },
       "record 6 of partition 0 is not the one that was written last", 5},
      {[](memory_partition& p) { p.owner.next_seq = 6; }, "record 5 of partition 0 is not the one", 4},
      {[](memory_partition& p) {
         p.owner.next_seq = 6;
         p.owner.last_crc = p.records.at(5).crc;
       },
       "record 6 of partition 0 is beyond the end", 5},
      {[](memory_partition& p) { p.owner.last_crc ^= 1; }, "record 6 of partition 0 is not the one", 5},
      {[](memory_partition& p) {
         p.names.clear();
         p.names_given = 0;
       },
       "chunk 0 of partition 0 cannot be read", 0},
      {[](memory_partition& p) {
         p.names.clear();
         p.names.emplace(1, "b");
       },
       "the name of store 0 of partition 0 is missing", 0},
  }));
  damage(how);
  start();
  epoch = opened(0);
  const auto told = replay(0, epoch).value();
  INFO(told.damage);
  CHECK(told.damage.find(sentence) != std::string::npos);
  const auto all = days(4);
  CHECK(told.entries == std::vector(all.begin(), all.begin() + static_cast<long>(sound)));
  const auto before = disk->commits();
  const auto refused = append(0, epoch, {poll_of("b")});
  REQUIRE(code_of(refused) == errc::damaged);
  CHECK(refused.error().detail == told.damage);
  CHECK(code_of(snapshot({0, epoch, 6, 0, 0, {}})) == errc::damaged);
  CHECK(disk->commits() == before);
  CHECK_FALSE(log.empty());
  CHECK(append(1, opened(1), {poll_of("b")}).value() == 1); // the others go on
}

TEST_CASE_METHOD(journal_with_snapshots, "no snapshot is taken while the state is pinned") {
  const auto third = [this] { return code_of(snapshot({0, epoch, 6, 0, 0, {}})); };
  CHECK(code_of(ask<std::vector<uint64_t>>(handle, pin_atom_v)) == errc::not_ready);
  for (uint32_t p = 1; p < options.partitions; ++p)
    opened(p);
  const std::vector<uint64_t> state{6, 0, 0, 0};
  CHECK(ask<std::vector<uint64_t>>(handle, pin_atom_v).value() == state);
  CHECK(ask<std::vector<uint64_t>>(handle, pin_atom_v).value() == state);
  CHECK(third() == errc::busy);
  self->send(handle, unpin_atom_v);
  CHECK(third() == errc::busy);
  self->send(handle, unpin_atom_v);
  CHECK(third() == errc::ok);
  self->send(handle, unpin_atom_v); // one too many
  CHECK(third() == errc::ok);
}

TEST_CASE_METHOD(journal_with_snapshots,
                 "a snapshot that waits for its commit is refused when a pin comes first") {
  for (uint32_t p = 1; p < options.partitions; ++p)
    opened(p);
  auto queued = self->request(handle, caf::infinite, snap_atom_v,
                              shared_snapshot(protocol::snapshot{0, epoch, 6, 0, 0, {}}));
  auto pinned = self->request(handle, caf::infinite, pin_atom_v);
  settle();
  CHECK(code_of(take<std::vector<uint64_t>>(pinned)) == errc::ok);
  CHECK(code_of(take<bool>(queued)) == errc::busy);
}

TEST_CASE_METHOD(journal_with_snapshots, "a pin ends with whoever holds it") {
  for (uint32_t p = 1; p < options.partitions; ++p)
    opened(p);
  const auto holder = system.spawn([to = handle](caf::event_based_actor* me) -> caf::behavior {
    me->request(to, caf::infinite, pin_atom_v).then([](const std::vector<uint64_t>&) {});
    return {[](int) {}};
  });
  settle();
  CHECK(code_of(snapshot({0, epoch, 6, 0, 0, {}})) == errc::busy);
  self->send_exit(holder, caf::exit_reason::user_shutdown);
  settle();
  CHECK(code_of(snapshot({0, epoch, 6, 0, 0, {}})) == errc::ok);
}
