#include "storemon/journal/replay.hpp"

#include "storemon/journal/chain.hpp"

#include <optional>

namespace storemon::journal {

using protocol::replay_cursor;
using protocol::replay_slice;

namespace {

/// Ends a slice, and the past with it. Why a newer snapshot was passed over belongs to what is wrong: its
/// records may be those that are missing.
replay_slice damaged(replay_slice slice, const past& p, const std::string& why) {
  slice.damage = p.base.broken.empty() ? why : why + "; " + p.base.broken;
  slice.last = true;
  return slice;
}

std::string record_name(const past& p, uint64_t seq) {
  return "record " + std::to_string(seq) + " of partition " + std::to_string(p.partition);
}

result<replay_slice> snapshot_slice(const past& p, int64_t from) {
  replay_slice slice;
  slice.next.chunk = from;
  const auto& m = p.base.what;
  if (from <= p.base.last_chunk && m.chunks > 0) {
    const auto rows = p.kept.read_chunks(p.partition, m.generation, from, p.bytes_max);
    if (!rows && rows.error().code == errc::damaged)
      return damaged(std::move(slice), p, rows.error().detail);
    if (!rows)
      return rows.error();
    for (const auto& c : *rows) {
      const auto change = c.crc == crc_of(c)
                              ? p.coder.decode(c, p.names)
                              : error{errc::damaged, "chunk " + std::to_string(c.number) + " of partition " +
                                                         std::to_string(p.partition) + " fails its CRC"};
      if (!change)
        return damaged(std::move(slice), p, change.error().detail);
      slice.entries.push_back({*change, {}, {}});
      slice.next.chunk = c.number == p.base.last_chunk ? c.number : c.number + 1;
    }
    if (rows->empty())
      return damaged(std::move(slice), p,
                     "chunks from " + std::to_string(from) + " on of partition " +
                         std::to_string(p.partition) + " are missing");
    if (rows->back().number < p.base.last_chunk)
      return slice;
  }
  slice.snapshot_ends = true;
  slice.snapshot_observations = m.observations;
  slice.snapshot_hash = m.state_hash;
  slice.through_seq = m.through_seq;
  slice.next.seq = m.through_seq + 1;
  return slice;
}

/// Where the chain stands before a record: what it has to follow.
result<std::optional<ownership>> chain_before(const past& p, uint64_t seq) {
  const auto& m = p.base.what;
  if (seq == m.through_seq + 1)
    return std::optional(ownership{m.epoch, seq, m.through_crc});
  const auto rows = p.kept.read_records(p.partition, seq - 1, 0);
  if (!rows)
    return rows.error();
  if (rows->empty() || rows->front().seq != seq - 1)
    return std::optional<ownership>();
  return std::optional(ownership{rows->front().epoch, seq, rows->front().crc});
}

/// What is wrong with the end that the records came to; empty: nothing.
result<std::string> wrong_end(const past& p, const ownership& at) {
  if (at.next_seq != p.end.next_seq)
    return record_name(p, at.next_seq) + " is missing: there should be " + std::to_string(p.end.next_seq - 1);
  if (at.last_crc != p.end.last_crc)
    return record_name(p, at.next_seq - 1) + " is not the one that was written last";
  if (at.epoch > p.end.epoch)
    return record_name(p, at.next_seq - 1) + " was written under an epoch that has not begun";
  const auto beyond = p.kept.read_records(p.partition, at.next_seq, 0);
  if (!beyond)
    return beyond.error();
  if (!beyond->empty())
    return record_name(p, beyond->front().seq) + " is beyond the end of the chain";
  return std::string();
}

result<replay_slice> record_slice(const past& p, uint64_t from) {
  replay_slice slice;
  slice.next = {p.base.last_chunk, from};
  slice.through_seq = from - 1;
  const auto before = chain_before(p, from);
  if (!before && before.error().code == errc::damaged)
    return damaged(std::move(slice), p, before.error().detail);
  if (!before)
    return before.error();
  if (!*before)
    return damaged(std::move(slice), p, record_name(p, from - 1) + " is missing");
  auto at = **before;
  const auto rows = p.kept.read_records(p.partition, from, p.bytes_max);
  if (!rows && rows.error().code == errc::damaged)
    return damaged(std::move(slice), p, record_name(p, from) + ": " + rows.error().detail);
  if (!rows)
    return rows.error();
  for (const auto& r : *rows) {
    if (at.next_seq == p.end.next_seq)
      break;
    if (const auto follows = follow(r, p.partition, at); !follows)
      return damaged(std::move(slice), p, follows.error().detail);
    if (at.next_seq == p.end.next_seq && at.last_crc != p.end.last_crc)
      return damaged(std::move(slice), p, record_name(p, r.seq) + " is not the one that was written last");
    auto entry = p.coder.decode(r, p.names);
    if (!entry)
      return damaged(std::move(slice), p, entry.error().detail);
    slice.entries.push_back(std::move(*entry));
    slice.through_seq = r.seq;
    slice.next.seq = r.seq + 1;
  }
  if (!rows->empty() && at.next_seq < p.end.next_seq)
    return slice;
  const auto wrong = wrong_end(p, at);
  if (!wrong)
    return wrong.error();
  if (!wrong->empty())
    return damaged(std::move(slice), p, *wrong);
  slice.last = true;
  return slice;
}

} // namespace

result<replay_slice> read_slice(const past& p, const replay_cursor& at) {
  const auto first = p.base.what.through_seq + 1;
  if (at.seq == 0)
    return p.base.what.generation > 0 ? snapshot_slice(p, at.chunk) : record_slice(p, first);
  if (at.seq < first || at.seq > p.end.next_seq)
    return error{errc::invalid_argument, record_name(p, at.seq) + " is no place to replay from"};
  return record_slice(p, at.seq);
}

} // namespace storemon::journal
