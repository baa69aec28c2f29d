#pragma once

#include "storemon/protocol/portrait.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <chrono>
#include <string_view>

/// Stores as clients see them.
namespace storemon::http {

/// `{"from", "to"}`.
boost::json::object span_json(const interval& span);

/// A list of such.
boost::json::array spans_json(const interval_set& spans);

/// A local date, or null for always_valid.
boost::json::value date_json(std::chrono::local_days date);

/// How a store is.
/// @param now  to which the last poll has its age.
boost::json::object portrait_json(std::string_view store, const protocol::store_portrait& portrait,
                                  instant now);

/// How a store was.
boost::json::object timeline_json(std::string_view store, const protocol::store_timeline& timeline);

} // namespace storemon::http
