/// The tool as its users run it: generate, report and fetch.
#include "support/canned_server.hpp"
#include "support/server_process.hpp"

#include <sys/stat.h>

#include <algorithm>

using namespace storemon::test;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

const std::string loop_header = "store_id,uptime_last_hour,uptime_last_day,uptime_last_week,"
                                "downtime_last_hour,downtime_last_day,downtime_last_week\n";

/// One store, open 09:00-12:00 UTC each day, polled at 10:14 and 11:15; its id would run in a spreadsheet.
class one_store {
public:
  one_store() {
    directory_.write("store_status.csv", "store_id,status,timestamp_utc\n"
                                         "=1+1,active,2023-01-24 10:14:00 UTC\n"
                                         "=1+1,inactive,2023-01-24 11:15:00 UTC\n");
    directory_.write("timezones.csv", "store_id,timezone_str\n=1+1,UTC\n");
    std::string hours = "store_id,dayOfWeek,start_time_local,end_time_local\n";
    for (int day = 0; day < 7; ++day)
      hours += "=1+1," + std::to_string(day) + ",09:00:00,12:00:00\n";
    directory_.write("menu_hours.csv", hours);
  }

  std::string path() const { return directory_.path().string(); }

private:
  scratch_directory directory_;
};

/// What a command that should fail says.
std::string refusal(const std::vector<std::string>& arguments, int exit_code) {
  const auto failed = tool(arguments);
  INFO(failed.err);
  CHECK(failed.exit_code == exit_code);
  CHECK(failed.out.empty());
  CHECK_THAT(failed.err, StartsWith("storemon"));
  CHECK(std::count(failed.err.begin(), failed.err.end(), '\n') == 1);
  return failed.err;
}

const std::string id = "0f0e0d0c-0b0a-4908-8706-050403020100";
const std::string triggered = answer_text("200 OK", "{\"report_id\": \"" + id + "\"}");
const std::string running =
    answer_text("200 OK", R"({"status": "Running", "stores_done": 1, "stores_total": 2})");
const std::string csv_fields =
    "Content-Type: text/csv\r\nContent-Disposition: attachment; filename=\"store_report_1.csv\"\r\n";

} // namespace

TEST_CASE("the well-known example comes out as the semantics say") {
  const one_store store;
  const auto report = tool({"report", "--columns=full", "--as-of=2023-01-24T18:00:00Z", "--window",
                            "morning=2023-01-24T09:00:00Z..2023-01-24T12:00:00Z", store.path()});
  CHECK(report.exit_code == 0);
  CHECK_THAT(report.out, Contains("\n'=1+1,2023-01-24T18:00:00.000000Z,capped_nearest,session,"));
  CHECK_THAT(report.out, Contains(",10800.000000,6270.000000,4530.000000,0.000000,0.000000,0.000000,2\n"));
}

TEST_CASE("report writes the CSV alone to standard output, and the quality of the data beside it") {
  const sample_data data(50);
  const auto report = tool({"report", data.path()});
  CHECK(report.exit_code == 0);
  CHECK(report.out.starts_with(loop_header));
  CHECK(std::count(report.out.begin(), report.out.end(), '\n') == 51);
  CHECK_THAT(report.err, Contains("store_status.csv: ") && Contains("50 stores: "));

  const scratch_directory scratch;
  const auto file = (scratch.path() / "report.csv").string();
  const auto saved = tool({"report", data.path(), "--out", file});
  CHECK(saved.exit_code == 0);
  CHECK(saved.out.empty());
  CHECK((read_file(file) == report.out));
  CHECK(std::distance(std::filesystem::directory_iterator(scratch.path()), {}) == 1);
}

