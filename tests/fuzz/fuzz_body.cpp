/// Bodies of clients, any bytes: the first byte chooses the form and the number of partitions, the rest is
/// the body.
#include "storemon/ingest/body_parser.hpp"
#include "storemon/model/store_id.hpp"
#include "fuzz.hpp"

#include <algorithm>
#include <set>
#include <string_view>

namespace {

using storemon::fuzz::require;

void check_part(const storemon::ingest::partition_rows& part, uint32_t partitions) {
  const auto& rows = part.rows;
  require(part.partition < partitions);
  require(!rows.seen.empty());
  require(rows.seen.size() == rows.store.size());
  std::set<std::string_view> named;
  for (size_t s = 0; s < rows.stores.size(); ++s) {
    const auto id = rows.stores[s];
    require(storemon::is_store_id(id));
    require(storemon::partition_of(storemon::hash_of(id), partitions) == part.partition);
    require(named.insert(id).second);
  }
  for (const auto store : rows.store)
    require(store < rows.stores.size());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace storemon;
  if (size == 0)
    return 0;
  constexpr ingest::body_limits limits{.records_max = 1000};
  const auto format = static_cast<protocol::body_format>(data[0] % 3);
  const uint32_t partitions = 1 + data[0] / 3 % 8;
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto read = ingest::read_body(format, body, partitions, limits);
  if (!read) {
    require(read.error().code == errc::invalid_argument || read.error().code == errc::too_large);
    return 0;
  }
  uint64_t routed = 0;
  uint32_t next = 0;
  for (const auto& part : read->parts) {
    require(part.partition >= next); // ascending, each once
    next = part.partition + 1;
    check_part(part, partitions);
    routed += part.rows.seen.size();
  }
  const auto records = read->rows + read->rejected.total();
  require(routed == read->rows);
  require(records > 0 && records <= limits.records_max);
  require(read->rejected.samples.size() ==
          std::min(read->rejected.total(), uint64_t{ingest::rejects::samples_max}));
  // Every record but the first of an array needs a byte of its own and one that parts it from the others.
  require(2 * records <= body.size() + 2);
  return 0;
}
