#include "storemon/node/daemon.hpp"

#include "storemon/calendar/zone.hpp"
#include "storemon/http/front_end.hpp"
#include "storemon/node/control.hpp"
#include "storemon/node/engine.hpp"
#include "storemon/node/host_actor.hpp"
#include "storemon/node/maintenance.hpp"
#include "storemon/node/member_actor.hpp"
#include "storemon/node/storage.hpp"
#include "storemon/node/version.hpp"

#include <boost/asio/ip/address.hpp>
#include <caf/io/all.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <optional>
#include <sys/resource.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace storemon::node {

using namespace protocol;
using namespace std::chrono_literals;

namespace {

/// How long a shard may answer one question about many stores: polls and pushes wait behind it.
constexpr auto slice_time_max = 5ms;

/// Told to the main thread, as SIGTERM and SIGINT are, when something it waits for has happened.
constexpr int wake_signal = SIGUSR1;

void wake() {
  ::kill(::getpid(), wake_signal);
}

/// The signals the main thread waits for. Blocked before any thread exists, so that no other gets them.
class signals {
public:
  signals() {
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN); // a file past RLIMIT_FSIZE is a failed write, not the end
    sigemptyset(&set_);
    for (const int s : {SIGTERM, SIGINT, SIGHUP, wake_signal})
      sigaddset(&set_, s);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }

  int wait() const {
    int got = 0;
    while (sigwait(&set_, &got) != 0) {
    }
    return got;
  }

private:
  sigset_t set_;
};

/// Ends the process when stopping it hangs: a mistake of ours must not leave the service manager waiting.
class watchdog {
public:
  explicit watchdog(std::chrono::seconds limit) : thread_([this, limit] { watch(limit); }) {}

  ~watchdog() {
    {
      std::lock_guard lock(mutex_);
      over_ = true;
    }
    ended_.notify_one();
    thread_.join();
  }

private:
  void watch(std::chrono::seconds limit) {
    std::unique_lock lock(mutex_);
    if (ended_.wait_for(lock, limit, [this] { return over_; }))
      return;
    std::fputs("storemond: stopping hangs, giving up\n", stderr);
    ::_exit(1);
  }

  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  std::thread thread_;
};

/// Waits for an actor's word that all is loaded, on a thread of its own, so that signals are heard meanwhile.
class readiness {
public:
  readiness(caf::actor_system& system, supervisor_actor whom)
      : thread_([this, &system, whom = std::move(whom)] {
          auto answer = ask<bool>(system, whom, ready_atom_v);
          {
            std::lock_guard lock(mutex_);
            answer_ = answer ? result<void>() : result<void>(answer.error());
          }
          wake();
        }) {}

  /// The supervisor must have been stopped before, or have answered.
  ~readiness() { thread_.join(); }

  std::optional<result<void>> answer() {
    std::lock_guard lock(mutex_);
    return answer_;
  }

private:
  std::mutex mutex_;
  std::optional<result<void>> answer_;
  std::thread thread_;
};

void set_up_log(log_level level) {
  auto log = spdlog::stderr_logger_mt("storemond");
  log->set_level(spdlog::level::from_str(std::string(to_string(level))));
  log->set_pattern("%Y-%m-%dT%H:%M:%S.%fZ %l %v", spdlog::pattern_time_type::utc);
  log->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(log));
}

void log_info(const std::string& what) {
  spdlog::info("{}", what);
}

void log_error(const std::string& what) {
  spdlog::error("{}", what);
}

/// Raises the soft limit of file descriptors to the hard one and takes from it what is left for connections.
/// @returns how many may be open at a time; fails where too few descriptors are left to serve at all
result<uint32_t> connections_within_limit(uint32_t wanted) {
  // Of the journal, the actors' and the listener's sockets, spooled uploads, files read, and refusals.
  constexpr rlim_t others = 256;
  constexpr rlim_t connections_min = 8;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return error{errc::io_failed, std::string("the limit of file descriptors cannot be read: ") +
                                      std::generic_category().message(errno)};
  if (limit.rlim_cur < limit.rlim_max) {
    auto raised = limit;
    raised.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0)
      limit = raised;
  }
  if (limit.rlim_cur < others + connections_min)
    return error{errc::io_failed, "this process may open " + std::to_string(limit.rlim_cur) +
                                      " files, and needs at least " +
                                      std::to_string(others + connections_min) + ": raise it (ulimit -n)"};
  const auto room = limit.rlim_cur - others;
  if (room >= wanted)
    return wanted;
  spdlog::warn("http.connections_max={} is more than the {} file descriptors allow; {} connections are taken",
               wanted, limit.rlim_cur, room);
  return static_cast<uint32_t>(room);
}

