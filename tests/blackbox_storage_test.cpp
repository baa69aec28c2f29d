/// The data directory as an operator meets it: who may open it, what backup, verify, restore and export make
/// of it, and what a server says whose data are damaged.
#include "support/server_process.hpp"

#include <sys/mount.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>

using namespace storemon::test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

/// A fleet's feeds, and a place for the data directory and for what is made of it.
class site {
public:
  site() {
    server_process server(options({"--data.import=" + feeds_.path()}));
    auto client = server.client();
    report_ = csv_of(client, "/trigger_report?columns=full");
    CHECK(server.stop() == 0);
  }

  std::string inside(const std::string& name) const { return (scratch_.path() / name).string(); }

  std::string data() const { return inside("data"); }

  std::string feeds() const { return feeds_.path(); }

  /// Of a server on that directory.
  static std::vector<std::string> on(const std::string& directory, std::vector<std::string> more = {}) {
    more.push_back("--data.dir=" + directory);
    more.push_back("--node.partitions=5");
    return more;
  }

  std::vector<std::string> options(std::vector<std::string> more = {}) const {
    return on(data(), std::move(more));
  }

  /// The full report of what was imported.
  const std::string& report() const noexcept { return report_; }

private:
  sample_data feeds_{60};
  scratch_directory scratch_;
  std::string report_;
};

outcome storemond(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), STOREMOND);
  return run(arguments);
}

/// "state hash 0123..." of what `verify` prints.
std::string state_hash_of(const std::string& path) {
  const auto verified = storemond({"verify", path});
  INFO(verified.out << verified.err);
  REQUIRE(verified.exit_code == 0);
  CHECK_THAT(verified.out, StartsWith(path + ": 5 partitions, 60 stores, ") && Contains("\nsound\n"));
  const auto at = verified.out.find("state hash ");
  REQUIRE(at != std::string::npos);
  return verified.out.substr(at, verified.out.find('\n', at) - at);
}

