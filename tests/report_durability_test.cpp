/// Reports that outlive the coordinator, against a journal that answers as a script says, on a scheduler that
/// stands still until told.
#include "storemon/partition/shard_actor.hpp"
#include "storemon/report/coordinator_actor.hpp"
#include "storemon/report/file_cache.hpp"
#include "storemon/report/frames.hpp"

#include "support/fake_report_journal.hpp"
#include "support/fake_shard.hpp"
#include "support/fleet.hpp"
#include "support/results.hpp"
#include "support/sim.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

using namespace storemon;
using namespace storemon::protocol;
using namespace std::chrono_literals;

namespace {

constexpr uint32_t partitions = 2;
constexpr auto noon = instant(std::chrono::sys_days(std::chrono::January / 25 / 2023) + 12h);

using file_ptr = std::shared_ptr<const report_file>;
using strings = std::vector<std::string>;

/// Shards of forty stores, under a coordinator with a journal; both may be started anew, the shards stay.
/// Ids are "report-1", "report-2", … over all coordinators, whose clock stands at noon.
class site : public test::sim {
public:
  explicit site(std::function<void(report::coordinator_options&)> change = {}) : change_(std::move(change)) {
    for (uint32_t p = 0; p < partitions; ++p)
      shards.push_back(owns(system.spawn(partition::shard, partition::shard_options{})));
    for (int i = 0; i < 40; ++i) {
      const auto store = test::well_known_store("store-" + std::to_string(i));
      for (const auto& u : store.updates)
        REQUIRE(ask<applied>(shards[store.partition(partitions)], apply_atom_v, shared_update(u)));
    }
    start();
  }

  ~site() { journal->held.clear(); } // what is held holds its actor

  /// A coordinator and a journal over what the script keeps; those before end.
  void start() {
    for (const auto& gone : running_)
      self->send_exit(gone, caf::exit_reason::kill);
    settle();
    kept_by_ = owns(system.spawn(test::fake_journal, journal));
    report::coordinator_options options;
    options.running_max = 3;
    options.keep.reports_max = 3;
    options.timeout = 60s;
    options.now = [] { return noon; };
    options.new_id = [this] { return "report-" + std::to_string(++ids_); };
    options.log_error = [to = log_](const std::string& sentence) { to->push_back(sentence); };
    options.journal = kept_by_;
    if (change_)
      change_(options);
    coordinator = owns(caf::actor_cast<coordinator_actor>(system.spawn(report::coordinator, options)));
    running_ = {caf::actor_cast<caf::actor>(coordinator), caf::actor_cast<caf::actor>(kept_by_)};
    self->send(coordinator, placed_atom_v, shards);
    settle();
  }

  /// Lets puts held go on, and runs until all is quiet.
  void release(uint32_t count) {
    self->send(kept_by_, next_atom_v, count);
    settle();
  }

  /// Holds no more.
  void release() {
    journal->holds = false;
    release(static_cast<uint32_t>(journal->held.size()));
  }

  /// Triggers, and runs until all is quiet.
  std::string run(report_request request = {}) {
    const auto id = ask<std::string>(coordinator, trigger_atom_v, std::move(request));
    REQUIRE(id);
    return *id;
  }

  report_status poll(const std::string& id) {
    auto status = ask<report_status>(coordinator, poll_atom_v, id);
    REQUIRE(status);
    return *status;
  }

  std::vector<report_status> list() {
    auto all = ask<std::vector<report_status>>(coordinator, list_atom_v);
    REQUIRE(all);
    return *all;
  }

  strings listed() {
    strings ids;
    for (const auto& status : list())
      ids.push_back(status.id);
    return ids;
  }

  result<file_ptr> file(const std::string& name) { return ask<file_ptr>(coordinator, file_atom_v, name); }

