#include "support/instants.hpp"
#include "support/intake_site.hpp"

using namespace storemon;
using namespace storemon::protocol;
using namespace std::chrono_literals;
using test::check_problem;
using test::gzip;
using test::intake_site;
using test::json_of;
using test::text_of;
using fields = test::http_client::field_list;

namespace {

const std::string path = "/api/v1/observations";
const fields as_json{{"Content-Type", "application/json"}};
const fields as_gzip{{"Content-Type", "text/csv"}, {"Content-Encoding", "gzip"}};
const std::string one_row = R"([{"store_id":"1","timestamp_utc":"2023-01-25T18:13:22Z","status":"active"}])";

intake_request last_order(intake_site& s) {
  return s.s->use([](auto& now) {
    REQUIRE_FALSE(now.orders.empty());
    return now.orders.back();
  });
}

size_t orders(intake_site& s) {
  return s.s->use([](auto& now) { return now.orders.size(); });
}

void answer_with(intake_site& s, const intake_result& taken) {
  s.s->use([&](auto& now) { now.taken = std::make_shared<const intake_result>(taken); });
}

void fail_with(intake_site& s, errc code) {
  s.s->use([&](auto& now) { now.taken = error{code, "said the intake"}; });
}

} // namespace

TEST_CASE("observations in each format reach the intake with what the request says of them") {
  intake_site s;
  auto client = s.client();
  const std::vector<std::pair<std::string, body_format>> formats{
      {"application/json", body_format::json},
      {"Application/JSON; charset=utf-8", body_format::json},
      {"application/x-ndjson", body_format::ndjson},
      {"application/jsonl", body_format::ndjson},
      {"text/csv", body_format::csv}};
  for (const auto& [type, format] : formats) {
    INFO(type);
    CHECK(client.post(path, "some rows", {{"Content-Type", type}}).status == 201);
    const auto order = last_order(s);
    CHECK(order.format == format);
    CHECK(*order.body == "some rows");
    CHECK(order.idempotency_key.empty());
    CHECK(order.conflicts == on_conflict::inactive_wins);
  }
  const std::vector<std::pair<std::string, on_conflict>> rules{{"inactive_wins", on_conflict::inactive_wins},
                                                               {"replace", on_conflict::replace},
                                                               {"keep", on_conflict::keep},
                                                               {"reject", on_conflict::reject}};
  for (const auto& [name, rule] : rules) {
    auto with = as_json;
    with.emplace_back("Idempotency-Key", "key of " + name);
    CHECK(client.post(path + "?on_conflict=" + name, one_row, with).status == 201);
    CHECK(last_order(s).conflicts == rule);
    CHECK(last_order(s).idempotency_key == "key of " + name);
    with.emplace_back("On-Conflict", name);
    CHECK(client.post(path, one_row, with).status == 201);
    CHECK(last_order(s).conflicts == rule);
  }
}

TEST_CASE("the answer tells what became of the rows") {
  intake_site s;
  auto client = s.client();
  intake_result taken;
  taken.done = {3, 2, 1};
  taken.rejected = 1;
  taken.rejects = {{7, "bad_timestamp", "a,b,\xff"}};
  taken.conflicts = {{"1", test::at("2023-01-25T18:13:22Z"), store_status::active}};
  answer_with(s, taken);
  const auto fresh = client.post(path, one_row, as_json);
  CHECK(fresh.status == 201);
  CHECK(fresh.body ==
        "{\"accepted\":3,\"duplicates\":2,\"conflicts\":1,\"rejected\":1,\"rejects\":[{\"line\":7,\"reason\":"
        "\"bad_timestamp\",\"text\":\"a,b,\xEF\xBF\xBD\"}],\"conflict_list\":[{\"store_id\":\"1\","
        "\"timestamp_utc\":\"2023-01-25T18:13:22.000000Z\",\"stands\":\"active\"}],\"replayed\":false,"
        "\"durability\":\"local\"}\n");
  taken.replayed = true;
  answer_with(s, taken);
  const auto again = client.post(path, one_row, as_json);
  CHECK(again.status == 200);
  CHECK(text_of(json_of(again), "replayed") == "true");

  intake_result nothing;
  nothing.rejected = 2;
  answer_with(s, nothing);
  const auto refused = client.post(path, one_row, as_json);
  CHECK(refused.status == 422);
  CHECK(text_of(json_of(refused), "error") == "bad_feed");
  CHECK(text_of(json_of(refused), "rejected") == "2");
}

