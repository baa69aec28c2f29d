#include "storemon/node/config.hpp"
#include "storemon/node/settings.hpp"
#include "storemon/node/settings_file.hpp"
#include "storemon/node/version.hpp"

#include "support/scratch_directory.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>

using namespace storemon;
using namespace storemon::node;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

namespace {

using outcome = std::variant<configuration, exit_now>;

outcome read(std::vector<std::string> arguments) {
  return read_configuration(arguments);
}

configuration accepted(std::vector<std::string> arguments) {
  const auto read = read_configuration(arguments);
  if (const auto* end = std::get_if<exit_now>(&read))
    FAIL("refused: " << end->text);
  return std::get<configuration>(read);
}

/// What stands on stderr when the arguments are refused as they should be.
std::string refusal(std::vector<std::string> arguments) {
  const auto read = read_configuration(arguments);
  REQUIRE(std::holds_alternative<exit_now>(read));
  const auto& end = std::get<exit_now>(read);
  CHECK(end.code == 2);
  CHECK(end.to_stderr);
  CHECK(std::count(end.text.begin(), end.text.end(), '\n') == 1);
  CHECK_THAT(end.text, StartsWith("storemond: ") && EndsWith("\n"));
  return end.text;
}

std::string refusal_of_file(const std::string& text) {
  const test::scratch_directory scratch;
  return refusal({"--config", scratch.write("storemond.toml", text)});
}

const std::string shipped_file = STOREMON_SOURCE_DIR "/config/storemond.toml";

} // namespace

TEST_CASE("without arguments every setting has its default") {
  const auto config = accepted({});
  CHECK(config == configuration{});
  CHECK(config.http.address == "127.0.0.1");
  CHECK(config.http.port == 8080);
  CHECK(config.http.header_timeout == 5s);
  CHECK(config.node.partitions == 64);
  CHECK(config.report.timeout == 60s);
}

TEST_CASE("the shipped file shows every setting once, at its default, in order, each after a sentence") {
  CHECK(accepted({"--config", shipped_file}) == configuration{});

  std::ifstream in(shipped_file);
  const auto items = read_settings_file(in);
  REQUIRE(items.has_value());
  const auto& all = all_settings();
  REQUIRE(items->size() == all.size());
  const auto text = test::read_file(shipped_file);
  for (size_t i = 0; i < all.size(); ++i) {
    CHECK((*items)[i].name == all[i].name);
    CHECK((*items)[i].value == all[i].show(configuration{}));
    const auto last_part = all[i].name.substr(all[i].name.find('.') + 1);
    CHECK_THAT(text, Contains("# " + all[i].about + "\n" + last_part + " = "));
  }
}

TEST_CASE("every setting is an option that takes its own default, in both spellings") {
  for (const auto& s : all_settings()) {
    const auto value = s.show(configuration{});
    CHECK(accepted({"--" + s.name + "=" + value}) == configuration{});
    CHECK(accepted({"--" + s.name, value}) == configuration{});
  }
}

TEST_CASE("every value reaches its member") {
  const auto config = accepted({"--http.address=::1",
                                "--http.port",
                                "9000",
                                "--http.connections_max=7",
                                "--http.header_bytes_max=4096",
                                "--http.body_bytes_max=1024",
                                "--http.header_timeout=1",
                                "--http.body_timeout=2",
                                "--http.idle_timeout=3",
                                "--http.allowed_hosts=a.example,b.example",
                                "--http.allowed_origins=https://a.example",
                                "--node.name=a",
                                "--node.partitions=5",
                                "--node.threads=3",
                                "--node.shutdown_timeout=4",
                                "--http.ingest_bytes_max=2048",
                                "--http.import_mb_max=12",
                                "--http.ingest_held_mb_max=15",
                                "--http.uploads_max=16",
                                "--http.body_rate_min=17",
                                "--data.observations_max=18",
                                "--report.window_years_max=21",
                                "--report.cache_mb_max=19",
                                "--data.dir=/kept",
                                "--data.import=/data",
                                "--data.free_min_mb=10",
                                "--data.free_min_percent=11",
                                "--data.retention_days=13",
                                "--data.snapshot_records=14",
                                "--cluster.listen=127.1.2.3:0",
                                "--cluster.nodes=b,a",
                                "--log.level=warn",
                                "--report.running_max=8",
                                "--report.kept_max=9",
                                "--report.timeout=10"});
  configuration expected;
  expected.http = {"::1",
                   9000,
                   7,
                   4096,
                   1024,
                   2048,
                   15,
                   12,
                   16,
                   17,
                   1s,
                   2s,
                   3s,
                   {"a.example", "b.example"},
                   {"https://a.example"}};
  expected.node = {"a", 5, 3, 4s};
  expected.data = {"/kept", "/data", 10, 11, 13, 18, 14};
  expected.cluster = {host_port{"127.1.2.3", 0}, std::nullopt, {"b", "a"}};
  expected.log = {log_level::warn};
  expected.report = {8, 9, 21, 19, 10s};
  CHECK(config == expected);
}

