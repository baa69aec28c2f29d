#include "storemon/journal/verify.hpp"

#include "storemon/journal/chain.hpp"
#include "storemon/journal/codec.hpp"

#include <algorithm>

namespace storemon::journal {

namespace {

/// What is read at once.
constexpr size_t read_bytes_max = size_t{8} << 20;

constexpr uint8_t observations_kind = 0;

/// Where a damaged partition's walk ends.
using walk = result<void>;

error damaged(std::string sentence) {
  return {errc::damaged, std::move(sentence)};
}

class partition_walk {
public:
  partition_walk(backend& b, codec& coder, partition_verdict& found)
      : b_(b), coder_(coder), found_(found), of_("of partition " + std::to_string(found.partition)) {}

  /// Fails only where nothing can be read.
  result<void> run() {
    for (const auto step :
         {&partition_walk::read_ends, &partition_walk::read_snapshots, &partition_walk::read_chain})
      if (auto done = (this->*step)(); !done) {
        if (done.error().code != errc::damaged)
          return done;
        found_.damage.push_back(done.error().detail);
      }
    return {};
  }

private:
  walk read_ends() {
    const auto owner = b_.owner(found_.partition);
    if (!owner)
      return owner.error();
    end_ = *owner;
    const auto manifests = b_.manifests(found_.partition);
    if (!manifests)
      return manifests.error();
    manifests_ = *manifests;
    const auto names = b_.store_names(found_.partition);
    if (!names)
      return names.error();
    names_ = store_names(*names);
    return {};
  }

  walk read_snapshots() {
    for (const auto& m : manifests_) {
      if (m.partition != found_.partition || !crc_fits(m.crc, crc_of(m)))
        return damaged("snapshot " + std::to_string(m.generation) + " " + of_ + " fails its CRC");
      if (m.epoch > end_.epoch || m.through_seq >= end_.next_seq)
        return damaged("snapshot " + std::to_string(m.generation) + " " + of_ + " is newer than its records");
      const auto chunks = read_chunks(m);
      if (!chunks)
        return chunks.error();
      if (*chunks != m.chunks)
        return damaged("snapshot " + std::to_string(m.generation) + " " + of_ + " has " +
                       std::to_string(*chunks) + " chunks, not " + std::to_string(m.chunks));
    }
    return {};
  }

  result<uint64_t> read_chunks(const manifest& m) {
    uint64_t chunks = 0;
    for (auto from = std::numeric_limits<int64_t>::min();;) {
      const auto rows = b_.read_chunks(found_.partition, m.generation, from, read_bytes_max);
      if (!rows)
        return rows.error();
      for (const auto& c : *rows) {
        if (c.partition != found_.partition || c.number < from || !crc_fits(c.crc, crc_of(c)))
          return damaged("chunk " + std::to_string(c.number) + " " + of_ + " fails its CRC");
        if (auto change = coder_.decode(c, names_); !change)
          return change.error();
        if (c.kind == observations_kind && &m == &manifests_.front())
          found_.observations += c.count;
        ++chunks;
        if (c.number == std::numeric_limits<int64_t>::max())
          return chunks;
        from = c.number + 1;
      }
      if (rows->empty())
        return chunks;
    }
  }

  walk read_chain() {
    ownership at;
    bool begun = false;
    for (;;) {
      const auto rows = b_.read_records(found_.partition, begun ? at.next_seq : 0, read_bytes_max);
      if (!rows)
        return rows.error();
      if (rows->empty())
        break;
      if (!std::exchange(begun, true))
        at = {0, rows->front().seq, rows->front().prev_crc};
      if (found_.records == 0)
        if (auto joined = check_begin(at); !joined)
          return joined;
      for (const auto& r : *rows) {
        if (auto followed = follow(r, found_.partition, at); !followed)
          return followed;
        if (auto entry = coder_.decode(r, names_); !entry)
          return entry.error();
        if (auto joined = check_join(at); !joined)
          return joined;
        ++found_.records;
        if (r.kind == observations_kind && (manifests_.empty() || r.seq > manifests_.front().through_seq))
          found_.observations += r.count;
      }
    }
    if (!begun && !manifests_.empty())
      at = {manifests_.front().epoch, manifests_.front().through_seq + 1, manifests_.front().through_crc};
    if (at.next_seq != end_.next_seq || at.last_crc != end_.last_crc || at.epoch > end_.epoch)
      return damaged("the records " + of_ + " end with " + std::to_string(at.next_seq - 1) + ", not with " +
                     std::to_string(end_.next_seq - 1));
    return {};
  }

  /// Whether the records begin early enough for the older snapshot, or else with the first.
  walk check_begin(const ownership& at) const {
    const auto needed = manifests_.empty() ? 1 : manifests_.back().through_seq + 1;
    if (at.next_seq > needed || (at.next_seq == 1 && at.last_crc != 0))
      return damaged("records " + of_ + " from " + std::to_string(needed) + " on are missing");
    return check_join(at);
  }

  /// Whether a snapshot that ends here ends with this record.
  walk check_join(const ownership& at) const {
    for (const auto& m : manifests_)
      if (m.through_seq + 1 == at.next_seq && m.through_crc != at.last_crc)
        return damaged("snapshot " + std::to_string(m.generation) + " " + of_ + " does not end with record " +
                       std::to_string(m.through_seq));
    return {};
  }

  backend& b_;
  codec& coder_;
  partition_verdict& found_;
  std::string of_;
  ownership end_;
  std::vector<manifest> manifests_;
  store_names names_;
};

result<void> verify_reports(backend& b, verdict& all) {
  const auto reports = b.reports();
  if (!reports)
    return reports.error();
  for (const auto& r : *reports) {
    ++all.reports;
    const auto& s = r.status;
    if (s.failure.code == errc::damaged)
      all.damage.push_back("report " + s.id + ": " + s.failure.detail);
    const auto bytes = b.report_bytes(s.id);
    const bool none = !bytes && bytes.error().code == errc::not_found;
    if (!bytes && (!none || s.state == protocol::report_state::complete))
      all.damage.push_back(bytes.error().detail);
  }
  return {};
}

} // namespace

std::vector<std::string> verdict::all_damage() const {
  auto all = damage;
  for (const auto& p : partitions)
    all.insert(all.end(), p.damage.begin(), p.damage.end());
  return all;
}

result<verdict> verify(backend& b, uint32_t partitions) {
  verdict all;
  codec coder;
  const auto own = b.check();
  if (own)
    all.damage = *own;
  else if (own.error().code == errc::damaged)
    all.damage.push_back(own.error().detail);
  else
    return own.error();
  for (uint32_t p = 0; p < partitions; ++p) {
    auto& found = all.partitions.emplace_back();
    found.partition = p;
    if (auto walked = partition_walk(b, coder, found).run(); !walked)
      return walked.error();
  }
  if (auto read = verify_reports(b, all); !read) {
    if (read.error().code != errc::damaged)
      return read.error();
    all.damage.push_back(read.error().detail);
  }
  return all;
}

} // namespace storemon::journal