/// Alters the longest run of bytes it can find of a table's rows: one bit of a store's name.
void damage(const std::string& directory, const std::string& text) {
  const auto file = directory + "/store-1.db";
  auto bytes = read_file(file);
  const auto at = bytes.find(text);
  REQUIRE(at != std::string::npos);
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

/// A directory nobody can write to for a while, if that can be arranged here.
class unwritable {
public:
  explicit unwritable(std::string path) : path_(std::move(path)) {
    if (::geteuid() != 0) {
      done_ = ::chmod(path_.c_str(), 0500) == 0;
      return;
    }
    // Permissions do not bind root, but a mount does.
    mounted_ = ::mount(path_.c_str(), path_.c_str(), nullptr, MS_BIND, nullptr) == 0;
    done_ =
        mounted_ && ::mount(nullptr, path_.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0;
    if (!done_)
      std::printf("skipped, no file system may be mounted here\n");
  }

  ~unwritable() {
    if (mounted_)
      ::umount2(path_.c_str(), MNT_DETACH);
    else
      ::chmod(path_.c_str(), 0700);
  }

  unwritable(const unwritable&) = delete;
  unwritable& operator=(const unwritable&) = delete;

  bool done() const noexcept { return done_; }

private:
  std::string path_;
  bool mounted_ = false;
  bool done_ = false;
};

} // namespace

TEST_CASE("one server at a time has a data directory") {
  const site s;
  server_process first(s.options());
  const auto second = run(server_command(s.options()));
  CHECK(second.exit_code == 1);
  CHECK(second.out.empty());
  CHECK_THAT(second.err, Contains(s.data()) && Contains("in use"));
  const auto exported = tool({"export", s.data(), "--out", s.inside("feeds")});
  CHECK(exported.exit_code == 1);
  CHECK_THAT(exported.err, Contains(s.data()) && Contains("in use"));
  CHECK(first.stop() == 0);
}

TEST_CASE("a restart serves what was stored, and another number of partitions is refused") {
  const site s;
  server_process server(s.options());
  auto client = server.client();
  CHECK((csv_of(client, "/trigger_report?columns=full") == s.report()));
  CHECK(server.stop() == 0);
  const auto other = run(server_command({"--data.dir=" + s.data(), "--node.partitions=6"}));
  CHECK(other.exit_code == 1);
  CHECK_THAT(other.err, Contains("partitions"));
}

TEST_CASE("a backup of a running server is verified, restored and served") {
  const site s;
  server_process server(s.options());
  const auto copy = s.inside("copy.db");
  const auto made = storemond({"backup", copy, "--data.dir=" + s.data()});
  INFO(made.err);
  REQUIRE(made.exit_code == 0);
  CHECK(made.out == copy + ": written and verified\n");
  const auto again = storemond({"backup", copy, "--data.dir=" + s.data()});
  CHECK(again.exit_code == 1);
  CHECK_THAT(again.err, Contains(copy));
  CHECK(server.stop() == 0);
  CHECK(state_hash_of(copy) == state_hash_of(s.data()));

  const auto second = s.inside("restored");
  const auto restored = storemond({"restore", copy, "--data.dir=" + second});
  INFO(restored.err);
  REQUIRE(restored.exit_code == 0);
  CHECK(state_hash_of(second) == state_hash_of(s.data()));
  CHECK(storemond({"restore", copy, "--data.dir=" + second}).exit_code == 1);
  server_process from_copy(site::on(second));
  auto client = from_copy.client();
  CHECK((csv_of(client, "/trigger_report?columns=full") == s.report()));
  CHECK(from_copy.stop() == 0);
}

TEST_CASE("a backup into no directory is refused in a plain sentence") {
  const site s;
  for (const auto& nowhere : {s.inside("nosuch"), s.data() + "/CURRENT"}) {
    const auto refused = storemond({"backup", nowhere + "/x", "--data.dir=" + s.data()});
    CHECK(refused.exit_code == 1);
    CHECK(refused.out.empty());
    CHECK(refused.err == "storemond backup: " + nowhere + " is no directory to write a copy in\n");
  }
}

TEST_CASE("every subcommand says how it is used, and export where it is") {
  for (const std::string word : {"backup", "verify", "restore", "repair"}) {
    const auto shown = storemond({word, "--help"});
    CHECK(shown.exit_code == 0);
    CHECK(shown.err.empty());
    CHECK_THAT(shown.out, StartsWith("usage:\n  storemond " + word + " "));
    CHECK(storemond({word, "x", "-h"}).out == shown.out);
    const auto refused = storemond({word});
    CHECK(refused.exit_code == 2);
    CHECK_THAT(refused.err, Contains("  storemond " + word + " "));
  }
  const auto exported = storemond({"export", "somewhere"});
  CHECK(exported.exit_code == 2);
  CHECK_THAT(exported.err, Contains("storemon export DATA_DIR --out DIR"));
}

TEST_CASE("a directory that cannot be written to is verified and exported all the same") {
  const site s;
  const auto hash = state_hash_of(s.data());
  const auto copy = s.inside("copy.db");
  REQUIRE(storemond({"backup", copy, "--data.dir=" + s.data()}).exit_code == 0);
  REQUIRE(tool({"export", s.data(), "--out", s.inside("feeds")}).exit_code == 0);
  const scratch_directory elsewhere;
  const auto feeds = (elsewhere.path() / "feeds").string();
  const unwritable locked(s.inside(""));
  if (!locked.done())
    return;
  CHECK(state_hash_of(s.data()) == hash);
  CHECK(state_hash_of(copy) == hash);
  const auto exported = tool({"export", s.data(), "--out", feeds});
  INFO(exported.err);
  REQUIRE(exported.exit_code == 0);
  CHECK((read_file(feeds + "/store_status.csv") == read_file(s.inside("feeds") + "/store_status.csv")));
}

TEST_CASE("a directory without a lock is looked at without one, and a broken one said to be it") {
  const site s;
  const auto hash = state_hash_of(s.data());
  std::filesystem::remove(s.data() + "/LOCK");
  CHECK(state_hash_of(s.data()) == hash);
  CHECK_FALSE(std::filesystem::exists(s.data() + "/LOCK"));
  std::filesystem::remove(s.data() + "/store-1.db");
  const auto refused = storemond({"verify", s.data()});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Contains("CURRENT in " + s.data() + " names a file that is not there"));
  CHECK(storemond({"verify", s.inside("none")}).exit_code == 1);
  for (const auto& left : std::filesystem::directory_iterator(s.inside("")))
    CHECK_THAT(left.path().string(), !Contains(".check-"));
}

TEST_CASE("what a stopped server's directory exports imports to the same state") {
  const site s;
  const auto feeds = s.inside("feeds");
  const auto exported = tool({"export", s.data(), "--out", feeds});
  INFO(exported.err);
  REQUIRE(exported.exit_code == 0);
  const auto second = s.inside("second");
  server_process server(site::on(second, {"--data.import=" + feeds}));
  auto client = server.client();
  CHECK((csv_of(client, "/trigger_report?columns=full") == s.report()));
  CHECK(server.stop() == 0);
  CHECK(state_hash_of(second) == state_hash_of(s.data()));
}

TEST_CASE("a damaged record is given up by who accepts the loss") {
  const site s;
  CHECK(storemond({"repair", s.data()}).exit_code == 2);
  CHECK(storemond({"repair", s.data(), "--accept-loss=1"}).exit_code == 2);
  const auto refused = storemond({"repair", s.data(), "--accept-loss=1:1"});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Contains("record 1 of partition 1 is sound"));
  server_process server(s.options());
  CHECK_THAT(storemond({"repair", s.data(), "--accept-loss=1:1"}).err, Contains("in use"));
  CHECK(server.stop() == 0);
}

