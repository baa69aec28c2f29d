/// How the server starts and ends as a process: its exit codes, its one line, its answers to signals.
#include "support/server_process.hpp"
#include "support/slow_feed.hpp"

#include "storemon/node/version.hpp"

#include <deque>

using namespace storemon::test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

/// A server that ends by itself before it is ready.
outcome failed_start(std::vector<std::string> options) {
  auto ended = run(server_command(std::move(options)));
  CHECK(ended.out.empty());
  return ended;
}

} // namespace

TEST_CASE("a signal ends the server with exit code 0, whatever its connections do") {
  const int signal = GENERATE(SIGTERM, SIGINT);
  INFO("signal " << signal);
  server_process server({"--http.header_timeout=1"});
  std::deque<http_client> idle;
  for (int i = 0; i < 8; ++i) {
    idle.emplace_back(server.port());
    if (i % 2 == 0)
      CHECK(idle.back().get("/healthz").status == 200);
  }
  http_client half_said(server.port());
  half_said.send("GET /healthz HTTP/1.1\r\nHost");
  CHECK(server.stop(signal) == 0);
  for (auto& client : idle)
    CHECK(client.ends_without_a_word());
}

TEST_CASE("a signal while reports run ends the server with exit code 0") {
  const int signal = GENERATE(SIGTERM, SIGINT);
  INFO("signal " << signal);
  const sample_data data(2000);
  server_process server({"--data.import=" + data.path()});
  auto client = server.client();
  for (int i = 0; i < 4; ++i) {
    const auto answer = client.post("/trigger_report?columns=full");
    CHECK((answer.status == 200 || answer.status == 503)); // 503: four run already
  }
  CHECK(server.stop(signal) == 0);
}

TEST_CASE("a signal during an import ends the server with exit code 0 once the import is done") {
  const sample_data data(20);
  server_process server({"--data.import=" + data.path()});
  slow_feed feed(data.path() + "/store_status.csv");
  auto client = server.client();
  client.send(http_client::text_of("POST", "/import_data"));
  feed.await_reader();
  feed.write(slow_feed::header);
  server.self().send_signal(SIGTERM);
  feed.end();
  CHECK(client.read().status == 200);
  client.half_close();
  CHECK(server.self().wait() == 0);
}

TEST_CASE("a signal while the first data are loaded ends the server with exit code 0, never ready") {
  const scratch_directory scratch;
  slow_feed feed((scratch.path() / "store_status.csv").string());
  process server(server_command({"--data.import=" + scratch.path().string()}));
  feed.await_reader();
  feed.write(slow_feed::header);
  server.send_signal(SIGTERM);
  feed.end();
  CHECK(server.wait() == 0);
  CHECK(server.out().empty());
}

TEST_CASE("an option that makes no sense ends the server with exit code 2 and a word about it") {
  const auto unknown = failed_start({"--http.prot=80"});
  CHECK(unknown.exit_code == 2);
  CHECK_THAT(unknown.err, StartsWith("storemond: ") && Contains("--http.prot") && Contains("http.port"));
  const auto invalid = failed_start({"--log.level=loud"});
  CHECK(invalid.exit_code == 2);
  CHECK_THAT(invalid.err, StartsWith("storemond: ") && Contains("--log.level=loud"));
}

TEST_CASE("a port in use ends the server with exit code 1 and a word about it") {
  server_process first({});
  const auto where = "127.0.0.1:" + std::to_string(first.port());
  const auto second = run({STOREMOND, "--http.port=" + std::to_string(first.port())});
  CHECK(second.exit_code == 1);
  CHECK(second.out.empty());
  CHECK_THAT(second.err, Contains("cannot listen on " + where));
  CHECK_THAT(second.err, !Contains("could not be replayed")); // what was begun is given up without alarm
  CHECK(first.stop() == 0);
}

TEST_CASE("data that cannot be read end the server with exit code 1 and a word about it") {
  const auto missing = failed_start({"--data.import=/no/such/directory"});
  CHECK(missing.exit_code == 1);
  CHECK_THAT(missing.err, Contains("/no/such/directory"));

  const scratch_directory scratch;
  const auto file = scratch.write("store_status.csv", "store_id,status\n1,active\n");
  const auto lacking = failed_start({"--data.import=" + scratch.path().string()});
  CHECK(lacking.exit_code == 1);
  CHECK_THAT(lacking.err, Contains(file) && Contains("timestamp_utc"));
}

TEST_CASE("the settings file is followed, and the command line beats it") {
  const sample_data data(20);
  const scratch_directory scratch;
  const auto file =
      scratch.write("storemond.toml",
                    "[node]\npartitions = 3\n[http]\nport = 1\n[data]\nimport = \"" + data.path() + "\"\n");
  server_process server({"--config", file});
  auto client = server.client();
  CHECK(count_of(object_of(client.get("/debug_data")), "stores") == 20);
  CHECK(count_of(object_of(client.get("/readyz")), "partitions") == 3);
  CHECK(server.stop() == 0);

  const auto bad = scratch.write("bad.toml", "[node]\npartitons = 3\n");
  const auto refused = failed_start({"--config", bad});
  CHECK(refused.exit_code == 2);
  CHECK_THAT(refused.err, Contains(bad) && Contains("line 2") && Contains("partitons"));
}

TEST_CASE("server and tool tell their version") {
  const std::string version(storemon::node::version);
  const auto server = run({STOREMOND, "--version"});
  CHECK(server.exit_code == 0);
  CHECK(server.out == "storemond " + version + "\n");
  const auto client = tool({"--version"});
  CHECK(client.exit_code == 0);
  CHECK(client.out == "storemon " + version + "\n");
}
