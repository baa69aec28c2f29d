#include "storemon_report.hpp"

#include "storemon/estimate/estimator.hpp"
#include "storemon/node/engine.hpp"

#include "output.hpp"
#include "progress_bar.hpp"
#include "report_options.hpp"

#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <string>
#include <thread>

namespace storemon {

namespace {

using namespace protocol;
using namespace std::chrono_literals;

constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

struct report_arguments {
  std::string directory;
  std::string out;
  report_options report;
};

int complain(const error& why) {
  std::fprintf(stderr, "storemon report: %s\n", why.detail.c_str());
  return why.code == errc::invalid_argument ? exit_usage : exit_failed;
}

/// Waits for the load, showing how far it has come where someone watches.
result<void> load(node::engine& engine) {
  progress_bar bar("loading");
  if (!bar.shown())
    return engine.wait_ready();
  auto ready = std::async(std::launch::async, [&engine] { return engine.wait_ready(); });
  while (ready.wait_for(50ms) == std::future_status::timeout)
    if (const auto h = node::ask<health>(engine.system(), engine.supervisor(), health_atom_v);
        h && h->importing)
      bar.show(h->import.bytes_done, h->import.bytes_total);
  return ready.get();
}

result<report_status> compute(node::engine& engine, const report_request& request) {
  const auto id = node::ask<std::string>(engine.system(), engine.coordinator(), trigger_atom_v, request);
  if (!id)
    return id.error();
  progress_bar bar("computing");
  constexpr auto pause = 500us; // a fleet of 14,000 stores takes about ten of them
  while (true) {
    auto status = node::ask<report_status>(engine.system(), engine.coordinator(), poll_atom_v, *id);
    if (!status || status->state == report_state::complete)
      return status;
    if (status->state != report_state::running)
      return status->failure;
    bar.show(static_cast<uint64_t>(status->stores_done), static_cast<uint64_t>(status->stores_total));
    std::this_thread::sleep_for(pause);
  }
}

void print_feed(const feed_totals& feed) {
  std::fprintf(stderr, "%s: %lld rows taken, %lld repeated, %lld conflicting, %llu rejected\n",
               feed.file.c_str(), static_cast<long long>(feed.rows.accepted),
               static_cast<long long>(feed.rows.duplicates), static_cast<long long>(feed.rows.conflicts),
               static_cast<unsigned long long>(feed.rejected));
  for (const auto& [reason, count] : feed.rejected_by_reason)
    std::fprintf(stderr, "  %s: %llu\n", reason.c_str(), static_cast<unsigned long long>(count));
  constexpr size_t samples_shown = 5;
  for (size_t i = 0; i < feed.reject_samples.size() && i < samples_shown; ++i)
    std::fprintf(stderr, "  %s\n", printable(feed.reject_samples[i]).c_str());
  if (feed.reject_samples.size() > samples_shown)
    std::fprintf(stderr, "  ... the first %zu of %llu rejected lines are shown\n", samples_shown,
                 static_cast<unsigned long long>(feed.rejected));
}

void print_quality(const data_quality& q) {
  std::fprintf(
      stderr,
      "%lld stores: %lld without hours (open 24x7), %lld without a zone and %lld with an unknown one "
      "(America/Chicago)\n"
      "%lld orphan ids: %lld polled but in neither hours nor zones, %lld in hours or zones but never "
      "polled\n",
      static_cast<long long>(q.stores), static_cast<long long>(q.without_hours),
      static_cast<long long>(q.without_zone), static_cast<long long>(q.unknown_zone),
      static_cast<long long>(q.only_polled + q.never_polled), static_cast<long long>(q.only_polled),
      static_cast<long long>(q.never_polled));
  std::fprintf(stderr, "%lld observations, %lld conflicts", static_cast<long long>(q.observations),
               static_cast<long long>(q.conflicts));
  if (q.oldest && q.newest)
    std::fprintf(stderr, ", from %s to %s", to_rfc3339(*q.oldest).c_str(), to_rfc3339(*q.newest).c_str());
  const auto outages = q.poller_outages();
  std::fprintf(stderr, "\n%zu poller outages (no store polled for more than two hours)\n", outages.size());
  constexpr size_t outages_shown = 5;
  for (size_t i = 0; i < outages.size() && i < outages_shown; ++i)
    std::fprintf(stderr, "  %s to %s\n", to_rfc3339(outages[i].from).c_str(),
                 to_rfc3339(outages[i].to).c_str());
  if (outages.size() > outages_shown)
    std::fprintf(stderr, "  ... and %zu more\n", outages.size() - outages_shown);
}

int run(const report_arguments& given) {
  const auto request = read_request(given.report);
  if (!request)
    return complain(request.error());
  node::engine_options options;
  options.supervisor.import_directory = given.directory;
  options.supervisor.log_error = [](const std::string& what) {
    std::fprintf(stderr, "storemon report: %s\n", what.c_str());
  };
  options.weights.only_when_asked = true;
  node::engine engine(std::move(options));
  if (const auto loaded = load(engine); !loaded)
    return complain(loaded.error());
  if (estimate::find_estimator(request->estimator)->weighs_behaviours())
    if (const auto fitted = node::ask<shared_weights>(engine.system(), engine.weights(), fit_atom_v); !fitted)
      return complain(fitted.error());
  const auto report = compute(engine, *request);
  if (!report)
    return complain(report.error());
  if (const auto written = write_output(given.out, report->file->bytes); !written)
    return complain(written.error());
  if (const auto h = node::ask<health>(engine.system(), engine.supervisor(), health_atom_v);
      h && h->last_import)
    for (const auto& feed : h->last_import->feeds)
      print_feed(feed);
  const auto quality = node::ask<shared_quality>(engine.system(), engine.coordinator(), quality_atom_v);
  if (!quality)
    return complain(quality.error());
  print_quality(**quality);
  if (report->weights)
    std::fprintf(stderr, "fleet weights version %llu, fitted to %lld stores\n",
                 static_cast<unsigned long long>(report->weights->version),
                 static_cast<long long>(report->weights->stores));
  // All is written. Taking a fleet apart store by store would take longer than the system does to take it
  // back.
  std::fflush(nullptr);
  std::_Exit(0);
}

} // namespace

void add_report(CLI::App& tool, int& exit_code) {
  auto given = std::make_shared<report_arguments>();
  auto* command = tool.add_subcommand("report", "computes a report from the feeds of a directory");
  command
      ->add_option("DIR", given->directory,
                   "holds store_status.csv, business_hours.csv, timezones.csv; also\n"
                   "closures.csv, corrections.csv, stores.csv, as exports have them")
      ->required();
  command->add_option("--out", given->out, "where the CSV goes; standard output by default");
  add_report_options(*command, given->report);
  command->callback([given, &exit_code] { exit_code = run(*given); });
}

} // namespace storemon
