#include "storemon/report/coordinator_actor.hpp"

#include "storemon/estimate/estimator.hpp"

#include <algorithm>

namespace storemon::report {

using namespace protocol;

namespace {

/// A journal that cannot be read is asked again after this.
constexpr auto restore_pause = std::chrono::seconds(1);

const error not_restored{errc::not_ready, "the reports kept by the journal are still being read"};
const error no_weights{errc::not_ready, "the fleet weights kept by the journal are still being read"};

bool weighs_behaviours(const report_request& request) {
  return estimate::find_estimator(request.estimator)->weighs_behaviours();
}

/// The work of a report grows with the length of its windows and with how long before "now" the first begins,
/// for opening time is looked at from there on: both are bounded before it starts.
result<void> check_length(const report_request& request, std::chrono::years years_max, instant now) {
  const auto most = std::chrono::duration_cast<duration>(years_max);
  auto left = most;
  for (const auto& w : request.windows) {
    if (w.span.length() > left || now - w.span.from > most)
      return error{errc::invalid_argument, "the windows are longer in all, or begin longer ago, than " +
                                               std::to_string(years_max.count()) +
                                               " years, the most that report.window_years_max allows"};
    left -= w.span.length();
  }
  return {};
}

/// Whether a shard's answer can be one to that question.
bool fits(const report_columns& slice, const report_spec& asked) {
  const auto measures = slice.stores.size() * asked.windows.size();
  const bool weighed = asked.weights != nullptr;
  return slice.measures.size() == measures && slice.bounds.size() == (weighed ? measures : 0) &&
         slice.active_now.size() == (weighed ? slice.stores.size() : 0) &&
         (slice.last || !slice.stores.empty());
}

} // namespace

void coordinator_state::start(coordinator_self::pointer self, coordinator_options options) {
  self_ = self;
  options_ = std::move(options);
  book_ = report_book(options_.keep);
  if (!options_.journal) {
    restored_ = true;
    weights_.emplace();
    return;
  }
  archive_ = self_->spawn<caf::linked>(archive, archive_options{options_.journal, options_.cache_bytes_max,
                                                                options_.loads_max, options_.log_error});
  restore();
}

void coordinator_state::restore() {
  if (stopped_)
    return;
  self_->request(archive_, caf::infinite, reports_atom_v)
      .then([this](const std::shared_ptr<const std::vector<stored_report>>& all) { restored(*all); },
            [this](const caf::error& why) {
              options_.log_error("the reports kept cannot be read yet: " + from_caf(why).detail);
              self_->delayed_send(self_, restore_pause, reports_atom_v);
            });
}

void coordinator_state::restored(const std::vector<stored_report>& reports) {
  std::vector<report_status> ended;
  std::vector<std::string> interrupted;
  for (const auto& stored : reports) {
    auto status = stored.status;
    status.file = nullptr;
    status.durable = true;
    if (status.state == report_state::running) {
      status.state = report_state::failed;
      status.failure = {errc::interrupted, "interrupted: the server ended while this report ran"};
      status.finished = options_.now();
      interrupted.push_back(status.id);
    }
    ended.push_back(std::move(status));
  }
  std::stable_sort(ended.begin(), ended.end(), [](const report_status& a, const report_status& b) {
    return a.finished.value_or(a.created) < b.finished.value_or(b.created);
  });
  restored_ = true;
  for (auto& status : ended)
    close(std::move(status));
  for (const auto& id : interrupted)
    if (const auto* status = book_.find(id))
      keep(*status);
}

caf::result<std::string> coordinator_state::trigger(report_request request) {
  if (stopped_)
    return to_caf({errc::shutting_down, "the server is being stopped"});
  if (!restored_)
    return to_caf(not_restored);
  if (auto valid = estimate::validate(request); !valid)
    return to_caf(valid.error());
  if (auto fit = check_length(request, options_.window_years_max, request.as_of.value_or(options_.now()));
      !fit)
    return to_caf(fit.error());
  if (!weights_ && weighs_behaviours(request))
    return to_caf(no_weights);
  if (shards_.empty())
    return to_caf({errc::not_ready, "data is still being loaded"});
  if (book_.running() >= options_.running_max)
    return to_caf(
        {errc::busy, std::to_string(book_.running()) + " reports are running, the most allowed at once"});
  report_status status;
  status.id = options_.new_id();
  status.request = std::move(request);
  status.created = options_.now();
  const auto& opened = book_.open(std::move(status));
  const auto id = opened.id;
  jobs_.emplace(id, job{});
  self_->delayed_send(self_, options_.timeout, deadline_atom_v, id);
  if (!archive_) {
    take_census(id);
    return id;
  }
  auto answer = self_->make_response_promise<std::string>();
  keep(opened).trigger = answer;
  take_census(id);
  return answer;
}

coordinator_state::put& coordinator_state::keep(const report_status& status,
                                                std::shared_ptr<const std::string> frames) {
  auto report = std::make_shared<stored_report>(stored_report{status, std::move(frames)});
  const auto file = std::exchange(report->status.file, nullptr);
  report->status.durable = true;
  auto& p = puts_[status.id];
  const auto number = p.number = ++last_put_;
  self_->delayed_send(self_, options_.timeout, deadline_atom_v, status.id, number);
  self_
      ->request(archive_, caf::infinite, put_atom_v, std::shared_ptr<const stored_report>(std::move(report)),
                file)
      .then([this, id = status.id, number](bool) { kept(id, number, true); },
            [this, id = status.id, number](const caf::error& why) {
              options_.log_error("report " + id + " is not durable: " + from_caf(why).detail);
              kept(id, number, false);
            });
  return p;
}

void coordinator_state::put_deadline(const std::string& id, uint64_t number) {
  const auto found = puts_.find(id);
  if (found == puts_.end() || found->second.number != number)
    return;
  options_.log_error("report " + id + " is not known to be durable: the journal keeps silent");
  kept(id, number, false);
}

void coordinator_state::kept(const std::string& id, uint64_t number, bool durable) {
  const auto found = puts_.find(id);
  if (found == puts_.end() || found->second.number != number)
    return;
  if (found->second.trigger.pending())
    found->second.trigger.deliver(id);
  puts_.erase(found);
  const auto running = jobs_.find(id);
  if (running != jobs_.end() && running->second.ending) {
    auto ending = std::move(*running->second.ending);
    ending.durable = durable;
    if (durable)
      ending.file = nullptr; // the archive has it
    finish(std::move(ending), false);
  } else if (auto* status = book_.find(id)) {
    status->durable = durable;
  }
  answer_stop();
}

void coordinator_state::take_census(const std::string& id) {
  auto& j = jobs_.at(id);
  if (const auto missing = without_shard(); !missing.empty()) {
    fail(id, {errc::partition_lost, "without a shard: " + names_of(missing)});
    return;
  }
  for (uint32_t p = 0; p < shards_.size(); ++p) {
    j.waiting.insert(p);
    self_->request(shards_[p], caf::infinite, census_atom_v)
        .then([this, id, p](const census& c) { counted(id, p, c); },
              [this, id, p](const caf::error&) { lost(id, p); });
  }
}

void coordinator_state::counted(const std::string& id, uint32_t partition, const census& c) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end())
    return; // failed or cancelled meanwhile
  auto& j = found->second;
  auto& status = *book_.find(id);
  j.waiting.erase(partition);
  j.counted += c;
  if (c.damaged)
    status.gaps.insert(std::upper_bound(status.gaps.begin(), status.gaps.end(), partition), partition);
  if (!j.waiting.empty())
    return;
  status.stores_total = j.counted.stores;
  const auto now = status.request.as_of ? status.request.as_of : j.counted.newest;
  if (!now) {
    fail(id, {errc::no_data,
              "there is no observation yet to take \"now\" from; name as_of, or send observations"});
    return;
  }
  if (const auto fit = check_length(status.request, options_.window_years_max, *now); !fit) {
    fail(id, fit.error());
    return;
  }
  status.as_of = now;
  auto spec = resolve(status.request, *now);
  if (!spec) {
    fail(id, spec.error());
    return;
  }
  if (weighs_behaviours(status.request)) {
    spec->weights = weights_->pointer();
    status.weights = spec->weights->label;
  }
  j.spec = std::move(*spec);
  for (uint32_t p = 0; p < shards_.size(); ++p) {
    j.waiting.insert(p);
    j.to_ask.emplace(p, std::string());
  }
  ask_rows(id);
}

