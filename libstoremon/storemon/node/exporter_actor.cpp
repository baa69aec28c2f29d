#include "storemon/node/exporter_actor.hpp"

#include "storemon/node/feed_text.hpp"

namespace storemon::node {

using namespace protocol;

void exporter_state::start(exporter_self::pointer self, exporter_options options) {
  self_ = self;
  options_ = std::move(options);
}

caf::result<uint64_t> exporter_state::begin(feed_kind feed) {
  if (!options_.journal)
    return to_caf({errc::invalid_argument, "without a data directory (data.dir) there is nothing to export"});
  if (jobs_.size() + beginning_ >= options_.exports_max)
    return to_caf({errc::busy, std::to_string(options_.exports_max) +
                                   " exports are under way, the most allowed at once"});
  ++beginning_;
  auto answer = self_->make_response_promise<uint64_t>();
  self_->request(options_.journal, caf::infinite, pin_atom_v)
      .then(
          [this, answer, feed](std::vector<uint64_t>& through) mutable {
            --beginning_;
            const auto number = ++last_number_;
            auto& job = jobs_[number];
            job.feed = feed;
            job.through = std::move(through);
            job.text = feed_header(feed);
            self_->delayed_send(self_, options_.idle_max, deadline_atom_v, number);
            answer.deliver(number);
          },
          [this, answer](const caf::error& e) mutable {
            --beginning_;
            answer.deliver(e);
          });
  return answer;
}

caf::result<std::shared_ptr<const std::string>> exporter_state::next(uint64_t number) {
  const auto found = jobs_.find(number);
  if (found == jobs_.end())
    return to_caf({errc::not_found, "there is no such export (any more)"});
  auto& job = found->second;
  if (!job.waiting.empty())
    return to_caf({errc::busy, "the piece before is still being made"});
  auto answer = self_->make_response_promise<std::shared_ptr<const std::string>>();
  job.waiting.push_back(answer);
  ++job.pieces;
  go_on(number);
  return answer;
}

void exporter_state::go_on(uint64_t number) {
  auto& job = jobs_.at(number);
  while (job.text.size() < options_.piece_bytes) {
    if (job.data && job.store < job.stores.size()) {
      append_feed_lines(job.feed, *job.stores[job.store++], job.text);
      continue;
    }
    if (job.data) {
      job.data.reset();
      job.stores.clear();
      ++job.partition;
    }
    if (job.partition < job.through.size()) {
      job.data = std::make_unique<partition::partition_data>();
      load(number, replay_cursor());
      return; // goes on once the partition is there
    }
    const bool over = job.text.empty();
    give(job);
    if (over)
      end(number);
    return;
  }
  give(job);
}

void exporter_state::load(uint64_t number, replay_cursor at) {
  const auto partition = jobs_.at(number).partition;
  self_->request(options_.journal, caf::infinite, replay_atom_v, partition, reader_epoch, at)
      .then(
          [this, number](const shared_replay& slice) {
            if (jobs_.count(number))
              loaded(number, *slice);
          },
          [this, number](const caf::error& e) {
            if (jobs_.count(number))
              fail(number, from_caf(e));
          });
}

void exporter_state::loaded(uint64_t number, const replay_slice& slice) {
  auto& job = jobs_.at(number);
  if (!slice.damage.empty()) {
    fail(number, {errc::damaged, slice.damage});
    return;
  }
  const auto through = job.through[job.partition];
  // A snapshot counts whole: none is taken while one is pinned.
  const bool of_snapshot = slice.next.seq == 0 || slice.snapshot_ends;
  const auto after = of_snapshot ? uint64_t{0} : slice.through_seq - slice.entries.size();
  for (size_t i = 0; i < slice.entries.size(); ++i)
    if (of_snapshot || after + i + 1 <= through)
      job.data->apply(slice.entries[i]);
  if (!slice.last && slice.through_seq < through) {
    load(number, slice.next);
    return;
  }
  job.data->for_each_store([&](const partition::store& s) { job.stores.push_back(&s); });
  job.store = 0;
  go_on(number);
}

void exporter_state::give(export_job& job) {
  if (job.waiting.empty())
    return;
  job.waiting.front().deliver(std::make_shared<const std::string>(std::exchange(job.text, {})));
  job.waiting.clear();
}

void exporter_state::fail(uint64_t number, const error& why) {
  for (auto& waiting : jobs_.at(number).waiting)
    waiting.deliver(to_caf(why));
  end(number);
}

void exporter_state::end(uint64_t number) {
  jobs_.erase(number);
  self_->send(options_.journal, unpin_atom_v);
}

void exporter_state::drop(uint64_t number) {
  if (jobs_.count(number))
    fail(number, {errc::cancelled, "the export was dropped"});
}

void exporter_state::look_after(uint64_t number) {
  const auto found = jobs_.find(number);
  if (found == jobs_.end())
    return;
  auto& job = found->second;
  if (job.waiting.empty() && job.pieces == job.pieces_seen) {
    drop(number);
    return;
  }
  job.pieces_seen = job.pieces;
  self_->delayed_send(self_, options_.idle_max, deadline_atom_v, number);
}

exporter_self::behavior_type exporter(exporter_self::stateful_pointer<exporter_state> self,
                                      exporter_options options) {
  auto& state = self->state;
  state.start(self, std::move(options));
  return {
      [&state](export_atom, feed_kind feed) { return state.begin(feed); },
      [&state](next_atom, uint64_t number) { return state.next(number); },
      [&state](drop_atom, uint64_t number) { state.drop(number); },
      [&state](deadline_atom, uint64_t number) { state.look_after(number); },
  };
}

} // namespace storemon::node
