/// The journal's actor, step by step on a disk in memory.
#include "storemon/journal/sqlite_backend.hpp"
#include "support/journal_bench.hpp"
#include "support/results.hpp"
#include "support/scratch_directory.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace storemon;
using namespace storemon::protocol;
using storemon::test::canonical_all;
using storemon::test::code_of;
using storemon::test::journal_bench;
using storemon::test::journal_day;
using storemon::test::poll_of;
using namespace std::chrono_literals;

TEST_CASE_METHOD(journal_bench, "all partitions are opened by one commit") {
  start();
  auto a = self->request(handle, caf::infinite, open_atom_v, uint32_t{0});
  auto b = self->request(handle, caf::infinite, open_atom_v, uint32_t{1});
  auto c = self->request(handle, caf::infinite, open_atom_v, uint32_t{2});
  settle();
  CHECK(take<opening>(a).value().epoch == 1);
  CHECK(take<opening>(b).value().next_seq == 1);
  CHECK(take<opening>(c).value().epoch == 1);
  CHECK(disk->commits() == 1);
}

TEST_CASE_METHOD(journal_bench, "a partition opened twice at once is the second opener's") {
  start();
  auto a = self->request(handle, caf::infinite, open_atom_v, uint32_t{0});
  auto b = self->request(handle, caf::infinite, open_atom_v, uint32_t{0});
  settle();
  CHECK(take<opening>(a).value().epoch == 1);
  CHECK(take<opening>(b).value().epoch == 2);
  CHECK(code_of(append(0, 1, {poll_of("a")})) == errc::fenced);
  CHECK(append(0, 2, {poll_of("a")}).value() == 1);
}

TEST_CASE_METHOD(journal_bench, "what arrives together goes into one commit") {
  start();
  const auto e0 = opened(0);
  const auto e1 = opened(1);
  const auto before = disk->commits();
  std::vector<decltype(append_later(0, 0, {}))> asked;
  for (int i = 0; i < 20; ++i)
    asked.push_back(i % 2 ? append_later(1, e1, {poll_of("b", i), poll_of("b2", i)})
                          : append_later(0, e0, {poll_of("a" + std::to_string(i))}));
  auto report = std::make_shared<stored_report>();
  report->status.id = "r";
  auto put = self->request(handle, caf::infinite, put_atom_v, std::shared_ptr<const stored_report>(report));
  auto value = self->request(handle, caf::infinite, put_atom_v, std::string("seed"), std::string("17"));
  settle();
  for (int i = 0; i < 20; ++i)
    CHECK(take<uint64_t>(asked[i]).value() == (i % 2 ? uint64_t(i + 1) : uint64_t(i / 2 + 1)));
  CHECK(take<bool>(put).value());
  CHECK(take<bool>(value).value());
  CHECK(disk->commits() == before + 1);
  CHECK(replay(0, e0).value().entries.size() == 10);
  CHECK(replay(1, e1).value().entries.size() == 20);
  CHECK(health().records == 30);
}

TEST_CASE_METHOD(journal_bench,
                 "a commit takes no more once its bytes are exceeded, and the rest follows in order") {
  options.commit_bytes_max = 0; // the first change of a commit exceeds it
  start();
  const auto epoch = opened(0);
  const auto before = disk->commits();
  std::vector<decltype(append_later(0, 0, {}))> asked;
  for (int i = 0; i < 5; ++i)
    asked.push_back(append_later(0, epoch, {poll_of("a", i)}));
  settle();
  for (int i = 0; i < 5; ++i)
    CHECK(take<uint64_t>(asked[i]).value() == uint64_t(i + 1));
  CHECK(disk->commits() == before + 5);
}

