/// What a server of each version wrote is what a server of today serves: tests/golden/server-vN, made once as
/// make_server_data.sh beside it says, and never again.
#include "support/server_process.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

using namespace storemon::test;

namespace {

/// What its script printed, of each version of the tables.
struct golden {
  std::string version;
  std::string report; ///< whose bytes are beside the data
  std::string state;
};

golden each_version() {
  return GENERATE(values<golden>(
      {{"2", "adcfe071-ac7f-4afc-a4c4-ec2497f0596f",
        "4 partitions, 45 stores, 962 observations, 39 records, 1 reports, state hash 31d6400f75eeef03"}}));
}

std::string directory_of(const golden& g) {
  return STOREMON_SOURCE_DIR "/tests/golden/server-v" + g.version;
}

/// What `storemond verify` says of a directory that is sound.
void check_verified(const std::string& directory, const std::string& state) {
  const auto verified = run({STOREMOND, "verify", directory});
  INFO(verified.err);
  CHECK(verified.exit_code == 0);
  CHECK(verified.out == directory + ": " + state + "\nsound\n");
}

void check_figures(http_client& client) {
  const auto quality = object_of(client.get("/debug_data"));
  const std::map<std::string, int64_t> counts{{"stores", 45},
                                              {"observations", 962},
                                              {"conflicts", 2},
                                              {"never_polled", 1},
                                              {"stores_without_zone", 4},
                                              {"unknown_zones", 1},
                                              {"poller_outages_total", 1},
                                              {"stores_without_hours", 10}};
  for (const auto& [name, count] : counts)
    CHECK(count_of(quality, name) == count);

  const auto dark = object_of(client.get("/api/v1/stores/dark"));
  CHECK(text_of(dark, "timezone") == "Mars/Olympus");
  CHECK(dark.at("closures").as_array().size() == 2);
  const auto& day = dark.at("figures").as_object().at("last_day").as_object();
  CHECK(count_of(day, "scheduled_s") == 86'400);
  CHECK(count_of(day, "excluded_s") == 43'200);

  const auto odd = object_of(client.get("/api/v1/stores/odd"));
  CHECK(text_of(odd, "timezone") == "Asia/Kolkata");
  CHECK(odd.at("business_hours").as_array().size() == 2);
  CHECK(count_of(odd, "observations") == 8);
  // Tuesday's eight and a half hours, Saturday's four, and all from midnight of the 25th in Kolkata on.
  CHECK(count_of(odd.at("figures").as_object().at("last_week").as_object(), "scheduled_s") == 130'402);
  CHECK(client.get("/api/v1/stores/gone").status == 404);
  CHECK(client.get("/api/v1/export?feed=corrections").body == "store_id,status,timestamp_utc\n"
                                                              "dark,inactive,2023-01-24 11:15:00.250000 UTC\n"
                                                              "odd,active,2023-01-24 10:14:00.000000 UTC\n");
  CHECK(count_of(object_of(client.get("/api/v1/weights")), "version") == 1);
  const auto again =
      client.post("/api/v1/observations",
                  R"([{"store_id":"odd","status":"active","timestamp_utc":"2023-01-24T20:00:00Z"}])",
                  {{"Content-Type", "application/json"}});
  CHECK(count_of(object_of(again), "duplicates") == 1);
}

} // namespace

TEST_CASE("what a server of each version wrote is served: its state, its report, its figures") {
  const auto g = each_version();
  CAPTURE(g.version);
  const scratch_directory scratch;
  const auto directory = (scratch.path() / "data").string();
  std::filesystem::copy(directory_of(g), directory, std::filesystem::copy_options::recursive);
  check_verified(directory, g.state);
  server_process server({"--data.dir=" + directory, "--node.partitions=4"});
  auto client = server.client();
  const auto report = client.get("/download/" + g.report + ".csv");
  CHECK(report.status == 200);
  CHECK(report.body == read_file(directory_of(g) + "/report.csv"));
  check_figures(client);
  CHECK(server.stop() == 0);
}

TEST_CASE("a check makes nothing in a directory that no server had") {
  const auto g = each_version();
  const auto names = [&] {
    std::vector<std::string> all;
    for (const auto& file : std::filesystem::directory_iterator(directory_of(g)))
      all.push_back(file.path().filename());
    std::sort(all.begin(), all.end());
    return all;
  };
  const auto before = names();
  const auto bytes = read_file(directory_of(g) + "/store-1.db");
  check_verified(directory_of(g), g.state);
  CHECK(names() == before);
  CHECK((read_file(directory_of(g) + "/store-1.db") == bytes));
}
