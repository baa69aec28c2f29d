/// What went in can be got out: a server's data exported, over HTTP and as files, and imported where nothing
/// was, are the same data.
#include "support/server_process.hpp"

#include <algorithm>
#include <map>
#include <random>

using namespace storemon::test;
using Catch::Matchers::Contains;
namespace json = boost::json;

namespace {

const std::vector<std::string> feeds{"status", "hours", "timezones", "closures", "corrections", "stores"};

const std::map<std::string, std::string> file_of{
    {"status", "store_status.csv"}, {"hours", "business_hours.csv"},    {"timezones", "timezones.csv"},
    {"closures", "closures.csv"},   {"corrections", "corrections.csv"}, {"stores", "stores.csv"}};

/// Text by feed.
using exports = std::map<std::string, std::string>;

exports export_all(http_client& client) {
  exports all;
  for (const auto& feed : feeds) {
    const auto answer = client.get("/api/v1/export?feed=" + feed);
    REQUIRE(answer.status == 200);
    CHECK_THAT(answer.field("Content-Disposition"), Contains("\"" + file_of.at(feed) + "\""));
    all[feed] = answer.body;
  }
  return all;
}

bool holds_lines(const std::string& feed) {
  return feed.find('\n') + 1 < feed.size();
}

std::vector<std::string> on(const std::string& directory, std::vector<std::string> more = {}) {
  more.insert(more.end(), {"--data.dir=" + directory, "--node.partitions=3", "--data.snapshot_records=7"});
  return more;
}

/// The sentence of `storemond verify` with everything but the number of records.
std::string state_of(const std::string& directory) {
  const auto verified = run({STOREMOND, "verify", directory});
  INFO(verified.out << verified.err);
  REQUIRE(verified.exit_code == 0);
  const auto observations = verified.out.find(" observations, ");
  const auto hash = verified.out.find("state hash ");
  REQUIRE((observations != std::string::npos && hash != std::string::npos));
  return verified.out.substr(directory.size(), observations - directory.size()) +
         verified.out.substr(hash, verified.out.find('\n', hash) - hash);
}

/// Sends a server changes of every kind, of a few stores and instants so that they meet.
class traffic {
public:
  traffic(http_client& client, uint64_t seed) : client_(client), random_(seed) {}

  void change() {
    switch (below(10)) {
    case 0:
      expect({200, 404}, client_.request("DELETE", path()));
      break;
    case 1:
      expect({200}, put("/timezone", {{"timezone", below(2) ? "Europe/Paris" : "Asia/Kolkata"}}));
      break;
    case 2:
      expect({201}, client_.post("/api/v1/import?feed=timezones",
                                 "store_id,timezone_str\n7,Mars/Olympus\n4,Nowhere\n"));
      break;
    case 3:
      expect({201},
             client_.post(path() + "/closures",
                          json::serialize(json::object{{"from", hour()}, {"to", "2023-02-20T00:00:00Z"}}),
                          as_json));
      break;
    case 4:
      expect({200, 404},
             client_.request("DELETE", path() + "/closures?from=" + hour() + "&to=2023-02-14T00:00:00Z"));
      break;
    case 5:
    case 6:
      put_hours();
      break;
    default:
      push();
    }
  }

private:
  using fields = http_client::field_list;

  static inline const fields as_json{{"Content-Type", "application/json"}};

  size_t below(size_t bound) { return random_() % bound; }

  /// Stores as clients name them in paths.
  std::string path() {
    static const std::vector<std::string> all{"4", "7", "6%2C5", "%228%22", "%20=1"};
    return "/api/v1/stores/" + all[below(all.size())];
  }

  /// The same in JSON, and one that no path can name.
  std::string store() {
    static const std::vector<std::string> all{"4", "7", "6,5", "\"8\"", " =1", "9\r\n9"};
    return all[below(all.size())];
  }

  std::string hour() {
    const auto n = below(30);
    return "2023-02-1" + std::to_string(n / 10) + "T0" + std::to_string(n % 10) + ":00:00.25Z";
  }

  http_answer put(const std::string& what, const json::object& body) {
    return client_.request("PUT", path() + what, as_json, json::serialize(body));
  }

  void put_hours() {
    json::object body{{"hours", json::array()}};
    for (auto rows = below(3); rows > 0; --rows)
      body["hours"].as_array().push_back(
          json::object{{"day", below(7)}, {"start", "09:30"}, {"end", below(2) ? "24:00" : "02:00:00.5"}});
    if (below(2))
      body["valid_from"] = "2023-02-1" + std::to_string(below(10));
    expect({200}, put("/hours", body));
  }

