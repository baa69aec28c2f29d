#include "support/gunzip.hpp"
#include "support/intake_site.hpp"

#include <sys/resource.h>

#include <csignal>

using namespace storemon;
using namespace storemon::protocol;
using namespace std::chrono_literals;
using test::check_problem;
using test::gzip;
using test::intake_site;
using test::json_of;
using test::text_of;

namespace {

const std::string path = "/api/v1/import";
const std::string feed = "store_id,status,timestamp_utc\n1,active,2023-01-25 18:13:22 UTC\n";

/// Bytes of memory that count against this process, at their highest so far.
size_t memory_peak() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:"))
      return std::stoull(line.substr(6)) * 1024;
  throw std::runtime_error("no VmHWM");
}

void finish_with(intake_site& s, const error& failure) {
  s.s->use([&](auto& now) {
    import_status status;
    status.finished = instant(1s);
    status.progress = {50, 100};
    status.failure = failure;
    if (failure.code == errc::ok) {
      auto totals = import_result();
      totals.feeds.push_back({"status", 100, 2, {1, 0, 0}, 0, {}, {}});
      status.result = std::make_shared<const import_result>(totals);
      status.progress = {100, 100};
    }
    now.imported = status;
  });
}

} // namespace

TEST_CASE("a feed is received, imported, and its file removed") {
  intake_site s;
  finish_with(s, {errc::ok, ""});
  auto client = s.client();
  const auto answer = client.post(path + "?feed=status", feed, {{"Content-Type", "text/csv"}});
  CHECK(answer.status == 201);
  const auto body = json_of(answer);
  CHECK(text_of(body, "state") == "done");
  CHECK(text_of(body, "progress_percent") == "100");
  CHECK(text_of(body.at("feeds").as_array().at(0).as_object(), "accepted") == "1");
  const auto id = text_of(body, "import_id");
  CHECK(answer.field("Location") == "/api/v1/imports/" + id);
  CHECK(client.post(path + "?feed=hours&valid_from=2023-02-01", gzip(feed), {{"Content-Encoding", "gzip"}})
            .status == 201);
  s.s->use([&](auto& now) {
    CHECK(now.imported_texts == std::vector<std::string>{feed, feed});
    CHECK(now.imports[0].id == id);
    CHECK(now.imports[0].path == s.spool.path().string() + "/import-" + id + ".csv");
    CHECK(now.imports[0].feed == feed_kind::status);
    CHECK(now.imports[0].valid_from == always_valid);
    CHECK(now.imports[1].feed == feed_kind::hours);
    CHECK(now.imports[1].valid_from == std::chrono::local_days(std::chrono::days(19389)));
    CHECK(now.imports[1].id != id);
  });
  CHECK(s.spool_empties());
  CHECK(text_of(json_of(client.get("/api/v1/imports/" + id)), "state") == "done");
  CHECK(json_of(client.get("/api/v1/imports")).at("imports").as_array().size() == 2);
  check_problem(client.get("/api/v1/imports/7"), 400, "invalid_argument", "UUID");
  check_problem(client.get("/api/v1/imports/44444444-4444-4444-8444-444444444444"), 404, "not_found",
                "no import");
}

TEST_CASE("who would rather not wait is told where to look") {
  intake_site s;
  auto client = s.client();
  const auto answer =
      client.post(path + "?feed=timezones", feed, {{"Prefer", "handling=lenient, respond-async; wait=1"}});
  CHECK(answer.status == 202);
  const auto id = text_of(json_of(answer), "import_id");
  CHECK(answer.field("Location") == "/api/v1/imports/" + id);
  CHECK(text_of(json_of(answer), "state") == "running");
  CHECK(s.spool_empties());
  s.s->use([](auto& now) { now.imported = error{errc::busy, "an import runs"}; });
  check_problem(client.post(path + "?feed=status", feed, {{"Prefer", "respond-async"}}), 409, "busy",
                "an import runs");
  check_problem(client.post(path + "?feed=status", feed), 409, "busy", "an import runs");
  CHECK(s.spool_empties());
}

