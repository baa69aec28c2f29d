#include "storemon/report/store_desk_actor.hpp"

#include <algorithm>

namespace storemon::report {

using namespace protocol;

namespace {

constexpr auto by = "telegraph";

/// A timeline's length where nobody says.
constexpr duration span_usual = std::chrono::hours(24);

} // namespace

report_spec portrait_spec(instant as_of) {
  report_request standard;
  standard.estimator = by;
  return *resolve(standard, as_of); // only custom windows could fail
}

result<report_spec> timeline_spec(const store_question& asked, instant as_of, duration span_max) {
  const auto to = asked.to.value_or(asked.from ? std::min(as_of, *asked.from + span_usual) : as_of);
  const interval span{asked.from.value_or(to - span_usual), to};
  if (span.empty())
    return error{errc::invalid_argument,
                 asked.to ? "'from' has to be before 'to'"
                          : "'from' has to be before " + to_rfc3339(as_of) + ", where the timeline ends"};
  if (span.length() > span_max)
    return error{errc::invalid_argument,
                 "a timeline shows at most " +
                     std::to_string(std::chrono::duration_cast<std::chrono::hours>(span_max).count()) +
                     " hours; 'from' and 'to' lie farther apart"};
  return report_spec{by, observation_scope::session, as_of, {{"", span}}};
}

void store_desk_state::start(store_desk_self::pointer self, store_desk_options options) {
  self_ = self;
  options_ = std::move(options);
}

error store_desk_state::not_serving(uint32_t partition) const {
  if (!weights_)
    return {errc::not_ready, "the fleet weights kept by the journal are still being read"};
  if (!shards_[partition])
    return {errc::partition_lost, "partition " + std::to_string(partition) + " is without a shard"};
  return {errc::ok, ""};
}

template <class Answer>
caf::result<Answer> store_desk_state::take(const std::string& store, const store_question& asked) {
  if (shards_.empty())
    return to_caf({errc::not_ready, "data is still being loaded"});
  const auto partition = partition_of(hash_of(store), static_cast<uint32_t>(shards_.size()));
  if (auto why = not_serving(partition); why.code != errc::ok)
    return to_caf(why);
  if (jobs_.size() >= options_.questions_max)
    return to_caf({errc::busy, std::to_string(jobs_.size()) +
                                   " questions about stores are under way, the most allowed at once"});
  auto answer = self_->template make_response_promise<Answer>();
  const auto number = ++last_job_;
  auto& j = jobs_[number];
  j.answer = answer;
  j.store = store;
  j.asked = asked;
  j.partition = partition;
  self_->delayed_send(self_, options_.timeout, deadline_atom_v, number);
  if (asked.as_of)
    ask_shard(number, j, *asked.as_of);
  else
    take_census(number, j);
  return answer;
}

caf::result<shared_portrait> store_desk_state::portrait(const std::string& store,
                                                        const store_question& asked) {
  return take<shared_portrait>(store, asked);
}

caf::result<shared_timeline> store_desk_state::timeline(const std::string& store,
                                                        const store_question& asked) {
  return take<shared_timeline>(store, asked);
}

store_desk_state::job* store_desk_state::find(uint64_t number) {
  const auto found = jobs_.find(number);
  return found == jobs_.end() ? nullptr : &found->second;
}

void store_desk_state::take_census(uint64_t number, job& j) {
  j.counting = true;
  for (uint32_t p = 0; p < shards_.size(); ++p) {
    if (!shards_[p])
      continue;
    j.waiting.insert(p);
    self_->request(shards_[p], caf::infinite, census_atom_v)
        .then([this, number, p](const census& c) { counted(number, p, c); },
              [this, number, p](const caf::error&) { counted(number, p, census()); });
  }
}

void store_desk_state::counted(uint64_t number, uint32_t partition, const census& c) {
  auto* j = find(number);
  if (!j || !j->counting || j->waiting.erase(partition) == 0)
    return;
  j->counted += c;
  if (!j->waiting.empty())
    return;
  j->counting = false;
  ask_shard(number, *j, j->counted.newest ? *j->counted.newest : options_.now());
}

void store_desk_state::ask_shard(uint64_t number, job& j, instant as_of) {
  if (auto why = not_serving(j.partition); why.code != errc::ok) {
    fail(number, why);
    return;
  }
  j.waiting = {j.partition};
  if (std::holds_alternative<portrait_promise>(j.answer)) {
    ask_shard<shared_portrait>(number, j, portrait_atom_v, portrait_spec(as_of));
    return;
  }
  auto spec = timeline_spec(j.asked, as_of, options_.span_max);
  if (spec)
    ask_shard<shared_timeline>(number, j, timeline_atom_v, std::move(*spec));
  else
    fail(number, spec.error());
}

template <class Answer, class Atom>
void store_desk_state::ask_shard(uint64_t number, const job& j, Atom what, report_spec spec) {
  spec.weights = weights_->pointer();
  self_->request(shards_[j.partition], caf::infinite, what, j.store, shared_spec(std::move(spec)))
      .then(
          [this, number](const Answer& answer) {
            if (auto* still = find(number)) {
              std::get<caf::typed_response_promise<Answer>>(still->answer).deliver(answer);
              jobs_.erase(number);
            }
          },
          [this, number](const caf::error& e) { fail(number, from_caf(e)); });
}

void store_desk_state::fail(uint64_t number, const error& why) {
  if (auto* j = find(number)) {
    std::visit([&](auto& promise) { promise.deliver(to_caf(why)); }, j->answer);
    jobs_.erase(number);
  }
}

void store_desk_state::lost(uint32_t partition) {
  std::vector<uint64_t> waiting;
  for (const auto& [number, j] : jobs_)
    if (j.waiting.contains(partition))
      waiting.push_back(number);
  for (const auto number : waiting)
    if (const auto& j = jobs_.at(number); j.counting && j.partition != partition)
      counted(number, partition, census());
    else
      fail(number, {errc::partition_lost, "partition " + std::to_string(partition) + " lost its shard"});
}

void store_desk_state::deadline(uint64_t number) {
  const auto* j = find(number);
  if (!j)
    return;
  std::string silent;
  for (const auto p : j->waiting)
    silent += (silent.empty() ? "" : ", ") + std::to_string(p);
  fail(number, {errc::partition_lost, "shards kept silent past the deadline, of partition " + silent});
}

void store_desk_state::placed(std::vector<shard_actor> shards) {
  const auto before = std::exchange(shards_, std::move(shards));
  for (uint32_t p = 0; p < before.size(); ++p)
    if (before[p] && (p >= shards_.size() || shards_[p] != before[p]))
      lost(p);
  for (const auto& shard : shards_)
    if (shard && std::find(before.begin(), before.end(), shard) == before.end())
      self_->monitor(shard);
}

void store_desk_state::weigh_with(const shared_weights& weights) {
  weights_ = weights;
}

void store_desk_state::shard_down(const caf::actor_addr& gone) {
  for (uint32_t p = 0; p < shards_.size(); ++p)
    if (shards_[p] && shards_[p].address() == gone) {
      shards_[p] = nullptr;
      lost(p);
    }
}

store_desk_self::behavior_type store_desk(store_desk_self::stateful_pointer<store_desk_state> self,
                                          store_desk_options options) {
  auto& state = self->state;
  state.start(self, std::move(options));
  self->set_down_handler([&state](const caf::down_msg& down) { state.shard_down(down.source); });
  return {
      [&state](portrait_atom, const std::string& store, const store_question& asked) {
        return state.portrait(store, asked);
      },
      [&state](timeline_atom, const std::string& store, const store_question& asked) {
        return state.timeline(store, asked);
      },
      [&state](placed_atom, std::vector<shard_actor>& shards) { state.placed(std::move(shards)); },
      [&state](weights_atom, const shared_weights& weights) { state.weigh_with(weights); },
      [&state](deadline_atom, uint64_t number) { state.deadline(number); },
  };
}

} // namespace storemon::report
