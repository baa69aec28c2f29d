/// The supervisor, its hosts and shards, step by step on a scheduler that stands still until told.
#include "storemon/node/host_actor.hpp"
#include "storemon/node/member_actor.hpp"
#include "storemon/node/placement.hpp"
#include "storemon/node/supervisor_actor.hpp"
#include "storemon/partition/shard_actor.hpp"
#include "storemon/report/coordinator_actor.hpp"

#include "support/results.hpp"
#include "support/sim.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>

using namespace storemon;
using namespace storemon::protocol;
using namespace std::chrono_literals;

namespace {

constexpr uint32_t partitions = 8;
constexpr auto noon = instant(std::chrono::sys_days(std::chrono::January / 25 / 2023) + 12h);

void quiet(const std::string&) {}

using shard_log = std::shared_ptr<std::vector<shard_actor>>;

/// A host that tells which shards it made.
host_actor::behavior_type telling_host(host_actor::pointer self, shard_log made) {
  return {
      [self, made](spawn_atom, const std::vector<uint32_t>& wanted, const journal_actor&) {
        std::vector<shard_actor> shards;
        for (size_t i = 0; i < wanted.size(); ++i)
          shards.push_back(self->system().spawn(partition::shard, partition::shard_options{}));
        made->insert(made->end(), shards.begin(), shards.end());
        return shards;
      },
      [made](census_atom) { return static_cast<uint32_t>(made->size()); },
      [self](stop_atom) { self->quit(); },
  };
}

/// A supervisor of eight partitions over the nodes named, itself on the first, with a coordinator before it.
class cluster : public test::sim {
public:
  explicit cluster(std::vector<std::string> nodes) {
    report::coordinator_options reports;
    reports.now = [] { return noon; };
    reports.new_id = [n = std::make_shared<int>(0)] { return std::to_string(++*n); };
    coordinator = owns(caf::actor_cast<coordinator_actor>(system.spawn(report::coordinator, reports)));
    node::supervisor_options options;
    options.node_name = nodes.front();
    options.nodes = std::move(nodes);
    options.partitions = partitions;
    options.drain_timeout = 10s;
    options.log_info = quiet;
    options.log_error = quiet;
    options.fatal = [this](const std::string& what) { fatal = what; };
    supervisor =
        owns(caf::actor_cast<supervisor_actor>(system.spawn(node::supervisor, options, coordinator)));
    settle();
  }

  host_actor new_host() { return owns(system.spawn(node::host, partition::shard_options{})); }

  health look() {
    auto h = ask<health>(supervisor, health_atom_v);
    REQUIRE(h);
    return *h;
  }

  size_t count(partition_state state) {
    const auto h = look();
    return static_cast<size_t>(std::count(h.partitions.begin(), h.partitions.end(), state));
  }

  report_status report() {
    const auto id = ask<std::string>(coordinator, trigger_atom_v, report_request{.as_of = noon});
    REQUIRE(id);
    auto status = ask<report_status>(coordinator, poll_atom_v, *id);
    REQUIRE(status);
    return *status;
  }

  coordinator_actor coordinator;
  supervisor_actor supervisor;
  std::string fatal;
};

} // namespace

TEST_CASE("every node places every partition alike, whatever the order of names") {
  const std::vector<std::string> nodes{"a", "b", "c"};
  const std::vector<std::string> turned{"c", "a", "b"};
  std::map<std::string, int> shares;
  for (uint32_t p = 0; p < 3000; ++p) {
    const auto& owner = nodes[node::node_of(p, nodes)];
    CHECK(owner == turned[node::node_of(p, turned)]);
    ++shares[owner];
  }
  for (const auto& [name, share] : shares)
    CHECK((share > 800 && share < 1200));
}

TEST_CASE("one node more takes its share and moves nothing else") {
  const std::vector<std::string> before{"a", "b", "c"};
  const std::vector<std::string> after{"a", "b", "c", "d"};
  for (uint32_t p = 0; p < 3000; ++p) {
    const auto& owner = after[node::node_of(p, after)];
    if (owner != "d")
      CHECK(owner == before[node::node_of(p, before)]);
  }
}

TEST_CASE("a node alone serves all partitions at once") {
  cluster c({"a"});
  CHECK(c.look().ready);
  CHECK(c.count(partition_state::serving) == partitions);
  CHECK(c.ask<bool>(c.supervisor, ready_atom_v));
  CHECK(c.report().state == report_state::complete);
}

TEST_CASE("a cluster is not ready before every node has joined") {
  cluster c({"a", "b", "c"});
  CHECK(!c.look().ready);
  CHECK(!c.ask<std::string>(c.coordinator, trigger_atom_v, report_request()));
  CHECK(c.ask<uint32_t>(c.supervisor, join_atom_v, std::string("b"), c.new_host()).value() == partitions);
  CHECK(!c.look().ready);
  CHECK(c.ask<uint32_t>(c.supervisor, join_atom_v, std::string("c"), c.new_host()).value() == partitions);
  CHECK(c.look().ready);
  CHECK(c.report().state == report_state::complete);
}

TEST_CASE("a node may not join under a name that is unknown, up already, or the leader's own") {
  cluster c({"a", "b"});
  const auto refused = [&](const std::string& name) {
    const auto answer = c.ask<uint32_t>(c.supervisor, join_atom_v, name, c.new_host());
    return answer ? errc::ok : answer.error().code;
  };
  CHECK(refused("x") == errc::invalid_argument);
  CHECK(refused("a") == errc::busy);
  CHECK(refused("b") == errc::ok);
  CHECK(refused("b") == errc::busy);
}

