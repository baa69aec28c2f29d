/// Imports of single files, and the desk at which clients order them.
#include "storemon/ingest/import_desk_actor.hpp"
#include "storemon/node/engine.hpp"
#include "storemon/partition/shard_actor.hpp"

#include "support/results.hpp"
#include "support/scratch_directory.hpp"
#include "support/slow_feed.hpp"

#include <catch2/catch.hpp>

#include <mutex>

using namespace storemon;
using namespace storemon::protocol;
using namespace std::chrono;

namespace {

using import_answer = std::shared_ptr<const import_result>;

/// What shards were told to apply, and how they answer.
struct shard_script {
  std::mutex mutex;
  std::vector<std::pair<uint32_t, update>> changes; // with the partition
  std::optional<error> failure;
};

shard_actor::behavior_type told_shard(shard_actor::pointer, uint32_t partition,
                                      std::shared_ptr<shard_script> s) {
  return {
      [](load_atom) { return loaded(); },
      [s, partition](apply_atom, const shared_update& change) -> caf::result<applied> {
        const std::lock_guard lock(s->mutex);
        if (s->failure)
          return to_caf(*s->failure);
        s->changes.emplace_back(partition, *change);
        return applied{1, 0, 0};
      },
      [](batch_atom, const shared_batch&) { return batch_result(); },
      [](check_atom, const shared_batch&) { return batch_result(); },
      [](marks_atom) { return shared_marks(); },
      [](census_atom) { return census(); },
      [](rows_atom, const shared_spec&, const std::string&) { return shared_columns(); },
      [](quality_atom) { return shared_quality(); },
      [](store_atom, const std::string&) { return shared_card(); },
      [](portrait_atom, const std::string&, const shared_spec&) { return shared_portrait(); },
      [](timeline_atom, const std::string&, const shared_spec&) { return shared_timeline(); },
      [](fit_atom, const fit_order&) { return fit_slice(); },
      [](counts_atom, uint64_t, const shared_weights&) { return shared_counts(); },
      [](drop_atom, uint64_t) {},
  };
}

/// Shards, and a desk before them, on real threads: importers block.
class house {
public:
  static constexpr uint32_t partitions = 3;

  explicit house(ingest::import_desk_options options = {}) : config_(2, false), system_(config_) {
    for (uint32_t p = 0; p < partitions; ++p)
      shards.push_back(system_.spawn(told_shard, p, script));
    options.now = [] { return instant(); };
    options.log_error = [this](const std::string& what) {
      const std::lock_guard lock(script->mutex);
      logged.push_back(what);
    };
    desk = system_.spawn(ingest::import_desk, options);
    caf::anon_send(desk, placed_atom_v, shards);
  }

  ~house() {
    caf::anon_send_exit(desk, caf::exit_reason::user_shutdown);
    for (const auto& shard : shards)
      caf::anon_send_exit(shard, caf::exit_reason::user_shutdown);
  }

  house(const house&) = delete;
  house& operator=(const house&) = delete;

  result<import_answer> import(std::vector<ingest::import_source> sources) {
    ingest::importer_options options;
    options.sources = std::move(sources);
    options.shards = shards;
    const auto importer = system_.spawn<caf::detached>(ingest::importer, std::move(options));
    return node::ask<import_answer>(system_, importer, import_atom_v);
  }

  result<import_status> order(const import_order& order) {
    return node::ask<import_status>(system_, desk, import_atom_v, order);
  }

  std::vector<import_status> list() {
    return node::ask<std::vector<import_status>>(system_, desk, list_atom_v).value();
  }

  caf::actor_system& system() { return system_; }

  // What actors use outlives their system.
  std::shared_ptr<shard_script> script = std::make_shared<shard_script>();
  std::vector<std::string> logged;

private:
  node::actor_config config_;
  caf::actor_system system_;

public:
  std::vector<shard_actor> shards;
  ingest::import_desk_actor desk;
};

const std::string hours_header = "store_id,day,start_time_local,end_time_local\n";
const std::string status_header = "store_id,status,timestamp_utc\n";

/// Hours of many stores, a row a day each, the days far apart in the file.
std::string long_hours(int stores) {
  auto text = hours_header;
  for (int day = 0; day < 7; ++day)
    for (int s = 0; s < stores; ++s)
      text += std::to_string(s) + "," + std::to_string(day) + ",09:00,17:00\n";
  return text;
}

} // namespace

