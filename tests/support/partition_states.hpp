#pragma once

#include "support/partition_rows.hpp"

#include <array>
#include <random>
#include <string>
#include <utility>
#include <vector>

/// States of a partition: random ones, and what is the same of two.
namespace storemon::test {

/// All that can be seen of a partition: what an exporter would write, and the batches.
struct view {
  std::vector<std::pair<std::string, protocol::store_card>> cards;
  std::vector<std::vector<observation>> polls;
  std::vector<std::vector<observation>> standing;
  std::vector<std::vector<instant>> pins;
  std::vector<batch_mark> marks;
};

inline view view_of(partition::partition_data& data) {
  view v;
  data.for_each_store([&](const partition::store& s) {
    v.cards.emplace_back(s.id, data.card(s.id));
    v.polls.push_back(polled(s));
    v.standing.push_back(s.observations);
    v.pins.push_back(s.pins);
  });
  v.marks = data.batches().marks();
  return v;
}

inline void require_same(partition::partition_data& a, partition::partition_data& b) {
  const auto left = view_of(a);
  const auto right = view_of(b);
  REQUIRE(left.cards.size() == right.cards.size());
  for (size_t i = 0; i < left.cards.size(); ++i) {
    REQUIRE(left.cards[i].first == right.cards[i].first);
    REQUIRE(left.cards[i].second.zone == right.cards[i].second.zone);
    REQUIRE(left.cards[i].second.hours == right.cards[i].second.hours);
    REQUIRE(left.cards[i].second.closures == right.cards[i].second.closures);
  }
  REQUIRE(left.polls == right.polls);
  REQUIRE(left.standing == right.standing);
  REQUIRE(left.pins == right.pins);
  REQUIRE(left.marks == right.marks);
  REQUIRE(a.census().observations == b.census().observations);
  REQUIRE(a.census().newest == b.census().newest);
  REQUIRE(a.state_hash() == b.state_hash());
}

/// Random changes of a few stores, polls on both sides of the epoch.
class change_maker {
public:
  explicit change_maker(uint64_t seed) : random_(seed) {}

  size_t below(size_t bound) { return random_() % bound; }

  /// Of six stores, most with names that CSV has to quote.
  std::string id() {
    static const std::array<std::string, 6> ids{"store 0", "1,2",    "\"3\"",
                                                " 4\r",    "5\n,\"", std::string("\0=6", 3)};
    return ids[below(ids.size())];
  }

  instant some_instant() {
    return instant(std::chrono::hours(below(24 * 8)) - std::chrono::hours(4 * 24) +
                   std::chrono::minutes(30 * below(2)));
  }

  journal_entry entry() {
    journal_entry e{change(), {}, now + std::chrono::minutes(20 * entries_++)};
    if (std::holds_alternative<observation_rows>(e.change) && below(2))
      e.mark = {{random_(), random_()}, {random_(), random_()}};
    return e;
  }

private:
  update change() {
    switch (below(12)) {
    case 0:
      return store_deletion{id()};
    case 1:
      return zones({{id(), below(3) ? "Europe/Paris" : "Mars/Olympus"}});
    case 2: {
      const auto from = now + std::chrono::hours(below(8));
      return closure_change{id(), {from, from + std::chrono::hours(below(4))}, below(3) == 0};
    }
    case 3:
    case 4: {
      const auto date = below(3) ? std::chrono::local_days(std::chrono::days(static_cast<int>(below(4)) - 2))
                                 : always_valid;
      if (below(5) == 0) {
        hours_rows none;
        none.valid_from = date;
        none.stores.add(id());
        return none;
      }
      return hours({{id(), {std::chrono::hours(9), std::chrono::hours(17), static_cast<uint8_t>(below(7))}},
                    {id(), {std::chrono::hours(10), std::chrono::hours(2), 1}}},
                   date);
    }
    default: {
      std::vector<poll_of_store> rows;
      for (auto n = below(30); n > 0; --n)
        rows.push_back({id(), {some_instant(), below(2) ? active : inactive}});
      return polls(rows, below(4) ? conflict_rule::inactive_wins : static_cast<conflict_rule>(1 + below(2)));
    }
    }
  }

  std::mt19937_64 random_;
  int64_t entries_ = 0;
};

} // namespace storemon::test