TEST_CASE("what the intake says becomes a status") {
  auto limits = intake_site::limits();
  limits.intake_timeout = 200ms; // only for the silent intake
  intake_site s(limits);
  auto client = s.client();
  const std::vector<std::pair<errc, int>> table{
      {errc::invalid_argument, 400}, {errc::conflict, 409},   {errc::too_large, 413},
      {errc::key_reused, 422},       {errc::overloaded, 429}, {errc::storage_failing, 503},
      {errc::fenced, 503},           {errc::damaged, 503},    {errc::partition_lost, 503},
      {errc::not_ready, 503},        {errc::disk_full, 507},  {errc::shutting_down, 503}};
  for (const auto& [code, status] : table) {
    INFO(to_string(code));
    fail_with(s, code);
    const auto answer = client.post(path, one_row, as_json);
    check_problem(answer, status, std::string(to_string(code)), "said the intake");
    CHECK((answer.body.find("repeat the request with the same key") != std::string::npos) == (status == 503));
  }
  s.s->use([](auto& now) { now.silent = true; });
  check_problem(client.post(path, one_row, as_json), 503, "busy", "repeat the request with the same key");
}

TEST_CASE("a request for observations that is wrong says where, and nothing reaches the intake") {
  intake_site s;
  // Each ends its connection, for its body is not read.
  const auto post = [&](const std::string& query, const fields& with) {
    return s.client().post(path + query, one_row, with);
  };
  check_problem(post("", {}), 415, "unsupported_media_type", "application/json");
  check_problem(post("", {{"Content-Type", "application/x-www-form-urlencoded"}}), 415,
                "unsupported_media_type", "application/x-ndjson");
  for (const std::string coding : {"br", "deflate", "gzip, gzip", "gzip, identity"}) {
    const auto refused = post("", {{"Content-Type", "text/csv"}, {"Content-Encoding", coding}});
    check_problem(refused, 415, "unsupported_encoding", "gzip or identity");
    CHECK(refused.field("Accept-Encoding") == "gzip, identity");
  }
  const auto with = [](const std::string& name, const std::string& value) {
    return fields{{"Content-Type", "text/csv"}, {name, value}};
  };
  for (const std::string& key : {std::string(), std::string(201, 'k'), std::string("k\xc3\xa4")})
    check_problem(post("", with("Idempotency-Key", key)), 400, "invalid_argument", "Idempotency-Key");
  CHECK(post("", with("Idempotency-Key", std::string(200, 'k'))).status == 201);
  check_problem(post("", {{"Content-Type", "text/csv"}, {"Idempotency-Key", "a"}, {"idempotency-key", "a"}}),
                400, "invalid_argument", "given twice");
  check_problem(post("?on_conflict=maybe", as_json), 400, "invalid_argument",
                "'on_conflict' has to be inactive_wins, replace, keep or reject, not 'maybe'");
  check_problem(post("?on_conflict=keep", with("On-Conflict", "keep")), 400, "invalid_argument",
                "'on_conflict' is given twice");
  check_problem(post("?conflict=keep", as_json), 400, "invalid_argument",
                "'conflict' is not a parameter; known is on_conflict");
  CHECK(orders(s) == 1);
}

