#pragma once

#include "storemon/partition/store.hpp"

#include <cstdint>

/// What makes two states comparable whatever way they came about, on one node or many: hashes of single
/// facts, to be added up modulo 2^64. The sum over partitions is the fleet's. Stable in every process and
/// version: journals keep sums.
namespace storemon::partition {

/// Of one observation of the store whose id has that hash. Both of a conflict's are to be counted.
uint64_t hash_of_poll(uint64_t store, observation poll) noexcept;

/// The sum over all that is known of a store besides its observations: that it exists, zone as given, hours,
/// closures, pins.
uint64_t hash_of_facts(const store& s) noexcept;

} // namespace storemon::partition
