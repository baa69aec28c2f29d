#include "storemon/journal/sqlite_repair.hpp"

#include "storemon/journal/chain.hpp"
#include "storemon/journal/codec.hpp"
#include "storemon/journal/data_directory.hpp"
#include "storemon/journal/sqlite_operations.hpp"
#include "storemon/journal/sqlite_schema.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>

namespace storemon::journal {

namespace {

/// The repair of one record, within a transaction of the caller's.
class repair {
public:
  repair(sqlite_handle& db, record_places& places, uint32_t partition, uint64_t seq)
      : db_(db), places_(places), partition_(partition), seq_(seq) {}

  result<std::string> run() {
    const auto row = read_owner(db_, partition_);
    if (!row)
      return row.error();
    owner_ = *row;
    if (const int code = read_manifests(db_, partition_, manifests_); code != SQLITE_OK)
      return read_failure(db_, code);
    auto why = find_fault();
    if (!why)
      return why;
    for (const auto step : {&repair::quarantine, &repair::put_empty, &repair::join_followers,
                            &repair::correct_manifests, &repair::correct_owner})
      if (auto done = (this->*step)(); !done)
        return done.error();
    return why;
  }

private:
  std::string name(uint64_t seq) const {
    return "record " + std::to_string(seq) + " of partition " + std::to_string(partition_);
  }

  error refuse(const std::string& why) const { return {errc::invalid_argument, name(seq_) + " " + why}; }

  /// An error of SQLite's, or none.
  result<void> checked(int code) const {
    if (code != SQLITE_OK)
      return read_failure(db_, code);
    return {};
  }

  result<std::optional<record>> read(int64_t row) const {
    std::vector<record> rows;
    if (const int code = read_record(db_, row, rows); code != SQLITE_OK)
      return read_failure(db_, code);
    return rows.empty() ? std::nullopt : std::optional(std::move(rows.front()));
  }

  bool readable(const record& r) const {
    std::vector<std::string> texts;
    const int code = db_.each(
        "SELECT name FROM store WHERE partition_id = ?1 ORDER BY idx",
        [&](const sqlite_row& row) {
          texts.push_back(row.bytes(0));
          return true;
        },
        partition_);
    return code == SQLITE_OK && codec().decode(r, store_names(texts)).has_value();
  }

  /// What is wrong with the record.
  result<std::string> find_fault() {
    const auto kept = places_.from(partition_, 0);
    if (seq_ == 0 || seq_ >= owner_.owner.next_seq)
      return refuse("was never written");
    if (kept.empty() || kept.front().seq > seq_)
      if (std::any_of(manifests_.begin(), manifests_.end(),
                      [this](const manifest& m) { return m.through_seq >= seq_; }))
        return refuse("is no longer kept, for snapshots have what it held");
    const auto places = places_.from(partition_, seq_);
    if (places.empty() || places.front().seq != seq_)
      return std::string("is missing");
    place_ = places.front();
    const auto found = read(place_->row);
    if (!found)
      return found.error().code == errc::damaged ? result<std::string>(found.error().detail)
                                                 : result<std::string>(found.error());
    if (!*found)
      return std::string("is missing");
    lost_ = **found;
    if (lost_->partition != partition_ || lost_->seq != seq_ || lost_->crc != crc_of(*lost_))
      return std::string("fails its CRC");
    if (!readable(*lost_))
      return std::string("cannot be read");
    return refuse("is sound");
  }

  result<void> quarantine() {
    if (!place_)
      return {};
    const auto now = std::chrono::time_point_cast<duration>(std::chrono::system_clock::now());
    if (auto moved = checked(db_.run(
            "INSERT INTO journal_quarantine(partition_id, seq, epoch, kind, codec, count, oldest, newest, "
            "written, prev_crc, crc, payload, reason, moved) SELECT partition_id, seq, epoch, kind, codec, "
            "count, oldest, newest, written, prev_crc, crc, payload, 'given up by repair', ?2 FROM journal "
            "WHERE id = ?1",
            place_->row, now));
        !moved)
      return moved;
    return checked(db_.run("DELETE FROM journal WHERE id = ?1", place_->row));
  }

  /// Where the chain stands before the record.
  result<ownership> before() const {
    ownership at{1, seq_, lost_ ? lost_->prev_crc : 0};
    if (seq_ == 1)
      at.last_crc = 0;
    for (const auto& m : manifests_)
      if (m.through_seq < seq_) {
        at.epoch = std::max(at.epoch, m.epoch);
        if (m.through_seq + 1 == seq_)
          at.last_crc = m.through_crc;
      }
    const auto all = places_.from(partition_, 0);
    const auto here = places_.from(partition_, seq_);
    if (all.size() == here.size())
      return at;
    const auto previous = read(all[all.size() - here.size() - 1].row);
    if (!previous)
      return previous.error();
    if (!*previous || (*previous)->seq + 1 != seq_ || (*previous)->crc != crc_of(**previous))
      return error{errc::damaged, name(seq_ - 1) + " is no good either: begin with the oldest"};
    return ownership{std::max(at.epoch, (*previous)->epoch), seq_, (*previous)->crc};
  }

