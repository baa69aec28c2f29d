/// From bytes in memory to rows and batches: the rules of SEMANTICS section 1.
#include "storemon/ingest/feed_parser.hpp"

#include "support/damage.hpp"
#include "support/naive_csv.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace storemon;
using namespace std::string_literals;
using namespace storemon::ingest;

namespace {

naive::outcome parse_whole(const layout& where, std::string_view text) {
  feed_reading all(where, 0);
  all.take(text);
  auto outcome = all.finish();
  CHECK(all.batches.sound);
  return outcome;
}

naive::outcome parse_cut(const layout& where, std::string_view text, size_t read_first) {
  feed_reading all(where, 0);
  const auto cut = whole_records(text.substr(0, read_first), read_first == text.size());
  all.take(text.substr(0, cut));
  all.take(text.substr(cut));
  return all.finish();
}

std::vector<naive::record> records_of(std::string_view text, uint64_t& lines) {
  std::vector<naive::record> all;
  record_reader reader(text, 1000);
  while (reader.next()) {
    naive::record r{reader.line(), std::nullopt, {}, std::string(reader.text())};
    if (reader.broken())
      r.broken = reader.reason();
    for (const auto field : reader.fields())
      r.fields.emplace_back(field);
    all.push_back(r);
  }
  lines = reader.lines();
  return all;
}

/// The one reject of a text of one line.
std::optional<reject_reason> reject_of(const layout& where, const std::string& line) {
  const auto outcome = parse_whole(where, line + "\n");
  CHECK(outcome == naive::parse(where, line + "\n"));
  CHECK(outcome.rows.size() + outcome.rejects.size() == 1);
  if (outcome.rejects.empty())
    return std::nullopt;
  return outcome.rejects[0].reason;
}

/// The fields of the first record.
std::vector<std::string> fields_of(std::string_view text) {
  uint64_t lines = 0;
  const auto all = records_of(text, lines);
  REQUIRE(!all.empty());
  CHECK_FALSE(all[0].broken);
  return all[0].fields;
}

using texts = std::vector<std::string>;

const std::string poll_time = "2023-01-22 12:09:39.388884 UTC";
constexpr auto accepted = std::nullopt;

/// Every trap in one small file, without a header.
const std::string nasty = "1,active,2023-01-22 12:09:39.388884 UTC\n"
                          "\n"
                          "\r\n"
                          "2,INACTIVE,2023-01-22T12:09:39Z\r\n"
                          "\"3\",\"active\",\"2023-01-22 12:09:39+05:30\"\r\n"
                          "\"4\"\"x\"\"\",active,2023-01-22 12:09:39\n"
                          "\"5\nof two lines\",active,2023-01-22 12:09:39.1 UTC\n"
                          "\"6\r\n\r\nof three\",active,2023-01-22 12:09:39.1 UTC,\"more\n\"\r\n"
                          "7,\"active,2023-01-22 12:09:39 UTC\n"
                          "8,active,2023-01-22 12:09:39 UTC\n"
                          "9\"inch\",active,2023-01-22 12:09:39 UTC\n"
                          "\"10\"x,active,2023-01-22 12:09:39 UTC\n"
                          "11,active,2023-01-22 12:09:39 UTC,\r\n"
                          ",active,2023-01-22 12:09:39 UTC\n"
                          "12,active\n"
                          "13,act\0ive,2023-01-22 12:09:39 UTC\n"
                          "1\0"
                          "4,active,2023-01-22 12:09:39 UTC\n"
                          "15,active,\"2023-01-22 12:09:39 UTC\" \n"
                          "\"\",active,2023-01-22 12:09:39 UTC\n"
                          "\"16\"\r,active,2023-01-22 12:09:39 UTC\n"
                          "17\r,active,2023-01-22 12:09:39 UTC\n"
                          "18,inactive,2023-01-22 12:09:39 UTC\n"
                          "\"19"s;

} // namespace

TEST_CASE("a header names the columns in any order") {
  const auto where = read_header(feed_kind::status, "extra,timestamp_utc,store_id,more,status,last");
  REQUIRE(where.has_value());
  CHECK(where->column == std::array<uint32_t, 4>{2, 4, 1, 0});
  CHECK(where->fields_min == 5);
  CHECK(read_header(feed_kind::timezones, "\"timezone_str\",\"store_id\"")->column[1] == 0);
}

