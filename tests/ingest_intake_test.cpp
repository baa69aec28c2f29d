/// The intake, step by step on a scheduler that stands still until told, with shards that do as the test
/// says.
#include "storemon/ingest/batch_mark.hpp"
#include "storemon/ingest/intake_actor.hpp"

#include "support/results.hpp"
#include "support/sim.hpp"

#include <catch2/catch.hpp>

using namespace storemon;
using namespace storemon::protocol;
using namespace std::chrono_literals;

namespace {

constexpr uint32_t partitions = 4;
constexpr auto noon = instant(std::chrono::sys_days(std::chrono::January / 25 / 2023) + 12h);
using intake_answer = std::shared_ptr<const intake_result>;

/// What a shard answers, and what it was asked.
struct script {
  std::vector<shared_batch> applied_batches;
  std::vector<shared_batch> checked;
  std::vector<update> changes;
  std::optional<error> failure;
  bool replays = false;
  bool holds = false; ///< answers nothing until it is told to
  std::vector<conflict_seen> contradictions;
  std::vector<conflict_seen> conflicts;
  std::vector<batch_mark> marks;
  std::vector<std::pair<caf::typed_response_promise<batch_result>, shared_batch>> held;
  std::vector<caf::typed_response_promise<applied>> held_changes;

  batch_result done_with(const shared_batch& b) const {
    return {applied{static_cast<int64_t>(b->rows.seen.size()), 0, static_cast<int64_t>(conflicts.size())},
            replays, conflicts};
  }

  void answer_held() {
    for (auto& [promise, b] : held)
      if (failure)
        promise.deliver(to_caf(*failure));
      else
        promise.deliver(done_with(b));
    held.clear();
    for (auto& promise : held_changes)
      promise.deliver(applied{1, 0, 0});
    held_changes.clear();
    holds = false;
  }
};

/// Answers what it held back when it hears done_atom.
using scripted = shard_actor::extend<caf::reacts_to<done_atom>>;

scripted::behavior_type scripted_shard(scripted::pointer self, std::shared_ptr<script> s) {
  return {
      [s](done_atom) { s->answer_held(); },
      [](load_atom) { return loaded(); },
      [self, s](apply_atom, const shared_update& change) -> caf::result<applied> {
        s->changes.push_back(*change);
        if (s->failure)
          return to_caf(*s->failure);
        if (!s->holds)
          return applied{1, 0, 0};
        s->held_changes.push_back(self->make_response_promise<applied>());
        return s->held_changes.back();
      },
      [self, s](batch_atom, const shared_batch& b) -> caf::result<batch_result> {
        s->applied_batches.push_back(b);
        if (s->failure)
          return to_caf(*s->failure);
        if (!s->holds)
          return s->done_with(b);
        s->held.emplace_back(self->make_response_promise<batch_result>(), b);
        return s->held.back().first;
      },
      [s](check_atom, const shared_batch& b) -> caf::result<batch_result> {
        s->checked.push_back(b);
        if (s->failure)
          return to_caf(*s->failure);
        auto r = s->done_with(b);
        r.conflicts = s->contradictions;
        return r;
      },
      [s](marks_atom) { return shared_marks(s->marks); },
      [](census_atom) { return census(); },
      [](rows_atom, const shared_spec&, const std::string&) { return shared_columns(); },
      [](quality_atom) { return shared_quality(); },
      [](store_atom, const std::string& id) {
        store_card card;
        card.known = true;
        card.zone = id;
        return shared_card(card);
      },
      [](portrait_atom, const std::string&, const shared_spec&) { return shared_portrait(); },
      [](timeline_atom, const std::string&, const shared_spec&) { return shared_timeline(); },
      [](fit_atom, const fit_order&) { return fit_slice(); },
      [](counts_atom, uint64_t, const shared_weights&) { return shared_counts(); },
      [](drop_atom, uint64_t) {},
  };
}

/// A store of a partition.
std::string store_in(uint32_t partition) {
  for (int i = 0;; ++i)
    if (partition_of(hash_of(std::to_string(i)), partitions) == partition)
      return std::to_string(i);
}

/// One line of NDJSON.
std::string poll(uint32_t partition, const std::string& time = "2023-01-25T11:00:00Z") {
  return R"({"store_id":")" + store_in(partition) + R"(","status":"active","timestamp_utc":")" + time +
         "\"}\n";
}

