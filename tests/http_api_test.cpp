#include "storemon/http/front_end.hpp"
#include "storemon/node/actor_config.hpp"

#include "support/fake_services.hpp"
#include "support/gunzip.hpp"
#include "support/http_client.hpp"
#include "support/instants.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include <future>
#include <set>
#include <thread>

using namespace storemon;
using namespace std::chrono_literals;
using namespace storemon::protocol;
using test::http_answer;
using test::http_client;
namespace json = boost::json;

namespace {

const std::string running_id = "11111111-1111-4111-8111-111111111111";
const std::string complete_id = "2222aaaa-2222-4222-8222-222222222222";
const std::string failed_id = "33333333-3333-4333-8333-333333333333";
const std::string file_name = "store_report_20230125_181322.csv";
const std::string csv = "store_id,uptime_last_hour(in minutes)\n1,60\n2,30\n";

http::options test_options() {
  http::options o;
  o.port = 0;
  o.ask_timeout = 200ms; // only for silent actors; nothing asserts how soon it passes
  o.health_timeout = 200ms;
  o.import_timeout = 200ms;
  o.drain_timeout = 20s;
  return o;
}

/// The front end of a node, with actors that follow a script.
struct site {
  explicit site(http::options o = test_options(), bool leads = true) {
    const auto file = std::make_shared<const report_file>(report_file{file_name, csv});
    report_status running;
    running.id = running_id;
    running.created = test::at("2023-01-25T18:13:23Z");
    running.stores_done = 3;
    running.stores_total = 12;
    auto complete = running;
    complete.id = complete_id;
    complete.state = report_state::complete;
    complete.as_of = test::at("2023-01-25T18:13:22.479220Z");
    complete.finished = test::at("2023-01-25T18:13:24Z");
    complete.stores_done = 12;
    complete.file = file;
    complete.file_name = file_name;
    complete.file_bytes = csv.size();
    auto failed = running;
    failed.id = failed_id;
    failed.state = report_state::failed;
    failed.failure = {errc::partition_lost, "partition 7 is silent"};
    s->reports = {{running_id, running}, {complete_id, complete}, {failed_id, failed}};
    s->files = {{file_name, file}};
    s->health.ready = true;
    s->health.nodes = {{"a", true, 2}};
    s->health.partitions = {partition_state::serving, partition_state::serving};
    supervisor = system.spawn(test::fake::supervisor, s);
    if (leads)
      coordinator = system.spawn(test::fake::coordinator, s);
    http::services to{coordinator, supervisor, "1.2.3"};
    if (leads)
      to.weights = system.spawn(test::fake::weights, s);
    front = std::make_unique<http::front_end>(system, std::move(to), o);
    if (auto started = front->start(); !started)
      throw std::runtime_error(started.error().detail);
  }

  ~site() { front.reset(); }

  http_client client() { return http_client(front->port()); }

  std::shared_ptr<test::script> s = std::make_shared<test::script>();
  node::actor_config config{2, false};
  caf::actor_system system{config};
  supervisor_actor supervisor;
  coordinator_actor coordinator;
  std::unique_ptr<http::front_end> front;
};

json::object body_of(const http_answer& answer) {
  CHECK(answer.field("Content-Type") == "application/json");
  return json::parse(answer.body).as_object();
}

std::string text(const json::object& o, std::string_view name) {
  INFO(json::serialize(o));
  REQUIRE(o.contains(name));
  const auto& value = o.at(name);
  return value.is_string() ? std::string(value.as_string()) : json::serialize(value);
}

void check_problem(const http_answer& answer, int status, const std::string& code,
                   const std::string& detail_part) {
  CHECK(answer.status == status);
  const auto body = body_of(answer);
  CHECK(body.size() == 2);
  CHECK(text(body, "error") == code);
  CHECK_THAT(text(body, "detail"), Catch::Contains(detail_part));
  CHECK(answer.has("Retry-After") == (status == 503));
}

} // namespace

TEST_CASE("a report is triggered by GET or POST, with or without parameters") {
  site s;
  auto client = s.client();
  for (const std::string method : {"GET", "POST"}) {
    const auto answer = client.request(method, "/trigger_report");
    CHECK(answer.status == 200);
    CHECK(answer.body == "{\"report_id\":\"00000000-0000-4000-8000-000000000001\"}\n");
  }
  const auto plain = s.s->use([](auto& now) { return now.requests.at(0); });
  CHECK(plain.estimator == "capped_nearest");
  CHECK(plain.scope == observation_scope::session);
  CHECK(plain.columns == column_set::loop);
  CHECK_FALSE(plain.as_of);
  CHECK(plain.windows.empty());
}

