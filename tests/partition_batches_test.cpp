/// The memory of client batches.
#include "storemon/partition/batch_book.hpp"

#include "support/partition_rows.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <random>

using namespace storemon;
using namespace storemon::test;
using namespace std::chrono_literals;
using partition::batch_book;

namespace {

remembered_batch batch(uint64_t key, instant written) {
  return {{{key, 7}, {key, 8}}, written, {static_cast<int64_t>(key), 0, 0}};
}

} // namespace

TEST_CASE("a batch is remembered for seven days after it, counted by what else was written") {
  batch_book book;
  book.remember(batch(1, now));
  book.remember(batch(2, now + 7 * 24h));
  REQUIRE(book.find({1, 7}));
  CHECK(book.find({1, 7})->done.accepted == 1);
  CHECK_FALSE(book.find({1, 8}));
  book.remember(batch(3, now + 7 * 24h + 1us));
  CHECK_FALSE(book.find({1, 7}));
  CHECK(book.find({2, 7}));
  CHECK(book.size() == 2);
  // A clock that went back a little does no harm, and one that went back too far leaves nothing behind.
  book.remember(batch(4, now + 24h));
  CHECK(book.find({4, 7}));
  book.remember(batch(5, now));
  CHECK_FALSE(book.find({5, 7}));
  CHECK(book.size() == 3);
}

TEST_CASE("of too many batches the oldest are forgotten") {
  batch_book book(3);
  for (uint64_t key = 1; key <= 5; ++key)
    book.remember(batch(key, now + std::chrono::hours(key)));
  CHECK(book.size() == 3);
  CHECK_FALSE(book.find({2, 7}));
  CHECK(book.find({3, 7}));
}

TEST_CASE("a book is what a list of all batches says, and what is written in an hour is found") {
  std::mt19937_64 random(6);
  for (int round = 0; round < 30; ++round) {
    batch_book book(60);
    std::map<std::pair<instant, uint64_t>, remembered_batch> model;
    auto clock = now;
    for (uint64_t key = 1; key < 300; ++key) {
      clock += std::chrono::hours(random() % 5) - 1h;
      const auto b = batch(key, clock);
      book.remember(b);
      model.emplace(std::pair(clock, key), b);
      while (model.size() > 60 || model.begin()->first.first < model.rbegin()->first.first - 7 * 24h)
        model.erase(model.begin());
      std::vector<batch_mark> marks;
      for (const auto& [place, held] : model)
        marks.push_back(held.mark);
      REQUIRE(book.marks() == marks);
    }
    const auto middle = std::next(model.begin(), 20)->first.first;
    std::vector<remembered_batch> expected;
    for (const auto& [place, held] : model)
      if (place.first >= middle && place.first < middle + 5h)
        expected.push_back(held);
    CHECK(book.written_in(middle, middle + 5h) == expected);
    CHECK(!expected.empty());
  }
}

TEST_CASE("a key that comes again after it was forgotten is remembered anew") {
  batch_book book;
  book.remember(batch(1, now));
  auto again = batch(1, now + 24h);
  again.mark.body = {9, 9};
  book.remember(again);
  CHECK(book.size() == 1);
  CHECK(*book.find({1, 7}) == again);
}
