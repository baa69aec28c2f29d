#include "storemon/http/report_json.hpp"

#include "storemon/http/status.hpp"

#include <boost/json.hpp>

namespace storemon::http {

namespace json = boost::json;

namespace {

void add_file(json::object& out, const protocol::report_status& report) {
  const auto url = "/download/" + report.id + ".csv";
  const auto name = utf8(report.file_name);
  out["download_url"] = url;
  out["filename"] = name;
  out["file"] = url;
  out["file_bytes"] = report.file_bytes;
  out["data"] = {{"total_stores", report.stores_total},
                 {"total_stores_processed", report.stores_done},
                 {"filename", name},
                 {"download_url", url}};
}

} // namespace

json::value instant_json(const std::optional<instant>& at) {
  return at ? json::value(to_rfc3339(*at)) : json::value(nullptr);
}

json::object weights_json(const weights_label& weights) {
  return {{"version", weights.version},
          {"fitted_at", instant_json(weights.fitted_at)},
          {"stores", weights.stores},
          {"equal", weights.version == 0}};
}

json::object report_json(const protocol::report_status& report) {
  json::object out{{"status", to_string(report.state)},
                   {"report_id", report.id},
                   {"as_of", instant_json(report.as_of)},
                   {"estimator", utf8(report.request.estimator)},
                   {"scope", to_string(report.request.scope)},
                   {"columns", to_string(report.request.columns)},
                   {"created", instant_json(report.created)},
                   {"finished", instant_json(report.finished)},
                   {"stores_done", report.stores_done},
                   {"stores_total", report.stores_total},
                   {"durable", report.durable},
                   {"gaps", json::value_from(report.gaps)}};
  if (report.weights)
    out["weights"] = weights_json(*report.weights);
  switch (report.state) {
  case protocol::report_state::running:
    out["progress_percent"] = report.stores_total > 0 ? 100 * report.stores_done / report.stores_total : 0;
    break;
  case protocol::report_state::complete:
    add_file(out, report);
    break;
  case protocol::report_state::failed:
    out["error"] = to_string(report.failure.code);
    out["message"] = utf8(report.failure.detail);
    break;
  case protocol::report_state::cancelled:
    break;
  }
  return out;
}

} // namespace storemon::http
