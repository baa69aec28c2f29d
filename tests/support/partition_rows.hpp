#pragma once

#include "storemon/partition/partition_data.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

/// Short words for updates of a partition, and a clock that stands.
namespace storemon::test {

inline const instant now = parse_instant("2023-01-25T18:13:22Z").value();

inline constexpr auto active = store_status::active;
inline constexpr auto inactive = store_status::inactive;

/// Accepted, duplicates, conflicts.
using sums = std::array<int64_t, 3>;

inline sums sums_of(const applied& done) {
  return {done.accepted, done.duplicates, done.conflicts};
}

/// The rows of a feed, each with its store, as one update.
template <class Rows, class Row>
Rows batch_of(const std::vector<std::pair<std::string, Row>>& rows, std::vector<Row> Rows::*of) {
  Rows batch;
  std::map<std::string, uint32_t> index;
  for (const auto& [id, row] : rows) {
    const auto [at, is_new] = index.emplace(id, 0);
    if (is_new)
      at->second = batch.stores.add(id);
    batch.store.push_back(at->second);
    (batch.*of).push_back(row);
  }
  return batch;
}

using poll_of_store = std::pair<std::string, observation>;

inline observation_rows polls(const std::vector<poll_of_store>& rows,
                              conflict_rule rule = conflict_rule::inactive_wins) {
  auto batch = batch_of(rows, &observation_rows::seen);
  batch.rule = rule;
  return batch;
}

inline hours_rows hours(const std::vector<std::pair<std::string, hours_row>>& rows,
                        std::chrono::local_days valid_from = always_valid) {
  auto batch = batch_of(rows, &hours_rows::rows);
  batch.valid_from = valid_from;
  return batch;
}

inline zone_rows zones(const std::vector<std::pair<std::string, std::string>>& rows) {
  zone_rows batch;
  for (const auto& [id, zone] : rows) {
    batch.stores.add(id);
    batch.zones.add(zone);
  }
  return batch;
}

inline report_spec spec_at(instant as_of, std::string estimator = "nearest") {
  report_request request;
  request.estimator = std::move(estimator);
  return resolve(request, as_of).value();
}

inline measure one_row(partition::partition_data& data, const report_spec& spec) {
  const auto slice = data.rows(spec, "", {});
  REQUIRE(slice.stores.size() == 1);
  return slice.measures[1]; // of the last day
}

/// All that was polled of a store, as a snapshot has it.
inline std::vector<observation> polled(const partition::store& s) {
  std::vector<observation> all;
  partition::for_each_poll(s, instant::min(), instant::max(), [&](observation o) { all.push_back(o); });
  return all;
}

} // namespace storemon::test
