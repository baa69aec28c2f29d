#include "storemon/ingest/import_desk_actor.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace storemon::ingest {

using namespace protocol;

import_desk_state::~import_desk_state() {
  for (const auto& e : entries_)
    if (e->importer) {
      caf::anon_send_exit(e->importer, caf::exit_reason::user_shutdown);
      remove(e->path);
    }
}

void import_desk_state::start(import_desk_actor::pointer self, import_desk_options options) {
  self_ = self;
  options_ = std::move(options);
}

std::optional<error> import_desk_state::refusal(const import_order& order) const {
  if (stopping_)
    return error{errc::shutting_down, "the server is being stopped"};
  if (shards_.empty())
    return error{errc::not_ready, "the partitions do not serve yet"};
  for (const auto& shard : shards_)
    if (!shard)
      return error{errc::partition_lost, "not all partitions serve"};
  for (const auto& e : entries_)
    if (e->status.id == order.id)
      return error{errc::invalid_argument, "there is an import of that id"};
  if (running_ >= options_.running_max)
    return error{errc::busy, "as many imports run as may at once"};
  return std::nullopt;
}

caf::result<import_status> import_desk_state::import(const import_order& order) {
  if (const auto refused = refusal(order)) {
    remove(order.path);
    return to_caf(*refused);
  }
  importer_options options;
  options.sources.push_back({.kind = order.feed,
                             .path = order.path,
                             .name = std::string(to_string(order.feed)) + " feed",
                             .valid_from = order.valid_from});
  options.shards = shards_;
  options.parsers = options_.parsers;
  auto made = std::make_shared<entry>();
  made->status.id = order.id;
  made->status.feed = order.feed;
  made->status.created = options_.now();
  made->path = order.path;
  made->gauge = options.gauge;
  made->importer = self_->spawn<caf::detached>(importer, std::move(options));
  entries_.push_front(made);
  ++running_;
  auto answer = self_->make_response_promise<import_status>();
  self_->request(made->importer, caf::infinite, import_atom_v)
      .then(
          [this, made, answer](const std::shared_ptr<const import_result>& what) mutable {
            if (what->partitions_lost.empty())
              made->status.result = what;
            else
              made->status.failure = {
                  errc::partition_lost,
                  std::to_string(what->partitions_lost.size()) +
                      " partitions took no more rows; the same file may be imported again"};
            ended(*made);
            answer.deliver(made->status);
          },
          [this, made, answer](const caf::error& e) mutable {
            made->status.failure = from_caf(e);
            // An importer that answers fails with a file's or a journal's trouble; this one is gone.
            if (made->status.failure.code == errc::partition_lost)
              made->status.failure = {errc::internal, "the importer died"};
            ended(*made);
            answer.deliver(made->status);
          });
  return answer;
}

void import_desk_state::ended(entry& e) {
  e.status.finished = options_.now();
  e.status.progress = e.gauge->read();
  e.importer = nullptr;
  remove(e.path);
  --running_;
  for (auto oldest = entries_.end(); entries_.size() > options_.kept_max && oldest != entries_.begin();)
    if (--oldest; !(*oldest)->importer)
      oldest = entries_.erase(oldest);
  if (running_ > 0)
    return;
  for (auto& waiting : stops_)
    waiting.deliver(true);
  stops_.clear();
}

void import_desk_state::remove(const std::string& path) const {
  std::error_code failed;
  if (!std::filesystem::remove(path, failed))
    options_.log_error("cannot remove the imported file " + path + ": " +
                       (failed ? failed.message() : "it is not there"));
}

import_status import_desk_state::status_of(const entry& e) const {
  auto status = e.status;
  status.progress = e.gauge->read();
  return status;
}

caf::result<import_status> import_desk_state::poll(const std::string& id) const {
  for (const auto& e : entries_)
    if (e->status.id == id)
      return status_of(*e);
  return to_caf({errc::not_found, "no import of that id is known"});
}

std::vector<import_status> import_desk_state::list() const {
  std::vector<import_status> all;
  for (const auto& e : entries_)
    all.push_back(status_of(*e));
  return all;
}

caf::result<bool> import_desk_state::stop() {
  stopping_ = true;
  auto answer = self_->make_response_promise<bool>();
  if (running_ == 0)
    answer.deliver(true);
  else
    stops_.push_back(answer);
  return answer;
}

import_desk_actor::behavior_type import_desk(import_desk_actor::stateful_pointer<import_desk_state> self,
                                             import_desk_options options) {
  auto& state = self->state;
  state.start(self, std::move(options));
  return {
      [&state](import_atom, const import_order& order) { return state.import(order); },
      [&state](poll_atom, const std::string& id) { return state.poll(id); },
      [&state](list_atom) { return state.list(); },
      [&state](stop_atom) { return state.stop(); },
      [&state](placed_atom, std::vector<shard_actor>& shards) { state.placed(std::move(shards)); },
  };
}

} // namespace storemon::ingest