TEST_CASE_METHOD(journal_bench,
                 "a replay gives what was appended, in slices of any size, also after a restart") {
  const auto slice = GENERATE(size_t{1}, size_t{700}, size_t{1} << 20);
  options.slice_bytes_max = slice;
  start();
  test::random_entries random(slice);
  std::vector<std::vector<journal_entry>> written(3);
  std::vector<uint64_t> epochs{opened(0), opened(1), opened(2)};
  for (int i = 0; i < 60; ++i) {
    const auto p = static_cast<uint32_t>(random.below(3));
    std::vector<journal_entry> entries;
    for (size_t n = 1 + random.below(4); n > 0; --n)
      entries.push_back(random.next());
    written[p].insert(written[p].end(), entries.begin(), entries.end());
    CHECK(append(p, epochs[p], entries).value() == written[p].size());
  }
  for (const bool restarted : {false, true}) {
    if (restarted)
      start();
    for (uint32_t p = 0; p < 3; ++p) {
      if (restarted)
        epochs[p] = opened(p);
      const auto told = replay(p, epochs[p]).value();
      CHECK(told.damage == "");
      CHECK(told.entries == canonical_all(written[p]));
      CHECK(told.through == written[p].size());
      CHECK((slice > 1 || told.slices == written[p].size()));
    }
  }
}

TEST_CASE_METHOD(journal_bench, "on SQLite, too, a replay gives what was appended and kept in snapshots") {
  test::scratch_directory directory;
  open_storage = [&] { return journal::open_sqlite({directory.path().string()}).value(); };
  options.free_min = 0; // whatever the machine's disk is like
  options.slice_bytes_max = 700;
  start();
  test::random_entries random(17);
  std::vector<journal_entry> written;
  auto epoch = opened(0);
  const auto write = [&](size_t count) {
    for (size_t i = 0; i < count; ++i) {
      written.push_back(random.next());
      CHECK(append(0, epoch, {written.back()}).value() == written.size());
    }
  };
  write(100);
  const auto held = test::polls({"store-1", "store-2"}, journal_day, 40);
  const auto chunk = std::make_shared<const update>(held);
  CHECK(snapshot({0, epoch, 60, 80, 7, {{19377, chunk}}}).value());
  now = journal_day + options.retention + 24h;
  CHECK(snapshot({0, epoch, 90, 80, 9, {{19377, nullptr}}}).value());
  write(20);
  for (const bool restarted : {false, true}) {
    if (restarted) {
      start();
      epoch = opened(0);
    }
    const auto told = replay(0, epoch).value();
    CHECK(told.damage == "");
    CHECK(told.hash == 9);
    CHECK(told.from_snapshot == 1);
    auto expected = canonical_all({written.begin() + 90, written.end()});
    expected.insert(expected.begin(), test::canonical({held, {}, {}}));
    CHECK(told.entries == expected);
  }
  end(caf::exit_reason::user_shutdown); // before its directory goes
}

TEST_CASE_METHOD(journal_bench, "an empty partition has an empty past") {
  start();
  const auto told = replay(3, opened(3)).value();
  CHECK(told.entries.empty());
  CHECK(told.slices == 1);
  CHECK(told.damage == "");
}

TEST_CASE_METHOD(journal_bench, "nothing is answered before its commit, and a failed one leaves no trace") {
  start();
  const auto epoch = opened(0);
  CHECK(append(0, epoch, {poll_of("a")}).value() == 1);
  disk->fail_next(errc::disk_full);
  auto lost = append_later(0, epoch, {poll_of("b"), poll_of("c")});
  auto lost_too = append_later(0, epoch, {poll_of("d")});
  settle();
  CHECK(code_of(take<uint64_t>(lost)) == errc::disk_full);
  CHECK(code_of(take<uint64_t>(lost_too)) == errc::disk_full);
  CHECK(health().failure != "");
  // Stores first named by what failed are named again, and the chain goes on where it was.
  CHECK(append(0, epoch, {poll_of("c"), poll_of("e")}).value() == 3);
  CHECK(health().failure == "");
  start();
  const auto told = replay(0, opened(0)).value();
  CHECK(told.damage == "");
  CHECK(told.entries == canonical_all({poll_of("a"), poll_of("c"), poll_of("e")}));
}

TEST_CASE_METHOD(journal_bench, "an owner that was replaced is fenced without asking the disk") {
  start();
  const auto old = opened(0);
  const auto now_valid = opened(0);
  CHECK(now_valid == old + 1);
  const auto before = disk->commits();
  CHECK(code_of(append(0, old, {poll_of("a")})) == errc::fenced);
  CHECK(code_of(replay(0, old)) == errc::fenced);
  CHECK(code_of(snapshot({0, old, 0, 0, 0, {}})) == errc::fenced);
  CHECK(disk->commits() == before);
  CHECK(append(0, now_valid, {poll_of("b")}).value() == 1);
  CHECK(replay(0, now_valid).value().entries == canonical_all({poll_of("b")}));
}