  std::shared_ptr<test::journal_script> journal = std::make_shared<test::journal_script>();
  std::vector<shard_actor> shards;
  coordinator_actor coordinator;

private:
  std::shared_ptr<strings> log_ = std::make_shared<strings>(); // actors end after this object

public:
  strings& log = *log_;

private:
  std::function<void(report::coordinator_options&)> change_;
  int ids_ = 0;
  test::fake_journal_actor kept_by_;
  std::vector<caf::actor> running_;
};

/// A report's text, from a coordinator without a journal.
std::string text_without_journal(report_request request = {}) {
  site s([](report::coordinator_options& o) { o.journal = nullptr; });
  const auto status = s.poll(s.run(std::move(request)));
  REQUIRE(status.file);
  CHECK_FALSE(status.durable);
  CHECK(status.file_name == status.file->name);
  CHECK(status.file_bytes == status.file->bytes.size());
  CHECK(status.file->hash == hash_of(status.file->bytes));
  return status.file->bytes;
}

} // namespace

TEST_CASE("a report is put into the journal before its trigger is answered, and computed meanwhile") {
  site s;
  s.journal->holds = true;
  auto asked = s.self->request(s.coordinator, caf::infinite, trigger_atom_v, report_request());
  s.settle();
  CHECK_FALSE(s.self->has_next_message());
  CHECK(s.journal->calls == strings{"put report-1 Running", "put report-1 Complete"});
  auto status = s.poll("report-1");
  CHECK(status.state == report_state::running);
  CHECK(status.stores_done == 40);
  s.release();
  CHECK(s.take<std::string>(asked).value() == "report-1");
  CHECK(s.poll("report-1").state == report_state::complete);
}

TEST_CASE("a report is told to be complete only once the journal has its bytes") {
  site s;
  auto asked = s.self->request(s.coordinator, caf::infinite, trigger_atom_v, report_request());
  while (!s.self->has_next_message())
    REQUIRE(s.scheduler.try_run_once());
  s.journal->holds = true;
  s.settle();
  REQUIRE(s.take<std::string>(asked));
  auto status = s.poll("report-1");
  CHECK(status.state == report_state::running);
  CHECK(status.durable);
  CHECK(status.file_name.empty());
  CHECK(s.file("store_report_20230125_120000.csv").error().code == errc::not_found);
  s.release();
  status = s.poll("report-1");
  CHECK(status.state == report_state::complete);
  CHECK(status.durable);
  CHECK(status.file_name == "store_report_20230125_120000.csv");
  const auto& kept = s.journal->kept.at("report-1");
  CHECK(kept.status.state == report_state::complete);
  CHECK(kept.status.finished == noon);
  CHECK(kept.status.file_name == status.file_name);
  CHECK(kept.status.file_bytes == status.file_bytes);
  CHECK_FALSE(kept.status.file);
  const auto text = report::expand(*kept.bytes, status.file_bytes);
  REQUIRE(text);
  CHECK(*text == text_without_journal());
}

TEST_CASE("a restart gives a complete report back, with the same bytes") {
  const auto expected = text_without_journal({.as_of = noon - 1min});
  site s;
  const auto id = s.run({.as_of = noon - 1min});
  const auto before = s.poll(id);
  const auto first = s.file(before.file_name);
  REQUIRE(first);
  CHECK(s.journal->reads_of_bytes == 0);
  s.start();
  const auto after = s.poll(id);
  CHECK(after.state == report_state::complete);
  CHECK(after.durable);
  CHECK_FALSE(after.file);
  CHECK(after.as_of == noon - 1min);
  CHECK(after.created == before.created);
  CHECK(after.finished == before.finished);
  CHECK(after.stores_done == 40);
  CHECK(after.file_name == before.file_name);
  CHECK(after.file_bytes == before.file_bytes);
  const auto again = s.file(after.file_name);
  REQUIRE(again);
  CHECK((*again)->name == after.file_name);
  CHECK((*first)->bytes == expected);
  CHECK((*again)->bytes == expected);
  CHECK((*again)->hash == (*first)->hash);
  CHECK(s.file(after.file_name).value() == *again);
  CHECK(s.journal->reads_of_bytes == 1);
}

TEST_CASE("a restart makes a report that ran an error, in the journal too") {
  site s;
  s.journal->holds = true;
  s.self->send(s.coordinator, trigger_atom_v, report_request());
  s.settle();
  s.release(1); // the put of the begin; the server ends before that of the end
  CHECK(s.journal->kept.at("report-1").status.state == report_state::running);
  s.journal->held.clear();
  s.journal->holds = false;
  s.start();
  const auto status = s.poll("report-1");
  CHECK(status.state == report_state::failed);
  CHECK(status.failure.code == errc::interrupted);
  CHECK(status.failure.detail == "interrupted: the server ended while this report ran");
  CHECK(status.finished == noon);
  CHECK(s.journal->kept.at("report-1").status.state == report_state::failed);
  s.start();
  CHECK(s.poll("report-1").failure.code == errc::interrupted);
}

