/// What every backend of the journal promises, asked of each in the same words.
#include "support/backend_sites.hpp"
#include "support/journal_entries.hpp"

#include <catch2/catch.hpp>

namespace {

using namespace storemon;
using namespace storemon::journal;
using namespace storemon::test;

constexpr size_t all_bytes = 1 << 30;

using outcomes = std::vector<errc>;

/// Operations are made in order of the list.
outcomes commit(backend& b, const std::vector<operation>& what) {
  const auto done = b.commit(what);
  REQUIRE(done);
  return *done;
}

protocol::stored_report report(const std::string& id, int64_t created) {
  protocol::stored_report r;
  r.status.id = id;
  r.status.created = at_microseconds(created);
  return r;
}

put_report put(protocol::stored_report r) {
  return {std::make_shared<const protocol::stored_report>(std::move(r))};
}

std::vector<std::pair<int64_t, uint64_t>> numbers_and_generations(const std::vector<chunk_row>& rows) {
  std::vector<std::pair<int64_t, uint64_t>> all;
  for (const auto& r : rows)
    all.emplace_back(r.number, r.generation);
  return all;
}

using places = std::vector<std::pair<int64_t, uint64_t>>;

} // namespace

using backends = std::tuple<memory_site, sqlite_site>;

TEMPLATE_LIST_TEST_CASE("a fresh place is empty", "", backends) {
  TestType site;
  const auto b = site.open();
  CHECK(b->owner(5)->epoch == 0);
  CHECK(b->owner(5)->next_seq == 1);
  CHECK(b->store_names(5)->empty());
  CHECK(b->read_records(5, 0, all_bytes)->empty());
  CHECK(b->manifests(5)->empty());
  CHECK(b->read_chunks(5, 9, -9, all_bytes)->empty());
  CHECK(b->reports()->empty());
  CHECK(b->value("x")->empty());
  CHECK(b->check()->empty());
  CHECK(commit(*b, {}).empty());
}

TEMPLATE_LIST_TEST_CASE("records come back in order, as they were, also to the next who opens", "",
                        backends) {
  TestType site;
  owner_double owner(1);
  std::vector<record> written;
  std::vector<std::string> names;
  {
    const auto b = site.open();
    const auto taking = owner.take(*b, 3);
    CHECK(commit(*b, {taking}) == outcomes{errc::ok});
    for (int i = 0; i < 20; ++i) {
      const auto a = owner.next_append(3, 1 + i % 3);
      written.insert(written.end(), a.records.begin(), a.records.end());
      for (const auto& n : a.names)
        names.push_back(n.name);
      CHECK(commit(*b, {a}) == outcomes{errc::ok});
    }
    CHECK(*b->read_records(3, 0, all_bytes) == written);
  }
  const auto b = site.open();
  CHECK(*b->read_records(3, 1, all_bytes) == written);
  CHECK(*b->store_names(3) == names);
  CHECK_FALSE(names.empty());
  CHECK(b->owner(3)->epoch == 1);
  CHECK(b->owner(3)->next_seq == written.size() + 1);
  CHECK(b->owner(3)->last_crc == written.back().crc);
  CHECK(b->read_records(2, 1, all_bytes)->empty());
  const auto tail = b->read_records(3, 7, all_bytes);
  REQUIRE(tail->size() == written.size() - 6);
  CHECK(tail->front() == written[6]);
  CHECK(b->read_records(3, written.size() + 1, all_bytes)->empty());
  ownership end;
  for (const auto& r : written)
    CHECK(follow(r, 3, end));
}