TEST_CASE_METHOD(journal_bench, "an append that waits behind a takeover is fenced") {
  start();
  const auto old = opened(0);
  auto before = append_later(0, old, {poll_of("a")});
  auto taken = self->request(handle, caf::infinite, open_atom_v, uint32_t{0});
  auto after = append_later(0, old, {poll_of("b")});
  settle();
  CHECK(take<uint64_t>(before).value() == 1);
  CHECK(take<opening>(taken).value().next_seq == 2);
  CHECK(code_of(take<uint64_t>(after)) == errc::fenced);
  CHECK(replay(0, old + 1).value().entries == canonical_all({poll_of("a")}));
}

TEST_CASE_METHOD(journal_bench, "an owner replaced behind the journal's back is fenced by the disk") {
  start();
  const auto epoch = opened(0);
  disk->edit([](journal::memory_tables& t) { ++t.partitions.at(0).owner.epoch; });
  CHECK(code_of(append(0, epoch, {poll_of("a")})) == errc::fenced);
  CHECK(code_of(append(0, epoch, {poll_of("a")})) == errc::fenced);
  const auto again = opened(0);
  CHECK(again == epoch + 2);
  CHECK(append(0, again, {poll_of("a")}).value() == 1);
}

TEST_CASE_METHOD(journal_bench, "a partition that was not opened, or does not exist, takes nothing") {
  start();
  CHECK(code_of(append(1, 1, {poll_of("a")})) == errc::fenced);
  CHECK(code_of(append(4, 1, {poll_of("a")})) == errc::invalid_argument);
  CHECK(code_of(open(4)) == errc::invalid_argument);
  CHECK(code_of(replay(4, 1)) == errc::invalid_argument);
  CHECK(code_of(append(0, opened(0), {})) == errc::invalid_argument);
}

TEST_CASE_METHOD(journal_bench, "what is queued when the journal is stopped is made durable first") {
  start();
  const auto epoch = opened(0);
  auto asked = append_later(0, epoch, {poll_of("a")});
  REQUIRE(scheduler.try_run_once()); // it is queued
  end(caf::exit_reason::user_shutdown);
  CHECK(take<uint64_t>(asked).value() == 1);
  start();
  CHECK(replay(0, opened(0)).value().entries.size() == 1);
}

TEST_CASE_METHOD(journal_bench, "below the room to be kept free nothing is added, but partitions open") {
  options.free_min = 1000;
  start();
  const auto epoch = opened(0);
  disk->set_bytes_free(999);
  const auto before = disk->commits();
  CHECK(code_of(append(0, epoch, {poll_of("a")})) == errc::disk_full);
  CHECK(disk->commits() == before);
  CHECK(health().failure != "");
  CHECK(health().bytes_free == 999);
  CHECK(open(1).value().epoch == 1);
  disk->set_bytes_free(1000);
  CHECK(health().failure == "");
  CHECK(append(0, epoch, {poll_of("b")}).value() == 1);
  CHECK(replay(0, epoch).value().entries == canonical_all({poll_of("b")}));
}

TEST_CASE_METHOD(journal_bench,
                 "storage that fails is healed at once if it can be, and nothing of the commit is kept") {
  start();
  const auto epoch = opened(0);
  CHECK(append(0, epoch, {poll_of("a")}).value() == 1);
  disk->fail_next(errc::storage_failing);
  CHECK(code_of(append(0, epoch, {poll_of("b")})) == errc::storage_failing);
  CHECK(health().failure == "");
  CHECK(health().heals == 1);
  CHECK(append(0, epoch, {poll_of("c")}).value() == 2);
  CHECK(replay(0, epoch).value().entries == canonical_all({poll_of("a"), poll_of("c")}));
}

