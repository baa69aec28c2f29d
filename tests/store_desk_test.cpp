/// The store desk, step by step on a scheduler that stands still until told.
#include "storemon/partition/shard_actor.hpp"
#include "storemon/report/store_desk_actor.hpp"

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

/// Four partitions under a desk whose clock stands a year later.
class desk_rig : public test::sim {
public:
  desk_rig() {
    for (uint32_t p = 0; p < partitions; ++p)
      shards.push_back(owns(system.spawn(partition::shard, partition::shard_options{})));
    report::store_desk_options options;
    options.questions_max = 3;
    options.timeout = 5s;
    options.now = [] { return noon + std::chrono::days(365); };
    desk = owns(caf::actor_cast<store_desk_actor>(system.spawn(report::store_desk, options)));
    settle();
  }

  void place() {
    self->send(desk, placed_atom_v, shards);
    settle();
  }

  void weigh() {
    fleet_weights weights;
    weights.label = {2, noon, 5};
    self->send(desk, weights_atom_v, shared_weights(weights));
    settle();
  }

  void fill(const test::store_updates& store) {
    for (const auto& u : store.updates)
      REQUIRE(ask<applied>(shards[store.partition(partitions)], apply_atom_v, shared_update(u)));
  }

  result<shared_portrait> portrait(const std::string& store, const store_question& asked = {}) {
    return ask<shared_portrait>(desk, portrait_atom_v, store, asked);
  }

  result<shared_timeline> timeline(const std::string& store, const store_question& asked = {}) {
    return ask<shared_timeline>(desk, timeline_atom_v, store, asked);
  }

  std::vector<shard_actor> shards;
  store_desk_actor desk;
};

/// A desk of which all is known, with two stores in different partitions, `a` and the other.
class two_stores : public desk_rig {
public:
  two_stores() {
    fill(test::well_known_store("a"));
    while (test::store_updates(other).partition(partitions) == home())
      other += "x";
    fill(test::store_updates(other).zone("Etc/UTC").poll(noon - 7min, store_status::active));
    place();
    weigh();
  }

  static uint32_t home() { return test::store_updates("a").partition(partitions); }

  uint32_t elsewhere() const { return test::store_updates(other).partition(partitions); }

  std::string other = "b";
};

template <class R>
void check_fails(const result<R>& r, errc code, const std::string& part) {
  REQUIRE_FALSE(r);
  CHECK(r.error().code == code);
  CHECK_THAT(r.error().detail, Catch::Contains(part));
}

} // namespace

TEST_CASE("before shards are placed or weights are known the desk is not ready") {
  desk_rig r;
  check_fails(r.portrait("a"), errc::not_ready, "data is still being loaded");
  r.place();
  check_fails(r.portrait("a"), errc::not_ready, "fleet weights");
  check_fails(r.timeline("a"), errc::not_ready, "fleet weights");
  r.weigh();
  check_fails(r.portrait("a"), errc::not_found, "nothing is known");
  check_fails(r.timeline("a"), errc::not_found, "nothing is known");
}

TEST_CASE("now is the newest observation over all stores, unless the question names it") {
  two_stores r;
  const auto portrait = r.portrait("a");
  REQUIRE(portrait);
  CHECK((*portrait)->as_of == noon - 7min);
  CHECK((*portrait)->weights == weights_label{2, noon, 5});
  REQUIRE((*portrait)->figures.size() == 3);
  CHECK((*portrait)->figures[0].asked == window{"last_hour", {noon - 67min, noon - 7min}});
  CHECK((*portrait)->card.observations == 2);
  const auto earlier = r.portrait("a", {.as_of = noon - 1h});
  REQUIRE(earlier);
  CHECK((*earlier)->as_of == noon - 1h);
}

TEST_CASE("while there is no observation at all a store is shown as of the server's clock") {
  desk_rig r;
  r.fill(test::store_updates("a").zone("Etc/UTC"));
  r.place();
  r.weigh();
  const auto portrait = r.portrait("a");
  REQUIRE(portrait);
  CHECK((*portrait)->as_of == noon + std::chrono::days(365));
  CHECK((*portrait)->open_now);
}

