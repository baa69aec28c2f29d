/// From rows to batches: partitions, dictionaries, what comes whole, and several parsers on one file.
#include "storemon/ingest/feed_parser.hpp"

#include "support/naive_csv.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <map>
#include <set>
#include <thread>

using namespace storemon;
using namespace storemon::ingest;

TEST_CASE("rows go in batches of rows_max that name each store once, and the rest with flush") {
  std::string text;
  for (int i = 0; i < 5'000; ++i)
    text += std::to_string(i % 37) +
            (i % 2 == 0 ? "-a-store-with-a-very-long-name-beyond-one-cache-line" : "") +
            ",active,2023-01-22 12:09:39." + std::to_string(100'000 + i) + " UTC\n";
  for (const uint32_t partitions : {1u, 3u, 64u}) {
    feed_reading all(status_layout, 0, {.partitions = partitions, .rows_max = 100});
    all.take(text);
    const auto full = all.batches.batch_sizes;
    CHECK(std::set<size_t>(full.begin(), full.end()) == std::set<size_t>{100});
    const auto outcome = all.finish();
    CHECK(outcome == naive::parse(status_layout, text));
    CHECK(all.batches.sound);
    CHECK(all.batches.batch_sizes.size() > full.size() - (partitions == 1));
  }
}

TEST_CASE(
    "hours and zones of a feed come in one batch a partition, which names the date they are valid from") {
  using namespace std::chrono;
  constexpr local_days valid_from{2023y / March / 1};
  for (const auto* where : {&hours_layout, &zones_layout}) {
    std::map<uint32_t, update> updates;
    feed_parser parser(*where, {.partitions = 3, .rows_max = 2, .valid_from = valid_from},
                       [&](uint32_t partition, update batch) {
                         CHECK(updates.emplace(partition, std::move(batch)).second);
                       });
    // More stores than the status feed's router remembers, each with rows far apart and in several chunks.
    constexpr size_t stores = store_table::ids_max + 1'000;
    uint64_t rows = 0;
    for (const auto* row : {",0,09:00,17:00\n", ",1,09:00,17:00\n"}) {
      std::string chunk;
      for (size_t i = 0; i < stores; ++i)
        chunk += std::to_string(i) + row;
      rows += parser.parse(chunk).rows;
      CHECK(updates.empty());
    }
    parser.flush();
    CHECK(rows == 2 * stores);
    REQUIRE(updates.size() == 3);
    batch_collector batches;
    batches.partitions = 3;
    for (const auto& [partition, batch] : updates) {
      if (const auto* hours = std::get_if<hours_rows>(&batch)) {
        CHECK(hours->valid_from == valid_from);
        batches(partition, *hours);
      } else {
        batches(partition, std::get<zone_rows>(batch));
      }
    }
    CHECK(batches.sound);
    CHECK(batches.rows.size() == 2 * stores);
  }
}

TEST_CASE("hours are valid always unless a date is given") {
  feed_parser parser(hours_layout, {.partitions = 1}, [](uint32_t, update batch) {
    CHECK(std::get<hours_rows>(batch).valid_from == always_valid);
  });
  CHECK(parser.parse("1,0,09:00,17:00\n").rows == 1);
  parser.flush();
}

TEST_CASE("more stores than a router remembers change nothing") {
  std::string text;
  // Each store comes three times, far apart and close together.
  for (size_t pass = 0; pass < 3; ++pass)
    for (size_t i = 0; i < store_table::ids_max + 1'000; ++i)
      text += std::to_string(pass == 1 ? i / 2 : i) + ",active,2023-01-22 12:00:0" + std::to_string(pass) +
              " UTC\n";
  feed_reading all(status_layout, 0);
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