void coordinator_state::ask_rows(const std::string& id) {
  auto& j = jobs_.at(id);
  while (j.in_flight < options_.slices_in_flight && !j.to_ask.empty()) {
    const auto next = j.to_ask.begin();
    const auto p = next->first;
    ++j.in_flight;
    self_->request(shards_[p], caf::infinite, rows_atom_v, j.spec, next->second)
        .then([this, id, p](const shared_columns& slice) { gathered(id, p, slice); },
              [this, id, p](const caf::error&) { lost(id, p); });
    j.to_ask.erase(next);
  }
}

void coordinator_state::gathered(const std::string& id, uint32_t partition, const shared_columns& slice) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end())
    return; // failed or cancelled meanwhile
  auto& j = found->second;
  if (!fits(*slice, *j.spec)) {
    fail(id,
         {errc::internal, "partition " + std::to_string(partition) + " answered with rows of another shape"});
    return;
  }
  --j.in_flight;
  book_.find(id)->stores_done += static_cast<int64_t>(slice->stores.size());
  if (slice->last)
    j.waiting.erase(partition);
  else
    j.to_ask.emplace(partition, slice->stores[slice->stores.size() - 1]);
  if (!slice->stores.empty())
    j.parts.push_back(slice.pointer());
  if (j.waiting.empty())
    write(id);
  else
    ask_rows(id);
}