TEMPLATE_LIST_TEST_CASE("who was taken over is fenced in all it does, and leaves no trace", "", backends) {
  TestType site;
  owner_double old_owner(1);
  owner_double new_owner(2);
  const auto b = site.open();
  commit(*b, {old_owner.take(*b, 0)});
  commit(*b, {old_owner.next_append(0, 2)});
  commit(*b, {old_owner.next_snapshot(0, {1})});
  commit(*b, {old_owner.next_snapshot(0, {2})});
  const auto seen = b->owner(0)->epoch;
  commit(*b, {new_owner.take(*b, 0)});
  const auto records = *b->read_records(0, 0, all_bytes);
  const auto names = *b->store_names(0);
  CHECK(commit(*b, {old_owner.next_append(0, 2)}) == outcomes{errc::fenced});
  CHECK(commit(*b, {old_owner.next_snapshot(0, {3})}) == outcomes{errc::fenced});
  CHECK(commit(*b, {compact{0, 1, 99, instant::max(), 99}}) == outcomes{errc::fenced});
  CHECK(commit(*b, {take_over{0, seen}}) == outcomes{errc::fenced});
  CHECK(commit(*b, {take_over{0, seen + 5}}) == outcomes{errc::fenced});
  CHECK(commit(*b, {append{0, 0, {}, {}}}) == outcomes{errc::fenced});
  CHECK(commit(*b, {append{0, seen + 2, {}, {}}}) == outcomes{errc::fenced});
  CHECK(*b->read_records(0, 0, all_bytes) == records);
  CHECK(*b->store_names(0) == names);
  CHECK(b->manifests(0)->front().generation == 2);
  CHECK(b->owner(0)->epoch == 2);
}

TEMPLATE_LIST_TEST_CASE("a partition nobody took over takes nothing", "", backends) {
  TestType site;
  const auto b = site.open();
  CHECK(commit(*b, {append{4, 0, {{0, "a"}}, {}}, append{4, 1, {{0, "a"}}, {}}, compact{4, 0, 1, {}, 1},
                    take_over{4, 1}}) == outcomes{errc::fenced, errc::fenced, errc::fenced, errc::fenced});
  CHECK(b->store_names(4)->empty());
  CHECK(b->owner(4)->epoch == 0);
}

TEMPLATE_LIST_TEST_CASE("a commit with a fenced member keeps all others", "", backends) {
  TestType site;
  owner_double owner(1);
  owner_double stale(2);
  const auto b = site.open();
  commit(*b, {owner.take(*b, 1), stale.take(*b, 2), put_value{"a", "1"}});
  commit(*b, {take_over{2, 1}});
  CHECK(commit(*b, {owner.next_append(1, 1), stale.next_append(2, 1), put_value{"a", "2"},
                    owner.next_append(1, 1)}) == outcomes{errc::ok, errc::fenced, errc::ok, errc::ok});
  CHECK(b->read_records(1, 0, all_bytes)->size() == 2);
  CHECK(b->read_records(2, 0, all_bytes)->empty());
  CHECK(b->store_names(2)->empty());
  CHECK(*b->value("a") == "2");
}

TEMPLATE_LIST_TEST_CASE("a take-over and an append under it fit into one commit", "", backends) {
  TestType site;
  owner_double owner(1);
  const auto b = site.open();
  const auto taking = owner.take(*b, 1);
  CHECK(commit(*b, {taking, owner.next_append(1, 3)}) == outcomes{errc::ok, errc::ok});
  CHECK(b->owner(1)->next_seq == 4);
}

TEMPLATE_LIST_TEST_CASE("records that do not go on from the end of the chain are damaged, and left out alone",
                        "", backends) {
  TestType site;
  owner_double owner(1);
  const auto b = site.open();
  commit(*b, {owner.take(*b, 1), put_value{"v", "old"}});
  const auto first = owner.next_append(1, 2);
  commit(*b, {first});
  const auto good = owner.next_append(1, 2);
  auto hole = good;
  hole.records.erase(hole.records.begin());
  auto inside = good;
  inside.records[1].prev_crc ^= 1;
  auto chain = good;
  chain.records[0].prev_crc ^= 1;
  auto elsewhere = good;
  elsewhere.records[1].partition = 2;
  auto taken_index = good;
  taken_index.names = {{first.names.front().index, "another name"}};
  auto taken_name = good;
  taken_name.names = {{1000, first.names.front().name}};
  for (const auto& bad : {first, hole, inside, chain, elsewhere, taken_index, taken_name}) {
    CHECK(commit(*b, {put_value{"v", "new"}, bad, take_over{9, b->owner(9)->epoch}}) ==
          outcomes{errc::ok, errc::damaged, errc::ok});
    CHECK(b->owner(1)->next_seq == 3);
    CHECK(*b->value("v") == "new");
  }
  CHECK(b->owner(9)->epoch == 7);
  CHECK(commit(*b, {good}) == outcomes{errc::ok});
}