  result<void> put_empty() {
    auto at = before();
    if (!at)
      return at.error();
    end_ = *at;
    store_names none;
    auto empty = codec().encode({observation_rows{}, {}, lost_ ? lost_->written : instant()}, none);
    if (!empty)
      return empty.error();
    seal(*empty, partition_, end_.epoch, end_);
    crcs_[seq_] = empty->crc;
    // The place of the one that is gone, where there is one, keeps the order of arrival.
    return checked(write_record(db_, *empty, place_ ? std::optional(place_->row) : std::nullopt));
  }

  result<void> join_followers() {
    for (const auto& [seq, row] : places_.from(partition_, seq_ + 1)) {
      auto next = read(row);
      if (!next)
        return next.error();
      if (!*next || seq != end_.next_seq || (*next)->seq != seq || (*next)->partition != partition_ ||
          (*next)->crc != crc_of(**next))
        return error{errc::damaged, name(end_.next_seq) +
                                        ", which follows, is no good either: its loss has to "
                                        "be accepted first"};
      auto& r = **next;
      seal(r, partition_, r.epoch, end_);
      crcs_[seq] = r.crc;
      if (auto written = checked(
              db_.run("UPDATE journal SET prev_crc = ?2, crc = ?3 WHERE id = ?1", row, r.prev_crc, r.crc));
          !written)
        return written;
    }
    if (end_.next_seq != owner_.owner.next_seq)
      return error{errc::damaged, name(end_.next_seq) + ", which follows, is missing: its loss has to be "
                                                        "accepted first"};
    return {};
  }

  result<void> correct_manifests() {
    for (auto m : manifests_) {
      if (m.through_seq < seq_ || m.crc != crc_of(m))
        continue;
      m.through_crc = crcs_.at(m.through_seq);
      m.crc = crc_of(m);
      if (auto written =
              checked(db_.run("UPDATE snapshot SET through_crc = ?3, crc = ?4 WHERE partition_id = ?1 AND "
                              "generation = ?2",
                              partition_, m.generation, m.through_crc, m.crc));
          !written)
        return written;
    }
    return {};
  }

  result<void> correct_owner() {
    const auto epoch = owner_.owner.epoch;
    owner_.owner.last_crc = end_.last_crc;
    return checked(write_owner(db_, partition_, owner_, epoch));
  }

  sqlite_handle& db_;
  record_places& places_;
  uint32_t partition_;
  uint64_t seq_;
  owner_row owner_;
  std::vector<manifest> manifests_;
  std::optional<record_places::place> place_; ///< of what is left of the record
  std::optional<record> lost_;                ///< what is left of it, as far as it can be read
  ownership end_;                             ///< of the chain as far as it is made anew
  std::map<uint64_t, uint32_t> crcs_;         ///< by seq, of what is made anew
};

} // namespace

result<std::string> accept_loss(const sqlite_options& options, uint32_t partition, uint64_t seq) {
  auto directory = data_directory::open(options.directory);
  if (!directory)
    return directory.error();
  const auto current = (*directory)->current();
  if (!current)
    return current.error();
  if (!current->has_value())
    return error{errc::invalid_argument, options.directory + " is no data directory: it has no file CURRENT"};
  if ((*directory)->marked_failed())
    return error{errc::storage_failing, "the process before ended while its writes failed: start the server "
                                        "first, which makes a sound copy"};
  auto db =
      sqlite_handle::open({(*directory)->file(**current), (*directory)->lock_file(), options.vfs, false});
  if (!db)
    return db.error();
  if (auto done = migrate(**db, false); !done)
    return done.error();
  record_places places;
  if (const int code = places.load(**db); code != SQLITE_OK)
    return read_failure(**db, code);
  if (const int code = (*db)->run("BEGIN IMMEDIATE"); code != SQLITE_OK)
    return read_failure(**db, code);
  auto why = repair(**db, places, partition, seq).run();
  if (const int code = (*db)->run(why ? "COMMIT" : "ROLLBACK"); why && code != SQLITE_OK)
    return error{(code & 0xff) == SQLITE_FULL ? errc::disk_full : errc::io_failed, (*db)->message()};
  return why;
}

} // namespace storemon::journal
