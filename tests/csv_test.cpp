/// A report's text, letter by letter.
#include "storemon/report/csv.hpp"

#include "storemon/estimate/estimator.hpp"
#include "support/csv_reader.hpp"
#include "support/instants.hpp"

#include <boost/multiprecision/cpp_int.hpp>
#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <set>

using namespace storemon;
using report::report_parts;
using report::write_csv;

namespace {

constexpr int64_t second = 1'000'000;
constexpr int64_t minute = 60 * second;
constexpr int64_t hour = 60 * minute;

std::string rounded(int64_t us, int64_t unit) {
  std::string text;
  report::append_rounded(text, us, unit);
  return text;
}

std::string in_seconds(int64_t us) {
  std::string text;
  report::append_seconds(text, us);
  return text;
}

std::string field(std::string_view content) {
  std::string text;
  report::append_field(text, content);
  return text;
}

/// Half to even by long division, then cut as text.
std::string rounded_by_hand(int64_t us, int64_t unit) {
  using boost::multiprecision::int128_t;
  const int128_t hundredfold = int128_t(us) * 100;
  auto hundredths = static_cast<int64_t>(hundredfold / unit);
  const int128_t rest = hundredfold % unit;
  const int128_t beyond_half = rest + rest - unit;
  if (beyond_half > 0 || (beyond_half == 0 && hundredths % 2 == 1))
    ++hundredths;
  auto text = std::to_string(hundredths);
  text.insert(0, text.size() < 3 ? 3 - text.size() : 0, '0');
  text.insert(text.size() - 2, ".");
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.')
    text.pop_back();
  return text;
}

using store_row = std::pair<std::string, std::vector<measure>>;

/// One part of a report; every row has a measure of every window.
std::shared_ptr<const report_columns> part_of(const std::vector<store_row>& rows) {
  auto part = std::make_shared<report_columns>();
  for (const auto& [id, measures] : rows)
    part->stores.add(id);
  for (size_t w = 0; !rows.empty() && w < rows.front().second.size(); ++w)
    for (const auto& [id, measures] : rows)
      part->measures.push_back(measures.at(w));
  return part;
}

const instant now = parse_instant("2023-01-25T18:13:22.479220Z").value();

report_request asking(column_set columns, std::string estimator = "nearest") {
  report_request request;
  request.estimator = std::move(estimator);
  request.columns = columns;
  return request;
}

std::string written(const report_request& request, const report_parts& parts) {
  return write_csv(request, resolve(request, now).value(), parts);
}

measure known(int64_t scheduled, int64_t uptime, int64_t downtime) {
  measure m;
  m.scheduled = scheduled;
  m.uptime = uptime;
  m.downtime = downtime;
  return m;
}

/// Rows that say nothing but their ids.
std::vector<store_row> rows_of(const std::vector<std::string>& ids) {
  std::vector<store_row> rows;
  for (const auto& id : ids)
    rows.emplace_back(id, std::vector<measure>(3));
  return rows;
}

/// The store ids of a report's rows.
std::vector<std::string> ids_in(const std::string& csv) {
  std::vector<std::string> ids;
  for (const auto& record : test::read_csv(csv))
    ids.push_back(record.front());
  REQUIRE_FALSE(ids.empty());
  ids.erase(ids.begin());
  return ids;
}

/// Cuts rows at random into parts, in random order; some are empty.
report_parts random_parts(std::vector<store_row> rows, std::mt19937_64& random) {
  std::shuffle(rows.begin(), rows.end(), random);
  report_parts parts;
  for (size_t from = 0; from < rows.size();) {
    const auto to = std::min(rows.size(), from + random() % 9);
    parts.push_back(part_of(
        {rows.begin() + static_cast<std::ptrdiff_t>(from), rows.begin() + static_cast<std::ptrdiff_t>(to)}));
    from = to;
  }
  return parts;
}

bool less_by_bytes(const std::string& a, const std::string& b) {
  const auto as_byte = [](char c) { return static_cast<unsigned char>(c); };
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [&](char x, char y) { return as_byte(x) < as_byte(y); });
}

} // namespace

