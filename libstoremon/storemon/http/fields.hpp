#pragma once

#include "storemon/http/message.hpp"

#include <boost/json/object.hpp>

#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>

/// Reading what requests say: queries and JSON objects whose every name is known and given once.
namespace storemon::http {

inline std::string_view view(boost::json::string_view text) noexcept {
  return {text.data(), text.size()};
}

/// An invalid_argument.
error invalid(std::string detail);

std::string in_quotes(std::string_view text);

/// The JSON object in a body, in which no object names a field twice; an empty one for an empty body.
result<boost::json::object> parse_object(std::string_view body);

/// Names seen so far: each may come once, be it in the query or in the body.
class once {
public:
  result<void> operator()(std::string_view name);

private:
  std::set<std::string, std::less<>> seen_;
};

/// Fails unless the name is one of those known, and names them.
/// @param kind  what has the name: "a parameter", "a field".
result<void> check_known(std::string_view name, std::initializer_list<std::string_view> known,
                         std::string_view kind);

/// Fails unless every parameter of the query is known and given once.
result<void> check_query(const request& asked, std::initializer_list<std::string_view> known);

/// Fails unless every field of the object is known.
result<void> check_fields(const boost::json::object& object, std::initializer_list<std::string_view> known);

/// A parameter of the query.
std::optional<std::string> query_value(const request& asked, std::string_view name);

/// A field that has to be a string; nothing when it is not there.
result<std::optional<std::string>> text_field(const boost::json::object& object, std::string_view name);

/// A field that has to be there, and a string.
result<std::string> needed_text(const boost::json::object& object, std::string_view name);

/// An instant given for `name`.
result<instant> read_instant(std::string_view name, std::string_view text);

/// A local date `YYYY-MM-DD` given for `name`.
result<std::chrono::local_days> read_date(std::string_view name, std::string_view text);

} // namespace storemon::http
