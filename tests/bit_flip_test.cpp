/// Single bits of a closed file are flipped: each flip is seen by a check, or changes nothing that is read.
/// STOREMON_FAULT_RUNS sets the number of flips.
#include "support/backend_sites.hpp"
#include "support/journal_state.hpp"
#include "support/ledger.hpp"

#include <catch2/catch.hpp>

#include <fstream>

namespace {

using namespace storemon;
using namespace storemon::journal;
using namespace storemon::test;

const std::vector<std::string> value_names{"value", "n_partitions", "incarnation", "schema_version"};

/// Makes data of all sorts and closes it.
void fill(const std::string& directory) {
  const auto b = must_open(directory);
  ledger book(11);
  REQUIRE(book.begin(*b));
  for (int i = 0; i < 60; ++i)
    REQUIRE(book.step(*b) == errc::ok);
  protocol::stored_report report;
  report.status.id = "complete";
  report.status.state = protocol::report_state::complete;
  report.status.file_name = "store_report.csv";
  report.status.failure = {errc::ok, ""};
  report.bytes = std::make_shared<const std::string>(5000, 'b');
  REQUIRE(b->commit(std::vector<operation>{
      put_report{std::make_shared<const protocol::stored_report>(report)}, put_value{"n_partitions", "3"}}));
  CHECK(book.missing(*b) == std::vector<std::string>{});
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << bytes;
}

enum class outcome { caught_by_engine, caught_by_check, harmless, silent };

/// What comes of a directory whose file was altered.
outcome meet(const std::string& directory, const std::vector<std::string>& sound) {
  const auto b = open_sqlite({directory});
  if (!b)
    return outcome::caught_by_engine;
  const auto found = verify(**b, ledger::partitions);
  if (!found)
    return outcome::caught_by_engine;
  for (const auto& p : found->partitions)
    if (!p.damage.empty())
      return outcome::caught_by_check;
  if (!found->damage.empty())
    return outcome::caught_by_engine;
  const auto state = state_of(**b, ledger::partitions, value_names);
  if (state == sound)
    return outcome::harmless;
  return state.back().starts_with("failed") ? outcome::caught_by_check : outcome::silent;
}

} // namespace

TEST_CASE("no flipped bit goes unseen") {
  const auto flips = fault_runs(400);
  scratch_directory scratch;
  const auto directory = (scratch.path() / "data").string();
  fill(directory);
  const auto file = directory + "/store-1.db";
  const auto bytes = read_file(file);
  REQUIRE(bytes.size() > 50'000);
  REQUIRE_FALSE(std::filesystem::exists(file + "-wal"));
  const auto sound = state_of(*must_open(directory), ledger::partitions, value_names);
  REQUIRE_FALSE(sound.back().starts_with("failed"));
  random_source random(1, 6);
  std::map<outcome, uint64_t> counts;
  for (uint64_t i = 0; i < flips; ++i) {
    auto flipped = bytes;
    const auto at = random.below(bytes.size());
    const auto bit = random.below(8);
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
    write_file(file, flipped);
    for (const auto* suffix : {"-wal", "-journal"})
      std::filesystem::remove(file + suffix);
    const auto met = meet(directory, sound);
    ++counts[met];
    if (met == outcome::silent)
      UNSCOPED_INFO("bit " << bit << " of byte " << at << " was flipped, and nobody saw it");
  }
  std::printf(
      "bit flips: %llu flips, %llu caught by CRC or chain, %llu by the engine, %llu harmless, %llu silent\n",
      static_cast<unsigned long long>(flips),
      static_cast<unsigned long long>(counts[outcome::caught_by_check]),
      static_cast<unsigned long long>(counts[outcome::caught_by_engine]),
      static_cast<unsigned long long>(counts[outcome::harmless]),
      static_cast<unsigned long long>(counts[outcome::silent]));
  CHECK(counts[outcome::silent] == 0);
  CHECK(counts[outcome::caught_by_check] > flips / 4); // else hardly anything was hit
}

TEST_CASE("a flipped bit of CURRENT is seen") {
  scratch_directory scratch;
  const auto directory = (scratch.path() / "data").string();
  fill(directory);
  const auto bytes = read_file(directory + "/CURRENT");
  for (size_t at = 0; at < bytes.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      auto flipped = bytes;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      write_file(directory + "/CURRENT", flipped);
      const auto b = open_sqlite({directory});
      INFO(flipped);
      REQUIRE_FALSE(b);
      CHECK(b.error().code == errc::damaged);
    }
  std::filesystem::remove(directory + "/CURRENT");
  CHECK(open_sqlite({directory}).error().code == errc::damaged);
}

TEST_CASE("no flip in the log of a killed server is silent, and a log that is missing is missed") {
  const scratch_directory scratch;
  const auto inside = [&](const std::string& name) { return (scratch.path() / name).string(); };
  const auto killed = inside("killed");
  std::vector<std::string> sound;
  REQUIRE(must_open(inside("data"))->commit(std::vector<operation>{put_value{"n_partitions", "3"}}));
  {
    const auto b = must_open(inside("data"));
    ledger book(12);
    REQUIRE(book.begin(*b));
    for (int i = 0; i < 40; ++i)
      REQUIRE(book.step(*b) == errc::ok);
    std::filesystem::copy(inside("data"), killed); // what kill -9 leaves
    sound = state_of(*b, ledger::partitions, value_names);
  }
  const auto altered = [&] {
    const auto copy = inside("altered");
    std::filesystem::remove_all(copy);
    std::filesystem::copy(killed, copy);
    return copy;
  };
  CHECK(meet(altered(), sound) == outcome::harmless);
  const auto log = read_file(killed + "/store-1.db-wal");
  REQUIRE(log.size() > 100'000);
  random_source random(3, 1);
  const auto flips = fault_runs(60);
  int silent = 0;
  for (uint64_t i = 0; i < flips; ++i) {
    auto bytes = log;
    const auto at = i < 24 ? log.size() - 1 - i * 200 : random.below(log.size());
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
    const auto copy = altered();
    write_file(copy + "/store-1.db-wal", bytes);
    silent += meet(copy, sound) == outcome::silent;
  }
  CHECK(silent == 0);

  auto bytes = log;
  bytes[log.size() / 2] = static_cast<char>(bytes[log.size() / 2] ^ 1);
  const auto copy = altered();
  write_file(copy + "/store-1.db-wal", bytes);
  CHECK_THAT(open_sqlite({copy}).error().detail, Catch::Matchers::Contains("--accept-loss=log"));
  CHECK(accept_log_loss(copy));
  CHECK(open_sqlite({copy}));
  CHECK(read_file(copy + "/store-1.db-wal.lost") == bytes);

  const auto without = altered();
  std::filesystem::remove(without + "/store-1.db-wal");
  CHECK_THAT(open_sqlite({without}).error().detail, Catch::Matchers::Contains("is missing"));
  CHECK(accept_log_loss(without));
  CHECK(open_sqlite({without}));
}
