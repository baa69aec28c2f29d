#pragma once

#include "support/http_client.hpp"
#include "support/process.hpp"
#include "support/scratch_directory.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

/// The programs as users run them; CMake says where they are.
namespace storemon::test {

/// Runs the tool to its end.
inline outcome tool(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), STOREMON_TOOL);
  return run(arguments);
}

/// Feeds of a synthetic fleet, small enough to be made for each test.
class sample_data {
public:
  explicit sample_data(int stores = 300) {
    const auto made = tool({"generate", path(), "--stores", std::to_string(stores), "--seed", "7"});
    INFO(made.err);
    REQUIRE(made.exit_code == 0);
  }

  std::string path() const { return directory_.path().string(); }

private:
  scratch_directory directory_;
};

/// Without a data directory of its own the server keeps nothing.
inline std::vector<std::string> server_command(std::vector<std::string> options) {
  const auto is_directory = [](const std::string& o) { return o.starts_with("--data.dir="); };
  if (std::none_of(options.begin(), options.end(), is_directory))
    options.insert(options.begin(), "--data.dir=");
  options.insert(options.begin(), {STOREMOND, "--http.port=0"});
  return options;
}

/// A server that is ready.
class server_process {
public:
  explicit server_process(std::vector<std::string> options) : server_(server_command(std::move(options))) {
    const auto line = server_.read_line();
    INFO(server_.err());
    REQUIRE(line);
    constexpr std::string_view begin = "storemon ready http://127.0.0.1:";
    INFO(*line);
    REQUIRE(line->starts_with(begin));
    url_ = line->substr(line->find("http://"));
    const auto* end = line->data() + line->size();
    const auto [parsed, failure] = std::from_chars(line->data() + begin.size(), end, port_);
    REQUIRE((failure == std::errc() && parsed == end && port_ > 0));
  }

  process& self() noexcept { return server_; }

  uint16_t port() const noexcept { return port_; }

  const std::string& url() const noexcept { return url_; }

  http_client client() const { return http_client(port_); }

  /// Asks it to stop. @returns the exit code; nothing may be left of its standard output.
  int stop(int signal = SIGTERM) {
    server_.send_signal(signal);
    const int exit_code = server_.wait();
    INFO(server_.err());
    CHECK(server_.out().empty());
    return exit_code;
  }

private:
  process server_;
  std::string url_;
  uint16_t port_ = 0;
};

/// The JSON object in an answer.
inline boost::json::object object_of(const http_answer& answer) {
  INFO(answer.line << "\n" << answer.body);
  REQUIRE(answer.field("Content-Type") == "application/json");
  boost::json::error_code failure;
  auto value = boost::json::parse(answer.body, failure);
  REQUIRE_FALSE(failure);
  REQUIRE(value.is_object());
  return std::move(value.as_object());
}

inline std::string text_of(const boost::json::object& object, std::string_view name) {
  INFO(name << " in " << boost::json::serialize(object));
  REQUIRE(object.contains(name));
  REQUIRE(object.at(name).is_string());
  return std::string(object.at(name).as_string());
}

inline int64_t count_of(const boost::json::object& object, std::string_view name) {
  INFO(name << " in " << boost::json::serialize(object));
  REQUIRE(object.contains(name));
  REQUIRE(object.at(name).is_int64());
  return object.at(name).as_int64();
}

/// The id a trigger answers.
inline std::string report_id_of(const http_answer& answer) {
  REQUIRE(answer.status == 200);
  const auto object = object_of(answer);
  CHECK(object.size() == 1);
  return text_of(object, "report_id");
}

/// Polls a report until it no longer runs; checks the progress it tells on the way.
inline boost::json::object wait_for(http_client& client, const std::string& id) {
  const auto deadline = std::chrono::steady_clock::now() + process::wait_max;
  int64_t done = 0;
  for (;;) {
    const auto answer = client.get("/get_report?report_id=" + id);
    REQUIRE(answer.status == 200);
    auto report = object_of(answer);
    const auto status = text_of(report, "status");
    CHECK(answer.field("X-Report-Status") == status);
    CHECK(text_of(report, "report_id") == id);
    const auto now_done = count_of(report, "stores_done");
    CHECK(now_done >= done);
    done = now_done;
    if (status != "Running")
      return report;
    CHECK(count_of(report, "stores_total") >= 0);
    const auto percent = count_of(report, "progress_percent");
    CHECK((percent >= 0 && percent <= 100));
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

/// A complete report's CSV, for a trigger's path and query.
inline std::string csv_of(http_client& client, const std::string& trigger) {
  INFO(trigger);
  const auto id = report_id_of(client.post(trigger));
  const auto report = wait_for(client, id);
  INFO(boost::json::serialize(report));
  REQUIRE(text_of(report, "status") == "Complete");
  const auto csv = client.get("/get_report?report_id=" + id + "&format=csv");
  REQUIRE(csv.status == 200);
  CHECK(csv.field("Content-Type") == "text/csv; charset=utf-8");
  return csv.body;
}

} // namespace storemon::test
