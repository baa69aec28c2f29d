#include "storemon/journal/sqlite_operations.hpp"

#include "storemon/journal/bytes.hpp"
#include "storemon/journal/chain.hpp"
#include "storemon/journal/crc32c.hpp"
#include "storemon/journal/sqlite_reports.hpp"
#include "storemon/journal/sqlite_schema.hpp"

#include <algorithm>

namespace storemon::journal {

namespace {

constexpr uint64_t integer_max = INT64_MAX;

uint32_t crc_of(uint32_t partition, const owner_row& row) {
  std::string text;
  byte_writer out(text);
  for (const uint64_t n :
       {uint64_t{partition}, row.owner.epoch, row.owner.next_seq, uint64_t{row.owner.last_crc}, row.names})
    out.word(n);
  return crc32c(text);
}

/// Holds the partition for the rest of the transaction: ok where the epoch is its.
operation_outcome fence(sqlite_handle& db, uint32_t partition, uint64_t epoch) {
  if (const int code =
          db.run("UPDATE partition_owner SET epoch = epoch WHERE partition_id = ?1 AND epoch = ?2", partition,
                 epoch);
      code != SQLITE_OK)
    return code;
  return db.changes() == 1 ? errc::ok : errc::fenced;
}

/// The outcome of a statement that inserts what must not be there yet.
operation_outcome inserted(int code) {
  if (code == SQLITE_OK)
    return errc::ok;
  if ((code & 0xff) == SQLITE_CONSTRAINT)
    return errc::damaged;
  return code;
}

bool is_ok(const operation_outcome& outcome) {
  return outcome == operation_outcome(errc::ok);
}

/// Deletes a partition's records before `end`, up to the first that is not older than what is asked.
int delete_records(sqlite_handle& db, record_places& places, const compact& c, uint64_t end) {
  const auto all = places.from(c.partition, 0);
  uint64_t next = 0; // the first seq that may stay
  for (const auto& [seq, row] : all) {
    bool old = seq < end;
    int code = SQLITE_OK;
    if (old)
      code = db.each(
          "SELECT written < ?2 FROM journal WHERE id = ?1",
          [&](const sqlite_row& r) { return old = r.integer<int>(0) != 0; }, row, c.older_than);
    if (code == SQLITE_OK && old)
      code = db.run("DELETE FROM journal WHERE id = ?1", row);
    if (code != SQLITE_OK)
      return code;
    if (!old)
      break;
    next = seq + 1;
  }
  places.drop(c.partition, next);
  return SQLITE_OK;
}

} // namespace

result<owner_row> read_owner(sqlite_handle& db, uint32_t partition) {
  owner_row found;
  bool sound = true;
  const int code = db.each(
      "SELECT epoch, next_seq, last_crc, names, crc FROM partition_owner WHERE partition_id = ?1",
      [&](const sqlite_row& row) {
        found.owner.epoch = row.integer<uint64_t>(0);
        found.owner.next_seq = row.integer<uint64_t>(1);
        found.owner.last_crc = row.integer<uint32_t>(2);
        found.names = row.integer<uint64_t>(3);
        sound = crc_fits(row.integer<uint32_t>(4), crc_of(partition, found));
        return true;
      },
      partition);
  if (code != SQLITE_OK)
    return read_failure(db, code);
  if (!sound)
    return error{errc::damaged, "the owner of partition " + std::to_string(partition) + " fails its CRC"};
  return found;
}

int write_owner(sqlite_handle& db, uint32_t partition, const owner_row& row, uint64_t epoch_seen) {
  return db.run("UPDATE partition_owner SET epoch = ?3, next_seq = ?4, last_crc = ?5, names = ?6, crc = ?7 "
                "WHERE partition_id = ?1 AND epoch = ?2",
                partition, epoch_seen, row.owner.epoch, row.owner.next_seq, row.owner.last_crc, row.names,
                crc_of(partition, row));
}

int read_record(sqlite_handle& db, int64_t row, std::vector<record>& rows) {
  return db.each(
      "SELECT partition_id, seq, epoch, kind, codec, count, oldest, newest, written, prev_crc, crc, payload "
      "FROM journal WHERE id = ?1",
      [&](const sqlite_row& r) {
        rows.push_back({r.integer<uint32_t>(0), r.integer<uint64_t>(1), r.integer<uint64_t>(2),
                        r.integer<uint8_t>(3), r.integer<uint8_t>(4), r.integer<uint32_t>(5),
                        r.integer<int64_t>(6), r.integer<int64_t>(7), r.time(8), r.integer<uint32_t>(9),
                        r.integer<uint32_t>(10), r.bytes(11)});
        return true;
      },
      row);
}

int write_record(sqlite_handle& db, const record& r, std::optional<int64_t> row) {
  return db.run("INSERT INTO journal(id, partition_id, seq, epoch, kind, codec, count, oldest, newest, "
                "written, prev_crc, crc, payload) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
                "?13)",
                row, r.partition, r.seq, r.epoch, r.kind, r.codec, r.count, r.oldest, r.newest, r.written,
                r.prev_crc, r.crc, blob{r.payload});
}

result<void> raise_epochs(sqlite_handle& db, uint64_t by) {
  std::vector<uint32_t> partitions;
  int code = db.each("SELECT partition_id FROM partition_owner", [&](const sqlite_row& row) {
    partitions.push_back(row.integer<uint32_t>(0));
    return true;
  });
  for (size_t i = 0; code == SQLITE_OK && i < partitions.size(); ++i) {
    auto row = read_owner(db, partitions[i]);
    if (!row)
      return row.error();
    const auto seen = row->owner.epoch;
    row->owner.epoch += by;
    code = write_owner(db, partitions[i], *row, seen);
  }
  if (code != SQLITE_OK)
    return read_failure(db, code);
  return {};
}

int read_manifests(sqlite_handle& db, uint32_t partition, std::vector<manifest>& newest) {
  return db.each(
      "SELECT generation, epoch, through_seq, through_crc, observations, state_hash, chunks, crc FROM "
      "snapshot "
      "WHERE partition_id = ?1 ORDER BY generation DESC LIMIT 2",
      [&](const sqlite_row& row) {
        newest.push_back({partition, row.integer<uint64_t>(0), row.integer<uint64_t>(1),
                          row.integer<uint64_t>(2), row.integer<uint32_t>(3), row.integer<int64_t>(4),
                          row.integer<uint64_t>(5), row.integer<uint32_t>(6), row.integer<uint32_t>(7)});
        return true;
      },
      partition);
}

operation_outcome sqlite_operations::operator()(const take_over& t) const {
  auto row = read_owner(db, t.partition);
  if (!row)
    return row.error().code == errc::damaged ? operation_outcome(errc::damaged) : SQLITE_IOERR_READ;
  if (row->owner.epoch != t.seen)
    return errc::fenced;
  ++row->owner.epoch;
  if (t.seen == 0) // nobody had it before
    return inserted(db.run("INSERT INTO partition_owner(partition_id, epoch, next_seq, last_crc, names, crc) "
                           "VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                           t.partition, row->owner.epoch, row->owner.next_seq, row->owner.last_crc,
                           row->names, crc_of(t.partition, *row)));
  if (const int code = write_owner(db, t.partition, *row, t.seen); code != SQLITE_OK)
    return code;
  return db.changes() == 1 ? errc::ok : errc::fenced;
}

operation_outcome sqlite_operations::operator()(const append& a) const {
  auto row = read_owner(db, a.partition);
  if (!row)
    return row.error().code == errc::damaged ? operation_outcome(errc::damaged) : SQLITE_IOERR_READ;
  const bool goes_on = continues(a, row->owner);
  if (!a.records.empty() && goes_on) {
    row->owner.next_seq = a.records.back().seq + 1;
    row->owner.last_crc = a.records.back().crc;
  }
  row->names += a.names.size();
  row->owner.epoch = a.epoch;
  if (const int code = write_owner(db, a.partition, *row, a.epoch); code != SQLITE_OK)
    return code;
  if (db.changes() != 1)
    return errc::fenced;
  if (!goes_on)
    return errc::damaged;
  for (const auto& n : a.names) {
    const auto outcome =
        inserted(db.run("INSERT INTO store(partition_id, idx, crc, name) VALUES(?1, ?2, ?3, ?4)", a.partition,
                        n.index, journal::crc_of(a.partition, n), blob{n.name}));
    if (!is_ok(outcome))
      return outcome;
  }
  for (const auto& r : a.records) {
    const auto outcome = inserted(write_record(db, r));
    if (!is_ok(outcome))
      return outcome;
    places.add(r.partition, {r.seq, db.last_row()});
  }
  return errc::ok;
}

operation_outcome sqlite_operations::operator()(const put_snapshot& s) const {
  const auto& m = s.what;
  if (const auto held = fence(db, m.partition, m.epoch); !is_ok(held))
    return held;
  std::vector<manifest> newest;
  if (const int code = read_manifests(db, m.partition, newest); code != SQLITE_OK)
    return code;
  if (!newest.empty() && newest.front().generation >= m.generation)
    return errc::damaged;
  const auto outcome = inserted(
      db.run("INSERT INTO snapshot(partition_id, generation, epoch, through_seq, through_crc, observations, "
             "state_hash, chunks, crc) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
             m.partition, m.generation, m.epoch, m.through_seq, m.through_crc, m.observations, m.state_hash,
             m.chunks, m.crc));
  if (!is_ok(outcome))
    return outcome;
  for (const auto& c : s.chunks)
    if (const int code =
            db.run("INSERT OR REPLACE INTO snapshot_chunk(partition_id, number, generation, kind, "
                   "codec, count, crc, payload) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                   c.partition, c.number, c.generation, c.kind, c.codec, c.count, c.crc, blob{c.payload});
        code != SQLITE_OK)
      return code;
  return errc::ok;
}

operation_outcome sqlite_operations::operator()(const compact& c) const {
  if (const auto held = fence(db, c.partition, c.epoch); !is_ok(held))
    return held;
  std::vector<manifest> newest;
  if (const int code = read_manifests(db, c.partition, newest); code != SQLITE_OK)
    return code;
  if (newest.size() < 2)
    return errc::ok;
  const auto generation = std::min(c.generation_min, newest.back().generation);
  const auto end = std::min({c.through_seq, newest.back().through_seq, integer_max - 1}) + 1;
  int code = delete_records(db, places, c, end);
  if (code == SQLITE_OK)
    code = db.run("DELETE FROM snapshot_chunk AS c WHERE partition_id = ?1 AND generation < "
                  "(SELECT max(generation) FROM snapshot_chunk AS n WHERE n.partition_id = ?1 "
                  "AND n.number = c.number AND n.generation <= ?2)",
                  c.partition, generation);
  if (code == SQLITE_OK)
    code = db.run(
        "DELETE FROM snapshot_chunk WHERE partition_id = ?1 AND generation <= ?2 AND length(payload) = 0",
        c.partition, generation);
  if (code == SQLITE_OK)
    code =
        db.run("DELETE FROM snapshot WHERE partition_id = ?1 AND generation < ?2", c.partition, generation);
  if (code != SQLITE_OK)
    return code;
  return errc::ok;
}

operation_outcome sqlite_operations::operator()(const put_report& p) const {
  const int code = write_report(db, *p.report);
  return code == SQLITE_OK ? operation_outcome(errc::ok) : code;
}

operation_outcome sqlite_operations::operator()(const drop_reports& d) const {
  for (const auto& id : d.ids)
    if (const int code = db.run("DELETE FROM report WHERE id = ?1", id); code != SQLITE_OK)
      return code;
  return errc::ok;
}

operation_outcome sqlite_operations::operator()(const put_value& v) const {
  const int code = write_value(db, v.name, v.value);
  return code == SQLITE_OK ? operation_outcome(errc::ok) : code;
}

} // namespace storemon::journal
