#pragma once

#include "storemon/journal/backend.hpp"
#include "storemon/journal/codec.hpp"
#include "storemon/journal/snapshots.hpp"
#include "storemon/journal/store_names.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace storemon::journal {

/// A partition as the journal knows it in memory: under which epoch it is owned, where its chain of records
/// ends, and what its stores are called. What is staged for a commit is kept or undone as a whole.
class ledger {
public:
  /// Whether the partition was taken over through this journal.
  bool open() const noexcept { return end_.epoch != 0; }

  const ownership& end() const noexcept { return end_; }

  const store_names& names() const noexcept { return names_; }

  /// Why nothing may be written to the partition; empty: it may.
  const std::string& damage() const noexcept { return damage_; }

  /// Whether the damage is that the names cannot be read, and with them no record.
  bool names_lost() const noexcept { return names_lost_; }

  void damaged(std::string why) { damage_ = std::move(why); }

  /// Whether there is something staged.
  bool staged() const noexcept { return before_.has_value(); }

  /// Stages taking the partition over as it was found.
  take_over stage_opening(uint32_t partition, const ownership& found);

  /// Stages entries as the next records. Fails with too_large, and then nothing of them is staged.
  result<append> stage_entries(codec& coder, uint32_t partition, std::span<const journal_entry> entries);

  /// Stages the partition's next snapshot: see compose_snapshot.
  result<composed_snapshot> stage_snapshot(backend& kept, codec& coder, const protocol::snapshot& s);

  /// What is staged is durable.
  void keep() noexcept { before_.reset(); }

  /// What is staged is not durable, and never was.
  void undo() noexcept;

  /// Begins anew with the names that are kept, after an opening: sound until a replay finds otherwise.
  void begin(std::span<const std::string> names);

  /// Likewise, with names that cannot be read.
  void begin_damaged(std::string why);

  /// Nothing is known of the partition any more: it has to be opened again.
  void close() { *this = ledger(); }

  /// The snapshot a replay starts at, once chosen; nothing: to be chosen.
  std::optional<snapshot_base> base;

private:
  struct saved {
    ownership end;
    uint32_t kept = 0;
  };

  void save() {
    if (!before_)
      before_ = saved{end_, kept_};
  }

  ownership end_;
  store_names names_;
  uint32_t kept_ = 0; // of the names, those durable or staged
  std::string damage_;
  bool names_lost_ = false;
  std::optional<saved> before_;
};

} // namespace storemon::journal
