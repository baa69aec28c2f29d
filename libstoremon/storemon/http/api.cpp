#include "storemon/http/api.hpp"

#include "storemon/http/page_guard.hpp"
#include "storemon/http/status.hpp"

namespace storemon::http {

namespace {

boost::asio::awaitable<response> not_coordinator() {
  co_return problem(503, "not_coordinator", "this node is a member of a cluster; ask its coordinator");
}

} // namespace

router make_routes(const api_context& context) {
  router routes;
  routes.guard([&context](const request& asked, effect does, bool streamed) {
    return refuse_foreign(asked, does, streamed, context.limits);
  });
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
  const auto small = std::optional<body_rule>();
  const auto on_intake = [&](const char* method, const char* path, effect does, api_handler handler,
                             std::optional<body_rule> body) {
    routes.add(
        method, path, does,
        [&context, handler](const request& asked, std::string parameter) {
          return context.to.intake ? handler(context, asked, std::move(parameter)) : not_coordinator();
        },
        body);
  };
  const auto on_desk = [&](const char* path, api_handler handler) {
    routes.add("GET", path, effect::none, [&context, handler](const request& asked, std::string parameter) {
      return context.to.desk ? handler(context, asked, std::move(parameter)) : not_coordinator();
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
  on_coordinator("GET", "/api/v1/reports", effect::none, page_reports);
  on_coordinator("POST", "/api/v1/reports", effect::change, create_report);
  on_coordinator("GET", "/api/v1/reports/{}", effect::none, get_report);
  on_intake("POST", "/api/v1/observations", effect::change, post_observations,
            body_rule{context.limits.ingest_bytes_max, true});
  on_desk("/api/v1/stores/{}", get_store);
  on_desk("/api/v1/stores/{}/timeline", get_timeline);
  on_intake("DELETE", "/api/v1/stores/{}", effect::change, delete_store, small);
  on_intake("PUT", "/api/v1/stores/{}/hours", effect::change, put_hours, small);
  on_intake("PUT", "/api/v1/stores/{}/timezone", effect::change, put_timezone, small);
  on_intake("GET", "/api/v1/stores/{}/closures", effect::none, list_closures, small);
  on_intake("POST", "/api/v1/stores/{}/closures", effect::change, post_closure, small);
  on_intake("DELETE", "/api/v1/stores/{}/closures", effect::change, delete_closure, small);
  on_intake("POST", "/api/v1/import", effect::change, post_import,
            body_rule{context.limits.import_bytes_max, true});
  on_intake("GET", "/api/v1/imports", effect::none, list_imports, small);
  on_intake("GET", "/api/v1/imports/{}", effect::none, get_import, small);
  routes.add("GET", "/api/v1/export", effect::none, [&context](const request& asked, std::string parameter) {
    return context.to.exporter ? export_feed(context, asked, std::move(parameter)) : not_coordinator();
  });
  routes.add("GET", "/api/v1/weights", effect::none, [&context](const request& asked, std::string parameter) {
    return context.to.weights ? get_weights(context, asked, std::move(parameter)) : not_coordinator();
  });
  return routes;
}

} // namespace storemon::http