TEST_CASE("a timeline shows the day before as_of, or the span asked for") {
  two_stores r;
  const auto usual = r.timeline("a");
  REQUIRE(usual);
  CHECK((*usual)->span == interval{noon - 7min - 24h, noon - 7min});
  CHECK((*usual)->as_of == noon - 7min);
  CHECK((*usual)->observations.size() == 2);
  const auto from = r.timeline("a", {.from = noon - 2h});
  REQUIRE(from);
  CHECK((*from)->span == interval{noon - 2h, noon - 7min});
  const std::chrono::days longer_than_any(60);
  const auto old = r.timeline("a", {.from = noon - longer_than_any});
  REQUIRE(old);
  CHECK((*old)->span == interval{noon - longer_than_any, noon - longer_than_any + 24h});
  const auto old_to = r.timeline("a", {.to = noon - longer_than_any});
  REQUIRE(old_to);
  CHECK((*old_to)->span == interval{noon - longer_than_any - 24h, noon - longer_than_any});
  const auto to = r.timeline("a", {.as_of = noon, .to = noon + 1h});
  REQUIRE(to);
  CHECK((*to)->span == interval{noon - 23h, noon + 1h});
  CHECK((*to)->stretches.back().span.to == noon);
}

TEST_CASE("a span that is empty or longer than 31 days is refused") {
  two_stores r;
  check_fails(r.timeline("a", {.from = noon}), errc::invalid_argument,
              "'from' has to be before 2023-01-25T11:53:00.000000Z, where the timeline ends");
  check_fails(r.timeline("a", {.from = noon, .to = noon}), errc::invalid_argument, "before 'to'");
  const std::chrono::days most(31);
  CHECK(r.timeline("a", {.from = noon - most, .to = noon}));
  check_fails(r.timeline("a", {.from = noon - most - 1us, .to = noon}), errc::invalid_argument, "744 hours");
}

TEST_CASE("a store whose shard is not there is lost, others are shown by what is there") {
  two_stores r;
  r.self->send_exit(r.shards[r.elsewhere()], caf::exit_reason::kill);
  r.settle();
  const auto shown = r.portrait("a");
  REQUIRE(shown);
  CHECK((*shown)->as_of == noon - 45min); // the newest of those that are left
  check_fails(r.portrait(r.other), errc::partition_lost,
              "partition " + std::to_string(r.elsewhere()) + " is without a shard");
  check_fails(r.timeline(r.other, {.as_of = noon}), errc::partition_lost, "is without a shard");
}

TEST_CASE("a shard lost under a question fails it where it is the store's, and is done without elsewhere") {
  two_stores r;
  const auto silent = r.owns(r.system.spawn(test::fake_shard, census{}, true));
  SECTION("the store's own, once it is asked") {
    r.shards[r.home()] = silent;
    r.place();
    auto asked = r.self->request(r.desk, caf::infinite, portrait_atom_v, std::string("a"), store_question());
    r.settle();
    r.self->send_exit(silent, caf::exit_reason::kill);
    r.settle();
    check_fails(r.take<shared_portrait>(asked), errc::partition_lost, "lost its shard");
  }
  SECTION("another's, while all are counted") {
    auto asked = r.self->request(r.desk, caf::infinite, portrait_atom_v, std::string("a"), store_question());
    REQUIRE(r.scheduler.try_run_once()); // the desk has asked all for their census
    auto fewer = r.shards;
    fewer[r.elsewhere()] = nullptr;
    r.self->send(r.desk, placed_atom_v, fewer);
    r.self->send_exit(r.shards[r.elsewhere()], caf::exit_reason::kill);
    r.settle();
    const auto shown = r.take<shared_portrait>(asked);
    REQUIRE(shown);
    CHECK((*shown)->card.known);
  }
}

TEST_CASE(
    "a silent shard fails the question past the deadline, and more questions than allowed are refused") {
  two_stores r;
  r.shards[r.home()] = r.owns(r.system.spawn(test::fake_shard, census{}, true));
  r.place();
  const auto ask = [&] {
    return r.self->request(r.desk, caf::infinite, timeline_atom_v, std::string("a"), store_question());
  };
  auto first = ask();
  auto second = ask();
  auto third = ask();
  r.settle();
  check_fails(r.portrait("a"), errc::busy, "3 questions");
  r.advance(5s);
  const auto silent = "silent past the deadline, of partition " + std::to_string(r.home());
  check_fails(r.take<shared_timeline>(first), errc::partition_lost, silent);
  check_fails(r.take<shared_timeline>(second), errc::partition_lost, silent);
  check_fails(r.take<shared_timeline>(third), errc::partition_lost, silent);
  CHECK(r.portrait(r.other));
}