TEST_CASE("the query and the body say the same of a report") {
  site s;
  auto client = s.client();
  const auto by_query = [&](const std::string& query) {
    const auto answer = client.get("/trigger_report?" + query);
    INFO(answer.body);
    CHECK(answer.status == 200);
    return s.s->use([](auto& now) { return now.requests.back(); });
  };
  const auto by_body = [&](const std::string& body, const http_client::field_list& fields = {}) {
    const auto answer = client.post("/trigger_report", body, fields);
    INFO(answer.body);
    CHECK(answer.status == 200);
    return s.s->use([](auto& now) { return now.requests.back(); });
  };
  const window morning{"morning", test::span("2023-01-20T09:00:00Z", "2023-01-20T12:00:00Z")};
  const window noon{"noon", test::span("2023-01-20T12:00:00Z", "2023-01-20T13:00:00Z")};
  const std::string m = "morning=2023-01-20T09:00:00Z..2023-01-20T12:00:00Z";
  const std::string n = "noon=2023-01-20T12:00:00Z..2023-01-20T13:00:00Z";
  const std::string rest =
      R"("estimator":"nearest","scope":"all","columns":"full","as_of":"2023-01-25 18:00:00 UTC","raw_ids":true)";
  const std::string rest_query =
      "estimator=nearest&scope=all&columns=full&as_of=2023-01-25+18:00:00%20UTC&raw_ids=true";
  const std::vector<report_request> asked{
      by_query(rest_query + "&windows=" + m + "," + n),
      by_query(rest_query + "&windows=" + m + "&windows=" + n),
      by_body("{" + rest + R"(,"windows":[")" + m + "\",\"" + n + "\"]}"),
      by_body(
          "{" + rest +
              R"(,"windows":[{"name":"morning","from":"2023-01-20T09:00:00Z","to":"2023-01-20T12:00:00Z"},")" +
              n + "\"]} \n",
          {{"Content-Type", "application/json"}})};
  for (const auto& request : asked) {
    CHECK(request.estimator == "nearest");
    CHECK(request.scope == observation_scope::all);
    CHECK(request.columns == column_set::full);
    CHECK(request.raw_ids);
    REQUIRE(request.as_of);
    CHECK(*request.as_of == test::at("2023-01-25T18:00:00Z"));
    CHECK((request.windows == std::vector{morning, noon}));
  }
}

TEST_CASE("a request for a report that is wrong says where") {
  site s;
  auto client = s.client();
  const auto query = [&](const std::string& text, const std::string& detail) {
    check_problem(client.get("/trigger_report?" + text), 400, "invalid_argument", detail);
  };
  const auto body = [&](const std::string& text, const std::string& detail) {
    check_problem(client.post("/trigger_report", text), 400, "invalid_argument", detail);
  };
  query("estimater=x", "'estimater'");
  query("scope=none", "'scope'");
  query("columns=some", "'columns'");
  query("as_of=yesterday", "'as_of'");
  query("raw_ids=maybe", "'raw_ids'");
  query("scope=all&scope=all", "'scope' is given twice");
  query("columns=full&windows=x", "NAME=FROM..TO");
  query("columns=full&windows=", "NAME=FROM..TO");
  query("columns=full&windows=x=2023-01-20T09:00:00Z..2023-01-20T12:00:00Z,", "NAME=FROM..TO");
  query("columns=full&windows=last_day=2023-01-20T09:00:00Z..2023-01-20T12:00:00Z", "last_day");
  query("windows=x=2023-01-20T09:00:00Z..2023-01-20T12:00:00Z", "'full'");
  query("a%ff=1", "\xEF\xBF\xBD"); // no broken UTF-8 comes back
  body("{", "bad JSON at byte 1");
  body("{\"scope\":\"all\",}", "bad JSON at byte 15");
  body("{} x", "bad JSON at byte 3");
  body("{}\n{}", "bad JSON at byte 3");
  body("{\"scope\":\"all\",\"scope\":\"all\"}", "'scope' is given twice");
  body("{\"scope\":\"all\",\"sc\\u006fpe\":\"session\"}", "'scope' is given twice");
  body("{\"windows\":[{\"name\":\"x\"},{\"name\":\"y\",\"name\":\"z\"}]}", "'name' is given twice");
  body("[1]", "object");
  body("{\"estimater\":1}", "'estimater'");
  body("{\"estimator\":1}", "'estimator' has to be a string");
  body("{\"as_of\":null}", "'as_of' has to be a string");
  body("{\"raw_ids\":\"true\"}", "'raw_ids'");
  body("{\"windows\":\"x\"}", "'windows' has to be an array");
  body("{\"windows\":[1]}", "'windows' has to hold");
  body("{\"windows\":[{\"name\":\"x\",\"from\":\"y\"}]}", "'to'");
  body("{\"windows\":[{\"name\":\"x\",\"from\":1}]}", "'from'");
  body("{\"windows\":[{\"nome\":\"x\"}]}", "'nome'");
  body(std::string(100, '['), "bad JSON at byte");
  check_problem(client.post("/trigger_report?scope=all", "{\"scope\":\"all\"}"), 400, "invalid_argument",
                "twice");
  CHECK(s.s->use([](auto& now) { return now.requests.empty(); }));
}

