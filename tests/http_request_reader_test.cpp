#include "storemon/http/request_reader.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

using namespace storemon::http;
using phase = request_reader::phase;

namespace {

/// What a stream of bytes holds: each request as text, then how it ends.
std::vector<std::string> read_all(const std::string& bytes, const std::vector<size_t>& cuts,
                                  const options& limits) {
  std::vector<std::string> seen;
  std::string buffer;
  size_t fed = 0;
  auto cut = cuts.begin();
  for (;;) {
    request_reader reader(limits);
    auto at = reader.read(buffer);
    while (at == phase::head || at == phase::body) {
      if (fed == bytes.size()) {
        seen.push_back(at == phase::head ? "ends in a head" : "ends in a body");
        return seen;
      }
      const auto end = cut == cuts.end() ? bytes.size() : *cut++;
      buffer.append(bytes, fed, end - fed);
      fed = end;
      at = reader.read(buffer);
    }
    if (at == phase::refused) {
      seen.push_back("refused with " + std::to_string(reader.refusal().status));
      return seen;
    }
    const auto got = reader.take();
    std::string text =
        got.method + " " + got.path + " " + std::to_string(got.minor) + (got.keep_alive ? "k" : "c");
    for (const auto& [name, value] : got.query)
      text += "?" + name + "=" + value;
    for (const auto& [name, value] : got.fields)
      text += "|" + name + ":" + value;
    seen.push_back(text + "#" + got.body);
  }
}

std::vector<size_t> byte_by_byte(size_t size) {
  std::vector<size_t> cuts(size);
  for (size_t i = 0; i < size; ++i)
    cuts[i] = i + 1;
  return cuts;
}

std::vector<size_t> random_cuts(size_t size, std::mt19937& random) {
  std::vector<size_t> cuts(random() % 8);
  for (auto& cut : cuts)
    cut = random() % (size + 1);
  std::sort(cuts.begin(), cuts.end());
  return cuts;
}

const std::vector<std::string> pieces{"GET / HTTP/1.1\r\n",
                                      "POST /a%20b?c=d&e=+f HTTP/1.1\r\n",
                                      "HEAD /x HTTP/1.0\r\n",
                                      "OPTIONS * HTTP/1.1\r\n",
                                      "GET http://h/x HTTP/1.1\r\n",
                                      "Host: t\r\n",
                                      "Host: t\r\n",
                                      "Host: t\r\n",
                                      "Content-Length: 5\r\n",
                                      "Content-Length: 70000\r\n",
                                      "Transfer-Encoding: chunked\r\n",
                                      "Connection: close\r\n",
                                      "Connection: keep-alive\r\n",
                                      "Expect: 100-continue\r\n",
                                      "X: y\r\n",
                                      "\r\n",
                                      "\r\n",
                                      "\r\n",
                                      "\r\n",
                                      "hello",
                                      "5\r\nhello\r\n",
                                      "1;x=y\r\na\r\n",
                                      "0\r\n\r\n",
                                      "0\r\nT: u\r\n\r\n",
                                      "\n",
                                      "\r",
                                      " ",
                                      "\t",
                                      ":"};

} // namespace

TEST_CASE("how bytes are cut into pieces never changes what they say") {
  options limits;
  limits.header_bytes_max = 200;
  limits.header_fields_max = 6;
  limits.body_bytes_max = 20;
  std::mt19937 random(20230125);
  size_t whole_requests = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes;
    if (random() % 2) // half of them begin well, so that bodies are reached
      bytes = "POST /p HTTP/1.1\r\nHost: t\r\n";
    for (auto count = random() % 10; count > 0; --count)
      bytes += pieces[random() % pieces.size()];
    if (random() % 3 == 0 && !bytes.empty())
      bytes[random() % bytes.size()] = static_cast<char>(random() % 256);
    const auto whole = read_all(bytes, {}, limits);
    whole_requests += whole.size() - 1;
    INFO(bytes);
    REQUIRE(read_all(bytes, byte_by_byte(bytes.size()), limits) == whole);
    REQUIRE(read_all(bytes, random_cuts(bytes.size(), random), limits) == whole);
  }
  CHECK(whole_requests > 1000);
}

TEST_CASE("requests that follow one another are told apart") {
  const std::string first = "POST /1 HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello";
  const std::string second =
      "POST /2 HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
  const std::string third = "\r\nGET /3?a=b HTTP/1.0\r\n\r\n";
  const auto seen = read_all(first + second + third + "GET", {}, options());
  REQUIRE(seen.size() == 4);
  CHECK(seen[0] == "POST /1 1k|Host:t|Content-Length:5#hello");
  CHECK(seen[1] == "POST /2 1k|Host:t|Transfer-Encoding:chunked#hi");
  CHECK(seen[2] == "GET /3 0c?a=b#");
  CHECK(seen[3] == "ends in a head");
}

// Where assertions are on, one of Beast's is reached by these unless the reader keeps them from it.
TEST_CASE("an empty chunked body may come in any pieces") {
  const options limits;
  const std::string head = "POST /p HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string last : {"0\r\n\r\n", "00\r\n\r\n", "0;a\r\n\r\n", "0\r\nA: b\r\n\r\n",
                                 "01\r\nx\r\n0\r\n\r\n", "4\r\n0\r\n\r\r\n0\r\n\r\n"}) {
    CAPTURE(last);
    const auto bytes = head + last + "GET / HTTP/1.1\r\nHost: t\r\n\r\n";
    const auto whole = read_all(bytes, {}, limits);
    REQUIRE(whole.size() == 3);
    CHECK(read_all(bytes, byte_by_byte(bytes.size()), limits) == whole);
    for (size_t first = head.size(); first <= bytes.size(); ++first)
      for (size_t second = first; second <= bytes.size(); ++second)
        CHECK(read_all(bytes, {first, second}, limits) == whole);
  }
}

TEST_CASE("a line of the chunked coding has the same limit in one piece and in many") {
  options limits;
  limits.header_bytes_max = 100;
  const std::string head = "POST /p HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
  // The window of a line begins with the CR LF that ends the chunk before it.
  for (const size_t line_bytes : {20, 96, 97, 98, 99, 100, 101, 300}) {
    const auto line = "1;" + std::string(line_bytes - 4, 'x') + "\r\n";
    for (const auto& body : {line + "a\r\n0\r\n\r\n", "1\r\na\r\n" + line + "b\r\n0\r\n\r\n"}) {
      const auto whole = read_all(head + body, {}, limits);
      INFO(line_bytes);
      CHECK(read_all(head + body, byte_by_byte(head.size() + body.size()), limits) == whole);
      if (line_bytes < 98)
        CHECK(whole.back() == "ends in a head");
      if (line_bytes > 100)
        CHECK(whole.back() == "refused with 431");
    }
  }
}

TEST_CASE("a chunk may be longer than a line of the coding") {
  options limits;
  limits.header_bytes_max = 100;
  const std::string bytes = "POST /p HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" +
                            std::string(1000, 'x') + "\r\n0\r\n\r\n";
  const auto whole = read_all(bytes, {}, limits);
  CHECK(whole.front().ends_with("#" + std::string(1000, 'x')));
  CHECK(read_all(bytes, byte_by_byte(bytes.size()), limits) == whole);
}