TEST_CASE("report by telegraph fits the fleet's weights first, and says to how many stores") {
  const sample_data data(50);
  const auto report = tool({"report", data.path(), "--estimator=telegraph", "--columns=full"});
  CHECK(report.exit_code == 0);
  CHECK_THAT(report.out, Contains("last_week_uptime_low_s") && Contains(",active_now\n"));
  CHECK_THAT(report.err, Contains("fleet weights version 1, fitted to "));
  CHECK(tool({"report", data.path(), "--estimator=telegraph", "--columns=full"}).out == report.out);
  CHECK_THAT(tool({"report", data.path()}).err, !Contains("fleet weights"));
}

TEST_CASE("raw ids are shown only to who asks for them") {
  const one_store store;
  CHECK_THAT(tool({"report", store.path()}).out, StartsWith(loop_header + "'=1+1,"));
  CHECK_THAT(tool({"report", store.path(), "--raw-ids"}).out, StartsWith(loop_header + "=1+1,"));
}

TEST_CASE("as_of moves the now of a report") {
  const one_store store;
  CHECK_THAT(tool({"report", store.path()}).out, Contains(loop_header));
  const auto at_noon = tool({"report", store.path(), "--as-of=2023-01-24T12:00:00Z"});
  const auto next_day = tool({"report", store.path(), "--as-of=2023-01-25T12:00:00Z"});
  CHECK(at_noon.exit_code == 0);
  CHECK(next_day.exit_code == 0);
  CHECK(at_noon.out != next_day.out);
}

TEST_CASE("windows follow one another or their option, wherever the directory stands") {
  const one_store store;
  const std::string a = "a=2023-01-24T09:00:00Z..2023-01-24T11:00:00Z";
  const std::string b = "b=2023-01-24T10:00:00Z..2023-01-24T11:00:00Z";
  const std::string option = "--window";
  const auto dir = store.path();
  const auto wanted = tool({"report", dir, "--columns=full", option, a, option, b}).out;
  CHECK_THAT(wanted, Contains("a_scheduled_s") && Contains("b_scheduled_s"));
  for (const auto& command : std::vector<std::vector<std::string>>{
           {"report", dir, "--columns=full", option, a, b},
           {"report", "--columns=full", option, a, b, dir},
           {"report", option, a, b, dir, "--columns=full"},
           {"report", option + "=" + a, b, "--columns=full", "--", dir},
           {"report", option, a, dir, option + "=" + b, "--columns", "full"}}) {
    const auto report = tool(command);
    INFO(report.err);
    CHECK(report.out == wanted);
  }
  CHECK_THAT(tool({"report", "--help"}).out, Contains("--window NAME=FROM..TO ..."));
  CHECK_THAT(refusal({"report", dir, "--columns=full", option, a, "b=now..then"}, 2), Contains("'b'"));
  CHECK_THAT(refusal({"report", dir, option, a, "elsewhere"}, 2), Contains("elsewhere"));
}

TEST_CASE("the ids that only one side names are told as orphans") {
  const scratch_directory data;
  data.write("store_status.csv", "store_id,status,timestamp_utc\n"
                                 "both,active,2023-01-24 10:14:00 UTC\n"
                                 "polled,active,2023-01-24 10:14:00 UTC\n"
                                 "polled too,active,2023-01-24 10:14:00 UTC\n");
  data.write("timezones.csv", "store_id,timezone_str\nboth,UTC\nzoned,UTC\n");
  const auto report = tool({"report", data.path().string()});
  CHECK(report.exit_code == 0);
  CHECK_THAT(report.err, Contains("\n3 orphan ids: 2 polled but in neither hours nor zones, "
                                  "1 in hours or zones but never polled\n"));
}

