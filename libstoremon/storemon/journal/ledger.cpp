#include "storemon/journal/ledger.hpp"

#include "storemon/journal/chain.hpp"

namespace storemon::journal {

take_over ledger::stage_opening(uint32_t partition, const ownership& found) {
  save();
  end_ = found;
  ++end_.epoch;
  return {partition, found.epoch};
}

result<append> ledger::stage_entries(codec& coder, uint32_t partition,
                                     std::span<const journal_entry> entries) {
  append a;
  a.partition = partition;
  a.epoch = end_.epoch;
  a.records.reserve(entries.size());
  auto end = end_;
  for (const auto& entry : entries) {
    // Names that a refused entry brought stay unkept, and go with the next append.
    auto encoded = coder.encode(entry, names_);
    if (!encoded)
      return encoded.error();
    seal(*encoded, partition, end_.epoch, end);
    a.records.push_back(std::move(*encoded));
  }
  save();
  end_ = end;
  a.names = names_.births();
  kept_ = names_.size();
  names_.keep(kept_);
  return a;
}

result<composed_snapshot> ledger::stage_snapshot(backend& kept, codec& coder, const protocol::snapshot& s) {
  auto made = compose_snapshot(kept, coder, names_, s, end_.next_seq);
  if (made)
    save();
  return made;
}

void ledger::undo() noexcept {
  if (!before_)
    return;
  end_ = before_->end;
  kept_ = before_->kept;
  names_.keep(kept_);
  before_.reset();
}

void ledger::begin(std::span<const std::string> names) {
  names_ = store_names(names);
  kept_ = names_.size();
  damage_.clear();
  names_lost_ = false;
  base.reset();
}

void ledger::begin_damaged(std::string why) {
  begin({});
  damage_ = std::move(why);
  names_lost_ = true;
}

} // namespace storemon::journal
