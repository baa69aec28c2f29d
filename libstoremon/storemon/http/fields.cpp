#include "storemon/http/fields.hpp"

#include "storemon/model/local_text.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace storemon::http {

namespace json = boost::json;

error invalid(std::string detail) {
  return {errc::invalid_argument, std::move(detail)};
}

std::string in_quotes(std::string_view text) {
  return "'" + std::string(text) + "'";
}

result<json::object> parse_object(std::string_view body) {
  if (body.empty())
    return json::object();
  json::stream_parser parser;
  json::error_code failure;
  size_t at = parser.write_some(body.data(), body.size(), failure);
  // What follows the value may only be white space, which the parser has taken already.
  if (!failure && at < body.size())
    failure = json::error::extra_data;
  if (!failure)
    parser.finish(failure);
  if (failure)
    return invalid("bad JSON at byte " + std::to_string(at) + ": " + failure.message());
  auto value = parser.release();
  if (!value.is_object())
    return invalid("the JSON body has to be an object");
  return std::move(value.as_object());
}

result<void> once::operator()(std::string_view name) {
  if (!seen_.emplace(name).second)
    return invalid(in_quotes(name) + " is given twice");
  return {};
}

result<void> check_known(std::string_view name, std::initializer_list<std::string_view> known,
                         std::string_view kind) {
  if (std::find(known.begin(), known.end(), name) != known.end())
    return {};
  auto told = in_quotes(name);
  told.append(" is not ").append(kind).append(known.size() == 1 ? "; known is " : "; known are ");
  for (size_t i = 0; i < known.size(); ++i)
    told.append(i == 0 ? "" : ", ").append(known.begin()[i]);
  return invalid(std::move(told));
}

result<void> check_query(const request& asked, std::initializer_list<std::string_view> known) {
  once check;
  for (const auto& parameter : asked.query) {
    if (auto is_known = check_known(parameter.name, known, "a parameter"); !is_known)
      return is_known;
    if (auto fresh = check(parameter.name); !fresh)
      return fresh;
  }
  return {};
}

result<void> check_fields(const json::object& object, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : object)
    if (auto is_known = check_known(view(key), known, "a field"); !is_known)
      return is_known;
  return {};
}

std::optional<std::string> query_value(const request& asked, std::string_view name) {
  const auto found = std::find_if(asked.query.begin(), asked.query.end(),
                                  [&](const field& parameter) { return parameter.name == name; });
  return found == asked.query.end() ? std::nullopt : std::optional(found->value);
}

result<std::optional<std::string>> text_field(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (!value)
    return std::optional<std::string>();
  if (!value->is_string())
    return invalid(in_quotes(name) + " has to be a string");
  return std::optional(std::string(view(value->as_string())));
}

result<std::string> needed_text(const json::object& object, std::string_view name) {
  auto text = text_field(object, name);
  if (!text)
    return text.error();
  if (!*text)
    return invalid(in_quotes(name) + " is missing");
  return std::move(**text);
}

result<instant> read_instant(std::string_view name, std::string_view text) {
  if (const auto at = parse_instant(text))
    return *at;
  return invalid(in_quotes(name) + " has to be a timestamp such as 2023-01-25T18:13:22Z, not " +
                 in_quotes(text));
}

result<std::chrono::local_days> read_date(std::string_view name, std::string_view text) {
  if (const auto date = parse_date(text))
    return *date;
  return invalid(in_quotes(name) + " has to be a date such as 2023-01-25, not " + in_quotes(text));
}

} // namespace storemon::http
