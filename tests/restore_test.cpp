/// A restore that is cut short.
#include "storemon/journal/sqlite_backend.hpp"

#include "support/backend_sites.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace storemon;
using namespace storemon::journal;
using namespace storemon::test;

TEST_CASE("a directory half restored is refused by name, and can be restored over") {
  const scratch_directory scratch;
  const auto inside = [&](const std::string& name) { return (scratch.path() / name).string(); };
  {
    const auto b = must_open(inside("data"));
    REQUIRE(b->commit(std::vector<operation>{put_value{"n_partitions", "3"}}));
  }
  std::filesystem::create_directory(inside("restored"));
  std::ofstream(inside("restored/restoring")) << "as the one that was killed left it";
  std::ofstream(inside("restored/store-1.db")) << "half";
  CHECK_THAT(open_sqlite({inside("restored")}).error().detail,
             Catch::Matchers::Contains("a restore into " + inside("restored") + " was cut short"));
  REQUIRE(restore_sqlite(inside("data/store-1.db"), inside("restored")));
  CHECK(open_sqlite({inside("restored")}).value()->value("n_partitions").value() == "3");
  CHECK(restore_sqlite(inside("data/store-1.db"), inside("restored")).error().code == errc::invalid_argument);
}
