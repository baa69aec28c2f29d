/// Several nodes in one process: on CAF's fake network, where every byte moves when the test says so, and
/// over real loopback sockets.
#include "storemon/node/engine.hpp"
#include "storemon/node/host_actor.hpp"
#include "storemon/node/member_actor.hpp"
#include "storemon/partition/partition_data.hpp"
#include "storemon/partition/portrait.hpp"
#include "storemon/partition/shard_actor.hpp"
#include "storemon/partition/timeline.hpp"
#include "storemon/report/store_desk_actor.hpp"

#include "support/fleet.hpp"
#include "support/results.hpp"
#include "support/scratch_directory.hpp"
#include "support/sim.hpp"

#include <caf/io/all.hpp>
#include <caf/io/network/test_multiplexer.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

using namespace storemon;
using namespace storemon::protocol;
using namespace std::chrono_literals;

namespace {

constexpr uint32_t partitions = 8;
constexpr auto noon = instant(std::chrono::sys_days(std::chrono::January / 25 / 2023) + 12h);

void quiet(const std::string&) {}

struct planet_config : test::sim_config {
  planet_config() {
    load<caf::io::middleman>();
    set("middleman.network-backend", caf::atom("testing"));
    set("middleman.manual-multiplexing", true);
    set("middleman.workers", size_t{0});
  }
};

/// A node on the fake network.
struct planet {
  planet_config config;
  caf::actor_system system{config};
  caf::scheduler::test_coordinator& scheduler{
      dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler())};
  caf::io::network::test_multiplexer& network{
      dynamic_cast<caf::io::network::test_multiplexer&>(system.middleman().backend())};
  caf::scoped_actor self{system, true};

  // Runnables come before data: read_data() runs them too, and would not say so.
  bool step() {
    return scheduler.try_run_once() || network.try_exec_runnable() || network.read_data() ||
           network.try_accept_connection();
  }
};

/// A leader and a member with a cable between them.
struct solar_system {
  planet earth;
  planet mars;

  void settle() {
    while (earth.step() || mars.step()) {
    }
  }

  ~solar_system() {
    for (auto* p : {&earth, &mars}) {
      do
        settle();
      while (p->scheduler.trigger_timeout());
    }
  }

  template <class R, class Handle, class... Args>
  result<R> ask(const Handle& whom, Args&&... args) {
    auto asked = earth.self->request(whom, caf::infinite, std::forward<Args>(args)...);
    settle();
    result<R> answer = error{errc::internal, "no answer"};
    if (!earth.self->has_next_message())
      return answer;
    asked.receive([&](R& value) { answer = std::move(value); },
                  [&](const caf::error& e) { answer = from_caf(e); });
    return answer;
  }
};

report::coordinator_options reports_at_noon() {
  report::coordinator_options reports;
  reports.now = [] { return noon; };
  reports.new_id = [n = std::make_shared<int>(0)] { return std::to_string(++*n); };
  return reports;
}

node::supervisor_options leading(std::vector<std::string> nodes) {
  node::supervisor_options options;
  options.node_name = nodes.front();
  options.nodes = std::move(nodes);
  options.partitions = partitions;
  options.log_info = quiet;
  options.log_error = quiet;
  options.fatal = quiet;
  return options;
}

std::vector<test::store_updates> fleet() {
  std::vector<test::store_updates> stores;
  for (int i = 0; i < 40; ++i)
    stores.push_back(test::well_known_store("store-" + std::to_string(i)));
  return stores;
}

/// The fleet's report from one node.
std::string alone() {
  test::sim one;
  std::vector<shard_actor> shards;
  for (uint32_t p = 0; p < partitions; ++p)
    shards.push_back(one.owns(one.system.spawn(partition::shard, partition::shard_options{})));
  for (const auto& store : fleet())
    for (const auto& u : store.updates)
      REQUIRE(one.ask<applied>(shards[store.partition(partitions)], apply_atom_v, shared_update(u)));
  const auto coordinator =
      one.owns(caf::actor_cast<coordinator_actor>(one.system.spawn(report::coordinator, reports_at_noon())));
  one.self->send(coordinator, placed_atom_v, shards);
  const auto id =
      one.ask<std::string>(coordinator, trigger_atom_v, report_request{.columns = column_set::full});
  REQUIRE(id);
  return one.ask<report_status>(coordinator, poll_atom_v, *id)->file->bytes;
}

