#include "storemon/report/weights_actor.hpp"

#include "storemon/estimate/fleet_weights.hpp"
#include "storemon/report/weights_text.hpp"

#include <algorithm>

namespace storemon::report {

using namespace protocol;

namespace {

/// Under which name the journal keeps them.
constexpr auto kept_name = "telegraph.weights";

/// A journal that cannot be read is asked again after this.
constexpr auto restore_pause = std::chrono::seconds(1);

/// In-session observations grown by one part in so many are worth a fit.
constexpr int64_t growth_part = 20;

} // namespace

void weights_state::start(weights_self::pointer self, weights_options options) {
  self_ = self;
  options_ = std::move(options);
  if (!options_.only_when_asked)
    self_->delayed_send(self_, options_.check_every, next_atom_v);
  if (options_.journal) {
    restore();
    return;
  }
  restored_ = true;
  put_in_force({});
}

void weights_state::restore() {
  self_->request(options_.journal, caf::infinite, get_atom_v, std::string(kept_name))
      .then([this](const std::string& text) { restored(text); },
            [this](const caf::error& e) {
              const auto why = from_caf(e);
              options_.log_error("the fleet weights kept cannot be read: " + why.detail);
              if (why.code == errc::damaged)
                restored("");
              else
                self_->delayed_send(self_, restore_pause, weights_atom_v);
            });
}

void weights_state::restored(const std::string& text) {
  fleet_weights weights;
  if (!text.empty()) {
    if (auto kept = parse_weights(text))
      weights = *kept;
    else
      options_.log_error(kept.error().detail + "; they are fitted anew");
  }
  restored_ = true;
  last_version_ = weights.label.version;
  put_in_force(weights);
  if (!options_.only_when_asked)
    begin(false);
}

void weights_state::put_in_force(fleet_weights weights) {
  in_force_ = shared_weights(std::move(weights));
  if (options_.coordinator)
    self_->send(options_.coordinator, weights_atom_v, in_force_);
  if (options_.desk)
    self_->send(options_.desk, weights_atom_v, in_force_);
}

caf::result<shared_weights> weights_state::get() const {
  if (!restored_)
    return to_caf({errc::not_ready, "the fleet weights kept by the journal are still being read"});
  return in_force_;
}

caf::result<shared_weights> weights_state::fit() {
  if (!restored_)
    return get();
  if (auto why = not_placed(); why.code != errc::ok)
    return to_caf(why);
  auto answer = self_->make_response_promise<shared_weights>();
  waiting_.push_back(answer);
  if (job_)
    job_->wanted = true;
  else
    begin(true);
  return answer;
}

error weights_state::not_placed() const {
  if (shards_.empty())
    return {errc::not_ready, "data is still being loaded"};
  for (size_t p = 0; p < shards_.size(); ++p)
    if (!shards_[p])
      return {errc::partition_lost, "partition " + std::to_string(p) + " is without a shard"};
  return {errc::ok, ""};
}

void weights_state::check() {
  self_->delayed_send(self_, options_.check_every, next_atom_v);
  begin(false);
}

/// Observations in sessions are counted by fits only, for that takes a fit's time. Not more of them can have
/// come than of all, so this is never too late, and too early only where many polls come outside of sessions.
bool weights_state::due(const census& held) const {
  const auto& w = *in_force_;
  if (w.label.version == 0)
    return held.observations > 0;
  return (held.observations - w.held) * growth_part >= w.observations ||
         options_.now() - *w.label.fitted_at >= options_.age_max;
}

void weights_state::begin(bool wanted) {
  if (job_ || !restored_ || not_placed().code != errc::ok)
    return;
  job_.emplace();
  job_->number = ++last_fit_;
  job_->wanted = wanted;
  self_->delayed_send(self_, options_.timeout, deadline_atom_v, job_->number);
  ask_all(&weights_state::counted, census_atom_v);
}

weights_state::job* weights_state::find(uint64_t fit) {
  return job_ && job_->number == fit ? &*job_ : nullptr;
}

template <class Answer, class... Args>
void weights_state::ask_all(void (weights_state::*then)(job&, uint32_t, const Answer&), const Args&... args) {
  for (uint32_t p = 0; p < shards_.size(); ++p) {
    job_->waiting.insert(p);
    self_->request(shards_[p], caf::infinite, args...)
        .then(
            [this, fit = job_->number, p, then](const Answer& answer) {
              if (auto* j = find(fit))
                (this->*then)(*j, p, answer);
            },
            [this, fit = job_->number](const caf::error& e) {
              if (find(fit))
                give_up(from_caf(e));
            });
  }
}

void weights_state::counted(job& j, uint32_t partition, const census& c) {
  j.waiting.erase(partition);
  j.counted += c;
  if (!j.waiting.empty())
    return;
  if (!j.counted.newest || (!j.wanted && !due(j.counted))) {
    end();
    return;
  }
  j.looked = true;
  j.weights.as_of = *j.counted.newest;
  j.weights.held = j.counted.observations;
  for (uint32_t p = 0; p < shards_.size(); ++p) {
    j.waiting.insert(p);
    j.to_ask.emplace(p, fit_order{j.number, j.weights.as_of, ""});
  }
  ask_slices(j);
}

void weights_state::ask_slices(job& j) {
  while (j.in_flight < options_.slices_in_flight && !j.to_ask.empty()) {
    const auto next = j.to_ask.begin();
    ++j.in_flight;
    self_->request(shards_[next->first], caf::infinite, fit_atom_v, next->second)
        .then(
            [this, fit = j.number, p = next->first](const fit_slice& slice) {
              if (auto* still = find(fit))
                observed(*still, p, slice);
            },
            [this, fit = j.number](const caf::error& e) {
              if (find(fit))
                give_up(from_caf(e));
            });
    j.to_ask.erase(next);
  }
}

void weights_state::observed(job& j, uint32_t partition, const fit_slice& slice) {
  --j.in_flight;
  j.weights.label.stores += slice.stores;
  j.weights.observations += slice.observations;
  if (slice.last) {
    j.waiting.erase(partition);
  } else if (slice.through.empty()) {
    give_up({errc::internal, "partition " + std::to_string(partition) + " went on with no store"});
    return;
  } else {
    j.to_ask.emplace(partition, fit_order{j.number, j.weights.as_of, slice.through});
  }
  if (!j.waiting.empty())
    ask_slices(j);
  else if (j.weights.label.stores == 0)
    end();
  else
    next_round(j);
}

void weights_state::next_round(job& j) {
  j.counts = {};
  ask_all(&weights_state::counted_classes, counts_atom_v, j.number, shared_weights(j.weights));
}

void weights_state::counted_classes(job& j, uint32_t partition, const shared_counts& counts) {
  j.waiting.erase(partition);
  j.counts += *counts;
  if (!j.waiting.empty())
    return;
  j.weights.by_class = estimate::class_counts{j.counts}.weights();
  if (++j.rounds < estimate::fit_rounds)
    next_round(j);
  else
    keep(j);
}

void weights_state::keep(job& j) {
  j.weights.label.version = ++last_version_;
  j.weights.label.fitted_at = options_.now();
  if (!options_.journal) {
    fitted(j);
    return;
  }
  self_->request(options_.journal, caf::infinite, put_atom_v, std::string(kept_name), weights_text(j.weights))
      .then(
          [this, fit = j.number](bool) {
            if (auto* still = find(fit))
              fitted(*still);
          },
          [this, fit = j.number](const caf::error& e) {
            if (find(fit))
              give_up(from_caf(e));
          });
}

void weights_state::fitted(job& j) {
  const auto& label = j.weights.label;
  options_.log_info("fleet weights version " + std::to_string(label.version) + ": fitted to " +
                    std::to_string(label.stores) + " stores and " + std::to_string(j.weights.observations) +
                    " observations");
  put_in_force(j.weights);
  end();
}

void weights_state::give_up(error why) {
  options_.log_error("the fleet weights were not fitted, version " +
                     std::to_string(in_force_->label.version) + " stays in force: " + why.detail);
  for (auto& promise : std::exchange(waiting_, {}))
    promise.deliver(to_caf(why));
  end();
}

void weights_state::end() {
  if (job_->looked)
    for (const auto& shard : shards_)
      if (shard)
        self_->send(shard, drop_atom_v, job_->number);
  job_.reset();
  for (auto& promise : std::exchange(waiting_, {}))
    promise.deliver(in_force_);
}

void weights_state::deadline(uint64_t fit) {
  if (find(fit))
    give_up({errc::partition_lost, "shards or the journal kept silent past the deadline"});
}

void weights_state::placed(std::vector<shard_actor> shards) {
  if (job_ && shards != shards_)
    give_up({errc::partition_lost, "partitions were placed anew"});
  const auto before = std::exchange(shards_, std::move(shards));
  for (const auto& shard : shards_)
    if (shard && std::find(before.begin(), before.end(), shard) == before.end())
      self_->monitor(shard);
  if (!options_.only_when_asked)
    begin(false);
}

void weights_state::shard_down(const caf::actor_addr& gone) {
  for (uint32_t p = 0; p < shards_.size(); ++p)
    if (shards_[p] && shards_[p].address() == gone) {
      shards_[p] = nullptr;
      if (job_)
        give_up({errc::partition_lost, "partition " + std::to_string(p) + " lost its shard"});
    }
}

weights_self::behavior_type weights(weights_self::stateful_pointer<weights_state> self,
                                    weights_options options) {
  auto& state = self->state;
  state.start(self, std::move(options));
  self->set_down_handler([&state](const caf::down_msg& down) { state.shard_down(down.source); });
  return {
      [&state](get_atom) { return state.get(); },
      [&state](fit_atom) { return state.fit(); },
      [&state](placed_atom, std::vector<shard_actor>& shards) { state.placed(std::move(shards)); },
      [&state](next_atom) { state.check(); },
      [&state](weights_atom) { state.restore(); },
      [&state](deadline_atom, uint64_t fit) { state.deadline(fit); },
  };
}

} // namespace storemon::report
