#include "storemon/http/parameters.hpp"

#include "storemon/http/fields.hpp"
#include "storemon/http/import_json.hpp"
#include "storemon/model/uuid.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace storemon::http {

namespace json = boost::json;

namespace {

result<void> set_flag(bool& flag, std::string_view name, std::string_view value) {
  if (value != "true" && value != "false" && value != "1" && value != "0")
    return invalid(in_quotes(name) + " has to be true or false");
  flag = value == "true" || value == "1";
  return {};
}

result<void> add_windows(report_request& wanted, std::string_view list) {
  for (bool more = true; more;) {
    const auto comma = list.find(',');
    auto w = parse_window(list.substr(0, comma)); // an empty one is refused, too
    if (!w)
      return w.error();
    wanted.windows.push_back(std::move(*w));
    more = comma != std::string_view::npos;
    if (more)
      list.remove_prefix(comma + 1);
  }
  return {};
}

result<void> check_report_parameter(std::string_view name) {
  return check_known(name, {"estimator", "scope", "as_of", "columns", "windows", "raw_ids"}, "a parameter");
}

/// The parameters that are one text each, in the query as in the body.
result<void> set_text(report_request& wanted, std::string_view name, std::string_view value) {
  if (name == "estimator") {
    wanted.estimator = std::string(value);
  } else if (name == "scope") {
    const auto scope = parse_scope(value);
    if (!scope)
      return invalid("'scope' has to be session, business or all, not " + in_quotes(value));
    wanted.scope = *scope;
  } else if (name == "columns") {
    const auto columns = parse_columns(value);
    if (!columns)
      return invalid("'columns' has to be loop or full, not " + in_quotes(value));
    wanted.columns = *columns;
  } else {
    const auto at = read_instant(name, value);
    if (!at)
      return at.error();
    wanted.as_of = *at;
  }
  return {};
}

/// `{"name": ..., "from": ..., "to": ...}` as the text that parse_window reads.
result<std::string> window_text(const json::object& object) {
  const json::string* parts[3] = {};
  constexpr std::string_view names[3] = {"name", "from", "to"};
  for (const auto& [key, value] : object) {
    const auto* known = std::find(std::begin(names), std::end(names), view(key));
    if (known == std::end(names))
      return invalid(in_quotes(view(key)) + " is not a field of a window; known are name, from, to");
    if (!value.is_string())
      return invalid(in_quotes(view(key)) + " of a window has to be a string");
    parts[known - std::begin(names)] = &value.as_string();
  }
  for (size_t i = 0; i < 3; ++i)
    if (!parts[i])
      return invalid("a window lacks its field " + in_quotes(names[i]));
  return std::string(view(*parts[0])) + "=" + std::string(view(*parts[1])) + ".." +
         std::string(view(*parts[2]));
}

result<void> set_windows(report_request& wanted, const json::value& value) {
  if (!value.is_array())
    return invalid("'windows' has to be an array");
  for (const auto& element : value.as_array()) {
    if (!element.is_string() && !element.is_object())
      return invalid("'windows' has to hold strings NAME=FROM..TO, or objects with name, from and to");
    auto text = element.is_string() ? result<std::string>(std::string(view(element.as_string())))
                                    : window_text(element.as_object());
    if (!text)
      return text.error();
    auto w = parse_window(*text);
    if (!w)
      return w.error();
    wanted.windows.push_back(std::move(*w));
  }
  return {};
}

result<void> set_from_body(report_request& wanted, std::string_view name, const json::value& value) {
  if (name == "windows")
    return set_windows(wanted, value);
  if (name == "raw_ids") {
    if (!value.is_bool())
      return invalid("'raw_ids' has to be true or false");
    wanted.raw_ids = value.as_bool();
    return {};
  }
  if (!value.is_string())
    return invalid(in_quotes(name) + " has to be a string");
  return set_text(wanted, name, view(value.as_string()));
}

result<void> set_from_query(report_request& wanted, std::string_view name, std::string_view value) {
  if (name == "windows")
    return add_windows(wanted, value);
  if (name == "raw_ids")
    return set_flag(wanted.raw_ids, name, value);
  return set_text(wanted, name, value);
}

} // namespace

result<feed_kind> read_feed(const request& asked) {
  const std::string expected = "has to be status, hours, timezones, closures, corrections or stores";
  const auto text = query_value(asked, "feed");
  if (!text)
    return invalid("'feed' is missing; it " + expected);
  if (const auto feed = parse_feed_kind(*text))
    return *feed;
  return invalid("'feed' " + expected + ", not " + in_quotes(*text));
}

result<report_request> read_report_request(const request& asked) {
  report_request wanted;
  once check;
  auto body = parse_object(asked.body);
  if (!body)
    return body.error();
  for (const auto& [key, value] : *body) {
    const auto name = view(key);
    if (auto known = check_report_parameter(name); !known)
      return known.error();
    if (auto fresh = check(name); !fresh)
      return fresh.error();
    if (auto set = set_from_body(wanted, name, value); !set)
      return set.error();
  }
  const bool windows_in_body = body->contains("windows");
  for (const auto& [name, value] : asked.query) {
    if (auto known = check_report_parameter(name); !known)
      return known.error();
    const bool may_repeat = name == "windows" && !windows_in_body;
    if (auto fresh = check(name); !fresh && !may_repeat)
      return fresh.error();
    if (auto set = set_from_query(wanted, name, value); !set)
      return set.error();
  }
  if (auto valid = validate(wanted); !valid)
    return valid.error();
  return wanted;
}

result<report_question> read_report_question(const request& asked, std::string_view in_path) {
  report_question question;
  once check;
  std::optional<std::string> text;
  if (!in_path.empty()) {
    text = in_path;
    if (auto fresh = check("report_id"); !fresh)
      return fresh.error();
  }
  auto body = parse_object(asked.body);
  if (!body)
    return body.error();
  for (const auto& [key, value] : *body) {
    if (auto fresh = check(view(key)); !fresh)
      return fresh.error();
    if (view(key) != "report_id")
      return invalid(in_quotes(view(key)) + " is not a parameter; known is report_id");
    if (!value.is_string())
      return invalid("'report_id' has to be a string");
    text = std::string(view(value.as_string()));
  }
  for (const auto& [name, value] : asked.query) {
    if (auto fresh = check(name); !fresh)
      return fresh.error();
    if (name == "report_id")
      text = value;
    else if (name == "format")
      question.format = value;
    else
      return invalid(in_quotes(name) + " is not a parameter; known are report_id and format");
  }
  if (question.format && *question.format != "csv" && *question.format != "json")
    return invalid("'format' has to be csv or json, not " + in_quotes(*question.format));
  if (!text)
    return invalid("'report_id' is missing");
  auto id = parse_uuid(*text);
  if (!id)
    return invalid("'report_id' has to be a UUID, not " + in_quotes(*text));
  question.id = std::move(*id);
  return question;
}

} // namespace storemon::http