/// A portrait and a timeline that come over the wire are what the store's data make.
void check_shown_from_afar(solar_system& space, const shard_actor& shard, const test::store_updates& store) {
  partition::partition_data here;
  for (const auto& u : store.updates)
    here.apply(u);
  here.apply(closure_change{store.id, {noon - 90min, noon - 80min}, false});
  REQUIRE(space.ask<applied>(shard, apply_atom_v,
                             shared_update(closure_change{store.id, {noon - 90min, noon - 80min}, false})));
  fleet_weights weights;
  weights.label = {7, noon, 40};
  auto spec = report::portrait_spec(noon);
  spec.weights = std::make_shared<const fleet_weights>(weights);
  const auto portrait = space.ask<shared_portrait>(shard, portrait_atom_v, store.id, shared_spec(spec));
  REQUIRE(portrait);
  const auto expected = partition::portrait_of(here, store.id, spec);
  REQUIRE(expected);
  CHECK((*portrait)->as_of == noon);
  CHECK((*portrait)->card.closures == expected->card.closures);
  CHECK((*portrait)->in_force == expected->in_force);
  CHECK((*portrait)->open_now == expected->open_now);
  CHECK((*portrait)->active_now == expected->active_now);
  CHECK((*portrait)->figures == expected->figures);
  REQUIRE((*portrait)->habits);
  CHECK((*portrait)->habits == expected->habits);
  CHECK((*portrait)->fleet == expected->fleet);
  CHECK((*portrait)->weights == weights.label);

  spec.windows = {{"", {noon - 24h, noon + 1h}}};
  const auto timeline = space.ask<shared_timeline>(shard, timeline_atom_v, store.id, shared_spec(spec));
  REQUIRE(timeline);
  const auto drawn = partition::timeline_of(here, store.id, spec);
  REQUIRE(drawn);
  CHECK((*timeline)->as_of == noon);
  CHECK((*timeline)->span == drawn->span);
  CHECK((*timeline)->opening == drawn->opening);
  CHECK((*timeline)->closures == drawn->closures);
  CHECK((*timeline)->closures.size() == 1);
  CHECK((*timeline)->observations == drawn->observations);
  CHECK((*timeline)->stretches == drawn->stretches);
  CHECK((*timeline)->curve == drawn->curve);
  CHECK((*timeline)->curve.size() > 10);
  CHECK((*timeline)->weights == weights.label);

  const auto nobody =
      space.ask<shared_portrait>(shard, portrait_atom_v, std::string("nobody"), shared_spec(spec));
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().code == errc::not_found);
}

} // namespace