TEST_CASE("a report takes the place of a file, through links, and of nothing else") {
  const one_store store;
  const auto csv = tool({"report", store.path()}).out;
  const scratch_directory scratch;
  const auto inside = [&](const std::string& name) { return (scratch.path() / name).string(); };
  const auto save = [&](const std::string& name) {
    return tool({"report", store.path(), "--out", inside(name)});
  };
  const auto is_link = [&](const std::string& name) { return std::filesystem::is_symlink(inside(name)); };

  scratch.write("file.csv", "before");
  std::filesystem::create_symlink("file.csv", inside("link.csv"));
  std::filesystem::create_symlink("link.csv", inside("link to link.csv"));
  std::filesystem::create_symlink("later.csv", inside("link to none.csv"));
  CHECK(save("link to link.csv").exit_code == 0);
  CHECK(save("link to none.csv").exit_code == 0);
  CHECK((read_file(inside("file.csv")) == csv));
  CHECK((read_file(inside("later.csv")) == csv));
  for (const auto* link : {"link.csv", "link to link.csv", "link to none.csv"})
    CHECK(is_link(link));

  REQUIRE(::mkfifo(inside("pipe").c_str(), 0600) == 0);
  process reader({"/bin/cat", inside("pipe")});
  CHECK(save("pipe").exit_code == 0);
  CHECK(reader.wait() == 0);
  CHECK((reader.out() == csv));
  CHECK(std::filesystem::is_fifo(inside("pipe")));

  std::filesystem::create_symlink("/dev/full", inside("full"));
  const auto full = save("full");
  CHECK(full.exit_code == 1);
  CHECK_THAT(full.err, Contains("No space left on device"));
  CHECK(is_link("full"));
  CHECK(save("").exit_code == 1); // the directory itself
  CHECK(std::distance(std::filesystem::directory_iterator(scratch.path()), {}) == 7);
}

TEST_CASE("report refuses what makes no sense with exit code 2") {
  const one_store store;
  const auto dir = store.path();
  CHECK_THAT(refusal({"report", dir, "--estimator=guess"}, 2), Contains("'guess'") && Contains("nearest"));
  CHECK_THAT(refusal({"report", dir, "--scope=moon"}, 2), Contains("--scope=moon"));
  CHECK_THAT(refusal({"report", dir, "--columns=few"}, 2), Contains("--columns=few"));
  CHECK_THAT(refusal({"report", dir, "--as-of=yesterday"}, 2), Contains("--as-of=yesterday"));
  CHECK_THAT(refusal({"report", dir, "--columns=full", "--window=odd"}, 2), Contains("NAME=FROM..TO"));
  CHECK_THAT(refusal({"report", dir, "--window=w=2023-01-24T09:00:00Z..2023-01-24T12:00:00Z"}, 2),
             Contains("full"));
  CHECK_THAT(refusal({"report", dir, "--sort"}, 2), Contains("--sort"));
  refusal({"report"}, 2);
  refusal({"reprot", dir}, 2);
  refusal({}, 2);
}

TEST_CASE("report fails with exit code 1 where the data or the place for the CSV are missing") {
  CHECK_THAT(refusal({"report", "/no/such/directory"}, 1), Contains("/no/such/directory"));
  const one_store store;
  const auto unwritable = tool({"report", store.path(), "--out", "/no/such/directory/report.csv"});
  CHECK(unwritable.exit_code == 1);
  CHECK_THAT(unwritable.err, Contains("/no/such/directory/report.csv"));
}

TEST_CASE("equal seeds make equal files, and a fleet can be reported at once") {
  const sample_data one(40);
  const sample_data other(40);
  for (const auto* name : {"/store_status.csv", "/menu_hours.csv", "/timezones.csv"})
    CHECK((read_file(one.path() + name) == read_file(other.path() + name)));
  CHECK((tool({"report", one.path()}).out == tool({"report", other.path()}).out));
  CHECK_THAT(refusal({"generate", one.path(), "--stores=0"}, 2), Contains("stores"));
}

