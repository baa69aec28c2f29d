/// What only the SQLite backend promises, beyond the contract of all: its directory, versions, and healing on
/// a real file system.
#include "support/backend_sites.hpp"
#include "support/journal_state.hpp"
#include "support/ledger.hpp"
#include "support/small_disk.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <sys/stat.h>

namespace {

using namespace storemon;
using namespace storemon::journal;
using namespace storemon::test;

constexpr size_t all_bytes = SIZE_MAX;

mode_t mode_of(const std::filesystem::path& path) {
  struct stat s {};

  REQUIRE(::stat(path.c_str(), &s) == 0);
  return s.st_mode & 0777;
}

} // namespace

TEST_CASE("a directory is one process's alone") {
  sqlite_site site;
  const auto b = site.open();
  const auto second = open_sqlite({site.directory()});
  REQUIRE_FALSE(second);
  CHECK(second.error().code == errc::busy);
  CHECK(second.error().detail.find("in use") != std::string::npos);
}

TEST_CASE("a file that another program has open is in use") {
  sqlite_site site;
  site.open().reset();
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open((site.directory() + "/store-1.db").c_str(), &db) == SQLITE_OK);
  REQUIRE(sqlite3_exec(db, "BEGIN; SELECT * FROM meta", nullptr, nullptr, nullptr) == SQLITE_OK);
  const auto b = open_sqlite({site.directory()});
  REQUIRE_FALSE(b);
  CHECK(b.error().code == errc::busy);
  CHECK(b.error().detail.find("in use") != std::string::npos);
  sqlite3_close(db);
}

TEST_CASE("what is written is for its owner alone, whatever the umask") {
  sqlite_site site;
  const auto before = ::umask(0);
  {
    const auto b = site.open();
    b->commit(std::vector<operation>{put_value{"a", "b"}}).value();
    CHECK(mode_of(site.directory()) == 0700);
    REQUIRE(copy_all(**b->begin_copy(site.copy_path())));
    size_t files = 0;
    for (const auto& f : std::filesystem::directory_iterator(site.directory())) {
      INFO(f.path());
      CHECK(mode_of(f.path()) == 0600);
      ++files;
    }
    CHECK(files == 4); // CURRENT, LOCK, the file and its log
    CHECK(mode_of(site.copy_path()) == 0600);
  }
  ::umask(before);
}

TEST_CASE("a directory's name may hold anything") {
  scratch_directory scratch;
  const auto directory = (scratch.path() / "a b%20?mode=memory#&'x" / "deeper").string() + "/";
  must_open(directory)->commit(std::vector<operation>{put_value{"a", "b"}}).value();
  CHECK(*must_open(directory)->value("a") == "b");
  CHECK(std::filesystem::exists(directory + "store-1.db"));
}

TEST_CASE("tables of a newer version are refused, in words that say so") {
  sqlite_site site;
  const auto newer = std::string("99");
  site.open()->commit(std::vector<operation>{put_value{"schema_version", newer}}).value();
  const auto b = open_sqlite({site.directory()});
  REQUIRE_FALSE(b);
  CHECK(b.error().code == errc::invalid_argument);
  CHECK(b.error().detail.find("newer storemon") != std::string::npos);
  CHECK(b.error().detail.find("99") != std::string::npos);
}

TEST_CASE("each place has an incarnation of its own, which stays") {
  sqlite_site one;
  sqlite_site other;
  const auto incarnation = *one.open()->value("incarnation");
  CHECK(incarnation.size() == 32);
  CHECK(*one.open()->value("incarnation") == incarnation);
  CHECK(*other.open()->value("incarnation") != incarnation);
  CHECK(*one.open()->value("schema_version") == "2");
}

TEST_CASE("what is restored is other data, which no owner of the original can write to") {
  sqlite_site site;
  const auto b = site.open();
  owner_double owner(3);
  REQUIRE(b->commit(std::vector<operation>{owner.take(*b, 1)}));
  REQUIRE(b->commit(std::vector<operation>{owner.next_append(1, 2, 60)}));
  REQUIRE(copy_all(**b->begin_copy(site.copy_path())));
  const auto directory = site.directory() + "-restored";
  REQUIRE(restore_sqlite(site.copy_path(), directory));
  const auto restored = must_open(directory);
  CHECK(restored->owner(1)->epoch == b->owner(1)->epoch + 1'000'000);
  CHECK(restored->owner(1)->next_seq == b->owner(1)->next_seq);
  CHECK(restored->value("incarnation")->size() == 32);
  CHECK(*restored->value("incarnation") != *b->value("incarnation"));
  CHECK(restored->commit(std::vector<operation>{owner.next_append(1, 1, 60)}).value() ==
        std::vector<errc>{errc::fenced});
  CHECK(verify(*restored, 2)->all_damage() == std::vector<std::string>{});
}

