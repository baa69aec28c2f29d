#include "storemon/journal/snapshots.hpp"

#include "storemon/journal/chain.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace storemon::journal {

namespace {

/// Chunks are read in pieces of about this size.
constexpr size_t read_bytes_max = size_t{1} << 20;

constexpr auto lowest = std::numeric_limits<int64_t>::min();

error broken(const manifest& m, const std::string& how) {
  return {errc::damaged, "snapshot " + std::to_string(m.generation) + " of partition " +
                             std::to_string(m.partition) + " " + how};
}

bool intact(const chunk_row& c, uint32_t partition, uint64_t generation) {
  return c.crc == crc_of(c) && c.partition == partition && c.generation <= generation;
}

/// Tells `visit` of each chunk as it is kept, ascending by number.
result<void> walk_chunks(backend& kept, uint32_t partition, uint64_t generation, const chunk_visitor& visit) {
  for (auto from = lowest;;) {
    const auto rows = kept.read_chunks(partition, generation, from, read_bytes_max);
    if (!rows)
      return rows.error();
    if (rows->empty())
      return {};
    for (const auto& c : *rows)
      if (auto visited = visit(c); !visited)
        return visited;
    if (rows->back().number < from || rows->back().number == std::numeric_limits<int64_t>::max())
      return {};
    from = rows->back().number + 1;
  }
}

/// Counts the distinct instants of stores that chunks hold, each store and day in one chunk of its day, or in
/// the few of negative number, or in both.
class instant_counter {
public:
  void add(int64_t number, const observation_rows& rows) {
    if (number < 0) {
      for (size_t i = 0; i < rows.seen.size(); ++i)
        apart_.emplace(rows.stores[rows.store[i]], rows.seen[i].at());
      return;
    }
    std::vector<std::pair<uint32_t, instant>> polled;
    polled.reserve(rows.seen.size());
    for (size_t i = 0; i < rows.seen.size(); ++i)
      polled.emplace_back(rows.store[i], rows.seen[i].at());
    std::sort(polled.begin(), polled.end());
    polled.erase(std::unique(polled.begin(), polled.end()), polled.end());
    count_ += static_cast<int64_t>(polled.size());
    if (!apart_.empty())
      for (const auto& [store, at] : polled)
        apart_.erase({std::string(rows.stores[store]), at});
  }

  int64_t count() const noexcept { return count_ + static_cast<int64_t>(apart_.size()); }

private:
  int64_t count_ = 0;
  std::set<std::pair<std::string, instant>> apart_; // of negative numbers, not seen in a day's chunk
};

/// The crc of the record a snapshot goes through.
result<uint32_t> crc_through(backend& kept, const protocol::snapshot& s,
                             const std::vector<manifest>& before) {
  if (s.through_seq == 0)
    return uint32_t{0};
  const auto rows = kept.read_records(s.partition, s.through_seq, 0);
  if (!rows)
    return rows.error();
  if (!rows->empty() && rows->front().seq == s.through_seq)
    return rows->front().crc;
  for (const auto& m : before)
    if (m.through_seq == s.through_seq)
      return m.through_crc;
  return error{errc::damaged, "record " + std::to_string(s.through_seq) + " of partition " +
                                  std::to_string(s.partition) +
                                  ", which a snapshot goes through, is missing"};
}

} // namespace

result<int64_t> check_snapshot(backend& kept, uint32_t partition, const manifest& m, uint64_t next_seq,
                               const chunk_visitor& visit) {
  if (m.crc != crc_of(m) || m.partition != partition)
    return broken(m, "has a manifest that fails its CRC");
  if (m.through_seq >= next_seq)
    return broken(m, "claims records that there are not");
  int64_t last = lowest;
  uint32_t count = 0;
  const auto walked = walk_chunks(kept, partition, m.generation, [&](const chunk_row& c) -> result<void> {
    if (!intact(c, partition, m.generation))
      return broken(m, "has a chunk " + std::to_string(c.number) + " that fails its CRC");
    last = c.number;
    ++count;
    return visit(c);
  });
  if (!walked)
    return walked.error();
  if (count != m.chunks)
    return broken(m, "has " + std::to_string(count) + " chunks of " + std::to_string(m.chunks));
  return last;
}

