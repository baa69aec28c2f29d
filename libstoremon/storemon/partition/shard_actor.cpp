#include "storemon/partition/shard_actor.hpp"

#include "storemon/partition/portrait.hpp"
#include "storemon/partition/timeline.hpp"
#include "storemon/partition/validate.hpp"

#include <thread>

namespace storemon::partition {

using namespace protocol;

namespace {

/// Whether an answer of the journal leaves open what it kept: it is no word of the journal's own.
bool outcome_unknown(const error& e) {
  return e.code == errc::internal || e.code == errc::partition_lost || e.code == errc::shutting_down;
}

error unknown(const error& cause) {
  return {errc::storage_failing,
          "it is not known whether this was kept, repeat it with the same key: " + cause.detail};
}

} // namespace

shard_state::~shard_state() {
  const error why{errc::partition_lost, "the shard is gone, and it is not known whether this was kept"};
  writes_.fail_all(why);
  for (auto& promise : loads_)
    promise.deliver(to_caf(why));
}

void shard_state::start(pointer self, shard_options options) {
  self_ = self;
  options_ = std::move(options);
  writes_ = write_queue(options_.writes);
  self_->set_down_handler([this](caf::down_msg& down) { gone(down); });
  if (durable())
    self_->monitor(options_.journal);
  else
    phase_ = phase::serving;
}

void shard_state::gone(const caf::down_msg& down) {
  if (durable() && down.source == options_.journal.address())
    end({errc::storage_failing, "the journal is gone: " + from_caf(down.reason).detail});
  else if (down.source == fit_leader_)
    drop_fit(fit_number_);
}

caf::result<fit_slice> shard_state::observe(const fit_order& order) {
  if (auto why = not_serving(); why.code != errc::ok)
    return to_caf(why);
  auto slice = fit_.observe(data, order, options_.limits);
  if (!slice)
    return to_caf(slice.error());
  if (order.after.empty()) {
    drop_leader();
    fit_number_ = order.fit;
    fit_leader_ = caf::actor_cast<caf::actor_addr>(self_->current_sender());
    self_->monitor(fit_leader_);
  }
  return std::move(*slice);
}

caf::result<shared_counts> shard_state::count(uint64_t fit, const fleet_weights& weights) const {
  auto counts = fit_.count(fit, weights);
  if (!counts)
    return to_caf(counts.error());
  return shared_counts(std::move(*counts));
}

void shard_state::drop_fit(uint64_t fit) {
  if (fit != fit_number_)
    return;
  fit_.drop(fit);
  drop_leader();
}

void shard_state::drop_leader() {
  if (fit_leader_)
    self_->demonitor(fit_leader_);
  fit_leader_ = nullptr;
}

error shard_state::not_serving() const {
  if (phase_ == phase::serving)
    return {errc::ok, ""};
  return {errc::not_ready, "partition " + std::to_string(options_.partition) + " is being loaded"};
}

census shard_state::census() const {
  auto counted = data.census();
  counted.damaged = !damage_.empty();
  return counted;
}

loaded shard_state::totals() {
  const auto counted = data.census();
  return {counted.stores, counted.observations, data.state_hash(), damage_};
}

void shard_state::load(load_promise promise) {
  if (phase_ == phase::serving) {
    promise.deliver(totals());
    return;
  }
  loads_.push_back(std::move(promise));
  if (phase_ == phase::loading)
    return;
  phase_ = phase::loading;
  self_->request(options_.journal, caf::infinite, open_atom_v, options_.partition)
      .then(
          [this](const opening& opened) {
            epoch_ = opened.epoch;
            next_seq_ = opened.next_seq;
            replay({});
          },
          [this](const caf::error& e) { loading_failed(from_caf(e)); });
}

void shard_state::replay(const replay_cursor& from) {
  self_->request(options_.journal, caf::infinite, replay_atom_v, options_.partition, epoch_, from)
      .then([this](const shared_replay& slice) { take(*slice); },
            [this](const caf::error& e) { loading_failed(from_caf(e)); });
}

void shard_state::take(const replay_slice& slice) {
  const bool last = slice.last || !slice.damage.empty();
  if (!last)
    replay(slice.next); // the journal reads the next slice while this one is applied
  for (const auto& entry : slice.entries)
    data.apply(entry);
  records_ += slice.entries.size();
  through_seq_ = slice.through_seq;
  if (slice.snapshot_ends) {
    kept_version_ = data.version();
    records_ = 0;
    if (data.census().observations != slice.snapshot_observations || data.state_hash() != slice.snapshot_hash)
      damage_ = "the snapshot through record " + std::to_string(through_seq_) +
                " does not make the state it was taken of";
  }
  if (damage_.empty())
    damage_ = slice.damage;
  if (!last)
    return;
  if (damage_.empty() && through_seq_ + 1 != next_seq_)
    damage_ = "the last record should be " + std::to_string(next_seq_ - 1) + " and is " +
              std::to_string(through_seq_);
  phase_ = phase::serving;
  for (auto& promise : std::exchange(loads_, {}))
    promise.deliver(totals());
}

void shard_state::loading_failed(const error& why) {
  if (why.code == errc::fenced || outcome_unknown(why)) {
    end(why);
    return;
  }
  data = {};
  records_ = 0;
  kept_version_ = 0;
  damage_.clear();
  phase_ = phase::empty;
  for (auto& promise : std::exchange(loads_, {}))
    promise.deliver(to_caf(why));
}

void shard_state::take(write w) {
  const auto valid = w.batch ? check(w.batch->rows) : check(*w.change);
  if (auto why = not_serving(); why.code != errc::ok) {
    w.answer(std::move(why));
  } else if (!valid) {
    w.answer(valid.error());
  } else if (!damage_.empty()) {
    w.answer(error{errc::damaged, "the partition is read-only: " + damage_});
  } else {
    writes_.push(std::move(w), data, options_.now());
    write_on();
  }
}

void shard_state::write_on() {
  if (!durable()) {
    while (writes_.begin(data, options_.now()))
      writes_.commit(data);
    return;
  }
  if (writes_.under_way())
    return;
  // Now the data is exactly what the records make it.
  if (records_ >= options_.snapshot_after_records && !snapping_)
    snapshot();
  if (!writes_.begin(data, options_.now()))
    return;
  self_
      ->request(options_.journal, caf::infinite, append_atom_v, options_.partition, epoch_,
                shared_entries(writes_.entries()))
      .then([this](uint64_t seq) { appended(seq); },
            [this](const caf::error& e) { append_failed(from_caf(e)); });
}

void shard_state::appended(uint64_t seq) {
  const auto expected = through_seq_ + writes_.group_size();
  if (seq != expected) {
    end(unknown({errc::storage_failing, "the journal kept it as record " + std::to_string(seq) + ", not " +
                                            std::to_string(expected)}));
    return;
  }
  through_seq_ = seq;
  records_ += writes_.group_size();
  writes_.commit(data);
  write_on();
}

void shard_state::append_failed(const error& why) {
  if (why.code == errc::fenced) {
    end(why);
  } else if (outcome_unknown(why)) {
    end(unknown(why));
  } else if (why.code == errc::damaged) {
    damage_ = why.detail;
    writes_.fail_all(why);
  } else {
    writes_.fail_group(why);
    write_on();
  }
}

void shard_state::snapshot() {
  auto taken = data.snapshot(kept_version_);
  taken.partition = options_.partition;
  taken.epoch = epoch_;
  taken.through_seq = through_seq_;
  records_ = 0;
  snapping_ = true;
  self_->request(options_.journal, caf::infinite, snap_atom_v, shared_snapshot(std::move(taken)))
      .then(
          [this, version = data.version()](bool) {
            snapping_ = false;
            kept_version_ = version;
          },
          [this](const caf::error& e) {
            snapping_ = false;
            const auto why = from_caf(e);
            if (why.code == errc::fenced)
              end(why);
            else if (why.code != errc::busy)
              kept_version_ = 0; // who knows what it lacks: the next one is whole
          });
}

void shard_state::end(const error& why) {
  writes_.fail_all(why);
  for (auto& promise : std::exchange(loads_, {}))
    promise.deliver(to_caf(why));
  self_->quit(to_caf(why));
}

namespace {

/// Runs `answer` unless the shard cannot answer questions now.
template <class R, class Answer>
caf::result<R> when_serving(const shard_state& state, Answer answer) {
  if (const auto why = state.not_serving(); why.code != errc::ok)
    return to_caf(why);
  return R(answer());
}

/// The same for answers that may fail.
template <class R, class Answer>
caf::result<R> answer_when_serving(const shard_state& state, Answer answer) {
  if (const auto why = state.not_serving(); why.code != errc::ok)
    return to_caf(why);
  auto answered = answer();
  if (!answered)
    return to_caf(answered.error());
  return R(std::move(*answered));
}

template <class R, class Of>
auto answer_to(caf::typed_response_promise<R> promise, Of of) {
  return [promise, of](result<batch_result> what) mutable {
    if (what)
      promise.deliver(of(*what));
    else
      promise.deliver(to_caf(what.error()));
  };
}

} // namespace

shard_actor::behavior_type shard(shard_state::pointer self, const shard_options& options) {
  auto& state = self->state;
  state.start(self, options);
  return {
      [self, &state](load_atom) -> caf::result<loaded> {
        auto promise = self->make_response_promise<loaded>();
        state.load(promise);
        return promise;
      },
      [self, &state](apply_atom, const shared_update& change) -> caf::result<applied> {
        auto promise = self->make_response_promise<applied>();
        state.take({.change = change.pointer(),
                    .answer = answer_to(promise, [](const batch_result& r) { return r.done; })});
        return promise;
      },
      [self, &state](batch_atom, const shared_batch& batch) -> caf::result<batch_result> {
        auto promise = self->make_response_promise<batch_result>();
        state.take({.batch = batch.pointer(),
                    .answer = answer_to(promise, [](const batch_result& r) { return r; })});
        return promise;
      },
      [&state](check_atom, const shared_batch& batch) {
        return when_serving<batch_result>(state, [&] {
          batch_result would;
          if (auto contradicted = state.data.contradiction(batch->rows))
            would.conflicts.push_back(std::move(*contradicted));
          would.done.conflicts = static_cast<int64_t>(would.conflicts.size());
          return would;
        });
      },
      [&state](marks_atom) {
        return when_serving<shared_marks>(state, [&] { return state.data.batches().marks(); });
      },
      [&state](census_atom) { return when_serving<census>(state, [&] { return state.census(); }); },
      [&state](rows_atom, const shared_spec& spec, const std::string& after) {
        // A thread that answers a client would else wait for the core until the kernel's next tick.
        std::this_thread::yield();
        return when_serving<shared_columns>(
            state, [&] { return state.data.rows(*spec, after, state.options().limits); });
      },
      [&state](quality_atom) {
        return when_serving<shared_quality>(state, [&] { return state.data.quality(); });
      },
      [&state](store_atom, const std::string& id) {
        return when_serving<shared_card>(state, [&] { return state.data.card(id); });
      },
      [&state](portrait_atom, const std::string& id, const shared_spec& spec) {
        return answer_when_serving<shared_portrait>(state,
                                                    [&] { return portrait_of(state.data, id, *spec); });
      },
      [&state](timeline_atom, const std::string& id, const shared_spec& spec) {
        return answer_when_serving<shared_timeline>(state,
                                                    [&] { return timeline_of(state.data, id, *spec); });
      },
      [&state](fit_atom, const fit_order& order) {
        std::this_thread::yield(); // as for rows
        return state.observe(order);
      },
      [&state](counts_atom, uint64_t fit, const shared_weights& weights) {
        return state.count(fit, *weights);
      },
      [&state](drop_atom, uint64_t fit) { state.drop_fit(fit); },
  };
}

} // namespace storemon::partition