TEST_CASE("what is altered behind our back is damaged") {
  sqlite_site site;
  const auto file = site.directory() + "/store-1.db";
  {
    const auto b = site.open();
    protocol::stored_report r;
    r.status.id = "r";
    r.bytes = std::make_shared<const std::string>("bytes");
    b->commit(std::vector<operation>{take_over{1, 0}, append{1, 1, {{0, "a"}, {1, "b"}}, {}},
                                     put_value{"v", "w"},
                                     put_report{std::make_shared<const protocol::stored_report>(r)}})
        .value();
  }
  SECTION("a name") {
    run_sql(file, "UPDATE store SET name = 'c' WHERE idx = 1");
    CHECK(site.open()->store_names(1).error().code == errc::damaged);
  }
  SECTION("a value") {
    run_sql(file, "UPDATE meta SET value = 'x' WHERE name = 'v'");
    CHECK(site.open()->value("v").error().code == errc::damaged);
  }
  SECTION("an owner, to whom nothing more is appended") {
    run_sql(file, "UPDATE partition_owner SET next_seq = 7");
    const auto b = site.open();
    CHECK(b->owner(1).error().code == errc::damaged);
    CHECK(b->commit(std::vector<operation>{append{1, 1, {}, {}}, take_over{1, 1}}).value() ==
          std::vector<errc>{errc::damaged, errc::damaged});
  }
  SECTION("an owner that is gone") {
    run_sql(file, "DELETE FROM partition_owner");
    CHECK(site.open()->owner(1).error().code == errc::damaged);
  }
  SECTION("a report") {
    run_sql(file, "UPDATE report SET stores_done = 3");
    CHECK(site.open()->reports()->front().status.failure.code == errc::damaged);
  }
  SECTION("a report's bytes") {
    run_sql(file, "UPDATE report SET bytes = 'bites'");
    CHECK(site.open()->report_bytes("r").error().code == errc::damaged);
  }
}

TEST_CASE("a marked directory is copied at the start, to the byte") {
  sqlite_site site;
  std::vector<std::string> before;
  {
    const auto b = site.open();
    ledger book(1);
    REQUIRE(book.begin(*b));
    for (int i = 0; i < 50; ++i)
      REQUIRE(book.step(*b) == errc::ok);
    before = state_of(*b, ledger::partitions, {"value", "incarnation"});
  }
  site.scratch.write("data/io_failed", "");
  site.scratch.write("data/store-2.db", "left by an attempt that was cut short");
  const auto b = site.open();
  CHECK(state_of(*b, ledger::partitions, {"value", "incarnation"}) == before);
  CHECK_THAT(read_file(site.directory() + "/CURRENT"), Catch::Matchers::StartsWith("store-2.db\nopen "));
  CHECK_FALSE(std::filesystem::exists(site.directory() + "/io_failed"));
  CHECK_FALSE(std::filesystem::exists(site.directory() + "/store-1.db"));
  CHECK(verify(*b, ledger::partitions)->all_damage().empty());
}

TEST_CASE("the log is moved into the file, so that neither grows without need") {
  sqlite_site site;
  const auto b = must_open(site.directory(), {}, 50);
  for (int i = 0; i < 400; ++i) {
    b->commit(std::vector<operation>{put_value{"v", std::string(4000, static_cast<char>('a' + i % 26))}})
        .value();
    b->tidy().value();
  }
  CHECK(std::filesystem::file_size(site.directory() + "/store-1.db-wal") < 100 * 4200);
}

TEST_CASE("a copy takes in what is committed between its steps, however small they are") {
  sqlite_site site;
  const auto b = must_open(site.directory(), {}, 20); // so that the log is moved meanwhile
  owner_double owner(5);
  b->commit(std::vector<operation>{owner.take(*b, 1)}).value();
  for (int i = 0; i < 50; ++i)
    b->commit(std::vector<operation>{owner.next_append(1, 5, 2000)}).value();
  int steps = 1;
  {
    const auto copy = b->begin_copy(site.copy_path()).value();
    for (; !copy->go_on(1).value(); ++steps) {
      b->commit(std::vector<operation>{owner.next_append(1, 1, 500)}).value();
      b->tidy().value();
      // One that fails is rolled back, and the copy must not keep it.
      auto stale = owner.next_append(1, 1, 500);
      owner.load(*b, 1);
      stale.epoch += 7;
      CHECK(b->commit(std::vector<operation>{stale}).value() == std::vector<errc>{errc::fenced});
    }
  }
  CHECK(steps > 100);
  const auto restored = site.open_copy(site.copy_path());
  CHECK(*restored->read_records(1, 0, all_bytes) == *b->read_records(1, 0, all_bytes));
  CHECK(verify(*restored, 2)->all_damage() == std::vector<std::string>{});
}

