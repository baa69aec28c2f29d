#pragma once

#include "storemon/protocol/messages.hpp"

#include <boost/json/object.hpp>

#include <map>
#include <string>
#include <string_view>

namespace storemon::http {

boost::json::object counts_json(const std::map<std::string, uint64_t>& counts);

/// What an import read, feed by feed.
boost::json::object import_json(const protocol::import_result& import);

/// An import that a client ordered: how far it is, and how it ended.
boost::json::object import_json(const protocol::import_status& import);

} // namespace storemon::http
