/// The fleet's weights, step by step on a scheduler that stands still until told.
#include "storemon/estimate/estimator.hpp"
#include "storemon/partition/shard_actor.hpp"
#include "storemon/report/coordinator_actor.hpp"
#include "storemon/report/weights_actor.hpp"
#include "storemon/report/weights_text.hpp"

#include "support/fake_report_journal.hpp"
#include "support/fake_shard.hpp"
#include "support/fleet.hpp"
#include "support/results.hpp"
#include "support/sim.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <sstream>

using namespace storemon;
using namespace storemon::protocol;
using namespace std::chrono_literals;

namespace {

constexpr auto noon = instant(std::chrono::sys_days(std::chrono::January / 25 / 2023) + 12h);

/// Stores open around the clock, polled every hour of a day; half of them are inactive now and then.
std::vector<test::store_updates> some_fleet(int stores) {
  std::mt19937_64 random(20230125);
  std::vector<test::store_updates> fleet;
  for (int i = 0; i < stores; ++i) {
    auto& store = fleet.emplace_back("store-" + std::to_string(i));
    for (auto at = noon - 24h; at < noon; at += 1h)
      store.poll(at, i % 2 == 0 && random() % 4 == 0 ? store_status::inactive : store_status::active);
  }
  return fleet;
}

/// Shards, a coordinator, and the actor of the weights; its clock stands at noon.
class fits : public test::sim {
public:
  explicit fits(uint32_t partitions = 3, size_t slice = 2) {
    for (uint32_t p = 0; p < partitions; ++p)
      shards.push_back(owns(system.spawn(partition::shard, partition::shard_options{{slice, 1000}})));
    report::coordinator_options reports;
    reports.now = [] { return noon; };
    reports.new_id = [n = std::make_shared<int>(0)] { return "report-" + std::to_string(++*n); };
    coordinator = owns(caf::actor_cast<coordinator_actor>(system.spawn(report::coordinator, reports)));
    options.coordinator = coordinator;
    options.slices_in_flight = 2;
    options.check_every = 10s;
    options.timeout = 60s;
    options.now = [this] { return clock; };
    options.log_error = [this](const std::string& what) { log.push_back(what); };
  }

  /// The actor anew, as after a restart when there was one.
  void start() {
    if (weights)
      self->send_exit(weights, caf::exit_reason::kill);
    weights = owns(caf::actor_cast<weights_actor>(system.spawn(report::weights, options)));
    settle();
  }

  void keep_in_journal() {
    script = std::make_shared<test::journal_script>();
    options.journal = owns(caf::actor_cast<journal_actor>(system.spawn(test::fake_journal, script)));
  }

  void place() {
    self->send(coordinator, placed_atom_v, shards);
    self->send(weights, placed_atom_v, shards);
    settle();
  }

  void fill(const test::store_updates& store) {
    const auto p = store.partition(static_cast<uint32_t>(shards.size()));
    for (const auto& u : store.updates)
      REQUIRE(ask<applied>(shards[p], apply_atom_v, shared_update(u)));
  }

  void fill(const std::vector<test::store_updates>& fleet) {
    for (const auto& store : fleet)
      fill(store);
  }

  fleet_weights in_force() {
    const auto w = ask<shared_weights>(weights, get_atom_v);
    REQUIRE(w);
    return **w;
  }

  uint64_t version() { return in_force().label.version; }

  report_status telegraph_report() {
    const auto id = ask<std::string>(coordinator, trigger_atom_v, report_request{.estimator = "telegraph"});
    REQUIRE(id);
    const auto status = ask<report_status>(coordinator, poll_atom_v, *id);
    REQUIRE(status);
    REQUIRE(status->state == report_state::complete);
    return *status;
  }

  /// Runs until a fit is half done.
  void run_into_a_fit() {
    self->send(caf::actor_cast<report::weights_self>(weights), next_atom_v);
    for (int step = 0; step < 40; ++step)
      REQUIRE(scheduler.try_run_once());
  }