TEST_CASE("damage is told by verify, by the restarted server's health and by its reports") {
  const site s;
  // The first store's id, as the table of names keeps it.
  const auto id = s.report().substr(s.report().find('\n') + 1,
                                    s.report().find(',', s.report().find('\n')) - s.report().find('\n') - 1);
  damage(s.data(), id);
  const auto verified = storemond({"verify", s.data()});
  CHECK(verified.exit_code == 1);
  CHECK_THAT(verified.out, Contains("\ndamaged: the name of store ") && Contains(" damages\n"));

  server_process server(s.options());
  auto client = server.client();
  const auto health = client.get("/readyz");
  CHECK(health.status == 503);
  const auto object = object_of(health);
  CHECK(text_of(object, "status") == "damaged");
  CHECK(text_of(object, "error") == "damaged");
  const auto& partitions = object.at("partitions_damaged").as_array();
  REQUIRE(partitions.size() == 1);
  const auto report = wait_for(client, report_id_of(client.post("/trigger_report")));
  CHECK(text_of(report, "status") == "Complete");
  CHECK((report.at("gaps") == object.at("partitions_damaged")));
  const auto push = client.post("/api/v1/observations",
                                R"([{"store_id":")" + id +
                                    R"(","status":"active","timestamp_utc":"2023-01-24 10:14:00 UTC"}])",
                                {{"Content-Type", "application/json"}});
  CHECK(push.status == 503);
  CHECK(text_of(object_of(push), "error") == "damaged");
  CHECK(server.stop() == 0);
}

TEST_CASE("feeds that did not change are not read again at the next start") {
  const site s;
  server_process server(s.options({"--data.import=" + s.feeds()}));
  CHECK_THAT(server.self().err(), Contains("are those the journal holds already"));
  auto client = server.client();
  CHECK((csv_of(client, "/trigger_report?columns=full") == s.report()));
  CHECK(client.post("/import_data").status == 200);
  CHECK(server.stop() == 0);
}

TEST_CASE("feeds that turn bad keep no server from serving what it holds") {
  const site s;
  const scratch_directory feeds;
  const auto file = feeds.write("store_status.csv", "store_id,status\n1,active\n");
  server_process server(s.options({"--data.import=" + feeds.path().string()}));
  CHECK_THAT(server.self().err(),
             Contains(file) && Contains("timestamp_utc") && Contains("is served without"));
  auto client = server.client();
  CHECK(client.get("/readyz").status == 200);
  CHECK((csv_of(client, "/trigger_report?columns=full") == s.report()));
  CHECK(client.post("/import_data").status != 200);
  feeds.write("store_status.csv", "store_id,status,timestamp_utc\n1,active,2023-01-25 10:00:00 UTC\n");
  CHECK(client.post("/import_data").status == 200);
  CHECK(count_of(object_of(client.get("/debug_data")), "stores") == 61);
  CHECK(server.stop() == 0);
}

TEST_CASE("readiness and health tell whether anything can be made durable") {
  const site s;
  const auto journal_of = [](http_client& client, const std::string& path, int status = 200) {
    const auto answer = client.get(path);
    CHECK(answer.status == status);
    return object_of(answer).at("journal").as_object();
  };
  {
    server_process server(s.options());
    auto client = server.client();
    for (const std::string path : {"/readyz", "/healthz"}) {
      const auto journal = journal_of(client, path);
      CHECK(journal.at("writable").as_bool());
      CHECK(text_of(journal, "failure").empty());
      CHECK(count_of(journal, "bytes_free") > 0);
      CHECK(count_of(journal, "commits") > 0); // of partitions taken over
    }
    CHECK(server.stop() == 0);
  }
  server_process full(s.options({"--data.free_min_mb=1000000000"}));
  auto client = full.client();
  const std::string poll =
      R"([{"store_id":"1","status":"active","timestamp_utc":"2023-01-25 10:00:00 UTC"}])";
  const auto refused = client.post("/api/v1/observations", poll, {{"Content-Type", "application/json"}});
  CHECK(refused.status == 507);
  for (const std::string path : {"/readyz", "/healthz"}) {
    const auto journal =
        journal_of(client, path, path == "/readyz" ? 503 : 200); // it lives, but takes nothing in
    CHECK_FALSE(journal.at("writable").as_bool());
    CHECK_THAT(text_of(journal, "failure"), Contains("bytes are free on the disk"));
  }
  CHECK((csv_of(client, "/trigger_report?columns=full") == s.report())); // reads go on
  CHECK(full.stop() == 0);
}
