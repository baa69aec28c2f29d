#include "storemon/node/rebuild.hpp"

#include "storemon/journal/codec.hpp"
#include "storemon/journal/replay.hpp"

namespace storemon::node {

result<partition::partition_data> rebuild(journal::backend& kept, uint32_t partition) {
  constexpr size_t slice_bytes = size_t{4} << 20;
  const auto end = kept.owner(partition);
  if (!end)
    return end.error();
  const auto stores = kept.store_names(partition);
  if (!stores)
    return stores.error();
  const auto base = journal::choose_base(kept, partition, end->next_seq);
  if (!base)
    return base.error();
  const journal::store_names names(*stores);
  journal::codec coder;
  partition::partition_data data;
  protocol::replay_cursor at;
  while (true) {
    const auto slice = journal::read_slice({kept, coder, partition, names, *end, *base, slice_bytes}, at);
    if (!slice)
      return slice.error();
    if (!slice->damage.empty())
      return error{errc::damaged, slice->damage};
    for (const auto& entry : slice->entries)
      data.apply(entry);
    if (slice->snapshot_ends && (data.census().observations != slice->snapshot_observations ||
                                 data.state_hash() != slice->snapshot_hash))
      return error{errc::damaged, "the snapshot of partition " + std::to_string(partition) +
                                      " does not make the state it was taken of"};
    if (slice->last)
      return data;
    at = slice->next;
  }
}

} // namespace storemon::node