TEST_CASE("the command line beats the file, and the file the defaults") {
  const test::scratch_directory scratch;
  const auto file = scratch.write("s.toml", "[http]\nport = 9001\nidle_timeout = 7\n"
                                            "[data]\nimport = \"/from/file\"\n");
  for (const auto& arguments :
       {std::vector<std::string>{"--config", file, "--http.port=9002", "--data.import="},
        std::vector<std::string>{"--http.port", "9002", "--data.import", "", "--config=" + file}}) {
    const auto config = accepted(arguments);
    CHECK(config.http.port == 9002);
    CHECK(config.http.idle_timeout == 7s);
    CHECK(config.data.import.empty());
    CHECK(config.http.address == "127.0.0.1");
  }
}

TEST_CASE("a value out of its range or of another type is refused with what would be right") {
  CHECK(refusal({"--http.port=70000"}) ==
        "storemond: --http.port=70000: a number from 0 to 65535 is expected\n");
  for (const auto& s : all_settings()) {
    if (s.is_text)
      continue;
    for (const std::string bad : {"", "x", "-1", "1.5", "1x", " 1", "99999999999999999999"})
      CHECK(refusal({"--" + s.name + "=" + bad}) ==
            "storemond: --" + s.name + "=" + bad + ": " + s.expects + "\n");
    CHECK_THAT(s.expects, Contains("number"));
  }
  for (const std::string pair : {"http.port=65536",
                                 "http.connections_max=0",
                                 "http.header_timeout=0",
                                 "http.body_timeout=0",
                                 "http.idle_timeout=0",
                                 "node.partitions=0",
                                 "node.partitions=4097",
                                 "node.threads=1025",
                                 "node.shutdown_timeout=0",
                                 "report.running_max=0",
                                 "report.kept_max=0",
                                 "report.timeout=0",
                                 "http.address=",
                                 "http.address=localhost",
                                 "http.address=1.2.3",
                                 "http.address=::g",
                                 "node.name=",
                                 "node.name=A",
                                 "node.name=a_b",
                                 "node.name=a123456789012345678901234567890123",
                                 "log.level=",
                                 "log.level=INFO",
                                 "log.level=verbose",
                                 "data.import=--http.port"})
    CHECK_THAT(refusal({"--" + pair}), StartsWith("storemond: --" + pair + ": ") && EndsWith(" expected\n"));
}

TEST_CASE("a node links over loopback only, for its links are not encrypted") {
  for (const std::string host : {"127.0.0.1", "127.255.0.9", "[::1]", "localhost"})
    CHECK(accepted({"--cluster.listen=" + host + ":7000"}).cluster.listen->port == 7000);
  CHECK(accepted({"--cluster.listen=[::1]:7000"}).cluster.listen->host == "::1");
  CHECK(accepted({"--node.name=b", "--cluster.join=localhost:1"}).cluster.join == host_port{"localhost", 1});
  for (const std::string end : {"0.0.0.0:1", "10.0.0.1:1", "example.org:1", "[::]:1", "[::2]:1", "::1:7000",
                                "128.0.0.1:1", "localhost", "localhost:", "localhost:65536", ":1", "[]:1"}) {
    CHECK_THAT(refusal({"--cluster.listen=" + end}), Contains("not yet encrypted"));
    CHECK_THAT(refusal({"--node.name=b", "--cluster.join=" + end}), Contains("not yet encrypted"));
  }
  CHECK_THAT(refusal({"--node.name=b", "--cluster.join=localhost:0"}),
             Contains("--cluster.join=localhost:0: "));
}

