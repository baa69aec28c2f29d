/// Data that each version of the tables held stays readable: tests/golden/journal-vN was written once, by the
/// hidden test below, and is never written again.
#include "support/backend_sites.hpp"
#include "support/ledger.hpp"

#include <catch2/catch.hpp>

#include <filesystem>

namespace {

using namespace storemon;
using namespace storemon::journal;
using namespace storemon::test;

const std::string golden = STOREMON_SOURCE_DIR "/tests/golden/journal-v";
constexpr const char* newest = "2";

instant hour(int64_t n) {
  return at_microseconds(1'674'000'000'000'000 + n * 3'600'000'000);
}

observation_rows polls(size_t stores, int64_t hours, conflict_rule rule) {
  observation_rows rows;
  rows.rule = rule;
  for (size_t s = 0; s < stores; ++s) {
    rows.stores.add("store-" + std::to_string(s));
    for (int64_t h = 0; h < hours; ++h) {
      rows.store.push_back(static_cast<uint32_t>(s));
      rows.seen.emplace_back(hour(h), (h + static_cast<int64_t>(s)) % 5 == 0 ? store_status::inactive
                                                                             : store_status::active);
    }
  }
  return rows;
}

/// One entry of each kind, and both codings.
std::vector<journal_entry> golden_entries() {
  const batch_mark mark{{1, 0xfedcba9876543210}, {3, 4}};
  hours_rows hours;
  hours.valid_from = std::chrono::local_days(std::chrono::days(19'000));
  hours.stores.add("store-1");
  hours.stores.add("always open");
  hours.store = {0, 0};
  hours.rows = {{std::chrono::hours(9), std::chrono::hours(17), 0},
                {std::chrono::hours(22), std::chrono::hours(2), 6}};
  zone_rows zones;
  zones.stores.add("store-2");
  zones.zones.add("America/New_York");
  return {{polls(3, 4, conflict_rule::inactive_wins), mark, hour(100)},
          {polls(40, 48, conflict_rule::replace), {}, hour(101)},
          {polls(1, 1, conflict_rule::keep), {}, hour(102)},
          {hours, {}, hour(103)},
          {zones, {}, hour(104)},
          {closure_change{"store-3", {hour(1), hour(2)}, true}, {}, hour(105)},
          {store_deletion{std::string("odd\0name\xff", 9)}, {}, hour(106)},
          {batch_memory{{{mark, hour(100), {12, 0, 1}}}}, {}, hour(107)}};
}

update golden_chunk() {
  return polls(5, 24, conflict_rule::inactive_wins);
}

} // namespace

TEST_CASE("writes the golden directory of the newest version anew", "[.][golden]") {
  std::filesystem::remove_all(golden + newest);
  const auto b = must_open(golden + newest);
  codec coder;
  store_names names;
  ownership end{1, 1, 0};
  append a{2, 1, {}, {}};
  for (const auto& entry : golden_entries()) {
    a.records.push_back(coder.encode(entry, names).value());
    seal(a.records.back(), 2, 1, end);
  }
  auto chunk = coder.encode(golden_chunk(), names).value();
  chunk.partition = 2;
  chunk.number = 19'375;
  chunk.generation = 1;
  chunk.crc = crc_of(chunk);
  a.names = names.births();
  manifest m{2, 1, 1, 5, a.records[4].crc, 120, 0x0123456789abcdef, 1, 0};
  m.crc = crc_of(m);
  protocol::stored_report report;
  report.status.id = "6f1c7a52-0b1e-4a53-9c4d-2f0d5a3b7e10";
  report.status.state = protocol::report_state::complete;
  report.status.created = hour(110);
  report.status.file_name = "store_report_20230122_140000.csv";
  report.status.request.windows = {{"week_1", {hour(0), hour(168)}}};
  report.bytes = std::make_shared<const std::string>("store_id\n");
  b->commit(std::vector<operation>{take_over{2, 0}, a, put_snapshot{m, {chunk}},
                                   put_value{"n_partitions", "4"},
                                   put_report{std::make_shared<const protocol::stored_report>(report)}})
      .value();
}

TEST_CASE("the data of every version is read as it was written, and brought to the newest") {
  const std::string version = GENERATE("1", "2");
  INFO("version " << version);
  scratch_directory scratch;
  const auto directory = (scratch.path() / "data").string();
  std::filesystem::copy(golden + version, directory, std::filesystem::copy_options::recursive);
  const auto b = must_open(directory);
  CHECK(*b->value("schema_version") == newest);
  CHECK(*b->value("n_partitions") == "4");
  CHECK(b->value("incarnation")->size() == 32);
  CHECK(b->owner(2)->epoch == 1);
  CHECK(b->owner(2)->next_seq == 9);
  const auto kept = *b->store_names(2);
  REQUIRE(kept.size() == 42);
  CHECK(kept[0] == "store-0");
  CHECK(kept[39] == "store-39");
  CHECK(kept[40] == "always open");
  CHECK(kept[41] == std::string("odd\0name\xff", 9));
  const store_names names(kept);
  codec coder;
  const auto expected = golden_entries();
  const auto records = *b->read_records(2, 1, SIZE_MAX);
  REQUIRE(records.size() == expected.size());
  ownership end;
  std::set<uint8_t> codings;
  for (size_t i = 0; i < records.size(); ++i) {
    CHECK(follow(records[i], 2, end));
    const auto entry = coder.decode(records[i], names);
    REQUIRE(entry);
    CHECK(equivalent(entry->change, expected[i].change));
    CHECK(entry->mark == expected[i].mark);
    CHECK(entry->written == expected[i].written);
    codings.insert(records[i].codec);
  }
  CHECK(codings.size() == 2);
  CHECK(b->manifests(2)->front().state_hash == 0x0123456789abcdef);
  const auto chunks = *b->read_chunks(2, 1, 0, SIZE_MAX);
  REQUIRE(chunks.size() == 1);
  CHECK(equivalent(*coder.decode(chunks[0], names), golden_chunk()));
  const auto reports = *b->reports();
  REQUIRE(reports.size() == 1);
  CHECK(reports[0].status.state == protocol::report_state::complete);
  CHECK(reports[0].status.request.windows.front().name == "week_1");
  CHECK(*b->report_bytes(reports[0].status.id) == "store_id\n");
  const auto found = verify(*b, 4);
  REQUIRE(found);
  CHECK(found->all_damage() == std::vector<std::string>{});
  CHECK(found->partitions[2].records == 8);
}