TEST_CASE("an import that fails says how") {
  intake_site s;
  finish_with(s, {errc::bad_feed, "a column is missing"});
  auto client = s.client();
  const auto bad = client.post(path + "?feed=status", feed);
  check_problem(bad, 422, "bad_feed", "a column is missing");
  CHECK(text_of(json_of(bad), "state") == "failed");
  CHECK(text_of(json_of(bad), "progress_percent") == "50");
  s.s->use([](auto& now) {
    import_result lost;
    lost.partitions_lost = {3};
    import_status status;
    status.finished = instant(1s);
    status.result = std::make_shared<const import_result>(lost);
    now.imported = status;
  });
  const auto partly = client.post(path + "?feed=status", feed);
  CHECK(partly.status == 503);
  CHECK(text_of(json_of(partly), "error") == "partition_lost");
  CHECK(text_of(json_of(partly), "partitions_lost") == "[3]");
}

TEST_CASE("an import of which no row could be taken is 422, with its counts") {
  intake_site s;
  const auto post = [&](const applied& rows, uint64_t rejected) {
    s.s->use([&](auto& now) {
      import_result read;
      read.feeds.push_back({"status feed", 100, 4, rows, rejected, {{"bad_status", rejected}}, {}});
      import_status status;
      status.finished = instant(1s);
      status.result = std::make_shared<const import_result>(read);
      now.imported = status;
    });
    return s.client().post(path + "?feed=status", feed);
  };
  const auto none = post({}, 3);
  check_problem(none, 422, "bad_feed", "no row could be taken");
  const auto told = json_of(none);
  CHECK(none.field("Location") == "/api/v1/imports/" + text_of(told, "import_id"));
  CHECK(text_of(told.at("feeds").at(0).as_object(), "rejected_by_reason") == R"({"bad_status":3})");
  CHECK(post({0, 1, 0}, 2).status == 201);
  CHECK(post({}, 0).status == 201);
}

