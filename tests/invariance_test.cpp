/// The whole engine on a fleet's feeds made nasty: whatever the order of the rows, the number of partitions
/// and threads, and the size of what is read and sent, every report is the same to the byte.
#include "storemon/ingest/importer_actor.hpp"
#include "storemon/model/uuid.hpp"
#include "storemon/partition/shard_actor.hpp"
#include "storemon/synth/feed_files.hpp"

#include "support/csv_reader.hpp"
#include "support/instants.hpp"
#include "support/reports.hpp"
#include "support/results.hpp"
#include "support/scratch_directory.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <sstream>

using namespace storemon;
using namespace std::chrono_literals;
using protocol::feed_totals;

namespace {

/// A record of a feed, without its line end, and why it is rejected if it is.
struct record {
  std::string text;
  std::string reason{};
};

struct feed_text {
  std::string file;
  std::string header;
  std::vector<record> records;
};

/// The three feeds: zones, hours, status, in the order they are read.
using feeds = std::array<feed_text, 3>;

feed_text read_feed(const std::filesystem::path& directory, const std::string& file) {
  std::istringstream in(test::read_file(directory / file));
  feed_text feed{file, "", {}};
  std::getline(in, feed.header);
  for (std::string line; std::getline(in, line);)
    feed.records.push_back({line});
  REQUIRE(feed.records.size() > 100);
  return feed;
}

void add_nasty_zones(feed_text& zones, const std::vector<std::string>& ids) {
  for (size_t i = 0; i < ids.size(); i += 5) {
    zones.records.push_back({ids[i] + ",Europe/Paris"});
    zones.records.push_back({ids[i] + ",Mars/Olympus"});
    zones.records.push_back({ids[i] + ",Europe/Paris"});
  }
  for (const auto* text : {"\"comma, quote \"\"\",Asia/Tokyo", "\"two\nlines\",Asia/Kolkata",
                           "=1+1,Mars/Olympus\r", "only in zones,Asia/Beirut,and more,fields", "", "\r"})
    zones.records.push_back({text});
  zones.records.push_back({"alone", "too_few_fields"});
  zones.records.push_back({",Asia/Tokyo", "bad_store_id"});
  zones.records.push_back({"nowhere,", "bad_zone_name"});
  zones.records.push_back({"far," + std::string(65, 'z'), "bad_zone_name"});
}

void add_nasty_hours(feed_text& hours, const std::vector<std::string>& ids) {
  for (size_t i = 0; i < ids.size(); i += 7)
    for (const auto* row : {",0,22:00:00,03:00:00", ",1,02:00,9:30", ",1,9:30,12:00:00.5", ",2,00:00,24:00",
                            ",5,10:00:00,10:00:00", ",6,01:30,23:59:59", ",6,01:30,23:59:59"})
      hours.records.push_back({ids[i] + row});
  for (const auto* text :
       {"\"comma, quote \"\"\",4,\"08:00\",\"20:00\"", "only in hours,3,11:00,14:00\r", "", ""})
    hours.records.push_back({text});
  hours.records.push_back({"x,1,09:00", "too_few_fields"});
  for (const auto* day : {"7", "-1", "01", "", "Mon"})
    hours.records.push_back({std::string("x,") + day + ",09:00,17:00", "bad_day"});
  for (const auto* times : {"24:00,17:00", "09:00,24:01", "9,17:00", "09:60,17:00", ",", "09:00:00,17:00 "})
    hours.records.push_back({std::string("x,1,") + times, "bad_time"});
}

void add_nasty_polls(feed_text& status, std::mt19937_64& random) {
  const auto rows = status.records.size();
  const auto add = [&](std::string text, std::string reason = "") {
    status.records.push_back({std::move(text), std::move(reason)});
  };
  for (size_t i = 0; i < rows; i += 9)
    add(status.records[i].text);
  for (size_t i = 0; i < rows; i += 11) {
    auto text = status.records[random() % rows].text;
    const auto at = text.find(",active,");
    text.replace(text.find(','), at == std::string::npos ? 10 : 8,
                 at == std::string::npos ? ",active," : ",inactive,");
    add(text);
  }
  const std::vector<std::string> odd_ids{"\"comma, quote \"\"\"",
                                         "\"two\nlines\"",
                                         "=1+1",
                                         "-5",
                                         "@x",
                                         "a\"b",
                                         "12345678",
                                         "123456780",
                                         std::string("12345678\0", 9),
                                         "\xff\x80",
                                         std::string(128, 'L'),
                                         " ",
                                         "00012",
                                         "12"};
  for (const auto& id : odd_ids)
    for (int n = 0; n < 40; ++n) {
      const auto minute = std::to_string(10 + random() % 50);
      const auto day = std::to_string(18 + random() % 8);
      static constexpr const char* states[] = {"active", "inactive", "ACTIVE", "Inactive"};
      const std::string state = states[random() % 4];
      switch (random() % 5) {
      case 0: // the same instant as the next form's
        add(id + "," + state + ",2023-01-" + day + "T12:" + minute + ":00+02:00");
        break;
      case 1:
        add(id + "," + state + ",2023-01-" + day + " 10:" + minute + ":00 UTC");
        break;
      case 2:
        add(id + ",\"" + state + "\",\"2023-01-" + day + "T11:" + minute + ":00.1234567Z\"");
        break;
      case 3:
        add(id + "," + state + ",2023-01-" + day + " 11:" + minute + ":00.123456\r");
        break;
      default:
        add(id + "," + state + ",2023-01-" + day + " 0" + std::to_string(random() % 10) + ":30:00 UTC,more");
      }
    }
  for (int n = 0; n < 20; ++n)
    add(n % 2 ? "" : "\r");
  for (int n = 0; n < 30; ++n) {
    const auto id = "bad " + std::to_string(n);
    add(id, "too_few_fields");
    add(id + ",active", "too_few_fields");
    add(",active,2023-01-24 10:00:00 UTC", "bad_store_id");
    add("\"\",active,2023-01-24 10:00:00 UTC", "bad_store_id");
    add(id + ",open,2023-01-24 10:00:00 UTC", "bad_status");
    add(id + ",active,2023-13-24 10:00:00 UTC", "bad_timestamp");
    add(id + ",active,2023-02-29 10:00:00 UTC", "bad_timestamp");
    add(id + ",active,2023-01-24 10:00:00 CET", "bad_timestamp");
    add("\"" + id + "\"x,active,2023-01-24 10:00:00 UTC", "bad_quoting");
  }
  add(std::string(129, 'L') + ",active,2023-01-24 10:00:00 UTC", "bad_store_id");
  add("long" + std::string(70'000, 'x') + ",active,2023-01-24 10:00:00 UTC", "line_too_long");
  add("longer,active," + std::string(400'000, 'y'), "line_too_long");
}

feeds nasty_feeds() {
  const test::scratch_directory scratch;
  const auto fleet = synth::generate({.stores = 250, .days = 9, .polls_per_hour = 0.7, .seed = 11});
  REQUIRE(fleet);
  REQUIRE(synth::write_feeds(*fleet, scratch.path()));
  feeds made{read_feed(scratch.path(), "timezones.csv"), read_feed(scratch.path(), "menu_hours.csv"),
             read_feed(scratch.path(), "store_status.csv")};
  std::vector<std::string> ids;
  for (size_t i = 0; i < fleet->ids.size(); ++i)
    ids.emplace_back(fleet->ids[i]);
  std::mt19937_64 random(12);
  add_nasty_zones(made[0], ids);
  add_nasty_hours(made[1], ids);
  add_nasty_polls(made[2], random);
  return made;
}

feeds shuffled(feeds from, uint64_t seed) {
  std::mt19937_64 random(seed);
  for (auto& feed : from)
    std::shuffle(feed.records.begin(), feed.records.end(), random);
  return from;
}

std::string text_of(const feed_text& feed) {
  auto text = feed.header + "\n";
  for (const auto& r : feed.records)
    text += r.text + "\n";
  return text;
}

void write(const feeds& from, const test::scratch_directory& to) {
  for (const auto& feed : from)
    to.write(feed.file, text_of(feed));
}

/// What an import must say of a feed.
struct expected_rejects {
  uint64_t lines = 1; // the header's
  uint64_t records = 0;
  std::map<std::string, uint64_t> by_reason;
  std::vector<std::string> samples;
};

expected_rejects rejects_of(const feed_text& feed) {
  expected_rejects expected;
  for (const auto& [text, reason] : feed.records) {
    const auto line = expected.lines + 1;
    expected.lines += 1 + static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
    expected.records += !text.empty() && text != "\r";
    if (reason.empty())
      continue;
    ++expected.by_reason[reason];
    if (expected.samples.size() < 100)
      expected.samples.push_back("line " + std::to_string(line) + ": " + reason + ": " + text.substr(0, 200));
  }
  return expected;
}

/// Fails unless the totals are those of the feeds as written.
/// @returns accepted, duplicates and conflicts of each, which no order may change.
std::vector<int64_t> require_totals(const std::vector<feed_totals>& totals, const feeds& from) {
  std::vector<int64_t> rows;
  REQUIRE(totals.size() == from.size());
  for (size_t i = 0; i < from.size(); ++i) {
    const auto expected = rejects_of(from[i]);
    const auto& t = totals[i];
    CAPTURE(t.file);
    REQUIRE(t.file.ends_with(from[i].file));
    REQUIRE(t.bytes == text_of(from[i]).size());
    REQUIRE(t.lines == expected.lines);
    REQUIRE(t.rejected_by_reason == expected.by_reason);
    REQUIRE(t.reject_samples == expected.samples);
    REQUIRE(t.rejected + static_cast<uint64_t>(t.rows.accepted + t.rows.duplicates + t.rows.conflicts) ==
            expected.records);
    rows.insert(rows.end(), {t.rows.accepted, t.rows.duplicates, t.rows.conflicts});
  }
  return rows;
}

std::vector<report_request> all_requests() {
  auto requests = test::every_estimator_and_scope();
  for (auto request : test::every_estimator_and_scope()) {
    request.columns = column_set::full;
    request.windows.push_back(parse_window("past=2023-01-19T00:00:00Z..2023-01-20T12:00:00Z").value());
    requests.push_back(std::move(request));
  }
  requests.push_back(requests.front());
  requests.back().as_of = test::at("2023-01-22T10:30:00Z");
  return requests;
}

std::vector<std::string> all_reports(caf::actor_system& system,
                                     const protocol::coordinator_actor& coordinator,
                                     const protocol::weights_actor& weights) {
  test::fit_weights(system, weights);
  std::vector<std::string> texts;
  for (const auto& request : all_requests())
    texts.push_back(test::csv_of(system, coordinator, request));
  return texts;
}

/// Fails at the first report that is another; whole texts would bury the reader.
void require_same(const std::vector<std::string>& reports, const std::vector<std::string>& expected) {
  REQUIRE(reports.size() == expected.size());
  for (size_t i = 0; i < reports.size(); ++i) {
    if (reports[i] == expected[i])
      continue;
    const auto [mine, other] =
        std::mismatch(reports[i].begin(), reports[i].end(), expected[i].begin(), expected[i].end());
    const auto at = static_cast<size_t>(mine - reports[i].begin());
    const auto line = reports[i].rfind('\n', at) + 1;
    FAIL("report " << i << " differs in byte " << at << ": " << reports[i].substr(line, 200) << " instead of "
                   << expected[i].substr(std::min(line, expected[i].size()), 200));
  }
}

/// What one engine made of some feeds.
struct outcome {
  std::vector<std::string> reports;
  std::vector<int64_t> rows;
};

outcome outcome_of(const feeds& from, node::engine_options options) {
  const test::scratch_directory scratch;
  write(from, scratch);
  options.supervisor.import_directory = scratch.path().string();
  node::engine engine(std::move(options));
  REQUIRE(engine.wait_ready());
  outcome o{all_reports(engine.system(), engine.coordinator(), engine.weights()),
            require_totals(test::last_totals(engine), from)};
  // The same directory once more: nothing is new but the hours and zones, which replace what was.
  const auto again = node::ask<std::shared_ptr<const protocol::import_result>>(
      engine.system(), engine.supervisor(), protocol::import_atom_v);
  REQUIRE(again);
  REQUIRE((*again)->feeds.size() == 3);
  const auto& polls = (*again)->feeds[2].rows;
  CHECK(polls.accepted == 0);
  CHECK(polls.conflicts == 0);
  CHECK(polls.duplicates == o.rows[6] + o.rows[7] + o.rows[8]);
  require_same(all_reports(engine.system(), engine.coordinator(), engine.weights()), o.reports);
  return o;
}

const feeds& as_drawn() {
  static const auto drawn = nasty_feeds();
  return drawn;
}

const outcome& expected_outcome() {
  static const auto expected = outcome_of(as_drawn(), test::loading("", 64, 2));
  return expected;
}

/// The actors of an engine spawned one by one, for what an engine does not let be chosen.
class loose_actors {
public:
  loose_actors(uint32_t partitions, partition::slice_limits slices) : config_(2, false), system_(config_) {
    for (uint32_t p = 0; p < partitions; ++p)
      shards_.push_back(system_.spawn(partition::shard, partition::shard_options{slices}));
    report::coordinator_options options;
    options.now = node::system_now;
    options.new_id = random_uuid;
    coordinator_ = system_.spawn(report::coordinator, std::move(options));
    report::weights_options fits;
    fits.coordinator = coordinator_;
    fits.only_when_asked = true;
    fits.now = node::system_now;
    weights_ = caf::actor_cast<protocol::weights_actor>(system_.spawn(report::weights, std::move(fits)));
    caf::anon_send(coordinator_, protocol::placed_atom_v, shards_);
    caf::anon_send(weights_, protocol::placed_atom_v, shards_);
  }

  ~loose_actors() {
    caf::anon_send_exit(coordinator_, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(weights_, caf::exit_reason::user_shutdown);
    for (const auto& shard : shards_)
      caf::anon_send_exit(shard, caf::exit_reason::user_shutdown);
  }

  loose_actors(const loose_actors&) = delete;
  loose_actors& operator=(const loose_actors&) = delete;

  result<std::shared_ptr<const protocol::import_result>> import(ingest::importer_options options) {
    options.shards = shards_;
    const auto importer = system_.spawn<caf::detached>(ingest::importer, std::move(options));
    return node::ask<std::shared_ptr<const protocol::import_result>>(system_, importer,
                                                                     protocol::import_atom_v);
  }

  int64_t stores() {
    int64_t sum = 0;
    for (const auto& shard : shards_)
      sum += node::ask<protocol::census>(system_, shard, protocol::census_atom_v).value().stores;
    return sum;
  }

  caf::actor_system& system() { return system_; }

  const protocol::coordinator_actor& coordinator() const { return coordinator_; }

  const protocol::weights_actor& weights() const { return weights_; }

private:
  node::actor_config config_;
  caf::actor_system system_;
  std::vector<protocol::shard_actor> shards_;
  protocol::coordinator_actor coordinator_;
  protocol::weights_actor weights_;
};

const std::string status_header = "store_id,status,timestamp_utc\n";
const std::string hours_header = "store_id,day,start_time_local,end_time_local\n";
const std::string zones_header = "store_id,timezone_str\n";

report_request full_report(std::optional<instant> as_of = std::nullopt) {
  report_request request;
  request.columns = column_set::full;
  request.as_of = as_of;
  return request;
}

} // namespace

TEST_CASE("the nasty feeds have what they are to have, and every report speaks of every store") {
  const auto& expected = expected_outcome();
  // Zones, hours, status: accepted, duplicates, conflicts.
  CHECK(expected.rows[0] > 200);
  CHECK(expected.rows[1] >= 100);
  CHECK(expected.rows[2] == 0);
  CHECK(expected.rows[3] > 1000);
  CHECK(expected.rows[4] >= 36);
  CHECK(expected.rows[5] == 0);
  CHECK(expected.rows[6] > 10'000);
  CHECK(expected.rows[7] > 3000);
  CHECK(expected.rows[8] > 2000);
  CHECK(rejects_of(as_drawn()[2]).samples.size() == 100);
  CHECK(rejects_of(as_drawn()[2]).by_reason.size() == 6);
  constexpr size_t stores = 250 + 14 + 2;
  std::set<std::string> distinct;
  for (const auto& text : expected.reports) {
    CHECK(test::read_csv(text).size() == 1 + stores);
    distinct.insert(text);
  }
  CHECK(distinct.size() == expected.reports.size());
}

TEST_CASE("no order of the rows changes a report or a total") {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    const auto o = outcome_of(shuffled(as_drawn(), seed), test::loading("", 64, 2));
    require_same(o.reports, expected_outcome().reports);
    CHECK(o.rows == expected_outcome().rows);
  }
}

TEST_CASE("no number of partitions or threads changes a report or a total") {
  const std::vector<std::pair<uint32_t, size_t>> sizes{{1, 1},  {1, 4},   {2, 2},  {7, 4},
                                                       {64, 1}, {257, 2}, {257, 4}};
  for (const auto& [partitions, threads] : sizes) {
    CAPTURE(partitions, threads);
    auto options = test::loading("", partitions, threads);
    options.supervisor.shards.limits = {.stores_max = partitions + 1, .observations_max = 1000};
    const auto o = outcome_of(shuffled(as_drawn(), 100 + partitions), std::move(options));
    require_same(o.reports, expected_outcome().reports);
    CHECK(o.rows == expected_outcome().rows);
  }
}

TEST_CASE("no size of chunks, batches and slices changes a report or a total") {
  struct sizes {
    size_t chunk_bytes, rows_max, parsers, stores_max;
  };

  for (const auto& [chunk_bytes, rows_max, parsers, stores_max] :
       {sizes{64, 1, 3, 1}, sizes{1000, 3, 2, 2}, sizes{70'000, 100, 1, 7},
        sizes{1 << 24, 1 << 20, 4, 1000}}) {
    CAPTURE(chunk_bytes, rows_max, parsers, stores_max);
    const auto from = shuffled(as_drawn(), 200 + chunk_bytes);
    const test::scratch_directory scratch;
    write(from, scratch);
    loose_actors actors(5, {.stores_max = stores_max});
    const auto imported = actors.import({.directory = scratch.path().string(),
                                         .shards = {},
                                         .parsers = parsers,
                                         .chunk_bytes = chunk_bytes,
                                         .rows_max = rows_max});
    REQUIRE(imported);
    CHECK((*imported)->partitions_lost.empty());
    CHECK(require_totals((*imported)->feeds, from) == expected_outcome().rows);
    require_same(all_reports(actors.system(), actors.coordinator(), actors.weights()),
                 expected_outcome().reports);
  }
}

TEST_CASE("columns in another order, with others between, and other names of file and day say the same") {
  auto from = shuffled(as_drawn(), 300);
  const auto rewrite = [](feed_text& feed, const std::string& file, const std::string& header,
                          const std::vector<size_t>& order) {
    feed.file = file;
    feed.header = header;
    for (auto& [text, reason] : feed.records) {
      // Simple rows only; the rest keep their rejects in other tests.
      const auto records =
          text.find_first_of("\"\r\n") == std::string::npos && reason.empty() && !text.empty()
              ? test::read_csv(text + "\n")
              : std::vector<std::vector<std::string>>();
      text.clear();
      if (records.empty())
        continue;
      for (const auto column : order)
        text += (text.empty() ? "" : ",") + records.front().at(column);
    }
  };
  auto plain = from;
  rewrite(plain[0], "timezones.csv", "store_id,timezone_str", {0, 1});
  rewrite(plain[1], "menu_hours.csv", "store_id,day,start_time_local,end_time_local", {0, 1, 2, 3});
  rewrite(plain[2], "store_status.csv", "store_id,status,timestamp_utc", {0, 1, 2});
  auto other = from;
  rewrite(other[0], "store_timezone.csv", "timezone_str,x,store_id", {1, 0, 0});
  rewrite(other[1], "business_hours.csv",
          "\xef\xbb\xbf"
          "end_time_local,store_id,\"dayOfWeek\",start_time_local,x\r",
          {3, 0, 1, 2, 0});
  rewrite(other[2], "store_status.csv", "\ntimestamp_utc,status,x,store_id", {2, 1, 1, 0});
  const auto report_of = [](const feeds& written) {
    const test::scratch_directory scratch;
    write(written, scratch);
    node::engine engine(test::loading(scratch.path().string()));
    REQUIRE(engine.wait_ready());
    for (const auto& totals : test::last_totals(engine))
      CHECK(totals.rejected == 0);
    return test::csv_of(engine, full_report());
  };
  const auto expected = report_of(plain);
  CHECK(test::read_csv(expected).size() > 250);
  require_same({report_of(other)}, {expected});
}

TEST_CASE("a quote that never closes costs its own line and no other") {
  const test::scratch_directory scratch;
  auto text = status_header;
  text += "1,active,2023-01-24 10:00:00 UTC\n\"2,active,2023-01-24 10:00:00 UTC\n";
  constexpr int lines_after = 3000; // more than a record may have
  for (int i = 0; i < lines_after; ++i)
    text += "3,active,2023-01-24 10:00:00." + std::to_string(100'000 + i) + " UTC\n";
  scratch.write("store_status.csv", text);
  for (const size_t chunk_bytes : {100, 1'000'000}) {
    loose_actors actors(3, {});
    const auto imported =
        actors.import({.directory = scratch.path().string(), .shards = {}, .chunk_bytes = chunk_bytes});
    REQUIRE(imported);
    const auto& totals = (*imported)->feeds.at(0);
    CHECK(totals.rows.accepted == 1 + lines_after);
    CHECK(totals.lines == 3 + lines_after);
    CHECK(totals.rejected == 1);
    CHECK(totals.reject_samples ==
          std::vector<std::string>{"line 3: bad_quoting: \"2,active,2023-01-24 10:00:00 UTC"});
  }
}

TEST_CASE("a feed without a needed column refuses the import, and nothing of any feed is applied") {
  struct refusal {
    std::string file, header, told;
  };

  for (const auto& [file, header, told] :
       {refusal{"store_status.csv", "store_id,status,timestamp\n", "timestamp_utc"},
        refusal{"store_status.csv", "", "no header"}, refusal{"store_status.csv", "\n\r\n\n", "no header"},
        refusal{"menu_hours.csv", "store_id,weekday,start_time_local\n", "dayOfWeek, end_time_local"},
        refusal{"timezones.csv", "timezone_str;store_id\n", "store_id, timezone_str"},
        refusal{"timezones.csv", "store_id,timezone_str,store_id\n", "more than once: store_id"}}) {
    CAPTURE(file, header);
    const test::scratch_directory scratch;
    scratch.write("timezones.csv", zones_header + "1,Asia/Tokyo\n");
    scratch.write("menu_hours.csv", hours_header + "1,0,09:00,17:00\n");
    scratch.write("store_status.csv", status_header + "1,active,2023-01-24 10:00:00 UTC\n");
    scratch.write(file, header + "1,0,09:00,17:00\n");
    if (header.find_first_not_of("\r\n") == std::string::npos)
      scratch.write(file, header);
    loose_actors actors(3, {});
    const auto imported = actors.import({.directory = scratch.path().string(), .shards = {}});
    REQUIRE_FALSE(imported);
    CHECK(imported.error().code == errc::bad_feed);
    CHECK_THAT(imported.error().detail, Catch::Contains(file) && Catch::Contains(told));
    CHECK(actors.stores() == 0);
    node::engine engine(test::loading(scratch.path().string()));
    const auto ready = engine.wait_ready();
    REQUIRE_FALSE(ready);
    CHECK(ready.error().code == errc::bad_feed);
    const auto triggered = node::ask<std::string>(engine.system(), engine.coordinator(),
                                                  protocol::trigger_atom_v, full_report());
    REQUIRE_FALSE(triggered);
    CHECK(triggered.error().code == errc::not_ready);
  }
}

TEST_CASE("a refused second import leaves what was loaded as it was") {
  const test::scratch_directory scratch;
  scratch.write("store_status.csv", status_header + "1,active,2023-01-24 10:00:00 UTC\n");
  node::engine engine(test::loading(scratch.path().string()));
  REQUIRE(engine.wait_ready());
  const auto before = test::csv_of(engine, full_report());
  scratch.write("store_status.csv", "store_id,state\n1,inactive\n");
  const auto again = node::ask<std::shared_ptr<const protocol::import_result>>(
      engine.system(), engine.supervisor(), protocol::import_atom_v);
  REQUIRE_FALSE(again);
  CHECK(again.error().code == errc::bad_feed);
  CHECK(test::csv_of(engine, full_report()) == before);
  CHECK(test::last_totals(engine).at(0).rows.accepted == 1);
}

TEST_CASE("a directory that is missing, or holds no feed, fails the load as io_failed") {
  const test::scratch_directory scratch;
  const auto file = scratch.write("no_feed.csv", "store_id\n");
  for (const auto& directory : {(scratch.path() / "none").string(), scratch.path().string(), file}) {
    node::engine engine(test::loading(directory));
    const auto ready = engine.wait_ready();
    REQUIRE_FALSE(ready);
    CHECK(ready.error().code == errc::io_failed);
    CHECK_THAT(ready.error().detail, Catch::Contains(directory));
  }
}

TEST_CASE("without any poll a report needs as_of, and all opening time is unknown") {
  const test::scratch_directory scratch;
  scratch.write("store_status.csv", status_header);
  scratch.write("business_hours.csv", hours_header + "1,0,09:00,17:00\n");
  scratch.write("timezones.csv", zones_header + "1,UTC\n2,UTC\n");
  node::engine engine(test::loading(scratch.path().string()));
  REQUIRE(engine.wait_ready());
  CHECK(test::last_totals(engine).at(2).lines == 1);
  const auto without = test::run_report(engine.system(), engine.coordinator(), full_report());
  CHECK(without.state == protocol::report_state::failed);
  CHECK(without.failure.code == errc::no_data);
  for (auto request : test::every_estimator_and_scope()) {
    request.columns = column_set::full;
    request.as_of = test::at("2023-01-23T12:00:00Z"); // a Monday
    CAPTURE(request.estimator, to_string(request.scope));
    const auto rows = test::read_csv(test::csv_of(engine, request));
    REQUIRE(rows.size() == 3);
    using figures = std::vector<std::string>;
    const auto column = std::find(rows[0].begin(), rows[0].end(), "last_day_scheduled_s") - rows[0].begin();
    const auto of_day = [&](size_t row) {
      return figures(rows[row].begin() + column, rows[row].begin() + column + 7);
    };
    CHECK(of_day(1) ==
          figures{"10800.000000", "0.000000", "0.000000", "10800.000000", "0.000000", "0.000000", "0"});
    CHECK(of_day(2) ==
          figures{"86400.000000", "0.000000", "0.000000", "86400.000000", "0.000000", "0.000000", "0"});
  }
}