TEST_CASE("fetch saves to a file, or under the server's name in a directory") {
  const sample_data data(50);
  const scratch_directory scratch;
  server_process server({"--data.import=" + data.path()});
  const auto csv = tool({"report", data.path()}).out;
  const auto dir = scratch.path().string();
  CHECK(tool({"fetch", server.url() + "/", "--out", dir + "/mine.csv"}).exit_code == 0);
  CHECK((read_file(dir + "/mine.csv") == csv));
  std::filesystem::remove(dir + "/mine.csv");
  for (const auto& into : {dir, dir + "/"}) {
    const auto saved = tool({"fetch", server.url(), "--out", into});
    INFO(saved.err);
    CHECK(saved.exit_code == 0);
    CHECK(saved.out.empty());
    const std::filesystem::directory_iterator files(scratch.path());
    REQUIRE(files != std::filesystem::directory_iterator());
    const auto name = files->path().filename().string();
    CHECK_THAT(name, Catch::Matchers::Matches("store_report_\\d{8}_\\d{6}(_\\d+)?\\.csv"));
    CHECK((read_file(files->path()) == csv));
    std::filesystem::remove(files->path());
    CHECK(std::filesystem::is_empty(scratch.path()));
  }
  CHECK(server.stop() == 0);
}

TEST_CASE("fetch passes on what is asked for, encoded") {
  canned_server server({triggered, answer_text("200 OK", "store_id\n", csv_fields)});
  const auto fetched = tool({"fetch", "--window=a=2023-01-24T09:00:00+01:00..2023-01-24T12:00:00Z",
                             "--columns", "full", "--as-of", "2023-01-25 00:00:00 UTC", "--raw-ids",
                             "--scope=all", "--window", "b=1&2", "--estimator=nearest", server.url()});
  INFO(fetched.err);
  CHECK(fetched.exit_code == 0);
  CHECK(fetched.out == "store_id\n");
  const auto requests = server.requests();
  REQUIRE(requests.size() == 2);
  CHECK_THAT(requests[0],
             StartsWith("POST /trigger_report?estimator=nearest&scope=all&columns=full"
                        "&as_of=2023-01-25%2000%3A00%3A00%20UTC"
                        "&windows=a%3D2023-01-24T09%3A00%3A00%2B01%3A00..2023-01-24T12%3A00%3A00Z"
                        "&windows=b%3D1%262&raw_ids=true HTTP/1.1\r\n") &&
                 Contains("\r\nHost: " + server.address() + "\r\n") && Contains("Content-Length: 0\r\n"));
  CHECK_THAT(requests[1], StartsWith("GET /get_report?report_id=" + id + "&format=csv HTTP/1.1\r\n"));
}

TEST_CASE("fetch asks again when the server is busy, computes, or has closed the connection") {
  const auto busy = answer_text("503 Service Unavailable", R"({"error": "busy", "detail": "later"})",
                                "Content-Type: application/json\r\nRetry-After: 0\r\n");
  canned_server server({busy, triggered, running, busy, running, answer_text("200 OK", "x\n", csv_fields)});
  const auto fetched = tool({"fetch", server.url()});
  INFO(fetched.err);
  CHECK(fetched.exit_code == 0);
  CHECK(fetched.out == "x\n");
  CHECK(server.requests().size() == 6);

  canned_server never(std::vector<std::string>(100, busy));
  CHECK_THAT(refusal({"fetch", never.url()}, 1), Contains("503 busy") && Contains("later"));
  CHECK(never.requests().size() == 11);
}

TEST_CASE("fetch fails with the server's own words") {
  const auto told = [](const std::string& status, const std::string& body, int exit_code) {
    canned_server server({triggered, answer_text(status, body)});
    return refusal({"fetch", server.url()}, exit_code);
  };
  CHECK_THAT(told("200 OK", R"({"status": "Error", "error": "partition_lost", "message": "alas"})", 1),
             Contains("partition_lost") && Contains("alas"));
  CHECK_THAT(told("200 OK", R"({"status": "Cancelled"})", 1), Contains("cancelled") && Contains(id));
  CHECK_THAT(told("404 Not Found", R"({"error": "not_found", "detail": "gone"})", 1),
             Contains("404 not_found") && Contains("gone"));
  canned_server unwilling(
      {answer_text("400 Bad Request", R"({"error": "invalid_argument", "detail": "why"})")});
  CHECK_THAT(refusal({"fetch", unwilling.url()}, 2), Contains("400 invalid_argument") && Contains("why"));
}

