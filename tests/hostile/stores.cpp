/// Slips about stores.
#include "support/server_process.hpp"

using namespace storemon::test;

TEST_CASE("line 12: what is withdrawn or mistyped makes no store in silence") {
  server_process server({});
  auto client = server.client();
  const std::string span = "?from=2023-01-01T00:00:00Z&to=2023-01-02T00:00:00Z";
  CHECK(client.request("DELETE", "/api/v1/stores/7/closures" + span).status == 404);
  CHECK(client.get("/api/v1/stores/7").status == 404);
  CHECK(client.put("/api/v1/stores/7/timezone?create=false", R"({"timezone":"UTC"})").status == 404);
  CHECK(client.put("/api/v1/stores/7/hours?create=false", R"({"hours":[]})").status == 404);
  CHECK(client.get("/api/v1/stores/7/closures").status == 404);
  CHECK(client.put("/api/v1/stores/7/timezone?create=maybe", R"({"timezone":"UTC"})").status == 400);
  const auto made = object_of(client.put("/api/v1/stores/7/timezone", R"({"timezone":"UTC"})"));
  CHECK(made.at("created").as_bool());
  const auto again = object_of(client.put("/api/v1/stores/7/timezone?create=false", R"({"timezone":"UTC"})"));
  CHECK_FALSE(again.at("created").as_bool());
}

TEST_CASE("line 2: business hours of one store are bounded") {
  server_process server({});
  auto client = server.client();
  std::string rows;
  for (int i = 0; i < 201; ++i) {
    const auto minute = std::to_string(100 + i % 60).substr(1);
    const auto hour = std::to_string(100 + i / 60).substr(1);
    rows += (i ? "," : "") + std::string(R"({"day":1,"start":")") + hour + ":" + minute + R"(:00","end":")" +
            hour + ":" + minute + R"(:30"})";
  }
  const auto refused = client.put("/api/v1/stores/7/hours", R"({"hours":[)" + rows + "]}");
  CHECK(refused.status == 400);
  CHECK(refused.body.find("more than 200 rows of business hours") != std::string::npos);
  CHECK(client.get("/api/v1/stores/7").status == 404);
}
