#pragma once

#include "storemon/http/message.hpp"
#include "storemon/model/error.hpp"

#include <boost/json/fwd.hpp>

#include <string>
#include <string_view>

namespace storemon::http {

/// The one table from errors to HTTP statuses.
int status_of(errc code) noexcept;

/// An answer with a JSON body.
response json_answer(int status, const boost::json::value& body);

/// A refusal: `{"error": code, "detail": detail}`, with `Retry-After` where the same request may
/// succeed later (429, 503, 507).
response problem(int status, std::string_view code, std::string_view detail);

/// The refusal that says what an actor or a parser said.
response problem(const error& e);

/// The refusal of a request that came too slowly.
response late_request();

/// The refusal of a request that ended before it was whole.
response cut_request();

/// The text as JSON may carry it: what is not well-formed UTF-8 becomes U+FFFD.
std::string utf8(std::string_view text);

} // namespace storemon::http
