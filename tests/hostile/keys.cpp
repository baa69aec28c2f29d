/// Batches that come again.
#include "support/server_process.hpp"

using namespace storemon::test;

namespace {

http_answer push(http_client& client, const std::string& status, const std::string& query = {}) {
  return client.post("/api/v1/observations" + query,
                     R"([{"store_id":"1","status":")" + status +
                         R"(","timestamp_utc":"2023-01-25T00:00:00Z"}])",
                     {{"Content-Type", "application/json"}});
}

std::string newest(http_client& client) {
  return text_of(object_of(client.get("/api/v1/stores/1")), "newest_status");
}

} // namespace

TEST_CASE("line 7: a correction without a key that comes again is taken, and a store sent after its end") {
  const scratch_directory scratch;
  server_process server({"--data.dir=" + (scratch.path() / "data").string(), "--node.partitions=3"});
  auto client = server.client();
  CHECK(push(client, "inactive", "?on_conflict=replace").status == 201);
  CHECK(push(client, "active", "?on_conflict=replace").status == 201);
  CHECK(newest(client) == "active");
  CHECK(push(client, "inactive", "?on_conflict=replace").status == 201);
  CHECK(newest(client) == "inactive");
  CHECK(push(client, "inactive", "?on_conflict=replace").status == 200); // a retry

  CHECK(push(client, "active").status == 201);
  CHECK(push(client, "active").status == 200);
  CHECK(client.request("DELETE", "/api/v1/stores/1").status == 200);
  CHECK(push(client, "active").status == 201);
  CHECK(newest(client) == "active");
  CHECK(server.stop() == 0);
}
