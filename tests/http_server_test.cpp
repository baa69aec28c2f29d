#include "storemon/http/api.hpp"
#include "storemon/http/server.hpp"
#include "storemon/http/status.hpp"

#include "support/gunzip.hpp"
#include "support/http_client.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <catch2/catch.hpp>

#include <atomic>
#include <deque>
#include <future>
#include <random>

using namespace storemon;
using namespace storemon::http;
using namespace std::chrono_literals;
using test::http_answer;
using test::http_client;

namespace {

std::string csv_of(size_t bytes) {
  std::mt19937 random(7);
  std::string text = "store_id,uptime\n";
  while (text.size() < bytes)
    text += std::to_string(random()) + "," + std::to_string(random() % 60) + "\n";
  text.resize(bytes);
  return text;
}

/// Short limits, so that a test of one does not take long. None is asserted to pass quickly.
options short_limits() {
  options o;
  o.port = 0;
  o.header_timeout = 100ms;
  o.body_timeout = 100ms;
  o.linger_timeout = 500ms;
  return o;
}

/// A server with a few handlers of its own, no actors.
struct site {
  explicit site(options o = options{.port = 0}) : limits(o), web(limits, {handler()}) {
    const auto started = web.start();
    if (!started)
      throw std::runtime_error(started.error().detail);
  }

  request_handler handler() {
    return [this](const request& asked) { return answer(asked); };
  }

  boost::asio::awaitable<response> answer(const request& asked) {
    if (asked.path == "/throw")
      throw std::runtime_error("a fault of the handler");
    if (asked.path == "/file")
      co_return file_answer(asked, file);
    if (asked.path == "/wait") {
      waiting = true;
      boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
      while (!released) {
        timer.expires_after(1ms);
        co_await timer.async_wait(boost::asio::use_awaitable);
      }
    }
    ++answered;
    co_return response{
        200, {{"Content-Type", "text/plain"}}, asked.method + " " + asked.path + "|" + asked.body};
  }

  http_client client() { return http_client(web.port()); }