TEST_CASE("what the coordinator says of a trigger becomes a status") {
  site s;
  auto client = s.client();
  const std::vector<std::pair<errc, int>> table{{errc::invalid_argument, 400}, {errc::busy, 503},
                                                {errc::not_ready, 503},        {errc::no_data, 409},
                                                {errc::shutting_down, 503},    {errc::internal, 500},
                                                {errc::io_failed, 500},        {errc::partition_lost, 503}};
  for (const auto& [code, status] : table) {
    s.s->use([&](auto& now) { now.triggered = error{code, "because"}; });
    check_problem(client.post("/trigger_report"), status, std::string(to_string(code)), "because");
  }
}

TEST_CASE("a report is asked for by path, query or body, in any case of its id") {
  site s;
  auto client = s.client();
  const std::string upper = "2222AAAA-2222-4222-8222-222222222222";
  for (const auto& id : {complete_id, upper})
    for (const auto& answer : {client.get("/get_report?report_id=" + id), client.get("/get_report/" + id),
                               client.post("/get_report", "{\"report_id\":\"" + id + "\"}"),
                               client.post("/get_report?report_id=" + id)}) {
      CHECK(answer.status == 200);
      CHECK(text(body_of(answer), "report_id") == complete_id);
    }
  check_problem(client.get("/get_report"), 400, "invalid_argument", "'report_id' is missing");
  check_problem(client.get("/get_report?report_id="), 400, "invalid_argument", "UUID");
  check_problem(client.get("/get_report/nonsense"), 400, "invalid_argument", "UUID");
  check_problem(client.get("/get_report/" + complete_id + "0"), 400, "invalid_argument", "UUID");
  check_problem(client.get("/get_report/" + complete_id + "?report_id=" + complete_id), 400,
                "invalid_argument", "twice");
  check_problem(client.get("/get_report?id=" + complete_id), 400, "invalid_argument", "'id'");
  check_problem(client.post("/get_report", "{\"report_id\":7}"), 400, "invalid_argument", "string");
  check_problem(client.post("/get_report", "{\"report_id\":\"" + complete_id + "\",\"report_id\":\"x\"}"),
                400, "invalid_argument", "'report_id' is given twice");
  check_problem(client.get("/get_report?report_id=44444444-4444-4444-8444-444444444444"), 404, "not_found",
                "4444");
}

TEST_CASE("each state of a report has its answer") {
  site s;
  auto client = s.client();
  SECTION("running, with its progress, whatever is accepted") {
    for (const std::string accept : {"*/*", "text/csv"}) {
      const auto answer = client.get("/get_report/" + running_id, {{"Accept", accept}});
      CHECK(answer.status == 200);
      CHECK(answer.field("X-Report-Status") == "Running");
      const auto body = body_of(answer);
      CHECK(text(body, "status") == "Running");
      CHECK(text(body, "stores_done") == "3");
      CHECK(text(body, "stores_total") == "12");
      CHECK(text(body, "progress_percent") == "25");
      CHECK(text(body, "created") == "2023-01-25T18:13:23.000000Z");
      CHECK(text(body, "as_of") == "null");
    }
  }
  SECTION("complete, with what was computed and where it is") {
    const auto answer = client.get("/get_report/" + complete_id);
    CHECK(answer.field("X-Report-Status") == "Complete");
    const auto body = body_of(answer);
    const auto url = "/download/" + complete_id + ".csv";
    CHECK(text(body, "status") == "Complete");
    CHECK(text(body, "download_url") == url);
    CHECK(text(body, "file") == url);
    CHECK(text(body, "filename") == file_name);
    CHECK(text(body, "as_of") == "2023-01-25T18:13:22.479220Z");
    CHECK(text(body, "finished") == "2023-01-25T18:13:24.000000Z");
    CHECK(text(body, "estimator") == "capped_nearest");
    CHECK(text(body, "scope") == "session");
    CHECK(text(body, "columns") == "loop");
    const auto& data = body.at("data").as_object();
    CHECK(text(data, "total_stores") == "12");
    CHECK(text(data, "total_stores_processed") == "12");
    CHECK(text(data, "filename") == file_name);
    CHECK(text(data, "download_url") == url);
    CHECK(client.get(text(body, "download_url")).body == csv);
  }
  SECTION("failed, with the reason") {
    const auto answer = client.get("/get_report/" + failed_id);
    CHECK(answer.status == 200);
    CHECK(text(body_of(answer), "status") == "Error");
    CHECK(text(body_of(answer), "message") == "partition 7 is silent");
    CHECK(text(body_of(answer), "error") == "partition_lost");
  }
}

