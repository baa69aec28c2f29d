#include "storemon/partition/state_hash.hpp"

#include "storemon/model/store_id.hpp"

#include <xxhash.h>

#include <array>

namespace storemon::partition {

namespace {

/// Kinds of facts. Numbers are never used again for another.
enum class fact : uint64_t { store = 1, zone, hours_version, hours_row, closure, pin };

uint64_t hash(uint64_t store, fact kind, int64_t a = 0, int64_t b = 0, int64_t c = 0,
              int64_t d = 0) noexcept {
  const std::array<uint64_t, 6> words{store,
                                      static_cast<uint64_t>(kind),
                                      static_cast<uint64_t>(a),
                                      static_cast<uint64_t>(b),
                                      static_cast<uint64_t>(c),
                                      static_cast<uint64_t>(d)};
  return XXH3_64bits(words.data(), sizeof(words));
}

int64_t count(instant at) noexcept {
  return at.time_since_epoch().count();
}

} // namespace

uint64_t hash_of_poll(uint64_t store, observation poll) noexcept {
  const std::array<uint64_t, 2> words{store, static_cast<uint64_t>(poll.bits())};
  return XXH3_64bits(words.data(), sizeof(words));
}

uint64_t hash_of_facts(const store& s) noexcept {
  const auto id = hash_of(s.id);
  auto sum = hash(id, fact::store);
  if (const auto zone = s.zone_given(); !zone.empty())
    sum += hash(id, fact::zone, static_cast<int64_t>(hash_of(zone)));
  for (const auto& version : s.hours) {
    const auto from = version.valid_from.time_since_epoch().count();
    sum += hash(id, fact::hours_version, from);
    for (const auto& row : version.rows)
      sum += hash(id, fact::hours_row, from, row.day, row.start.count(), row.end.count());
  }
  for (const auto& closure : s.closures)
    sum += hash(id, fact::closure, count(closure.from), count(closure.to));
  for (const auto at : s.pins)
    sum += hash(id, fact::pin, count(at));
  return sum;
}

} // namespace storemon::partition