result<snapshot_base> choose_base(backend& kept, uint32_t partition, uint64_t next_seq) {
  snapshot_base base;
  const auto candidates = kept.manifests(partition);
  if (!candidates)
    return candidates.error();
  for (const auto& m : *candidates) {
    const auto last =
        check_snapshot(kept, partition, m, next_seq, [](const chunk_row&) { return result<void>(); });
    if (last) {
      base.what = m;
      base.last_chunk = *last;
      return base;
    }
    if (last.error().code != errc::damaged)
      return last.error();
    base.broken += (base.broken.empty() ? "" : "; ") + last.error().detail;
  }
  return base;
}

result<composed_snapshot> compose_snapshot(backend& kept, codec& coder, store_names& names,
                                           const protocol::snapshot& s, uint64_t next_seq) {
  const auto contradicts = [&s](const std::string& how) {
    return error{errc::invalid_argument,
                 "a snapshot of partition " + std::to_string(s.partition) + " " + how};
  };
  if (s.through_seq >= next_seq)
    return contradicts("claims records that there are not");
  const auto older = kept.manifests(s.partition);
  if (!older)
    return older.error();
  composed_snapshot made;
  auto& m = made.what.what;
  std::map<int64_t, bool> held; // numbers of the snapshot before -> whether the chunk is intact
  if (!older->empty()) {
    const auto& before = older->front();
    m.generation = before.generation;
    const auto walked =
        walk_chunks(kept, s.partition, before.generation, [&](const chunk_row& c) -> result<void> {
          held.emplace(c.number, intact(c, s.partition, before.generation));
          return {};
        });
    if (!walked)
      return walked.error();
    const bool whole = before.crc == crc_of(before) && before.chunks == held.size() &&
                       std::all_of(held.begin(), held.end(), [](const auto& h) { return h.second; });
    if (whole && s.through_seq < before.through_seq)
      return contradicts("is older than the one before");
    if (whole)
      made.before = before;
  }
  const auto crc = crc_through(kept, s, *older);
  if (!crc)
    return crc.error();
  ++m.generation;
  m.partition = s.partition;
  m.epoch = s.epoch;
  m.through_seq = s.through_seq;
  m.through_crc = *crc;
  m.observations = s.observations;
  m.state_hash = s.state_hash;
  m.chunks = static_cast<uint32_t>(s.chunks.size());
  m.crc = crc_of(m);

  const auto names_before = names.size();
  const auto place = [&](chunk_row c, int64_t number) {
    c.partition = s.partition;
    c.number = number;
    c.generation = m.generation;
    c.crc = crc_of(c);
    made.what.chunks.push_back(std::move(c));
  };
  std::optional<int64_t> previous;
  for (const auto& given : s.chunks) {
    if (previous && given.number <= *previous)
      return contradicts("names chunk " + std::to_string(given.number) + " out of order");
    previous = given.number;
    const auto found = held.find(given.number);
    if (given.change) {
      auto encoded = coder.encode(*given.change, names);
      if (!encoded)
        return encoded.error();
      place(std::move(*encoded), given.number);
    } else if (found == held.end()) {
      return contradicts("calls chunk " + std::to_string(given.number) + " unchanged, which is not there");
    } else if (!found->second) {
      return broken(older->front(), "has a chunk " + std::to_string(given.number) + " that fails its CRC");
    }
    if (found != held.end())
      held.erase(found);
  }
  if (names.size() != names_before)
    return contradicts("names a store that no record does");
  for (const auto& [number, ignored] : held)
    place(chunk_row{}, number);
  return made;
}

result<void> verify_snapshot(backend& kept, codec& coder, const store_names& names, const manifest& m,
                             uint64_t next_seq) {
  const auto newest = kept.manifests(m.partition);
  if (!newest)
    return newest.error();
  if (newest->empty() || newest->front() != m)
    return broken(m, "does not read back");
  instant_counter counter;
  const auto checked =
      check_snapshot(kept, m.partition, m, next_seq, [&](const chunk_row& c) -> result<void> {
        const auto change = coder.decode(c, names);
        if (!change)
          return change.error();
        if (const auto* rows = std::get_if<observation_rows>(&*change))
          counter.add(c.number, *rows);
        return {};
      });
  if (!checked)
    return checked.error();
  if (counter.count() != m.observations)
    return broken(m, "holds " + std::to_string(counter.count()) + " observations of " +
                         std::to_string(m.observations));
  return {};
}

} // namespace storemon::journal