TEMPLATE_LIST_TEST_CASE("reads stop once a limit is exceeded, and go on from there", "", backends) {
  TestType site;
  owner_double owner(4);
  const auto b = site.open();
  commit(*b, {owner.take(*b, 1), owner.next_append(1, 50)});
  commit(*b, {owner.next_snapshot(1, {-1, 0, 3, 10, 11, 12})});
  const auto all = *b->read_records(1, 0, all_bytes);
  REQUIRE(all.size() == 50);
  CHECK(b->read_records(1, 0, 0)->size() >= 1);
  CHECK(b->read_records(1, 0, 0)->size() < 50);
  std::vector<record> pieces;
  size_t reads = 0;
  for (uint64_t from = 0;; ++reads) {
    const auto piece = *b->read_records(1, from, 300);
    if (piece.empty())
      break;
    size_t bytes = 0;
    for (const auto& r : piece)
      bytes += r.payload.size();
    CHECK(bytes - piece.back().payload.size() <= 300);
    pieces.insert(pieces.end(), piece.begin(), piece.end());
    from = piece.back().seq + 1;
  }
  CHECK(pieces == all);
  CHECK(reads > 3);
  const auto chunks = *b->read_chunks(1, 1, -5, all_bytes);
  REQUIRE(chunks.size() == 6);
  std::vector<chunk_row> chunk_pieces;
  for (auto from = std::numeric_limits<int64_t>::min();;) {
    const auto piece = *b->read_chunks(1, 1, from, 1);
    if (piece.empty())
      break;
    CHECK(piece.size() == 1);
    chunk_pieces.insert(chunk_pieces.end(), piece.begin(), piece.end());
    from = piece.back().number + 1;
  }
  CHECK(chunk_pieces == chunks);
}

TEMPLATE_LIST_TEST_CASE("payloads are any bytes, of any size", "", backends) {
  TestType site;
  const auto b = site.open();
  commit(*b, {take_over{0, 0}});
  append a{0, 1, {{0, std::string("a\0b\xff'", 5)}}, {}};
  ownership end{1, 1, 0};
  for (const auto& payload :
       {std::string(), std::string("\0\xff\x80'\";--", 8), std::string(3'000'000, '\0')}) {
    record r;
    r.kind = 255;
    r.codec = 255;
    r.count = UINT32_MAX;
    r.oldest = INT64_MIN;
    r.newest = INT64_MAX;
    r.written = instant::min();
    r.payload = payload;
    seal(r, 0, 1, end);
    a.records.push_back(r);
  }
  CHECK(commit(*b, {a}) == outcomes{errc::ok});
  CHECK(*b->read_records(0, 0, all_bytes) == a.records);
  CHECK(*b->store_names(0) == std::vector<std::string>{a.names[0].name});
}

TEMPLATE_LIST_TEST_CASE("a snapshot is the newest chunk of each number up to it, an empty one is gone", "",
                        backends) {
  TestType site;
  owner_double owner(5);
  const auto b = site.open();
  commit(*b, {owner.take(*b, 1), owner.next_append(1, 3)});
  const auto first = owner.next_snapshot(1, {-1, 0, 1, 2});
  CHECK(commit(*b, {first}) == outcomes{errc::ok});
  commit(*b, {owner.next_append(1, 3)});
  const auto second = owner.next_snapshot(1, {1, 7}, {0});
  CHECK(commit(*b, {second}) == outcomes{errc::ok});
  const auto third = owner.next_snapshot(1, {0});
  CHECK(commit(*b, {third}) == outcomes{errc::ok});
  CHECK(*b->manifests(1) == std::vector<manifest>{third.what, second.what});
  CHECK(numbers_and_generations(*b->read_chunks(1, 1, -9, all_bytes)) ==
        places{{-1, 1}, {0, 1}, {1, 1}, {2, 1}});
  CHECK(numbers_and_generations(*b->read_chunks(1, 2, -9, all_bytes)) ==
        places{{-1, 1}, {1, 2}, {2, 1}, {7, 2}});
  CHECK(numbers_and_generations(*b->read_chunks(1, 3, -9, all_bytes)) ==
        places{{-1, 1}, {0, 3}, {1, 2}, {2, 1}, {7, 2}});
  CHECK(numbers_and_generations(*b->read_chunks(1, 3, 1, all_bytes)) == places{{1, 2}, {2, 1}, {7, 2}});
  CHECK(b->read_chunks(1, 2, 7, all_bytes)->front() == second.chunks[1]);
  CHECK(b->read_chunks(2, 3, -9, all_bytes)->empty());
  CHECK(commit(*b, {third}) == outcomes{errc::damaged});
  CHECK(commit(*b, {first}) == outcomes{errc::damaged});
}

