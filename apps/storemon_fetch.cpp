#include "storemon_fetch.hpp"

#include "http_client.hpp"
#include "output.hpp"
#include "progress_bar.hpp"
#include "report_options.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

namespace storemon {

namespace json = boost::json;

namespace {

using namespace std::chrono_literals;

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

struct fetch_arguments {
  std::string url;
  std::string out;
  uint32_t timeout = 300; ///< seconds
  report_options report;
};

error failed(std::string why) {
  return {errc::io_failed, std::move(why)};
}

error no_sense(const http_reply& reply) {
  return failed("the server's answer, with status " + std::to_string(reply.status) +
                ", is not one of storemond's");
}

/// The JSON object an answer carries; nothing when there is none.
std::optional<json::object> object_of(const http_reply& reply) {
  json::error_code failure;
  auto value = json::parse(reply.body, failure);
  if (failure || !value.is_object())
    return std::nullopt;
  return std::move(value.as_object());
}

/// A text of the object; empty when it has none of that name.
std::string text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

uint64_t count_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value && value->is_int64() ? static_cast<uint64_t>(std::max<int64_t>(value->get_int64(), 0)) : 0;
}

/// What the server says in place of what was asked for.
error refusal(const http_reply& reply) {
  const auto object = object_of(reply);
  const auto code = object ? text_of(*object, "error") : std::string();
  if (reply.status == 200 || code.empty())
    return no_sense(reply);
  return {code == to_string(errc::invalid_argument) ? errc::invalid_argument : errc::io_failed,
          "the server refuses (" + std::to_string(reply.status) + " " + code +
              "): " + text_of(*object, "detail")};
}

std::string trigger_target(const report_options& wanted) {
  std::vector<std::pair<std::string, std::string>> parameters{
      {"estimator", wanted.estimator}, {"scope", wanted.scope}, {"columns", wanted.columns}};
  if (!wanted.as_of.empty())
    parameters.emplace_back("as_of", wanted.as_of);
  for (const auto& w : wanted.windows)
    parameters.emplace_back("windows", w);
  if (wanted.raw_ids)
    parameters.emplace_back("raw_ids", "true");
  return "/trigger_report" + query_of(parameters);
}

/// @returns the report's id.
result<std::string> trigger(http_client& server, const report_options& wanted) {
  const auto reply = server.request("POST", trigger_target(wanted));
  if (!reply)
    return reply.error();
  const auto object = object_of(*reply);
  auto id = reply->status == 200 && object ? text_of(*object, "report_id") : std::string();
  if (id.empty())
    return refusal(*reply);
  return id;
}

/// Looks at a report until it has ended. @returns the answer with the CSV.
result<http_reply> wait_for(http_client& server, const std::string& id) {
  constexpr auto pause_max = 500ms;
  const auto target = "/get_report" + query_of({{"report_id", id}, {"format", "csv"}});
  progress_bar bar("computing");
  for (auto pause = 2ms;; pause = std::min(2 * pause, pause_max)) {
    auto reply = server.request("GET", target);
    if (!reply)
      return error{reply.error().code, reply.error().detail + "; the report's id is " + id};
    if (reply->status == 200 && reply->content_type.starts_with("text/csv"))
      return reply;
    const auto report = reply->status == 200 ? object_of(*reply) : std::nullopt;
    const auto status = report ? text_of(*report, "status") : std::string();
    if (status == "Error")
      return failed("the report failed (" + text_of(*report, "error") + "): " + text_of(*report, "message"));
    if (status == "Cancelled")
      return failed("someone cancelled the report " + id);
    if (status != "Running")
      return refusal(*reply);
    bar.show(count_of(*report, "stores_done"), count_of(*report, "stores_total"));
    if (!server.pause(pause))
      return failed("the report was not finished in time; its id is " + id);
  }
}

/// The name the server gives its file; only a plain one, for it becomes a path of ours.
result<std::string> file_name_of(const http_reply& reply) {
  constexpr std::string_view begin = "attachment; filename=\"";
  std::string_view name = reply.content_disposition;
  if (!name.starts_with(begin) || !name.ends_with('"') || name.size() <= begin.size() + 1)
    return no_sense(reply);
  name = name.substr(begin.size(), name.size() - begin.size() - 1);
  const bool plain = name[0] != '.' && std::all_of(name.begin(), name.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                              c == '_' || c == '-' || c == '.';
                     });
  if (!plain)
    return no_sense(reply);
  return std::string(name);
}

/// Where the CSV goes: a directory is completed by the server's name of the file.
result<std::string> path_for(const std::string& out, const http_reply& reply) {
  std::error_code unknown; // what is there when it cannot be told, write_output will say
  if (!out.ends_with('/') && (out.empty() || !std::filesystem::is_directory(out, unknown)))
    return out;
  auto name = file_name_of(reply);
  if (!name)
    return name.error();
  return (std::filesystem::path(out) / *name).string();
}

result<void> fetch(const fetch_arguments& given) {
  auto address = parse_server_url(given.url);
  if (!address)
    return address.error();
  http_limits limits;
  limits.total_timeout = std::chrono::seconds(given.timeout);
  http_client server(std::move(*address), limits);
  const auto id = trigger(server, given.report);
  if (!id)
    return id.error();
  const auto csv = wait_for(server, *id);
  if (!csv)
    return csv.error();
  const auto path = path_for(given.out, *csv);
  if (!path)
    return path.error();
  return write_output(*path, csv->body);
}

int run(const fetch_arguments& given) {
  const auto done = fetch(given);
  if (done)
    return 0;
  std::fprintf(stderr, "storemon fetch: %s\n", printable(done.error().detail).c_str());
  return done.error().code == errc::invalid_argument ? exit_usage : exit_failed;
}

} // namespace

void add_fetch(CLI::App& tool, int& exit_code) {
  constexpr uint32_t timeout_max = 86'400;
  auto given = std::make_shared<fetch_arguments>();
  auto* command = tool.add_subcommand("fetch", "has a server compute a report, and saves its CSV");
  command->add_option("URL", given->url, "where the server is, such as http://127.0.0.1:8080")->required();
  command->add_option(
      "--out", given->out,
      "where the CSV goes: a file, or a directory for a file of the server's naming; standard "
      "output by default");
  command->add_option("--timeout", given->timeout, "seconds for all of it")
      ->check(CLI::Range(uint32_t{1}, timeout_max))
      ->capture_default_str();
  add_report_options(*command, given->report);
  command->callback([given, &exit_code] { exit_code = run(*given); });
}

} // namespace storemon
