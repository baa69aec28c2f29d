#include "storemon/http/api.hpp"
#include "storemon/http/import_json.hpp"
#include "storemon/http/report_json.hpp"
#include "storemon/http/status.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <map>

namespace storemon::http {

namespace json = boost::json;
using boost::asio::awaitable;

namespace {

/// Outages shown; their number is always told.
constexpr size_t outages_shown_max = 100;

json::value last_import_json(const std::shared_ptr<const protocol::import_result>& import) {
  if (!import)
    return nullptr;
  uint64_t rejected = 0;
  std::map<std::string, uint64_t> by_reason;
  for (const auto& feed : import->feeds) {
    rejected += feed.rejected;
    for (const auto& [reason, count] : feed.rejected_by_reason)
      by_reason[reason] += count;
  }
  auto out = import_json(*import);
  out["rejected"] = rejected;
  out["rejected_by_reason"] = counts_json(by_reason);
  return out;
}

json::object quality_json(const protocol::data_quality& quality) {
  const auto outages = quality.poller_outages();
  json::array shown;
  for (size_t i = 0; i < std::min(outages.size(), outages_shown_max); ++i)
    shown.push_back({{"from", to_rfc3339(outages[i].from)}, {"to", to_rfc3339(outages[i].to)}});
  return {{"stores", quality.stores},
          {"observations", quality.observations},
          {"as_of", instant_json(quality.newest)},
          {"newest_observation", instant_json(quality.newest)},
          {"oldest_observation", instant_json(quality.oldest)},
          {"conflicts", quality.conflicts},
          {"stores_without_hours", quality.without_hours},
          {"stores_without_zone", quality.without_zone},
          {"unknown_zones", quality.unknown_zone},
          {"never_polled", quality.never_polled},
          {"orphan_ids",
           {{"total", quality.only_polled + quality.never_polled},
            {"only_polled", quality.only_polled},
            {"never_polled", quality.never_polled}}},
          {"poller_outages_total", outages.size()},
          {"poller_outages", std::move(shown)}};
}

} // namespace

awaitable<response> import_data(const api_context& c, const request&, std::string) {
  const auto done = co_await c.actors.ask(c.to.supervisor, c.limits.import_timeout, protocol::import_atom_v);
  if (!done) {
    // An import under way is a state of the data, not a load that passes in a second.
    if (done.error().code == errc::busy)
      co_return problem(409, to_string(errc::busy), done.error().detail);
    co_return problem(done.error());
  }
  json::object body{{"message", "Data import finished"}};
  for (auto& [name, value] : import_json(**done))
    body[name] = std::move(value);
  co_return json_answer(200, body);
}

awaitable<response> debug_data(const api_context& c, const request&, std::string) {
  const auto quality =
      co_await c.actors.ask(c.to.coordinator, c.limits.ask_timeout, protocol::quality_atom_v);
  if (!quality)
    co_return problem(quality.error());
  const auto health = co_await c.actors.ask(c.to.supervisor, c.limits.ask_timeout, protocol::health_atom_v);
  if (!health)
    co_return problem(health.error());
  auto body = quality_json(**quality);
  body["last_import"] = last_import_json(health->last_import);
  co_return json_answer(200, body);
}

} // namespace storemon::http
