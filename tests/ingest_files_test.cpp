/// From files to rows: chunks, the files of a directory, and the public data set.
#include "storemon/ingest/chunk_reader.hpp"
#include "storemon/ingest/feed_files.hpp"

#include "support/naive_csv.hpp"
#include "support/scratch_directory.hpp"

#include <catch2/catch.hpp>

#include <filesystem>

using namespace storemon;
using namespace storemon::ingest;
using namespace std::string_literals;

namespace {

namespace fs = std::filesystem;

const std::string header = "store_id,status,timestamp_utc";

/// What reading the file in chunks gives.
naive::outcome read_file(feed_kind kind, const std::string& path, size_t chunk_bytes) {
  auto reader = chunk_reader::open(path, {.chunk_bytes = chunk_bytes});
  REQUIRE(reader.has_value());
  const auto where = read_header(kind, reader->header());
  REQUIRE(where.has_value());
  feed_reading all(*where, reader->header_lines());
  chunk bytes;
  for (;;) {
    REQUIRE(reader->next(bytes).has_value());
    if (bytes.text().empty())
      break;
    all.take(bytes.text());
  }
  CHECK(reader->bytes_read() == fs::file_size(path));
  CHECK(reader->bytes_total() == reader->bytes_read());
  auto outcome = all.finish();
  CHECK(all.batches.sound);
  return outcome;
}

using kinds_and_paths = std::vector<std::pair<feed_kind, std::string>>;

kinds_and_paths found_in(const test::scratch_directory& directory) {
  const auto files = find_feed_files(directory.path().string());
  REQUIRE(files.has_value());
  kinds_and_paths found;
  for (const auto& file : *files)
    found.emplace_back(file.kind, file.path);
  return found;
}

} // namespace

TEST_CASE("a small nasty file gives the same in chunks of any size") {
  const test::scratch_directory dir;
  const std::string body = "1,active,2023-01-22 12:09:39.388884 UTC\r\n"
                           "\r\n"
                           "\"2\",\"active\",\"2023-01-22 12:09:39Z\"\n"
                           "\"3\n\"\"and\"\"\r\n\",inactive,2023-01-22 12:09:39\r\n"
                           "4,\"active,2023-01-22 12:09:39 UTC\n"
                           "\n"
                           "5\0,active,2023-01-22 12:09:39 UTC\n"
                           "6,active\n"
                           "\"7\"x,active,2023-01-22 12:09:39 UTC\n"
                           "8,active,2023-01-22 12:09:39 UTC"s;
  for (const auto* mark : {"", "\xef\xbb\xbf"})
    for (const auto* before : {"", "\n\r\n"})
      for (const auto* end : {"", "\n", "\r\n", "\n\"9"}) {
        const auto text = body + end;
        const auto path = dir.write("feed.csv", mark + std::string(before) + header + "\r\n" + text);
        const uint64_t header_lines = *before == '\0' ? 1 : 3;
        const auto expected = naive::parse(status_layout, text, header_lines);
        CHECK(expected.rows.size() == 5);
        for (size_t chunk_bytes = 1; chunk_bytes < text.size() + 50; ++chunk_bytes)
          REQUIRE(read_file(feed_kind::status, path, chunk_bytes) == expected);
      }
}

