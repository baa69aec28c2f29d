/// Two storemond processes on loopback: the same bytes as one, a kill that is noticed, a return that heals.
#include "support/server_process.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>

using namespace storemon::test;

namespace {

/// A port nobody listens on at this moment.
uint16_t free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(probe >= 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(probe, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  ::close(probe);
  return ntohs(address.sin_port);
}

std::vector<std::string> member_options(uint16_t port) {
  return {"--node.name=b", "--cluster.join=127.0.0.1:" + std::to_string(port)};
}

/// The status code of the leader's /readyz, asked until it is as wanted; the processes' own limit bounds it.
void wait_for_readyz(http_client& client, int wanted) {
  const auto deadline = std::chrono::steady_clock::now() + process::wait_max;
  while (client.get("/readyz").status != wanted) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

} // namespace

TEST_CASE("two processes give the bytes of one; a killed member is named, and heals when it returns") {
  const sample_data data;
  const auto port = free_port();
  // The member comes first and tries until its leader is there.
  auto member = std::make_unique<process>(server_command(member_options(port)));
  server_process leader({"--node.name=a", "--cluster.nodes=a,b",
                         "--cluster.listen=127.0.0.1:" + std::to_string(port),
                         "--data.import=" + data.path()});
  const auto line = member->read_line();
  INFO(member->err());
  REQUIRE(line);
  REQUIRE(line->starts_with("storemon ready http://127.0.0.1:"));

  auto client = leader.client();
  const auto expected = [&](const std::string& estimator) {
    const auto done = tool({"report", data.path(), "--columns=full", "--estimator=" + estimator});
    REQUIRE(done.exit_code == 0);
    return done.out;
  };
  for (const std::string estimator : {"capped_nearest", "carry_forward", "linear"})
    CHECK(csv_of(client, "/trigger_report?columns=full&estimator=" + estimator) == expected(estimator));

  SECTION("a member says that it serves no reports") {
    uint16_t member_port = 0;
    std::from_chars(line->data() + line->rfind(':') + 1, line->data() + line->size(), member_port);
    http_client to_member(member_port);
    const auto member_ready = to_member.get("/readyz");
    CHECK(member_ready.status == 200);
    const auto nodes = object_of(client.get("/readyz")).at("nodes").as_array();
    CHECK(object_of(member_ready).at("partitions") == nodes.at(1).at("partitions"));
    CHECK(count_of(object_of(member_ready), "partitions") > 0);
    const auto refused = to_member.post("/trigger_report");
    CHECK(refused.status == 503);
    CHECK(text_of(object_of(refused), "error") == "not_coordinator");
  }

  SECTION("kill -9 of the member") {
    member->send_signal(SIGKILL);
    member.reset();
    wait_for_readyz(client, 503);
    CHECK(count_of(object_of(client.get("/healthz")), "shard_failures") > 0);
    const auto failed = wait_for(client, report_id_of(client.post("/trigger_report")));
    CHECK(text_of(failed, "status") == "Error");
    CHECK(text_of(failed, "message").find("partitions") != std::string::npos);

    member = std::make_unique<process>(server_command(member_options(port)));
    wait_for_readyz(client, 200);
    CHECK(csv_of(client, "/trigger_report?columns=full") == expected("capped_nearest"));
  }

  CHECK(leader.stop() == 0);
  member->send_signal(SIGTERM);
  CHECK(member->wait() == 0);
}

TEST_CASE("a leader ends in time and comes back on its port, however its member ended") {
  const auto port = free_port();
  const scratch_directory kept;
  const std::vector<std::string> options{"--node.name=a", "--cluster.nodes=a,b", "--node.partitions=8",
                                         "--cluster.listen=127.0.0.1:" + std::to_string(port),
                                         "--data.dir=" + (kept.path() / "data").string()};
  // The member is killed before the leader is stopped, or stopped after it: then the leader is the one whose
  // side of the connection lingers in the kernel.
  for (const bool killed : {true, false, true, false}) {
    INFO((killed ? "killed" : "stopped"));
    process member(server_command(member_options(port)));
    server_process leader(options);
    REQUIRE(member.read_line());
    auto client = leader.client();
    wait_for_readyz(client, 200);
    if (killed) {
      member.send_signal(SIGKILL);
      wait_for_readyz(client, 503);
      for (const std::string feed : {"status", "hours", "timezones"})
        CHECK(client.get("/api/v1/export?feed=" + feed).status == 200);
    }
    CHECK(leader.stop() == 0);
    if (!killed)
      member.send_signal(SIGTERM);
    CHECK(member.wait() == (killed ? -SIGKILL : 0));
  }
}