  void push() {
    json::array rows;
    for (auto n = 1 + below(12); n > 0; --n)
      rows.push_back(json::object{
          {"store_id", store()}, {"status", below(2) ? "active" : "inactive"}, {"timestamp_utc", hour()}});
    const auto* rule = std::vector{"inactive_wins", "inactive_wins", "replace", "keep", "reject"}[below(5)];
    expect({200, 201, 409}, client_.post("/api/v1/observations?on_conflict=" + std::string(rule),
                                         json::serialize(rows), as_json));
  }

  void expect(const std::vector<int>& statuses, const http_answer& answer) {
    INFO(answer.line << "\n" << answer.body);
    REQUIRE(std::count(statuses.begin(), statuses.end(), answer.status) == 1);
  }

  http_client& client_;
  std::mt19937_64 random_;
};

} // namespace

TEST_CASE("what a server holds, exported over HTTP or as files, imports to the same state") {
  const uint64_t seed = GENERATE(1, 2, 3, 4);
  CAPTURE(seed);
  const scratch_directory scratch;
  const auto inside = [&](const char* name) { return (scratch.path() / name).string(); };

  exports original;
  {
    server_process server(on(inside("first")));
    auto client = server.client();
    traffic sent(client, seed);
    for (int i = 0; i < 150; ++i)
      sent.change();
    original = export_all(client);
    CHECK(server.stop() == 0);
  }
  for (const auto& feed : feeds)
    CHECK(holds_lines(original.at(feed)));

  {
    server_process server(on(inside("over HTTP")));
    auto client = server.client();
    auto order = feeds;
    std::shuffle(order.begin(), order.end(), std::mt19937_64(seed));
    for (const auto& feed : order) {
      INFO(feed);
      const auto answer = client.post("/api/v1/import?feed=" + feed, original.at(feed));
      REQUIRE(answer.status == 201);
      CHECK(text_of(object_of(answer), "feed") == feed);
      CHECK(count_of(object_of(answer).at("feeds").as_array().at(0).as_object(), "rejected") == 0);
    }
    CHECK(export_all(client) == original);
    CHECK(server.stop() == 0);
  }

  const auto exported = tool({"export", inside("first"), "--out", inside("feeds")});
  INFO(exported.err);
  REQUIRE(exported.exit_code == 0);
  for (const auto& feed : feeds)
    CHECK(read_file(scratch.path() / "feeds" / file_of.at(feed)) == original.at(feed));
  std::string report;
  {
    server_process server(on(inside("of files"), {"--data.import=" + inside("feeds")}));
    auto client = server.client();
    CHECK(export_all(client) == original);
    report = csv_of(client, "/trigger_report?columns=full");
    CHECK(server.stop() == 0);
  }
  const auto without_server = tool({"report", inside("feeds"), "--columns", "full"});
  INFO(without_server.err);
  CHECK(without_server.out == report);

  CHECK(state_of(inside("over HTTP")) == state_of(inside("first")));
  CHECK(state_of(inside("of files")) == state_of(inside("first")));
}

TEST_CASE("an export writes no file of closures and corrections where there are none, and beside none") {
  const scratch_directory scratch;
  const auto inside = [&](const char* name) { return (scratch.path() / name).string(); };
  {
    server_process server(on(inside("data")));
    auto client = server.client();
    CHECK(client.post("/api/v1/import?feed=stores", "store_id\nb\na\nb\n\"\"\n").status == 201);
    CHECK(server.stop() == 0);
  }
  REQUIRE(tool({"export", inside("data"), "--out", inside("feeds")}).exit_code == 0);
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(inside("feeds")))
    names.push_back(file.path().filename());
  std::sort(names.begin(), names.end());
  CHECK(names ==
        std::vector<std::string>{"business_hours.csv", "store_status.csv", "stores.csv", "timezones.csv"});
  CHECK(read_file(scratch.path() / "feeds" / "store_status.csv") == "store_id,status,timestamp_utc\n");
  const auto stores = read_file(scratch.path() / "feeds" / "stores.csv");
  CHECK((stores == "store_id\na\nb\n" || stores == "store_id\nb\na\n")); // in order of partition

  std::filesystem::create_directory(inside("used"));
  scratch.write("used/corrections.csv", "of an earlier export");
  const auto refused = tool({"export", inside("data"), "--out", inside("used")});
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.err, Contains("corrections.csv: File exists"));
  CHECK_FALSE(std::filesystem::exists(inside("used") + "/store_status.csv"));
}

TEST_CASE("a file of a directory that lacks a column is refused before anything is applied") {
  const scratch_directory scratch;
  scratch.write("store_status.csv", "store_id,status,timestamp_utc\n1,active,2023-01-22 12:09:39 UTC\n");
  scratch.write("closures.csv", "store_id,from_utc\n1,2023-01-22 12:09:39 UTC\n");
  const auto refused = tool({"report", scratch.path().string()});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Contains("the closures feed's header lacks: to_utc"));
}
