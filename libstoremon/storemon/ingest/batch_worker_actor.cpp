#include "storemon/ingest/batch_worker_actor.hpp"

#include "storemon/ingest/batch_mark.hpp"

#include <algorithm>
#include <string>

namespace storemon::ingest {

using namespace protocol;

namespace {

conflict_rule rule_of(on_conflict conflicts) {
  switch (conflicts) {
  case on_conflict::replace:
    return conflict_rule::replace;
  case on_conflict::keep:
    return conflict_rule::keep;
  case on_conflict::inactive_wins:
  case on_conflict::reject:
    break;
  }
  return conflict_rule::inactive_wins;
}

size_t bytes_of(const observation_rows& rows) {
  return rows.seen.size() * (sizeof(observation) + sizeof(uint32_t)) + rows.stores.bytes().size() +
         rows.stores.size() * sizeof(uint32_t);
}

/// The greater, the graver: what repeating the request can mend least comes first.
int gravity(errc code) {
  switch (code) {
  case errc::key_reused:
    return 6;
  case errc::conflict:
    return 5;
  case errc::damaged:
    return 4;
  case errc::fenced:
  case errc::storage_failing:
    return 3;
  case errc::disk_full:
    return 2;
  case errc::partition_lost:
    return 1;
  default:
    return 0;
  }
}

error no_answer(uint32_t partition, const char* why) {
  return {errc::partition_lost, "the shard of partition " + std::to_string(partition) + " " + why};
}

} // namespace

void batch_worker_state::start(batch_worker_actor::pointer self, intake_request request, placement shards,
                               const body_limits& limits) {
  self_ = self;
  request_ = std::move(request);
  shards_ = std::move(shards);
  limits_ = limits;
}

caf::result<batch_load> batch_worker_state::read() {
  auto read = read_body(request_.format, *request_.body, static_cast<uint32_t>(shards_->size()), limits_);
  if (!read)
    return to_caf(read.error());
  mark_ = mark_of(request_);
  request_.body = nullptr;
  rejected_ = std::move(read->rejected);
  batch_load load{mark_, {}};
  for (auto& [partition, rows] : read->parts) {
    load.bytes.emplace_back(partition, bytes_of(rows));
    rows.rule = rule_of(request_.conflicts);
    parts_.push_back(
        {partition, shared_batch({std::move(rows), mark_, request_.conflicts == on_conflict::reject})});
  }
  return load;
}

caf::result<batch_outcome> batch_worker_state::apply() {
  promise_ = self_->make_response_promise<batch_outcome>();
  const auto promise = *promise_;
  // Refused by one partition, the batch is to be refused by all: so all are asked before any is told.
  checking_ = request_.conflicts == on_conflict::reject;
  if (checking_)
    ask_all(check_atom_v);
  else
    ask_all(batch_atom_v);
  return promise;
}

template <class Atom>
void batch_worker_state::ask_all(Atom what) {
  sent_ = !checking_;
  for (auto& p : parts_) {
    const auto& shard = (*shards_)[p.partition];
    if (!shard || lost_.contains(p.partition)) {
      p.answer = no_answer(p.partition, "is not there");
      continue;
    }
    p.waiting = true;
    ++waiting_;
    self_->request(shard, caf::infinite, what, p.batch)
        .then([this, &p](batch_result& done) { settle(p, std::move(done)); },
              [this, &p](const caf::error& e) { settle(p, from_caf(e)); });
  }
  if (waiting_ == 0)
    all_settled();
}

void batch_worker_state::settle(part& p, result<batch_result> answer) {
  if (!p.waiting)
    return;
  p.waiting = false;
  p.answer = std::move(answer);
  if (--waiting_ == 0)
    all_settled();
}

void batch_worker_state::lost(uint32_t partition) {
  lost_.insert(partition);
  for (auto& p : parts_)
    if (p.partition == partition)
      settle(p, no_answer(partition, "is gone"));
}

void batch_worker_state::deadline() {
  if (answered_ || !promise_)
    return;
  for (auto& p : parts_)
    if (p.waiting)
      p.answer = no_answer(p.partition, "keeps silent");
  fail(*gravest());
}

void batch_worker_state::all_settled() {
  if (answered_) {
    self_->quit();
    return;
  }
  if (auto failed = gravest()) {
    fail(std::move(*failed));
    return;
  }
  if (!checking_) {
    succeed();
    return;
  }
  if (auto contradicted = contradiction()) {
    fail(std::move(*contradicted));
    return;
  }
  checking_ = false;
  ask_all(batch_atom_v);
}

std::optional<error> batch_worker_state::gravest() const {
  std::optional<error> worst;
  for (const auto& p : parts_)
    if (!p.answer && (!worst || gravity(p.answer.error().code) > gravity(worst->code)))
      worst = p.answer.error();
  return worst;
}

std::optional<error> batch_worker_state::contradiction() const {
  for (const auto& p : parts_)
    if (!p.answer->replayed && !p.answer->conflicts.empty()) {
      const auto& first = p.answer->conflicts.front();
      return error{errc::conflict, "an observation contradicts what is known: store " + first.store + " at " +
                                       to_rfc3339(first.at)};
    }
  return std::nullopt;
}

void batch_worker_state::succeed() {
  intake_result sum;
  sum.replayed = !parts_.empty();
  for (const auto& p : parts_) {
    sum.replayed = sum.replayed && p.answer->replayed;
    sum.done += p.answer->done;
    const auto& seen = p.answer->conflicts;
    const auto room = std::min(seen.size(), conflicts_listed_max - sum.conflicts.size());
    sum.conflicts.insert(sum.conflicts.end(), seen.begin(), seen.begin() + static_cast<std::ptrdiff_t>(room));
  }
  sum.rejected = rejected_.total();
  for (const auto& sample : rejected_.samples)
    sum.rejects.push_back({sample.line, std::string(to_string(sample.reason)), sample.text});
  answer({std::make_shared<const intake_result>(std::move(sum)), {errc::ok, ""}, sent_});
}

void batch_worker_state::fail(error why) {
  why.detail += sent_ ? "; other partitions may have applied their part" : "; nothing was applied";
  if (why.code != errc::key_reused && why.code != errc::conflict)
    why.detail += ", and the same request with the same key may be repeated";
  answer({nullptr, std::move(why), sent_});
}

void batch_worker_state::answer(batch_outcome outcome) {
  answered_ = true;
  promise_->deliver(std::move(outcome));
  if (waiting_ == 0)
    self_->quit();
}

batch_worker_actor::behavior_type batch_worker(batch_worker_actor::stateful_pointer<batch_worker_state> self,
                                               intake_request request, placement shards,
                                               const body_limits& limits) {
  auto& state = self->state;
  state.start(self, std::move(request), std::move(shards), limits);
  return {
      [&state](read_atom) { return state.read(); },
      [&state](apply_atom) { return state.apply(); },
      [&state](lost_atom, uint32_t partition) { state.lost(partition); },
      [&state](deadline_atom) { state.deadline(); },
  };
}

} // namespace storemon::ingest