TEST_CASE("the weekday's column has three names") {
  for (const auto* name : {"dayOfWeek", "day", "day_of_week"}) {
    const auto where =
        read_header(feed_kind::hours, "store_id,"s + name + ",start_time_local,end_time_local");
    REQUIRE(where.has_value());
    CHECK(where->column == std::array<uint32_t, 4>{0, 1, 2, 3});
  }
}

TEST_CASE("a header without the needed columns is refused and says which are missing") {
  const auto refused = read_header(feed_kind::hours, "store_id,DAY, start_time_local");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == errc::bad_feed);
  CHECK(refused.error().detail ==
        "the hours feed's header lacks: dayOfWeek, start_time_local, end_time_local");
  CHECK(read_header(feed_kind::closures, "to_utc,store_id,from").error().detail ==
        "the closures feed's header lacks: from_utc");
  CHECK(read_header(feed_kind::corrections, "store_id,timestamp_utc").error().detail ==
        "the corrections feed's header lacks: status");
  CHECK(read_header(feed_kind::stores, "id").error().detail == "the stores feed's header lacks: store_id");
  CHECK(read_header(feed_kind::status, "").error().code == errc::bad_feed);
  CHECK(read_header(feed_kind::status, "\"store_id,status").error().code == errc::bad_feed);
}

TEST_CASE("a header that names a column twice is refused") {
  const auto refused =
      read_header(feed_kind::hours, "store_id,day,dayOfWeek,start_time_local,end_time_local");
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == errc::bad_feed);
  CHECK(refused.error().detail == "the hours feed's header names more than once: dayOfWeek");
}

TEST_CASE("fields are split at commas and not trimmed") {
  CHECK(fields_of("a, b ,,c\n") == texts{"a", " b ", "", "c"});
  CHECK(fields_of("a,") == texts{"a", ""});
  CHECK(fields_of(",") == texts{"", ""});
}

TEST_CASE("lines end in LF, CRLF or with the file, and a CR elsewhere is text") {
  CHECK(fields_of("a,b\r\nc") == texts{"a", "b"});
  CHECK(fields_of("a,b") == texts{"a", "b"});
  CHECK(fields_of("a,b\r") == texts{"a", "b"});
  CHECK(fields_of("a\r,b\n") == texts{"a\r", "b"});
  CHECK(fields_of("\"a\",\"b\"\r\n") == texts{"a", "b"});
}

TEST_CASE("quoted fields hold commas, quotes and line breaks") {
  CHECK(fields_of("\"a,b\",\"c\"\"d\",\"e\r\nf\"\n") == texts{"a,b", "c\"d", "e\r\nf"});
  CHECK(fields_of("\"\",\"\"\"\",\"\"\"\"\"\"\n") == texts{"", "\"", "\"\""});
  CHECK(fields_of("\"a\"\"b\",\"c\"\"d\"") == texts{"a\"b", "c\"d"});
}

TEST_CASE("a quote inside an unquoted field is literal") {
  CHECK(fields_of("a\"b,\"c\",d\"\n") == texts{"a\"b", "c", "d\""});
  CHECK(fields_of(" \"a\",b\n") == texts{" \"a\"", "b"});
}

TEST_CASE("a stray quote takes only its own line") {
  const auto outcome = parse_whole(status_layout, "1,\"active," + poll_time + "\n2,active," + poll_time +
                                                      "\n3,inactive," + poll_time + "\n");
  CHECK(outcome.rows.size() == 2);
  REQUIRE(outcome.rejects.size() == 1);
  CHECK(outcome.rejects[0] == naive::reject{1, reject_reason::bad_quoting, "1,\"active," + poll_time});
}

TEST_CASE("two stray quotes take only their own lines, also where they seem to pair") {
  const auto outcome = parse_whole(status_layout, "1,\"active," + poll_time + "\n2,active," + poll_time +
                                                      "\n3,\"active\"x," + poll_time + "\n");
  CHECK(outcome.rows.size() == 1);
  REQUIRE(outcome.rejects.size() == 2);
  CHECK(outcome.rejects[0].line == 1);
  CHECK(outcome.rejects[1].line == 3);
}