intake_request request_of(std::string body, std::string key = "",
                          on_conflict conflicts = on_conflict::inactive_wins) {
  return {body_format::ndjson, std::make_shared<const std::string>(std::move(body)), std::move(key),
          conflicts};
}

/// Four scripted shards under an intake whose clock stands at noon.
class desk : public test::sim {
public:
  explicit desk(ingest::intake_options options = {}, bool placed = true) {
    options.now = [] { return noon; };
    options.imports.log_error = [](const std::string& what) { FAIL(what); };
    for (uint32_t p = 0; p < partitions; ++p) {
      scripts.push_back(std::make_shared<script>());
      shards.push_back(spawn_shard(scripts.back()));
    }
    intake = owns(caf::actor_cast<intake_actor>(system.spawn(ingest::intake, options)));
    if (placed)
      place();
    settle();
  }

  ~desk() {
    for (const auto& s : scripts) { // a promise holds its shard
      s->held.clear();
      s->held_changes.clear();
    }
  }

  shard_actor spawn_shard(const std::shared_ptr<script>& s) {
    return owns(caf::actor_cast<shard_actor>(system.spawn(scripted_shard, s)));
  }

  void place() {
    self->send(intake, placed_atom_v, shards);
    settle();
  }

  result<intake_answer> send(intake_request request) {
    return ask<intake_answer>(intake, ingest_atom_v, std::move(request));
  }

  /// Sends and runs on until all is quiet, without waiting for the answer.
  auto begin(intake_request request) {
    auto asked = self->request(intake, caf::infinite, ingest_atom_v, std::move(request));
    settle();
    return asked;
  }

  void release(uint32_t partition) {
    self->send(caf::actor_cast<scripted>(shards[partition]), done_atom_v);
    settle();
  }

  size_t batches() const {
    size_t sum = 0;
    for (const auto& s : scripts)
      sum += s->applied_batches.size();
    return sum;
  }

  /// Whether stop is answered at once: nothing is under way.
  bool idle() {
    const auto stopped = ask<bool>(intake, stop_atom_v);
    return stopped.has_value();
  }

  std::vector<std::shared_ptr<script>> scripts;
  std::vector<shard_actor> shards;
  intake_actor intake;
};

ingest::intake_options with(void (*change)(ingest::intake_options&)) {
  ingest::intake_options options;
  change(options);
  return options;
}

const std::string four = poll(0) + poll(1) + poll(2) + poll(3);

} // namespace

TEST_CASE("a request is applied by the shards of its stores, and answered with their sums") {
  desk d;
  const auto answer = d.send(request_of(poll(0) + poll(2) + poll(2, "2023-01-25T11:01:00Z") + "broken\n"));
  REQUIRE(answer);
  CHECK_FALSE((*answer)->replayed);
  CHECK((*answer)->done == applied{3, 0, 0});
  CHECK((*answer)->rejected == 1);
  REQUIRE((*answer)->rejects.size() == 1);
  CHECK((*answer)->rejects[0].line == 4);
  CHECK((*answer)->rejects[0].reason == "bad_json");
  CHECK((*answer)->rejects[0].text == "broken");
  CHECK(d.batches() == 2);
  REQUIRE(d.scripts[2]->applied_batches.size() == 1);
  const auto& batch = d.scripts[2]->applied_batches[0];
  CHECK(batch->rows.seen.size() == 2);
  CHECK(batch->rows.rule == conflict_rule::inactive_wins);
  CHECK(batch->mark.given());
  CHECK_FALSE(batch->reject_conflicts);
  CHECK(batch->mark == d.scripts[0]->applied_batches[0]->mark);
}