TEST_CASE_METHOD(
    journal_bench,
    "while storage fails all changes are refused, and it is healed when a later attempt succeeds") {
  start();
  const auto epoch = opened(0);
  disk->fail_heals(2);
  disk->fail_next(errc::storage_failing);
  CHECK(code_of(append(0, epoch, {poll_of("a")})) == errc::storage_failing);
  for (int attempt = 0; attempt < 2; ++attempt) {
    CHECK(health().failure != "");
    CHECK(health().heals == 0);
    CHECK(code_of(append(0, epoch, {poll_of("b")})) == errc::storage_failing);
    CHECK(code_of(open(1)) == errc::storage_failing);
    CHECK(code_of(ask<bool>(handle, put_atom_v, std::string("k"), std::string("v"))) ==
          errc::storage_failing);
    advance(options.heal_pause);
  }
  CHECK(health().failure == "");
  CHECK(health().heals == 1);
  CHECK(append(0, epoch, {poll_of("c")}).value() == 1);
  CHECK(open(1).value().epoch == 1);
}

TEST_CASE_METHOD(journal_bench,
                 "an owner has to open again when healed storage holds what it was told is not kept") {
  start();
  const auto epoch = opened(0);
  disk->fail_heals(1);
  disk->fail_next(errc::storage_failing, journal::memory_disk::fate::undecided);
  CHECK(code_of(append(0, epoch, {poll_of("a")})) == errc::storage_failing);
  disk->crash(); // now it is there
  advance(options.heal_pause);
  CHECK(health().heals == 1);
  CHECK(code_of(append(0, epoch, {poll_of("b")})) == errc::fenced);
  const auto again = opened(0);
  const auto told = replay(0, again).value();
  CHECK(told.damage == "");
  CHECK(told.entries == canonical_all({poll_of("a")}));
  CHECK(append(0, again, {poll_of("b")}).value() == 2);
}

TEST_CASE_METHOD(journal_bench, "a read that fails is an error and no damage") {
  start();
  const auto epoch = opened(0);
  CHECK(append(0, epoch, {poll_of("a")}).value() == 1);
  disk->fail_reads(errc::io_failed);
  CHECK(code_of(replay(0, epoch)) == errc::io_failed);
  CHECK(code_of(open(0)) == errc::io_failed);
  CHECK(code_of(ask<std::string>(handle, get_atom_v, std::string("k"))) == errc::io_failed);
  disk->fail_reads(errc::ok);
  CHECK(replay(0, epoch).value().damage == "");
  CHECK(append(0, epoch, {poll_of("b")}).value() == 2);
}

TEST_CASE_METHOD(journal_bench,
                 "values are kept, the last one of a name, and there is an empty one of any other") {
  start();
  CHECK(ask<std::string>(handle, get_atom_v, std::string("seed")).value() == "");
  CHECK(ask<bool>(handle, put_atom_v, std::string("seed"), std::string("1")).value());
  CHECK(ask<bool>(handle, put_atom_v, std::string("seed"), std::string("2")).value());
  start();
  CHECK(ask<std::string>(handle, get_atom_v, std::string("seed")).value() == "2");
}

TEST_CASE_METHOD(journal_bench, "reports are kept without their bytes in the list, and go when dropped") {
  using reports_ptr = std::shared_ptr<const std::vector<stored_report>>;
  using bytes_ptr = std::shared_ptr<const std::string>;
  start();
  for (const std::string id : {"b", "a"}) {
    stored_report r;
    r.status.id = id;
    r.status.created = journal_day + (id == "a" ? 1h : 0h);
    r.bytes = std::make_shared<const std::string>("csv of " + id);
    CHECK(ask<bool>(handle, put_atom_v, std::make_shared<const stored_report>(r)).value());
  }
  start();
  const auto all = ask<reports_ptr>(handle, reports_atom_v).value();
  REQUIRE(all->size() == 2);
  CHECK(all->front().status.id == "b");
  CHECK(all->front().bytes == nullptr);
  CHECK(*ask<bytes_ptr>(handle, reports_atom_v, std::string("a")).value() == "csv of a");
  CHECK(code_of(ask<bytes_ptr>(handle, reports_atom_v, std::string("x"))) == errc::not_found);
  CHECK(ask<bool>(handle, drop_atom_v, std::vector<std::string>{"a", "x"}).value());
  CHECK(code_of(ask<bytes_ptr>(handle, reports_atom_v, std::string("a"))) == errc::not_found);
  CHECK(ask<reports_ptr>(handle, reports_atom_v).value()->size() == 1);
}

