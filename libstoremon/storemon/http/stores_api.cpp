#include "storemon/http/api.hpp"
#include "storemon/http/fields.hpp"
#include "storemon/http/portrait_json.hpp"
#include "storemon/http/status.hpp"
#include "storemon/http/store_parameters.hpp"

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

response unknown_store() {
  return problem(404, to_string(errc::not_found), "nothing is known of such a store");
}

awaitable<result<protocol::shared_card>> card_of(const api_context& c, const std::string& store) {
  if (auto valid = check_store(store); !valid)
    co_return valid.error();
  auto card = co_await c.actors.ask(c.to.intake, c.limits.ask_timeout, protocol::store_atom_v, store);
  co_return card;
}

/// Whether a change would make its store. Fails with not_found where the client says `create=false` and it
/// would.
awaitable<result<bool>> would_create(const api_context& c, const request& asked, const std::string& store) {
  const auto wish = query_value(asked, "create");
  if (wish && *wish != "true" && *wish != "false")
    co_return invalid("'create' has to be true or false, not " + in_quotes(*wish));
  const auto card = co_await card_of(c, store);
  if (!card)
    co_return card.error();
  const bool known = (*card)->known;
  if (!known && wish && *wish == "false")
    co_return error{errc::not_found, "nothing is known of such a store, and create=false makes none"};
  co_return !known;
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

/// Plans a closure, or withdraws one.
awaitable<response> change_closure(const api_context& c, int status, const std::string& store,
                                   const result<interval>& span, bool withdrawn, json::object told = {}) {
  if (auto valid = check_store(store); !valid)
    co_return problem(valid.error());
  if (!span)
    co_return problem(span.error());
  update wanted = closure_change{store, *span, withdrawn};
  const auto done = co_await change(c, std::move(wanted));
  for (const auto& [name, value] : span_json(*span))
    told[name] = value;
  co_return changed(c, status, store, done, told);
}

} // namespace

awaitable<response> get_store(const api_context& c, const request& asked, std::string store) {
  if (auto valid = check_store(store); !valid)
    co_return problem(valid.error());
  const auto question = read_store_question(asked, {"as_of"});
  if (!question)
    co_return problem(question.error());
  const auto portrait =
      co_await c.actors.ask(c.to.desk, c.limits.ask_timeout, protocol::portrait_atom_v, store, *question);
  if (!portrait)
    co_return problem(portrait.error());
  const auto clock = std::chrono::floor<duration>(std::chrono::system_clock::now());
  co_return json_answer(200, portrait_json(store, **portrait, question->as_of.value_or(clock)));
}

awaitable<response> get_timeline(const api_context& c, const request& asked, std::string store) {
  if (auto valid = check_store(store); !valid)
    co_return problem(valid.error());
  const auto question = read_store_question(asked, {"as_of", "from", "to"});
  if (!question)
    co_return problem(question.error());
  const auto timeline =
      co_await c.actors.ask(c.to.desk, c.limits.ask_timeout, protocol::timeline_atom_v, store, *question);
  if (!timeline)
    co_return problem(timeline.error());
  co_return json_answer(200, timeline_json(store, **timeline));
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
  const auto created = co_await would_create(c, asked, store);
  if (!created)
    co_return problem(created.error());
  json::object told{{"created", *created}, {"valid_from", date_json(hours->valid_from)}};
  update wanted = std::move(*hours);
  const auto done = co_await change(c, std::move(wanted));
  if (done) {
    told["rows"] = done->accepted;
    told["duplicates"] = done->duplicates;
  }
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
  const auto created = co_await would_create(c, asked, store);
  if (!created)
    co_return problem(created.error());
  zone_rows rows;
  rows.stores.add(store);
  rows.zones.add(*zone);
  update wanted = std::move(rows);
  const auto done = co_await change(c, std::move(wanted));
  co_return changed(c, 200, store, done, json::object{{"created", *created}, {"timezone", utf8(*zone)}});
}

awaitable<response> post_closure(const api_context& c, const request& asked, std::string store) {
  const auto span = read_span_in_body(asked);
  if (!span)
    co_return problem(span.error());
  const auto created = co_await would_create(c, asked, store);
  if (!created)
    co_return problem(created.error());
  json::object told{{"created", *created}};
  auto answer = co_await change_closure(c, 201, store, span, false, std::move(told));
  co_return answer;
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
  const auto span = read_span_in_query(asked);
  if (!span)
    co_return problem(span.error());
  const auto card = co_await card_of(c, store);
  if (!card)
    co_return problem(card.error());
  if (!(*card)->known)
    co_return unknown_store();
  auto answer = co_await change_closure(c, 200, store, span, true);
  co_return answer;
}

} // namespace storemon::http