TEST_CASE(
    "while the journal cannot keep it a report runs all the same, is not durable, and stays in memory") {
  const auto code = GENERATE(errc::disk_full, errc::storage_failing);
  site s;
  s.journal->puts = code;
  const auto id = s.run();
  const auto status = s.poll(id);
  CHECK(status.state == report_state::complete);
  CHECK_FALSE(status.durable);
  REQUIRE(status.file);
  CHECK(s.file(status.file_name).value() == status.file);
  CHECK(s.journal->reads_of_bytes == 0);
  REQUIRE(s.log.size() == 2);
  CHECK(s.log[0].find(id) != std::string::npos);
  CHECK(s.log[0].find(to_string(code)) != std::string::npos);
  s.journal->puts = errc::ok;
  CHECK(s.poll(s.run()).durable);
}

TEST_CASE("failed and cancelled reports outlive a restart, as they were") {
  site s;
  const auto failed = s.run({.columns = column_set::full, .windows = {{"later", {noon, noon + 1h}}}});
  s.journal->holds = true;
  auto asked = s.self->request(s.coordinator, caf::infinite, trigger_atom_v, report_request());
  const auto cancelled = [&] {
    auto answer = s.self->request(s.coordinator, caf::infinite, cancel_atom_v, std::string("report-2"));
    s.release();
    REQUIRE(s.take<std::string>(asked));
    return s.take<report_status>(answer);
  }();
  REQUIRE(cancelled);
  CHECK(cancelled->state == report_state::cancelled);
  CHECK(s.poll("report-2").durable);
  s.start();
  CHECK(s.poll(failed).failure.code == errc::invalid_argument);
  CHECK(s.poll("report-2").state == report_state::cancelled);
  CHECK(s.poll("report-2").failure.code == errc::cancelled);
}

TEST_CASE("a report cancelled while its end is being put stays cancelled, and is so after a restart") {
  site s;
  auto asked = s.self->request(s.coordinator, caf::infinite, trigger_atom_v, report_request());
  while (!s.self->has_next_message())
    REQUIRE(s.scheduler.try_run_once());
  REQUIRE(s.take<std::string>(asked));
  s.journal->holds = true;
  s.settle();
  REQUIRE(s.journal->calls.back() == "put report-1 Complete");
  const auto answer = s.ask<report_status>(s.coordinator, cancel_atom_v, std::string("report-1"));
  REQUIRE(answer);
  CHECK(answer->state == report_state::cancelled);
  CHECK_FALSE(answer->durable);
  s.release(1); // the put of the complete one succeeds, and does not count any more
  CHECK_FALSE(s.poll("report-1").durable);
  s.release();
  CHECK(s.poll("report-1").state == report_state::cancelled);
  CHECK(s.poll("report-1").durable);
  CHECK(s.file("store_report_20230125_120000.csv").error().code == errc::not_found);
  s.start();
  CHECK(s.poll("report-1").state == report_state::cancelled);
  const auto next = s.run();
  CHECK(s.poll(next).file_name == "store_report_20230125_120000.csv");
}

TEST_CASE("reports that leave the list are dropped from the journal, those it fails to drop with the next") {
  site s;
  for (int i = 0; i < 3; ++i)
    s.run();
  CHECK(s.journal->kept.size() == 3);
  s.journal->drops = errc::storage_failing;
  s.run();
  CHECK(s.journal->calls.back() == "drop report-1");
  CHECK(s.log.size() == 1);
  CHECK(s.journal->kept.size() == 4);
  s.journal->drops = errc::ok;
  s.run();
  CHECK(s.journal->kept.size() == 3);
  CHECK(s.listed() == strings{"report-3", "report-4", "report-5"});
  CHECK(s.ask<report_status>(s.coordinator, poll_atom_v, std::string("report-2")).error().code ==
        errc::not_found);
}

