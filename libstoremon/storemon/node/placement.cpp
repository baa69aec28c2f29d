#include "storemon/node/placement.hpp"

#include "storemon/model/store_id.hpp"

namespace storemon::node {

size_t node_of(uint32_t partition, std::span<const std::string> nodes) {
  size_t best = 0;
  uint64_t best_score = 0;
  for (size_t n = 0; n < nodes.size(); ++n) {
    const auto score = hash_of(nodes[n] + "#" + std::to_string(partition));
    // Of two equal scores the name first in byte order wins, so that the order of the list never matters.
    if (n == 0 || score > best_score || (score == best_score && nodes[n] < nodes[best])) {
      best = n;
      best_score = score;
    }
  }
  return best;
}

} // namespace storemon::node
