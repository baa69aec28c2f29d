#include "storemon/node/engine.hpp"

namespace storemon::node {

using namespace protocol;

namespace {

void ignore_log(const std::string&) {}

} // namespace

instant system_now() {
  return std::chrono::floor<duration>(std::chrono::system_clock::now());
}

engine::engine(engine_options options) : config_(options.threads, options.remoting), system_(config_) {
  const auto workers = worker_count(options.threads);
  auto& reports = options.reports;
  if (!reports.now)
    reports.now = system_now;
  if (!reports.new_id)
    reports.new_id = report::random_uuid;
  reports.slices_in_flight = std::max(reports.slices_in_flight, 2 * workers);
  reports.writers = workers;
  auto& s = options.supervisor;
  s.parsers = workers;
  for (auto* log : {&s.log_info, &s.log_error, &s.fatal})
    if (!*log)
      *log = ignore_log;
  coordinator_ = system_.spawn(report::coordinator, std::move(reports));
  supervisor_ = system_.spawn(node::supervisor, std::move(s), coordinator_);
}

engine::~engine() {
  stop();
}

result<void> engine::wait_ready() {
  if (auto ready = ask<bool>(system_, supervisor_, ready_atom_v); !ready)
    return ready.error();
  return {};
}

void engine::stop() {
  if (!supervisor_)
    return;
  // An error means that the supervisor is gone already, which is what is wanted.
  static_cast<void>(ask<bool>(system_, supervisor_, stop_atom_v));
  supervisor_ = nullptr;
  coordinator_ = nullptr;
}

} // namespace storemon::node