TEST_CASE("files are imported by what their headers say, with the date that hours are valid from") {
  const test::scratch_directory scratch;
  house h;
  const auto done =
      h.import({{.path = scratch.write("a", long_hours(20)), .valid_from = local_days(2023y / March / 1)},
                {.path = scratch.write("b", "timezone_str,store_id\nUTC,1\n"), .name = "zones"},
                {.path = scratch.write("c", status_header + "1,active,2023-01-25 12:00:00 UTC\n")}});
  REQUIRE(done);
  REQUIRE((*done)->feeds.size() == 3);
  CHECK((*done)->feeds[0].file == (scratch.path() / "a").string());
  CHECK((*done)->feeds[1].file == "zones");
  size_t hours = 0;
  for (const auto& [partition, change] : h.script->changes)
    if (const auto* rows = std::get_if<hours_rows>(&change)) {
      ++hours;
      CHECK(rows->valid_from == local_days(2023y / March / 1));
    }
  CHECK(hours == house::partitions);
}

TEST_CASE("a file of hours in many chunks is one update a partition") {
  const test::scratch_directory scratch;
  house h;
  constexpr int stores = 50'000; // 7 chunks
  REQUIRE(h.import({{.path = scratch.write("hours", long_hours(stores))}}));
  size_t rows = 0;
  std::set<uint32_t> partitions;
  for (const auto& [partition, change] : h.script->changes) {
    CHECK(partitions.insert(partition).second);
    rows += std::get<hours_rows>(change).rows.size();
  }
  CHECK(partitions.size() == house::partitions);
  CHECK(rows == 7 * stores);
}

TEST_CASE("a file whose header fits no feed, or not the one given, is refused and nothing is applied") {
  const test::scratch_directory scratch;
  house h;
  const auto good = scratch.write("good", "store_id,timezone_str\n1,UTC\n");
  const auto refused = [&](const std::string& header, std::optional<feed_kind> kind) {
    const auto done =
        h.import({{.path = good},
                  {.kind = kind, .path = scratch.write("bad", header + "\n1,1,1,1,1,1\n"), .name = "it"}});
    REQUIRE_FALSE(done);
    CHECK(done.error().code == errc::bad_feed);
    return done.error().detail;
  };
  CHECK(refused("a,b", std::nullopt) == "it: the header fits none of the feeds");
  CHECK(refused("store_id,timezone_str,status,timestamp_utc", std::nullopt) ==
        "it: the header fits more than one feed");
  CHECK(refused("store_id,timezone_str", feed_kind::status) ==
        "it: the status feed's header lacks: status, timestamp_utc");
  CHECK(h.script->changes.empty());
}

TEST_CASE("an import fails where nothing can be made durable, and loses partitions that fail otherwise") {
  const test::scratch_directory scratch;
  const auto file = scratch.write("hours", long_hours(100));
  for (const auto code : {errc::disk_full, errc::storage_failing}) {
    house h;
    h.script->failure = error{code, "no luck"};
    const auto done = h.import({{.path = file}});
    REQUIRE_FALSE(done);
    CHECK(done.error().code == code);
    CHECK(done.error().detail == "no luck");
  }
  house h;
  h.script->failure = error{errc::damaged, "no luck"};
  const auto done = h.import({{.path = file}});
  REQUIRE(done);
  CHECK((*done)->partitions_lost.size() == house::partitions);
}

TEST_CASE("an ordered import answers how it ended, is remembered, and its file is gone") {
  const test::scratch_directory scratch;
  house h;
  const auto good = scratch.write("good", hours_header + "1,0,09:00,17:00\n1,9,09:00,17:00\n");
  const auto bad = scratch.write("bad", status_header);
  const auto done = h.order({"one", feed_kind::hours, good, local_days(2023y / March / 1)});
  REQUIRE(done);
  REQUIRE(done->result);
  CHECK(done->failure.code == errc::ok);
  CHECK(done->finished);
  CHECK(done->result->feeds.at(0).file == "hours feed");
  CHECK(done->result->feeds.at(0).rejected == 1);
  CHECK(done->progress.bytes_done == done->progress.bytes_total);
  CHECK(std::get<hours_rows>(h.script->changes.at(0).second).valid_from == local_days(2023y / March / 1));
  const auto failed = h.order({"two", feed_kind::hours, bad, always_valid});
  REQUIRE(failed);
  CHECK_FALSE(failed->result);
  CHECK(failed->failure.code == errc::bad_feed);
  const auto empty = h.order({"three", feed_kind::hours, scratch.write("empty", ""), always_valid});
  REQUIRE(empty);
  CHECK(empty->failure.detail == "hours feed is empty: it has no header line");
  const auto unreadable =
      h.order({"four", feed_kind::hours, (scratch.path() / "none").string(), always_valid});
  REQUIRE(unreadable);
  CHECK(unreadable->failure.detail == "cannot open hours feed: No such file or directory");
  CHECK_FALSE(std::filesystem::exists(good));
  CHECK_FALSE(std::filesystem::exists(bad));
  const auto all = h.list();
  REQUIRE(all.size() == 4);
  CHECK(all[2].id == "two");
  CHECK(all[3].id == "one");
  const auto one = node::ask<import_status>(h.system(), h.desk, poll_atom_v, std::string("one"));
  REQUIRE(one);
  CHECK(one->result == done->result);
  const auto none = node::ask<import_status>(h.system(), h.desk, poll_atom_v, std::string("five"));
  REQUIRE_FALSE(none);
  CHECK(none.error().code == errc::not_found);
  CHECK(h.logged.size() == 1); // of the file that was not there
}

