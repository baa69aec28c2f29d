#include "storemon/http/import_json.hpp"

#include "storemon/http/report_json.hpp"
#include "storemon/http/status.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace storemon::http {

namespace json = boost::json;
using protocol::feed_kind;

namespace {

constexpr std::array<std::pair<feed_kind, std::string_view>, protocol::all_feeds.size()> feed_names{
    {{feed_kind::status, "status"},
     {feed_kind::hours, "hours"},
     {feed_kind::timezones, "timezones"},
     {feed_kind::closures, "closures"},
     {feed_kind::corrections, "corrections"},
     {feed_kind::stores, "stores"}}};

json::object feed_json(const protocol::feed_totals& feed) {
  json::array samples;
  for (const auto& sample : feed.reject_samples)
    samples.push_back(json::value(utf8(sample)));
  return {{"file", utf8(feed.file)},
          {"bytes", feed.bytes},
          {"lines", feed.lines},
          {"accepted", feed.rows.accepted},
          {"duplicates", feed.rows.duplicates},
          {"conflicts", feed.rows.conflicts},
          {"rejected", feed.rejected},
          {"rejected_by_reason", counts_json(feed.rejected_by_reason)},
          {"reject_samples", std::move(samples)}};
}

} // namespace

std::string_view to_string(feed_kind feed) noexcept {
  return feed_names[static_cast<size_t>(feed)].second;
}

std::optional<feed_kind> parse_feed(std::string_view text) noexcept {
  for (const auto& [feed, name] : feed_names)
    if (name == text)
      return feed;
  return std::nullopt;
}

json::object counts_json(const std::map<std::string, uint64_t>& counts) {
  json::object out;
  for (const auto& [name, count] : counts)
    out[utf8(name)] = count;
  return out;
}

json::object import_json(const protocol::import_result& import) {
  json::array feeds;
  for (const auto& feed : import.feeds)
    feeds.push_back(feed_json(feed));
  return {{"took_ms", std::chrono::duration_cast<std::chrono::milliseconds>(import.took).count()},
          {"feeds", std::move(feeds)},
          {"partitions_lost", json::value_from(import.partitions_lost)}};
}

json::object import_json(const protocol::import_status& import) {
  const auto& [done, total] = import.progress;
  const bool failed = import.failure.code != errc::ok;
  const auto* state = !import.finished ? "running" : (failed ? "failed" : "done");
  json::object out{{"import_id", import.id},
                   {"feed", to_string(import.feed)},
                   {"state", state},
                   {"created", instant_json(import.created)},
                   {"finished", instant_json(import.finished)},
                   {"bytes_done", done},
                   {"bytes_total", total},
                   {"progress_percent", total > 0 ? 100 * done / total : 0}};
  if (import.result)
    for (auto& [name, value] : import_json(*import.result))
      out[name] = std::move(value);
  if (failed) {
    out["error"] = to_string(import.failure.code);
    out["detail"] = utf8(import.failure.detail);
  }
  return out;
}

} // namespace storemon::http
