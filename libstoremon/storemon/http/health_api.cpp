#include "storemon/http/api.hpp"
#include "storemon/http/status.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace storemon::http {

namespace json = boost::json;
using boost::asio::awaitable;
using protocol::partition_state;

namespace {

/// Which nodes are not up.
json::array nodes_missing(const protocol::health& health) {
  json::array names;
  for (const auto& node : health.nodes)
    if (!node.up)
      names.push_back(json::value(utf8(node.name)));
  return names;
}

/// The partitions in one state.
json::array partitions_in(const protocol::health& health, partition_state state) {
  json::array numbers;
  for (size_t i = 0; i < health.partitions.size(); ++i)
    if (health.partitions[i] == state)
      numbers.push_back(json::value(i));
  return numbers;
}

json::object readiness_json(const protocol::health& health) {
  json::array nodes;
  for (const auto& node : health.nodes)
    nodes.push_back({{"name", utf8(node.name)}, {"up", node.up}, {"partitions", node.partitions}});
  return {{"status", !health.ready            ? "not_ready"
                     : health.damaged.empty() ? "ready"
                                              : "damaged"},
          {"partitions", health.partitions.size()},
          {"partitions_serving",
           std::count(health.partitions.begin(), health.partitions.end(), partition_state::serving)},
          {"partitions_missing", partitions_in(health, partition_state::absent)},
          {"partitions_loading", partitions_in(health, partition_state::loading)},
          {"partitions_damaged", json::value_from(health.damaged)},
          {"nodes", std::move(nodes)},
          {"nodes_missing", nodes_missing(health)},
          {"importing", health.importing},
          {"import", {{"bytes_done", health.import.bytes_done}, {"bytes_total", health.import.bytes_total}}}};
}

/// Of a member, which knows what it has and whether its leader took it; the rest its leader knows.
json::object membership_json(const protocol::health& health) {
  uint32_t partitions = 0;
  json::array nodes;
  for (const auto& node : health.nodes) {
    nodes.push_back({{"name", utf8(node.name)}, {"up", node.up}});
    partitions += node.partitions;
  }
  return {{"status", health.ready ? "ready" : "not_ready"},
          {"role", "member"},
          {"partitions", partitions},
          {"nodes", std::move(nodes)},
          {"nodes_missing", nodes_missing(health)}};
}

/// Adds whether anything can be made durable now. A journal that does not answer is at something long: it
/// heals, or its disk hangs.
/// @returns why nothing can be made durable; empty where all is well or nothing is kept.
awaitable<std::string> add_journal(const api_context& c, json::object& to) {
  if (!c.to.journal)
    co_return std::string();
  const auto health =
      co_await c.actors.ask(c.to.journal, c.limits.journal_health_timeout, protocol::health_atom_v);
  if (!health) {
    auto failure = "it does not answer: " + health.error().detail;
    to["journal"] = {{"writable", false}, {"failure", utf8(failure)}};
    co_return failure;
  }
  to["journal"] = {{"writable", health->failure.empty()}, {"failure", utf8(health->failure)},
                   {"bytes_free", health->bytes_free},    {"commits", health->commits},
                   {"records", health->records},          {"heals", health->heals}};
  co_return health->failure;
}

/// 503, with what there is to say besides.
response not_ready(json::object body, errc why, std::string_view detail) {
  body["error"] = to_string(why);
  body["detail"] = detail;
  auto answer = json_answer(503, body);
  answer.fields.push_back({"Retry-After", "1"});
  return answer;
}

} // namespace

awaitable<response> welcome(const api_context& c, const request&, std::string) {
  constexpr const char* endpoints[] = {"/trigger_report",
                                       "/get_report",
                                       "/cancel_report",
                                       "/reports",
                                       "/download/ID.csv",
                                       "/import_data",
                                       "/debug_data",
                                       "/healthz",
                                       "/readyz",
                                       "/api/v1/reports",
                                       "/api/v1/reports/ID",
                                       "/api/v1/observations",
                                       "/api/v1/stores/ID",
                                       "/api/v1/stores/ID/timeline",
                                       "/api/v1/stores/ID/hours",
                                       "/api/v1/stores/ID/timezone",
                                       "/api/v1/stores/ID/closures",
                                       "/api/v1/import",
                                       "/api/v1/imports",
                                       "/api/v1/imports/ID",
                                       "/api/v1/export",
                                       "/api/v1/weights"};
  co_return json_answer(
      200, json::object{{"message", "Welcome to storemon, which knows how long each store was really open"},
                        {"version", c.to.version},
                        {"endpoints", json::array(std::begin(endpoints), std::end(endpoints))}});
}

awaitable<response> healthz(const api_context& c, const request&, std::string) {
  json::object body{{"status", "ok"}};
  const auto health =
      co_await c.actors.ask(c.to.supervisor, c.limits.health_timeout, protocol::health_atom_v);
  if (health) {
    body["shard_failures"] = health->shard_failures;
    body["last_failure"] = utf8(health->last_failure);
  }
  co_await add_journal(c, body);
  co_return json_answer(200, body);
}

awaitable<response> readyz(const api_context& c, const request&, std::string) {
  if (!c.to.supervisor)
    co_return json_answer(200, json::object{{"status", "ready"}, {"role", "member"}});
  const auto health =
      co_await c.actors.ask(c.to.supervisor, c.limits.health_timeout, protocol::health_atom_v);
  if (!health)
    co_return problem(503, to_string(health.error().code), health.error().detail);
  const bool member = !c.to.coordinator;
  auto body = member ? membership_json(*health) : readiness_json(*health);
  const auto failure = co_await add_journal(c, body);
  if (!health->ready)
    co_return not_ready(std::move(body), errc::not_ready,
                        member ? "this member has no leader now" : "not all partitions serve yet");
  // What is damaged serves what it has, but whoever relies on this node must hear of it.
  if (!health->damaged.empty())
    co_return not_ready(std::move(body), errc::damaged,
                        "what is stored of some partitions fails its checks: they are read-only");
  if (!failure.empty())
    co_return not_ready(std::move(body), errc::storage_failing,
                        "nothing can be made durable now: " + failure);
  co_return json_answer(200, body);
}

} // namespace storemon::http
