#include "storemon/http/api.hpp"
#include "storemon/http/fields.hpp"
#include "storemon/http/negotiate.hpp"
#include "storemon/http/status.hpp"
#include "storemon/http/upload.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace storemon::http {

namespace json = boost::json;
using boost::asio::awaitable;
using protocol::body_format;
using protocol::on_conflict;

namespace {

constexpr size_t key_size_max = 200;

std::optional<body_format> format_of(const request& asked) {
  const auto type = media_type(asked.header("Content-Type").value_or(""));
  if (type == "application/json")
    return body_format::json;
  if (type == "application/x-ndjson" || type == "application/jsonl")
    return body_format::ndjson;
  if (type == "text/csv")
    return body_format::csv;
  return std::nullopt;
}

/// The one field of that name; nothing when there is none.
result<std::optional<std::string>> single_header(const request& asked, std::string_view name) {
  const auto named = [&](const field& f) { return same_letters(f.name, name); };
  if (std::count_if(asked.fields.begin(), asked.fields.end(), named) > 1)
    return invalid("the field " + std::string(name) + " is given twice");
  return asked.header(name);
}

result<std::string> read_key(const request& asked) {
  auto key = single_header(asked, "Idempotency-Key");
  if (!key)
    return key.error();
  if (!*key)
    return std::string();
  const auto printable = [](char c) { return c >= 0x20 && c < 0x7f; };
  const auto& text = **key;
  if (text.empty() || text.size() > key_size_max || !std::all_of(text.begin(), text.end(), printable))
    return invalid("Idempotency-Key has to be 1 to " + std::to_string(key_size_max) +
                   " printable ASCII characters");
  return text;
}

result<on_conflict> read_rule(const request& asked) {
  auto in_header = single_header(asked, "On-Conflict");
  if (!in_header)
    return in_header.error();
  const auto in_query = query_value(asked, "on_conflict");
  if (*in_header && in_query)
    return invalid("'on_conflict' is given twice");
  const auto text = in_query.value_or(in_header->value_or("inactive_wins"));
  if (text == "inactive_wins")
    return on_conflict::inactive_wins;
  if (text == "replace")
    return on_conflict::replace;
  if (text == "keep")
    return on_conflict::keep;
  if (text == "reject")
    return on_conflict::reject;
  return invalid("'on_conflict' has to be inactive_wins, replace, keep or reject, not " + in_quotes(text));
}

/// What the request says besides its body.
result<protocol::intake_request> read_order(const request& asked) {
  if (auto known = check_query(asked, {"on_conflict"}); !known)
    return known.error();
  auto key = read_key(asked);
  if (!key)
    return key.error();
  const auto rule = read_rule(asked);
  if (!rule)
    return rule.error();
  protocol::intake_request order;
  order.idempotency_key = std::move(*key);
  order.conflicts = *rule;
  return order;
}

json::array rejects_json(const protocol::intake_result& done) {
  json::array list;
  for (const auto& row : done.rejects)
    list.push_back({{"line", row.line}, {"reason", utf8(row.reason)}, {"text", utf8(row.text)}});
  return list;
}

json::array conflicts_json(const protocol::intake_result& done) {
  json::array list;
  for (const auto& conflict : done.conflicts)
    list.push_back({{"store_id", utf8(conflict.store)},
                    {"timestamp_utc", to_rfc3339(conflict.at)},
                    {"stands", conflict.stands == store_status::active ? "active" : "inactive"}});
  return list;
}

response taken(const api_context& c, const protocol::intake_result& done) {
  json::object body{{"accepted", done.done.accepted},   {"duplicates", done.done.duplicates},
                    {"conflicts", done.done.conflicts}, {"rejected", done.rejected},
                    {"rejects", rejects_json(done)},    {"conflict_list", conflicts_json(done)},
                    {"replayed", done.replayed},        {"durability", c.to.durability}};
  if (done.rejected > 0 && done.done == applied{}) {
    body["error"] = to_string(errc::bad_feed);
    body["detail"] = "no row could be taken";
    return json_answer(422, body);
  }
  return json_answer(done.replayed ? 200 : 201, body);
}

/// The refusal; where a part may have been made durable already, what to do about it.
response not_taken(const error& e) {
  if (status_of(e.code) != 503)
    return problem(e);
  return problem(
      {e.code, e.detail + "; repeat the request with the same key, or the same body if it had none"});
}

} // namespace

awaitable<response> post_observations(const api_context& c, const request& asked, std::string) {
  const auto format = format_of(asked);
  if (!format)
    co_return problem(415, "unsupported_media_type",
                      "the Content-Type has to be application/json, application/x-ndjson or text/csv");
  const auto coding = coding_of(asked);
  if (!coding)
    co_return unknown_coding();
  auto order = read_order(asked);
  if (!order)
    co_return problem(order.error());
  order->format = *format;
  share held(c.load.ingest_bytes);
  auto body = co_await receive_text(c, asked, *coding, held);
  if (!body)
    co_return problem(body.error());
  order->body = std::move(*body);
  const auto done =
      co_await c.actors.ask(c.to.intake, c.limits.intake_timeout, protocol::ingest_atom_v, std::move(*order));
  co_return done ? taken(c, **done) : not_taken(done.error());
}

} // namespace storemon::http