TEST_CASE("what to do with conflicts goes to the shards") {
  desk d;
  REQUIRE(d.send(request_of(poll(0), "", on_conflict::replace)));
  REQUIRE(d.send(request_of(poll(0), "", on_conflict::keep)));
  REQUIRE(d.scripts[0]->applied_batches.size() == 2);
  CHECK(d.scripts[0]->applied_batches[0]->rows.rule == conflict_rule::replace);
  CHECK(d.scripts[0]->applied_batches[1]->rows.rule == conflict_rule::keep);
  CHECK_FALSE(d.scripts[0]->applied_batches[0]->mark.key == d.scripts[0]->applied_batches[1]->mark.key);
}

TEST_CASE("a request of only rejected rows is answered, and no shard hears of it") {
  desk d;
  const auto answer = d.send(request_of("x\n" + poll(1, "2023-01-25T12:05:00.000001Z")));
  REQUIRE(answer);
  CHECK((*answer)->rejected == 2);
  CHECK((*answer)->rejects[1].reason == "in_the_future");
  CHECK((*answer)->done == applied{});
  CHECK_FALSE((*answer)->replayed);
  CHECK(d.batches() == 0);
  CHECK(d.send(request_of(poll(1, "2023-01-25T12:05:00Z"))).has_value());
}

TEST_CASE("a body that cannot be read is refused, and its bytes are given back") {
  desk d(with([](auto& o) { o.bytes_in_flight_max = 5000; }));
  for (int i = 0; i < 10; ++i) {
    const auto answer = d.send(request_of(""));
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == errc::invalid_argument);
  }
  CHECK(d.send({}).error().code == errc::invalid_argument);
  CHECK(d.send(request_of(poll(0), std::string(201, 'k'))).error().code == errc::invalid_argument);
  CHECK(d.send(request_of(std::string(5001, ' '))).error().code == errc::too_large);
  CHECK(d.send(request_of(poll(0))).has_value());
}

TEST_CASE("before any shard is placed a request is refused as not ready") {
  desk d({}, false);
  CHECK(d.send(request_of(poll(0))).error().code == errc::not_ready);
  CHECK(d.ask<applied>(d.intake, change_atom_v, update(store_deletion{"1"})).error().code == errc::not_ready);
}

TEST_CASE("a request is replayed only where all its shards say so") {
  desk d;
  d.scripts[0]->replays = true;
  auto answer = d.send(request_of(poll(0) + poll(1)));
  REQUIRE(answer);
  CHECK_FALSE((*answer)->replayed);
  d.scripts[1]->replays = true;
  answer = d.send(request_of(poll(0) + poll(1)));
  REQUIRE(answer);
  CHECK((*answer)->replayed);
  CHECK((*answer)->done.accepted == 2);
}

TEST_CASE("conflicts of all shards are listed, as many as may be") {
  desk d;
  for (const auto& s : d.scripts)
    s->conflicts.resize(60, {"x", noon, store_status::inactive});
  const auto answer = d.send(request_of(four));
  REQUIRE(answer);
  CHECK((*answer)->done.conflicts == 240);
  CHECK((*answer)->conflicts.size() == conflicts_listed_max);
}

TEST_CASE("where a shard fails the request does, and says that it may be repeated with the same key") {
  for (const auto code : {errc::disk_full, errc::storage_failing, errc::fenced, errc::damaged}) {
    desk d;
    d.scripts[1]->failure = error{code, "no luck"};
    const auto failed = d.send(request_of(four, "key"));
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == code);
    CHECK(failed.error().detail ==
          "no luck; other partitions may have applied their part, and the same request with "
          "the same key may be repeated");
    CHECK(d.batches() == 4);
    d.scripts[1]->failure.reset();
    CHECK(d.send(request_of(four, "key")).has_value());
  }
}

TEST_CASE("of several failures the gravest is told") {
  const std::vector<errc> by_gravity{errc::key_reused, errc::conflict,       errc::damaged, errc::fenced,
                                     errc::disk_full,  errc::partition_lost, errc::internal};
  for (size_t i = 0; i + 1 < by_gravity.size(); ++i)
    for (const bool swapped : {false, true}) {
      desk d;
      d.scripts[swapped ? 0 : 3]->failure = error{by_gravity[i], "grave"};
      d.scripts[swapped ? 3 : 0]->failure = error{by_gravity[i + 1], "less so"};
      CHECK(d.send(request_of(four)).error().code == by_gravity[i]);
    }
}