TEST_CASE("a complete report is CSV for those who would rather have it") {
  site s;
  auto client = s.client();
  const auto is_csv = [&](const http_client::field_list& fields, const std::string& query = "") {
    const auto answer = client.get("/get_report/" + complete_id + query, fields);
    const bool is = answer.field("Content-Type") == "text/csv; charset=utf-8";
    CHECK((answer.body == csv) == is);
    CHECK(answer.field("X-Report-Status") == "Complete");
    CHECK(answer.field("Content-Disposition") ==
          (is ? "attachment; filename=\"" + file_name + "\"" : std::string()));
    return is;
  };
  CHECK_FALSE(is_csv({}));
  for (const std::string accept :
       {"text/csv", "TEXT/CSV", "text/csv, */*", "text/csv, */*;q=0.8", "text/*",
        "application/json;q=0.5, text/csv;q=0.6", "application/json;q=0, text/csv;q=0.1",
        "text/html, text/csv ; q=0.9", "text/csv;header=present"})
    CHECK(is_csv({{"Accept", accept}}));
  for (const std::string accept : {"*/*", "application/json", "text/csv, application/json", "text/csv;q=0",
                                   "text/csv;q=0.5, application/json", "text/csv;q=0.5, */*",
                                   "text/csv;q=nonsense", "image/png", "", "text/csvx", "text/html"})
    CHECK_FALSE(is_csv({{"Accept", accept}}));
  CHECK(is_csv({{"Accept", "text/html"}, {"accept", "text/csv"}}));
  CHECK(is_csv({{"Accept", "application/json"}}, "?format=csv"));
  CHECK_FALSE(is_csv({{"Accept", "text/csv"}}, "?format=json"));
  check_problem(client.get("/get_report/" + complete_id + "?format=xml"), 400, "invalid_argument",
                "'format'");
}

TEST_CASE("a finished report is downloaded by id or by name, and nothing else is") {
  site s;
  auto client = s.client();
  for (const auto& path : {"/download/" + complete_id + ".csv", "/download/" + file_name}) {
    const auto answer = client.get(path);
    CHECK(answer.status == 200);
    CHECK(answer.body == csv);
    CHECK(answer.field("Content-Type") == "text/csv; charset=utf-8");
    CHECK(client.get(path, {{"Range", "bytes=0-7"}}).body == "store_id");
    CHECK(test::gunzip(client.get(path, {{"Accept-Encoding", "gzip"}}).body) == csv);
    CHECK(client.get(path, {{"If-None-Match", answer.field("ETag")}}).status == 304);
    CHECK(client.request("HEAD", path).field("Content-Length") == std::to_string(csv.size()));
  }
  for (const auto& name : std::vector<std::string>{
           running_id + ".csv", failed_id + ".csv", complete_id, complete_id + ".CSV", "store_report_1.csv",
           std::string("..%2f..%2fetc%2fpasswd"), std::string("..%2fstore_report_x.csv"), std::string(".csv"),
           std::string("store_report_%2e%2e.csv"),
           std::string("store_report_") + std::string(2000, '1') + ".csv",
           std::string("44444444-4444-4444-8444-444444444444.csv")})
    check_problem(client.get("/download/" + name), 404, "not_found", "");
  for (const std::string path :
       {"/download/", "/download", "/download/../download/x.csv", "/download//x.csv"})
    check_problem(client.get(path), 404, "not_found", "nothing is served at");
  CHECK(s.client().get("/download/x%00.csv").status == 404);
}

TEST_CASE("a report is cancelled by DELETE or POST") {
  site s;
  auto client = s.client();
  SECTION("DELETE") {
    CHECK(text(body_of(client.request("DELETE", "/reports/" + running_id)), "status") == "Cancelled");
    CHECK(text(body_of(client.get("/get_report/" + running_id)), "status") == "Cancelled");
  }
  SECTION("POST") {
    const auto answer = client.post("/cancel_report", "{\"report_id\":\"" + running_id + "\"}");
    CHECK(text(body_of(answer), "status") == "Cancelled");
  }
  SECTION("a finished one stays as it is") {
    CHECK(text(body_of(client.post("/cancel_report?report_id=" + complete_id)), "status") == "Complete");
  }
  check_problem(client.request("DELETE", "/reports/44444444-4444-4444-8444-444444444444"), 404, "not_found",
                "");
  check_problem(client.post("/cancel_report"), 400, "invalid_argument", "missing");
}

TEST_CASE("all reports are listed as the coordinator orders them") {
  site s;
  const auto list = json::parse(s.client().get("/reports").body).as_array();
  REQUIRE(list.size() == 3);
  CHECK(text(list[0].as_object(), "report_id") == running_id);
  CHECK(text(list[1].as_object(), "status") == "Complete");
  CHECK(text(list[2].as_object(), "status") == "Error");
}

