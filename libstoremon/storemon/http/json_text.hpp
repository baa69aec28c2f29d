#pragma once

#include <boost/json/fwd.hpp>

#include <string>

namespace storemon::http {

/// A JSON value as the text of an answer: as Boost.JSON writes it, except that a double is a plain decimal
/// without an exponent, the shortest that reads back as the same number (a whole one without a fraction), and
/// that one without a value in JSON, which no answer should have, is null.
std::string json_text(const boost::json::value& value);

} // namespace storemon::http