TEST_CASE("a restart with more reports than are kept drops those that ended first") {
  const auto reports_max = std::make_shared<size_t>(3);
  site s([=](report::coordinator_options& o) { o.keep.reports_max = *reports_max; });
  for (int i = 0; i < 3; ++i)
    s.run();
  for (int i = 1; i <= 3; ++i)
    s.journal->kept.at("report-" + std::to_string(i)).status.finished = noon - i * 1min;
  *reports_max = 2;
  s.start();
  CHECK(s.listed() == strings{"report-1", "report-2"});
  CHECK(s.journal->kept.size() == 2);
  CHECK_FALSE(s.journal->kept.count("report-3"));
}

TEST_CASE("the list's order, newest first, is the same after a restart") {
  const auto hour = std::make_shared<instant>(noon);
  site s([=](report::coordinator_options& o) { o.now = [=] { return *hour; }; });
  for (const auto at : {noon + 1s, noon + 3s, noon + 2s}) {
    *hour = at;
    s.run();
  }
  CHECK(s.listed() == strings{"report-2", "report-3", "report-1"});
  s.start();
  CHECK(s.listed() == strings{"report-2", "report-3", "report-1"});
}

TEST_CASE("a file name means one file, over all restarts") {
  site s;
  const auto first = s.poll(s.run({.as_of = noon})).file_name;
  const auto bytes = s.file(first).value()->bytes;
  s.start();
  const auto second = s.poll(s.run({.as_of = noon - 70min})).file_name;
  CHECK(first == "store_report_20230125_120000.csv");
  CHECK(second == "store_report_20230125_120000_2.csv");
  CHECK(s.file(first).value()->bytes == bytes);
  CHECK(s.file(second).value()->bytes != bytes);
}

TEST_CASE("bytes that are not those that were put are an error, not a file") {
  site s;
  const auto id = s.run();
  const auto name = s.poll(id).file_name;
  s.start();
  auto& kept = s.journal->kept.at(id);
  SECTION("no frames") {
    kept.bytes = std::make_shared<const std::string>("store_id\n");
  }
  SECTION("too few") {
    kept.bytes = std::make_shared<const std::string>(kept.bytes->substr(0, kept.bytes->size() / 2));
  }
  SECTION("too many") {
    kept.bytes = std::make_shared<const std::string>(*kept.bytes + report::compress("x"));
  }
  SECTION("none") {
    kept.bytes = std::make_shared<const std::string>();
  }
  const auto file = s.file(name);
  REQUIRE(!file);
  CHECK(file.error().code == errc::damaged);
  CHECK(file.error().detail.find(id) != std::string::npos);
  CHECK(s.log.size() == 1);
}

TEST_CASE("a journal that cannot be read now is asked again, and meanwhile nothing is ready") {
  site s;
  s.run();
  s.journal->reads = errc::storage_failing;
  s.start();
  const auto code_of = [](const auto& answer) { return answer ? errc::ok : answer.error().code; };
  CHECK(code_of(s.ask<std::string>(s.coordinator, trigger_atom_v, report_request())) == errc::not_ready);
  CHECK(code_of(s.ask<report_status>(s.coordinator, poll_atom_v, std::string("report-1"))) ==
        errc::not_ready);
  CHECK(code_of(s.ask<std::vector<report_status>>(s.coordinator, list_atom_v)) == errc::not_ready);
  CHECK(code_of(s.file("store_report_20230125_120000.csv")) == errc::not_ready);
  CHECK(s.log.size() == 1);
  s.journal->reads = errc::ok;
  s.advance(1s);
  CHECK(s.listed() == strings{"report-1"});
}

TEST_CASE("clients that want one file at once have it read once; too many files at once are refused") {
  site s([](report::coordinator_options& o) {
    o.loads_max = 1;
    o.cache_bytes_max = 0;
  });
  const auto first = s.poll(s.run()).file_name;
  const auto second = s.poll(s.run()).file_name;
  s.start();
  auto a = s.self->request(s.coordinator, caf::infinite, file_atom_v, first);
  auto b = s.self->request(s.coordinator, caf::infinite, file_atom_v, first);
  auto c = s.self->request(s.coordinator, caf::infinite, file_atom_v, second);
  s.settle();
  const auto refused = s.take<file_ptr>(c);
  REQUIRE(!refused);
  CHECK(refused.error().code == errc::busy);
  const auto held = s.take<file_ptr>(a);
  REQUIRE(held);
  CHECK(s.take<file_ptr>(b).value() == *held);
  CHECK(s.journal->reads_of_bytes == 1);
  CHECK(s.file(first).value() == *held); // beyond the cache's bound, but still held by a client
  CHECK(s.journal->reads_of_bytes == 1);
  CHECK(s.file(second));
  CHECK(s.journal->reads_of_bytes == 2);
}

