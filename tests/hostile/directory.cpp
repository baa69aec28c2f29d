/// A data directory that is given the wrong way.
#include "support/server_process.hpp"

using namespace storemon::test;

TEST_CASE("line 17: a directory of feeds is no data directory") {
  const sample_data feeds(20);
  process server({STOREMOND, "--http.port=0", "--data.dir=" + feeds.path()});
  CHECK(server.wait() != 0);
  INFO(server.err());
  CHECK(server.err().find("did you mean data.import?") != std::string::npos);
}
