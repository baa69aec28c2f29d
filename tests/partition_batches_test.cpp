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
  for (uint64_t hour = 1; hour <= 7 * 24; ++hour)
    book.remember(batch(1 + hour, now + std::chrono::hours(hour)));
  REQUIRE(book.find({1, 7}));
  CHECK(book.find({1, 7})->done.accepted == 1);
  CHECK_FALSE(book.find({1, 8}));
  book.remember(batch(1000, now + 7 * 24h + 1us));
  CHECK_FALSE(book.find({1, 7}));
  CHECK(book.find({2, 7}));
  CHECK(book.size() == 7 * 24 + 1);
}

TEST_CASE("a clock that jumps by years in either direction makes no key forgotten") {
  constexpr auto year = 365 * 24h;
  for (const auto jump : {year, -year}) {
    batch_book book;
    book.remember(batch(1, now));
    book.remember(batch(2, now + jump));
    for (uint64_t i = 0; i < 100; ++i)
      book.remember(batch(3 + i, now + std::chrono::minutes(i)));
    for (uint64_t key = 1; key <= 102; ++key)
      CHECK(book.find({key, 7}));
  }
}

TEST_CASE("a body without a key is known for minutes, and until something contradicts it") {
  batch_book book;
  const remembered_batch keyless{{{1, 7}, {1, 7}}, now, {1, 0, 0}};
  book.remember(keyless);
  book.remember(batch(2, now));
  CHECK(book.repeated(keyless.mark, now + 10min));
  CHECK_FALSE(book.repeated(keyless.mark, now + 10min + 1us));
  CHECK_FALSE(book.repeated(keyless.mark, now - 11min));
  CHECK(book.repeated(batch(2, now).mark, now + 24h));
  book.seal();
  CHECK_FALSE(book.repeated(keyless.mark, now));
  CHECK(book.repeated(batch(2, now).mark, now));
  book.remember(keyless);
  CHECK(book.repeated(keyless.mark, now));
  CHECK(book.size() == 2);
}

TEST_CASE("of too many batches the oldest are forgotten") {
  batch_book book(3);
  for (uint64_t key = 1; key <= 5; ++key)
    book.remember(batch(key, now + std::chrono::hours(key)));
  CHECK(book.size() == 3);
  CHECK_FALSE(book.find({2, 7}));
  CHECK(book.find({3, 7}));
}

TEST_CASE("a book is what a list of all batches says") {
  std::mt19937_64 random(6);
  for (int round = 0; round < 30; ++round) {
    batch_book book(60);
    std::vector<std::pair<duration, remembered_batch>> model; // with the sum of the steps before it
    auto clock = now;
    duration age{};
    for (int i = 0; i < 300; ++i) {
      const auto before = clock;
      clock += std::chrono::minutes(random() % 300) - 1h;
      if (i > 0)
        age += std::clamp<duration>(clock - before, 0h, 1h);
      const auto b = batch(1 + random() % 200, clock);
      book.remember(b);
      std::erase_if(model, [&](const auto& m) { return m.second.mark == b.mark; });
      model.emplace_back(age, b);
      std::erase_if(model, [&](const auto& m) { return m.first < age - 7 * 24h; });
      if (model.size() > 60)
        model.erase(model.begin());
      std::vector<batch_mark> marks;
      for (const auto& [at, held] : model)
        marks.push_back(held.mark);
      REQUIRE(book.marks() == marks);
    }
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