TEST_CASE(
    "a journal that keeps silent is waited for as long as a report may take, and a stop waits for puts") {
  site s;
  s.journal->holds = true;
  auto asked = s.self->request(s.coordinator, caf::infinite, trigger_atom_v, report_request());
  auto stop = s.self->request(s.coordinator, caf::infinite, stop_atom_v);
  s.settle();
  CHECK_FALSE(s.self->has_next_message());
  s.advance(60s);
  CHECK(s.take<std::string>(asked).value() == "report-1");
  CHECK(s.take<bool>(stop).value());
  const auto status = s.poll("report-1");
  CHECK(status.state == report_state::complete);
  CHECK_FALSE(status.durable);
  CHECK(status.file);
}

TEST_CASE("partitions that are damaged are named as gaps, in the journal too") {
  site s;
  CHECK(s.poll(s.run()).gaps.empty());
  for (auto& shard : s.shards)
    shard = s.owns(s.system.spawn(test::fake_shard, census{.newest = noon, .damaged = true}, false));
  s.shards.insert(s.shards.begin() + 1, s.owns(s.system.spawn(test::fake_shard, census{}, false)));
  s.start();
  const auto id = s.run();
  CHECK(s.poll(id).state == report_state::complete);
  CHECK(s.poll(id).gaps == std::vector<uint32_t>{0, 2});
  s.start();
  CHECK(s.poll(id).gaps == std::vector<uint32_t>{0, 2});
}

TEST_CASE("frames of pieces, one after the other, are the text") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    std::string text;
    std::string frames;
    for (auto n = random() % 6; n > 0; --n) {
      std::string piece;
      for (auto rows = random() % 300; rows > 0; --rows)
        piece += std::to_string(random() % 50) + ",0,1.74\n";
      text += piece;
      frames += report::compress(piece);
    }
    REQUIRE(report::expand(frames, text.size()).value() == text);
    const auto longer = report::expand(frames, text.size() + 1);
    REQUIRE(!longer);
    CHECK(longer.error().code == errc::damaged);
    if (!text.empty())
      CHECK(!report::expand(frames, text.size() - 1));
  }
  CHECK(report::compress(std::string(100'000, 'x')).size() < 1000);
}

TEST_CASE("frames that claim more than memory holds are refused before any is taken") {
  auto frame = report::compress(std::string(100'000, 'x'));
  CHECK(!report::expand(frame, uint64_t{1} << 60));
  CHECK(!report::expand(frame, 99'999));
}

TEST_CASE("the cache holds the files used last within its bound, and knows those held elsewhere") {
  report::file_cache cache(100);
  const auto keep = [&](const std::string& id, size_t bytes) {
    cache.keep(id, std::make_shared<const report_file>(id + ".csv", std::string(bytes, 'x')));
  };
  keep("a", 40);
  keep("b", 40);
  CHECK(cache.find("a"));
  keep("c", 40);
  CHECK(cache.bytes() == 80);
  CHECK_FALSE(cache.find("b"));
  CHECK(cache.find("a"));
  CHECK(cache.find("c"));
  const auto large = std::make_shared<const report_file>("large.csv", std::string(101, 'x'));
  cache.keep("large", large);
  CHECK(cache.find("large") == large);
  CHECK(cache.bytes() == 80);
  CHECK(cache.find("a"));
  keep("a", 100);
  CHECK(cache.bytes() == 100);
  CHECK_FALSE(cache.find("c"));
  cache.forget("a");
  cache.forget("large");
  CHECK(cache.bytes() == 0);
  CHECK_FALSE(cache.find("a"));
  CHECK_FALSE(cache.find("large"));
}