TEST_CASE("a partition without a shard fails the request, and the others take their part") {
  desk d;
  d.shards[2] = nullptr;
  d.place();
  CHECK(d.send(request_of(four)).error().code == errc::partition_lost);
  CHECK(d.batches() == 3);
  CHECK(d.send(request_of(poll(0))).has_value());
}

TEST_CASE("a key that comes again with another body is refused before anything is sent") {
  desk d;
  REQUIRE(d.send(request_of(poll(0), "key")));
  const auto refused = d.send(request_of(poll(1), "key"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::key_reused);
  CHECK(d.batches() == 1);
  CHECK(d.send(request_of(poll(0), "key", on_conflict::replace)).error().code == errc::key_reused);
  CHECK(d.send(request_of(poll(0), "key")).has_value());
  CHECK(d.send(request_of(poll(1), "other")).has_value());
}

TEST_CASE("keys that shards remember are known as soon as they are placed") {
  desk d({}, false);
  d.scripts[3]->marks = {ingest::mark_of(request_of(poll(0), "key"))};
  d.place();
  CHECK(d.send(request_of(poll(1), "key")).error().code == errc::key_reused);
  CHECK(d.send(request_of(poll(0), "key")).has_value());
}

TEST_CASE("a key is forgotten after its life, and beyond the limit the oldest first") {
  using words = std::array<uint64_t, 2>;
  ingest::known_keys known(3, 10s);
  const auto mark = [](uint64_t key, uint64_t body) { return batch_mark{words{key, 0}, words{body, 0}}; };
  const ingest::known_keys::time begin{};
  for (uint64_t key = 1; key <= 4; ++key)
    known.add(mark(key, 7), begin + std::chrono::seconds(key));
  CHECK(known.size() == 3);
  CHECK_FALSE(known.contradict(mark(1, 8)));
  CHECK(known.contradict(mark(2, 8)));
  CHECK_FALSE(known.contradict(mark(2, 7)));
  known.add(mark(5, 7), begin + 13s);
  CHECK_FALSE(known.contradict(mark(3, 8)));
  CHECK(known.contradict(mark(4, 8)));
}

TEST_CASE("the same request is refused while it is being applied, and taken afterwards") {
  desk d;
  d.scripts[0]->holds = true;
  auto first = d.begin(request_of(poll(0), "key"));
  const auto second = d.send(request_of(poll(0), "key"));
  REQUIRE_FALSE(second);
  CHECK(second.error().code == errc::conflict);
  CHECK(second.error().detail == "the same request is being applied now");
  auto other = d.begin(request_of(poll(0), "other key"));
  CHECK(d.scripts[0]->held.size() == 2);
  d.release(0);
  CHECK(d.take<intake_answer>(first).has_value());
  CHECK(d.take<intake_answer>(other).has_value());
  CHECK(d.send(request_of(poll(0), "key")).has_value());
}

TEST_CASE("bytes beyond the credit of the process are refused until others are answered") {
  desk d(with([](auto& o) {
    o.bytes_in_flight_max = 1000;
    o.request_bytes = 400;
  }));
  for (const bool fails : {false, true}) {
    d.scripts[0]->holds = true;
    auto first = d.begin(request_of(poll(0), fails ? "a" : "b"));
    auto second = d.begin(request_of(poll(0), fails ? "c" : "d"));
    CHECK(d.send(request_of(poll(1))).error().code == errc::overloaded);
    if (fails) {
      d.scripts[0]->failure = error{errc::disk_full, "full"};
      d.release(0);
      CHECK(d.take<intake_answer>(first).error().code == errc::disk_full);
      CHECK(d.take<intake_answer>(second).error().code == errc::disk_full);
    } else {
      d.release(0);
      CHECK(d.take<intake_answer>(first).has_value());
      CHECK(d.take<intake_answer>(second).has_value());
    }
    CHECK(d.send(request_of(poll(1))).has_value());
  }
}

TEST_CASE("bytes beyond the credit of a partition are refused for it alone") {
  desk d(with([](auto& o) { o.partition_bytes_max = 30; }));
  d.scripts[0]->holds = true;
  // One that finds nothing under way may have more.
  auto first =
      d.begin(request_of(poll(0) + poll(0, "2023-01-25T11:01:00Z") + poll(0, "2023-01-25T11:02:00Z"), "a"));
  CHECK(d.scripts[0]->held.size() == 1);
  const auto refused = d.send(request_of(poll(0), "b"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::overloaded);
  CHECK_THAT(refused.error().detail, Catch::Contains("partition 0"));
  CHECK(d.send(request_of(poll(1), "c")).has_value());
  CHECK(d.send(request_of(poll(1) + poll(0), "d")).error().code == errc::overloaded);
  d.release(0);
  CHECK(d.take<intake_answer>(first).has_value());
  CHECK(d.send(request_of(poll(0), "b")).has_value());
}

TEST_CASE("a silent shard fails the request in time, and holds its credit until it answers") {
  desk d(with([](auto& o) { o.partition_bytes_max = 20; }));
  d.scripts[0]->holds = true;
  auto first = d.begin(request_of(poll(0) + poll(1), "a"));
  d.advance(9s);
  CHECK(d.take<intake_answer>(first).error().detail == "no answer");
  d.advance(3s);
  const auto failed = d.take<intake_answer>(first);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == errc::partition_lost);
  CHECK_THAT(failed.error().detail,
             Catch::Contains("partition 0 keeps silent") && Catch::Contains("the same key"));
  CHECK(d.send(request_of(poll(0), "b")).error().code == errc::overloaded);
  d.release(0);
  CHECK(d.send(request_of(poll(0) + poll(1), "a")).has_value());
}

TEST_CASE("a shard that dies with a request under way fails it, and gives its credit back") {
  desk d(with([](auto& o) { o.partition_bytes_max = 20; }));
  d.scripts[0]->holds = true;
  auto first = d.begin(request_of(poll(0), "a"));
  d.scripts[0]->held.clear();
  d.self->send_exit(d.shards[0], caf::exit_reason::kill);
  d.settle();
  const auto failed = d.take<intake_answer>(first);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == errc::partition_lost);
  CHECK(d.send(request_of(poll(0), "a")).error().code == errc::partition_lost);
  d.scripts[0] = std::make_shared<script>();
  d.shards[0] = d.spawn_shard(d.scripts[0]);
  d.place();
  CHECK(d.send(request_of(poll(0), "a")).has_value());
}