http::options http_options(const configuration& settings) {
  http::options o;
  o.address = settings.http.address;
  o.port = settings.http.port;
  o.connections_max = settings.http.connections_max;
  o.header_bytes_max = settings.http.header_bytes_max;
  o.body_bytes_max = settings.http.body_bytes_max;
  o.header_timeout = settings.http.header_timeout;
  o.body_timeout = settings.http.body_timeout;
  o.idle_timeout = settings.http.idle_timeout;
  o.drain_timeout = settings.node.shutdown_timeout;
  o.ingest_bytes_max = settings.http.ingest_bytes_max;
  o.ingest_held_bytes_max = size_t{settings.http.ingest_held_mb_max} << 20;
  o.import_bytes_max = uint64_t{settings.http.import_mb_max} << 20;
  o.uploads_max = settings.http.uploads_max;
  o.body_rate_min = settings.http.body_rate_min;
  o.allowed_hosts = settings.http.allowed_hosts;
  o.allowed_origins = settings.http.allowed_origins;
  return o;
}

/// What a client can put into its address bar.
std::string url_of(const std::string& address, uint16_t port) {
  const bool v6 = address.find(':') != std::string::npos;
  return "http://" + (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

int complain(const error& why) {
  log_error(why.detail);
  return 1;
}

/// A node that serves: the actors' supervisor and the front end before them.
struct running_node {
  const configuration& settings;
  const signals& heard;
  caf::actor_system& system;
  supervisor_actor supervisor;
  http::front_end& front;
};

/// Waits for a signal, or for `failed`; says when all is ready. @returns the exit code.
int serve_until_told(const running_node& node, readiness& ready, const std::atomic<bool>& failed) {
  bool told = false;
  while (true) {
    const int got = node.heard.wait();
    if (failed)
      return 1;
    if (got == SIGHUP) {
      spdlog::info("SIGHUP received: there is nothing to reload, serving goes on");
      continue;
    }
    if (got != wake_signal) {
      spdlog::info("{} received, stopping", got == SIGTERM ? "SIGTERM" : "SIGINT");
      return 0;
    }
    const auto answer = ready.answer();
    if (!answer || told)
      continue;
    if (!*answer)
      return complain(answer->error());
    told = true;
    std::printf("storemon ready %s\n", url_of(node.settings.http.address, node.front.port()).c_str());
    std::fflush(stdout);
  }
}

/// Says what a server beyond loopback leaves open.
void warn_beyond_loopback(const std::string& address, uint16_t port) {
  boost::system::error_code unknown;
  if (const auto bound = boost::asio::ip::make_address(address, unknown); unknown || bound.is_loopback())
    return;
  spdlog::warn("{} is beyond loopback, and neither encrypted nor guarded: whoever reaches it can read all "
               "data, push polls, change and delete stores, and start imports and reports",
               url_of(address, port));
}

int serve(const running_node& node, const std::atomic<bool>& failed, std::optional<watchdog>& stopping) {
  if (auto started = node.front.start(); !started)
    return complain(started.error());
  warn_beyond_loopback(node.settings.http.address, node.front.port());
  readiness ready(node.system, node.supervisor);
  const int exit_code = serve_until_told(node, ready, failed);
  // Requests and reports may each take the time the settings give; what takes much longer is a mistake.
  stopping.emplace(2 * node.settings.node.shutdown_timeout + 10s);
  node.front.stop();
  if (const auto stopped = ask<bool>(node.system, node.supervisor, stop_atom_v); !stopped)
    log_error("the supervisor ended by itself: " + stopped.error().detail);
  return exit_code;
}

/// Carries out what `storemond backup` asks for.
result<void> obey(const engine& actors, caf::actor_system& system, const std::string& command) {
  constexpr std::string_view backup = "backup ";
  if (!command.starts_with(backup))
    return error{errc::invalid_argument, "unknown command '" + command + "'"};
  const auto done = ask<bool>(system, actors.journal(), backup_atom_v, command.substr(backup.size()));
  return done ? result<void>() : result<void>(done.error());
}

journal::journal_options journal_options(const configuration& settings,
                                         const std::filesystem::path& directory) {
  journal::journal_options o;
  o.retention = std::chrono::days(settings.data.retention_days);
  o.free_min = free_min(directory, settings.data.free_min_mb, settings.data.free_min_percent);
  o.verify_copy = verify_copy;
  return o;
}

int run_leader(const configuration& settings, const signals& heard, std::optional<watchdog>& stopping) {
  std::atomic<bool> failed = false;
  engine_options options;
  std::filesystem::path directory; // empty: nothing is kept
  if (!settings.data.dir.empty()) {
    auto opened = open_storage(settings.data.dir, settings.node.partitions);
    if (!opened)
      return complain(opened.error());
    directory = opened->directory;
    options.storage = std::move(opened->kept);
    options.journal = journal_options(settings, directory);
  }
  options.threads = settings.node.threads;
  options.remoting = settings.cluster.listen.has_value();
  auto& s = options.supervisor;
  s.node_name = settings.node.name;
  s.nodes =
      settings.cluster.nodes.empty() ? std::vector<std::string>{settings.node.name} : settings.cluster.nodes;
  s.partitions = settings.node.partitions;
  s.import_directory = settings.data.import;
  s.drain_timeout = settings.node.shutdown_timeout;
  s.shards.limits.time_max = slice_time_max;
  s.shards.snapshot_after_records = settings.data.snapshot_records;
  s.log_info = log_info;
  s.log_error = log_error;
  s.fatal = [&failed](const std::string& what) {
    log_error(what);
    failed = true;
    wake();
  };
  options.intake.records_max = settings.data.observations_max;
  options.reports.running_max = settings.report.running_max;
  options.reports.keep.reports_max = settings.report.kept_max;
  options.reports.cache_bytes_max = size_t{settings.report.cache_mb_max} << 20;
  options.reports.timeout = settings.report.timeout;
  options.reports.window_years_max = std::chrono::years(settings.report.window_years_max);
  engine engine(std::move(options));
  if (const auto& listen = settings.cluster.listen) {
    const auto port =
        engine.system().middleman().publish(engine.supervisor(), listen->port, listen->host.c_str(), true);
    if (!port)
      return complain(
          {errc::io_failed, "cluster.listen: " + listen->host + ":" + std::to_string(listen->port) +
                                " cannot be listened on: " + engine.system().render(port.error())});
    spdlog::info("nodes may join at {}:{}", listen->host, *port);
  }
  std::unique_ptr<control_server> control;
  if (!directory.empty()) {
    auto started = control_server::start(control_socket_of(directory), [&engine](const std::string& command) {
      return obey(engine, engine.system(), command);
    });
    if (!started)
      return complain(started.error());
    control = std::move(*started);
  }
  http::services to{engine.coordinator(), engine.supervisor(), std::string(version)};
  to.intake = engine.intake();
  to.exporter = engine.exporter();
  to.weights = engine.weights();
  to.desk = engine.desk();
  to.journal = engine.journal();
  to.durability = directory.empty() ? "memory" : "local";
  to.spool_directory =
      (directory.empty() ? std::filesystem::temp_directory_path() : spool_of(directory)).string();
  to.knows_zone = [](std::string_view name) { return calendar::zone::find(name) != nullptr; };
  http::front_end front(engine.system(), std::move(to), http_options(settings));
  return serve({settings, heard, engine.system(), engine.supervisor(), front}, failed, stopping);
}

int run_member(const configuration& settings, const signals& heard, std::optional<watchdog>& stopping) {
  const std::atomic<bool> failed = false; // a member has nothing that could end before it is told to
  actor_config config(settings.node.threads, true);
  caf::actor_system system(config);
  member_options options;
  options.node_name = settings.node.name;
  options.leader_host = settings.cluster.join->host;
  options.leader_port = settings.cluster.join->port;
  options.log_info = log_info;
  options.log_error = log_error;
  partition::shard_options of_shards;
  of_shards.limits.time_max = slice_time_max;
  const auto shards = system.spawn(host, std::move(of_shards));
  const auto standing_in =
      caf::actor_cast<supervisor_actor>(system.spawn(member, std::move(options), shards));
  http::front_end front(system, {coordinator_actor(), standing_in, std::string(version)},
                        http_options(settings));
  const int exit_code = serve({settings, heard, system, standing_in, front}, failed, stopping);
  caf::anon_send_exit(standing_in, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(shards, caf::exit_reason::user_shutdown);
  return exit_code;
}

} // namespace

int run_daemon(const configuration& given) {
  const signals heard;
  set_up_log(given.log.level);
  auto settings = given;
  const auto connections = connections_within_limit(settings.http.connections_max);
  if (!connections)
    return complain(connections.error());
  settings.http.connections_max = *connections;
  if (auto zones = calendar::zone::load_all(); !zones)
    return complain(zones.error());
  std::optional<watchdog> stopping; // outlives the actors, for their end is what may hang
  return settings.cluster.join ? run_member(settings, heard, stopping)
                               : run_leader(settings, heard, stopping);
}

} // namespace storemon::node
