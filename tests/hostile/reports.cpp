/// The dearest reports that can be asked for.
#include "support/server_process.hpp"

using namespace storemon::test;
using namespace std::chrono_literals;

namespace {

std::chrono::steady_clock::duration time_of_get(const server_process& server, const std::string& target) {
  auto client = server.client();
  const auto begun = std::chrono::steady_clock::now();
  const auto answer = client.get(target);
  CHECK(answer.status == 200);
  return std::chrono::steady_clock::now() - begun;
}

} // namespace

TEST_CASE("line 1: a report of ten thousand years is refused, one of twenty leaves the server awake") {
  const sample_data feeds(300);
  server_process server({"--data.import=" + feeds.path()});
  auto client = server.client();
  const auto refused = client.get("/trigger_report?columns=full&as_of=9999-12-31T00:00:00Z"
                                  "&windows=w=0000-01-01T00:00:00Z..9999-12-31T00:00:00Z");
  CHECK(refused.status == 400);
  CHECK(refused.body.find("report.window_years_max") != std::string::npos);
  const auto long_ago = client.get("/trigger_report?columns=full&as_of=9999-12-31T00:00:00Z"
                                   "&windows=w=0000-01-01T00:00:00Z..0000-01-01T01:00:00Z");
  CHECK(long_ago.status == 400);
  const auto id = report_id_of(client.get("/trigger_report?columns=full&as_of=2023-01-25T00:00:00Z"
                                          "&windows=w=2003-01-25T00:00:00Z..2023-01-25T00:00:00Z"));
  CHECK(time_of_get(server, "/readyz") < 2s); // hangs for tens of seconds where slices are not cut
  CHECK(text_of(wait_for(client, id), "status") == "Complete");
  CHECK(server.stop() == 0);
}
