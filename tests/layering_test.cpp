/// Holds the includes of libstoremon to the table of rooms: what each may include besides itself. Rooms that
/// meet only in `protocol` stay exchangeable, and the core stays free of actors and sockets.
#include "support/scratch_directory.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <set>
#include <sstream>

namespace {

using rooms = std::set<std::string>;

const std::map<std::string, rooms> may_include{
    {"model", {}},
    {"calendar", {"model"}},
    {"estimate", {"model", "calendar"}},
    {"synth", {"model", "calendar"}},
    {"protocol", {"model"}},
    {"ingest", {"model", "protocol"}},
    {"partition", {"model", "calendar", "estimate", "protocol"}},
    // Above the rooms whose words it puts to the test; it sends nothing to anyone.
    {"backtest", {"model", "estimate", "ingest", "partition"}},
    {"journal", {"model", "protocol"}},
    // Beyond the first design: the writer settles measures with the fleet, which is the estimators' word.
    {"report", {"model", "estimate", "protocol"}},
    {"http", {"model", "protocol"}},
    {"node",
     {"model", "calendar", "estimate", "synth", "protocol", "ingest", "partition", "journal", "report",
      "http"}},
};

/// What a source text of a room includes against the table, each as a sentence.
std::vector<std::string> violations(const std::string& room, const std::string& text) {
  const auto allowed = may_include.find(room);
  if (allowed == may_include.end())
    return {room + " is no room of the table"};
  std::vector<std::string> found;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    std::erase_if(line, [](char c) { return c == ' ' || c == '\t' || c == '\r'; });
    if (!line.starts_with("#include\"") && !line.starts_with("#include<storemon/"))
      continue;
    const auto path = line.substr(9, line.find_first_of("\">", 9) - 9);
    const std::string prefix = "storemon/";
    const auto slash = path.find('/', prefix.size());
    if (!path.starts_with(prefix) || slash == std::string::npos || path.find("..") != std::string::npos) {
      found.push_back(room + " includes " + path + ", which names no room");
      continue;
    }
    const auto other = path.substr(prefix.size(), slash - prefix.size());
    if (other != room && !allowed->second.contains(other))
      found.push_back(room + " may not include " + path);
  }
  return found;
}

using sentences = std::vector<std::string>;

} // namespace

TEST_CASE("every file of every room includes only what the table allows") {
  const std::filesystem::path root = STOREMON_SOURCE_DIR "/libstoremon/storemon";
  size_t files = 0;
  rooms seen;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.is_directory())
      continue;
    const auto path = entry.path().lexically_relative(root);
    INFO(path.string());
    REQUIRE(std::distance(path.begin(), path.end()) >= 2); // no file beside the rooms
    const auto room = path.begin()->string();
    CHECK(violations(room, storemon::test::read_file(entry.path())) == sentences{});
    seen.insert(room);
    ++files;
  }
  CHECK(files > 30);
  CHECK(seen.contains("model"));
  CHECK(seen.contains("node"));
}

TEST_CASE("an include against the table is found") {
  CHECK(
      violations("http", "#include \"storemon/http/server.hpp\"\n\n#include \"storemon/report/csv.hpp\"\n") ==
      sentences{"http may not include storemon/report/csv.hpp"});
  CHECK(violations("model", "  #  include <storemon/calendar/zone.hpp>\r\n") ==
        sentences{"model may not include storemon/calendar/zone.hpp"});
  CHECK(violations("ingest",
                   "#include \"storemon/partition/store.hpp\"\n#include \"storemon/node/config.hpp\"") ==
        sentences{"ingest may not include storemon/partition/store.hpp",
                  "ingest may not include storemon/node/config.hpp"});
  CHECK(violations("synth", "#include \"storemon/protocol/errors.hpp\"").size() == 1);
}

TEST_CASE("an unknown room is found, on either side of an include") {
  CHECK(violations("attic", "") == sentences{"attic is no room of the table"});
  CHECK(violations("node", "#include \"storemon/attic/box.hpp\"") ==
        sentences{"node may not include storemon/attic/box.hpp"});
}

TEST_CASE("a way around the table is found") {
  CHECK(violations("http", "#include \"../report/csv.hpp\"").size() == 1);
  CHECK(violations("http", "#include \"csv.hpp\"").size() == 1);
  CHECK(violations("http", "#include \"storemon/http/../report/csv.hpp\"").size() == 1);
}

TEST_CASE("what the table allows, and what is not ours, is no violation") {
  CHECK(violations("partition",
                   "#pragma once\n#include \"storemon/estimate/measurer.hpp\"\n"
                   "#include <boost/json.hpp>\n#include <vector>\n// #include \"x\"\n") == sentences{});
  CHECK(violations("node", "#include \"storemon/http/server.hpp\"\n#include \"storemon/synth/fleet.hpp\"") ==
        sentences{});
}