TEST_CASE("two nodes on the fake network give the same bytes as one, and the loss of a far shard is named") {
  const auto expected = alone();
  REQUIRE(expected.size() > 1000);

  solar_system space;
  auto& [earth, mars] = space;
  space.settle();
  const auto host = mars.system.spawn(node::host, partition::shard_options{{3, 1000}});
  const auto accept = caf::io::accept_handle::from_int(1);
  mars.network.prepare_connection(accept, caf::io::connection_handle::from_int(2), earth.network, "mars",
                                  8080, caf::io::connection_handle::from_int(3));
  mars.scheduler.inline_next_enqueue();
  REQUIRE(mars.system.middleman().publish(host, 8080));
  earth.scheduler.inline_next_enqueue();
  earth.scheduler.after_next_enqueue([&] { space.settle(); });
  const auto far_host = earth.system.middleman().remote_actor<host_actor>("mars", 8080);
  REQUIRE(far_host);

  const std::vector<uint32_t> odd{1, 3, 5, 7};
  const auto far_shards = space.ask<std::vector<shard_actor>>(*far_host, spawn_atom_v, odd, journal_actor());
  REQUIRE(far_shards);
  std::vector<shard_actor> shards;
  for (uint32_t p = 0; p < partitions; ++p)
    shards.push_back(p % 2 == 1 ? (*far_shards)[p / 2]
                                : earth.system.spawn(partition::shard, partition::shard_options{}));
  REQUIRE(shards[1].node() != earth.system.node());
  applied done;
  const auto stores = fleet();
  for (const auto& store : stores)
    for (const auto& u : store.updates) {
      const auto one =
          space.ask<applied>(shards[store.partition(partitions)], apply_atom_v, shared_update(u));
      REQUIRE(one);
      done += *one;
    }
  CHECK(done.accepted == 40 * 4);
  const auto coordinator =
      caf::actor_cast<coordinator_actor>(earth.system.spawn(report::coordinator, reports_at_noon()));
  earth.self->send(coordinator, placed_atom_v, shards);
  const auto report = [&] {
    const auto id =
        space.ask<std::string>(coordinator, trigger_atom_v, report_request{.as_of = noon - 45min});
    REQUIRE(id);
    return *space.ask<report_status>(coordinator, poll_atom_v, *id);
  };
  const auto first =
      space.ask<std::string>(coordinator, trigger_atom_v, report_request{.columns = column_set::full});
  REQUIRE(first);
  const auto status = space.ask<report_status>(coordinator, poll_atom_v, *first);
  REQUIRE(status->state == report_state::complete);
  CHECK(status->file->bytes == expected);
  const auto quality = space.ask<shared_quality>(coordinator, quality_atom_v);
  REQUIRE(quality);
  CHECK((*quality)->stores == 40);
  CHECK((*quality)->observations == 80);
  CHECK((*quality)->polled_minutes.size() == 1);

  const auto& far_store =
      *std::find_if(stores.begin(), stores.end(), [](const auto& s) { return s.partition(partitions) == 1; });
  check_shown_from_afar(space, shards[1], far_store);

  mars.self->send_exit(caf::actor_cast<caf::actor>(host), caf::exit_reason::kill);
  space.settle();
  const auto failed = report();
  CHECK(failed.state == report_state::failed);
  CHECK(failed.failure.code == errc::partition_lost);
  CHECK(failed.failure.detail.find("1, 3, 5, 7 of 8") != std::string::npos);

  for (uint32_t p = 0; p < partitions; p += 2)
    earth.self->send_exit(shards[p], caf::exit_reason::kill);
  earth.self->send_exit(caf::actor_cast<caf::actor>(coordinator), caf::exit_reason::kill);
  space.settle();
}

namespace {

/// A member node on real sockets, in this process.
struct member_node {
  node::actor_config config{1, true};
  caf::actor_system system{config};
  host_actor host = system.spawn(node::host, partition::shard_options{{5, 1000}});
  supervisor_actor member;

  member_node(std::string name, uint16_t leader_port) {
    node::member_options options;
    options.node_name = std::move(name);
    options.leader_host = "127.0.0.1";
    options.leader_port = leader_port;
    options.retry_pause = 200ms;
    options.log_info = quiet;
    options.log_error = quiet;
    member = caf::actor_cast<supervisor_actor>(system.spawn(node::member, options, host));
  }

