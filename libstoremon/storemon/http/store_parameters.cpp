#include "storemon/http/store_parameters.hpp"

#include "storemon/http/fields.hpp"

#include <boost/json.hpp>

namespace storemon::http {

namespace json = boost::json;

namespace {

/// The JSON object of a request whose query says no more than whether a store may be made.
result<json::object> read_object(const request& asked, std::initializer_list<std::string_view> known) {
  for (const auto& parameter : asked.query)
    if (parameter.name != "create")
      return invalid(in_quotes(parameter.name) + " is not a parameter; the body says everything");
  auto object = parse_object(asked.body);
  if (!object)
    return object;
  if (auto checked = check_fields(*object, known); !checked)
    return checked.error();
  return object;
}

result<duration> read_time(const json::object& row, std::string_view name, bool is_end) {
  const auto text = needed_text(row, name);
  if (!text)
    return text.error();
  const auto time = parse_time_of_day(*text, is_end);
  if (!time)
    return invalid(in_quotes(name) + " has to be a time of day such as 09:30 or 09:30:00, not " +
                   in_quotes(*text));
  return *time;
}

result<hours_row> read_row(const json::value& value) {
  if (!value.is_object())
    return invalid("'hours' has to hold objects with day, start and end");
  const auto& object = value.as_object();
  if (auto checked = check_fields(object, {"day", "start", "end"}); !checked)
    return checked.error();
  const auto* day = object.if_contains("day");
  if (!day || !day->is_int64() || day->as_int64() < 0 || day->as_int64() > 6)
    return invalid("'day' has to be a number from 0, which is Monday, to 6");
  const auto start = read_time(object, "start", false);
  if (!start)
    return start.error();
  const auto end = read_time(object, "end", true);
  if (!end)
    return end.error();
  return hours_row{*start, *end, static_cast<uint8_t>(day->as_int64())};
}

result<interval> read_span(std::string_view from, std::string_view to) {
  const auto begin = read_instant("from", from);
  if (!begin)
    return begin.error();
  const auto end = read_instant("to", to);
  if (!end)
    return end.error();
  if (*begin >= *end)
    return invalid("'from' has to be before 'to'");
  return interval{*begin, *end};
}

} // namespace

result<hours_rows> read_hours(const request& asked, std::string_view store) {
  const auto object = read_object(asked, {"valid_from", "hours"});
  if (!object)
    return object.error();
  hours_rows wanted;
  wanted.stores.add(store);
  const auto date = text_field(*object, "valid_from");
  if (!date)
    return date.error();
  if (*date) {
    const auto from = read_date("valid_from", **date);
    if (!from)
      return from.error();
    wanted.valid_from = *from;
  }
  const auto* list = object->if_contains("hours");
  if (!list || !list->is_array())
    return invalid("'hours' has to be there, and an array; an empty one means open 24x7");
  for (size_t i = 0; i < list->as_array().size(); ++i) {
    auto row = read_row(list->as_array()[i]);
    if (!row)
      return invalid("'hours' element " + std::to_string(i) + ": " + row.error().detail);
    wanted.store.push_back(0);
    wanted.rows.push_back(*row);
  }
  return wanted;
}

result<std::string> read_zone(const request& asked) {
  const auto object = read_object(asked, {"timezone"});
  if (!object)
    return object.error();
  return needed_text(*object, "timezone");
}

result<interval> read_span_in_body(const request& asked) {
  const auto object = read_object(asked, {"from", "to"});
  if (!object)
    return object.error();
  const auto from = needed_text(*object, "from");
  if (!from)
    return from.error();
  const auto to = needed_text(*object, "to");
  if (!to)
    return to.error();
  return read_span(*from, *to);
}

result<interval> read_span_in_query(const request& asked) {
  if (auto known = check_query(asked, {"from", "to"}); !known)
    return known.error();
  for (const std::string_view name : {"from", "to"})
    if (!query_value(asked, name))
      return invalid(in_quotes(name) + " is missing");
  return read_span(*query_value(asked, "from"), *query_value(asked, "to"));
}

result<protocol::store_question> read_store_question(const request& asked,
                                                     std::initializer_list<std::string_view> known) {
  if (auto checked = check_query(asked, known); !checked)
    return checked.error();
  protocol::store_question question;
  const std::pair<std::string_view, std::optional<instant>*> fields[] = {
      {"as_of", &question.as_of}, {"from", &question.from}, {"to", &question.to}};
  for (const auto& [name, value] : fields)
    if (const auto text = query_value(asked, name)) {
      const auto at = read_instant(name, *text);
      if (!at)
        return at.error();
      *value = *at;
    }
  return question;
}

} // namespace storemon::http
