#include "storemon/partition/write_queue.hpp"

#include <utility>

namespace storemon::partition {

namespace {

struct bytes_of {
  size_t operator()(const observation_rows& c) const {
    return c.stores.bytes().size() + c.seen.size() * (sizeof(observation) + sizeof(uint32_t));
  }

  size_t operator()(const hours_rows& c) const {
    return c.stores.bytes().size() + c.rows.size() * (sizeof(hours_row) + sizeof(uint32_t));
  }

  size_t operator()(const zone_rows& c) const { return c.stores.bytes().size() + c.zones.bytes().size(); }

  size_t operator()(const batch_memory& c) const { return c.batches.size() * sizeof(remembered_batch); }

  size_t operator()(const closure_change& c) const { return c.store.size(); }

  size_t operator()(const store_deletion& c) const { return c.store.size(); }
};

/// What a write takes in memory and in a message, roughly.
size_t bytes(const write& w) {
  constexpr size_t any = 128;
  return any + (w.batch ? bytes_of()(w.batch->rows) : std::visit(bytes_of(), *w.change));
}

bool refuses_conflicts(const write& w) {
  return w.batch && w.batch->reject_conflicts;
}

std::string sentence(const protocol::conflict_seen& found) {
  return "store " + found.store + " was polled with another status at " + to_rfc3339(found.at);
}

} // namespace

void write_queue::answer(write& w, result<protocol::batch_result> what) {
  if (w.batch)
    keys_.erase(w.batch->mark.key);
  w.answer(std::move(what));
}

void write_queue::push(write w, const partition_data& data, instant now) {
  const auto size = bytes(w);
  const auto* mark = w.batch && w.batch->mark.given() ? &w.batch->mark : nullptr;
  if (const auto* known = mark ? data.batches().repeated(*mark, now) : nullptr) {
    if (known->mark.body == mark->body)
      w.answer(protocol::batch_result{known->done, true, {}});
    else
      w.answer(error{errc::key_reused, "the idempotency key came before with another body"});
  } else if (mark && keys_.contains(mark->key)) {
    w.answer(error{errc::conflict, "a request with the same idempotency key is being applied right now"});
  } else if (waiting_bytes_ + size > limits_.waiting_bytes_max && !waiting_.empty()) {
    w.answer(error{errc::overloaded, "too much is waiting to be made durable"});
  } else {
    if (mark)
      keys_.insert(mark->key);
    waiting_bytes_ += size;
    waiting_.push_back(std::move(w));
  }
}

bool write_queue::needs_no_journal(const write& w, const partition_data& data) const {
  const auto* rows = w.change ? std::get_if<observation_rows>(w.change.get()) : nullptr;
  // Under other rules, what the group does to pins would count too.
  return rows && rows->rule == conflict_rule::inactive_wins && !group_deletes_ && data.nothing_new(*rows);
}

bool write_queue::begin(const partition_data& data, instant now) {
  if (under_way())
    return false;
  group_written_ = now;
  group_deletes_ = false;
  size_t group_bytes = 0;
  while (!waiting_.empty()) {
    auto& next = waiting_.front();
    const auto size = bytes(next);
    const bool full =
        group_.size() >= limits_.group_entries_max || group_bytes + size > limits_.group_bytes_max;
    // A batch that refuses conflicts is judged when all before it is applied, and then goes alone.
    if (under_way() && (full || refuses_conflicts(next) || refuses_conflicts(group_.front())))
      break;
    const auto within =
        next.change ? check_limits(*next.change, data, limits_.facts, group_.size()) : result<void>();
    if (!within && under_way())
      break; // to be judged when all before it is applied
    auto w = std::move(next);
    waiting_.pop_front();
    waiting_bytes_ -= size;
    const auto found = refuses_conflicts(w) ? data.contradiction(w.batch->rows) : std::nullopt;
    if (!within) {
      answer(w, within.error());
    } else if (found) {
      answer(w, error{errc::conflict, sentence(*found)});
    } else if (needs_no_journal(w, data)) {
      const auto& held = std::get<observation_rows>(*w.change);
      const auto rows = held.seen.empty() ? held.stores.size() : held.seen.size();
      answer(w, protocol::batch_result{{0, static_cast<int64_t>(rows), 0}, false, {}});
    } else {
      group_deletes_ = group_deletes_ || (w.change && std::holds_alternative<store_deletion>(*w.change));
      group_bytes += size;
      group_.push_back(std::move(w));
    }
  }
  return under_way();
}

std::vector<journal_entry> write_queue::entries() const {
  std::vector<journal_entry> all;
  all.reserve(group_.size());
  for (const auto& w : group_)
    all.push_back(w.batch ? journal_entry{w.batch->rows, w.batch->mark, group_written_}
                          : journal_entry{*w.change, {}, group_written_});
  return all;
}

void write_queue::commit(partition_data& data) {
  for (auto& w : std::exchange(group_, {})) {
    protocol::batch_result result;
    if (w.batch) {
      result.done = data.apply(w.batch->rows, &result.conflicts);
      if (w.batch->mark.given())
        data.remember({w.batch->mark, group_written_, result.done});
    } else {
      result.done = data.apply(*w.change);
    }
    answer(w, std::move(result));
  }
}

void write_queue::fail_group(const error& why) {
  for (auto& w : std::exchange(group_, {}))
    answer(w, why);
}

void write_queue::fail_all(const error& why) {
  fail_group(why);
  waiting_bytes_ = 0;
  for (auto& w : std::exchange(waiting_, {}))
    answer(w, why);
}

} // namespace storemon::partition