TEMPLATE_LIST_TEST_CASE("compaction leaves what the two newest generations need, whatever it is asked", "",
                        backends) {
  TestType site;
  owner_double owner(6);
  const auto b = site.open();
  commit(*b, {owner.take(*b, 1), owner.take(*b, 2)});
  const compact greedy{1, 1, UINT64_MAX >> 1, instant::max(), UINT64_MAX >> 1};
  commit(*b, {owner.next_append(1, 4), owner.next_append(2, 4)});
  commit(*b, {owner.next_snapshot(1, {0, 1, 2})});
  CHECK(commit(*b, {greedy}) == outcomes{errc::ok});
  CHECK(b->read_records(1, 0, all_bytes)->size() == 4);
  CHECK(b->manifests(1)->size() == 1);
  for (int i = 0; i < 6; ++i) {
    commit(*b, {owner.next_append(1, 4)});
    commit(*b, {owner.next_snapshot(
                   1, {i % 3}, i % 2 == 1 ? std::vector<int64_t>{(i + 1) % 3} : std::vector<int64_t>{})});
    const auto newest = b->manifests(1);
    REQUIRE(newest->size() == 2);
    const auto before = *b->read_chunks(1, newest->front().generation, -9, all_bytes);
    const auto before_older = *b->read_chunks(1, newest->back().generation, -9, all_bytes);
    const auto records = *b->read_records(1, newest->back().through_seq + 1, all_bytes);
    CHECK(commit(*b, {greedy}) == outcomes{errc::ok});
    CHECK(*b->manifests(1) == *newest);
    CHECK(*b->read_chunks(1, newest->front().generation, -9, all_bytes) == before);
    CHECK(*b->read_chunks(1, newest->back().generation, -9, all_bytes) == before_older);
    CHECK(*b->read_records(1, 0, all_bytes) == records);
    CHECK(b->read_chunks(1, newest->back().generation - 1, -9, all_bytes)->size() <= before_older.size());
    CHECK(before.size() == newest->front().chunks);
  }
  CHECK(b->read_records(2, 0, all_bytes)->size() == 4);
}

TEMPLATE_LIST_TEST_CASE("compaction forgets no record that is not old, and leaves no hole", "", backends) {
  TestType site;
  const auto b = site.open();
  commit(*b, {take_over{1, 0}});
  ownership end{1, 1, 0};
  append a{1, 1, {}, {}};
  for (const int64_t written : {10, 20, 50, 30, 40, 60}) { // the clock was set back once
    record r;
    r.written = at_microseconds(written);
    seal(r, 1, 1, end);
    a.records.push_back(r);
  }
  commit(*b, {a});
  for (uint64_t g = 1; g <= 2; ++g) {
    manifest m{1, g, 1, 5, a.records[4].crc, 0, 0, 0, 0};
    m.crc = crc_of(m);
    commit(*b, {put_snapshot{m, {}}});
  }
  commit(*b, {compact{1, 1, 1, at_microseconds(100), 2}});
  CHECK(b->read_records(1, 0, all_bytes)->front().seq == 2);
  commit(*b, {compact{1, 1, 5, at_microseconds(45), 2}});
  CHECK(b->read_records(1, 0, all_bytes)->front().seq == 3);
  CHECK(b->read_records(1, 0, all_bytes)->size() == 4);
  commit(*b, {compact{1, 1, 6, at_microseconds(100), 2}});
  CHECK(b->read_records(1, 0, all_bytes)->size() == 1);
}

