/// The server as its clients know it: a process, and what it answers over HTTP.
#include "support/csv_reader.hpp"
#include "support/server_process.hpp"
#include "support/slow_feed.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <thread>

using namespace storemon::test;
namespace json = boost::json;

namespace {

/// A report asked for both ways.
struct request_words {
  std::string query;
  std::vector<std::string> options;
};

const request_words with_windows{"?columns=full&estimator=linear&scope=business&as_of=2023-01-25T12:00:00Z"
                                 "&windows=monday%3D2023-01-23T00:00:00Z..2023-01-24T00:00:00Z"
                                 ",night%3D2023-01-24T22:00:00Z..2023-01-25T06:00:00Z&raw_ids=true",
                                 {"--columns=full", "--estimator=linear", "--scope=business",
                                  "--as-of=2023-01-25T12:00:00Z",
                                  "--window=monday=2023-01-23T00:00:00Z..2023-01-24T00:00:00Z",
                                  "--window=night=2023-01-24T22:00:00Z..2023-01-25T06:00:00Z", "--raw-ids"}};

/// The CSV the tool writes without a server.
std::string computed(const sample_data& data, const std::vector<std::string>& options) {
  std::vector<std::string> arguments{"report", data.path()};
  arguments.insert(arguments.end(), options.begin(), options.end());
  const auto done = tool(arguments);
  INFO(done.err);
  REQUIRE(done.exit_code == 0);
  return done.out;
}

/// The CSV the tool gets from the server.
std::string fetched(const server_process& server, const std::vector<std::string>& options) {
  std::vector<std::string> arguments{"fetch", server.url()};
  arguments.insert(arguments.end(), options.begin(), options.end());
  const auto done = tool(arguments);
  INFO(done.err);
  REQUIRE(done.exit_code == 0);
  CHECK(done.err.empty());
  return done.out;
}

int64_t lines_of(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

/// The first fields of a feed's rows, and how many rows there are.
struct feed_ids {
  std::set<std::string> ids;
  int64_t rows = 0;
};

feed_ids read_ids(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  REQUIRE(std::getline(in, line));
  feed_ids found;
  for (; std::getline(in, line); ++found.rows)
    found.ids.insert(line.substr(0, line.find(',')));
  REQUIRE(found.rows > 0);
  return found;
}

void check_refused(const http_answer& answer, int status, const std::string& code) {
  CHECK(answer.status == status);
  CHECK(text_of(object_of(answer), "error") == code);
}

} // namespace

TEST_CASE("a report is triggered, polled and downloaded, the same bytes by every way") {
  const sample_data data;
  server_process server({"--data.import=" + data.path()});
  auto client = server.client();
  const auto id = report_id_of(client.post("/trigger_report"));
  const auto report = wait_for(client, id);
  REQUIRE(text_of(report, "status") == "Complete");
  CHECK(count_of(report, "stores_done") == 300);
  CHECK(count_of(report, "stores_total") == 300);
  CHECK(text_of(report, "as_of") == "2023-01-25T18:13:22.000000Z");
  CHECK(text_of(report, "estimator") == "capped_nearest");

  const auto csv = computed(data, {});
  CHECK(lines_of(csv) == 301);
  CHECK(csv.starts_with("store_id,uptime_last_hour,uptime_last_day,uptime_last_week,"
                        "downtime_last_hour,downtime_last_day,downtime_last_week\n"));
  const auto ways = {
      client.get("/get_report?report_id=" + id, {{"Accept", "text/csv"}}),
      client.get("/get_report?report_id=" + id + "&format=csv"),
      client.get("/get_report/" + id + "?format=csv"),
      client.post("/get_report?format=csv", "{\"report_id\": \"" + id + "\"}"),
      client.get(text_of(report, "download_url")),
      client.get("/download/" + text_of(report, "filename")),
  };
  for (const auto& answer : ways) {
    CHECK(answer.status == 200);
    CHECK(answer.field("Content-Type") == "text/csv; charset=utf-8");
    CHECK((answer.body == csv)); // in parentheses: a failure would print both files
  }
  CHECK((fetched(server, {}) == csv));
  CHECK(server.stop() == 0);
}

TEST_CASE("a report can be triggered by GET, by POST, by query and by a JSON body") {
  const sample_data data;
  server_process server({"--data.import=" + data.path()});
  auto client = server.client();
  const std::vector<std::string> ids{
      report_id_of(client.get("/trigger_report?estimator=nearest&columns=full")),
      report_id_of(client.post("/trigger_report?estimator=nearest&columns=full")),
      report_id_of(client.post("/trigger_report", R"({"estimator": "nearest", "columns": "full"})")),
      report_id_of(client.post("/trigger_report?columns=full", R"({"estimator": "nearest"})"))};
  const auto csv = computed(data, {"--estimator=nearest", "--columns=full"});
  for (const auto& id : ids) {
    const auto report = wait_for(client, id);
    CHECK(text_of(report, "status") == "Complete");
    CHECK(text_of(report, "estimator") == "nearest");
    CHECK(text_of(report, "columns") == "full");
    CHECK((client.get("/get_report/" + id + "?format=csv").body == csv));
  }
  CHECK(std::set<std::string>(ids.begin(), ids.end()).size() == ids.size());
  CHECK(server.stop() == 0);
}

TEST_CASE("server and tool give the same report by every estimator") {
  const sample_data data;
  server_process server({"--data.import=" + data.path()});
  auto client = server.client();
  std::set<std::string> reports;
  const auto estimators = {"carry_forward", "nearest",        "linear",   "poll_ratio",
                           "poll_count",    "capped_nearest", "telegraph"};
  while (count_of(object_of(client.get("/api/v1/weights")), "version") == 0) // a fit begins with the load
    std::this_thread::yield();
  for (const std::string estimator : estimators) {
    const auto csv = computed(data, {"--estimator=" + estimator, "--columns=full"});
    CHECK((csv_of(client, "/trigger_report?columns=full&estimator=" + estimator) == csv));
    CHECK((fetched(server, {"--estimator", estimator, "--columns", "full"}) == csv));
    reports.insert(csv);
  }
  CHECK(reports.size() == estimators.size());
  CHECK(server.stop() == 0);
}

TEST_CASE("a store's page shows the figures of the full telegraph report, and its timeline the same polls") {
  const sample_data data;
  server_process server({"--data.import=" + data.path()});
  auto client = server.client();
  while (count_of(object_of(client.get("/api/v1/weights")), "version") == 0) // a fit begins with the load
    std::this_thread::yield();
  const auto records =
      read_csv(csv_of(client, "/trigger_report?columns=full&estimator=telegraph&raw_ids=true"));
  const auto& header = records.at(0);
  size_t bounded = 0;
  for (size_t r = 1; r < records.size(); r += 30) {
    std::map<std::string, std::string> row;
    for (size_t c = 0; c < header.size(); ++c)
      row[header[c]] = records[r].at(c);
    INFO(row["store_id"]);
    const auto check = [&](const json::value& told, const std::string& column) {
      INFO(column);
      REQUIRE(row.contains(column));
      if (row[column].empty())
        CHECK(told.is_null());
      else
        CHECK(told.to_number<double>() == Approx(std::stod(row[column])).epsilon(1e-13).margin(1e-13));
    };
    const auto store = object_of(client.get("/api/v1/stores/" + row["store_id"]));
    CHECK(text_of(store, "as_of") == "2023-01-25T18:13:22.000000Z");
    check(store.at("active_now"), "active_now");
    for (const std::string window : {"last_hour", "last_day", "last_week"}) {
      const auto& figures = store.at("figures").at(window).as_object();
      CHECK(figures.size() == 10);
      for (const auto& [name, value] : figures)
        check(value, window + "_" + std::string(name));
      bounded += !figures.at("uptime_low_s").is_null();
    }
    const auto timeline = object_of(client.get("/api/v1/stores/" + row["store_id"] + "/timeline"));
    CHECK(text_of(timeline, "to") == text_of(store, "as_of"));
    CHECK(text_of(timeline, "from") == "2023-01-24T18:13:22.000000Z");
    CHECK(static_cast<int64_t>(timeline.at("observations").as_array().size()) >=
          count_of(store.at("figures").at("last_day").as_object(), "observations"));
  }
  CHECK(bounded > 0);
  check_refused(client.get("/api/v1/stores/no-such-store"), 404, "not_found");
  check_refused(client.get("/api/v1/stores/no-such-store/timeline"), 404, "not_found");
  CHECK(server.stop() == 0);
}

TEST_CASE("server and tool give the same report with windows, scope, as_of and raw ids") {
  const sample_data data;
  server_process server({"--data.import=" + data.path()});
  auto client = server.client();
  const auto csv = computed(data, with_windows.options);
  const auto header = csv.substr(0, csv.find('\n'));
  CHECK(header.find(",monday_scheduled_s,") != std::string::npos);
  CHECK(header.ends_with(",night_observations"));
  CHECK((csv_of(client, "/trigger_report" + with_windows.query) == csv));
  CHECK((fetched(server, with_windows.options) == csv));
  CHECK(server.stop() == 0);
}

TEST_CASE("what /debug_data counts is what the files hold") {
  const sample_data data;
  const auto polls = read_ids(data.path() + "/store_status.csv");
  const auto hours = read_ids(data.path() + "/menu_hours.csv");
  const auto zones = read_ids(data.path() + "/timezones.csv");
  auto stores = polls.ids;
  stores.insert(hours.ids.begin(), hours.ids.end());
  stores.insert(zones.ids.begin(), zones.ids.end());
  const std::map<std::string, int64_t> rows{
      {"store_status.csv", polls.rows}, {"menu_hours.csv", hours.rows}, {"timezones.csv", zones.rows}};

  server_process server({"--data.import=" + data.path()});
  const auto quality = object_of(server.client().get("/debug_data"));
  CHECK(count_of(quality, "observations") == polls.rows);
  CHECK(count_of(quality, "stores") == static_cast<int64_t>(stores.size()));
  CHECK(count_of(quality, "stores_without_hours") == static_cast<int64_t>(stores.size() - hours.ids.size()));
  CHECK(count_of(quality, "stores_without_zone") == static_cast<int64_t>(stores.size() - zones.ids.size()));
  CHECK(count_of(quality, "never_polled") == static_cast<int64_t>(stores.size() - polls.ids.size()));
  const auto is_orphan = [&](const std::string& id) {
    return !hours.ids.contains(id) && !zones.ids.contains(id);
  };
  const auto& orphans = quality.at("orphan_ids").as_object();
  CHECK(count_of(orphans, "never_polled") == count_of(quality, "never_polled"));
  CHECK(count_of(orphans, "only_polled") == std::count_if(polls.ids.begin(), polls.ids.end(), is_orphan));
  CHECK(count_of(quality, "conflicts") == 0);
  CHECK(text_of(quality, "newest_observation") == "2023-01-25T18:13:22.000000Z");

  const auto& import = quality.at("last_import").as_object();
  CHECK(count_of(import, "rejected") == 0);
  const auto& feeds = import.at("feeds").as_array();
  REQUIRE(feeds.size() == rows.size());
  for (const auto& value : feeds) {
    const auto& feed = value.as_object();
    const std::filesystem::path file = text_of(feed, "file");
    INFO(file);
    REQUIRE(rows.contains(file.filename().string()));
    const auto expected = rows.at(file.filename().string());
    CHECK(count_of(feed, "accepted") == expected);
    CHECK(count_of(feed, "lines") == expected + 1);
    CHECK(count_of(feed, "bytes") == static_cast<int64_t>(std::filesystem::file_size(file)));
    CHECK(count_of(feed, "rejected") == 0);
  }
  CHECK(server.stop() == 0);
}

TEST_CASE("a store is told of, and changed, whatever bytes its id is made of") {
  server_process server({});
  auto client = server.client();
  const std::string rows =
      R"([{"store_id":"a\n\u0000b","status":"active","timestamp_utc":"2023-01-24T10:00:00Z"},)"
      R"({"store_id":"a\n\u0000b","status":"inactive","timestamp_utc":"2023-01-24T12:00:00Z"}])";
  CHECK(client.post("/api/v1/observations", rows, {{"Content-Type", "application/json"}}).status == 201);
  const std::string path = "/api/v1/stores/a%0A%00b";
  const auto now = object_of(client.get(path));
  CHECK(text_of(now, "store_id") == std::string("a\n\0b", 4));
  CHECK(text_of(now, "newest_status") == "inactive");
  CHECK(text_of(now, "as_of") == "2023-01-24T12:00:00.000000Z");

  const auto earlier = object_of(client.get(path + "?as_of=2023-01-24T11:00:00Z"));
  CHECK(text_of(earlier, "newest_status") == "active");
  CHECK(text_of(earlier, "newest_observation") == "2023-01-24T10:00:00.000000Z");
  CHECK(count_of(earlier, "last_poll_age_s") == 3600);

  const auto kept = client.request("PUT", path + "/hours", {},
                                   R"({"hours":[{"day":0,"start":"09:00","end":"17:00"},)"
                                   R"({"day":0,"start":"09:00:00","end":"17:00"}]})");
  CHECK(count_of(object_of(kept), "rows") == 1);
  CHECK(count_of(object_of(kept), "duplicates") == 1);
  CHECK(client.request("DELETE", path).status == 200);
  CHECK(client.get(path).status == 404);
}

TEST_CASE("an import that is empty, or takes nothing, says so without a word of where it was received") {
  server_process server({});
  auto client = server.client();
  const auto empty = client.post("/api/v1/import?feed=status", "");
  CHECK(empty.status == 422);
  CHECK(text_of(object_of(empty), "detail") == "status feed is empty: it has no header line");
  const auto nothing = client.post("/api/v1/import?feed=status",
                                   "store_id,status,timestamp_utc\n1,up,2023-01-24 10:00:00 UTC\n");
  CHECK(nothing.status == 422);
  CHECK(text_of(object_of(nothing), "error") == "bad_feed");
  CHECK(count_of(object_of(nothing).at("feeds").at(0).as_object(), "rejected") == 1);
}

TEST_CASE("importing again changes nothing") {
  const sample_data data;
  server_process server({"--data.import=" + data.path()});
  auto client = server.client();
  const auto counts = [&] {
    auto quality = object_of(client.get("/debug_data"));
    quality.erase("last_import");
    return json::serialize(quality);
  };
  const auto counted = counts();
  const auto csv = csv_of(client, "/trigger_report?columns=full");
  for (const auto* method : {"POST", "GET"}) {
    const auto answer = client.request(method, "/import_data");
    REQUIRE(answer.status == 200);
    const auto import = object_of(answer);
    CHECK(text_of(import, "message") == "Data import finished");
    CHECK(import.at("partitions_lost").as_array().empty());
    CHECK(counts() == counted);
    CHECK((csv_of(client, "/trigger_report?columns=full") == csv));
  }
  CHECK(server.stop() == 0);
}

TEST_CASE("while an import runs reports are served, and another import is refused") {
  const sample_data data;
  server_process server({"--data.import=" + data.path()});
  auto client = server.client();
  const auto csv = csv_of(client, "/trigger_report");
  slow_feed feed(data.path() + "/store_status.csv");
  auto other = server.client();
  other.send(http_client::text_of("POST", "/import_data"));
  feed.await_reader();
  check_refused(client.post("/import_data"), 409, "busy");
  CHECK((csv_of(client, "/trigger_report") == csv));
  feed.write(slow_feed::header);
  feed.end();
  CHECK(other.read().status == 200);
  CHECK((csv_of(client, "/trigger_report") == csv));
  CHECK(server.stop() == 0);
}

TEST_CASE("a server whose import is stuck in a read still says how it is") {
  const sample_data data;
  const auto size_of = [&](const char* file) {
    return static_cast<int64_t>(std::filesystem::file_size(data.path() + file));
  };
  const auto readable = size_of("/menu_hours.csv") + size_of("/timezones.csv");
  server_process server({"--data.import=" + data.path()});
  auto client = server.client();
  slow_feed feed(data.path() + "/store_status.csv");
  auto other = server.client();
  other.send(http_client::text_of("POST", "/import_data"));
  feed.await_reader();

  const auto answer = client.get("/readyz");
  CHECK(answer.status == 200);
  const auto body = object_of(answer);
  CHECK(body.at("importing").as_bool());
  const auto& import = body.at("import").as_object();
  CHECK(count_of(import, "bytes_total") == readable);
  CHECK(count_of(import, "bytes_done") > 0);
  CHECK(object_of(client.get("/healthz")).contains("shard_failures"));
  CHECK(client.get("/debug_data").status == 200);

  feed.write(slow_feed::header);
  feed.end();
  CHECK(other.read().status == 200);
  CHECK_FALSE(object_of(client.get("/readyz")).at("importing").as_bool());
  CHECK(server.stop() == 0);
}

TEST_CASE("a server says that it lives and is ready, and what it is") {
  const sample_data data;
  server_process server({"--data.import=" + data.path(), "--node.partitions=16"});
  auto client = server.client();
  const auto health = client.get("/healthz");
  CHECK(health.status == 200);
  CHECK(text_of(object_of(health), "status") == "ok");
  CHECK(count_of(object_of(health), "shard_failures") == 0);
  const auto readiness = client.get("/readyz");
  CHECK(readiness.status == 200);
  CHECK(text_of(object_of(readiness), "status") == "ready");
  CHECK(count_of(object_of(readiness), "partitions") == 16);
  CHECK(count_of(object_of(readiness), "partitions_serving") == 16);
  const auto welcome = client.get("/");
  CHECK(welcome.status == 200);
  CHECK(object_of(welcome).at("endpoints").as_array().size() > 5);
  CHECK(server.stop() == 0);
}

TEST_CASE("what makes no sense is refused with the code that says why") {
  server_process server({});
  auto client = server.client();
  check_refused(client.get("/nowhere"), 404, "not_found");
  const auto wrong_method = client.request("DELETE", "/trigger_report");
  check_refused(wrong_method, 405, "method_not_allowed");
  CHECK(wrong_method.field("Allow") == "GET, POST, OPTIONS");
  check_refused(client.get("/get_report?report_id=no-such-form"), 400, "invalid_argument");
  check_refused(client.get("/get_report"), 400, "invalid_argument");
  check_refused(client.get("/get_report?report_id=00000000-0000-4000-8000-000000000000"), 404, "not_found");
  check_refused(client.get("/download/00000000-0000-4000-8000-000000000000.csv"), 404, "not_found");
  check_refused(client.get("/download/store_report_20230125_181322.csv"), 404, "not_found");
  check_refused(client.post("/trigger_report?estimator=nope"), 400, "invalid_argument");
  check_refused(client.post("/trigger_report", "{\"estimator\": "), 400, "invalid_argument");
  check_refused(client.post("/trigger_report?sort=yes"), 400, "invalid_argument");
  check_refused(client.post("/import_data"), 400, "invalid_argument");
  CHECK(server.stop() == 0);
}

TEST_CASE("a server without data is ready, and its reports say that there is no now") {
  server_process server({});
  auto client = server.client();
  CHECK(client.get("/readyz").status == 200);
  const auto report = wait_for(client, report_id_of(client.post("/trigger_report")));
  CHECK(text_of(report, "status") == "Error");
  CHECK(text_of(report, "error") == "no_data");
  CHECK(text_of(report, "message").find("no observation") != std::string::npos);
  CHECK(lines_of(csv_of(client, "/trigger_report?as_of=2023-01-25T00:00:00Z")) == 1);

  const auto failed = tool({"fetch", server.url()});
  CHECK(failed.exit_code == 1);
  CHECK(failed.out.empty());
  CHECK(failed.err.find("no_data") != std::string::npos);
  CHECK(failed.err.find(text_of(report, "message")) != std::string::npos);
  CHECK(server.stop() == 0);
}