TEST_CASE("a record counts all its physical lines") {
  const auto outcome = parse_whole(status_layout, "\n\"a\n\nb\",active," + poll_time + "\n\r\nbroken\n");
  CHECK(outcome.rows.size() == 1);
  REQUIRE(outcome.rejects.size() == 1);
  CHECK(outcome.rejects[0] == naive::reject{6, reject_reason::too_few_fields, "broken"});
  CHECK(outcome.lines == 6);
}

TEST_CASE("a record may have record_bytes_max bytes and not one more") {
  const auto tail = ",active," + poll_time;
  for (const bool quoted : {false, true})
    for (size_t size = record_bytes_max - 2; size <= record_bytes_max + 2; ++size) {
      // What fills the record stands in a column that is not read.
      const auto last = std::string(size - tail.size() - 2 - (quoted ? 2 : 0), 'x');
      const auto record = "1" + tail + "," + (quoted ? '"' + last + '"' : last);
      REQUIRE(record.size() == size);
      const auto text = record + "\n2" + tail + "\n";
      const auto outcome = parse_whole(status_layout, text);
      CHECK(outcome == naive::parse(status_layout, text));
      CHECK(outcome.rows.size() == (size <= record_bytes_max ? 2 : 1));
      CHECK(outcome.counts[static_cast<size_t>(reject_reason::line_too_long)] == (size > record_bytes_max));
    }
}

TEST_CASE("a quoted field must end within record_bytes_max") {
  const auto tail = "\n\",active," + poll_time;
  for (size_t size = record_bytes_max - 2; size <= record_bytes_max + 2; ++size) {
    auto record = "\"first line\n" + std::string(size - tail.size() - 12, 'x') + tail;
    REQUIRE(record.size() == size);
    const auto text = record + "\n2,active," + poll_time + "\n";
    const auto outcome = parse_whole(status_layout, text);
    CHECK(outcome == naive::parse(status_layout, text));
    const bool fits = size <= record_bytes_max;
    CHECK(outcome.counts[static_cast<size_t>(reject_reason::bad_store_id)] == fits);
    // The second line, read by itself, is as broken as the first.
    CHECK(outcome.counts[static_cast<size_t>(reject_reason::bad_quoting)] == (fits ? 0 : 2));
  }
}

TEST_CASE("a store id is 1 to 128 bytes, kept byte for byte") {
  const auto line = [](const std::string& id) { return id + ",active," + poll_time; };
  CHECK(reject_of(status_layout, line("")) == reject_reason::bad_store_id);
  CHECK(reject_of(status_layout, line("\"\"")) == reject_reason::bad_store_id);
  for (const size_t size : {1, 7, 8, 31, 32, 40, 41, 63, 64, 127, 128})
    CHECK(reject_of(status_layout, line(std::string(size, '7'))) == accepted);
  CHECK(reject_of(status_layout, line(std::string(129, '7'))) == reject_reason::bad_store_id);
  const auto outcome = parse_whole(status_layout, line("007") + "\n" + line(" 7") + "\n" + line("7\0"s));
  REQUIRE(outcome.rows.size() == 3);
  CHECK(std::get<0>(outcome.rows[0]) == " 7");
  CHECK(std::get<0>(outcome.rows[1]) == "007");
  CHECK(std::get<0>(outcome.rows[2]) == "7\0"s);
}

TEST_CASE("a status is active or inactive in any case") {
  for (const auto* status : {"active", "inactive", "ACTIVE", "Inactive", "iNaCtIvE"})
    CHECK(reject_of(status_layout, "1,"s + status + "," + poll_time) == accepted);
  for (const auto* status : {"", "activ", "actives", "inactive ", " active", "xxactive", "act\x09ve", "1"})
    CHECK(reject_of(status_layout, "1,"s + status + "," + poll_time) == reject_reason::bad_status);
}

TEST_CASE("a timestamp that is none is rejected") {
  for (const auto* time : {"", "2023-02-29 12:00:00 UTC", "2023-01-22", "2023-01-22 24:00:00 UTC",
                           "2023-01-22 12:00:00. UTC", "2023-01-22 12:00:00 utc", " 2023-01-22 12:00:00 UTC"})
    CHECK(reject_of(status_layout, "1,active,"s + time) == reject_reason::bad_timestamp);
}

