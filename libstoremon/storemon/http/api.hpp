#pragma once

#include "storemon/http/gateway.hpp"
#include "storemon/http/options.hpp"
#include "storemon/http/router.hpp"
#include "storemon/protocol/actors.hpp"

#include <memory>
#include <string>

namespace storemon::http {

/// The actors behind the requests. A null coordinator makes the node a member that serves no reports.
struct services {
  protocol::coordinator_actor coordinator;
  protocol::supervisor_actor supervisor;
  std::string version{}; ///< of the program, told at `/`
};

/// What all handlers need.
struct api_context {
  gateway& actors;
  services to;
  const options& limits;
};

/// All paths of the API; `context` must outlive them. The handlers are in the file of their topic:
/// reports_api, data_api, health_api.
router make_routes(const api_context& context);

using api_handler = boost::asio::awaitable<response> (*)(const api_context&, const request&, std::string);

/// Starts a report; answers its id.
boost::asio::awaitable<response> trigger_report(const api_context& c, const request& asked, std::string);

/// One report: how far it is, or its CSV.
boost::asio::awaitable<response> get_report(const api_context& c, const request& asked, std::string id);

/// Cancels a report; answers what became of it.
boost::asio::awaitable<response> cancel_report(const api_context& c, const request& asked, std::string id);

/// All reports kept, newest first.
boost::asio::awaitable<response> list_reports(const api_context& c, const request& asked, std::string);

/// A finished report's CSV, by `ID.csv` or by the file's own name.
boost::asio::awaitable<response> download(const api_context& c, const request& asked, std::string name);

/// Imports the configured directory again; answers when that is done.
boost::asio::awaitable<response> import_data(const api_context& c, const request& asked, std::string);

/// The quality of the data held, and of the last import.
boost::asio::awaitable<response> debug_data(const api_context& c, const request& asked, std::string);

/// What this server is and where to go.
boost::asio::awaitable<response> welcome(const api_context& c, const request& asked, std::string);

/// Whether the process lives: 200 as long as it answers at all.
boost::asio::awaitable<response> healthz(const api_context& c, const request& asked, std::string);

/// Whether all partitions serve: 200, or 503 with what is missing.
boost::asio::awaitable<response> readyz(const api_context& c, const request& asked, std::string);

/// A finished file as the answer to `asked`: whole, a range of it, gzipped, or 304.
response file_answer(const request& asked, std::shared_ptr<const protocol::report_file> file);

} // namespace storemon::http
