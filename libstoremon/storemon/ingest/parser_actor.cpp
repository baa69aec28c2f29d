#include "storemon/ingest/parser_actor.hpp"

namespace storemon::ingest {

using namespace protocol;

void parser_state::start(parser_actor::pointer self, const parser_options& options,
                         std::vector<shard_actor> shards) {
  self_ = self;
  updates_in_flight_max_ = options.updates_in_flight_max;
  shards_ = std::move(shards);
  unanswered_.resize(shards_.size());
  parser_.emplace(options.where, options.routing,
                  [this](uint32_t partition, update change) { send(partition, std::move(change)); });
}

void parser_state::send(uint32_t partition, update change) {
  if (!shards_[partition] || failure_)
    return;
  ++unanswered_[partition];
  ++in_flight_;
  self_->request(shards_[partition], caf::infinite, apply_atom_v, shared_update(std::move(change)))
      .then(
          [this, partition](const applied& what) {
            if (!shards_[partition])
              return;
            totals_.done += what;
            answered(partition);
          },
          [this, partition](const caf::error& e) { refused(partition, from_caf(e)); });
}

void parser_state::refused(uint32_t partition, const error& why) {
  // Where nothing can be made durable the other partitions fare no better.
  if (why.code == errc::disk_full || why.code == errc::storage_failing)
    failure_ = why;
  lost(partition);
}

void parser_state::answered(uint32_t partition) {
  --unanswered_[partition];
  --in_flight_;
  settle();
}

void parser_state::lost(uint32_t partition) {
  if (!shards_[partition])
    return;
  shards_[partition] = nullptr;
  totals_.lost.insert(partition);
  in_flight_ -= std::exchange(unanswered_[partition], 0);
  settle();
}

caf::result<chunk_job_pointer> parser_state::parse(chunk_job_pointer job) {
  job->summary = parser_->parse(job->bytes.text());
  auto answer = self_->make_response_promise<chunk_job_pointer>();
  parsed_.emplace_back(answer, std::move(job));
  settle();
  return answer;
}

caf::result<parser_totals> parser_state::flush() {
  parser_->flush();
  flushed_ = self_->make_response_promise<parser_totals>();
  auto answer = *flushed_;
  settle();
  return answer;
}

void parser_state::settle() {
  if (failure_) {
    for (auto& [answer, job] : parsed_)
      answer.deliver(to_caf(*failure_));
    parsed_.clear();
    if (flushed_)
      flushed_->deliver(to_caf(*failure_));
    flushed_.reset();
    return;
  }
  if (in_flight_ <= updates_in_flight_max_) {
    for (auto& [answer, job] : parsed_)
      answer.deliver(std::move(job));
    parsed_.clear();
  }
  if (in_flight_ == 0 && flushed_) {
    flushed_->deliver(totals_);
    flushed_.reset();
  }
}

parser_actor::behavior_type parser(parser_actor::stateful_pointer<parser_state> self,
                                   const parser_options& options, std::vector<shard_actor> shards) {
  auto& state = self->state;
  state.start(self, options, std::move(shards));
  return {
      [&state](parse_atom, chunk_job_pointer& job) { return state.parse(std::move(job)); },
      [&state](flush_atom) { return state.flush(); },
      [&state](lost_atom, uint32_t partition) { state.lost(partition); },
  };
}

} // namespace storemon::ingest
