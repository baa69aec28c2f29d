#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace storemon::node {

/// The node that serves a partition: rendezvous hashing, so that every node computes the same without
/// talking, and one more node moves only the partitions it gets.
/// @param nodes  names of all nodes, not empty, in any order
/// @returns an index into `nodes`.
size_t node_of(uint32_t partition, std::span<const std::string> nodes);

} // namespace storemon::node
