/// What goes in can be got out: the feeds of any state, written as they are exported and read as they are
/// imported, make that state, in whatever order.
#include "storemon/node/feed_text.hpp"

#include "support/naive_csv.hpp"
#include "support/partition_states.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <random>

using namespace storemon;
using namespace storemon::test;
using namespace std::chrono_literals;
using partition::partition_data;

namespace {

using changes = std::vector<std::shared_ptr<const update>>;
using feed_texts = std::map<feed_kind, std::string>;

feed_texts exported(partition_data& data) {
  feed_texts texts;
  for (const auto feed : all_feeds) {
    texts[feed] = node::feed_header(feed);
    data.for_each_store([&](const partition::store& s) { node::append_feed_lines(feed, s, texts[feed]); });
  }
  return texts;
}

/// The updates that an import makes of a feed whose lines come in any order.
changes updates_of(feed_kind feed, const std::string& text, std::mt19937_64& random) {
  const auto header = text.find('\n');
  const auto where = ingest::read_header(feed, text.substr(0, header)).value();
  auto records = naive::read_records(text.substr(header + 1));
  std::shuffle(records.begin(), records.end(), random);
  changes updates;
  ingest::router_options options;
  options.partitions = 1;
  options.rows_max = 1 + random() % 20;
  ingest::feed_parser parser(where, options, [&](uint32_t, update change) {
    updates.push_back(std::make_shared<update>(std::move(change)));
  });
  std::string chunk;
  for (const auto& r : records) {
    chunk += r.text + "\n";
    if (random() % 8 == 0)
      REQUIRE(parser.parse(std::exchange(chunk, "")).rejected.total() == 0);
  }
  REQUIRE(parser.parse(chunk).rejected.total() == 0);
  parser.flush();
  return updates;
}

/// All feeds read, and their updates applied as they come from several parsers and several imports.
partition_data imported(const feed_texts& texts, uint64_t seed) {
  std::mt19937_64 random(seed);
  changes updates;
  changes hours; // these come from one parser, in order of their dates
  for (const auto& [feed, text] : texts)
    for (const auto& change : updates_of(feed, text, random))
      (feed == feed_kind::hours ? hours : updates).push_back(change);
  std::shuffle(updates.begin(), updates.end(), random);
  partition_data data;
  size_t next = 0;
  for (const auto& change : hours) {
    const auto before = next + random() % (updates.size() - next + 1);
    for (; next < before; ++next)
      data.apply(*updates[next]);
    data.apply(*change);
  }
  for (; next < updates.size(); ++next)
    data.apply(*updates[next]);
  return data;
}

} // namespace

TEST_CASE("the feeds of any state make that state again, their lines in any order and the feeds too") {
  size_t corrected = 0;
  size_t closed = 0;
  size_t nameless = 0; // stores that only the stores feed names
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    change_maker maker(seed);
    partition_data live;
    for (auto steps = 1 + maker.below(maker.below(2) ? 6 : 60); steps > 0; --steps)
      live.apply(maker.entry().change);
    if (seed % 10 == 0) {
      observation_rows named;
      named.stores.add("by name alone");
      live.apply(update(std::move(named)));
    }
    const auto texts = exported(live);
    auto again = imported(texts, seed);
    require_same(again, live);
    REQUIRE(exported(again) == texts);
    live.for_each_store([&](const partition::store& s) {
      corrected += s.pins.size();
      closed += s.closures.size();
      nameless += s.observations.empty() && s.hours.empty() && s.zone_given().empty() && s.closures.empty();
    });
  }
  CHECK(corrected > 1000);
  CHECK(closed > 100);
  CHECK(nameless > 5);
}

TEST_CASE("what only the further feeds tell is there again") {
  partition_data live;
  hours_rows none;
  none.stores.add("open 24x7");
  live.apply(none);
  live.apply(closure_change{"closed once", {now, now + 1h}});
  live.apply(closure_change{"withdrawn", {now, now + 1h}});
  live.apply(closure_change{"withdrawn", {now, now + 1h}, true});
  live.apply(polls({{"corrected", {now, inactive}}}));
  live.apply(polls({{"corrected", {now, active}}}, conflict_rule::replace));
  live.apply(polls({{"kept", {now, active}}, {"kept", {now + 1h, active}}}));
  live.apply(polls({{"kept", {now, inactive}}}, conflict_rule::keep));
  const auto texts = exported(live);
  CHECK(texts.at(feed_kind::closures) == "store_id,from_utc,to_utc\nclosed once,2023-01-25 18:13:22.000000 "
                                         "UTC,2023-01-25 19:13:22.000000 UTC\n");
  CHECK(texts.at(feed_kind::corrections) ==
        "store_id,status,timestamp_utc\ncorrected,active,2023-01-25 18:13:22.000000 UTC\n"
        "kept,active,2023-01-25 18:13:22.000000 UTC\n");
  CHECK(texts.at(feed_kind::stores) == "store_id\nclosed once\ncorrected\nkept\nopen 24x7\nwithdrawn\n");
  for (uint64_t seed = 0; seed < 20; ++seed) {
    auto again = imported(texts, seed);
    require_same(again, live);
  }
}

TEST_CASE("of two corrections of one instant in a file inactive stands, whichever line is first") {
  const std::string header = "store_id,status,timestamp_utc\n";
  std::string lines;
  for (int store = 0; store < 50; ++store)
    for (const auto* status : {"active", "inactive"})
      lines += std::to_string(store) + "," + status + ",2023-01-25 18:13:22 UTC\n";
  std::vector<uint64_t> hashes;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    auto data = imported({{feed_kind::corrections, header + lines}}, seed);
    data.for_each_store([&](const partition::store& s) {
      REQUIRE(s.observations == std::vector<observation>{{now, inactive}});
      REQUIRE(s.conflicts == std::vector<instant>{now});
      REQUIRE(s.pins == std::vector<instant>{now});
    });
    hashes.push_back(data.state_hash());
  }
  CHECK(std::count(hashes.begin(), hashes.end(), hashes.front()) == 20);
}

TEST_CASE("instants given with an offset, of no year that four digits can write in UTC, are written too") {
  partition_data live;
  const auto last = parse_instant("9999-12-31T23:59:59.999999-23:59").value();
  const auto first = parse_instant("0000-01-01T00:00:00+23:59").value();
  live.apply(polls({{"a", {last, active}}, {"a", {first, inactive}}}, conflict_rule::replace));
  live.apply(closure_change{"a", {first, last}});
  const auto texts = exported(live);
  CHECK(texts.at(feed_kind::closures) ==
        "store_id,from_utc,to_utc\n"
        "a,0000-01-01 00:00:00.000000+23:59,9999-12-31 23:59:59.999999-23:59\n");
  auto again = imported(texts, 1);
  require_same(again, live);
}

TEST_CASE("stores are counted once as new and else as repeated, and naming them changes nothing else") {
  partition_data data;
  data.apply(polls({{"a", {now, active}}}));
  observation_rows names;
  for (const auto* id : {"a", "b", "c"})
    names.stores.add(id);
  CHECK_FALSE(data.nothing_new(names));
  CHECK(sums_of(data.apply(update(names))) == sums{2, 1, 0});
  CHECK(data.nothing_new(names));
  CHECK(sums_of(data.apply(update(names))) == sums{0, 3, 0});
  CHECK(data.census().stores == 3);
  CHECK(data.census().observations == 1);
}
