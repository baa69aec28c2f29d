/// The coordinator, step by step on a scheduler that stands still until told.
#include "storemon/partition/shard_actor.hpp"
#include "storemon/report/coordinator_actor.hpp"

#include "support/fake_shard.hpp"
#include "support/fleet.hpp"
#include "support/results.hpp"
#include "support/sim.hpp"

#include <catch2/catch.hpp>

using namespace storemon;
using namespace storemon::protocol;
using namespace std::chrono_literals;

namespace {

constexpr uint32_t partitions = 4;
constexpr auto noon = instant(std::chrono::sys_days(std::chrono::January / 25 / 2023) + 12h);

/// Four partitions under a coordinator whose ids are "report-1", "report-2", … and whose clock stands at
/// noon.
class reports : public test::sim {
public:
  explicit reports(size_t slice = 512) {
    for (uint32_t p = 0; p < partitions; ++p)
      shards.push_back(owns(system.spawn(partition::shard, partition::shard_options{{slice, 1000}})));
    report::coordinator_options options;
    options.running_max = 2;
    options.keep.reports_max = 3;
    options.timeout = 60s;
    options.slices_in_flight = 2;
    options.now = [] { return noon; };
    options.new_id = [n = std::make_shared<int>(0)] { return "report-" + std::to_string(++*n); };
    coordinator = owns(caf::actor_cast<coordinator_actor>(system.spawn(report::coordinator, options)));
    settle();
  }

  void place() {
    self->send(coordinator, placed_atom_v, shards);
    settle();
  }

  void fill(const test::store_updates& store) {
    for (const auto& u : store.updates)
      REQUIRE(ask<applied>(shards[store.partition(partitions)], apply_atom_v, shared_update(u)));
  }

  /// Triggers without running on: the report is under way.
  std::string trigger(report_request request = {}) {
    auto asked = self->request(coordinator, caf::infinite, trigger_atom_v, std::move(request));
    while (!self->has_next_message())
      REQUIRE(scheduler.try_run_once());
    auto id = take<std::string>(asked);
    REQUIRE(id);
    return *id;
  }

  report_status poll(const std::string& id) {
    auto status = ask<report_status>(coordinator, poll_atom_v, id);
    REQUIRE(status);
    return *status;
  }

  std::vector<shard_actor> shards;
  coordinator_actor coordinator;
};

/// A shard that takes questions about rows and never answers them.
shard_actor silent_shard(reports& r) {
  return r.owns(r.system.spawn(test::fake_shard, census{.stores = 1, .newest = noon}, true));
}

} // namespace

TEST_CASE("a trigger before any shard is placed is refused as not ready") {
  reports r;
  const auto id = r.ask<std::string>(r.coordinator, trigger_atom_v, report_request());
  REQUIRE(!id);
  CHECK(id.error().code == errc::not_ready);
}

TEST_CASE("a report runs from trigger to the well-known figures") {
  reports r;
  r.fill(test::well_known_store("b"));
  r.fill(test::well_known_store("a"));
  r.place();
  const auto id = r.trigger({.as_of = noon});
  r.settle();
  const auto status = r.poll(id);
  REQUIRE(status.state == report_state::complete);
  CHECK(status.as_of == noon);
  CHECK(status.stores_total == 2);
  CHECK(status.stores_done == 2);
  CHECK(status.file->name == "store_report_20230125_120000.csv");
  CHECK(status.file->bytes == "store_id,uptime_last_hour,uptime_last_day,uptime_last_week,downtime_last_hour,"
                              "downtime_last_day,downtime_last_week\n"
                              "a,0,1.74,1.74,60,1.26,1.26\n"
                              "b,0,1.74,1.74,60,1.26,1.26\n");
  const auto file = r.ask<std::shared_ptr<const report_file>>(r.coordinator, file_atom_v, status.file->name);
  REQUIRE(file);
  CHECK((*file)->bytes == status.file->bytes);
}

TEST_CASE("now is the newest observation over all stores") {
  reports r;
  r.fill(test::well_known_store("a"));
  r.fill(test::store_updates("b").poll(noon - 7min, store_status::active));
  r.place();
  const auto id = r.trigger();
  r.settle();
  CHECK(r.poll(id).as_of == noon - 7min);
}

TEST_CASE("progress grows while a report runs, slice by slice") {
  reports r(1);
  for (int i = 0; i < 40; ++i)
    r.fill(test::well_known_store("store-" + std::to_string(i)));
  r.place();
  const auto id = r.trigger();
  std::vector<int64_t> seen;
  auto state = report_state::running;
  while (state == report_state::running) {
    REQUIRE(r.scheduler.try_run_once());
    // The coordinator's own mailbox is first in line for a moment, so that the poll shows this very step.
    auto asked = r.self->request(r.coordinator, caf::infinite, poll_atom_v, id);
    while (!r.self->has_next_message())
      REQUIRE(r.scheduler.try_run_once());
    const auto status = r.take<report_status>(asked);
    REQUIRE(status);
    if (seen.empty() || status->stores_done != seen.back())
      seen.push_back(status->stores_done);
    CHECK(status->stores_done <= 40);
    state = status->state;
  }
  CHECK(state == report_state::complete);
  CHECK(std::is_sorted(seen.begin(), seen.end()));
  CHECK(seen.size() > 5);
  CHECK(seen.back() == 40);
}