void coordinator_state::write(const std::string& id) {
  auto& j = jobs_.at(id);
  const auto& status = *book_.find(id);
  write_report(*self_,
               {id, status.request, j.spec, std::move(j.parts), static_cast<size_t>(status.stores_done),
                options_.writers, static_cast<bool>(archive_)},
               caf::actor_cast<coordinator_self>(self_));
}

void coordinator_state::written(const std::string& id, const written_report& text) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end())
    return; // cancelled meanwhile, or too late
  auto ending = *book_.find(id);
  ending.state = report_state::complete;
  ending.finished = options_.now();
  // A report's stores are those that were there when its rows were asked for, which may be others than were
  // counted.
  ending.stores_total = ending.stores_done;
  ending.file_name = text.file->name = book_.name_file(id, *ending.finished);
  ending.file_bytes = text.file->bytes.size();
  ending.file = text.file;
  if (!archive_) {
    finish(std::move(ending), false);
    return;
  }
  keep(ending, text.frames);
  found->second.ending = std::move(ending);
}

void coordinator_state::finish(report_status ended, bool keeps_end) {
  jobs_.erase(ended.id);
  if (keeps_end && archive_)
    keep(ended);
  close(std::move(ended));
  answer_stop();
}

void coordinator_state::close(report_status ended) {
  const auto gone = book_.close(std::move(ended));
  if (archive_ && !gone.empty())
    self_->send(archive_, drop_atom_v, gone);
}

void coordinator_state::answer_stop() {
  if (!jobs_.empty() || !puts_.empty())
    return;
  for (auto& waiting : stopping_)
    waiting.deliver(true);
  stopping_.clear();
}

void coordinator_state::fail(const std::string& id, error why, report_state state) {
  auto ended = *book_.find(id);
  ended.state = state;
  ended.finished = options_.now();
  ended.failure = std::move(why);
  ended.durable = false; // until the journal has its end
  finish(std::move(ended), true);
}

void coordinator_state::lost(const std::string& id, uint32_t partition) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end() || !found->second.waiting.count(partition))
    return;
  auto& lost = found->second.lost;
  lost.insert(partition);
  if (lost.size() == 1)
    self_->delayed_send(self_, options_.losses_within, lost_atom_v, id);
}

void coordinator_state::fail_lost(const std::string& id) {
  if (const auto found = jobs_.find(id); found != jobs_.end())
    fail(id, {errc::partition_lost, "lost while the report ran: " + names_of(found->second.lost)});
}

void coordinator_state::lost(uint32_t partition) {
  std::vector<std::string> running;
  for (const auto& [id, j] : jobs_)
    running.push_back(id);
  for (const auto& id : running)
    lost(id, partition);
  std::vector<uint64_t> asked;
  for (const auto& [number, s] : surveys_)
    asked.push_back(number);
  for (const auto number : asked)
    survey_failed(number, partition);
}

void coordinator_state::deadline(const std::string& id) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end() || found->second.ending)
    return; // over, or its put has a deadline of its own
  const auto silent = found->second.waiting;
  fail(id, {errc::partition_lost, silent.empty() ? std::string("the report's text was not written in time")
                                                 : "kept silent past the deadline: " + names_of(silent)});
}

std::string coordinator_state::names_of(const std::set<uint32_t>& partitions) const {
  std::string text = partitions.size() == 1 ? "partition" : "partitions";
  const char* separator = " ";
  for (const auto p : partitions) {
    text += separator + std::to_string(p);
    separator = ", ";
  }
  return text + " of " + std::to_string(shards_.size());
}

caf::result<report_status> coordinator_state::poll(const std::string& id) {
  if (!restored_)
    return to_caf(not_restored);
  if (const auto* status = book_.find(id))
    return *status;
  return to_caf({errc::not_found, "no report has the id " + id + "; the newest " +
                                      std::to_string(options_.keep.reports_max) + " are kept"});
}

caf::result<report_status> coordinator_state::cancel(const std::string& id) {
  if (jobs_.count(id))
    fail(id, {errc::cancelled, "cancelled by a client"}, report_state::cancelled);
  return poll(id);
}

