#pragma once

#include "storemon/model/store_id.hpp"
#include "storemon/model/update.hpp"

#include <string>
#include <vector>

namespace storemon::test {

/// The updates that bring one store into its partition.
struct store_updates {
  std::string id;
  std::vector<update> updates;

  explicit store_updates(std::string name) : id(std::move(name)) {}

  store_updates& hours(uint8_t day, duration start, duration end) {
    hours_rows rows;
    rows.store.push_back(rows.stores.add(id));
    rows.rows.push_back({start, end, day});
    updates.emplace_back(std::move(rows));
    return *this;
  }

  store_updates& zone(std::string_view name) {
    zone_rows rows;
    rows.stores.add(id);
    rows.zones.add(name);
    updates.emplace_back(std::move(rows));
    return *this;
  }

  store_updates& poll(instant at, store_status status) {
    observation_rows rows;
    rows.store.push_back(rows.stores.add(id));
    rows.seen.emplace_back(at, status);
    updates.emplace_back(std::move(rows));
    return *this;
  }

  uint32_t partition(uint32_t partitions) const { return partition_of(hash_of(id), partitions); }
};

/// SEMANTICS' well-known example: open Wednesdays 09:00-12:00 UTC, polled 10:14 active and 11:15 inactive.
inline store_updates well_known_store(std::string id) {
  using namespace std::chrono;
  const auto wednesday = sys_days(2023y / January / 25);
  store_updates s(std::move(id));
  s.hours(2, 9h, 12h).zone("Etc/UTC");
  s.poll(wednesday + 10h + 14min, store_status::active);
  s.poll(wednesday + 11h + 15min, store_status::inactive);
  return s;
}

} // namespace storemon::test