TEST_CASE("reports are paged by the id of the last one seen") {
  site s;
  auto client = s.client();
  const auto first = body_of(client.get("/api/v1/reports?limit=2"));
  REQUIRE(first.at("reports").as_array().size() == 2);
  CHECK(text(first.at("reports").as_array()[0].as_object(), "report_id") == running_id);
  CHECK(text(first.at("reports").as_array()[1].as_object(), "report_id") == complete_id);
  CHECK(text(first, "next") == "/api/v1/reports?limit=2&after=" + complete_id);
  const auto second = body_of(client.get(text(first, "next")));
  REQUIRE(second.at("reports").as_array().size() == 1);
  CHECK(text(second.at("reports").as_array()[0].as_object(), "report_id") == failed_id);
  CHECK_FALSE(second.contains("next"));
  const auto all = body_of(client.get("/api/v1/reports"));
  CHECK(all.at("reports").as_array().size() == 3);
  CHECK_FALSE(all.contains("next"));
  const auto after_last = body_of(client.get("/api/v1/reports?after=" + failed_id));
  CHECK(after_last.at("reports").as_array().empty());

  for (const std::string bad : {"0", "1001", "-1", "x", "", "1x"})
    check_problem(client.get("/api/v1/reports?limit=" + bad), 400, "invalid_argument",
                  "'limit' has to be a number from 1 to 1000, not '" + bad + "'");
  check_problem(client.get("/api/v1/reports?after=7"), 400, "invalid_argument",
                "'after' has to be the id of a report");
  check_problem(client.get("/api/v1/reports?page=2"), 400, "invalid_argument",
                "'page' is not a parameter; known are limit, after");
  check_problem(client.get("/api/v1/reports?limit=2&limit=2"), 400, "invalid_argument",
                "'limit' is given twice");
  check_problem(client.get("/api/v1/reports?after=44444444-4444-4444-8444-444444444444"), 404, "not_found",
                "is not kept any more");
}

TEST_CASE("a report is a thing with a place") {
  site s;
  auto client = s.client();
  const auto made = client.post("/api/v1/reports", R"({"estimator":"capped_nearest"})");
  CHECK(made.status == 202);
  CHECK(made.body == "{\"report_id\":\"00000000-0000-4000-8000-000000000001\"}\n");
  CHECK(made.field("Location") == "/api/v1/reports/00000000-0000-4000-8000-000000000001");
  check_problem(client.post("/api/v1/reports", R"({"x":1})"), 400, "invalid_argument",
                "'x' is not a parameter");
  CHECK(text(body_of(client.get("/api/v1/reports/" + running_id)), "status") == "Running");
  CHECK(client.get("/api/v1/reports/" + complete_id, {{"Accept", "text/csv"}}).body == csv);
}

TEST_CASE("a complete report that is not in memory is asked for by its file's name") {
  site s;
  s.s->use([](auto& now) { now.reports.at(complete_id).file = nullptr; });
  auto client = s.client();
  CHECK(client.get("/download/" + complete_id + ".csv").body == csv);
  CHECK(client.get("/get_report/" + complete_id + "?format=csv").body == csv);
  const auto status = body_of(client.get("/get_report/" + complete_id));
  CHECK(text(status, "filename") == file_name);
  CHECK(text(status, "file_bytes") == std::to_string(csv.size()));
  s.s->use([](auto& now) { now.files.clear(); });
  check_problem(client.get("/download/" + complete_id + ".csv"), 404, "not_found", "there is no file");
  check_problem(client.get("/get_report/" + complete_id + "?format=csv"), 404, "not_found",
                "there is no file");
}

TEST_CASE("a report names the weights it was made with, and says when they were not fitted yet") {
  site s;
  auto client = s.client();
  const auto weights = [&] {
    return body_of(client.get("/get_report/" + complete_id)).at("weights").as_object();
  };
  CHECK_FALSE(body_of(client.get("/get_report/" + complete_id)).contains("weights"));
  s.s->use([](auto& now) { now.reports[complete_id].weights.emplace(); });
  CHECK(json::serialize(weights()) == R"({"version":0,"fitted_at":null,"stores":0,"equal":true})");
  s.s->use([](auto& now) {
    now.reports[complete_id].weights = weights_label{7, test::at("2023-01-25T18:00:00Z"), 13584};
  });
  CHECK(json::serialize(weights()) ==
        R"({"version":7,"fitted_at":"2023-01-25T18:00:00.000000Z","stores":13584,"equal":false})");
}