TEST_CASE("slices of one store and of all give the same bytes") {
  std::vector<std::string> texts;
  for (const size_t slice : {1, 3, 512}) {
    reports r(slice);
    for (int i = 0; i < 50; ++i)
      r.fill(test::well_known_store("store-" + std::to_string(i)));
    r.place();
    const auto id = r.trigger({.columns = column_set::full});
    r.settle();
    texts.push_back(r.poll(id).file->bytes);
  }
  CHECK(texts[0].size() > 50 * 100);
  CHECK(texts[0] == texts[1]);
  CHECK(texts[0] == texts[2]);
}

TEST_CASE("an empty fleet has no now: the report fails and says so") {
  reports r;
  r.place();
  const auto id = r.trigger();
  r.settle();
  const auto status = r.poll(id);
  CHECK(status.state == report_state::failed);
  CHECK(status.failure.code == errc::no_data);
}

TEST_CASE("an empty fleet with a now gives a header and no rows") {
  reports r;
  r.place();
  const auto id = r.trigger({.as_of = noon});
  r.settle();
  const auto status = r.poll(id);
  REQUIRE(status.state == report_state::complete);
  CHECK(status.file->bytes.find('\n') == status.file->bytes.size() - 1);
}

TEST_CASE("a window past the newest observation fails the report once now is known") {
  reports r;
  r.fill(test::well_known_store("a"));
  r.place();
  const auto id = r.trigger({.columns = column_set::full, .windows = {{"later", {noon, noon + 1h}}}});
  r.settle();
  const auto status = r.poll(id);
  CHECK(status.state == report_state::failed);
  CHECK(status.failure.code == errc::invalid_argument);
  CHECK(status.failure.detail.find("later") != std::string::npos);
}

TEST_CASE("requests that can never succeed are refused at once") {
  reports r;
  r.place();
  const auto refused = [&](report_request request) {
    const auto id = r.ask<std::string>(r.coordinator, trigger_atom_v, std::move(request));
    return !id && id.error().code == errc::invalid_argument;
  };
  CHECK(refused({.estimator = "tea_leaves"}));
  CHECK(refused({.estimator = "poll_ratio", .scope = observation_scope::all}));
  CHECK(refused({.windows = {{"w", {noon - 1h, noon}}}}));
  CHECK(r.ask<std::vector<report_status>>(r.coordinator, list_atom_v)->empty());
}

TEST_CASE("a silent shard fails the report at the deadline, by the name of its partition") {
  reports r;
  r.fill(test::well_known_store("a"));
  r.shards[3] = silent_shard(r);
  r.place();
  const auto id = r.trigger();
  r.settle();
  r.advance(59s);
  CHECK(r.poll(id).state == report_state::running);
  r.advance(1s);
  const auto status = r.poll(id);
  CHECK(status.state == report_state::failed);
  CHECK(status.failure.code == errc::partition_lost);
  CHECK(status.failure.detail.find("partition 3 of 4") != std::string::npos);
}

TEST_CASE("a finished report hears nothing of its deadline") {
  reports r;
  r.fill(test::well_known_store("a"));
  r.place();
  const auto id = r.trigger();
  r.settle();
  r.advance(2min);
  CHECK(r.poll(id).state == report_state::complete);
}

TEST_CASE("a cancelled report stays cancelled, whatever its shards and its writer still say") {
  reports r;
  r.fill(test::well_known_store("a"));
  r.place();
  // Cancelled after every possible number of steps, from before the census to after the last row.
  size_t cancelled = 0;
  for (size_t steps = 0; steps < 60; ++steps) {
    const auto id = r.trigger();
    for (size_t i = 0; i < steps; ++i)
      r.scheduler.try_run_once();
    const auto answer = r.ask<report_status>(r.coordinator, cancel_atom_v, id);
    REQUIRE(answer);
    CHECK(r.poll(id).state == answer->state);
    REQUIRE((answer->state == report_state::cancelled || answer->state == report_state::complete));
    cancelled += answer->state == report_state::cancelled;
    r.advance(2min);
    CHECK(r.poll(id).state == answer->state);
  }
  CHECK(cancelled > 10);
  CHECK(cancelled < 60);
}

