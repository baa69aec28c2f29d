/// Reads, writes and syncs that fail, and disks that are full: what was acknowledged stays, and work goes on.
/// Faults are taken away before it is looked at. STOREMON_FAULT_RUNS sets the number of runs.
#include "support/backend_sites.hpp"
#include "support/crash_vfs.hpp"
#include "support/ledger.hpp"
#include "support/small_disk.hpp"

#include <catch2/catch.hpp>

#include <fstream>

namespace {

using namespace storemon;
using namespace storemon::journal;
using namespace storemon::test;

constexpr int log_pages_max = 60;

struct tally {
  uint64_t acked = 0;
  uint64_t injected = 0;
  uint64_t surfaced = 0; ///< as failures of commits, reads or starts
  uint64_t heals = 0;
  uint64_t lost = 0;
};

/// Works on a disk on which calls fail at random, healing where it must, then looks without them.
void run_with_errors(uint64_t seed, crash_disk::faults faults, tally& sum) {
  scratch_directory scratch;
  const auto directory = (scratch.path() / "data").string();
  crash_disk disk(seed);
  ledger book(seed);
  auto b = must_open(directory, disk.name(), log_pages_max);
  REQUIRE(book.begin(*b));
  for (int i = 0; i < 30; ++i) {
    disk.set_faults(faults);
    if (i % 5 == 4) { // nothing is cached at a start
      b.reset();
      auto opened = open_sqlite({directory, disk.name(), log_pages_max});
      disk.set_faults({});
      sum.surfaced += opened ? 0 : 1;
      b = opened ? std::move(*opened) : must_open(directory, disk.name(), log_pages_max);
      REQUIRE(book.begin(*b));
      disk.set_faults(faults);
    }
    const auto outcome = book.step(*b);
    const bool healed = outcome != errc::storage_failing || b->heal().has_value();
    disk.set_faults({}); // the ledger itself reads without
    if (outcome == errc::ok)
      continue;
    ++sum.surfaced;
    INFO(to_string(outcome));
    REQUIRE((outcome == errc::storage_failing || outcome == errc::damaged || outcome == errc::internal));
    if (outcome == errc::storage_failing && !healed) {
      CHECK(book.step(*b) == errc::storage_failing);
      CHECK(b->heal());
    }
    sum.heals += outcome == errc::storage_failing ? 1 : 0;
    book.reload(*b);
  }
  sum.injected += disk.faults_injected();
  sum.acked += book.acked();
  b.reset();
  b = must_open(directory, disk.name());
  sum.lost += book.missing(*b).empty() ? 0 : 1;
}

void print(const char* name, const tally& f) {
  std::printf(
      "%s: %llu commits acknowledged, %llu faults injected, %llu surfaced, %llu heals, %llu runs lost "
      "something\n",
      name, static_cast<unsigned long long>(f.acked), static_cast<unsigned long long>(f.injected),
      static_cast<unsigned long long>(f.surfaced), static_cast<unsigned long long>(f.heals),
      static_cast<unsigned long long>(f.lost));
}

/// Fills a place until a commit finds it full, makes room, and goes on with the same backend.
template <class MakeRoom>
void run_full(backend& b, ledger& book, MakeRoom make_room, tally& sum) {
  REQUIRE(book.begin(b));
  errc outcome = errc::ok;
  for (int i = 0; i < 5000 && outcome == errc::ok; ++i)
    outcome = book.step(b);
  CHECK(outcome == errc::disk_full);
  ++sum.surfaced;
  book.reload(b);
  CHECK(book.missing(b) == std::vector<std::string>{}); // it can be read while it is full
  make_room();
  for (int i = 0; i < 100; ++i) {
    const auto again = book.step(b);
    CHECK(again == errc::ok);
  }
  sum.lost += book.missing(b).empty() ? 0 : 1;
  sum.acked += book.acked();
}

} // namespace

TEST_CASE("what was acknowledged survives reads, writes and syncs that fail") {
  const auto runs = fault_runs(20);
  for (const auto& [name, faults] : std::vector<std::pair<const char*, crash_disk::faults>>{
           {"failing writes", {0, 15, 0}}, {"failing syncs", {60, 0, 0}}, {"failing reads", {0, 0, 15}}}) {
    tally sum;
    for (uint64_t seed = 1; seed <= runs; ++seed)
      run_with_errors(seed, faults, sum);
    print(name, sum);
    CHECK(sum.lost == 0);
    CHECK(sum.surfaced > 0);
    CHECK(sum.injected >= sum.surfaced);
    CHECK(sum.acked > runs * 10);
  }
}