TEMPLATE_LIST_TEST_CASE("names of stores that are missing are missed", "", backends) {
  for (const uint32_t index : {0, 1, 2}) {
    TestType site;
    {
      const auto b = site.open();
      commit(*b, {take_over{1, 0}, append{1, 1, {{0, "a"}, {1, "b"}, {2, "c"}}, {}}});
    }
    site.lose_name(1, index);
    const auto names = site.open()->store_names(1);
    REQUIRE_FALSE(names);
    CHECK(names.error().code == errc::damaged);
  }
}

TEMPLATE_LIST_TEST_CASE("reports come back as they were put, oldest first", "", backends) {
  TestType site;
  const std::string bytes("\x28\xb5\x2f\xfd\0\xff", 6);
  {
    const auto b = site.open();
    auto full = report("2f", 300);
    full.status.state = protocol::report_state::complete;
    full.status.request.estimator = "linear \"'\n";
    full.status.request.scope = observation_scope::all;
    full.status.request.columns = column_set::full;
    full.status.request.raw_ids = true;
    full.status.request.as_of = at_microseconds(-5);
    full.status.request.windows = {{"a_b", {at_microseconds(1), at_microseconds(2)}}, {"c", {}}};
    full.status.as_of = at_microseconds(17);
    full.status.finished = at_microseconds(400);
    full.status.stores_total = 9;
    full.status.stores_done = 8;
    full.status.file_name = "store_report_20230125_181322.csv";
    full.status.file_bytes = 12345;
    full.status.gaps = {4, 7};
    full.status.weights = {3, at_microseconds(390), 8};
    full.bytes = std::make_shared<const std::string>(bytes);
    auto failed = report("1f", 200);
    failed.status.state = protocol::report_state::failed;
    failed.status.failure = {errc::partition_lost, "it is gone"};
    failed.status.weights.emplace();
    commit(*b, {put(full), put(failed), put(report("3f", 100)), put(report("0f", 200))});
  }
  const auto b = site.open();
  const auto all = *b->reports();
  REQUIRE(all.size() == 4);
  CHECK(all[0].status.id == "3f");
  CHECK(all[1].status.id == "0f");
  CHECK(all[2].status.id == "1f");
  CHECK(all[0].status.state == protocol::report_state::running);
  CHECK_FALSE(all[0].status.as_of);
  CHECK_FALSE(all[0].status.finished);
  CHECK(all[2].status.state == protocol::report_state::failed);
  CHECK(all[2].status.failure.code == errc::partition_lost);
  CHECK(all[2].status.failure.detail == "it is gone");
  const auto& s = all[3].status;
  CHECK(s.id == "2f");
  CHECK(s.state == protocol::report_state::complete);
  CHECK(s.request.estimator == "linear \"'\n");
  CHECK(s.request.scope == observation_scope::all);
  CHECK(s.request.columns == column_set::full);
  CHECK(s.request.raw_ids);
  CHECK(s.request.as_of == at_microseconds(-5));
  CHECK(s.request.windows ==
        std::vector<window>{{"a_b", {at_microseconds(1), at_microseconds(2)}}, {"c", {}}});
  CHECK(s.as_of == at_microseconds(17));
  CHECK(s.created == at_microseconds(300));
  CHECK(s.finished == at_microseconds(400));
  CHECK(s.stores_total == 9);
  CHECK(s.stores_done == 8);
  CHECK(s.file_name == "store_report_20230125_181322.csv");
  CHECK(s.file_bytes == 12345);
  CHECK(s.gaps == std::vector<uint32_t>{4, 7});
  CHECK(s.weights == weights_label{3, at_microseconds(390), 8});
  CHECK(all[2].status.weights == weights_label{});
  CHECK_FALSE(all[0].status.weights);
  CHECK(s.durable);
  CHECK_FALSE(all[3].bytes);
  CHECK(*b->report_bytes("2f") == bytes);
  CHECK(b->report_bytes("1f").error().code == errc::not_found);
  CHECK(b->report_bytes("9f").error().code == errc::not_found);
}