  options limits;
  std::shared_ptr<const protocol::report_file> file = std::make_shared<protocol::report_file>(
      protocol::report_file{"store_report_20230125_181322.csv", csv_of(300'000)});
  std::atomic<bool> waiting = false;
  std::atomic<bool> released = false;
  std::atomic<int> answered = 0;
  server web;
};

/// The answer to raw bytes after which the client says no more.
http_answer answer_to(site& s, std::string_view bytes) {
  auto client = s.client();
  client.send(bytes);
  return client.read();
}

void check_refused(const http_answer& answer, int status, const std::string& code) {
  CHECK(answer.status == status);
  CHECK(answer.field("Content-Type") == "application/json");
  CHECK(answer.field("Connection") == "close");
  CHECK(answer.body.starts_with("{\"error\":\"" + code + "\",\"detail\":\""));
}

} // namespace

TEST_CASE("every answer names the server, the date and its length") {
  site s;
  const auto answer = s.client().get("/hello");
  CHECK(answer.status == 200);
  CHECK(answer.body == "GET /hello|");
  CHECK(answer.field("Server") == "storemon");
  CHECK(answer.field("X-Content-Type-Options") == "nosniff");
  CHECK(answer.field("Date").size() == 29);
  CHECK(answer.field("Date").ends_with(" GMT"));
  CHECK(answer.field("Content-Length") == "11");
}

TEST_CASE("one connection serves 2000 requests one after the other") {
  site s;
  auto client = s.client();
  for (int i = 0; i < 2000; ++i)
    REQUIRE(client.get("/" + std::to_string(i)).body == "GET /" + std::to_string(i) + "|");
  CHECK(s.answered == 2000);
}

TEST_CASE("a hundred pipelined requests are answered in order") {
  site s;
  auto client = s.client();
  std::string all;
  for (int i = 0; i < 100; ++i)
    all += http_client::text_of(i % 2 ? "POST" : "GET", "/" + std::to_string(i), {}, i % 2 ? "b" : "");
  client.send(all);
  for (int i = 0; i < 100; ++i)
    REQUIRE(client.read().body ==
            (i % 2 ? "POST /" + std::to_string(i) + "|b" : "GET /" + std::to_string(i) + "|"));
}

TEST_CASE("HEAD is answered like GET, without the body") {
  site s;
  for (const std::string path : {"/hello", "/file"}) {
    auto client = s.client();
    auto get = client.get(path);
    auto head = client.request("HEAD", path);
    CHECK(head.body.empty());
    CHECK(head.status == get.status);
    if (path == "/file")
      CHECK(head.field("Content-Length") == get.field("Content-Length"));
    else
      CHECK(head.field("Content-Length") == "12"); // the text names the method, which has one letter more
    CHECK(client.get("/next").body == "GET /next|");
  }
}

TEST_CASE("a chunked body is put together, in whatever pieces it comes") {
  site s;
  const std::string head = "POST /c HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string body = "3\r\nabc\r\n1;note=x\r\nd\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
  for (size_t piece : {1, 2, 3, 5, 7, 100}) {
    auto client = s.client();
    const auto all = head + body;
    for (size_t at = 0; at < all.size(); at += piece)
      client.send(std::string_view(all).substr(at, piece));
    REQUIRE(client.read().body == "POST /c|abcd0123456789");
    REQUIRE(client.get("/next").body == "GET /next|");
  }
}

TEST_CASE("a request that comes byte by byte is understood") {
  site s;
  auto client = s.client();
  for (const char c : http_client::text_of("POST", "/slow", {{"X-Note", "y"}}, "body"))
    client.send(std::string_view(&c, 1));
  CHECK(client.read().body == "POST /slow|body");
}

TEST_CASE("a client that expects 100-continue is told to go on") {
  site s;
  auto client = s.client();
  client.send("POST /e HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  CHECK(client.read().status == 100);
  client.send("abc");
  CHECK(client.read().body == "POST /e|abc");

  SECTION("unless its body is refused anyway") {
    client.send("POST /e HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 70000\r\n\r\n");
    check_refused(client.read(), 413, "body_too_large");
  }
  SECTION("and another expectation cannot be met") {
    client.send("GET /e HTTP/1.1\r\nHost: t\r\nExpect: miracles\r\n\r\n");
    check_refused(client.read(), 417, "expectation_failed");
  }
}

TEST_CASE("keep-alive follows version and Connection field") {
  site s;
  SECTION("HTTP/1.1 closes when asked") {
    auto client = s.client();
    const auto answer = client.get("/a", {{"Connection", "close"}});
    CHECK(answer.field("Connection") == "close");
    CHECK(client.ends_without_a_word());
  }
  SECTION("HTTP/1.0 closes by itself, and needs no Host") {
    auto client = s.client();
    client.send("GET /a HTTP/1.0\r\n\r\n");
    CHECK(client.read().field("Connection") == "close");
    CHECK(client.ends_without_a_word());
  }
  SECTION("HTTP/1.0 keeps when asked") {
    auto client = s.client();
    client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK(client.read().field("Connection") == "keep-alive");
    CHECK(client.get("/b").status == 200);
  }
  SECTION("HTTP/1.0 gets no chunks") {
    auto client = s.client();
    client.send("GET /file HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n");
    const auto answer = client.read();
    CHECK_FALSE(answer.chunked);
    CHECK(answer.body == s.file->bytes);
  }
}

TEST_CASE("limits answer before they close") {
  site s(short_limits());
  SECTION("a header over 8 KiB is 431, be it ended or not") {
    check_refused(answer_to(s, "GET / HTTP/1.1\r\nHost: t\r\nX: " + std::string(9000, 'x') + "\r\n\r\n"), 431,
                  "header_too_large");
    check_refused(answer_to(s, "GET /" + std::string(9000, 'x')), 431, "header_too_large");
  }
  SECTION("a header of exactly 8 KiB passes") {
    std::string text = "GET /a HTTP/1.1\r\nHost: t\r\nX: ";
    text += std::string(8192 - text.size() - 4, 'x') + "\r\n\r\n";
    CHECK(answer_to(s, text).status == 200);
  }
  SECTION("more than 64 fields are 431") {
    std::string text = "GET /a HTTP/1.1\r\nHost: t\r\n";
    for (int i = 0; i < 64; ++i)
      text += "X" + std::to_string(i) + ": y\r\n";
    check_refused(answer_to(s, text + "\r\n"), 431, "header_too_large");
  }
  SECTION("a body over 64 KiB is 413, also when all of it is sent before the answer is read") {
    check_refused(answer_to(s, "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 65537\r\n\r\n"), 413,
                  "body_too_large");
    auto client = s.client();
    client.try_send(http_client::text_of("POST", "/", {}, std::string(500'000, 'b')));
    check_refused(client.read(), 413, "body_too_large");
  }
  SECTION("a body of exactly 64 KiB passes") {
    CHECK(s.client().post("/b", std::string(65536, 'b')).body.size() == 8 + 65536);
  }
  SECTION("a chunked body over 64 KiB is 413") {
    auto client = s.client();
    client.send("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 20; ++i)
      client.try_send("1000\r\n" + std::string(4096, 'c') + "\r\n");
    check_refused(client.read(), 413, "body_too_large");
  }
  SECTION("an endless chunk extension or trailer is 431") {
    const std::string head = "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
    check_refused(answer_to(s, head + "1;" + std::string(20'000, 'x')), 431, "header_too_large");
    check_refused(answer_to(s, head + "0\r\nX: " + std::string(20'000, 'x')), 431, "header_too_large");
  }
  SECTION("a header that does not end is 408") {
    check_refused(answer_to(s, "GET / HTTP/1.1\r\nHost"), 408, "request_timeout");
  }
  SECTION("a body that does not end is 408") {
    check_refused(answer_to(s, "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nabc"), 408,
                  "request_timeout");
  }
  SECTION("a request that ends halfway is 400") {
    for (const std::string_view text :
         {"GET / HT", "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nabc"}) {
      auto client = s.client();
      client.send(text);
      client.half_close();
      check_refused(client.read(), 400, "bad_request");
    }
  }
}

TEST_CASE("trickling bytes gains no time") {
  site s(short_limits());
  auto client = s.client();
  std::atomic<bool> answered = false;
  auto answer = std::async(std::launch::async, [&] {
    auto read = client.read();
    answered = true;
    return read;
  });
  client.send("GET / HTTP/1.1\r\n");
  // As long as the answer takes: each byte would re-arm a deadline that belonged to the read.
  while (!answered) {
    client.try_send("X: y\r\n");
    std::this_thread::sleep_for(10ms);
  }
  check_refused(answer.get(), 408, "request_timeout");
}

TEST_CASE("a silent connection is closed without a word") {
  auto limits = short_limits();
  limits.idle_timeout = 100ms;
  site s(limits);
  auto fresh = s.client();
  CHECK(fresh.ends_without_a_word());
  auto used = s.client();
  CHECK(used.get("/a").status == 200);
  CHECK(used.ends_without_a_word());
}

TEST_CASE("a connection over the cap is told so, and the next gets in when one has left") {
  options limits;
  limits.port = 0;
  limits.connections_max = 2;
  site s(limits);
  auto first = std::make_unique<http_client>(s.web.port());
  auto second = s.client();
  CHECK(first->get("/1").status == 200);
  CHECK(second.get("/2").status == 200);
  auto third = s.client();
  third.send(http_client::text_of("GET", "/3"));
  const auto refused = third.read();
  check_refused(refused, 503, "too_many_connections");
  CHECK(refused.field("Retry-After") == "1");
  CHECK(third.ends_without_a_word());

  first.reset();
  int status = 503;
  while (status == 503) // until the server has seen the first one leave
    status = s.client().get("/4").status;
  CHECK(status == 200);
}

TEST_CASE("what two servers might read differently is refused") {
  site s;
  const std::string host = " HTTP/1.1\r\nHost: t\r\n";
  const auto bad = [&](const std::string& text) { check_refused(answer_to(s, text), 400, "bad_request"); };
  SECTION("two lengths") {
    bad("POST /" + host + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    bad("POST /" + host + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n");
    bad("POST /" + host + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc");
    bad("POST /" + host + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc");
    bad("POST /" + host + "Content-Length: 3, 3\r\n\r\nabc");
  }
  SECTION("lengths that are none") {
    for (const std::string length : {"-1", "+3", "0x3", "3 3", "", "99999999999999999999999"})
      bad("POST /" + host + "Content-Length: " + length + "\r\n\r\nabc");
  }
  SECTION("line endings, continued fields and control characters") {
    bad("GET / HTTP/1.1\nHost: t\n\n");
    bad("GET / HTTP/1.1\r\nHost: t\nX: y\r\n\r\n");
    bad("GET / HTTP/1.1\rHost: t\r\n\r\n");
    bad("GET /" + host + "X: a\r\n b\r\n\r\n");
    bad("GET /" + host + "X: a\r\n\tb\r\n\r\n");
    bad("GET /" + host + std::string("X: a\0b\r\n\r\n", 10));
    bad(std::string("GET /\0 HTTP/1.1\r\nHost: t\r\n\r\n", 28));
    bad("\x16\x03\x01\x02");
  }
  SECTION("fields and request lines that are none") {
    bad("GET /" + host + "X : y\r\n\r\n");
    bad("GET /" + host + ": y\r\n\r\n");
    bad("GET /" + host + "no colon\r\n\r\n");
    bad("GET / \r\nHost: t\r\n\r\n");
    bad("GET /\r\nHost: t\r\n\r\n");
    bad("GET / a HTTP/1.1\r\nHost: t\r\n\r\n");
    bad("nonsense\r\n\r\n");
    bad("GET relative" + host + "\r\n");
    bad("GET /%zz" + host + "\r\n");
    bad(std::string("GET /a\nb") + host + "\r\n");
    bad(std::string("GET /a\x7f") + host + "\r\n");
    bad("GET /?a=%0a" + host + "\r\n");
  }
  SECTION("hosts") {
    bad("GET / HTTP/1.1\r\n\r\n");
    bad("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
  }
  SECTION("broken chunks") {
    const auto head = "POST /" + host + "Transfer-Encoding: chunked\r\n\r\n";
    bad(head + "zz\r\nabc\r\n");
    bad(head + "3\r\nabcd\r\n0\r\n\r\n");
    bad(head + "-3\r\nabc\r\n");
    bad(head + "3\nabc\r\n0\r\n\r\n");
  }
  SECTION("transfer codings") {
    bad("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    for (const std::string coding : {"gzip", "gzip, chunked", "identity", "chunked, chunked", "xchunked"})
      check_refused(answer_to(s, "POST /" + host + "Transfer-Encoding: " + coding + "\r\n\r\n"), 501,
                    "not_implemented");
  }
  SECTION("versions") {
    for (const std::string version : {"HTTP/2.0", "HTTP/0.9", "HTTP/3.0", "HTTP/1.2"})
      check_refused(answer_to(s, "GET / " + version + "\r\nHost: t\r\n\r\n"), 505, "version_not_supported");
    bad("GET / HTTQ/1.1\r\nHost: t\r\n\r\n");
    bad("GET / HTTP/11\r\nHost: t\r\n\r\n");
    check_refused(answer_to(s, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505, "version_not_supported");
  }
  SECTION("and what follows a refused request is not read as one") {
    auto client = s.client();
    client.send("POST /" + host +
                "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled" + host +
                "\r\n");
    CHECK(client.read().status == 400);
    CHECK(client.ends_without_a_word());
    CHECK(s.answered == 0);
  }
}

TEST_CASE("targets come in origin and absolute form, percent-decoded, after empty lines") {
  site s;
  CHECK(answer_to(s, "GET http://t/abs?x=1 HTTP/1.1\r\nHost: t\r\n\r\n").body == "GET /abs|");
  CHECK(answer_to(s, "GET http://t HTTP/1.1\r\nHost: t\r\n\r\n").body == "GET /|");
  CHECK(answer_to(s, "GET /a%20b%2fc%41 HTTP/1.1\r\nHost: t\r\n\r\n").body == "GET /a b%2FcA|");
  CHECK(answer_to(s, "GET /a%0ab%00%7f HTTP/1.1\r\nHost: t\r\n\r\n").body == "GET /a%0Ab%00%7F|");
  CHECK(answer_to(s, "\r\n\r\nGET /x HTTP/1.1\r\nHost: t\r\n\r\n").body == "GET /x|");
}

TEST_CASE("a handler's exception is a 500 and the connection goes on") {
  site s;
  auto client = s.client();
  const auto answer = client.get("/throw");
  CHECK(answer.status == 500);
  CHECK(answer.body.find("fault of the handler") == std::string::npos);
  CHECK(client.get("/next").status == 200);
}

TEST_CASE("clients that leave at any point do no harm") {
  site s;
  const auto text = http_client::text_of("POST", "/gone", {{"X", "y"}}, "body");
  for (size_t sent = 0; sent <= text.size(); sent += 3) {
    auto client = s.client();
    client.send(std::string_view(text).substr(0, sent));
    client.abort();
  }
  for (int i = 0; i < 20; ++i) {
    auto client = s.client();
    client.send(http_client::text_of("GET", "/file",
                                     i % 2 ? http_client::field_list{{"Accept-Encoding", "gzip"}}
                                           : http_client::field_list{}));
    client.abort();
  }
  CHECK(s.client().get("/still").status == 200);
}

TEST_CASE("a large file reaches a slow reader whole, while others are served") {
  site s;
  s.file =
      std::make_shared<protocol::report_file>(protocol::report_file{"store_report_x.csv", csv_of(8'000'000)});
  http_client slow(s.web.port(), 4096);
  slow.send(http_client::text_of("GET", "/file"));
  for (int i = 0; i < 50; ++i) // the slow one has read nothing yet, so its file fills every buffer between
    REQUIRE(s.client().get("/other").status == 200);
  const auto answer = slow.read();
  CHECK(answer.status == 200);
  CHECK((answer.body == s.file->bytes));
}

TEST_CASE("a reader that takes nothing is cut off") {
  auto limits = short_limits();
  limits.write_timeout = 100ms;
  limits.drain_timeout = 20s;
  site s(limits);
  s.file = std::make_shared<protocol::report_file>(
      protocol::report_file{"store_report_x.csv", csv_of(16'000'000)});
  http_client stuck(s.web.port(), 4096);
  stuck.send(http_client::text_of("GET", "/file"));
  CHECK(s.client().get("/other").status == 200);
  // Only the cut lets the connection end: the client neither reads nor leaves.
  CHECK(s.web.drain());
  CHECK_THROWS_WITH(stuck.read(), Catch::Contains("ended within a body"));
}

TEST_CASE("gzip is streamed when asked for and gives the file back") {
  site s;
  for (const size_t size : {0, 1, 65'535, 65'536, 65'537, 3'000'000}) {
    s.file =
        std::make_shared<protocol::report_file>(protocol::report_file{"store_report_x.csv", csv_of(size)});
    auto client = s.client();
    const auto plain = client.get("/file");
    const auto packed = client.get("/file", {{"Accept-Encoding", "br, gzip;q=0.8"}});
    REQUIRE(plain.body.size() == size);
    REQUIRE(packed.chunked);
    REQUIRE(packed.field("Content-Encoding") == "gzip");
    REQUIRE((test::gunzip(packed.body) == plain.body));
    REQUIRE(packed.field("ETag") != plain.field("ETag"));
    REQUIRE(packed.field("Vary") == "Accept-Encoding");
    REQUIRE(plain.field("Vary") == "Accept-Encoding");
    REQUIRE(client.request("HEAD", "/file", {{"Accept-Encoding", "gzip"}}).field("Transfer-Encoding") ==
            "chunked");
    REQUIRE_FALSE(client.get("/file", {{"Accept-Encoding", "gzip;q=0"}}).chunked);
    REQUIRE_FALSE(client.get("/file", {{"Accept-Encoding", "gzip;q=0.5, identity"}}).chunked);
  }
}

TEST_CASE("ranges of a file") {
  site s;
  s.file = std::make_shared<protocol::report_file>(protocol::report_file{"store_report_x.csv", "0123456789"});
  auto client = s.client();
  const auto range = [&](const std::string& text) { return client.get("/file", {{"Range", text}}); };
  const auto part = [&](const std::string& text, const std::string& bytes, const std::string& where) {
    const auto answer = range(text);
    CHECK(answer.status == 206);
    CHECK(answer.body == bytes);
    CHECK(answer.field("Content-Range") == where);
    CHECK(answer.field("Content-Length") == std::to_string(bytes.size()));
  };
  part("bytes=0-0", "0", "bytes 0-0/10");
  part("bytes=2-4", "234", "bytes 2-4/10");
  part("bytes=7-", "789", "bytes 7-9/10");
  part("bytes=7-99999999999999999999999", "789", "bytes 7-9/10");
  part("bytes=-3", "789", "bytes 7-9/10");
  part("bytes=-100", "0123456789", "bytes 0-9/10");
  part("BYTES= 9-9 ", "9", "bytes 9-9/10");
  for (const std::string none : {"bytes=10-", "bytes=99999999999999999999999-", "bytes=-0", "bytes=10-11"}) {
    const auto answer = range(none);
    CHECK(answer.status == 416);
    CHECK(answer.field("Content-Range") == "bytes */10");
  }
  for (const std::string ignored : {"bytes=4-2", "bytes=0-1,3-4", "bytes=", "bytes=-", "bytes=x-1",
                                    "lines=0-1", "bytes=--1", "bytes=1", ""})
    CHECK(range(ignored).status == 200);

  const auto tag = client.get("/file").field("ETag");
  CHECK(client.get("/file", {{"Range", "bytes=0-1"}, {"If-Range", tag}}).status == 206);
  CHECK(client.get("/file", {{"Range", "bytes=0-1"}, {"If-Range", "\"other\""}}).status == 200);
  CHECK(client.get("/file", {{"Range", "bytes=0-1"}, {"If-Range", "W/" + tag}}).status == 200);
  CHECK(client.get("/file", {{"Range", "bytes=0-1"}, {"If-Range", "Wed, 25 Jan 2023 18:13:22 GMT"}}).status ==
        200);
  CHECK(client.get("/file", {{"Range", "bytes=99-"}, {"If-Range", "\"other\""}}).body == "0123456789");
  CHECK(client.request("HEAD", "/file", {{"Range", "bytes=0-1"}}).status == 200);
  const auto both = client.get("/file", {{"Range", "bytes=0-1"}, {"Accept-Encoding", "gzip"}});
  CHECK(both.status == 206);
  CHECK(both.body == "01");
  CHECK_FALSE(both.has("Content-Encoding"));
}

TEST_CASE("a client that has the file already gets 304") {
  site s;
  auto client = s.client();
  const auto whole = client.get("/file");
  const auto tag = whole.field("ETag");
  REQUIRE(tag.size() > 2);
  CHECK(whole.field("Accept-Ranges") == "bytes");
  CHECK(whole.field("Content-Type") == "text/csv; charset=utf-8");
  CHECK(whole.field("Content-Disposition") == "attachment; filename=\"store_report_20230125_181322.csv\"");
  for (const auto& known : {tag, "W/" + tag, "\"a\", " + tag, std::string("*")}) {
    const auto answer = client.get("/file", {{"If-None-Match", known}});
    CHECK(answer.status == 304);
    CHECK(answer.field("ETag") == tag);
    CHECK_FALSE(answer.has("Content-Length"));
  }
  CHECK(client.get("/file", {{"If-None-Match", "\"a\""}}).status == 200);
  CHECK(client.get("/file", {{"If-None-Match", tag}, {"Accept-Encoding", "gzip"}}).status == 200);
}

TEST_CASE("stopping answers what runs, closes what is silent, and refuses new connections") {
  site s;
  auto silent = s.client();
  CHECK(silent.get("/a").status == 200);
  auto busy = s.client();
  busy.send(http_client::text_of("GET", "/wait"));
  while (!s.waiting)
    std::this_thread::yield();
  auto drained = std::async(std::launch::async, [&] { return s.web.drain(); });
  CHECK(silent.ends_without_a_word());
  CHECK_THROWS_WITH(http_client(s.web.port()), Catch::Contains("connect"));
  s.released = true;
  const auto answer = busy.read();
  CHECK(answer.body == "GET /wait|");
  CHECK(answer.field("Connection") == "close");
  CHECK(busy.ends_without_a_word());
  CHECK(drained.get());
  s.web.close();
  s.web.drain();
  s.web.close();
}

TEST_CASE("stopping does not wait for the rest of a request's head") {
  options limits;
  limits.port = 0;
  limits.header_timeout = 1h;
  site s(limits);
  auto client = s.client();
  // In one piece, so that the beginning of the second request is there when the first is answered.
  client.send(http_client::text_of("GET", "/a") + "GET /b HTTP/1.1\r\nHo");
  CHECK(client.read().body == "GET /a|");
  CHECK(s.web.drain());
  CHECK(client.ends_without_a_word());
}

TEST_CASE("stopping does not wait for a handler for ever") {
  options limits;
  limits.port = 0;
  limits.drain_timeout = 50ms;
  site s(limits);
  auto busy = s.client();
  busy.send(http_client::text_of("GET", "/wait"));
  while (!s.waiting)
    std::this_thread::yield();
  CHECK_FALSE(s.web.drain());
  s.web.close();
  CHECK(busy.ends_without_a_word());
}

TEST_CASE("a server that cannot listen says where and why") {
  site s;
  options taken;
  taken.port = s.web.port();
  server second(taken, {s.handler()});
  const auto started = second.start();
  REQUIRE(!started);
  CHECK(started.error().code == errc::io_failed);
  CHECK(started.error().detail ==
        "cannot listen on 127.0.0.1:" + std::to_string(taken.port) + ": Address already in use");
  options nonsense;
  nonsense.address = "here";
  server third(nonsense, {s.handler()});
  CHECK(third.start().error().detail == "cannot listen on here:8080: not an IP address");
}