TEST_CASE("reads that fail are errors, and succeed later") {
  scratch_directory scratch;
  const auto directory = (scratch.path() / "data").string();
  crash_disk disk(1);
  ledger book(1);
  {
    const auto b = must_open(directory, disk.name());
    REQUIRE(book.begin(*b));
    for (int i = 0; i < 300; ++i)
      REQUIRE(book.step(*b) == errc::ok);
  }
  const auto b = must_open(directory, disk.name());
  disk.set_faults({0, 0, 1000});
  const auto names = b->store_names(0); // pages that nothing has read yet
  REQUIRE_FALSE(names);
  CHECK(names.error().code == errc::io_failed);
  disk.set_faults({});
  CHECK(b->store_names(0)->size() > 10);
  CHECK(b->read_records(0, 0, SIZE_MAX)->size() > 10);
  CHECK(book.missing(*b) == std::vector<std::string>{});
}

TEST_CASE("a process that ends while writes fail leaves a mark, and the next one copies before it serves") {
  scratch_directory scratch;
  const auto directory = (scratch.path() / "data").string();
  crash_disk disk(2);
  ledger book(2);
  auto b = must_open(directory, disk.name());
  REQUIRE(book.begin(*b));
  disk.set_faults({1000, 0, 0});
  REQUIRE(book.step(*b) == errc::storage_failing);
  CHECK(std::filesystem::exists(directory + "/io_failed"));
  CHECK_FALSE(b->heal()); // it still fails
  b.reset();
  CHECK(open_sqlite({directory, disk.name()}).error().code == errc::storage_failing);
  CHECK(std::filesystem::exists(directory + "/io_failed"));
  disk.set_faults({});
  b = must_open(directory, disk.name());
  CHECK_FALSE(std::filesystem::exists(directory + "/io_failed"));
  CHECK(read_file(directory + "/CURRENT") == "store-2.db\n");
  CHECK_FALSE(disk.exists(directory + "/store-1.db"));
  CHECK(disk.exists(directory + "/store-2.db"));
  CHECK(book.missing(*b) == std::vector<std::string>{});
}

TEST_CASE("a full disk refuses commits, keeps what it has, and goes on once there is room") {
  const auto runs = fault_runs(5);
  tally sum;
  for (uint64_t seed = 1; seed <= runs; ++seed) {
    scratch_directory scratch;
    crash_disk disk(seed);
    const auto directory = (scratch.path() / "data").string();
    auto b = must_open(directory, disk.name(), log_pages_max);
    ledger book(seed);
    disk.set_room(1'000'000);
    run_full(
        *b, book, [&] { disk.set_room(1 << 30); }, sum);
    CHECK_FALSE(std::filesystem::exists(directory + "/io_failed"));
    b.reset();
    CHECK(book.missing(*must_open(directory, disk.name())) == std::vector<std::string>{});
  }
  print("full disk", sum);
  CHECK(sum.lost == 0);
}

TEST_CASE("so does a full file system") {
  const small_disk disk;
  if (!disk.mounted())
    return;
  const auto& mounted = disk.path();
  tally sum;
  {
    const auto ballast = mounted / "ballast";
    std::ofstream(ballast) << std::string(14 << 20, 'b');
    const auto b = must_open((mounted / "data").string(), {}, log_pages_max);
    ledger book(3);
    run_full(
        *b, book, [&] { std::filesystem::remove(ballast); }, sum);
    CHECK(b->bytes_free() < 16 << 20);
  }
  print("full tmpfs", sum);
  CHECK(sum.lost == 0);
}

TEST_CASE("what is held in reserve is given up on a full disk, and taken again when there is room") {
  const small_disk disk;
  if (!disk.mounted())
    return;
  sqlite_options options{(disk.path() / "data").string()};
  options.reserve_bytes = 2 << 20;
  const auto reserve = disk.path() / "data" / "reserve";
  const auto b = open_sqlite(options).value();
  CHECK(std::filesystem::file_size(reserve) == options.reserve_bytes);
  const auto ballast = disk.path() / "ballast";
  std::ofstream(ballast) << std::string(b->bytes_free(), 'b');
  const auto put = [&] {
    const auto done = b->commit(std::vector<operation>{put_value{"v", std::string(300'000, 'v')}});
    return done ? errc::ok : done.error().code;
  };
  CHECK(put() == errc::disk_full);
  CHECK_FALSE(std::filesystem::exists(reserve));
  CHECK(put() == errc::ok); // of what was given up
  CHECK_FALSE(std::filesystem::exists(reserve));
  std::filesystem::remove(ballast);
  CHECK(put() == errc::ok);
  CHECK(std::filesystem::file_size(reserve) == options.reserve_bytes);
}
