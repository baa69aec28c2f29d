#pragma once

#include "storemon/http/file_thread.hpp"
#include "storemon/http/gateway.hpp"
#include "storemon/http/options.hpp"
#include "storemon/http/router.hpp"
#include "storemon/protocol/actors.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace storemon::http {

/// The actors behind the requests, and what else the node hands in. A null coordinator makes the node a
/// member that serves no reports.
struct services {
  protocol::coordinator_actor coordinator;
  protocol::supervisor_actor supervisor;
  std::string version{};               ///< of the program, told at `/`
  protocol::intake_actor intake{};     ///< null: no observations, changes or imports are taken
  protocol::exporter_actor exporter{}; ///< null: there are no exports
  std::string durability{};            ///< what an answer of success promises, as it is told: `local`
  std::string spool_directory{};       ///< where files to be imported are received; empty: none are
  std::function<bool(std::string_view)> knows_zone{}; ///< whether the tz database has it; null: not asked
  protocol::weights_actor weights{};                  ///< null: the node has no fleet weights
  protocol::store_desk_actor desk{};                  ///< null: nothing is told of single stores
  protocol::journal_actor journal{};                  ///< null: nothing is kept
};

/// What requests have under way together.
struct shared_load {
  std::shared_ptr<size_t> ingest_bytes = std::make_shared<size_t>(0); ///< of observations held
  std::shared_ptr<size_t> uploads = std::make_shared<size_t>(0);      ///< files being received
};

/// What all handlers need.
struct api_context {
  gateway& actors;
  file_thread& files;
  services to;
  const options& limits;
  shared_load load{};
};

/// All paths of the API; `context` must outlive them. The handlers are in the file of their topic:
/// reports_api, data_api, health_api, observations_api, stores_api, imports_api, export_api.
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

/// A page of the reports kept, newest first.
boost::asio::awaitable<response> page_reports(const api_context& c, const request& asked, std::string);

/// Starts a report; answers where it is.
boost::asio::awaitable<response> create_report(const api_context& c, const request& asked, std::string);

/// A finished report's CSV, by `ID.csv` or by the file's own name.
boost::asio::awaitable<response> download(const api_context& c, const request& asked, std::string name);

/// Imports the configured directory again; answers when that is done.
boost::asio::awaitable<response> import_data(const api_context& c, const request& asked, std::string);

/// The quality of the data held, and of the last import.
boost::asio::awaitable<response> debug_data(const api_context& c, const request& asked, std::string);

/// Takes observations; answers when they are durable.
boost::asio::awaitable<response> post_observations(const api_context& c, const request& asked, std::string);

/// How a store is, beside what is known of it.
boost::asio::awaitable<response> get_store(const api_context& c, const request& asked, std::string store);

/// How a store was: what a chart needs.
boost::asio::awaitable<response> get_timeline(const api_context& c, const request& asked, std::string store);

/// Makes the store go, with everything known of it.
boost::asio::awaitable<response> delete_store(const api_context& c, const request& asked, std::string store);

/// Replaces a store's business hours from a date on.
boost::asio::awaitable<response> put_hours(const api_context& c, const request& asked, std::string store);

/// Replaces a store's time zone.
boost::asio::awaitable<response> put_timezone(const api_context& c, const request& asked, std::string store);

/// Plans a closure of a store.
boost::asio::awaitable<response> post_closure(const api_context& c, const request& asked, std::string store);

/// A store's planned closures.
boost::asio::awaitable<response> list_closures(const api_context& c, const request& asked, std::string store);

/// Withdraws a stretch from a store's planned closures.
boost::asio::awaitable<response> delete_closure(const api_context& c, const request& asked,
                                                std::string store);

/// Receives a feed and imports it.
boost::asio::awaitable<response> post_import(const api_context& c, const request& asked, std::string);

/// How far an import is, or how it ended.
boost::asio::awaitable<response> get_import(const api_context& c, const request& asked, std::string id);

/// The imports known, newest first.
boost::asio::awaitable<response> list_imports(const api_context& c, const request& asked, std::string);

/// All data of one feed, as CSV.
boost::asio::awaitable<response> export_feed(const api_context& c, const request& asked, std::string);

/// How common each behaviour is in the fleet.
boost::asio::awaitable<response> get_weights(const api_context& c, const request& asked, std::string);

/// What this server is and where to go.
boost::asio::awaitable<response> welcome(const api_context& c, const request& asked, std::string);

/// Whether the process lives: 200 as long as it answers at all.
boost::asio::awaitable<response> healthz(const api_context& c, const request& asked, std::string);

/// Whether all partitions serve: 200, or 503 with what is missing.
boost::asio::awaitable<response> readyz(const api_context& c, const request& asked, std::string);

/// A complete report's file, from memory or from where the coordinator keeps it; null when there is none.
boost::asio::awaitable<result<std::shared_ptr<const protocol::report_file>>>
file_of(const api_context& c, const protocol::report_status& report);

/// A finished file as the answer to `asked`: whole, a range of it, gzipped, or 304.
response file_answer(const request& asked, std::shared_ptr<const protocol::report_file> file);

} // namespace storemon::http