TEST_CASE("lines that are too long are rejected in bounded memory, and reading goes on after them") {
  const test::scratch_directory dir;
  const auto poll = [](const std::string& id) { return id + ",active,2023-01-22 12:09:39 UTC"; };
  std::string text = poll("1") + "\n";
  for (const size_t size : {record_bytes_max - 1, record_bytes_max, record_bytes_max + 1,
                            record_bytes_max + 2, 3 * record_bytes_max, 20 * record_bytes_max})
    for (const auto* end : {"\n", "\r\n"})
      for (const auto* begin : {"", "\"", "\"\"x", "x,\"\n\",", "\"\n"}) {
        text += begin + std::string(size - std::string_view(begin).size(), 'x') + end;
        text += poll(std::to_string(text.size())) + "\n";
      }
  for (const auto* last : {"", "y"}) {
    const auto body = text + std::string(*last == 'y' ? 5 * record_bytes_max : 0, 'y');
    const auto path = dir.write("feed.csv", header + "\n" + body);
    const auto expected = naive::parse(status_layout, body, 1);
    CHECK(expected.rows.size() == 61);
    CHECK(expected.counts[static_cast<size_t>(reject_reason::line_too_long)] > 20);
    for (const size_t chunk_bytes : {size_t{5'000}, size_t{65'535}, size_t{65'536}, size_t{65'537},
                                     size_t{65'538}, size_t{100'000}, size_t{1} << 20, size_t{1} << 26})
      REQUIRE(read_file(feed_kind::status, path, chunk_bytes) == expected);
    auto reader = chunk_reader::open(path, {.chunk_bytes = 70'000}).value();
    chunk bytes;
    do {
      REQUIRE(reader.next(bytes).has_value());
      REQUIRE(bytes.text().size() <= 2 * 70'000 + record_bytes_max);
    } while (!bytes.text().empty());
  }
}

TEST_CASE("a file without a header is refused") {
  const test::scratch_directory dir;
  for (const auto* text : {"", "\n\r\n\n", "\xef\xbb\xbf", "\"store_id,status"}) {
    const auto refused = chunk_reader::open(dir.write("feed.csv", text));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == errc::bad_feed);
    CHECK(refused.error().detail.find("feed.csv") != std::string::npos);
  }
  const auto refused =
      chunk_reader::open(dir.write("feed.csv", std::string(record_bytes_max + 1, 'h') + "\n"));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == errc::bad_feed);
}

TEST_CASE("a header may be quoted, over two lines, and all there is") {
  const test::scratch_directory dir;
  const auto reader =
      chunk_reader::open(dir.write("feed.csv", "\"store_id\",\"a\nb\",status,\"timestamp_utc\""));
  REQUIRE(reader.has_value());
  CHECK(reader->header_lines() == 2);
  CHECK(read_header(feed_kind::status, reader->header())->fields_min == 4);
}

TEST_CASE("a file that cannot be read is named with the reason") {
  const test::scratch_directory dir;
  const auto missing = chunk_reader::open(dir.path().string() + "/none.csv");
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code == errc::io_failed);
  CHECK(missing.error().detail ==
        "cannot open " + dir.path().string() + "/none.csv: No such file or directory");
  const auto directory = chunk_reader::open(dir.path().string());
  REQUIRE_FALSE(directory.has_value());
  CHECK(directory.error().code == errc::io_failed);
  CHECK(directory.error().detail == "cannot read " + dir.path().string() + ": Is a directory");
}

TEST_CASE("the feeds of a directory are found by either name") {
  const test::scratch_directory dir;
  const auto none = find_feed_files(dir.path().string());
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().code == errc::io_failed);
  CHECK(none.error().detail.find(dir.path().string()) != std::string::npos);
  CHECK(none.error().detail.find("menu_hours.csv") != std::string::npos);

  const auto status = dir.write("store_status.csv", "");
  CHECK(found_in(dir) == kinds_and_paths{{feed_kind::status, status}});

  const auto hours = dir.write("menu_hours.csv", "");
  const auto zones = dir.write("store_timezone.csv", "");
  CHECK(found_in(dir) == kinds_and_paths{{feed_kind::timezones, zones},
                                         {feed_kind::hours, hours},
                                         {feed_kind::status, status}});
  const auto told = tell_apart(dir.path().string());
  CHECK(told.starts_with(status + "|"));

  const auto stores = dir.write("stores.csv", "");
  const auto corrections = dir.write("corrections.csv", "");
  const auto closures = dir.write("closures.csv", "");
  CHECK(found_in(dir) == kinds_and_paths{{feed_kind::timezones, zones},
                                         {feed_kind::hours, hours},
                                         {feed_kind::status, status},
                                         {feed_kind::closures, closures},
                                         {feed_kind::corrections, corrections},
                                         {feed_kind::stores, stores}});
  CHECK(tell_apart(dir.path().string()).starts_with(told));

  dir.write("timezones.csv", "");
  const auto twice = find_feed_files(dir.path().string());
  REQUIRE_FALSE(twice.has_value());
  CHECK(twice.error().code == errc::invalid_argument);
  CHECK(twice.error().detail.find("store_timezone.csv") != std::string::npos);
}

TEST_CASE("a directory that is not there is told apart from an empty one by its name only") {
  const test::scratch_directory dir;
  const auto missing = find_feed_files(dir.path().string() + "/none");
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code == errc::io_failed);
}

TEST_CASE("the public data set is read without a reject") {
  const auto* given = std::getenv("STOREMON_SHARED_DATA");
  const std::string directory = given != nullptr ? given : STOREMON_SHARED_DATA;
  if (!fs::exists(directory)) {
    WARN("not checked, there is no " + directory);
    SUCCEED();
    return;
  }
  const auto check = [](feed_kind kind, const std::string& path, size_t rows, size_t stores) {
    const auto outcome = read_file(kind, path, 1 << 16);
    CHECK(outcome.rejects.empty());
    CHECK(outcome.rows.size() == rows);
    CHECK(outcome.lines == rows);
    std::vector<std::string> ids;
    for (const auto& row : outcome.rows)
      if (ids.empty() || ids.back() != std::get<0>(row))
        ids.push_back(std::get<0>(row));
    CHECK(ids.size() == stores);
  };
  const auto files = find_feed_files(directory);
  REQUIRE(files.has_value());
  REQUIRE(files->size() == 3);
  check((*files)[0].kind, (*files)[0].path, 13'559, 13'559);
  check((*files)[1].kind, (*files)[1].path, 86'198, 11'116);
  check((*files)[2].kind, (*files)[2].path, 9'999, 6'424);
}
