#pragma once

#include "storemon/model/update.hpp"

#include "support/partition_rows.hpp"

#include <map>
#include <set>
#include <vector>

namespace storemon::test {

/// What a history should be: for every instant the set of statuses polled then, and what stands.
struct naive_history {
  std::map<instant, std::set<store_status>> polls;
  std::map<instant, store_status> stands;
  std::set<instant> pins;
  int64_t rows = 0;

  void add(observation o) { add(std::vector<observation>{o}, conflict_rule::inactive_wins); }

  /// The rows of one batch. @returns the instants of which a client is told that they conflict: those that do
  /// for the first time; of corrections all that contradict what stands, or themselves.
  std::vector<instant> add(const std::vector<observation>& batch, conflict_rule rule) {
    std::vector<instant> told;
    std::map<instant, std::set<store_status>> said;
    for (const auto o : batch) {
      said[o.at()].insert(o.status());
      ++rows;
    }
    for (const auto& [at, statuses] : said) {
      const bool held = polls.contains(at);
      const bool conflicted = held && polls[at].size() == 2;
      const bool contradicts = statuses.size() == 2 || (held && stands[at] != *statuses.begin());
      if (rule == conflict_rule::inactive_wins ? !conflicted && contradicts : contradicts)
        told.push_back(at);
      polls[at].insert(statuses.begin(), statuses.end());
      if (!held || rule == conflict_rule::replace)
        stands[at] = *statuses.begin();
      else if (rule == conflict_rule::inactive_wins && !pins.contains(at))
        stands[at] = *polls[at].begin();
      if (rule != conflict_rule::inactive_wins)
        pins.insert(at);
    }
    return told;
  }

  std::vector<observation> history() const {
    std::vector<observation> all;
    for (const auto& [at, status] : stands)
      all.emplace_back(at, status);
    return all;
  }

  std::vector<instant> conflicts() const {
    std::vector<instant> all;
    for (const auto& [at, seen] : polls)
      if (seen.size() == 2)
        all.push_back(at);
    return all;
  }

  sums totals() const {
    const auto instants = static_cast<int64_t>(polls.size());
    const auto twofold = static_cast<int64_t>(conflicts().size());
    return {instants, rows - instants - twofold, twofold};
  }
};

} // namespace storemon::test