TEST_CASE("the weights in force are told") {
  site s;
  auto client = s.client();
  auto body = body_of(client.get("/api/v1/weights"));
  CHECK(text(body, "version") == "0");
  CHECK(body.at("as_of").is_null());
  CHECK(body.at("weights").as_array().size() == behaviour_classes);
  s.s->use([](auto& now) {
    now.weights.label = {2, test::at("2023-01-25T18:00:00Z"), 5};
    now.weights.as_of = test::at("2023-01-25T17:59:00Z");
    now.weights.observations = 99;
    now.weights.by_class[3] = 0.25;
  });
  body = body_of(client.get("/api/v1/weights"));
  CHECK(text(body, "version") == "2");
  CHECK(text(body, "stores") == "5");
  CHECK(text(body, "observations") == "99");
  CHECK(text(body, "as_of") == "2023-01-25T17:59:00.000000Z");
  CHECK(body.at("weights").at(3).as_double() == 0.25);
}

TEST_CASE("the root says what this is") {
  site s;
  const auto body = body_of(s.client().get("/"));
  CHECK_THAT(text(body, "message"), Catch::StartsWith("Welcome to storemon"));
  CHECK(text(body, "version") == "1.2.3");
  std::set<std::string> endpoints;
  for (const auto& path : body.at("endpoints").as_array()) {
    INFO(path);
    CHECK(s.client().request("OPTIONS", std::string(path.as_string())).status == 204);
    endpoints.insert(std::string(path.as_string()));
  }
  for (const auto* path : {"/api/v1/weights", "/api/v1/stores/ID/hours", "/api/v1/stores/ID/timezone",
                           "/api/v1/stores/ID/closures", "/api/v1/stores/ID/timeline"})
    CHECK(endpoints.contains(path));
}

TEST_CASE("an import answers with its totals") {
  site s;
  feed_totals feed;
  feed.file = "store_status.csv";
  feed.bytes = 1000;
  feed.lines = 20;
  feed.rows = {15, 2, 1};
  feed.rejected = 2;
  feed.rejected_by_reason = {{"bad_timestamp", 2}};
  feed.reject_samples = {"line 17: bad_timestamp: \"\xFF\n\""};
  const auto done = std::make_shared<const import_result>(import_result{{feed}, {5}, 1234567us});
  s.s->use([&](auto& now) { now.import = done; });
  auto client = s.client();
  for (const auto& answer : {client.get("/import_data"), client.post("/import_data")}) {
    CHECK(answer.status == 200);
    const auto body = body_of(answer);
    CHECK(text(body, "message") == "Data import finished");
    CHECK(text(body, "took_ms") == "1234");
    CHECK(text(body, "partitions_lost") == "[5]");
    const auto& f = body.at("feeds").as_array().at(0).as_object();
    CHECK(text(f, "file") == "store_status.csv");
    CHECK(text(f, "bytes") == "1000");
    CHECK(text(f, "lines") == "20");
    CHECK(text(f, "accepted") == "15");
    CHECK(text(f, "duplicates") == "2");
    CHECK(text(f, "conflicts") == "1");
    CHECK(text(f, "rejected") == "2");
    CHECK(text(f, "rejected_by_reason") == "{\"bad_timestamp\":2}");
    CHECK(text(f, "reject_samples") == "[\"line 17: bad_timestamp: \\\"\xEF\xBF\xBD\\n\\\"\"]");
  }
  const std::vector<std::pair<errc, int>> table{
      {errc::busy, 409}, {errc::io_failed, 500}, {errc::bad_feed, 422}, {errc::not_ready, 503}};
  for (const auto& [code, status] : table) {
    s.s->use([&](auto& now) { now.import = error{code, "because"}; });
    check_problem(client.post("/import_data"), status, std::string(to_string(code)), "because");
  }
}