TEST_CASE("an order's file that cannot be removed is told in the log") {
  const test::scratch_directory scratch;
  house h;
  const auto done = h.order({"one", feed_kind::hours, (scratch.path() / "none").string(), always_valid});
  REQUIRE(done);
  CHECK(done->failure.code == errc::io_failed);
  REQUIRE(h.logged.size() == 1);
  CHECK_THAT(h.logged[0], Catch::EndsWith("none: it is not there"));
}

TEST_CASE(
    "only so many imports run at once; stop waits for them, and one more is refused with its file removed") {
  const test::scratch_directory scratch;
  house h;
  test::slow_feed slow((scratch.path() / "slow").string());
  caf::scoped_actor self(h.system());
  auto running = self->request(
      h.desk, caf::infinite, import_atom_v,
      import_order{"slow", feed_kind::status, (scratch.path() / "slow").string(), always_valid});
  slow.await_reader();
  slow.write(test::slow_feed::header);
  CHECK_FALSE(h.list().at(0).finished);
  const auto second = scratch.write("second", status_header);
  const auto refused = h.order({"second", feed_kind::status, second, always_valid});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::busy);
  CHECK_FALSE(std::filesystem::exists(second));
  auto stopped = self->request(h.desk, caf::infinite, stop_atom_v);
  const auto third =
      h.order({"third", feed_kind::status, scratch.write("third", status_header), always_valid});
  CHECK(third.error().code == errc::shutting_down);
  slow.write("1,active,2023-01-25 12:00:00 UTC\n");
  slow.end();
  running.receive([](const import_status& status) { CHECK(status.result); },
                  [](const caf::error&) { FAIL("the import failed"); });
  stopped.receive([](bool) {}, [](const caf::error&) { FAIL("stop failed"); });
  CHECK(h.list().size() == 1);
}

TEST_CASE("imports are remembered up to a limit, the newest") {
  const test::scratch_directory scratch;
  ingest::import_desk_options options;
  options.kept_max = 2;
  house h(options);
  for (const auto* id : {"a", "b", "c"})
    REQUIRE(h.order({id, feed_kind::status, scratch.write(id, status_header), always_valid}));
  const auto all = h.list();
  REQUIRE(all.size() == 2);
  CHECK(all[0].id == "c");
  CHECK(all[1].id == "b");
}

TEST_CASE("an order needs all partitions, and an id that is new") {
  const test::scratch_directory scratch;
  house h;
  const auto file = [&] { return scratch.write("file", status_header); };
  REQUIRE(h.order({"a", feed_kind::status, file(), always_valid}));
  CHECK(h.order({"a", feed_kind::status, file(), always_valid}).error().code == errc::invalid_argument);
  auto without = h.shards;
  without[1] = nullptr;
  caf::anon_send(h.desk, placed_atom_v, without);
  CHECK(h.order({"b", feed_kind::status, file(), always_valid}).error().code == errc::partition_lost);
  caf::anon_send(h.desk, placed_atom_v, std::vector<shard_actor>());
  CHECK(h.order({"b", feed_kind::status, file(), always_valid}).error().code == errc::not_ready);
  h.script->failure = error{errc::damaged, "no luck"};
  caf::anon_send(h.desk, placed_atom_v, h.shards);
  scratch.write("file", hours_header + "1,0,09:00,17:00\n");
  const auto failed = h.order({"c", feed_kind::hours, (scratch.path() / "file").string(), always_valid});
  REQUIRE(failed);
  CHECK(failed->failure.code == errc::partition_lost);
}
