#pragma once

#include "storemon/protocol/actors.hpp"
#include "storemon/protocol/errors.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace storemon::test {

/// What a journal of one partition in memory keeps, and how it is told to behave. Owned by the test, which
/// may look and change it whenever no message is under way.
struct journal_script {
  struct held_append {
    protocol::shared_entries entries;
    caf::typed_response_promise<uint64_t> promise;
  };

  std::vector<journal_entry> records;
  std::map<int64_t, std::shared_ptr<const update>> chunks;
  uint64_t through_seq = 0; ///< of the snapshot; 0: there is none
  int64_t observations = 0; ///< of the snapshot
  uint64_t state_hash = 0;  ///< of the snapshot
  uint64_t epoch = 0;
  size_t slice_entries = 7;

  bool holds = false; ///< appends wait for unpin_atom
  std::deque<held_append> held;
  std::optional<caf::error> append_fails;
  std::optional<caf::error> open_fails;
  std::optional<caf::error> snapshot_fails;
  std::string damage;        ///< told at the end of a replay
  uint64_t seq_ahead = 0;    ///< appends are answered with a seq too high by this
  uint64_t records_lost = 0; ///< from the end, since they were counted

  std::vector<size_t> appends; ///< entries of each append that came
  size_t snapshots_asked = 0;
  size_t chunks_written = 0; ///< by the last snapshot

  /// Answers the appends that wait, in order, as the script now is.
  void release() {
    for (auto& h : std::exchange(held, {}))
      answer(h);
  }

  void answer(held_append& h) {
    if (append_fails) {
      h.promise.deliver(*append_fails);
      return;
    }
    records.insert(records.end(), h.entries->begin(), h.entries->end());
    h.promise.deliver(records.size() + seq_ahead);
  }

  void keep(const protocol::snapshot& s) {
    chunks_written = 0;
    std::map<int64_t, std::shared_ptr<const update>> kept;
    for (const auto& c : s.chunks) {
      kept[c.number] = c.change ? c.change : chunks.at(c.number);
      chunks_written += c.change != nullptr;
    }
    chunks = std::move(kept);
    through_seq = s.through_seq;
    observations = s.observations;
    state_hash = s.state_hash;
  }

  /// The next slice: a few chunks, or records after the snapshot.
  protocol::replay_slice read(const protocol::replay_cursor& from) const {
    protocol::replay_slice slice;
    slice.next = from;
    if (from.seq == 0 && through_seq > 0) {
      auto next = chunks.lower_bound(from.chunk);
      for (; next != chunks.end() && slice.entries.size() < slice_entries; ++next)
        slice.entries.push_back({*next->second, {}, {}});
      slice.snapshot_ends = next == chunks.end();
      if (!slice.snapshot_ends) {
        slice.next.chunk = next->first;
        return slice;
      }
      slice.through_seq = through_seq;
      slice.snapshot_observations = observations;
      slice.snapshot_hash = state_hash;
      slice.next.seq = through_seq + 1;
    } else {
      const auto begin = std::max<uint64_t>(from.seq, 1) - 1;
      const auto end = std::min<uint64_t>(records.size(), begin + slice_entries);
      slice.entries.assign(records.begin() + static_cast<std::ptrdiff_t>(begin),
                           records.begin() + static_cast<std::ptrdiff_t>(end));
      slice.next.seq = end + 1;
      slice.through_seq = end;
    }
    slice.last = slice.through_seq == records.size();
    if (slice.last)
      slice.damage = damage;
    return slice;
  }
};

struct fake_journal_state {
  static inline const char* name = "journal";
};

/// JOURNAL as its script says.
inline protocol::journal_actor::behavior_type
fake_journal(protocol::journal_actor::stateful_pointer<fake_journal_state> self, journal_script* script) {
  using namespace protocol;
  const auto no = [] { return to_caf({errc::invalid_argument, "the fake journal cannot"}); };
  return {
      [script](open_atom, uint32_t) -> caf::result<opening> {
        if (script->open_fails)
          return *script->open_fails;
        return opening{++script->epoch, script->records.size() + 1 + script->records_lost};
      },
      [script](replay_atom, uint32_t, uint64_t epoch,
               const replay_cursor& from) -> caf::result<shared_replay> {
        if (epoch != script->epoch)
          return to_caf({errc::fenced, "another owner"});
        return shared_replay(script->read(from));
      },
      [self, script](append_atom, uint32_t, uint64_t epoch,
                     const shared_entries& entries) -> caf::result<uint64_t> {
        if (epoch != script->epoch)
          return to_caf({errc::fenced, "another owner"});
        script->appends.push_back(entries->size());
        auto promise = self->make_response_promise<uint64_t>();
        script->held.push_back({entries, promise});
        if (!script->holds)
          script->release();
        return promise;
      },
      [script](snap_atom, const shared_snapshot& s) -> caf::result<bool> {
        ++script->snapshots_asked;
        if (script->snapshot_fails)
          return *script->snapshot_fails;
        script->keep(*s);
        return true;
      },
      [no](put_atom, const std::shared_ptr<const stored_report>&) -> caf::result<bool> { return no(); },
      [no](drop_atom, const std::vector<std::string>&) -> caf::result<bool> { return no(); },
      [no](reports_atom) -> caf::result<std::shared_ptr<const std::vector<stored_report>>> { return no(); },
      [no](reports_atom, const std::string&) -> caf::result<std::shared_ptr<const std::string>> {
        return no();
      },
      [no](get_atom, const std::string&) -> caf::result<std::string> { return no(); },
      [no](put_atom, const std::string&, const std::string&) -> caf::result<bool> { return no(); },
      [no](pin_atom) -> caf::result<std::vector<uint64_t>> { return no(); },
      [script](unpin_atom) { script->release(); },
      [no](backup_atom, const std::string&) -> caf::result<bool> { return no(); },
      [](health_atom) { return journal_health(); },
  };
}

} // namespace storemon::test