TEST_CASE("node names are a list without gaps or repetitions") {
  CHECK(accepted({"--cluster.nodes=node"}).cluster.nodes == std::vector<std::string>{"node"});
  for (const std::string list : {",", "node,", ",node", "node,,b", "node,node", "node, b", "node,B"})
    CHECK_THAT(refusal({"--cluster.nodes=" + list}), Contains("--cluster.nodes=" + list + ": node names"));
}

TEST_CASE("settings that contradict each other are refused") {
  CHECK_THAT(refusal({"--node.name=b", "--cluster.listen=localhost:1", "--cluster.join=localhost:2"}),
             Contains("cluster.listen and cluster.join exclude each other"));
  CHECK_THAT(refusal({"--cluster.join=localhost:2"}), Contains("node.name of its own"));
  CHECK_THAT(refusal({"--node.name=c", "--cluster.listen=localhost:1", "--cluster.nodes=a,b"}),
             Contains("node.name 'c' is expected among them"));
  CHECK_THAT(refusal({"--cluster.nodes=node,b"}), Contains("needs cluster.listen or cluster.join"));
}

TEST_CASE("what is unknown is refused, with the likeliest meaning") {
  CHECK(refusal({"--http.prot=1"}) ==
        "storemond: unknown setting '--http.prot'; did you mean 'http.port'?\n");
  CHECK(refusal({"--http.prot", "1"}) == refusal({"--http.prot=1"}));
  CHECK_THAT(refusal({"--port=1"}), Contains("did you mean 'http.port'?"));
  CHECK(refusal({"--entirely-else"}) ==
        "storemond: unknown setting '--entirely-else'; --help lists them all\n");
  CHECK(refusal({"serve"}) == "storemond: unexpected argument 'serve'\n");
  CHECK_THAT(refusal({"-p"}), Contains("'-p'"));
  CHECK_THAT(refusal({"--"}), Contains("'--'"));
}

TEST_CASE("a value that is missing or given twice is refused, and never the next option taken for it") {
  CHECK_THAT(refusal({"--http.port"}), StartsWith("storemond: --http.port: "));
  CHECK(refusal({"--http.port=1", "--http.port=2"}) == "storemond: --http.port is given more than once\n");
  CHECK_THAT(refusal({"--http.port=", "--node.threads=2"}), Contains("--http.port=: a number"));
  CHECK_THAT(refusal({"--data.import", "--node.threads=2"}), Contains("--data.import=--node.threads=2"));
  CHECK_THAT(refusal({"--config"}), StartsWith("storemond: --config: "));
  CHECK_THAT(refusal({"--config="}), Contains("the name of a file is expected"));
  CHECK_THAT(refusal({"--config", shipped_file, "--config", shipped_file}), Contains("more than once"));
}

TEST_CASE("a file that cannot be read is refused") {
  const test::scratch_directory scratch;
  CHECK_THAT(refusal({"--config", scratch.path() / "none.toml"}), Contains("none.toml"));
  CHECK_THAT(refusal({"--config", scratch.path()}), Contains(scratch.path().string()));
}

TEST_CASE("a key the settings do not know is refused with file, line and the likeliest meaning") {
  CHECK_THAT(refusal_of_file("[http]\n\nprot = 1\n"),
             StartsWith("storemond: unknown setting 'http.prot' in /") &&
                 EndsWith("/storemond.toml, line 3; did you mean 'http.port'?\n"));
  CHECK_THAT(refusal_of_file("port = 1\n"), Contains("unknown setting 'port'"));
  CHECK_THAT(refusal_of_file("config = \"x\"\n"), Contains("unknown setting 'config'"));
  CHECK_THAT(refusal_of_file("[web]\nport = 1\n"), Contains("unknown setting 'web.port'"));
}

