/// From a client's body in any of the three forms to batches.
#include "storemon/ingest/body_parser.hpp"

#include "support/damage.hpp"
#include "support/naive_csv.hpp"
#include "support/results.hpp"

#include <catch2/catch.hpp>

#include <limits>
#include <map>
#include <random>

using namespace storemon;
using namespace storemon::ingest;
using namespace std::string_literals;
using protocol::body_format;

namespace {

constexpr uint32_t partitions = 7;
constexpr auto all_forms = {body_format::csv, body_format::json, body_format::ndjson};
const std::string header = "store_id,status,timestamp_utc\n";
const std::string poll_time = "2023-01-22 12:09:39.388884 UTC";

/// What a body holds, with the parts checked and taken apart.
struct outcome {
  std::vector<naive::row> rows; // sorted
  rejects rejected;
  size_t parts = 0;
};

outcome read(body_format format, std::string_view body, const body_limits& limits = {}) {
  auto got = read_body(format, body, partitions, limits);
  REQUIRE(got);
  batch_collector batches;
  batches.partitions = partitions;
  uint32_t next = 0;
  for (const auto& part : got->parts) {
    CHECK(part.partition >= next); // ascending, each once
    next = part.partition + 1;
    batches(part.partition, part.rows);
  }
  CHECK(batches.sound);
  CHECK(batches.rows.size() == got->rows);
  std::sort(batches.rows.begin(), batches.rows.end());
  return {batches.rows, got->rejected, got->parts.size()};
}

error refusal(body_format format, std::string_view body, const body_limits& limits = {}) {
  const auto got = read_body(format, body, partitions, limits);
  REQUIRE_FALSE(got);
  return got.error();
}

/// The reason why the one row of a JSON body is rejected; nothing when it is taken. The same as a line.
std::optional<reject_reason> reject_of(const std::string& object) {
  const auto in_array = read(body_format::json, "[" + object + "]");
  const auto alone = read(body_format::json, object);
  const auto line = read(body_format::ndjson, object + "\n");
  CHECK(in_array.rows == line.rows);
  CHECK(in_array.rows == alone.rows);
  CHECK(in_array.rejected.count == line.rejected.count);
  CHECK(in_array.rejected.count == alone.rejected.count);
  CHECK(in_array.rows.size() + in_array.rejected.total() == 1);
  if (in_array.rejected.samples.empty())
    return std::nullopt;
  CHECK(in_array.rejected.samples[0].text == object.substr(0, 200));
  return in_array.rejected.samples[0].reason;
}

std::string object(const std::string& id, const std::string& status = "\"active\"",
                   const std::string& time = "\"" + poll_time + "\"") {
  return "{\"store_id\":" + id + ",\"status\":" + status + ",\"timestamp_utc\":" + time + "}";
}

/// The id that a JSON id is read as.
std::string id_of(const std::string& json_id) {
  const auto got = read(body_format::json, object(json_id));
  REQUIRE(got.rows.size() == 1);
  return std::get<0>(got.rows[0]);
}

constexpr auto accepted = std::nullopt;

/// A row as three texts, and whether it is written so that it is rejected.
struct drawn_row {
  std::string id, status, time;
};

std::vector<drawn_row> draw_rows(std::mt19937_64& random) {
  static const std::vector<std::string> ids{"7",
                                            "007",
                                            "a,b",
                                            "a\"b",
                                            "two\nlines",
                                            "\t",
                                            "Zürich",
                                            "\\u0041",
                                            "18446744073709551616",
                                            std::string(128, 'L'),
                                            std::string(129, 'L'),
                                            ""};
  static const std::vector<std::string> statuses{"active", "inactive", "ACTIVE", "Inactive", "open", ""};
  std::vector<drawn_row> rows(1 + random() % 60);
  for (auto& row : rows) {
    row.id = random() % 3 == 0 ? ids[random() % ids.size()] : std::to_string(random() % 50);
    row.status = statuses[random() % (random() % 4 == 0 ? statuses.size() : 2)];
    row.time = "2023-01-" + std::to_string(10 + random() % 25) + "T12:" + std::to_string(10 + random() % 55) +
               ":00" + (random() % 2 == 0 ? "." + std::to_string(random() % 1'000'000'000) : "") +
               (random() % 3 == 0   ? "Z"
                : random() % 3 == 0 ? "+05:30"
                                    : " UTC");
  }
  return rows;
}

std::string csv_of(const std::vector<drawn_row>& rows) {
  const auto quoted = [](const std::string& text) {
    std::string out = "\"";
    for (const char c : text)
      out += c == '"' ? "\"\""s : std::string(1, c);
    return out + "\"";
  };
  auto text = header;
  for (const auto& row : rows)
    text += quoted(row.id) + "," + row.status + "," + row.time + "\n";
  return text;
}

/// A JSON string, with some characters escaped that need not be.
std::string json_string(const std::string& text, std::mt19937_64& random) {
  constexpr auto hex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      (out += '\\') += c;
    else if (byte < 0x20 || (byte < 0x80 && random() % 16 == 0))
      (out += "\\u00"s) += {hex[byte >> 4], hex[byte & 15]};
    else
      out += c;
  }
  return out + "\"";
}

std::string json_object(const drawn_row& row, std::mt19937_64& random) {
  const auto space = [&] { return std::string(random() % 3 == 0 ? " " : ""); };
  const bool number = !row.id.empty() && row.id.size() < 30 && row.id[0] != '0' &&
                      row.id.find_first_not_of("0123456789") == std::string::npos && random() % 2 == 0;
  std::vector<std::string> fields{json_string("store_id", random) + space() + ":" + space() +
                                      (number ? row.id : json_string(row.id, random)),
                                  json_string("status", random) + ":" + json_string(row.status, random),
                                  json_string("timestamp_utc", random) + ":" + json_string(row.time, random)};
  std::shuffle(fields.begin(), fields.end(), random);
  return "{" + space() + fields[0] + space() + "," + space() + fields[1] + "," + fields[2] + space() + "}";
}

} // namespace

TEST_CASE("the same rows in the three forms give the same batches and the same rejects") {
  std::mt19937_64 random(5);
  uint64_t taken = 0;
  uint64_t rejected = 0;
  for (int round = 0; round < 2'000; ++round) {
    const auto rows = draw_rows(random);
    std::string array = "[";
    std::string lines;
    for (const auto& row : rows) {
      const auto one = json_object(row, random);
      array += (array.size() > 1 ? (random() % 2 == 0 ? "," : " ,\n ") : "") + one;
      lines += one + (random() % 4 == 0 ? " \r\n\n" : "\n");
    }
    const auto csv = read(body_format::csv, csv_of(rows));
    const auto json = read(body_format::json, array + "]");
    const auto ndjson = read(body_format::ndjson, lines);
    REQUIRE(json.rows == csv.rows);
    REQUIRE(ndjson.rows == csv.rows);
    REQUIRE(json.rejected.count == csv.rejected.count);
    REQUIRE(ndjson.rejected.count == csv.rejected.count);
    REQUIRE(csv.rows.size() + csv.rejected.total() == rows.size());
    REQUIRE(csv.parts == json.parts);
    taken += csv.rows.size();
    rejected += csv.rejected.total();
  }
  CHECK(taken > 20'000);
  CHECK(rejected > 5'000);
}

TEST_CASE("a CSV body is read as the status feed is") {
  const auto text =
      "1,active," + poll_time + "\n\n\"2\",INACTIVE,2023-01-22T12:09:39Z\r\nbroken\n3,\"active\n";
  const auto got = read(body_format::csv, "\xef\xbb\xbf" + header + text);
  const auto expected = naive::parse(status_layout, text, 1);
  CHECK(got.rows == expected.rows);
  REQUIRE(got.rejected.samples.size() == 2);
  CHECK(got.rejected.samples[0].line == 5);
  CHECK(got.rejected.samples[0].reason == reject_reason::too_few_fields);
  CHECK(got.rejected.samples[1].line == 6);
}

TEST_CASE("a CSV body names its columns in any order") {
  const auto got =
      read(body_format::csv, "\n\ntimestamp_utc,more,store_id,status\n" + poll_time + ",x,1,active\n");
  REQUIRE(got.rows.size() == 1);
  CHECK(std::get<0>(got.rows[0]) == "1");
}

TEST_CASE("a CSV body without the columns is refused and says which are missing") {
  const auto why = refusal(body_format::csv, "store_id,status,timestamp\n1,active," + poll_time);
  CHECK(why.code == errc::invalid_argument);
  CHECK(why.detail == "the status feed's header lacks: timestamp_utc");
  for (const auto* text : {"", "\n\r\n", "\"store_id"})
    CHECK(refusal(body_format::csv, text).code == errc::invalid_argument);
}

TEST_CASE("a long CSV body, cut into pieces, is read as one") {
  std::string text;
  for (int i = 0; i < 60'000; ++i)
    text += std::to_string(i % 977) + ",active," + poll_time + (i % 100 == 0 ? "x\n" : "\n");
  text += std::string(3 << 20, 'x') + "\n1,active," + poll_time + "\n";
  const auto got = read(body_format::csv, header + text);
  const auto expected = naive::parse(status_layout, text, 1);
  CHECK(got.rows == expected.rows);
  CHECK(std::equal(got.rejected.count.begin(), got.rejected.count.end(), expected.counts.begin()));
  REQUIRE(got.rejected.samples.size() == expected.rejects.size());
  for (size_t i = 0; i < expected.rejects.size(); ++i)
    CHECK(got.rejected.samples[i].line == expected.rejects[i].line);
}

TEST_CASE("a body without a record is refused") {
  for (const auto& [format, text] :
       {std::pair(body_format::csv, header), std::pair(body_format::json, "[]"s),
        std::pair(body_format::json, " [ ] \n"s), std::pair(body_format::ndjson, ""s),
        std::pair(body_format::ndjson, "\n \r\n\t"s)}) {
    const auto why = refusal(format, text);
    CHECK(why.code == errc::invalid_argument);
    CHECK(why.detail == "the body holds no observation");
  }
}

TEST_CASE("a body of only rejected records is none that is refused") {
  const auto got = read(body_format::ndjson, "x\ny\n");
  CHECK(got.rows.empty());
  CHECK(got.rejected.total() == 2);
}

TEST_CASE("a body may have as many records as the limit and not one more, rejected ones counted") {
  for (const auto format : all_forms)
    for (const size_t records : {9, 10, 11}) {
      std::string text = format == body_format::csv ? header : format == body_format::json ? "[" : "";
      for (size_t i = 0; i < records; ++i) {
        if (format == body_format::csv)
          text += std::to_string(i) + ",active," + (i % 3 == 0 ? "never" : poll_time) + "\n";
        else
          text += (format == body_format::json && i > 0 ? "," : "") + object(std::to_string(i)) + "\n";
      }
      if (format == body_format::json)
        text += "]";
      const auto got = read_body(format, text, partitions, {.records_max = 10});
      REQUIRE(got.has_value() == (records <= 10));
      if (!got)
        CHECK(got.error().code == errc::too_large);
    }
}

TEST_CASE("an observation later than the latest is rejected, in any form") {
  const auto latest = parse_instant("2023-01-22 12:00:00 UTC").value();
  const auto at = [](const std::string& id, const std::string& time) {
    return object(id, "\"active\"", "\"" + time + "\"");
  };
  const auto just = "2023-01-22 12:00:00.000000 UTC"s;
  const auto after = "2023-01-22 12:00:00.000001 UTC"s;
  std::string csv = header;
  for (int i = 0; i < 10; ++i) // the first lines go the quick way, the last ones do not
    csv += "1,active," + just + "\n2,active," + after + "\n";
  const auto from_csv = read(body_format::csv, csv, {.latest = latest});
  CHECK(from_csv.rows.size() == 10);
  CHECK(from_csv.rejected.count[static_cast<size_t>(reject_reason::in_the_future)] == 10);
  const auto from_json =
      read(body_format::json, "[" + at("1", just) + "," + at("2", after) + "]", {.latest = latest});
  CHECK(from_json.rows.size() == 1);
  CHECK(from_json.rejected.count[static_cast<size_t>(reject_reason::in_the_future)] == 1);
}

TEST_CASE("a JSON id may be a number, whose digits are kept") {
  for (const auto* id :
       {"0", "7", "-5", "-0", "8419537941919820732", "9223372036854775807", "9223372036854775808",
        "18446744073709551615", "18446744073709551616", "123456789012345678901234567890"})
    CHECK(id_of(id) == id);
  CHECK(id_of("\"007\"") == "007");
  const auto digits = std::string(128, '9');
  CHECK(id_of(digits) == digits);
  CHECK(reject_of(object(digits + "9")) == reject_reason::bad_store_id);
}

TEST_CASE("a JSON id that is no text and no whole number is rejected") {
  for (const auto* id :
       {"1.0", "1e3", "-1.5", "1E400", "true", "null", "[]", "[\"1\"]", "{}", "{\"store_id\":\"1\"}", "\"\""})
    CHECK(reject_of(object(id)) == reject_reason::bad_store_id);
}

TEST_CASE("other fields of another type are bad ones") {
  for (const auto* status :
       {"1", "true", "null", "[]", "[\"active\"]", "{\"status\":\"active\"}", "\"\"", "\"open\""})
    CHECK(reject_of(object("\"1\"", status)) == reject_reason::bad_status);
  for (const auto* time :
       {"1674389379", "1674389379.5", "null", "\"\"", "\"never\"", "[\"2023-01-22T12:00:00Z\"]"})
    CHECK(reject_of(object("\"1\"", "\"active\"", time)) == reject_reason::bad_timestamp);
}

TEST_CASE("escapes in JSON texts are read") {
  CHECK(id_of(R"("\u0041\u00e9\ud83d\ude00")") == "A\xc3\xa9\xf0\x9f\x98\x80");
  CHECK(id_of(R"("\"\\\/\b\f\n\r\t")") == "\"\\/\b\f\n\r\t");
  CHECK(id_of(R"("a\u0000b")") == "a\0b"s);
  CHECK(reject_of(object("\"1\"", R"("\u0061ctive")")) == accepted);
  CHECK(reject_of(R"({"\u0073tore_id":"1","st\u0061tus":"active","timestamp_utc":"2023-01-22T12:00:00Z"})") ==
        accepted);
  const auto long_id = std::string(127, 'x');
  CHECK(id_of("\"" + long_id + "\\u0041\"") == long_id + "A");
  CHECK(reject_of(object("\"" + long_id + "\\u0041\\u0041\"")) == reject_reason::bad_store_id);
  CHECK(reject_of(object("\"\\u0041" + std::string(100'000, 'y') + "\"").substr(0, 50) +
                  "\",\"status\":\"active\"}") == reject_reason::too_few_fields);
}

TEST_CASE("a JSON object has each of the three fields once and no others") {
  const auto time = "\"timestamp_utc\":\"2023-01-22T12:00:00Z\""s;
  CHECK(reject_of("{}") == reject_reason::too_few_fields);
  CHECK(reject_of("{\"store_id\":\"1\",\"status\":\"active\"}") == reject_reason::too_few_fields);
  CHECK(reject_of("{\"store_id\":\"1\",\"status\":\"active\"," + time + ",\"zone\":\"UTC\"}") ==
        reject_reason::unknown_field);
  CHECK(reject_of("{\"store_id\":\"1\",\"status\":\"active\",\"timestamp\":\"2023-01-22T12:00:00Z\"}") ==
        reject_reason::unknown_field);
  CHECK(reject_of("{\"STORE_ID\":\"1\",\"status\":\"active\"," + time + "}") == reject_reason::unknown_field);
  CHECK(reject_of("{\"\":{\"store_id\":[1,{\"status\":2}]},\"store_id\":\"1\",\"status\":\"active\"," + time +
                  "}") == reject_reason::unknown_field);
  CHECK(reject_of("{\"store_id\":\"1\",\"store_id\":\"1\",\"status\":\"active\"," + time + "}") ==
        reject_reason::repeated_field);
  CHECK(reject_of("{\"store_id\":\"1\",\"status\":\"active\"," + time + ",\"status\":\"active\"}") ==
        reject_reason::repeated_field);
}

TEST_CASE("elements of a JSON array that are no objects are rejected by themselves") {
  const auto got = read(body_format::json, "[1, \"store_id\", null, true, -1.5, [" + object("\"1\"") + "], " +
                                               object("\"1\"") + " , {}]");
  CHECK(got.rows.size() == 1);
  CHECK(got.rejected.count[static_cast<size_t>(reject_reason::not_an_object)] == 6);
  REQUIRE(got.rejected.samples.size() == 7);
  CHECK(got.rejected.samples[1].text == "\"store_id\"");
  CHECK(got.rejected.samples[6].line == 8);
  CHECK(got.rejected.samples[6].reason == reject_reason::too_few_fields);
}

TEST_CASE("JSON that is not well formed refuses the whole body and says where") {
  const auto good = object("\"1\"");
  for (const auto& text : {"["s,
                           "["s + good,
                           "[" + good + ",",
                           "[" + good + ",]",
                           "[" + good + " " + good + "]",
                           good + good,
                           "[" + good + "]]",
                           "[" + good + "] x",
                           ""s,
                           " "s,
                           "{"s,
                           "nonsense"s,
                           "[" + good + ",{\"store_id\":\"2\"]",
                           "[{\"store_id\":01}]"s,
                           "[{'store_id':1}]"s,
                           "[\"\xff\"]"s,
                           "[\"\\ud800\"]"s,
                           "[\"line\nfeed\"]"s,
                           "[/* comment */]"s,
                           "[NaN]"s,
                           std::string(100, '['),
                           good + "\0"s}) {
    CAPTURE(text);
    const auto why = refusal(body_format::json, text);
    CHECK(why.code == errc::invalid_argument);
    CHECK_THAT(why.detail, Catch::StartsWith("the body is not well-formed JSON: "));
  }
  CHECK_THAT(refusal(body_format::json, "[\n" + good + ",\n  {\"a\" 5}]").detail,
             Catch::EndsWith("(line 3, column 8)"));
}

TEST_CASE("a broken line of NDJSON is rejected with its number, and the others are taken") {
  const auto good = object("\"1\"");
  const auto got =
      read(body_format::ndjson, good + "\n{\"store_id\":\n\n" + good + "x\r\n" + good + "," + good + "\n[" +
                                    good + "]\n" + std::string(record_bytes_max + 1, ' ') + "\n{\"a\":\"" +
                                    std::string(record_bytes_max, 'a') + "\"}\n\xff\n" + good);
  CHECK(got.rows.size() == 2);
  const auto& samples = got.rejected.samples;
  REQUIRE(samples.size() == 6);
  const std::vector<std::pair<uint64_t, reject_reason>> expected{
      {2, reject_reason::bad_json},      {4, reject_reason::bad_json},      {5, reject_reason::bad_json},
      {6, reject_reason::not_an_object}, {8, reject_reason::line_too_long}, {9, reject_reason::bad_json}};
  for (size_t i = 0; i < expected.size(); ++i)
    CHECK(std::pair(samples[i].line, samples[i].reason) == expected[i]);
  CHECK(samples[0].text == "{\"store_id\":");
}

TEST_CASE("texts with random damage never take more or fewer records than they have") {
  std::mt19937_64 random(9);
  const std::string damage = "{}[]\",:\\u0\n\r\t x1e-\xff\0"s;
  uint64_t refused = 0;
  uint64_t taken = 0;
  for (int round = 0; round < 20'000; ++round) {
    const auto rows = draw_rows(random);
    const auto format = round % 3 == 0   ? body_format::csv
                        : round % 3 == 1 ? body_format::json
                                         : body_format::ndjson;
    std::string text = format == body_format::csv ? csv_of(rows) : "";
    for (const auto& row : rows)
      if (format != body_format::csv)
        text += (text.empty()                  ? (format == body_format::json ? "[" : "")
                 : format == body_format::json ? ","
                                               : "\n") +
                json_object(row, random);
    if (format == body_format::json)
      text += "]";
    for (auto hits = random() % 4; hits > 0; --hits)
      test::damage_once(text, damage, random);
    if (!read_body(format, text, partitions, {})) {
      ++refused;
      continue;
    }
    const auto got = read(format, text); // checks the parts
    taken += got.rows.size();
    if (format == body_format::ndjson) {
      uint64_t lines = 0;
      for (size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        lines += text.substr(at, end - at).find_first_not_of(" \t\r") != std::string::npos;
        at = end + 1;
      }
      REQUIRE(got.rows.size() + got.rejected.total() == lines);
    }
  }
  CHECK(refused > 2'000);
  CHECK(taken > 100'000);
}
