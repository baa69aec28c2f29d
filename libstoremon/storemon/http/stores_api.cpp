#include "storemon/http/api.hpp"
#include "storemon/http/fields.hpp"
#include "storemon/http/report_json.hpp"
#include "storemon/http/status.hpp"
#include "storemon/http/store_parameters.hpp"
#include "storemon/model/local_text.hpp"

#include <boost/json.hpp>

namespace storemon::http {

namespace json = boost::json;
using boost::asio::awaitable;

namespace {

result<void> check_store(std::string_view store) {
  if (!is_store_id(store))
    return invalid("a store id has 1 to " + std::to_string(store_id_bytes_max) + " bytes");
  return {};
}

json::array spans_json(const interval_set& spans) {
  json::array list;
  for (const auto& span : spans)
    list.push_back({{"from", to_rfc3339(span.from)}, {"to", to_rfc3339(span.to)}});
  return list;
}

json::value date_json(std::chrono::local_days date) {
  return date == always_valid ? json::value(nullptr) : json::value(date_text(date));
}

json::array hours_json(const std::vector<protocol::hours_version>& versions) {
  json::array list;
  for (const auto& version : versions) {
    json::array rows;
    for (const auto& row : version.rows)
      rows.push_back({{"day", row.day}, {"start", time_text(row.start)}, {"end", time_text(row.end)}});
    list.push_back({{"valid_from", date_json(version.valid_from)}, {"hours", std::move(rows)}});
  }
  return list;
}

json::object card_json(std::string_view store, const protocol::store_card& card) {
  json::object out{{"store_id", utf8(store)},
                   {"timezone", card.zone.empty() ? json::value(nullptr) : json::value(utf8(card.zone))},
                   {"timezone_known", card.zone_known},
                   {"business_hours", hours_json(card.hours)},
                   {"closures", spans_json(card.closures)},
                   {"observations", card.observations},
                   {"conflicts", card.conflicts},
                   {"oldest_observation", instant_json(card.oldest)},
                   {"newest_observation", instant_json(card.newest)},
                   {"newest_status", nullptr}};
  if (card.newest)
    out["newest_status"] = card.newest_status == store_status::active ? "active" : "inactive";
  return out;
}

response unknown_store() {
  return problem(404, to_string(errc::not_found), "nothing is known of such a store");
}

awaitable<result<protocol::shared_card>> card_of(const api_context& c, const std::string& store) {
  if (auto valid = check_store(store); !valid)
    co_return valid.error();
  auto card = co_await c.actors.ask(c.to.intake, c.limits.ask_timeout, protocol::store_atom_v, store);
  co_return card;
}

awaitable<result<applied>> change(const api_context& c, update wanted) {
  auto done =
      co_await c.actors.ask(c.to.intake, c.limits.intake_timeout, protocol::change_atom_v, std::move(wanted));
  co_return done;
}

/// The answer to a change made.
/// @param more  what it adds to the answer.
response changed(const api_context& c, int status, std::string_view store, const result<applied>& done,
                 const json::object& more = {}) {
  if (!done)
    return problem(done.error());
  json::object body{{"store_id", utf8(store)}, {"durability", c.to.durability}};
  for (const auto& [name, value] : more)
    body[name] = value;
  return json_answer(status, body);
}

json::object span_json(const interval& span) {
  return {{"from", to_rfc3339(span.from)}, {"to", to_rfc3339(span.to)}};
}

} // namespace

awaitable<response> get_store(const api_context& c, const request& asked, std::string store) {
  if (auto known = check_query(asked, {}); !known)
    co_return problem(known.error());
  const auto card = co_await card_of(c, store);
  if (!card)
    co_return problem(card.error());
  co_return (*card)->known ? json_answer(200, card_json(store, **card)) : unknown_store();
}

awaitable<response> delete_store(const api_context& c, const request& asked, std::string store) {
  if (auto known = check_query(asked, {}); !known)
    co_return problem(known.error());
  const auto card = co_await card_of(c, store);
  if (!card)
    co_return problem(card.error());
  if (!(*card)->known)
    co_return unknown_store();
  update wanted = store_deletion{store};
  const auto done = co_await change(c, std::move(wanted));
  co_return changed(c, 200, store, done);
}

awaitable<response> put_hours(const api_context& c, const request& asked, std::string store) {
  if (auto valid = check_store(store); !valid)
    co_return problem(valid.error());
  auto hours = read_hours(asked, store);
  if (!hours)
    co_return problem(hours.error());
  const json::object told{{"valid_from", date_json(hours->valid_from)}, {"rows", hours->rows.size()}};
  update wanted = std::move(*hours);
  const auto done = co_await change(c, std::move(wanted));
  co_return changed(c, 200, store, done, told);
}

awaitable<response> put_timezone(const api_context& c, const request& asked, std::string store) {
  if (auto valid = check_store(store); !valid)
    co_return problem(valid.error());
  const auto zone = read_zone(asked);
  if (!zone)
    co_return problem(zone.error());
  if (c.to.knows_zone && !c.to.knows_zone(*zone))
    co_return problem(422, "unknown_timezone",
                      "'timezone' has to be a name of the tz database such as America/Chicago, not " +
                          in_quotes(*zone));
  zone_rows rows;
  rows.stores.add(store);
  rows.zones.add(*zone);
  update wanted = std::move(rows);
  const auto done = co_await change(c, std::move(wanted));
  co_return changed(c, 200, store, done, json::object{{"timezone", utf8(*zone)}});
}

awaitable<response> post_closure(const api_context& c, const request& asked, std::string store) {
  if (auto valid = check_store(store); !valid)
    co_return problem(valid.error());
  const auto span = read_span_in_body(asked);
  if (!span)
    co_return problem(span.error());
  update wanted = closure_change{store, *span, false};
  const auto done = co_await change(c, std::move(wanted));
  co_return changed(c, 201, store, done, span_json(*span));
}

awaitable<response> list_closures(const api_context& c, const request& asked, std::string store) {
  if (auto known = check_query(asked, {}); !known)
    co_return problem(known.error());
  const auto card = co_await card_of(c, store);
  if (!card)
    co_return problem(card.error());
  if (!(*card)->known)
    co_return unknown_store();
  co_return json_answer(200,
                        json::object{{"store_id", utf8(store)}, {"closures", spans_json((*card)->closures)}});
}

awaitable<response> delete_closure(const api_context& c, const request& asked, std::string store) {
  if (auto valid = check_store(store); !valid)
    co_return problem(valid.error());
  const auto span = read_span_in_query(asked);
  if (!span)
    co_return problem(span.error());
  update wanted = closure_change{store, *span, true};
  const auto done = co_await change(c, std::move(wanted));
  co_return changed(c, 200, store, done, span_json(*span));
}

} // namespace storemon::http