TEST_CASE("a lost node's partitions fail reports by name until it is back") {
  cluster c({"a", "b"});
  const auto lost = c.new_host();
  REQUIRE(c.ask<uint32_t>(c.supervisor, join_atom_v, std::string("b"), lost));
  REQUIRE(c.look().ready);
  c.self->send_exit(lost, caf::exit_reason::kill);
  c.settle();
  const auto h = c.look();
  CHECK(!h.ready);
  CHECK(h.last_failure.find("node 'b' is lost") != std::string::npos);
  CHECK(h.shard_failures == h.nodes[1].partitions);
  const std::vector<std::string> nodes{"a", "b"};
  const auto failed = c.report();
  CHECK(failed.state == report_state::failed);
  CHECK(failed.failure.code == errc::partition_lost);
  for (uint32_t p = 0; p < partitions; ++p) {
    const bool is_lost = node::node_of(p, nodes) == 1;
    CHECK((h.partitions[p] == partition_state::absent) == is_lost);
    if (is_lost)
      CHECK(failed.failure.detail.find(std::to_string(p)) != std::string::npos);
  }
  REQUIRE(c.ask<uint32_t>(c.supervisor, join_atom_v, std::string("b"), c.new_host()));
  CHECK(c.look().ready);
  CHECK(c.report().state == report_state::complete);
}

TEST_CASE("a shard that dies is made anew at once, then after pauses that double, and health tells") {
  cluster c({"a", "b"});
  const auto made = std::make_shared<std::vector<shard_actor>>();
  const auto host = c.owns(c.system.spawn(telling_host, made));
  REQUIRE(c.ask<uint32_t>(c.supervisor, join_atom_v, std::string("b"), host));
  REQUIRE(!made->empty());
  const auto of_b = made->size();
  const auto kill_newest = [&] {
    c.self->send_exit(made->back(), caf::exit_reason::kill);
    c.settle();
  };
  kill_newest();
  CHECK(made->size() == of_b + 1);
  auto h = c.look();
  CHECK(h.ready);
  CHECK(h.shard_failures == 1);
  CHECK(h.last_failure.find("the shard of partition") != std::string::npos);
  CHECK(c.report().state == report_state::complete);

  for (const auto pause : {1s, 2s, 4s}) {
    kill_newest();
    CHECK(!c.look().ready);
    CHECK(c.report().state == report_state::failed);
    c.advance(pause - 1ms);
    CHECK(!c.look().ready);
    c.advance(1ms);
    CHECK(c.look().ready);
  }
  CHECK(c.look().shard_failures == 4);
  CHECK(c.report().state == report_state::complete);
  for (const auto& shard : *made)
    c.owns(shard);
}

TEST_CASE("an import without a directory is refused") {
  cluster c({"a"});
  const auto answer = c.ask<std::shared_ptr<const import_result>>(c.supervisor, import_atom_v);
  REQUIRE(!answer);
  CHECK(answer.error().code == errc::invalid_argument);
}

TEST_CASE("a stop ends coordinator and supervisor, and a waiting ready is answered") {
  cluster c({"a", "b"});
  auto ready = c.self->request(c.supervisor, caf::infinite, ready_atom_v);
  c.settle();
  c.self->monitor(c.coordinator);
  c.self->monitor(c.supervisor);
  auto stop = c.self->request(c.supervisor, caf::infinite, stop_atom_v);
  c.settle();
  size_t downs = 0;
  bool stopped = false;
  bool refused = false;
  ready.receive([](bool) {}, [&](const caf::error& e) { refused = from_caf(e).code == errc::shutting_down; });
  stop.receive([&](bool yes) { stopped = yes; }, [](const caf::error&) {});
  while (c.self->has_next_message())
    c.self->receive([&](const caf::down_msg&) { ++downs; });
  CHECK(refused);
  CHECK(stopped);
  CHECK(downs == 2);
  CHECK(c.fatal.empty());
}

TEST_CASE("a coordinator that dies is fatal to the node, and a stop still ends") {
  cluster c({"a"});
  c.self->send_exit(c.coordinator, caf::exit_reason::kill);
  c.settle();
  CHECK(c.fatal.find("the coordinator died") != std::string::npos);
  CHECK(c.ask<bool>(c.supervisor, stop_atom_v));
}

TEST_CASE("a member joins the leader it is told of, is ready then, and asks again where it is refused") {
  cluster c({"a", "b"});
  node::member_options options;
  options.node_name = "b";
  options.log_info = quiet;
  options.log_error = quiet;
  const auto member = c.owns(c.system.spawn(node::member, options, c.new_host()));
  CHECK(!c.ask<health>(member, health_atom_v)->ready);
  CHECK(!c.look().ready);
  c.self->send(member, join_atom_v, c.supervisor);
  c.settle();
  const auto joined = c.ask<health>(member, health_atom_v);
  CHECK(joined->ready);
  const auto leads = c.look();
  CHECK(leads.ready);
  REQUIRE(leads.nodes[1].partitions > 0);
  CHECK(joined->nodes[1].partitions == leads.nodes[1].partitions);

  options.node_name = "stranger";
  const auto stranger = c.owns(c.system.spawn(node::member, options, c.new_host()));
  c.self->send(stranger, join_atom_v, c.supervisor);
  c.settle();
  const auto h = c.ask<health>(stranger, health_atom_v);
  CHECK(!h->ready);
  CHECK(h->last_failure.find("no node named 'stranger'") != std::string::npos);
  CHECK(c.ask<bool>(stranger, stop_atom_v));
}