TEST_CASE("a length has at most two decimals, half to even, without trailing zeros") {
  CHECK(rounded(0, minute) == "0");
  CHECK(rounded(60 * minute, minute) == "60");
  CHECK(rounded(100 * hour, hour) == "100");
  CHECK(rounded(104 * minute + 30 * second, minute) == "104.5");
  CHECK(rounded(104 * minute + 30 * second, hour) == "1.74");
  CHECK(rounded(minute / 10 + minute, minute) == "1.1");
  CHECK(rounded(minute / 100 + minute, minute) == "1.01");
  // Halves of a hundredth of a minute: 0.3 s.
  CHECK(rounded(300'000, minute) == "0");
  CHECK(rounded(300'001, minute) == "0.01");
  CHECK(rounded(900'000, minute) == "0.02");
  CHECK(rounded(1'500'000, minute) == "0.02");
  CHECK(rounded(1'499'999, minute) == "0.02");
  CHECK(rounded(2'100'000, minute) == "0.04");
  // Just below a whole one.
  CHECK(rounded(minute - 300'000, minute) == "1");
  CHECK(rounded(minute - 300'001, minute) == "0.99");
  CHECK(rounded(168 * hour - 1, hour) == "168");
}

TEST_CASE("rounding agrees with long division for lengths up to a century") {
  std::mt19937_64 random(1);
  size_t halves = 0;
  for (int i = 0; i < 200'000; ++i) {
    const auto unit = i % 2 ? minute : hour;
    const auto magnitude = static_cast<int64_t>(uint64_t{1} << (1 + random() % 51));
    auto us = static_cast<int64_t>(random() % static_cast<uint64_t>(magnitude));
    if (i % 3 == 0) {
      us = us / (unit / 200) * (unit / 200); // a whole number of half hundredths
      halves += us % (unit / 100) != 0;
    }
    CAPTURE(us, unit);
    REQUIRE(rounded(us, unit) == rounded_by_hand(us, unit));
  }
  CHECK(halves > 10'000);
}

TEST_CASE("seconds have exactly six decimals") {
  CHECK(in_seconds(0) == "0.000000");
  CHECK(in_seconds(1) == "0.000001");
  CHECK(in_seconds(100'000) == "0.100000");
  CHECK(in_seconds(604'800 * second) == "604800.000000");
  std::mt19937_64 random(2);
  for (int i = 0; i < 50'000; ++i) {
    const auto us = static_cast<int64_t>(random() >> (1 + random() % 60));
    auto expected = std::to_string(us);
    expected.insert(0, expected.size() < 7 ? 7 - expected.size() : 0, '0');
    expected.insert(expected.size() - 6, ".");
    REQUIRE(in_seconds(us) == expected);
  }
}

TEST_CASE("a field is quoted where it must be, and reads back") {
  CHECK(field("8419537941919820732") == "8419537941919820732");
  CHECK(field("two words; it's") == "two words; it's");
  CHECK(field("a,b") == "\"a,b\"");
  CHECK(field("a\"b") == "\"a\"\"b\"");
  CHECK(field("a\nb") == "\"a\nb\"");
  CHECK(field("a\rb") == "\"a\rb\"");
  CHECK(field("\"") == "\"\"\"\"");
  std::mt19937_64 random(3);
  for (int i = 0; i < 5000; ++i) {
    std::string content;
    for (auto n = 1 + random() % 8; n > 0; --n)
      content += std::string_view("a,\"\r\n '=\0\xff", 10)[random() % 10];
    REQUIRE(test::read_csv("x," + field(content) + ",y\n") ==
            std::vector<std::vector<std::string>>{{"x", content, "y"}});
  }
}

TEST_CASE("an id that a spreadsheet would run gets a leading quote unless ids are asked for raw") {
  const auto id_field = [](const std::string& id, bool raw) {
    auto request = asking(column_set::loop);
    request.raw_ids = raw;
    const auto text = written(request, {part_of(rows_of({id}))});
    const auto row = text.substr(text.find("downtime_last_week\n") + 19);
    return row.substr(0, row.rfind(",0,0,0,0,0,0\n"));
  };
  for (const std::string begin : {"=", "+", "-", "@"}) {
    CHECK(id_field(begin + "1", false) == "'" + begin + "1");
    CHECK(id_field(begin + "1", true) == begin + "1");
    CHECK(id_field(begin, false) == "'" + begin);
  }
  CHECK(id_field("\t1", false) == "'\t1");
  CHECK(id_field("\t1", true) == "\t1");
  CHECK(id_field("\r1", false) == "\"'\r1\"");
  CHECK(id_field("\r1", true) == "\"\r1\"");
  CHECK(id_field("=\"a\",b", false) == "\"'=\"\"a\"\",b\"");
  CHECK(id_field("=\"a\",b", true) == "\"=\"\"a\"\",b\"");
  for (const std::string harmless : {"1=2", "a-b", "'x", " =1", "\n=1", "\xef\xbc\x9d"})
    CHECK(id_field(harmless, false) == field(harmless));
}

TEST_CASE("the loop columns are minutes for the hour and hours for day and week") {
  const auto part = part_of({
      {"7",
       {known(hour, 30 * minute, 15 * minute + 30 * second), known(24 * hour, 6 * hour, hour / 4),
        known(168 * hour, 100 * hour, 67 * hour + 20 * minute)}},
      {"10", {known(0, 0, 0), known(hour, 0, 0), known(2 * hour, hour, hour)}},
  });
  CHECK(written(asking(column_set::loop), {part}) ==
        "store_id,uptime_last_hour,uptime_last_day,uptime_last_week,"
        "downtime_last_hour,downtime_last_day,downtime_last_week\n"
        "10,0,0,1,0,0,1\n"
        "7,30,6,100,15.5,0.25,67.33\n");
}

TEST_CASE("the full columns are seconds, window after window, with what the report is of") {
  auto request = asking(column_set::full);
  request.windows.push_back(parse_window("lunch_24=2023-01-24T17:00:00Z..2023-01-24T19:00:00Z").value());
  request.windows.push_back(parse_window("a=2023-01-20T00:00:00Z..2023-01-21T00:00:00Z").value());
  std::string header = "store_id,as_of,estimator,scope";
  for (const std::string w : {"last_hour", "last_day", "last_week", "lunch_24", "a"})
    for (const auto* column :
         {"scheduled_s", "uptime_s", "downtime_s", "unknown_s", "excluded_s", "imputed_s", "observations"})
      header += "," + w + "_" + column;
  auto day = known(24 * hour, 6 * hour + 1, hour);
  day.excluded = 2 * hour;
  day.observations = 23;
  const auto part = part_of(
      {{"a,b", {known(hour, hour, 0), day, known(0, 0, 0), known(hour, 0, hour), known(second, 0, 0)}}});
  CHECK(written(request, {part}) ==
        header + "\n\"a,b\",2023-01-25T18:13:22.479220Z,nearest,session"
                 ",3600.000000,3600.000000,0.000000,0.000000,0.000000,0.000000,0"
                 ",86400.000000,21600.000001,3600.000000,53999.999999,7200.000000,0.000000,23"
                 ",0.000000,0.000000,0.000000,0.000000,0.000000,0.000000,0"
                 ",3600.000000,0.000000,3600.000000,0.000000,0.000000,0.000000,0"
                 ",1.000000,0.000000,0.000000,1.000000,0.000000,0.000000,0\n");
  request.windows.clear();
  request.scope = observation_scope::all;
  const auto plain = write_csv(request, resolve(request, test::at("2023-01-25T18:13:22Z")).value(), {});
  CHECK(plain == header.substr(0, header.find(",lunch_24")) + "\n");
  const auto row = write_csv(request, resolve(request, test::at("2023-01-25T18:13:22Z")).value(),
                             {part_of(rows_of({"1"}))});
  CHECK_THAT(row, Catch::Contains("\n1,2023-01-25T18:13:22.000000Z,nearest,all,"));
}

TEST_CASE("what waits for the fleet is filled with the ratio of all parts") {
  measure m = known(4 * hour, hour, 0);
  m.imputed = 2 * hour;
  m.horizon_active = 3;
  m.horizon_observed = 4;
  measure other;
  other.horizon_active = 2;
  other.horizon_observed = 6;
  const auto text = written(asking(column_set::full, "capped_nearest"),
                            {part_of({{"1", {m, m, m}}}), part_of({{"2", {other, other, other}}})});
  // R = 5/10; 2 h * (3 + 4 R) / (4 + 4) = 1.25 h
  CHECK_THAT(text,
             Catch::Contains("\n1,2023-01-25T18:13:22.479220Z,capped_nearest,session,"
                             "14400.000000,8100.000000,2700.000000,3600.000000,0.000000,7200.000000,0,"));
}

TEST_CASE("the same rows in any parts, in any order, give the same bytes") {
  std::mt19937_64 random(4);
  const auto below = [&](int64_t n) { return static_cast<int64_t>(random() % static_cast<uint64_t>(n)); };
  for (const std::string estimator : {"capped_nearest", "linear", "poll_count"}) {
    std::vector<store_row> rows;
    for (int i = 0; i < 80; ++i) {
      std::vector<measure> of_windows(3);
      for (auto& m : of_windows) {
        m.uptime = below(hour);
        m.downtime = below(hour);
        m.imputed = below(hour);
        m.scheduled = m.uptime + m.downtime + m.imputed + below(hour);
        m.horizon_observed = 1 + below(200);
        m.horizon_active = below(m.horizon_observed + 1);
      }
      rows.emplace_back("store" + std::to_string(i * 7919 % 1000), std::move(of_windows));
    }
    for (const auto columns : {column_set::loop, column_set::full}) {
      const auto request = asking(columns, estimator);
      const auto expected = written(request, {part_of(rows)});
      CHECK(test::read_csv(expected).size() == 81);
      for (int i = 0; i < 20; ++i)
        REQUIRE(written(request, random_parts(rows, random)) == expected);
    }
  }
}

TEST_CASE("rows come in byte order of id, also where ids share their beginnings") {
  using std::string;
  const std::vector<string> expected{string("\0", 1),
                                     string("\0\0", 2),
                                     "1",
                                     "10",
                                     "12345678",
                                     string("12345678\0", 9),
                                     "123456780",
                                     "123456789",
                                     "12345679",
                                     "2",
                                     "a",
                                     string("a\0", 2),
                                     string("a\0\0\0\0\0\0\0", 8),
                                     string("a\0\0\0\0\0\0\0\0", 9),
                                     string("a\0b", 3),
                                     "a\x01",
                                     "a\x7f",
                                     "a\x80",
                                     "a\xff",
                                     "b",
                                     "\x7f",
                                     "\x80",
                                     "\xff",
                                     "\xff\xff"};
  REQUIRE(std::is_sorted(expected.begin(), expected.end(), less_by_bytes));
  std::mt19937_64 random(5);
  for (int i = 0; i < 50; ++i)
    REQUIRE(ids_in(written(asking(column_set::loop), random_parts(rows_of(expected), random))) == expected);
}

TEST_CASE("random ids come in byte order, none lost") {
  std::mt19937_64 random(6);
  auto request = asking(column_set::loop);
  request.raw_ids = true;
  for (int round = 0; round < 60; ++round) {
    std::set<std::string> ids;
    for (auto n = random() % 200; n > 0; --n) {
      std::string id = random() % 2 ? "12345678" : "";
      for (auto length = 1 + random() % 9; length > 0; --length)
        id += static_cast<char>(random() % (random() % 2 ? 4 : 256));
      ids.insert(id);
    }
    std::vector<std::string> expected(ids.begin(), ids.end());
    std::sort(expected.begin(), expected.end(), less_by_bytes);
    REQUIRE(ids_in(written(request, random_parts(rows_of(expected), random))) == expected);
  }
}

TEST_CASE("the pieces of a text, however many, are together the whole") {
  std::mt19937_64 random(12);
  const auto request = asking(column_set::loop);
  const auto spec = resolve(request, now).value();
  for (int round = 0; round < 60; ++round) {
    std::set<std::string> ids;
    for (auto n = random() % 300; n > 0; --n)
      ids.insert((random() % 2 ? "a common beginning " : "") + std::to_string(random() % 1000));
    report_parts parts;
    std::vector<std::vector<std::string>> dealt(1 + random() % 9);
    for (const auto& id : ids)
      dealt[random() % dealt.size()].push_back(id);
    for (const auto& of_part : dealt)
      parts.push_back(part_of(rows_of(of_part)));
    const auto whole = write_csv(request, spec, parts);
    REQUIRE(ids_in(whole) == std::vector<std::string>(ids.begin(), ids.end()));
    const auto pieces = 1 + random() % 40;
    const report::csv_text text(request, spec, parts, pieces);
    REQUIRE(text.pieces() == pieces);
    std::string joined;
    size_t longest = 0;
    for (size_t n = 0; n < pieces; ++n) {
      const auto piece = text.piece(n);
      longest = std::max(longest, piece.size());
      joined += piece;
    }
    CAPTURE(round, ids.size(), pieces);
    REQUIRE(joined == whole);
    CHECK(longest <= whole.size() / pieces * 3 + 1000);
  }
}