TEST_CASE("a copy that is given up leaves no file, and one that finds no room says so") {
  sqlite_site site;
  const auto b = site.open();
  owner_double owner(6);
  b->commit(std::vector<operation>{owner.take(*b, 1)}).value();
  for (int i = 0; i < 20; ++i)
    b->commit(std::vector<operation>{owner.next_append(1, 5, 20'000)}).value();
  const auto given_up = site.copy_path() + "-given-up";
  {
    const auto copy = b->begin_copy(given_up).value();
    CHECK_FALSE(copy->go_on(100'000).value());
    CHECK(std::filesystem::exists(given_up));
  }
  CHECK_FALSE(std::filesystem::exists(given_up));
  CHECK(b->begin_copy((site.scratch.path() / "nowhere" / "copy.db").string()).error().code ==
        errc::io_failed);
  const small_disk disk;
  if (!disk.mounted())
    return;
  std::ofstream(disk.path() / "ballast") << std::string(15 << 20, 'b');
  const auto full = (disk.path() / "copy.db").string();
  const auto done = copy_all(**b->begin_copy(full));
  REQUIRE_FALSE(done);
  CHECK(done.error().code == errc::disk_full);
  CHECK_FALSE(std::filesystem::exists(full));
  CHECK(b->commit(std::vector<operation>{owner.next_append(1, 1, 60)}).value() ==
        std::vector<errc>{errc::ok});
}

TEST_CASE("a walk counts what is there") {
  sqlite_site site;
  const auto b = site.open();
  owner_double owner(3);
  b->commit(std::vector<operation>{owner.take(*b, 0), owner.take(*b, 1)}).value();
  b->commit(std::vector<operation>{owner.next_append(0, 5)}).value();
  b->commit(std::vector<operation>{owner.next_snapshot(0, {1, 2})}).value();
  b->commit(std::vector<operation>{owner.next_append(0, 5)}).value();
  const auto found = verify(*b, 3);
  REQUIRE(found);
  CHECK(found->all_damage().empty());
  REQUIRE(found->partitions.size() == 3);
  CHECK(found->partitions[0].records == 10);
  int64_t rows = 2;
  for (const auto& r : *b->read_records(0, 6, all_bytes))
    rows += r.kind == 0 ? r.count : 0;
  CHECK(found->partitions[0].observations == rows);
  CHECK(found->partitions[1].records == 0);
}

TEST_CASE("a walk finds what is missing, and names the partition") {
  sqlite_site site;
  const auto file = site.directory() + "/store-1.db";
  {
    const auto b = site.open();
    owner_double owner(4);
    b->commit(std::vector<operation>{owner.take(*b, 0), owner.take(*b, 1)}).value();
    for (int i = 0; i < 3; ++i)
      b->commit(std::vector<operation>{owner.next_append(1, 4), owner.next_snapshot(1, {i, 7})}).value();
    b->commit(std::vector<operation>{owner.next_append(1, 4)}).value();
    REQUIRE(verify(*b, 2)->all_damage().empty());
  }
  const auto* sql =
      GENERATE("DELETE FROM journal WHERE seq = 16", "DELETE FROM journal WHERE seq = 14",
               "DELETE FROM journal WHERE seq <= 9", "DELETE FROM journal",
               "UPDATE journal SET payload = payload || 'x' WHERE seq = 3",
               "UPDATE journal SET epoch = 2 WHERE seq = 3", "DELETE FROM snapshot_chunk WHERE number = 2",
               "UPDATE snapshot_chunk SET payload = 'x' WHERE number = 2",
               "UPDATE snapshot SET state_hash = 1 WHERE generation = 3", "DELETE FROM store WHERE idx = 0");
  run_sql(file, sql);
  INFO(sql);
  const auto found = verify(*site.open(), 2);
  REQUIRE(found);
  CHECK(found->partitions[0].damage.empty());
  REQUIRE_FALSE(found->partitions[1].damage.empty());
  CHECK(found->partitions[1].damage.front().find("partition 1") != std::string::npos);
}