TEST_CASE_METHOD(journal_bench,
                 "a backup gets its name once it is verified, and never takes another file's") {
  test::scratch_directory directory;
  errc verdict = errc::damaged;
  std::vector<std::string> verified;
  options.verify_copy = [&](const std::string& copy) -> result<void> {
    verified.push_back(copy);
    std::ofstream(copy) << "the copy"; // a disk in memory makes no files
    if (verdict != errc::ok)
      return error{verdict, "the copy is bad"};
    return {};
  };
  start();
  const auto backup = [&](const std::string& name) {
    return code_of(ask<bool>(handle, backup_atom_v, (directory.path() / name).string()));
  };
  CHECK(backup("bad.db") == errc::damaged);
  CHECK(std::filesystem::is_empty(directory.path()));
  verdict = errc::ok;
  directory.write("good.db.part", "what an attempt that was cut short left");
  CHECK(backup("good.db") == errc::ok);
  CHECK(verified.back() == (directory.path() / "good.db.part").string());
  CHECK(disk->copy(verified.back()));
  CHECK(test::read_file(directory.path() / "good.db") == "the copy");
  CHECK_FALSE(std::filesystem::exists(directory.path() / "good.db.part"));
  directory.write("other.db", "another");
  CHECK(backup("other.db") == errc::invalid_argument);
  CHECK(test::read_file(directory.path() / "other.db") == "another");
  CHECK(verified.size() == 2);
}

namespace {

/// A journal with a record, whose backups end up as files.
class backup_bench : public journal_bench {
public:
  backup_bench() {
    options.verify_copy = [](const std::string& copy) -> result<void> {
      std::ofstream(copy) << "the copy"; // a disk in memory makes no files
      return {};
    };
    start();
    epoch = opened(0);
    REQUIRE(append(0, epoch, {poll_of("a")}).value() == 1);
  }

  auto backup_later(const std::string& name) {
    return self->request(handle, caf::infinite, backup_atom_v, path(name));
  }

  std::string path(const std::string& name) const { return (directory.path() / name).string(); }

  test::scratch_directory directory;
  uint64_t epoch = 0;
};

} // namespace

TEST_CASE_METHOD(backup_bench, "changes are made durable while a backup is copied, and are in it") {
  auto backup = backup_later("b.db");
  auto added = append_later(0, epoch, {poll_of("b")});
  settle();
  CHECK(take<uint64_t>(added).value() == 2);
  CHECK(take<bool>(backup).value());
  const auto copy = disk->copy(path("b.db.part"));
  REQUIRE(copy);
  CHECK(journal::memory_backend(copy).read_records(0, 0, SIZE_MAX)->size() == 2);
}

TEST_CASE_METHOD(backup_bench, "one backup is copied at a time") {
  auto first = backup_later("a.db");
  auto second = backup_later("b.db");
  settle();
  CHECK(take<bool>(first).value());
  CHECK(code_of(take<bool>(second)) == errc::busy);
  CHECK(ask<bool>(handle, backup_atom_v, path("b.db")).value());
}

TEST_CASE_METHOD(backup_bench, "a backup ends with the journal that copies it, or fails") {
  SECTION("that is stopped") {
    auto backup = backup_later("b.db");
    REQUIRE(scheduler.try_run_once());
    end(caf::exit_reason::user_shutdown);
    CHECK(code_of(take<bool>(backup)) == errc::shutting_down);
  }
  SECTION("that cannot read") {
    auto backup = backup_later("b.db");
    REQUIRE(scheduler.try_run_once());
    disk->fail_reads(errc::io_failed);
    settle();
    CHECK(code_of(take<bool>(backup)) == errc::io_failed);
    disk->fail_reads(errc::ok);
    CHECK(ask<bool>(handle, backup_atom_v, path("b.db")).value());
  }
  SECTION("that cannot write, and heals") {
    disk->fail_next(errc::storage_failing);
    auto added = append_later(0, epoch, {poll_of("b")});
    auto backup = backup_later("b.db");
    settle();
    CHECK(code_of(take<uint64_t>(added)) == errc::storage_failing);
    CHECK(code_of(take<bool>(backup)) == errc::storage_failing);
    advance(options.heal_pause);
    CHECK(ask<bool>(handle, backup_atom_v, path("b.db")).value());
  }
  CHECK_FALSE(std::filesystem::exists(path("b.db.part")));
}