TEST_CASE("a request that is to reject conflicts is refused as a whole, before any shard applies a row") {
  desk d;
  d.scripts[2]->contradictions = {{"7", noon, store_status::inactive}};
  const auto refused = d.send(request_of(four, "key", on_conflict::reject));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::conflict);
  CHECK(refused.error().detail == "an observation contradicts what is known: store 7 at "
                                  "2023-01-25T12:00:00.000000Z; nothing was applied");
  CHECK(d.batches() == 0);
  CHECK(d.scripts[0]->checked.size() == 1);
  // The key is free: nothing came of it.
  d.scripts[2]->contradictions.clear();
  CHECK(d.send(request_of(poll(0), "key", on_conflict::reject)).has_value());
  REQUIRE(d.scripts[0]->applied_batches.size() == 1);
  CHECK(d.scripts[0]->applied_batches[0]->reject_conflicts);
}

TEST_CASE("a shard that cannot be asked whether there are conflicts leaves everything as it is") {
  desk d;
  d.scripts[1]->failure = error{errc::storage_failing, "no luck"};
  const auto refused = d.send(request_of(four, "key", on_conflict::reject));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().detail ==
        "no luck; nothing was applied, and the same request with the same key may be repeated");
  CHECK(d.batches() == 0);
}

TEST_CASE("a batch replayed has no conflicts that count") {
  desk d;
  d.scripts[0]->replays = true;
  d.scripts[0]->contradictions = {{"7", noon, store_status::inactive}};
  CHECK(d.send(request_of(poll(0), "", on_conflict::reject)).has_value());
}

