#include "storemon/http/import_json.hpp"

#include "storemon/http/report_json.hpp"
#include "storemon/http/status.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <utility>

namespace storemon::http {

namespace json = boost::json;

namespace {

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
