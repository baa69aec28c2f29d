#pragma once

#include "storemon/http/message.hpp"
#include "storemon/model/report.hpp"

#include <optional>
#include <string>
#include <string_view>

/// What requests say, from their paths, queries and JSON bodies, as values of the model.
namespace storemon::http {

/// The feed that `?feed=` names; other parameters are not looked at.
result<feed_kind> read_feed(const request& asked);

/// A report wanted of /trigger_report: fields of a JSON object in the body, and parameters of the query; each
/// known, of its type, and given once. Validated as far as storemon::validate goes.
result<report_request> read_report_request(const request& asked);

/// What is asked of one report.
struct report_question {
  std::string id;
  std::optional<std::string> format; ///< `csv` or `json`; nothing leaves it to the Accept field
};

/// A question about one report: its id from the path, or else from the query or a JSON object in the body;
/// the format from the query. Each known, and given once.
/// @param in_path  the id that stood in the path; may be empty.
result<report_question> read_report_question(const request& asked, std::string_view in_path);

} // namespace storemon::http