TEST_CASE("a row of hours has one digit of a day and two times") {
  CHECK(reject_of(hours_layout, "1,0,9:00,24:00") == accepted);
  CHECK(reject_of(hours_layout, "1,6,00:00:00,23:59:59.5") == accepted);
  for (const auto* day : {"", "7", "-1", "00", "Monday", " 1"})
    CHECK(reject_of(hours_layout, "1,"s + day + ",09:00,17:00") == reject_reason::bad_day);
  CHECK(reject_of(hours_layout, "1,0,24:00,17:00") == reject_reason::bad_time);
  CHECK(reject_of(hours_layout, "1,0,09:00,25:00") == reject_reason::bad_time);
  CHECK(reject_of(hours_layout, "1,0,09:00") == reject_reason::too_few_fields);
}

TEST_CASE("a zone's name is 1 to 64 bytes, known or not") {
  CHECK(reject_of(zones_layout, "1,America/Chicago") == accepted);
  CHECK(reject_of(zones_layout, "1,Nowhere") == accepted);
  CHECK(reject_of(zones_layout, "1," + std::string(64, 'z')) == accepted);
  CHECK(reject_of(zones_layout, "1," + std::string(65, 'z')) == reject_reason::bad_zone_name);
  CHECK(reject_of(zones_layout, "1,") == reject_reason::bad_zone_name);
  CHECK(reject_of(zones_layout, "1") == reject_reason::too_few_fields);
}

TEST_CASE("a closure has two instants, the first before the second") {
  CHECK(reject_of(closures_layout, "1,2023-12-24 00:00:00 UTC,2023-12-24T00:00:00.000001Z") == accepted);
  CHECK(reject_of(closures_layout, "1,2023-12-24 01:00:00+01:00,2023-12-24T00:00:00Z") ==
        reject_reason::bad_span);
  CHECK(reject_of(closures_layout, "1,2023-12-26T00:00:00Z,2023-12-24T00:00:00Z") == reject_reason::bad_span);
  CHECK(reject_of(closures_layout, "1,2023-12-24,2023-12-24T00:00:00Z") == reject_reason::bad_timestamp);
  CHECK(reject_of(closures_layout, "1,2023-12-24T00:00:00Z,") == reject_reason::bad_timestamp);
  CHECK(reject_of(closures_layout, "1,2023-12-24T00:00:00Z") == reject_reason::too_few_fields);
}

TEST_CASE("corrections have the rules of polls, and a line of stores needs a store") {
  CHECK(reject_of(corrections_layout, "1,Active," + poll_time) == accepted);
  CHECK(reject_of(corrections_layout, "1,closed," + poll_time) == reject_reason::bad_status);
  CHECK(reject_of(corrections_layout, "1,active,never") == reject_reason::bad_timestamp);
  CHECK(reject_of(stores_layout, "1,more") == accepted);
  CHECK(reject_of(stores_layout, "\"\"") == reject_reason::bad_store_id);
}

TEST_CASE("of several faults the first in the order of the columns is told") {
  CHECK(reject_of(status_layout, ",nothing,never") == reject_reason::bad_store_id);
  CHECK(reject_of(status_layout, "1,nothing,never") == reject_reason::bad_status);
  CHECK(reject_of(hours_layout, "1,9,never,never") == reject_reason::bad_day);
}

TEST_CASE("every rejected line is counted, and the first hundred are quoted") {
  std::string text;
  for (int i = 0; i < 250; ++i)
    text += std::to_string(i) +
            (i % 2 == 0 ? ",active,never\n" : ",dark," + poll_time + std::string(300, 'x') + "\n");
  const auto outcome = parse_whole(status_layout, text);
  CHECK(outcome == naive::parse(status_layout, text));
  CHECK(outcome.counts[static_cast<size_t>(reject_reason::bad_timestamp)] == 125);
  CHECK(outcome.counts[static_cast<size_t>(reject_reason::bad_status)] == 125);
  REQUIRE(outcome.rejects.size() == rejects::samples_max);
  CHECK(outcome.rejects[99].line == 100);
  CHECK(outcome.rejects[99].text.size() == 200);
}

