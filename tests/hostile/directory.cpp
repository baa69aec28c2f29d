/// A data directory that is given the wrong way.
#include "support/server_process.hpp"

using namespace storemon::test;

TEST_CASE("line 17: a directory of feeds is no data directory") {
  const sample_data feeds(20);
  process server({STOREMOND, "--http.port=0", "--data.dir=" + feeds.path()});
  CHECK(server.wait() != 0);
  INFO(server.err());
  CHECK(server.err().find("did you mean data.import?") != std::string::npos);
}

TEST_CASE("line 5: a server whose data directory is removed takes nothing in, and says so") {
  const scratch_directory scratch;
  const auto data = (scratch.path() / "data").string();
  server_process server({"--data.dir=" + data, "--node.partitions=3"});
  auto client = server.client();
  const auto push = [&] {
    return client.post("/api/v1/observations",
                       R"([{"store_id":"1","status":"active","timestamp_utc":"2023-01-25T00:00:00Z"}])",
                       {{"Content-Type", "application/json"}});
  };
  CHECK(push().status == 201);
  SECTION("moved") {
    std::filesystem::rename(data, data + ".away");
    CHECK(client.put("/api/v1/stores/1/timezone", R"({"timezone":"UTC"})").status == 503);
    CHECK(client.get("/readyz").status == 503);
    CHECK(server.self().err().find("removed or moved") != std::string::npos);
    std::filesystem::rename(data + ".away", data); // and all is well again
    CHECK(client.put("/api/v1/stores/1/timezone", R"({"timezone":"UTC"})").status == 200);
    CHECK(client.get("/readyz").status == 200);
  }
  SECTION("removed") {
    std::filesystem::remove_all(data);
    CHECK(client.put("/api/v1/stores/1/timezone", R"({"timezone":"UTC"})").status == 503);
    CHECK(client.get("/readyz").status == 503);
    const auto health = client.get("/healthz");
    CHECK(health.body.find("18446744073709551615") == std::string::npos);
  }
  server.stop();
}