TEST_CASE("an upload that is wrong is refused and leaves no file") {
  auto limits = intake_site::limits();
  limits.import_bytes_max = 100'000;
  intake_site s(limits);
  const auto post = [&](const std::string& query, const std::string& body,
                        const test::http_client::field_list& with = {}) {
    auto client = s.client();
    client.try_send(test::http_client::text_of("POST", path + query, with, body));
    return client.read();
  };
  check_problem(post("", feed), 400, "invalid_argument", "'feed' is missing");
  check_problem(post("?feed=x", feed), 400, "invalid_argument", "corrections or stores, not 'x'");
  check_problem(post("?feed=status&valid_from=2023-01-01", feed), 400, "invalid_argument", "only for hours");
  check_problem(post("?feed=hours&valid_from=soon", feed), 400, "invalid_argument", "'valid_from'");
  check_problem(post("?feed=hours&from=2023-01-01", feed), 400, "invalid_argument",
                "'from' is not a parameter");
  check_problem(post("?feed=status", feed, {{"Idempotency-Key", "k"}}), 400, "invalid_argument",
                "an import takes no Idempotency-Key");
  check_problem(post("?feed=status", feed, {{"Content-Type", "application/json"}}), 415,
                "unsupported_media_type", "text/csv");
  check_problem(post("?feed=status", feed, {{"Content-Encoding", "br"}}), 415, "unsupported_encoding",
                "gzip");
  check_problem(post("?feed=status", feed, {{"Content-Encoding", "gzip"}}), 400, "invalid_argument", "gzip");
  check_problem(post("?feed=status", gzip(std::string(5'000'000, 'a')), {{"Content-Encoding", "gzip"}}), 413,
                "too_large", "the body");
  check_problem(post("?feed=status", std::string(100'001, 'a')), 413, "body_too_large", "100000 bytes");
  CHECK(s.spool_empties());
  CHECK(s.s->use([](auto& now) { return now.imports.size(); }) == 0);
}

TEST_CASE("no room for the file is 507, and what was written is removed") {
  intake_site s;

  // The limit of this process stands for a full disk: both tell while bytes are written.
  struct file_limit {
    explicit file_limit(rlim_t bytes) {
      getrlimit(RLIMIT_FSIZE, &before);
      const rlimit small{bytes, before.rlim_max};
      setrlimit(RLIMIT_FSIZE, &small);
      std::signal(SIGXFSZ, SIG_IGN);
    }

    ~file_limit() {
      setrlimit(RLIMIT_FSIZE, &before);
      std::signal(SIGXFSZ, SIG_DFL);
    }

    rlimit before{};
  } limit(500'000);

  check_problem(s.client().post(path + "?feed=status", std::string(1'000'000, 'x')), 507, "disk_full",
                "no room to receive the file");
  CHECK(s.spool_empties());
}

TEST_CASE("a spool that takes no file is 500") {
  intake_site s;
  std::filesystem::remove(s.spool.path());
  check_problem(s.client().post(path + "?feed=status", feed), 500, "io_failed", "cannot be received");
  std::filesystem::create_directory(s.spool.path());
}

TEST_CASE("50 MB are received in bounded memory, however they come") {
  intake_site s;
  finish_with(s, {errc::ok, ""});
  const std::string piece(64 * 1024, '1');
  constexpr size_t pieces = 800;
  for (const bool chunked : {false, true}) {
    s.s->use([](auto& now) { now.silent = true; }); // else the fake reads all of the file
    auto client = s.client();
    const auto before = memory_peak();
    client.send("POST " + path + "?feed=status HTTP/1.1\r\nHost: localhost\r\n" +
                (chunked ? "Transfer-Encoding: chunked\r\n\r\n"
                         : "Content-Length: " + std::to_string(pieces * piece.size()) + "\r\n\r\n"));
    for (size_t i = 0; i < pieces; ++i) {
      if (chunked)
        client.send("10000\r\n");
      client.send(piece);
      if (chunked)
        client.send("\r\n");
    }
    if (chunked)
      client.send("0\r\n\r\n");
    const auto whole = [&] {
      for (const auto& entry : std::filesystem::directory_iterator(s.spool.path()))
        if (entry.file_size() == pieces * piece.size())
          return true;
      return false;
    };
    for (int i = 0; i < 2000 && !whole(); ++i)
      std::this_thread::sleep_for(10ms);
    REQUIRE(whole());
    for (const auto& entry : std::filesystem::directory_iterator(s.spool.path()))
      CHECK((entry.status().permissions() & std::filesystem::perms::all) ==
            (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
    CHECK(memory_peak() - before < 16 * 1024 * 1024);
    std::filesystem::remove_all(s.spool.path());
    std::filesystem::create_directory(s.spool.path());
  }
}

TEST_CASE("a client that leaves mid-upload leaves no file") {
  intake_site s;
  for (const bool reset : {false, true}) {
    auto client = s.client();
    client.send("POST " + path +
                "?feed=status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\n" +
                std::string(1'000'000, 'x'));
    for (int i = 0; i < 2000 && s.spooled() == 0; ++i)
      std::this_thread::sleep_for(10ms);
    REQUIRE(s.spooled() == 1);
    if (reset)
      client.abort();
    else
      client.half_close();
    CHECK(s.spool_empties());
  }
  CHECK(s.s->use([](auto& now) { return now.imports.size(); }) == 0);
}

TEST_CASE("only so many files are received at once") {
  auto limits = intake_site::limits();
  limits.uploads_max = 1;
  intake_site s(limits);
  auto first = s.client();
  first.send("POST " + path + "?feed=status HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n");
  for (int i = 0; i < 2000 && s.spooled() == 0; ++i)
    std::this_thread::sleep_for(10ms);
  check_problem(s.client().post(path + "?feed=status", feed), 503, "busy", "as many files");
  first.send("abc");
  CHECK(first.read().status == 201);
}

TEST_CASE("a feed is exported in pieces") {
  intake_site s;
  s.s->use([](auto& now) { now.pieces = {"store_id\n", std::string(200'000, '1'), "\n2\n"}; });
  const auto text = "store_id\n" + std::string(200'000, '1') + "\n2\n";
  auto client = s.client();
  const auto again = [&] { s.s->use([](auto& now) { now.pulled = 0; }); };
  const auto plain = client.get("/api/v1/export?feed=status");
  CHECK(plain.status == 200);
  CHECK(plain.chunked);
  CHECK(plain.body == text);
  CHECK(plain.field("Content-Disposition") == "attachment; filename=\"store_status.csv\"");
  again();
  const auto packed = client.get("/api/v1/export?feed=hours", {{"Accept-Encoding", "gzip"}});
  CHECK(packed.field("Content-Encoding") == "gzip");
  CHECK(test::gunzip(packed.body) == text);
  CHECK(packed.field("Content-Disposition") == "attachment; filename=\"business_hours.csv\"");
  again();
  auto old = s.client();
  old.send("GET /api/v1/export?feed=timezones HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const auto all = old.read_to_end();
  CHECK(all.ends_with("\r\n\r\n" + text));
  CHECK(all.find("Connection: close\r\n") != std::string::npos);
  CHECK(all.find("filename=\"timezones.csv\"") != std::string::npos);
  CHECK(all.find("Transfer-Encoding") == std::string::npos);
  s.s->use([](auto& now) {
    CHECK(now.exports == std::vector<feed_kind>{feed_kind::status, feed_kind::hours, feed_kind::timezones});
    CHECK(now.dropped.empty());
  });
  const auto head = client.request("HEAD", "/api/v1/export?feed=status");
  CHECK(head.status == 200);
  CHECK(head.chunked);
  CHECK(s.s->use([](auto& now) { return now.exports.size(); }) == 3);
}

TEST_CASE("an export that cannot begin is refused") {
  intake_site s;
  auto client = s.client();
  check_problem(client.get("/api/v1/export"), 400, "invalid_argument", "'feed' is missing");
  check_problem(client.get("/api/v1/export?feed=all"), 400, "invalid_argument", "not 'all'");
  check_problem(client.get("/api/v1/export?feed=status&x=1"), 400, "invalid_argument",
                "'x' is not a parameter");
  s.s->use([](auto& now) { now.piece_failure = error{errc::damaged, "a partition is damaged"}; });
  check_problem(client.get("/api/v1/export?feed=status"), 503, "damaged", "a partition is damaged");
  CHECK(s.s->await([](auto& now) { return now.dropped == std::vector<uint64_t>{7}; }));
  s.s->use([](auto& now) { now.export_begun = error{errc::busy, "too many exports"}; });
  check_problem(client.get("/api/v1/export?feed=status"), 503, "busy", "too many exports");
}

TEST_CASE("an export that breaks midway does not look whole") {
  intake_site s;
  s.s->use([](auto& now) {
    now.pieces = {"store_id\n", "1\n"};
    now.piece_failure = error{errc::io_failed, "the disk is gone"};
  });
  for (const std::string coding : {"identity", "gzip"}) {
    s.s->use([](auto& now) { now.pulled = 0; });
    auto client = s.client();
    client.send(
        test::http_client::text_of("GET", "/api/v1/export?feed=status", {{"Accept-Encoding", coding}}));
    CHECK_THROWS_WITH(client.read(), Catch::Contains("the connection ended"));
  }
}

TEST_CASE("an export whose client has left is dropped") {
  intake_site s;
  s.s->use([](auto& now) {
    now.pieces = {std::string(100'000, '1')};
    now.endless = true;
  });
  auto client = s.client(4096);
  client.send(test::http_client::text_of("GET", "/api/v1/export?feed=status"));
  REQUIRE(s.s->await([](auto& now) { return now.pulled >= 2; }));
  client.abort();
  CHECK(s.s->await([](auto& now) { return now.dropped == std::vector<uint64_t>{7}; }));
}
