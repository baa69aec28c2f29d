#include "storemon/report/coordinator_actor.hpp"

#include "storemon/estimate/estimator.hpp"

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <atomic>
#include <thread>

namespace storemon::report {

using namespace protocol;

namespace {

/// A report's text being written: some actors at once, each a small piece, so that other messages get their
/// turn between pieces.
struct writing {
  writing(csv_text what, size_t at_once, coordinator_self to, std::string report)
      : text(std::move(what)), pieces(text.pieces()), left(text.pieces()), writers(at_once),
        reply_to(std::move(to)), id(std::move(report)) {}

  const csv_text text;
  std::vector<std::string> pieces;
  std::atomic<size_t> left; // pieces not yet written
  const size_t writers;
  const coordinator_self reply_to;
  const std::string id;
};

/// Rows of a piece: well under a millisecond of work.
constexpr size_t rows_per_piece = 512;

/// Writes one piece and leaves the next of its row to another actor, at the end of the queue; whoever writes
/// the last piece joins them all and tells the coordinator.
void write_piece(caf::event_based_actor& self, const std::shared_ptr<writing>& work, size_t number) {
  // A thread that answers a poll would else wait for the core until the kernel's next tick.
  std::this_thread::yield();
  auto& pieces = work->pieces;
  pieces[number] = work->text.piece(number);
  if (number + work->writers < pieces.size())
    self.spawn([work, next = number + work->writers](caf::event_based_actor* writer) {
      write_piece(*writer, work, next);
    });
  if (work->left.fetch_sub(1) != 1)
    return;
  auto file = std::make_shared<report_file>();
  size_t bytes = 0;
  for (const auto& piece : pieces)
    bytes += piece.size();
  file->bytes.reserve(bytes);
  for (const auto& piece : pieces)
    file->bytes += piece;
  self.send(work->reply_to, done_atom_v, work->id, std::move(file));
}

} // namespace

std::string random_uuid() {
  thread_local boost::uuids::random_generator
      generate; // reads the system's entropy; creating one is not free
  return to_string(generate());
}

void coordinator_state::start(coordinator_self::pointer self, coordinator_options options) {
  self_ = self;
  options_ = std::move(options);
  book_ = report_book(options_.keep);
}

caf::result<std::string> coordinator_state::trigger(report_request request) {
  if (stopped_)
    return to_caf({errc::shutting_down, "the server is being stopped"});
  if (auto valid = estimate::validate(request); !valid)
    return to_caf(valid.error());
  if (shards_.empty())
    return to_caf({errc::not_ready, "data is still being loaded"});
  if (book_.running() >= options_.running_max)
    return to_caf(
        {errc::busy, std::to_string(book_.running()) + " reports are running, the most allowed at once"});
  report_status status;
  status.id = options_.new_id();
  status.request = std::move(request);
  status.created = options_.now();
  const auto id = book_.open(std::move(status)).id;
  jobs_.emplace(id, job{});
  self_->delayed_send(self_, options_.timeout, deadline_atom_v, id);
  take_census(id);
  return id;
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
  j.waiting.erase(partition);
  j.counted += c;
  if (!j.waiting.empty())
    return;
  auto& status = *book_.find(id);
  status.stores_total = j.counted.stores;
  const auto now = status.request.as_of ? status.request.as_of : j.counted.newest;
  if (!now) {
    fail(id, {errc::no_data,
              "there is no observation yet to take \"now\" from; name as_of, or send observations"});
    return;
  }
  status.as_of = now;
  auto spec = resolve(status.request, *now);
  if (!spec) {
    fail(id, spec.error());
    return;
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
  if (slice->measures.size() != slice->stores.size() * j.spec->windows.size() ||
      (!slice->last && slice->stores.empty())) {
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
  const auto pieces = std::max(options_.writers, static_cast<size_t>(status.stores_done) / rows_per_piece);
  const auto reply_to = caf::actor_cast<coordinator_self>(self_);
  self_->spawn([reply_to, id, pieces, writers = options_.writers, request = status.request, spec = j.spec,
                parts = std::move(j.parts)](caf::event_based_actor* writer) mutable {
    const auto work = std::make_shared<writing>(csv_text(std::move(request), *spec, std::move(parts), pieces),
                                                writers, reply_to, id);
    for (size_t piece = 1; piece < writers; ++piece)
      writer->spawn([=](caf::event_based_actor* helper) { write_piece(*helper, work, piece); });
    write_piece(*writer, work, 0);
  });
}

void coordinator_state::written(const std::string& id, std::shared_ptr<report_file> file) {
  if (!jobs_.count(id))
    return; // cancelled meanwhile, or too late
  auto& status = *book_.find(id);
  // A report's stores are those that were there when its rows were asked for, which may be others than were
  // counted.
  status.stores_total = status.stores_done;
  file->name = book_.free_file_name(options_.now());
  status.file = std::move(file);
  finish(id, report_state::complete);
}

void coordinator_state::finish(const std::string& id, report_state state) {
  jobs_.erase(id);
  book_.close(id, state, options_.now());
  if (!jobs_.empty())
    return;
  for (auto& waiting : stopping_)
    waiting.deliver(true);
  stopping_.clear();
}

void coordinator_state::fail(const std::string& id, error why) {
  book_.find(id)->failure = std::move(why);
  finish(id, report_state::failed);
}

void coordinator_state::lost(const std::string& id, uint32_t partition) {
  const auto found = jobs_.find(id);
  if (found != jobs_.end() && found->second.waiting.count(partition))
    fail(id, {errc::partition_lost, "lost its shard while the report ran: " + names_of({partition})});
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
  if (found == jobs_.end())
    return;
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
  if (const auto* status = book_.find(id))
    return *status;
  return to_caf({errc::not_found, "no report has the id " + id + "; the newest " +
                                      std::to_string(options_.keep.reports_max) + " are kept"});
}

caf::result<report_status> coordinator_state::cancel(const std::string& id) {
  if (jobs_.count(id)) {
    book_.find(id)->failure = {errc::cancelled, "cancelled by a client"};
    finish(id, report_state::cancelled);
  }
  return poll(id);
}

caf::result<std::shared_ptr<const report_file>> coordinator_state::file(const std::string& name) {
  if (auto found = book_.find_file(name))
    return found;
  return to_caf({errc::not_found, "no report file has that name"});
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
  if (jobs_.empty())
    answer.deliver(true);
  else
    stopping_.push_back(answer);
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
      [&state](deadline_atom, const std::string& id) { state.deadline(id); },
      [&state](done_atom, const std::string& id, std::shared_ptr<report_file>& file) {
        state.written(id, std::move(file));
      },
  };
}

} // namespace storemon::report
