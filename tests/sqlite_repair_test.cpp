/// A record that is given up: what it leaves behind is a partition as sound as any, without what it held.
#include "storemon/journal/sqlite_repair.hpp"

#include "support/backend_sites.hpp"
#include "support/ledger.hpp"

#include <catch2/catch.hpp>

namespace {

using namespace storemon;
using namespace storemon::journal;
using namespace storemon::test;

/// Partition 1 has records 1 to 12 and a snapshot through the eighth, partition 0 has three.
class damaged_site {
public:
  explicit damaged_site(const char* sql) {
    const auto b = site_.open();
    owner_double owner(9);
    b->commit(std::vector<operation>{owner.take(*b, 0), owner.take(*b, 1)}).value();
    b->commit(std::vector<operation>{owner.next_append(1, 8), owner.next_append(0, 3)}).value();
    b->commit(std::vector<operation>{owner.next_snapshot(1, {1, 2})}).value();
    b->commit(std::vector<operation>{owner.next_append(1, 4)}).value();
    before_ = *b->read_records(1, 1, SIZE_MAX);
    REQUIRE(verify(*b, 2)->all_damage().empty());
    path_ = site_.directory() + "/store-1.db";
    sql_ = sql;
  }

  /// With the damage done; nobody has it open.
  void harm() { run_sql(path_, sql_); }

  sqlite_options where() const { return {site_.directory()}; }

  std::unique_ptr<backend> open() { return site_.open(); }

  const std::string& file() const noexcept { return path_; }

  /// The records of partition 1 before the damage.
  const std::vector<record>& before() const noexcept { return before_; }

private:
  sqlite_site site_;
  std::string path_;
  const char* sql_;
  std::vector<record> before_;
};

int64_t quarantined(const std::string& file) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &db) == SQLITE_OK);
  sqlite3_stmt* statement = nullptr;
  REQUIRE(sqlite3_prepare_v2(db, "SELECT count(*) FROM journal_quarantine", -1, &statement, nullptr) ==
          SQLITE_OK);
  REQUIRE(sqlite3_step(statement) == SQLITE_ROW);
  const auto count = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return count;
}

} // namespace

TEST_CASE("a damaged record is given up, and all others stay") {
  struct damage {
    const char* sql;
    uint64_t seq;
    const char* why;
    int64_t kept;
  };

  const auto d = GENERATE(
      damage{"UPDATE journal SET payload = payload || 'x' WHERE partition_id = 1 AND seq = 1", 1, "CRC", 1},
      damage{"UPDATE journal SET crc = crc + 1 WHERE partition_id = 1 AND seq = 5", 5, "CRC", 1},
      damage{"UPDATE journal SET epoch = 7 WHERE partition_id = 1 AND seq = 8", 8, "CRC", 1},
      damage{"DELETE FROM journal WHERE partition_id = 1 AND seq = 10", 10, "missing", 0},
      damage{"UPDATE journal SET payload = 'x' WHERE partition_id = 1 AND seq = 12", 12, "CRC", 1},
      damage{"DELETE FROM journal WHERE partition_id = 1 AND seq = 12", 12, "missing", 0});
  INFO(d.sql);
  damaged_site site(d.sql);
  site.harm();
  REQUIRE_FALSE(verify(*site.open(), 2)->all_damage().empty());
  const auto why = accept_loss(site.where(), 1, d.seq);
  REQUIRE(why);
  CHECK(why->find(d.why) != std::string::npos);
  CHECK(quarantined(site.file()) == d.kept);
  const auto b = site.open();
  CHECK(verify(*b, 2)->all_damage() == std::vector<std::string>{});
  const auto after = *b->read_records(1, 1, SIZE_MAX);
  REQUIRE(after.size() == 12);
  for (size_t i = 0; i < after.size(); ++i) {
    CHECK(after[i].seq == i + 1);
    if (i + 1 == d.seq)
      CHECK(after[i].count == 0);
    else
      CHECK(after[i].payload == site.before()[i].payload);
  }
  // It may be written to again.
  owner_double next(10);
  b->commit(std::vector<operation>{next.take(*b, 1)}).value();
  CHECK(b->commit(std::vector<operation>{next.next_append(1, 2)}).value() == std::vector<errc>{errc::ok});
  CHECK(verify(*b, 2)->all_damage() == std::vector<std::string>{});
  CHECK(accept_loss(site.where(), 1, d.seq).error().code == errc::busy);
}

TEST_CASE("nothing sound is given up, and nothing half") {
  damaged_site site("UPDATE journal SET crc = crc + 1 WHERE partition_id = 1 AND seq IN (4, 6)");
  site.harm();
  const auto refused = [&](uint32_t partition, uint64_t seq, errc code, const std::string& why) {
    const auto done = accept_loss(site.where(), partition, seq);
    REQUIRE_FALSE(done);
    CHECK(done.error().code == code);
    CHECK_THAT(done.error().detail, Catch::Contains(why));
  };
  refused(1, 3, errc::invalid_argument, "record 3 of partition 1 is sound");
  refused(1, 13, errc::invalid_argument, "was never written");
  refused(1, 0, errc::invalid_argument, "was never written");
  refused(7, 1, errc::invalid_argument, "was never written");
  refused(1, 4, errc::damaged, "record 6 of partition 1, which follows");
  CHECK(quarantined(site.file()) == 0);
  REQUIRE(accept_loss(site.where(), 1, 6));
  REQUIRE(accept_loss(site.where(), 1, 4));
  CHECK(quarantined(site.file()) == 2);
  CHECK(verify(*site.open(), 2)->all_damage() == std::vector<std::string>{});
  scratch_directory empty;
  CHECK(accept_loss({empty.path().string()}, 1, 4).error().code == errc::invalid_argument);
}
