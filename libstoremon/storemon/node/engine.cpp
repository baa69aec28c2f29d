#include "storemon/node/engine.hpp"

#include "storemon/model/uuid.hpp"

#include <caf/io/all.hpp>

#include <chrono>
#include <thread>
#include <utility>

namespace storemon::node {

using namespace protocol;

namespace {

void ignore_log(const std::string&) {}

/// Waits until nobody but the caller holds an actor that has ended. CAF's broker is told of the end of every
/// actor that another node knows, by a message that holds the actor; the system's destructor stops the
/// broker, read or not, and then waits for the actor's thread for ever (seen in 0.17.6).
void await_released(caf::actor_system& system, const caf::strong_actor_ptr& ended) {
  constexpr int tries = 1000; // a second; whoever holds it longer is no message
  for (int i = 0; i < tries && ended->strong_refs > 1; ++i) {
    // The broker answers this after all that came before.
    static_cast<void>(system.middleman().unpublish(caf::actor_cast<caf::actor>(ended)));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

} // namespace

instant system_now() {
  return std::chrono::floor<duration>(std::chrono::system_clock::now());
}

engine::engine(engine_options options) : config_(options.threads, options.remoting), system_(config_) {
  const auto workers = worker_count(options.threads);
  auto& s = options.supervisor;
  s.parsers = workers;
  for (auto* log : {&s.log_info, &s.log_error, &s.fatal})
    if (!*log)
      *log = ignore_log;
  if (options.storage) {
    auto& j = options.journal;
    j.partitions = s.partitions;
    j.log_info = s.log_info;
    j.log_error = s.log_error;
    if (!j.now)
      j.now = system_now;
    journal_ = caf::actor_cast<journal_actor>(
        system_.spawn<caf::detached>(journal::journal, std::move(options.storage), std::move(j)));
  }
  auto& reports = options.reports;
  reports.journal = journal_;
  reports.log_error = s.log_error;
  if (!reports.now)
    reports.now = system_now;
  if (!reports.new_id)
    reports.new_id = random_uuid;
  reports.slices_in_flight = std::max(reports.slices_in_flight, 2 * workers);
  reports.writers = workers;
  auto& intake = options.intake;
  intake.imports.parsers = workers;
  intake.imports.log_error = s.log_error;
  if (!intake.now)
    intake.now = system_now;
  coordinator_ = system_.spawn(report::coordinator, std::move(reports));
  auto& desk = options.desk;
  if (!desk.now)
    desk.now = system_now;
  desk_ = caf::actor_cast<store_desk_actor>(system_.spawn(report::store_desk, std::move(desk)));
  auto& weights = options.weights;
  weights.journal = journal_;
  weights.coordinator = coordinator_;
  weights.desk = desk_;
  weights.log_info = s.log_info;
  weights.log_error = s.log_error;
  if (!weights.now)
    weights.now = system_now;
  weights.slices_in_flight = std::max(weights.slices_in_flight, 2 * workers);
  weights_ = caf::actor_cast<weights_actor>(system_.spawn(report::weights, std::move(weights)));
  intake_ = system_.spawn(ingest::intake, std::move(intake));
  exporter_options exports;
  exports.journal = journal_;
  exporter_ = caf::actor_cast<exporter_actor>(system_.spawn(node::exporter, std::move(exports)));
  s.journal = journal_;
  s.intake = intake_;
  s.weights = weights_;
  s.desk = desk_;
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
  weights_ = nullptr;
  desk_ = nullptr;
  intake_ = nullptr;
  caf::anon_send_exit(exporter_, caf::exit_reason::user_shutdown);
  exporter_ = nullptr;
  if (!journal_)
    return;
  // Last: whoever appends is gone by now. Its end closes what it keeps, which others may want to open next.
  caf::scoped_actor self(system_);
  caf::anon_send_exit(journal_, caf::exit_reason::user_shutdown);
  self->wait_for(journal_);
  const auto ended = caf::actor_cast<caf::strong_actor_ptr>(std::exchange(journal_, nullptr));
  if (system_.has_middleman())
    await_released(system_, ended);
}

} // namespace storemon::node
