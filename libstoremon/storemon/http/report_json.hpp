#pragma once

#include "storemon/protocol/messages.hpp"

#include <boost/json/object.hpp>

namespace storemon::http {

/// A report as clients see it: `status`, `report_id`, what was asked for, and what its state adds.
boost::json::object report_json(const protocol::report_status& report);

/// An instant as RFC 3339 text, or null.
boost::json::value instant_json(const std::optional<instant>& at);

/// Which fleet weights these are.
boost::json::object weights_json(const weights_label& weights);

} // namespace storemon::http
