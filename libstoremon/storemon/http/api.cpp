#include "storemon/http/api.hpp"

#include "storemon/http/status.hpp"

namespace storemon::http {

namespace {

boost::asio::awaitable<response> not_coordinator() {
  co_return problem(503, "not_coordinator", "this node is a member of a cluster; ask its coordinator");
}

} // namespace

router make_routes(const api_context& context) {
  router routes;
  const auto on_any_node = [&](const char* path, api_handler handler) {
    routes.add("GET", path, effect::none, [&context, handler](const request& asked, std::string parameter) {
      return handler(context, asked, std::move(parameter));
    });
  };
  const auto on_coordinator = [&](const char* method, const char* path, effect does, api_handler handler) {
    routes.add(method, path, does, [&context, handler](const request& asked, std::string parameter) {
      return context.to.coordinator ? handler(context, asked, std::move(parameter)) : not_coordinator();
    });
  };
  on_any_node("/", welcome);
  on_any_node("/healthz", healthz);
  on_any_node("/readyz", readyz);
  on_coordinator("GET", "/trigger_report", effect::change, trigger_report);
  on_coordinator("POST", "/trigger_report", effect::change, trigger_report);
  on_coordinator("GET", "/get_report", effect::none, get_report);
  on_coordinator("POST", "/get_report", effect::none, get_report);
  on_coordinator("GET", "/get_report/{}", effect::none, get_report);
  on_coordinator("POST", "/cancel_report", effect::change, cancel_report);
  on_coordinator("GET", "/reports", effect::none, list_reports);
  on_coordinator("DELETE", "/reports/{}", effect::change, cancel_report);
  on_coordinator("GET", "/download/{}", effect::none, download);
  on_coordinator("GET", "/import_data", effect::change, import_data);
  on_coordinator("POST", "/import_data", effect::change, import_data);
  on_coordinator("GET", "/debug_data", effect::none, debug_data);
  return routes;
}

} // namespace storemon::http