TEST_CASE("rejects of parts append in order, with their lines moved") {
  rejects first;
  for (uint64_t line = 1; line <= 99; ++line)
    first.add(line, reject_reason::bad_day, "a");
  rejects second;
  second.add(2, reject_reason::bad_time, "b");
  second.add(3, reject_reason::bad_time, "c");
  first.append(second, 500);
  CHECK(first.total() == 101);
  REQUIRE(first.samples.size() == 100);
  CHECK(first.samples[99].line == 502);
  CHECK(first.samples[99].text == "b");
}

TEST_CASE("the nasty file gives what a naive reader finds in it") {
  const auto outcome = parse_whole(status_layout, nasty);
  CHECK(outcome == naive::parse(status_layout, nasty));
  CHECK(outcome.rows.size() == 12);
  CHECK(outcome.counts[static_cast<size_t>(reject_reason::bad_quoting)] == 5);
}

TEST_CASE("the nasty file gives the same wherever it is cut") {
  const auto whole = parse_whole(status_layout, nasty);
  for (size_t at = 0; at <= nasty.size(); ++at)
    REQUIRE(parse_cut(status_layout, nasty, at) == whole);
}

TEST_CASE("random texts of shaping bytes split as a naive reader splits them, cut anywhere") {
  std::mt19937 random(7);
  const std::string alphabet = "\"\"\",,\n\n\rab\0"s;
  for (int round = 0; round < 40'000; ++round) {
    std::string text(random() % 200, ' ');
    for (char& c : text)
      c = alphabet[random() % alphabet.size()];
    uint64_t naive_lines = 0;
    const auto expected = naive::read_records(text, &naive_lines);
    uint64_t lines = 0;
    REQUIRE(records_of(text, lines) == expected);
    REQUIRE(lines == naive_lines);

    const auto cut = whole_records(std::string_view(text).substr(0, random() % (text.size() + 1)), false);
    auto parts = records_of(text.substr(0, cut), lines);
    uint64_t later_lines = 0;
    for (auto later : records_of(text.substr(cut), later_lines)) {
      later.line += lines;
      parts.push_back(later);
    }
    REQUIRE(parts == expected);
    REQUIRE(lines + later_lines == naive_lines);
  }
}

TEST_CASE("stray quotes that reach past record_bytes_max take what a naive reader takes, cut anywhere") {
  std::mt19937 random(13);
  const texts pieces{"\"\",y\",z,\"q", "\"", "\"\"", ",",   ",\"",  "\",",
                     "\r\n",           "\n", "a\"",  "\"b", "\"\n", "\n\""};
  uint64_t broken = 0;
  uint64_t across = 0;
  for (int round = 0; round < 40; ++round) {
    std::string text;
    const auto run_max = 100 + random() % 4000;
    const auto pieces_used = 1 + random() % pieces.size();
    while (text.size() < 3 * record_bytes_max) {
      text += pieces[random() % pieces_used];
      text.append(random() % run_max, 'x');
      if (random() % 3 != 0)
        text += "\n";
    }
    uint64_t naive_lines = 0;
    const auto expected = naive::read_records(text, &naive_lines);
    uint64_t lines = 0;
    REQUIRE((records_of(text, lines) == expected));
    REQUIRE(lines == naive_lines);
    for (const auto& r : expected) {
      broken += r.broken == reject_reason::bad_quoting;
      across += !r.broken && r.text.find('\n') != std::string::npos;
    }

    const auto cut = whole_records(std::string_view(text).substr(0, random() % (text.size() + 1)), false);
    auto parts = records_of(text.substr(0, cut), lines);
    uint64_t later_lines = 0;
    for (auto later : records_of(text.substr(cut), later_lines)) {
      later.line += lines;
      parts.push_back(later);
    }
    REQUIRE((parts == expected));
    REQUIRE(lines + later_lines == naive_lines);
  }
  CHECK(broken > 100);
  CHECK(across > 100);
}