TEST_CASE("a change of one store goes to its shard, and its card comes from there") {
  desk d;
  hours_rows hours;
  hours.stores.add(store_in(1));
  zone_rows zones;
  zones.stores.add(store_in(2));
  zones.zones.add("UTC");
  for (const auto& [change, partition] :
       {std::pair(update(hours), 1u), std::pair(update(zones), 2u),
        std::pair(update(closure_change{store_in(3), {noon, noon + 1h}}), 3u),
        std::pair(update(store_deletion{store_in(0)}), 0u)}) {
    const auto done = d.ask<applied>(d.intake, change_atom_v, change);
    REQUIRE(done);
    CHECK(done->accepted == 1);
    REQUIRE(d.scripts[partition]->changes.size() == 1);
    CHECK(d.scripts[partition]->changes[0] == change);
  }
  const auto card = d.ask<shared_card>(d.intake, store_atom_v, store_in(3));
  REQUIRE(card);
  CHECK((*card)->zone == store_in(3));
}

TEST_CASE("a change of no store, of several, or of what is no fact of a store is refused") {
  desk d;
  hours_rows two;
  two.stores.add("1");
  two.stores.add("2");
  for (const auto& change :
       {update(two), update(zone_rows()), update(observation_rows()), update(batch_memory()),
        update(store_deletion{""}), update(store_deletion{std::string(129, 'x')})})
    CHECK(d.ask<applied>(d.intake, change_atom_v, change).error().code == errc::invalid_argument);
}

TEST_CASE("a change fails with its shard: by its word, its silence, its loss") {
  desk d;
  const update change = store_deletion{store_in(0)};
  d.scripts[0]->failure = error{errc::fenced, "not mine"};
  CHECK(d.ask<applied>(d.intake, change_atom_v, change).error().code == errc::fenced);
  d.scripts[0]->failure.reset();
  d.scripts[0]->holds = true;
  auto silent = d.self->request(d.intake, caf::infinite, change_atom_v, change);
  d.settle();
  d.advance(12s);
  CHECK(d.take<applied>(silent).error().code == errc::partition_lost);
  d.release(0); // too late, and told to nobody
  CHECK_FALSE(d.self->has_next_message());
  d.scripts[0]->holds = true;
  auto lost = d.self->request(d.intake, caf::infinite, change_atom_v, change);
  d.settle();
  auto without = d.shards;
  without[0] = nullptr;
  d.self->send(d.intake, placed_atom_v, without);
  d.settle();
  CHECK(d.take<applied>(lost).error().code == errc::partition_lost);
}

TEST_CASE("stop takes nothing more and is answered once nothing is under way") {
  desk d;
  d.scripts[0]->holds = true;
  auto first = d.begin(request_of(poll(0)));
  auto change = d.self->request(d.intake, caf::infinite, change_atom_v, update(store_deletion{store_in(0)}));
  d.settle();
  auto stopped = d.self->request(d.intake, caf::infinite, stop_atom_v);
  d.settle();
  CHECK_FALSE(d.self->has_next_message());
  CHECK(d.send(request_of(poll(1))).error().code == errc::shutting_down);
  d.release(0);
  CHECK(d.take<intake_answer>(first).has_value());
  CHECK(d.take<applied>(change).has_value());
  CHECK(d.take<bool>(stopped).has_value());
  CHECK(d.idle());
}

TEST_CASE("an intake that ends takes its workers and its desk with it") {
  desk d;
  d.scripts[0]->holds = true;
  d.begin(request_of(poll(0)));
  const auto running = d.system.registry().running();
  d.self->send_exit(d.intake, caf::exit_reason::user_shutdown);
  d.settle();
  CHECK(d.system.registry().running() == running - 3);
  d.release(0);
}
