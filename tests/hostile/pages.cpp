/// Web pages of others, in a browser that reaches the server.
#include "support/server_process.hpp"

using namespace storemon::test;
using Catch::Matchers::Contains;

TEST_CASE("line 14: a page of another origin changes nothing, by no name and with no type") {
  server_process server({"--http.allowed_origins=https://shop.example"});
  auto client = server.client();
  const std::string poll = R"([{"store_id":"1","status":"active","timestamp_utc":"2023-01-25T00:00:00Z"}])";
  const auto push = [&](const http_client::field_list& fields) {
    auto all = fields;
    all.push_back({"Content-Type", "application/json"});
    auto fresh = server.client(); // what is refused before its body came ends the connection
    return fresh.post("/api/v1/observations", poll, all).status;
  };
  CHECK(push({{"Origin", "https://evil.example"}}) == 403);
  CHECK(push({{"Origin", "null"}}) == 403);
  CHECK(push({{"Sec-Fetch-Site", "cross-site"}}) == 403);
  CHECK(push({{"Origin", "https://shop.example"}, {"Sec-Fetch-Site", "cross-site"}}) == 201);
  CHECK(push({}) == 200); // the same body again
  const auto image = client.request("GET", "/trigger_report", {{"Referer", "https://evil.example/page"}});
  CHECK(image.status == 403);
  CHECK_THAT(image.body, Contains("http.allowed_origins"));
  const auto typed = client.request("PUT", "/api/v1/stores/1/timezone", {{"Content-Type", "text/plain"}},
                                    R"({"timezone":"UTC"})");
  CHECK(typed.status == 415);
  CHECK(client.get("/healthz").status == 200); // what has no effect is not refused

  auto renamed = server.client();
  renamed.send("GET /trigger_report HTTP/1.1\r\nHost: rebound.example\r\n\r\n");
  const auto refused = renamed.read();
  CHECK(refused.status == 403);
  CHECK_THAT(refused.body, Contains("http.allowed_hosts"));
}

TEST_CASE("line 14: a server beyond loopback says what is open") {
  process server({STOREMOND, "--http.port=0", "--data.dir=", "--http.address=0.0.0.0"});
  REQUIRE(server.read_line());
  CHECK_THAT(server.err(), Contains("beyond loopback"));
  server.send_signal(SIGTERM);
  CHECK(server.wait() == 0);
}