  report::weights_options options;
  std::shared_ptr<test::journal_script> script;
  std::vector<shard_actor> shards;
  coordinator_actor coordinator;
  weights_actor weights;
  instant clock = noon;
  std::vector<std::string> log;
};

} // namespace

TEST_CASE("what the shards hold is fitted as soon as they are placed") {
  fits f;
  f.fill(some_fleet(20));
  f.start();
  CHECK(f.version() == 0);
  f.place();
  const auto w = f.in_force();
  CHECK(w.label == weights_label{1, noon, 20});
  CHECK(w.as_of == noon - 1h);
  CHECK(w.observations == 20 * 24);
  CHECK(w.held == 20 * 24);
  CHECK(w.by_class != fleet_weights().by_class);
  CHECK(f.log.empty());
}

TEST_CASE("any number of partitions, size of slices and order of stores gives the same weights, bit by bit") {
  const auto fitted = [](uint32_t partitions, size_t slice, std::vector<test::store_updates> fleet) {
    fits f(partitions, slice);
    f.fill(fleet);
    f.start();
    f.place();
    return f.in_force();
  };
  auto fleet = some_fleet(30);
  const auto expected = fitted(1, 100, fleet);
  CHECK(expected.label.stores == 30);
  CHECK(fitted(4, 3, fleet) == expected);
  std::reverse(fleet.begin(), fleet.end());
  CHECK(fitted(7, 1, fleet) == expected);
}

TEST_CASE(
    "a report before the first fit says that it weighs all behaviours the same, one after it which fit") {
  fits f;
  f.options.only_when_asked = true;
  f.fill(some_fleet(6));
  f.start();
  f.place();
  const auto before = f.telegraph_report();
  CHECK(before.weights == weights_label{});
  const auto fitted = f.ask<shared_weights>(f.weights, fit_atom_v);
  REQUIRE(fitted);
  const auto after = f.telegraph_report();
  CHECK(after.weights == weights_label{1, noon, 6});
  CHECK(after.file->bytes != before.file->bytes);
  const auto other = f.ask<std::string>(f.coordinator, trigger_atom_v, report_request{});
  REQUIRE(other);
  CHECK_FALSE(f.ask<report_status>(f.coordinator, poll_atom_v, *other)->weights);
}

TEST_CASE("whoever never asks gets no fit where fits are made only when asked for") {
  fits f;
  f.options.only_when_asked = true;
  f.fill(some_fleet(6));
  f.start();
  f.place();
  f.clock += 48h;
  f.advance(60s);
  CHECK(f.version() == 0);
}

TEST_CASE("all who ask while a fit runs get its outcome") {
  fits f;
  f.options.only_when_asked = true;
  f.fill(some_fleet(6));
  f.start();
  f.place();
  auto first = f.self->request(f.weights, caf::infinite, fit_atom_v);
  const auto second = f.ask<shared_weights>(f.weights, fit_atom_v);
  REQUIRE(second);
  const auto answer = f.take<shared_weights>(first);
  REQUIRE(answer);
  CHECK((*answer)->label.version == 1);
  CHECK((*second)->label.version == 1);
}

TEST_CASE("without shards a fit is refused, without observations it changes nothing") {
  fits f;
  f.start();
  const auto early = f.ask<shared_weights>(f.weights, fit_atom_v);
  REQUIRE_FALSE(early);
  CHECK(early.error().code == errc::not_ready);
  f.place();
  const auto empty = f.ask<shared_weights>(f.weights, fit_atom_v);
  REQUIRE(empty);
  CHECK((*empty)->label.version == 0);
  f.fill(test::store_updates("closed").hours(0, 9h, 12h).poll(noon, store_status::active)); // a Wednesday
  const auto unseen = f.ask<shared_weights>(f.weights, fit_atom_v);
  REQUIRE(unseen);
  CHECK((*unseen)->label.version == 0);
}