  ~member_node() { static_cast<void>(node::ask<bool>(system, member, stop_atom_v)); }
};

/// Three small feeds of 60 stores.
void write_feeds(const std::filesystem::path& to) {
  std::ofstream status(to / "store_status.csv");
  std::ofstream hours(to / "menu_hours.csv");
  std::ofstream zones(to / "timezones.csv");
  status << "store_id,status,timestamp_utc\n";
  hours << "store_id,day,start_time_local,end_time_local\n";
  zones << "store_id,timezone_str\n";
  for (int i = 0; i < 60; ++i) {
    for (int h = 0; h < 24; ++h)
      status << "shop-" << i << (((i * 7 + h) % 5) != 0 ? ",active," : ",inactive,") << "2023-01-2"
             << (4 + h % 2) << " " << (h < 10 ? "0" : "") << h << ":0" << i % 10 << ":00 UTC\n";
    for (int day = 0; day < 7; ++day)
      hours << "shop-" << i << "," << day << ",08:00:00,2" << i % 4 << ":30:00\n";
    zones << "shop-" << i << ",America/New_York\n";
  }
}

result<report_status> run_report(node::engine& engine, std::string estimator = "capped_nearest") {
  const report_request request{.estimator = std::move(estimator), .columns = column_set::full};
  const auto id = node::ask<std::string>(engine.system(), engine.coordinator(), trigger_atom_v, request);
  if (!id)
    return id.error();
  while (true) {
    auto status = node::ask<report_status>(engine.system(), engine.coordinator(), poll_atom_v, *id);
    if (!status || status->state != report_state::running)
      return status;
    std::this_thread::yield();
  }
}

/// A telegraph report with weights fitted to what the nodes hold.
std::string fitted_report(node::engine& engine) {
  const auto fitted = node::ask<shared_weights>(engine.system(), engine.weights(), fit_atom_v);
  REQUIRE(fitted);
  CHECK((*fitted)->label.stores == 60);
  const auto status = run_report(engine, "telegraph");
  REQUIRE(status);
  REQUIRE(status->state == report_state::complete);
  CHECK(status->weights == (*fitted)->label);
  return status->file->bytes;
}

/// Asks until the health is as wanted; the test program's watchdog bounds it.
template <class Wanted>
void wait_for(node::engine& engine, Wanted wanted) {
  while (true) {
    const auto h = node::ask<health>(engine.system(), engine.supervisor(), health_atom_v);
    REQUIRE(h);
    if (wanted(*h))
      return;
    std::this_thread::yield();
  }
}

} // namespace

TEST_CASE("over real sockets a member's share gives the same bytes, its loss is named, its return heals") {
  const test::scratch_directory feeds;
  write_feeds(feeds.path());
  const auto options_of = [&](std::vector<std::string> nodes) {
    node::engine_options options;
    options.threads = 2;
    options.remoting = nodes.size() > 1;
    options.supervisor = leading(std::move(nodes));
    options.supervisor.import_directory = feeds.path().string();
    options.weights.only_when_asked = true;
    return options;
  };
  std::string expected;
  std::string expected_fitted;
  {
    node::engine one(options_of({"node"}));
    REQUIRE(one.wait_ready());
    const auto status = run_report(one);
    REQUIRE(status);
    REQUIRE(status->state == report_state::complete);
    expected = status->file->bytes;
    expected_fitted = fitted_report(one);
    CHECK(std::count(expected.begin(), expected.end(), '\n') == 61);
  }
  node::engine leader(options_of({"node", "second"}));
  const auto port = leader.system().middleman().publish(leader.supervisor(), 0, "127.0.0.1");
  REQUIRE(port);
  {
    member_node second("second", *port);
    REQUIRE(leader.wait_ready());
    REQUIRE(node::ask<bool>(second.system, second.member, ready_atom_v));
    const auto status = run_report(leader);
    REQUIRE(status);
    REQUIRE(status->state == report_state::complete);
    CHECK(status->file->bytes == expected);
    CHECK(fitted_report(leader) == expected_fitted);
  }
  wait_for(leader, [](const health& h) { return !h.nodes[1].up; });
  const auto failed = run_report(leader);
  REQUIRE(failed);
  CHECK(failed->state == report_state::failed);
  CHECK(failed->failure.code == errc::partition_lost);
  {
    member_node again("second", *port);
    wait_for(leader, [](const health& h) { return h.ready; });
    const auto status = run_report(leader);
    REQUIRE(status);
    REQUIRE(status->state == report_state::complete);
    CHECK(status->file->bytes == expected);
  }
}