TEST_CASE("the quality of the data is told") {
  site s;
  data_quality q;
  q.stores = 10;
  q.observations = 200;
  q.conflicts = 3;
  q.without_hours = 4;
  q.without_zone = 5;
  q.unknown_zone = 6;
  q.never_polled = 7;
  q.only_polled = 8;
  q.oldest = test::at("2023-01-01T00:00:00Z");
  q.newest = test::at("2023-01-25T18:13:22Z");
  auto& day = q.polled_minutes[19358]; // 2023-01-01
  day.resize(23);
  for (size_t hour = 0; hour < 24; ++hour)
    if (hour < 6 || hour > 9) // nothing from 05:01 to 10:00
      day[hour * 60 / 64] |= uint64_t{1} << (hour * 60 % 64);
  for (int32_t later = 1; later <= 120; ++later)
    q.polled_minutes[19358 + later] = {1}; // once a day: 120 outages more, the first from 23:01
  feed_totals a;
  a.rejected = 2;
  a.rejected_by_reason = {{"bad_timestamp", 2}};
  feed_totals b;
  b.rejected = 3;
  b.rejected_by_reason = {{"bad_timestamp", 1}, {"bad_status", 2}};
  s.s->use([&](auto& now) { now.quality = q; });

  auto client = s.client();
  const auto before = body_of(client.get("/debug_data"));
  CHECK(text(before, "last_import") == "null");
  s.s->use([&](auto& now) {
    now.health.last_import = std::make_shared<const import_result>(import_result{{a, b}, {}, 1ms});
  });
  const auto body = body_of(client.get("/debug_data"));
  CHECK(text(body, "stores") == "10");
  CHECK(text(body, "observations") == "200");
  CHECK(text(body, "conflicts") == "3");
  CHECK(text(body, "stores_without_hours") == "4");
  CHECK(text(body, "stores_without_zone") == "5");
  CHECK(text(body, "unknown_zones") == "6");
  CHECK(text(body, "never_polled") == "7");
  CHECK(text(body, "orphan_ids") == R"({"total":15,"only_polled":8,"never_polled":7})");
  CHECK(text(body, "as_of") == "2023-01-25T18:13:22.000000Z");
  CHECK(text(body, "newest_observation") == text(body, "as_of"));
  CHECK(text(body, "oldest_observation") == "2023-01-01T00:00:00.000000Z");
  const auto& outages = body.at("poller_outages").as_array();
  CHECK(outages.size() == 100);
  CHECK(text(body, "poller_outages_total") == std::to_string(q.poller_outages().size()));
  CHECK(json::serialize(outages.at(0)) ==
        R"({"from":"2023-01-01T05:01:00.000000Z","to":"2023-01-01T10:00:00.000000Z"})");
  const auto& import = body.at("last_import").as_object();
  CHECK(text(import, "rejected") == "5");
  CHECK(text(import, "rejected_by_reason") == R"({"bad_status":2,"bad_timestamp":3})");
}

TEST_CASE("liveness is 200 whatever the supervisor does") {
  site s;
  s.s->use([](auto& now) {
    now.health.shard_failures = 2;
    now.health.last_failure = "shard 3 died";
  });
  auto client = s.client();
  const auto body = body_of(client.get("/healthz"));
  CHECK(text(body, "status") == "ok");
  CHECK(text(body, "shard_failures") == "2");
  CHECK(text(body, "last_failure") == "shard 3 died");
  s.s->use([](auto& now) { now.silent = true; });
  const auto silent = client.get("/healthz");
  CHECK(silent.status == 200);
  CHECK(silent.body == "{\"status\":\"ok\"}\n");
}

TEST_CASE("readiness names what is missing") {
  site s;
  auto client = s.client();
  CHECK(client.get("/readyz").status == 200);
  s.s->use([](auto& now) {
    now.health.ready = false;
    now.health.nodes = {{"a", true, 2}, {"b", false, 0}};
    now.health.partitions = {partition_state::serving, partition_state::absent, partition_state::loading};
    now.health.importing = true;
    now.health.import = {10, 40};
  });
  const auto answer = client.get("/readyz");
  CHECK(answer.status == 503);
  CHECK(answer.has("Retry-After"));
  const auto body = body_of(answer);
  CHECK(text(body, "error") == "not_ready");
  CHECK(text(body, "partitions_serving") == "1");
  CHECK(text(body, "partitions_missing") == "[1]");
  CHECK(text(body, "partitions_loading") == "[2]");
  CHECK(text(body, "nodes_missing") == "[\"b\"]");
  CHECK(text(body, "import") == R"({"bytes_done":10,"bytes_total":40})");
  s.s->use([](auto& now) { now.silent = true; });
  CHECK(client.get("/readyz").status == 503);
}

TEST_CASE("a member tells of its own partitions, and of its leader") {
  site s(test_options(), false);
  s.s->use([](auto& now) {
    now.health.ready = true;
    now.health.nodes = {{"leader", true, 0}, {"b", true, 31}};
    now.health.partitions.clear();
  });
  auto client = s.client();
  const auto joined = body_of(client.get("/readyz"));
  CHECK(text(joined, "status") == "ready");
  CHECK(text(joined, "role") == "member");
  CHECK(text(joined, "partitions") == "31");
  CHECK(text(joined, "nodes") == R"([{"name":"leader","up":true},{"name":"b","up":true}])");
  CHECK_FALSE(joined.contains("partitions_serving"));

  s.s->use([](auto& now) {
    now.health.ready = false;
    now.health.nodes.front().up = false;
  });
  const auto alone = client.get("/readyz");
  CHECK(alone.status == 503);
  CHECK(alone.has("Retry-After"));
  CHECK(text(body_of(alone), "nodes_missing") == R"(["leader"])");
  CHECK(text(body_of(alone), "detail") == "this member has no leader now");
}