TEST_CASE("fetch takes no answer for a report that is none") {
  const std::string odd[] = {
      "SSH-2.0-OpenSSH_9.2\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n{",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\n{",
      "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n{",
      "HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\n",
      "HTTP/1.1 200 OK\r\n",
      answer_text("200 OK", ""),
      answer_text("200 OK", "<html>"),
      answer_text("200 OK", "[]"),
      answer_text("200 OK", R"({"status": 7})"),
      answer_text("200 OK", R"({"report_id": 7})"),
      answer_text("200 OK", R"({"status": "Complete"})"),
      answer_text("200 OK", std::string(100'000, '[')),
      answer_text("302 Found", "", "Location: /elsewhere\r\n"),
      answer_text("500 Internal Server Error", "\x1b[2Jboom"),
  };
  for (const auto& answer : odd) {
    INFO(answer.substr(0, 100));
    canned_server at_trigger({answer});
    CHECK_THAT(refusal({"fetch", at_trigger.url()}, 1), Contains("answer"));
    canned_server at_poll({triggered, answer});
    CHECK_THAT(refusal({"fetch", at_poll.url()}, 1), Contains("answer"));
  }
}

TEST_CASE("fetch lets no server choose a path outside the directory") {
  for (const auto* name : {"../evil.csv", "/evil.csv", ".profile", "a b.csv", ""}) {
    INFO(name);
    const scratch_directory scratch;
    canned_server server({triggered, answer_text("200 OK", "x\n",
                                                 "Content-Type: text/csv\r\nContent-Disposition: attachment; "
                                                 "filename=\"" +
                                                     std::string(name) + "\"\r\n")});
    refusal({"fetch", server.url(), "--out", scratch.path().string() + "/"}, 1);
    CHECK(std::filesystem::is_empty(scratch.path()));
  }
}

TEST_CASE("fetch gives up on a server that says nothing, that never finishes, or that is not there") {
  canned_server silent({});
  CHECK_THAT(refusal({"fetch", silent.url(), "--timeout=1"}, 1), Contains("too long"));
  canned_server slow({triggered, running, running, running, running, running, running, running, running,
                      running, running, running, running, running});
  CHECK_THAT(refusal({"fetch", slow.url(), "--timeout=1"}, 1), Contains("in time") && Contains(id));
  CHECK_THAT(refusal({"fetch", "http://127.0.0.1:1"}, 1), Contains("cannot connect to 127.0.0.1:1:"));
  CHECK_THAT(refusal({"fetch", "http://[::1]:1/"}, 1), Contains("cannot connect to [::1]:1:"));
}

TEST_CASE("fetch refuses what is no URL of a server with exit code 2") {
  CHECK_THAT(refusal({"fetch", "https://127.0.0.1:8080"}, 2), Contains("https is not supported yet"));
  for (const auto* url :
       {"127.0.0.1:8080", "ftp://127.0.0.1", "http://", "http:///x", "http://127.0.0.1:x",
        "http://127.0.0.1:0", "http://127.0.0.1:65536", "http://127.0.0.1:", "http://[::1",
        "http://[::1]8080", "http://::1:8080", "http://a@b", "http://a/b", "http://a b", ""}) {
    INFO(url);
    CHECK_THAT(refusal({"fetch", url}, 2), Contains("'" + std::string(url) + "'"));
  }
  refusal({"fetch"}, 2);
  refusal({"fetch", "http://127.0.0.1:1", "--timeout=0"}, 2);
  refusal({"fetch", "http://127.0.0.1:1", "--timeout=-1"}, 2);
}