TEST_CASE("a file of lines that each seem to open a long record is read to its end") {
  const std::string line = "\"\",y\",z,\"q\n";
  std::string text;
  while (text.size() < 4 * 1024 * 1024)
    text += line;
  const auto lines_total = text.size() / line.size();
  const auto whole = whole_records(text, false);
  CHECK(whole % line.size() == 0);
  CHECK((whole < text.size() && text.size() - whole <= record_bytes_max));
  record_reader reader(std::string_view(text).substr(0, whole), 3);
  uint64_t broken = 0;
  while (reader.next())
    broken += reader.broken();
  CHECK(broken == whole / line.size());
  CHECK(reader.lines() == broken);
  uint64_t lines = 0;
  CHECK(records_of(text, lines).size() <= lines_total);
  CHECK(lines == lines_total);
}

TEST_CASE("poll lines with random damage give what a naive reader finds, cut anywhere") {
  std::mt19937_64 random(11);
  const std::string damage = "\"\n\r,,::--..  019ATUZaci\0\xff"s;
  uint64_t rows = 0;
  uint64_t rejected = 0;
  for (int round = 0; round < 6'000; ++round) {
    std::string text;
    for (int line = 0; line < 8; ++line) {
      text += std::to_string(random() >> random() % 64);
      text += random() % 3 == 0 ? ",inactive," : ",active,";
      text += "20" + std::to_string(10 + random() % 90) + "-0" + std::to_string(1 + random() % 9) + "-" +
              std::to_string(10 + random() % 22) + " 1" + std::to_string(random() % 10) + ":45:0" +
              std::to_string(random() % 10);
      if (random() % 8 != 0)
        text += "." + std::to_string(random() % 1'000'000'000).substr(0, 1 + random() % 9);
      text += random() % 16 == 0 ? " UTC\r\n" : " UTC\n";
    }
    for (auto hits = random() % 6; hits > 0; --hits)
      test::damage_once(text, damage, random);
    const auto expected = naive::parse(status_layout, text);
    REQUIRE(parse_cut(status_layout, text, random() % (text.size() + 1)) == expected);
    rows += expected.rows.size();
    rejected += expected.rejects.size();
  }
  // The damage is such that neither side of the comparison is empty.
  CHECK(rows > 20'000);
  CHECK(rejected > 5'000);
}

TEST_CASE("timestamps are read as parse_instant reads them") {
  timestamp_reader reader;
  uint64_t good = 0;
  const auto same = [&](std::string_view text) {
    instant at;
    const bool read = reader.read(text, at);
    const auto expected = parse_instant(text);
    good += read;
    return read == expected.has_value() && (!read || at == *expected);
  };
  SECTION("for every day of the common years and beyond") {
    for (const auto* year :
         {"0000", "0023", "1923", "1970", "1999", "2000", "2023", "2024", "2096", "2100", "9999"})
      for (int month = 0; month <= 13; ++month)
        for (int day = 0; day <= 32; ++day) {
          const auto two = [](int n) { return std::to_string(100 + n).substr(1); };
          REQUIRE(same(year + "-"s + two(month) + "-" + two(day) + " 23:59:59.999999 UTC"));
        }
    CHECK(good == 11 * 365 + 4);
  }
  SECTION("after any damage") {
    std::mt19937 random(3);
    const std::string bytes = "0123456789:-. TZUC+\0\xff\x3a\x2f"s;
    const texts seeds = {
        "2023-01-22 12:09:39.388884 UTC",   "2023-01-22 12:09:39 UTC",           "2024-02-29T23:59:59.1Z",
        "2023-12-31 00:00:00.12345678 UTC", "2023-10-05 19:30:00.123456789 UTC", "2023-01-22 12:09:39+05:30"};
    for (int round = 0; round < 400'000; ++round) {
      auto text = seeds[random() % seeds.size()];
      for (auto hits = 1 + random() % 3; hits > 0; --hits) {
        const auto at = random() % text.size();
        if (random() % 8 != 0)
          text[at] = bytes[random() % bytes.size()];
        else if (random() % 2 == 0)
          text.insert(at, 1, bytes[random() % bytes.size()]);
        else if (text.size() > 1)
          text.erase(at, 1);
      }
      REQUIRE(same(text));
    }
    CHECK(good > 30'000);
  }
}