TEST_CASE("shards that die while a report runs fail it by the names of all their partitions") {
  reports r;
  for (int i = 0; i < 20; ++i)
    r.fill(test::well_known_store("store-" + std::to_string(i)));
  for (const auto p : {0, 2})
    r.shards[p] = silent_shard(r);
  r.place();
  const auto id = r.trigger();
  r.settle();
  CHECK(r.poll(id).state == report_state::running);
  r.self->send_exit(r.shards[0], caf::exit_reason::kill);
  r.settle();
  CHECK(r.poll(id).state == report_state::running); // others may follow
  r.self->send_exit(r.shards[2], caf::exit_reason::kill);
  r.settle();
  r.advance(100ms);
  auto status = r.poll(id);
  CHECK(status.state == report_state::failed);
  CHECK(status.failure.code == errc::partition_lost);
  CHECK(status.failure.detail == "lost while the report ran: partitions 0, 2 of 4");

  SECTION("the next report fails likewise until the partition is placed again") {
    const auto next = r.trigger();
    r.settle();
    CHECK(r.poll(next).state == report_state::failed);
    for (const auto p : {0, 2})
      r.shards[p] = r.owns(r.system.spawn(partition::shard, partition::shard_options{}));
    r.place();
    const auto third = r.trigger();
    r.settle();
    CHECK(r.poll(third).state == report_state::complete);
  }
  SECTION("questions about quality fail by name too, and do not hang") {
    const auto q = r.ask<shared_quality>(r.coordinator, quality_atom_v);
    REQUIRE(!q);
    CHECK(q.error().code == errc::partition_lost);
  }
}

TEST_CASE("two reports run at once and do not mix; a third is refused as busy") {
  reports r(1);
  for (int i = 0; i < 30; ++i)
    r.fill(test::well_known_store("store-" + std::to_string(i)));
  r.place();
  const auto first = r.trigger({.estimator = "carry_forward", .as_of = noon});
  const auto second = r.trigger({.estimator = "poll_count", .as_of = noon});
  auto third = r.self->request(r.coordinator, caf::infinite, trigger_atom_v, report_request());
  while (!r.self->has_next_message())
    REQUIRE(r.scheduler.try_run_once());
  const auto refused = r.take<std::string>(third);
  REQUIRE(!refused);
  CHECK(refused.error().code == errc::busy);
  r.settle();
  REQUIRE(r.poll(first).state == report_state::complete);
  REQUIRE(r.poll(second).state == report_state::complete);
  CHECK(r.poll(first).file->bytes.find("store-0,15,2.25,2.25,45,0.75,0.75\n") != std::string::npos);
  CHECK(r.poll(second).file->bytes.find("store-0,0,1,1,60,1,1\n") != std::string::npos);
  CHECK(r.poll(first).file->name != r.poll(second).file->name);
}

TEST_CASE("the oldest finished reports make room, and an id that is gone is not found") {
  reports r;
  r.fill(test::well_known_store("a"));
  r.place();
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    ids.push_back(r.trigger());
    r.settle();
  }
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto status = r.ask<report_status>(r.coordinator, poll_atom_v, ids[i]);
    CHECK(status.has_value() == (i >= 2));
  }
  CHECK(r.ask<std::vector<report_status>>(r.coordinator, list_atom_v)->size() == 3);
  const auto gone = r.ask<report_status>(r.coordinator, poll_atom_v, ids[0]);
  CHECK(gone.error().code == errc::not_found);
}

TEST_CASE("a stop waits for the running report and takes no other") {
  reports r;
  for (int i = 0; i < 20; ++i)
    r.fill(test::well_known_store("store-" + std::to_string(i)));
  r.place();
  const auto id = r.trigger();
  auto stop = r.self->request(r.coordinator, caf::infinite, stop_atom_v);
  auto late = r.self->request(r.coordinator, caf::infinite, trigger_atom_v, report_request());
  r.settle();
  CHECK(r.take<bool>(stop));
  const auto refused = r.take<std::string>(late);
  REQUIRE(!refused);
  CHECK(refused.error().code == errc::shutting_down);
  CHECK(r.poll(id).state == report_state::complete);
}

TEST_CASE("a stop while a shard keeps silent is answered at the report's deadline") {
  reports r;
  r.shards[1] = silent_shard(r);
  r.place();
  r.trigger();
  auto stop = r.self->request(r.coordinator, caf::infinite, stop_atom_v);
  r.settle();
  CHECK(!r.self->has_next_message());
  r.advance(60s);
  CHECK(r.take<bool>(stop));
}

TEST_CASE("quality is summed over all partitions") {
  reports r;
  r.fill(test::well_known_store("a"));
  r.fill(test::well_known_store("b"));
  r.fill(test::store_updates("c").zone("Middle/Earth"));
  for (const auto* stranger : {"d", "e", "f"})
    r.fill(test::store_updates(stranger).poll(noon, store_status::active));
  r.place();
  const auto q = r.ask<shared_quality>(r.coordinator, quality_atom_v);
  REQUIRE(q);
  CHECK((*q)->stores == 6);
  CHECK((*q)->observations == 7);
  CHECK((*q)->without_hours == 4);
  CHECK((*q)->unknown_zone == 1);
  CHECK((*q)->never_polled == 1);
  CHECK((*q)->only_polled == 3);
}
