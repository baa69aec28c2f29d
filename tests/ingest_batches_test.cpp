/// From rows to batches: partitions, dictionaries, revisions, and several parsers on one file.
#include "storemon/ingest/feed_parser.hpp"

#include "support/naive_csv.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <set>
#include <thread>

using namespace storemon;
using namespace storemon::ingest;

namespace {

const layout status_layout = read_header(feed::status, "store_id,status,timestamp_utc").value();
const layout hours_layout =
    read_header(feed::hours, "store_id,dayOfWeek,start_time_local,end_time_local").value();
const layout zones_layout = read_header(feed::zones, "store_id,timezone_str").value();

} // namespace

TEST_CASE("rows go in batches of rows_max that name each store once, and the rest with flush") {
  std::string text;
  for (int i = 0; i < 5'000; ++i)
    text += std::to_string(i % 37) +
            (i % 2 == 0 ? "-a-store-with-a-very-long-name-beyond-one-cache-line" : "") +
            ",active,2023-01-22 12:09:39." + std::to_string(100'000 + i) + " UTC\n";
  for (const uint32_t partitions : {1u, 3u, 64u}) {
import all(status_layout, 0, {.partitions = partitions, .rows_max = 100 });
    all.take(text);
    const auto full = all.batches.batch_sizes;
    CHECK(std::set<size_t>(full.begin(), full.end()) == std::set<size_t>{100});
    const auto outcome = all.finish();
    CHECK(outcome == naive::parse(status_layout, text));
    CHECK(all.batches.sound);
    CHECK(all.batches.batch_sizes.size() > full.size() - (partitions == 1));
  }
}

TEST_CASE("hours and zones carry the revision they were read under") {
  std::vector<update> updates;
  const auto emit = [&](uint32_t, update batch) { updates.push_back(std::move(batch)); };
  feed_parser hours(hours_layout, {.partitions = 1, .rows_max = 2, .revision = 9}, emit);
  hours.parse("1,0,09:00,17:00\n1,1,09:00,17:00\n1,2,09:00,17:00\n");
  hours.flush();
  feed_parser zones(zones_layout, {.partitions = 1, .rows_max = 2, .revision = 8}, emit);
  zones.parse("1,A\n1,B\n1,C\n");
  zones.flush();
  REQUIRE(updates.size() == 4);
  for (const size_t i : {0, 1})
    CHECK(std::get<hours_rows>(updates[i]).revision == 9);
  for (const size_t i : {2, 3})
    CHECK(std::get<zone_rows>(updates[i]).revision == 8);
  CHECK(std::get<zone_rows>(updates[2]).zones[1] == "B");
}

TEST_CASE("more stores than a router remembers change nothing") {
  std::string text;
  // Each store comes three times, far apart and close together.
  for (size_t pass = 0; pass < 3; ++pass)
    for (size_t i = 0; i < store_table::ids_max + 1'000; ++i)
      text += std::to_string(pass == 1 ? i / 2 : i) + ",active,2023-01-22 12:00:0" + std::to_string(pass) +
              " UTC\n";
import all(status_layout, 0);
  all.take(text);
  const auto outcome = all.finish();
  CHECK(all.batches.sound);
  CHECK(outcome.rows.size() == 3 * (store_table::ids_max + 1'000));
  CHECK(outcome == naive::parse(status_layout, text));
}

TEST_CASE("several parsers on parts of a file together give what one gives") {
  std::string text;
  for (int i = 0; i < 2'000; ++i)
    text += std::to_string(i % 300) + ",active,2023-01-22 12:09:39 UTC\n\"a\n\"\"b\",inactive," +
            "2023-01-22 12:09:39Z\r\n\n\"broken,active\n" + std::to_string(i) + ",active\n";
  const auto whole = naive::parse(status_layout, text);
  CHECK(whole.rows.size() == 4'000);
  CHECK(whole.rejects.size() == rejects::samples_max);

  std::vector<std::string_view> chunks;
  for (std::string_view rest = text; !rest.empty();) {
    const auto piece = rest.substr(0, 5'000);
    const auto size = whole_records(piece, piece.size() == rest.size());
    chunks.push_back(rest.substr(0, size));
    rest.remove_prefix(size);
  }
  constexpr size_t parsers = 3;
  std::vector<chunk_summary> summaries(chunks.size());
  std::array<batch_collector, parsers> collected;
  std::vector<std::thread> threads;
  for (size_t p = 0; p < parsers; ++p)
    threads.emplace_back([&, p] {
      feed_parser parser(status_layout, {}, [&](uint32_t at, auto&& batch) { collected[p](at, batch); });
      for (size_t c = p; c < chunks.size(); c += parsers)
        summaries[c] = parser.parse(chunks[c]);
      parser.flush();
    });
  for (auto& thread : threads)
    thread.join();

  naive::outcome together;
  rejects rejected;
  for (const auto& summary : summaries) {
    rejected.append(summary.rejected, together.lines);
    together.lines += summary.lines;
  }
  together.counts.assign(rejected.count.begin(), rejected.count.end());
  for (const auto& sample : rejected.samples)
    together.rejects.push_back({sample.line, sample.reason, sample.text});
  for (const auto& part : collected) {
    CHECK(part.sound);
    together.rows.insert(together.rows.end(), part.rows.begin(), part.rows.end());
  }
  std::sort(together.rows.begin(), together.rows.end());
  CHECK(together == whole);
}