TEST_CASE("a bad value in the file is refused, also where the command line overrides it") {
  const test::scratch_directory scratch;
  const auto file = scratch.write("s.toml", "[http]\nport = 70000\n");
  const auto expected = file + ", line 2: http.port = 70000: a number from 0 to 65535 is expected\n";
  CHECK_THAT(refusal({"--config", file}), EndsWith(expected));
  CHECK_THAT(refusal({"--config", file, "--http.port=1"}), EndsWith(expected));
  CHECK_THAT(refusal_of_file("[http]\nport = \"8080\"\n"), Contains("http.port = \"8080\": a number from 0"));
  CHECK_THAT(refusal_of_file("[log]\nlevel = 3\n"),
             Contains("log.level = 3: one of") && EndsWith(", in quotes\n"));
  CHECK_THAT(refusal_of_file("[node]\nname = \"\"\n"), Contains("node.name = \"\": a name of 1 to 32"));
}

TEST_CASE("a file is read as TOML, and what it is not is refused with its line") {
  const test::scratch_directory scratch;
  const auto config =
      accepted({"--config",
                scratch.write("s.toml", "# a comment\r\nnode.name = 'a'\r\n\r\n [ http ] # section\r\n"
                                        "port = 9_001# nine thousand\r\n\t[data]\n"
                                        "import = \"/a#b, c/\\\"d\\\"\\\\\" # not cut\n[log]\nlevel='off'")});
  CHECK(config.node.name == "a");
  CHECK(config.http.port == 9001);
  CHECK(config.data.import == "/a#b, c/\"d\"\\");
  CHECK(config.log.level == log_level::off);

  CHECK_THAT(refusal_of_file("\nx\n"), Contains(", line 2: name = value is expected"));
  CHECK_THAT(refusal_of_file("= 1\n"), Contains("name = value is expected"));
  CHECK_THAT(refusal_of_file("[http\nport = 1\n"), Contains("line 1: [section] is expected"));
  CHECK_THAT(refusal_of_file("[[http]]\nport = 1\n"), Contains("[section] is expected"));
  CHECK_THAT(refusal_of_file("[http]\nport = 1\n[node]\n[http]\nport = 2\n"),
             Contains("line 5: 'http.port' was given on line 2 already"));
  for (const std::string bad : {"", "info", "\"info", "\"info\" x", "\"in\\fo\"", "1 2", "1_", "_1", "1__0",
                                "-", "1.5", "true", "[1]", "+1", "0x10"})
    CHECK_THAT(refusal_of_file("[log]\nlevel = " + bad + "\n"),
               Contains("line 2: a whole number or a text in quotes is expected for 'log.level'"));
}

TEST_CASE("help lists every setting with its default, and beats a broken file") {
  for (const auto& arguments :
       {std::vector<std::string>{"--help"}, {"-h"}, {"--config", "/none", "--help"}}) {
    const auto end = std::get<exit_now>(read(arguments));
    CHECK(end.code == 0);
    CHECK_FALSE(end.to_stderr);
    CHECK_THAT(end.text, Contains("--config FILE") && Contains("--version"));
    for (const std::string word : {"backup FILE", "verify DIR|FILE", "restore FILE", "repair DIR"})
      CHECK_THAT(end.text, Contains("\n  storemond " + word));
    for (const auto& s : all_settings()) {
      const auto value = s.show(configuration{});
      CHECK_THAT(end.text, Contains("--" + s.name + (s.is_text ? " TEXT" : " NUMBER") +
                                    (value.empty() ? " " : "=" + value + " ")));
      CHECK_THAT(end.text, Contains(s.about));
    }
  }
}

TEST_CASE("the version is the project's") {
  const auto end = std::get<exit_now>(read({"--version"}));
  CHECK(end.code == 0);
  CHECK_FALSE(end.to_stderr);
  CHECK(end.text == "storemond " + std::string(version) + "\n");
  CHECK_THAT(test::read_file(STOREMON_SOURCE_DIR "/CMakeLists.txt"),
             Contains("project(storemon VERSION " + std::string(version) + " "));
}