TEST_CASE("a twentieth more observations make another fit, one less does not") {
  fits f;
  f.fill(some_fleet(20)); // 480 observations
  f.start();
  f.place();
  REQUIRE(f.version() == 1);
  for (int i = 0; i < 23; ++i)
    f.fill(test::store_updates("store-1").poll(noon - 30min - i * 1h, store_status::active));
  f.advance(10s);
  CHECK(f.version() == 1);
  f.fill(test::store_updates("store-1").poll(noon - 20min, store_status::active));
  f.advance(9s);
  CHECK(f.version() == 1);
  f.advance(1s);
  const auto w = f.in_force();
  CHECK(w.label.version == 2);
  CHECK(w.observations == 504);
  f.advance(60s);
  CHECK(f.version() == 2);
}

TEST_CASE("weights a day old are fitted again though nothing was polled") {
  fits f;
  f.fill(some_fleet(4));
  f.start();
  f.place();
  const auto first = f.in_force();
  f.clock += 24h - 1us;
  f.advance(10s);
  CHECK(f.version() == 1);
  f.clock += 1us;
  f.advance(10s);
  const auto second = f.in_force();
  CHECK(second.label.version == 2);
  CHECK(second.label.fitted_at == noon + 24h);
  CHECK(second.by_class == first.by_class);
}

TEST_CASE("a late poll changes its store's report, and only its, under the same weights") {
  fits f;
  f.fill(some_fleet(30));
  f.start();
  f.place();
  const auto before = f.telegraph_report();
  f.fill(test::store_updates("store-5").poll(noon - 5h - 10min, store_status::inactive));
  const auto after = f.telegraph_report();
  CHECK(after.weights == before.weights);
  const auto lines = [](const std::string& text) {
    std::vector<std::string> all;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
      all.push_back(line);
    return all;
  };
  const auto old_lines = lines(before.file->bytes);
  const auto new_lines = lines(after.file->bytes);
  REQUIRE(new_lines.size() == old_lines.size());
  for (size_t i = 0; i < new_lines.size(); ++i) {
    CAPTURE(new_lines[i]);
    CHECK((new_lines[i] != old_lines[i]) == new_lines[i].starts_with("store-5,"));
  }
}

TEST_CASE("a fit that loses a shard is given up; when the shard is back it is made") {
  fits f;
  f.start();
  f.place();
  f.fill(some_fleet(20));
  f.run_into_a_fit();
  auto asked = f.self->request(f.weights, caf::infinite, fit_atom_v);
  f.self->send_exit(f.shards[1], caf::exit_reason::kill);
  f.settle();
  const auto answer = f.take<shared_weights>(asked);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == errc::partition_lost);
  CHECK(f.version() == 0);
  CHECK(f.log.size() == 1);
  f.advance(60s);
  CHECK(f.version() == 0);
  f.shards[1] = f.owns(f.system.spawn(partition::shard, partition::shard_options{{2, 1000}}));
  f.place();
  CHECK(f.version() == 1);
}

TEST_CASE("a fit whose shard keeps silent is given up after its time") {
  fits f;
  f.fill(some_fleet(4));
  f.shards.push_back(f.owns(
      f.system.spawn(test::fake_shard, census{.stores = 1, .observations = 100, .newest = noon}, true)));
  f.start();
  f.place();
  CHECK(f.version() == 0);
  CHECK(f.log.empty());
  f.advance(60s);
  CHECK(f.version() == 0);
  REQUIRE_FALSE(f.log.empty());
  CHECK_THAT(f.log[0], Catch::Contains("silent"));
}

TEST_CASE("after a fit, and after whoever began it is gone, a shard keeps nothing for it") {
  fits f;
  f.options.only_when_asked = true;
  f.fill(some_fleet(4));
  f.start();
  f.place();
  const auto held = [&](uint64_t fit) {
    const auto counts = f.ask<shared_counts>(f.shards[0], counts_atom_v, fit, shared_weights());
    return counts.has_value();
  };
  REQUIRE(f.ask<shared_weights>(f.weights, fit_atom_v));
  CHECK_FALSE(held(1));
  const auto leader = f.owns(f.system.spawn([&](caf::event_based_actor* self) {
    self->request(f.shards[0], caf::infinite, fit_atom_v, fit_order{7, noon, ""}).then([](const fit_slice&) {
    });
    return caf::behavior{[](stop_atom) {}};
  }));
  f.settle();
  CHECK(held(7));
  f.self->send_exit(leader, caf::exit_reason::kill);
  f.settle();
  CHECK_FALSE(held(7));
}