TEMPLATE_LIST_TEST_CASE("a report put again keeps its bytes unless new ones come", "", backends) {
  TestType site;
  const auto b = site.open();
  auto r = report("a", 1);
  r.bytes = std::make_shared<const std::string>("one");
  commit(*b, {put(r)});
  r.bytes = nullptr;
  r.status.state = protocol::report_state::complete;
  commit(*b, {put(r)});
  CHECK(*b->report_bytes("a") == "one");
  CHECK(b->reports()->front().status.state == protocol::report_state::complete);
  r.bytes = std::make_shared<const std::string>("");
  commit(*b, {put(r)});
  CHECK(b->report_bytes("a")->empty());
  commit(*b, {drop_reports{{"a", "never there"}}});
  CHECK(b->reports()->empty());
  CHECK(b->report_bytes("a").error().code == errc::not_found);
}

TEMPLATE_LIST_TEST_CASE("values are kept by name", "", backends) {
  TestType site;
  const std::string odd("\0'\xff", 3);
  commit(*site.open(),
         {put_value{"n_partitions", "16"}, put_value{"odd", odd}, put_value{"n_partitions", "64"}});
  const auto b = site.open();
  CHECK(*b->value("n_partitions") == "64");
  CHECK(*b->value("odd") == odd);
  CHECK(b->value("none")->empty());
}

TEMPLATE_LIST_TEST_CASE("a copy holds the same, and no copy overwrites a file", "", backends) {
  TestType site;
  owner_double owner(7);
  const auto b = site.open();
  auto r = report("a", 1);
  r.bytes = std::make_shared<const std::string>("bytes");
  commit(*b, {owner.take(*b, 1), owner.next_append(1, 10), put(r), put_value{"x", "y"}});
  commit(*b, {owner.next_snapshot(1, {1, 2})});
  const auto path = site.copy_path();
  REQUIRE(copy_all(**b->begin_copy(path)));
  const auto again = b->begin_copy(path);
  REQUIRE_FALSE(again);
  CHECK(again.error().code == errc::invalid_argument);
  commit(*b, {owner.next_append(1, 1)});
  const auto copy = site.open_copy(path);
  auto records = *b->read_records(1, 0, all_bytes);
  records.pop_back();
  CHECK(*copy->read_records(1, 0, all_bytes) == records);
  CHECK(copy->owner(1)->next_seq == 11);
  CHECK(*copy->manifests(1) == *b->manifests(1));
  CHECK(*copy->read_chunks(1, 1, -9, all_bytes) == *b->read_chunks(1, 1, -9, all_bytes));
  CHECK(*copy->report_bytes("a") == "bytes");
  CHECK(*copy->value("x") == "y");
  CHECK(copy->check()->empty());
}

TEMPLATE_LIST_TEST_CASE("healing what is sound changes nothing", "", backends) {
  TestType site;
  owner_double owner(8);
  auto b = site.open();
  commit(*b, {owner.take(*b, 1), owner.next_append(1, 5)});
  const auto records = *b->read_records(1, 0, all_bytes);
  CHECK(b->heal());
  CHECK(*b->read_records(1, 0, all_bytes) == records);
  CHECK(commit(*b, {owner.next_append(1, 1)}) == outcomes{errc::ok});
  b.reset();
  CHECK(site.open()->read_records(1, 0, all_bytes)->size() == 6);
}

TEST_CASE("a disk in memory fails as it is told") {
  memory_site site;
  owner_double owner(9);
  auto b = site.open();
  commit(*b, {owner.take(*b, 1)});
  const auto a = owner.next_append(1, 1);
  const std::vector<operation> ops{a};
  site.disk->fail_next(errc::disk_full);
  CHECK(b->commit(ops).error().code == errc::disk_full);
  CHECK(b->read_records(1, 0, all_bytes)->empty());
  site.disk->fail_next(errc::storage_failing, memory_disk::fate::undecided);
  CHECK(b->commit(ops).error().code == errc::storage_failing);
  CHECK(b->commit(ops).error().code == errc::storage_failing);
  CHECK(b->read_records(1, 0, all_bytes)->empty());
  site.disk->fail_heals(1);
  CHECK_FALSE(b->heal());
  SECTION("healed, the commit never was") {
    CHECK(b->heal());
    b.reset();
    site.disk->crash();
    CHECK(site.open()->read_records(1, 0, all_bytes)->empty());
    CHECK(site.disk->heals() == 1);
  }
  SECTION("after a crash it was after all") {
    b.reset();
    site.disk->crash();
    CHECK(*site.open()->read_records(1, 0, all_bytes) == a.records);
  }
}