TEST_CASE("readiness tells of damage, though what is damaged still answers") {
  site s;
  s.s->use([](auto& now) { now.health.damaged = {1, 4}; });
  auto client = s.client();
  const auto answer = client.get("/readyz");
  CHECK(answer.status == 503);
  const auto body = body_of(answer);
  CHECK(text(body, "error") == "damaged");
  CHECK(text(body, "status") == "damaged");
  CHECK(text(body, "partitions_damaged") == "[1,4]");
}

TEST_CASE("silent actors make 503, and no connection waits for ever") {
  site s;
  s.s->use([](auto& now) { now.silent = true; });
  auto client = s.client();
  for (const std::string& path :
       {std::string("/trigger_report"), "/get_report/" + complete_id, std::string("/reports"),
        "/download/" + complete_id + ".csv", "/download/" + file_name, std::string("/debug_data")})
    check_problem(client.get(path), 503, "busy", "no answer in time");
  check_problem(client.get("/import_data"), 409, "busy", "no answer in time");
  CHECK(s.front->pending() == 0);
}

TEST_CASE("methods and paths that are not served") {
  site s;
  auto client = s.client();
  const auto refused = [&](const std::string& method, const std::string& path, const std::string& allowed) {
    const auto answer = client.request(method, path);
    check_problem(answer, 405, "method_not_allowed", allowed);
    CHECK(answer.field("Allow") == allowed);
    const auto options = client.request("OPTIONS", path);
    CHECK(options.status == 204);
    CHECK(options.field("Allow") == allowed);
  };
  refused("DELETE", "/trigger_report", "GET, POST, OPTIONS");
  refused("DELETE", "/get_report", "GET, HEAD, POST, OPTIONS");
  refused("POST", "/reports", "GET, HEAD, OPTIONS");
  refused("GET", "/reports/" + running_id, "DELETE, OPTIONS");
  refused("GET", "/cancel_report", "POST, OPTIONS");
  refused("get", "/", "GET, HEAD, OPTIONS");
  refused("BREW", "/healthz", "GET, HEAD, OPTIONS");
  for (const std::string path : {"/nothing", "/get_report/a/b", "/Reports", "/reports/", "/%2fhealthz", "//"})
    for (const std::string method : {"GET", "POST", "OPTIONS"})
      check_problem(client.request(method, path), 404, "not_found", "nothing is served at");
  CHECK(client.request("OPTIONS", "*").status == 204);
  CHECK(client.request("HEAD", "/healthz").status == 200);
}

TEST_CASE("HEAD starts nothing") {
  site s;
  auto client = s.client();
  for (const std::string path : {"/trigger_report", "/import_data"}) {
    const auto answer = client.request("HEAD", path);
    CHECK(answer.status == 405);
    CHECK(answer.field("Allow") == "GET, POST, OPTIONS");
    CHECK(answer.body.empty());
  }
  CHECK(client.request("HEAD", "/get_report/" + running_id).status == 200);
  CHECK(client.request("HEAD", "/debug_data").status == 200);
}

TEST_CASE("a member of a cluster says that it is not the coordinator") {
  site s(test_options(), false);
  auto client = s.client();
  for (const std::string path : {"/", "/healthz", "/readyz"})
    CHECK(client.get(path).status == 200);
  for (const std::string& path :
       {std::string("/trigger_report"), "/get_report/" + complete_id, std::string("/reports"),
        "/download/" + file_name, std::string("/import_data"), std::string("/debug_data"),
        std::string("/api/v1/weights")})
    check_problem(client.get(path), 503, "not_coordinator", "coordinator");
  check_problem(client.get("/nothing"), 404, "not_found", "");
}

TEST_CASE("questions pending at stop are answered before the connection closes") {
  auto o = test_options();
  o.ask_timeout = 1h;
  o.drain_timeout = 50ms;
  site s(o);
  s.s->use([](auto& now) { now.silent = true; });
  std::vector<std::unique_ptr<http_client>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<http_client>(s.front->port()));
    clients.back()->send(http_client::text_of("POST", "/trigger_report"));
  }
  while (s.front->pending() < clients.size())
    std::this_thread::yield();
  auto stopped = std::async(std::launch::async, [&] { s.front->stop(); });
  for (auto& client : clients) {
    const auto answer = client->read();
    check_problem(answer, 503, "shutting_down", "being stopped");
    CHECK(answer.field("Connection") == "close");
  }
  clients.clear();
  stopped.get();
  s.front->stop();
}

TEST_CASE("a front end stops before it is started, and without requests") {
  node::actor_config config(1, false);
  caf::actor_system system(config);
  http::front_end never(system, {}, test_options());
  never.stop();
  http::front_end idle(system, {}, test_options());
  REQUIRE(idle.start().has_value());
  CHECK(http_client(idle.port()).get("/healthz").status == 200);
  CHECK(http_client(idle.port()).get("/readyz").status == 200);
  idle.stop();
}