TEST_CASE("a gzip body is decompressed, in one member or several") {
  intake_site s;
  auto client = s.client();
  std::string rows;
  for (int i = 0; i < 50'000; ++i)
    rows += std::to_string(i * 7919) + ",active,2023-01-25 18:13:22 UTC\n";
  CHECK(client.post(path, gzip(rows), as_gzip).status == 201);
  CHECK(*last_order(s).body == rows);
  CHECK(client.post(path, gzip("a\n") + gzip("b\n"), as_gzip).status == 201);
  CHECK(*last_order(s).body == "a\nb\n");
  CHECK(client.post(path, gzip(""), as_gzip).status == 201);
  CHECK(last_order(s).body->empty());
}

TEST_CASE("gzip that is broken or a bomb is refused") {
  auto limits = intake_site::limits();
  limits.ingest_bytes_max = 3'000'000;
  intake_site s(limits);
  const auto post = [&](const std::string& body) { return s.client().post(path, body, as_gzip); };
  const auto sound = gzip(one_row);
  check_problem(post("not gzip"), 400, "invalid_argument", "not whole and sound gzip");
  check_problem(post(sound.substr(0, sound.size() - 3)), 400, "invalid_argument", "ends before it is whole");
  check_problem(post(""), 400, "invalid_argument", "ends before it is whole");
  auto flipped = sound;
  flipped[flipped.size() - 6] = static_cast<char>(flipped[flipped.size() - 6] ^ 1);
  check_problem(post(flipped), 400, "invalid_argument", "not whole and sound gzip");
  check_problem(post(sound + "rest"), 400, "invalid_argument", "not whole and sound gzip");
  check_problem(post(gzip(std::string(2'900'000, 'a'))), 413, "too_large", "200 times");
  std::string varied;
  while (varied.size() <= limits.ingest_bytes_max)
    varied += std::to_string(varied.size() * 7919) + "\n";
  check_problem(post(gzip(varied)), 413, "too_large", "decompressed, the body may have 3000000 bytes");
  CHECK(orders(s) == 0);
}

TEST_CASE("a body is limited on the wire, and all bodies held together are") {
  auto limits = intake_site::limits();
  limits.ingest_bytes_max = 1'000'000;
  limits.ingest_held_bytes_max = 1'500'000;
  limits.intake_timeout = 60s; // longer than anything here waits
  intake_site s(limits);
  const std::string large(1'000'000, 'r');
  CHECK(s.client().post(path, large, as_json).status == 201);
  CHECK(last_order(s).body->size() == large.size());
  auto over = s.client();
  over.try_send(test::http_client::text_of("POST", path, as_json, large + "r"));
  check_problem(over.read(), 413, "body_too_large", "1000000 bytes");

  // What the intake has not answered yet is still held; another of its size does not fit beside it.
  s.s->use([](auto& now) { now.holding = true; });
  auto first = s.client();
  first.send(test::http_client::text_of("POST", path, as_json, large));
  REQUIRE(s.s->await([](auto& now) { return now.orders.size() == 2; }));
  check_problem(s.client().post(path, large, as_json), 429, "overloaded", "more observations");
  s.s->use([](auto& now) { now.holding = false; });
  CHECK(first.read().status == 201);
  CHECK(s.client().post(path, large, as_json).status == 201);
}

TEST_CASE("chunked bodies and those awaited with 100-continue are taken, and the connection goes on") {
  intake_site s;
  auto client = s.client();
  client.send("POST " + path +
              " HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n"
              "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
  CHECK(client.read().status == 201);
  CHECK(*last_order(s).body == "abcdefg");
  client.send("POST " + path +
              " HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\nExpect: "
              "100-continue\r\nContent-Length: 3\r\n\r\n");
  CHECK(client.read().status == 100);
  client.send("xyz");
  CHECK(client.read().status == 201);
  CHECK(*last_order(s).body == "xyz");
  // What is refused for its head alone is refused before the client sends its body.
  client.send("POST " + path +
              " HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  const auto refused = client.read();
  CHECK(refused.status == 415);
  CHECK(refused.field("Connection") == "close");
}

TEST_CASE("what two servers might read differently is refused of streamed bodies, too") {
  intake_site s;
  const auto status = [&](const std::string& rest) {
    auto client = s.client();
    client.send("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n" + rest);
    client.half_close();
    const auto answer = client.read();
    CHECK(answer.field("Connection") == "close");
    return answer.status;
  };
  CHECK(status("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == 400);
  CHECK(status("Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc") == 400);
  CHECK(status("X: a\r\n b\r\nContent-Length: 3\r\n\r\nabc") == 400);
  CHECK(status(std::string("X: a\0b\r\nContent-Length: 3\r\n\r\nabc", 33)) == 400);
  CHECK(status("Transfer-Encoding: gzip, chunked\r\n\r\n") == 501);
  CHECK(status("Transfer-Encoding: chunked\r\n\r\nzz\r\n") == 400);
  CHECK(status("Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n") == 400);
  CHECK(status("Content-Length: 9\r\n\r\nabc") == 400);
  CHECK(orders(s) == 0);
}

TEST_CASE("a body that comes too slowly is 408, and so is one that stops") {
  auto limits = intake_site::limits();
  limits.body_timeout = 200ms;
  limits.body_rate_min = 1'000'000;
  intake_site s(limits);
  const std::string head =
      "POST " + path +
      " HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\nContent-Length: 1000000\r\n\r\n";
  auto stopped = s.client();
  stopped.send(head + "abc");
  check_problem(stopped.read(), 408, "request_timeout", "in time");

  auto trickling = s.client();
  trickling.send(head);
  std::atomic<bool> answered = false;
  std::thread trickle([&] {
    while (!answered) {
      trickling.try_send("x");
      std::this_thread::sleep_for(10ms);
    }
  });
  const auto answer = trickling.read();
  answered = true;
  trickle.join();
  check_problem(answer, 408, "request_timeout", "in time");
  CHECK(orders(s) == 0);
}

TEST_CASE("a node without an intake says so") {
  intake_site s(intake_site::limits(), false);
  check_problem(s.client().post(path, one_row, as_json), 503, "not_coordinator", "ask its coordinator");
  check_problem(s.client().get("/api/v1/stores/1"), 503, "not_coordinator", "ask its coordinator");
  check_problem(s.client().get("/api/v1/export?feed=status"), 503, "not_coordinator", "ask its coordinator");
}
