/// A server that the system grants little, or tells things.
#include "support/server_process.hpp"

using namespace storemon::test;
using Catch::Matchers::Contains;

TEST_CASE("line 3: SIGHUP leaves a server serving") {
  server_process server({});
  server.self().send_signal(SIGHUP);
  auto client = server.client();
  CHECK(client.get("/healthz").status == 200);
  CHECK(server.stop() == 0);
}

TEST_CASE("line 3: few file descriptors take connections, and too few are refused in a sentence") {
  const auto limited = [](int files) {
    return std::vector<std::string>{"/bin/sh", "-c",
                                    "ulimit -n " + std::to_string(files) +
                                        "; exec " STOREMOND " --http.port=0 --data.dir="};
  };
  process few(limited(300));
  REQUIRE(few.read_line());
  CHECK_THAT(few.err(), Contains("http.connections_max=1000 is more than the 300 file descriptors allow; 44 "
                                 "connections are taken"));
  few.send_signal(SIGTERM);
  CHECK(few.wait() == 0);
  process too_few(limited(100));
  CHECK(too_few.wait() == 1);
  CHECK_THAT(too_few.err(), Contains("this process may open 100 files, and needs at least 264"));
}