caf::result<std::vector<report_status>> coordinator_state::list() {
  if (!restored_)
    return to_caf(not_restored);
  return book_.list();
}

caf::result<file_ptr> coordinator_state::file(const std::string& name) {
  if (!restored_)
    return to_caf(not_restored);
  const auto* found = book_.find_file(name);
  if (!found)
    return to_caf({errc::not_found, "no report file has that name"});
  if (found->file)
    return found->file;
  return self_->delegate(archive_, file_atom_v, *found);
}

std::set<uint32_t> coordinator_state::without_shard() const {
  std::set<uint32_t> missing;
  for (uint32_t p = 0; p < shards_.size(); ++p)
    if (!shards_[p])
      missing.insert(p);
  return missing;
}

caf::result<shared_quality> coordinator_state::quality() {
  if (shards_.empty())
    return to_caf({errc::not_ready, "data is still being loaded"});
  if (const auto missing = without_shard(); !missing.empty())
    return to_caf({errc::partition_lost, "without a shard: " + names_of(missing)});
  const auto number = ++last_survey_;
  auto& s = surveys_[number];
  s.answer = self_->make_response_promise<shared_quality>();
  const auto answer = s.answer;
  for (uint32_t p = 0; p < shards_.size(); ++p) {
    s.waiting.insert(p);
    self_->request(shards_[p], caf::infinite, quality_atom_v)
        .then([this, number, p](const shared_quality& q) { surveyed(number, p, *q); },
              [this, number, p](const caf::error&) { survey_failed(number, p); });
  }
  return answer;
}

void coordinator_state::surveyed(uint64_t number, uint32_t partition, const data_quality& part) {
  const auto found = surveys_.find(number);
  if (found == surveys_.end())
    return;
  auto& s = found->second;
  s.waiting.erase(partition);
  s.sum.merge(part);
  if (!s.waiting.empty())
    return;
  s.answer.deliver(shared_quality(std::move(s.sum)));
  surveys_.erase(found);
}

void coordinator_state::survey_failed(uint64_t number, uint32_t partition) {
  const auto found = surveys_.find(number);
  if (found == surveys_.end() || !found->second.waiting.count(partition))
    return;
  found->second.answer.deliver(to_caf({errc::partition_lost, "lost its shard: " + names_of({partition})}));
  surveys_.erase(found);
}

caf::result<bool> coordinator_state::stop() {
  stopped_ = true;
  auto answer = self_->make_response_promise<bool>();
  stopping_.push_back(answer);
  answer_stop();
  return answer;
}

void coordinator_state::placed(std::vector<shard_actor> shards) {
  for (uint32_t p = 0; p < shards_.size(); ++p)
    if (p >= shards.size() || shards[p] != shards_[p])
      lost(p);
  const auto before = std::exchange(shards_, std::move(shards));
  for (const auto& shard : shards_)
    if (shard && std::find(before.begin(), before.end(), shard) == before.end())
      self_->monitor(shard);
}

void coordinator_state::weigh_with(const shared_weights& weights) {
  weights_ = weights;
}

void coordinator_state::shard_down(const caf::actor_addr& gone) {
  for (uint32_t p = 0; p < shards_.size(); ++p)
    if (shards_[p] && shards_[p].address() == gone) {
      shards_[p] = nullptr;
      lost(p);
    }
}

coordinator_self::behavior_type coordinator(coordinator_self::stateful_pointer<coordinator_state> self,
                                            coordinator_options options) {
  auto& state = self->state;
  state.start(self, std::move(options));
  self->set_down_handler([&state](const caf::down_msg& down) { state.shard_down(down.source); });
  return {
      [&state](trigger_atom, report_request& request) { return state.trigger(std::move(request)); },
      [&state](poll_atom, const std::string& id) { return state.poll(id); },
      [&state](cancel_atom, const std::string& id) { return state.cancel(id); },
      [&state](list_atom) { return state.list(); },
      [&state](file_atom, const std::string& name) { return state.file(name); },
      [&state](quality_atom) { return state.quality(); },
      [&state](stop_atom) { return state.stop(); },
      [&state](placed_atom, std::vector<shard_actor>& shards) { state.placed(std::move(shards)); },
      [&state](weights_atom, const shared_weights& weights) { state.weigh_with(weights); },
      [&state](lost_atom, const std::string& id) { state.fail_lost(id); },
      [&state](deadline_atom, const std::string& id) { state.deadline(id); },
      [&state](deadline_atom, const std::string& id, uint64_t put) { state.put_deadline(id, put); },
      [&state](reports_atom) { state.restore(); },
      [&state](done_atom, const std::string& id, const std::shared_ptr<const written_report>& text) {
        state.written(id, *text);
      },
  };
}

} // namespace storemon::report
