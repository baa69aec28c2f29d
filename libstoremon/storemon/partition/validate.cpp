#include "storemon/partition/validate.hpp"

#include <algorithm>
#include <string>

namespace storemon::partition {

namespace {

using namespace std::chrono_literals;

error invalid(std::string why) {
  return {errc::invalid_argument, std::move(why)};
}

result<void> check_id(std::string_view id) {
  if (!is_store_id(id))
    return invalid("a store id has 1 to " + std::to_string(store_id_bytes_max) + " bytes");
  return {};
}

result<void> check_ids(const text_list& stores) {
  for (size_t s = 0; s < stores.size(); ++s)
    if (auto good = check_id(stores[s]); !good)
      return good;
  return {};
}

result<void> check_rows(const text_list& stores, const std::vector<uint32_t>& store, size_t rows) {
  if (store.size() != rows)
    return invalid("as many stores as rows are needed");
  if (std::any_of(store.begin(), store.end(), [&](uint32_t s) { return s >= stores.size(); }))
    return invalid("a row names no store");
  return check_ids(stores);
}

result<void> check_one(const observation_rows& change) {
  return check_rows(change.stores, change.store, change.seen.size());
}

result<void> check_one(const hours_rows& change) {
  for (const auto& row : change.rows)
    if (row.day > 6 || row.start < 0h || row.start >= 24h || row.end < 0h || row.end > 24h)
      return invalid("hours out of range");
  return check_rows(change.stores, change.store, change.rows.size());
}

result<void> check_one(const zone_rows& change) {
  if (change.stores.size() != change.zones.size())
    return invalid("as many zones as stores are needed");
  return check_ids(change.stores);
}

result<void> check_one(const closure_change& change) {
  return check_id(change.store);
}

result<void> check_one(const store_deletion& change) {
  return check_id(change.store);
}

result<void> check_one(const batch_memory&) {
  return invalid("only snapshots hold batches to be remembered");
}

} // namespace

result<void> check(const update& change) {
  return std::visit([](const auto& c) { return check_one(c); }, change);
}

result<void> check(const observation_rows& rows) {
  return check_one(rows);
}

} // namespace storemon::partition