TEST_CASE("a restart takes up the weights that the journal keeps, and versions go on from there") {
  fits f;
  f.keep_in_journal();
  f.fill(some_fleet(6));
  f.start();
  f.place();
  const auto first = f.in_force();
  REQUIRE(first.label.version == 1);
  f.start();
  CHECK(f.in_force() == first);
  f.place();
  CHECK(f.in_force() == first);
  CHECK(f.telegraph_report().weights == first.label);
  f.fill(test::store_updates("new").poll(noon - 1h, store_status::active).poll(noon, store_status::active));
  for (int i = 1; i < 20; ++i)
    f.fill(test::store_updates("new").poll(noon - i * 1min, store_status::active));
  f.advance(10s);
  CHECK(f.version() == 2);
}

TEST_CASE("until it is known which weights the journal keeps, no report by telegraph is begun") {
  fits f;
  f.keep_in_journal();
  f.fill(some_fleet(6));
  report::coordinator_options reports;
  reports.now = [] { return noon; };
  reports.new_id = [] { return std::string("report"); };
  reports.journal = f.options.journal;
  f.coordinator = f.owns(caf::actor_cast<coordinator_actor>(f.system.spawn(report::coordinator, reports)));
  f.self->send(f.coordinator, placed_atom_v, f.shards);
  const report_request by_telegraph{.estimator = "telegraph"};
  const auto early = f.ask<std::string>(f.coordinator, trigger_atom_v, by_telegraph);
  REQUIRE_FALSE(early);
  CHECK(early.error().code == errc::not_ready);
  CHECK(f.ask<std::string>(f.coordinator, trigger_atom_v, report_request{}));
  f.options.coordinator = f.coordinator;
  f.start();
  CHECK(f.ask<std::string>(f.coordinator, trigger_atom_v, by_telegraph));
}

TEST_CASE("weights that the journal does not take are not put in force, and are fitted again later") {
  fits f;
  f.keep_in_journal();
  f.script->puts = errc::disk_full;
  f.fill(some_fleet(6));
  f.start();
  f.place();
  CHECK(f.version() == 0);
  CHECK(f.log.size() == 1);
  f.script->puts = errc::ok;
  f.advance(10s);
  CHECK(f.in_force().label == weights_label{2, noon, 6});
}

TEST_CASE("weights that cannot be read are read again; damaged ones are fitted anew") {
  fits f;
  f.keep_in_journal();
  f.fill(some_fleet(6));
  f.script->reads = errc::io_failed;
  f.start();
  const auto unread = f.ask<shared_weights>(f.weights, get_atom_v);
  REQUIRE_FALSE(unread);
  CHECK(unread.error().code == errc::not_ready);
  f.script->reads = errc::ok;
  f.script->values["telegraph.weights"] = "weights/1 7 nonsense";
  f.advance(1s);
  CHECK(f.version() == 0);
  CHECK(f.log.size() == 2);
  f.place();
  CHECK(f.version() == 1);
}

TEST_CASE("the text of weights gives them back, and any other text is damaged") {
  fleet_weights w;
  w.label = {7, noon, 13'584};
  w.as_of = noon - 1h;
  w.observations = 1'080'000;
  w.held = 1'800'000;
  std::mt19937_64 random(7);
  for (auto& share : w.by_class)
    share = std::uniform_real_distribution<double>(1e-12, 1)(random);
  const auto text = report::weights_text(w);
  const auto read = report::parse_weights(text);
  REQUIRE(read);
  CHECK(*read == w);
  for (const auto& other : {std::string(), text + " ", text + " 1", text.substr(0, text.size() - 17),
                            "weights/2" + text.substr(9), report::weights_text(fleet_weights())}) {
    const auto damaged = report::parse_weights(other);
    REQUIRE_FALSE(damaged);
    CHECK(damaged.error().code == errc::damaged);
  }
}
