#include "storemon/ingest/intake_actor.hpp"

#include <algorithm>
#include <utility>

namespace storemon::ingest {

using namespace protocol;

namespace {

/// The one store a change names, or why it does not.
result<std::string_view> store_of(const update& change) {
  const auto only = [](const text_list& stores) -> result<std::string_view> {
    if (stores.size() != 1)
      return error{errc::invalid_argument, "a change names exactly one store"};
    return stores[0];
  };
  result<std::string_view> id = error{errc::invalid_argument, "that is no change of one store"};
  if (const auto* hours = std::get_if<hours_rows>(&change))
    id = only(hours->stores);
  else if (const auto* zones = std::get_if<zone_rows>(&change))
    id = only(zones->stores);
  else if (const auto* closure = std::get_if<closure_change>(&change))
    id = std::string_view(closure->store);
  else if (const auto* deletion = std::get_if<store_deletion>(&change))
    id = std::string_view(deletion->store);
  if (id && !is_store_id(*id))
    return error{errc::invalid_argument, "a store id has 1 to 128 bytes"};
  return id;
}

} // namespace

intake_state::~intake_state() {
  for (const auto& [address, f] : flights_)
    caf::anon_send_exit(f.worker, caf::exit_reason::user_shutdown);
}

void intake_state::start(intake_self::pointer self, intake_options options) {
  self_ = self;
  options_ = std::move(options);
  options_.imports.now = options_.now;
  known_.emplace(options_.keys_max, options_.key_life);
  imports_ = self_->spawn<caf::linked>(import_desk, options_.imports);
}

std::optional<error> intake_state::refusal() const {
  if (stopping_)
    return error{errc::shutting_down, "the server is being stopped"};
  if (shards_->empty())
    return error{errc::not_ready, "the partitions do not serve yet"};
  return std::nullopt;
}

std::optional<error> intake_state::refusal(const intake_request& request) const {
  if (auto refused = refusal())
    return refused;
  if (!request.body)
    return error{errc::invalid_argument, "the request has no body"};
  if (request.idempotency_key.size() > options_.key_bytes_max)
    return error{errc::invalid_argument,
                 "an idempotency key has at most " + std::to_string(options_.key_bytes_max) + " bytes"};
  const auto bytes = request.body->size();
  if (bytes > options_.bytes_in_flight_max)
    return error{errc::too_large,
                 "a body has at most " + std::to_string(options_.bytes_in_flight_max) + " bytes"};
  if (bytes_in_flight_ > 0 &&
      bytes_in_flight_ + bytes + options_.request_bytes > options_.bytes_in_flight_max)
    return error{errc::overloaded, "more is under way than is allowed; try again later"};
  return std::nullopt;
}

caf::result<std::shared_ptr<const intake_result>> intake_state::ingest(intake_request request) {
  if (const auto refused = refusal(request))
    return to_caf(*refused);
  flight f;
  f.answer = self_->make_response_promise<std::shared_ptr<const intake_result>>();
  f.began = clock();
  f.bytes = request.body->size() + options_.request_bytes;
  const auto answer = f.answer;
  f.worker = self_->spawn(batch_worker, std::move(request), shards_,
                          body_limits{options_.records_max, options_.now() + options_.future_max});
  const auto worker = f.worker;
  const auto address = worker.address();
  bytes_in_flight_ += f.bytes;
  flights_.emplace(address, std::move(f));
  self_->monitor(worker);
  arm_timer();
  self_->request(worker, caf::infinite, read_atom::value)
      .then([this, address](batch_load& load) { admit(address, std::move(load)); },
            [this, address](const caf::error& e) { refuse(address, from_caf(e)); });
  return answer;
}

std::optional<error> intake_state::refusal(const batch_load& load) const {
  if (known_->contradict(load.mark))
    return error{errc::key_reused, "the idempotency key came before with another body"};
  if (keys_in_flight_.contains(load.mark.key))
    return error{errc::conflict, "the same request is being applied now"};
  for (const auto& [partition, bytes] : load.bytes)
    if (const auto under_way = partition_bytes_.find(partition);
        under_way != partition_bytes_.end() && under_way->second + bytes > options_.partition_bytes_max)
      return error{errc::overloaded,
                   "more is under way to partition " + std::to_string(partition) + " than is allowed"};
  return std::nullopt;
}

void intake_state::admit(const caf::actor_addr& worker, batch_load load) {
  if (const auto refused = refusal(load)) {
    refuse(worker, *refused);
    return;
  }
  const auto found = flights_.find(worker);
  if (found == flights_.end())
    return;
  auto& f = found->second;
  keys_in_flight_.insert(load.mark.key);
  for (const auto& [partition, bytes] : load.bytes)
    partition_bytes_[partition] += bytes;
  f.load = std::move(load);
  self_->request(f.worker, caf::infinite, apply_atom_v)
      .then([this, worker](const batch_outcome& outcome) { finish(worker, outcome); },
            [this, worker](const caf::error& e) {
              finish(worker, {nullptr, from_caf(e), true});
            });
}

void intake_state::finish(const caf::actor_addr& worker, const batch_outcome& outcome) {
  const auto found = flights_.find(worker);
  if (found == flights_.end() || std::exchange(found->second.answered, true))
    return;
  auto& f = found->second;
  keys_in_flight_.erase(f.load.mark.key);
  if (outcome.sent)
    known_->add(f.load.mark, clock());
  if (outcome.result)
    f.answer.deliver(outcome.result);
  else
    f.answer.deliver(to_caf(outcome.failure));
  end_if_idle();
}

void intake_state::refuse(const caf::actor_addr& worker, const error& why) {
  const auto found = flights_.find(worker);
  if (found == flights_.end() || std::exchange(found->second.answered, true))
    return;
  auto& f = found->second;
  f.answer.deliver(to_caf(why));
  self_->send_exit(f.worker, caf::exit_reason::user_shutdown);
  end_if_idle();
}

void intake_state::let_go(flight& f) {
  bytes_in_flight_ -= f.bytes;
  for (const auto& [partition, bytes] : f.load.bytes)
    if ((partition_bytes_[partition] -= bytes) == 0)
      partition_bytes_.erase(partition);
}

template <class R, class... Args>
caf::result<R> intake_state::ask_shard(std::string_view store, Args&&... args) {
  if (const auto refused = refusal())
    return to_caf(*refused);
  const auto partition = partition_of(hash_of(store), static_cast<uint32_t>(shards_->size()));
  const auto& shard = (*shards_)[partition];
  if (!shard)
    return to_caf({errc::partition_lost, "the store's partition has no shard now"});
  auto answer = self_->make_response_promise<R>();
  const auto number = next_question_++;
  questions_.emplace(
      number, question{partition, clock(), [answer](const error& e) mutable { answer.deliver(to_caf(e)); }});
  arm_timer();
  // What is not among the questions any more has been answered: as lost or silent.
  self_->request(shard, caf::infinite, std::forward<Args>(args)...)
      .then(
          [this, number, answer](const R& value) mutable {
            if (questions_.erase(number) > 0)
              answer.deliver(value);
            end_if_idle();
          },
          [this, number, answer](const caf::error& e) mutable {
            if (questions_.erase(number) > 0)
              answer.deliver(to_caf(from_caf(e)));
            end_if_idle();
          });
  return answer;
}

caf::result<applied> intake_state::change(update what) {
  const auto store = store_of(what);
  if (!store)
    return to_caf(store.error());
  const std::string id(*store);
  return ask_shard<applied>(id, apply_atom_v, shared_update(std::move(what)));
}

caf::result<shared_card> intake_state::card(const std::string& store) {
  return ask_shard<shared_card>(store, store_atom_v, store);
}

void intake_state::placed(std::vector<shard_actor> shards) {
  const auto before = shards_;
  shards_ = std::make_shared<const std::vector<shard_actor>>(shards);
  const auto among = [](const shard_actor& shard, const std::vector<shard_actor>& all) {
    return std::find(all.begin(), all.end(), shard) != all.end();
  };
  for (uint32_t p = 0; p < before->size(); ++p)
    if (const auto& old = (*before)[p]; old && !among(old, shards)) {
      self_->demonitor(old.address());
      lost(p);
    }
  for (const auto& shard : shards)
    if (shard && !among(shard, *before)) {
      self_->monitor(shard);
      learn_keys(shard);
    }
  self_->send(imports_, placed_atom_v, std::move(shards));
}

void intake_state::learn_keys(const shard_actor& from) {
  self_->request(from, caf::infinite, marks_atom_v)
      .then(
          [this](const shared_marks& marks) {
            for (const auto& mark : *marks)
              known_->add(mark, clock());
          },
          // A shard that fails is told of by its end; its successor is asked again.
          [](const caf::error&) {});
}

void intake_state::lost(uint32_t partition) {
  for (const auto& [address, f] : flights_)
    self_->send(f.worker, lost_atom_v, partition);
  std::erase_if(questions_, [partition](auto& entry) {
    auto& [number, asked] = entry;
    if (asked.partition != partition)
      return false;
    asked.fail({errc::partition_lost, "the shard of the store's partition is gone"});
    return true;
  });
  end_if_idle();
}

void intake_state::down(const caf::down_msg& gone) {
  if (const auto ended = flights_.find(gone.source); ended != flights_.end()) {
    // One that answered first is not told twice.
    if (ended->second.load.mark.given())
      finish(gone.source, {nullptr, {errc::internal, "the request's worker died"}, true});
    else
      refuse(gone.source, {errc::internal, "the request's worker died"});
    let_go(ended->second);
    flights_.erase(ended);
    return;
  }
  auto shards = *shards_;
  for (uint32_t p = 0; p < shards.size(); ++p)
    if (shards[p] && shards[p].address() == gone.source) {
      shards[p] = nullptr;
      lost(p);
    }
  shards_ = std::make_shared<const std::vector<shard_actor>>(std::move(shards));
}

void intake_state::arm_timer() {
  if (timer_armed_)
    return;
  timer_armed_ = true;
  self_->delayed_send(self_, options_.silence_max / 8, deadline_atom_v);
}

void intake_state::timer() {
  timer_armed_ = false;
  const auto overdue = clock() - options_.silence_max;
  for (const auto& [address, f] : flights_)
    if (!f.answered && f.began <= overdue)
      self_->send(f.worker, deadline_atom_v);
  std::erase_if(questions_, [overdue](auto& entry) {
    auto& [number, asked] = entry;
    if (asked.began > overdue)
      return false;
    asked.fail({errc::partition_lost, "the shard of the store's partition keeps silent"});
    return true;
  });
  const bool waiting =
      !questions_.empty() ||
      std::any_of(flights_.begin(), flights_.end(), [](const auto& entry) { return !entry.second.answered; });
  if (waiting)
    arm_timer();
  end_if_idle();
}

intake_state::time intake_state::clock() const {
  return self_->clock().now();
}

caf::result<bool> intake_state::stop() {
  auto answer = self_->make_response_promise<bool>();
  stops_.push_back(answer);
  if (!std::exchange(stopping_, true))
    self_->request(imports_, caf::infinite, stop_atom_v).then([this](bool) {
      imports_over_ = true;
      end_if_idle();
    });
  end_if_idle();
  return answer;
}

void intake_state::end_if_idle() {
  const bool idle =
      imports_over_ && questions_.empty() &&
      std::all_of(flights_.begin(), flights_.end(), [](const auto& entry) { return entry.second.answered; });
  if (!idle)
    return;
  for (auto& waiting : stops_)
    waiting.deliver(true);
  stops_.clear();
}

intake_self::behavior_type intake(intake_self::stateful_pointer<intake_state> self, intake_options options) {
  auto& state = self->state;
  state.start(self, std::move(options));
  self->set_down_handler([&state](const caf::down_msg& gone) { state.down(gone); });
  return {
      [&state](ingest_atom, intake_request& request) { return state.ingest(std::move(request)); },
      [&state](change_atom, update& what) { return state.change(std::move(what)); },
      [&state](store_atom, const std::string& store) { return state.card(store); },
      [self](import_atom, import_order& order) {
        return self->delegate(self->state.imports(), import_atom_v, std::move(order));
      },
      [self](poll_atom, const std::string& id) {
        return self->delegate(self->state.imports(), poll_atom_v, id);
      },
      [self](list_atom) { return self->delegate(self->state.imports(), list_atom_v); },
      [&state](stop_atom) { return state.stop(); },
      [&state](placed_atom, std::vector<shard_actor>& shards) { state.placed(std::move(shards)); },
      [&state](deadline_atom) { state.timer(); },
  };
}

} // namespace storemon::ingest
