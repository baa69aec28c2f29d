#include "storemon/node/supervisor_actor.hpp"

#include "storemon/ingest/importer_actor.hpp"
#include "storemon/node/host_actor.hpp"
#include "storemon/node/placement.hpp"

#include <algorithm>

namespace storemon::node {

using namespace protocol;
using namespace std::chrono_literals;

namespace {

/// The pause before a reload that failed is tried again.
constexpr auto reload_pause = 5s;

/// Under which name the journal keeps which files were read.
constexpr auto files_read_name = "import.files";

} // namespace

void supervisor_state::start(supervisor_self::pointer self, supervisor_options options,
                             coordinator_actor coordinator) {
  self_ = self;
  options_ = std::move(options);
  coordinator_ = std::move(coordinator);
  self_->monitor(coordinator_);
  if (options_.intake)
    self_->monitor(options_.intake);
  if (options_.weights)
    self_->monitor(options_.weights);
  if (options_.desk)
    self_->monitor(options_.desk);
  if (options_.journal)
    self_->monitor(options_.journal);
  for (const auto& name : options_.nodes)
    nodes_.push_back({name, host_actor(), 0});
  slots_.resize(options_.partitions);
  for (uint32_t p = 0; p < slots_.size(); ++p) {
    slots_[p].node = node_of(p, options_.nodes);
    ++nodes_[slots_[p].node].partitions;
  }
  recall_import();
  for (size_t n = 0; n < nodes_.size(); ++n)
    if (nodes_[n].name == options_.node_name)
      node_up(n, self_->system().spawn(host, options_.shards));
}

caf::result<uint32_t> supervisor_state::join(const std::string& name, host_actor host) {
  if (stopping_)
    return to_caf({errc::shutting_down, "the cluster is being stopped"});
  for (size_t n = 0; n < nodes_.size(); ++n) {
    if (nodes_[n].name != name)
      continue;
    if (nodes_[n].host)
      return to_caf({errc::busy, "a node named '" + name + "' is up already"});
    options_.log_info("node '" + name + "' joins with " + std::to_string(nodes_[n].partitions) +
                      " partitions");
    node_up(n, std::move(host));
    return options_.partitions;
  }
  return to_caf({errc::invalid_argument, "no node named '" + name + "' is configured here"});
}

void supervisor_state::node_up(size_t n, host_actor host) {
  nodes_[n].host = std::move(host);
  self_->monitor(nodes_[n].host);
  std::vector<uint32_t> partitions;
  for (uint32_t p = 0; p < slots_.size(); ++p)
    if (slots_[p].node == n)
      partitions.push_back(p);
  spawn(n, std::move(partitions));
}

void supervisor_state::spawn(size_t n, std::vector<uint32_t> partitions) {
  const auto by = nodes_[n].host;
  self_->request(by, caf::infinite, spawn_atom_v, partitions, options_.journal)
      .then(
          [this, n, by, partitions](const std::vector<shard_actor>& shards) {
            if (nodes_[n].host == by && !stopping_)
              spawned(n, partitions, shards);
          },
          [this, n, by](const caf::error& e) {
            // A host that answers with an error is as good as gone; its end has its own message.
            if (nodes_[n].host == by)
              options_.log_error("node '" + nodes_[n].name + "' made no shards: " + from_caf(e).detail);
          });
}

void supervisor_state::spawned(size_t n, const std::vector<uint32_t>& partitions,
                               const std::vector<shard_actor>& shards) {
  if (shards.size() != partitions.size()) {
    options_.log_error("node '" + nodes_[n].name + "' made another number of shards than asked for");
    return;
  }
  for (size_t i = 0; i < partitions.size(); ++i) {
    const auto p = partitions[i];
    auto& s = slots_[p];
    s.shard = shards[i];
    s.state = partition_state::loading;
    s.replayed = false;
    if (!options_.journal)
      s.filled = options_.import_directory.empty();
    self_->monitor(s.shard);
    self_->request(s.shard, caf::infinite, load_atom_v)
        .then([this, p, by = s.shard](const loaded& what) { replayed(p, by, what); },
              [this, p, by = s.shard](const caf::error& e) {
                if (slots_[p].shard != by || stopping_)
                  return;
                options_.log_error("partition " + std::to_string(p) +
                                   " could not be replayed: " + from_caf(e).detail);
                // Its end has its own message, and it is made again then.
                self_->send_exit(by, caf::exit_reason::kill);
              });
  }
}

void supervisor_state::replayed(uint32_t partition, const shard_actor& by, const loaded& what) {
  auto& s = slots_[partition];
  if (s.shard != by)
    return;
  s.replayed = true;
  s.held = what.stores > 0;
  s.damage = what.damage;
  if (!s.damage.empty()) {
    last_failure_ = "partition " + std::to_string(partition) + " is damaged and read-only: " + s.damage;
    options_.log_error(last_failure_);
  }
  load();
}

void supervisor_state::recall_import() {
  if (options_.import_directory.empty() || !options_.journal) {
    import_recalled_ = true;
    for (auto& s : slots_)
      s.filled = options_.import_directory.empty();
    return;
  }
  self_->request(options_.journal, caf::infinite, get_atom_v, std::string(files_read_name))
      .then(
          [this](const std::string& files) {
            import_recalled_ = true;
            const bool same = !files.empty() && files == ingest::tell_apart(options_.import_directory);
            if (same)
              options_.log_info("the feeds in " + options_.import_directory +
                                " are those the journal holds already; /import_data reads them again");
            for (auto& s : slots_)
              s.filled = same;
            load();
          },
          [this](const caf::error& e) {
            options_.fatal("the journal cannot be read: " + from_caf(e).detail);
          });
}

void supervisor_state::remember_import() {
  const bool whole = std::all_of(slots_.begin(), slots_.end(), [](const slot& s) { return s.filled; });
  if (!options_.journal || !whole || files_read_.empty())
    return;
  self_->request(options_.journal, caf::infinite, put_atom_v, std::string(files_read_name), files_read_)
      .then([](bool) {},
            [this](const caf::error& e) {
              options_.log_error("the feeds will be read again at the next start: " + from_caf(e).detail);
            });
}

void supervisor_state::load() {
  if (importer_ || stopping_ || !import_recalled_)
    return;
  // The first load waits for every node, so that the files are read once.
  if (!was_ready_)
    for (const auto& s : slots_)
      if (s.state == partition_state::absent || (s.state == partition_state::loading && !s.replayed))
        return;
  std::set<uint32_t> to_fill;
  bool changed = false;
  for (uint32_t p = 0; p < slots_.size(); ++p) {
    auto& s = slots_[p];
    if (s.state != partition_state::loading || !s.replayed)
      continue;
    // What is damaged takes nothing in.
    if (!s.filled && s.damage.empty()) {
      to_fill.insert(p);
      continue;
    }
    s.state = partition_state::serving;
    changed = true;
  }
  if (changed)
    publish();
  if (!to_fill.empty())
    start_import(std::move(to_fill));
}

void supervisor_state::start_import(std::set<uint32_t> partitions) {
  ingest::importer_options options;
  options.directory = options_.import_directory;
  options.parsers = options_.parsers;
  for (uint32_t p = 0; p < slots_.size(); ++p)
    options.shards.push_back(partitions.count(p) ? slots_[p].shard : shard_actor());
  filling_ = std::move(partitions);
  files_read_ = ingest::tell_apart(options_.import_directory);
  gauge_ = options.gauge;
  importer_ = self_->spawn<caf::detached>(ingest::importer, std::move(options));
  self_->monitor(importer_);
  const auto by = importer_;
  self_->request(by, caf::infinite, import_atom_v)
      .then(
          [this, by](const std::shared_ptr<const import_result>& what) {
            if (importer_ == by)
              imported(what);
          },
          [this, by](const caf::error& e) {
            if (importer_ == by)
              import_failed(from_caf(e));
          });
}

void supervisor_state::imported(const std::shared_ptr<const import_result>& what) {
  importer_ = nullptr;
  last_import_ = what;
  for (const auto p : what->partitions_lost) {
    filling_.erase(p);
    slots_[p].filled = false;
  }
  // Without a journal, a partition whose shard was made anew meanwhile holds nothing of it.
  for (const auto p : filling_) {
    auto& s = slots_[p];
    s.filled = true;
    if (s.state == partition_state::loading && s.replayed)
      s.state = partition_state::serving;
  }
  filling_.clear();
  remember_import();
  publish();
  if (import_answer_)
    import_answer_->deliver(what);
  import_answer_.reset();
  load();
  end_if_drained();
}

void supervisor_state::import_failed(const error& why) {
  importer_ = nullptr;
  filling_.clear();
  last_failure_ = "import: " + why.detail;
  if (import_answer_) {
    import_answer_->deliver(to_caf(why));
    import_answer_.reset();
  } else if (!was_ready_ && std::any_of(slots_.begin(), slots_.end(), [](const slot& s) { return s.held; })) {
    // What is kept is worth more than what the files may add to it.
    options_.log_error(last_failure_ +
                       "; the data kept is served without, /import_data reads the feeds again");
    for (auto& s : slots_)
      s.filled = true;
    load();
  } else if (!was_ready_) {
    load_failure_ = why;
    for (auto& waiting : await_ready_)
      waiting.deliver(to_caf(why));
    await_ready_.clear();
  } else {
    options_.log_error(last_failure_ + "; it is tried again");
    self_->delayed_send(self_, reload_pause, import_atom_v, true);
  }
  end_if_drained();
}

bool supervisor_state::all(partition_state state) const {
  return std::all_of(slots_.begin(), slots_.end(), [state](const slot& s) { return s.state == state; });
}

void supervisor_state::publish() {
  if (!was_ready_ && !all(partition_state::serving))
    return;
  std::vector<shard_actor> shards;
  shards.reserve(slots_.size());
  for (const auto& s : slots_)
    shards.push_back(s.state == partition_state::serving ? s.shard : shard_actor());
  if (options_.intake)
    self_->send(options_.intake, placed_atom_v, shards);
  if (options_.weights)
    self_->send(options_.weights, placed_atom_v, shards);
  if (options_.desk)
    self_->send(options_.desk, placed_atom_v, shards);
  if (coordinator_)
    self_->send(coordinator_, placed_atom_v, std::move(shards));
  // Only now: whoever hears of it may trigger a report at once, which must reach the coordinator after this.
  was_ready_ = true;
  for (auto& waiting : await_ready_)
    waiting.deliver(true);
  await_ready_.clear();
}

void supervisor_state::down(const caf::down_msg& gone) {
  if (ending_.erase(gone.source) > 0 && ending_.empty()) {
    finish_stop();
    return;
  }
  if (ending_began_)
    return;
  if (coordinator_ && gone.source == coordinator_.address()) {
    coordinator_ = nullptr;
    reports_over_ = true;
    options_.fatal("the coordinator died: " + self_->system().render(gone.reason));
    return;
  }
  if (options_.intake && gone.source == options_.intake.address()) {
    options_.intake = nullptr;
    intake_over_ = true;
    options_.fatal("the intake died: " + self_->system().render(gone.reason));
    return;
  }
  if (options_.weights && gone.source == options_.weights.address()) {
    options_.weights = nullptr;
    options_.fatal("the actor of the fleet weights died: " + self_->system().render(gone.reason));
    return;
  }
  if (options_.desk && gone.source == options_.desk.address()) {
    options_.desk = nullptr;
    options_.fatal("the store desk died: " + self_->system().render(gone.reason));
    return;
  }
  if (options_.journal && gone.source == options_.journal.address()) {
    options_.fatal("the journal died: " + self_->system().render(gone.reason));
    return;
  }
  if (importer_ && gone.source == importer_.address()) {
    import_failed({errc::internal, "the importer died: " + self_->system().render(gone.reason)});
    return;
  }
  for (size_t n = 0; n < nodes_.size(); ++n)
    if (nodes_[n].host && nodes_[n].host.address() == gone.source) {
      node_down(n);
      return;
    }
  for (uint32_t p = 0; p < slots_.size(); ++p)
    if (slots_[p].shard && slots_[p].shard.address() == gone.source) {
      shard_down(p, gone.reason);
      return;
    }
}

void supervisor_state::node_down(size_t n) {
  nodes_[n].host = nullptr;
  for (auto& s : slots_)
    if (s.node == n) {
      s.state = partition_state::absent;
      shard_failures_ += s.shard ? 1 : 0;
      s.shard = nullptr;
    }
  if (nodes_[n].name == options_.node_name) {
    options_.fatal("the host of this node's shards died");
    return;
  }
  last_failure_ = "node '" + nodes_[n].name + "' is lost";
  options_.log_error(last_failure_ + ", and with it " + std::to_string(nodes_[n].partitions) + " partitions");
  if (was_ready_)
    publish();
}

void supervisor_state::shard_down(uint32_t partition, const caf::error& why) {
  auto& s = slots_[partition];
  s.state = partition_state::absent;
  s.shard = nullptr;
  ++s.failures;
  ++shard_failures_;
  last_failure_ =
      "the shard of partition " + std::to_string(partition) + " died: " + self_->system().render(why);
  options_.log_error(last_failure_);
  if (was_ready_)
    publish();
  constexpr uint32_t doublings_max = 16;
  const auto pause =
      s.failures == 1 ? 0ms
                      : std::min<std::chrono::milliseconds>(
                            1s * (1u << std::min(s.failures - 2, doublings_max)), options_.respawn_pause_max);
  if (pause == 0ms)
    spawn_again(partition);
  else
    self_->delayed_send(self_, pause, spawn_atom_v, partition);
}

void supervisor_state::spawn_again(uint32_t partition) {
  const auto& s = slots_[partition];
  if (s.state == partition_state::absent && nodes_[s.node].host && !stopping_)
    spawn(s.node, {partition});
}

health supervisor_state::health() const {
  protocol::health h;
  h.ready = was_ready_ && !stopping_ && all(partition_state::serving);
  for (const auto& n : nodes_)
    h.nodes.push_back({n.name, static_cast<bool>(n.host), n.partitions});
  for (uint32_t p = 0; p < slots_.size(); ++p) {
    h.partitions.push_back(slots_[p].state);
    if (!slots_[p].damage.empty())
      h.damaged.push_back(p);
  }
  h.shard_failures = shard_failures_;
  h.last_failure = last_failure_;
  h.last_import = last_import_;
  h.importing = static_cast<bool>(importer_);
  if (importer_)
    h.import = gauge_->read();
  return h;
}

caf::result<bool> supervisor_state::ready() {
  if (was_ready_)
    return true;
  if (load_failure_)
    return to_caf(*load_failure_);
  auto answer = self_->make_response_promise<bool>();
  await_ready_.push_back(answer);
  return answer;
}

caf::result<std::shared_ptr<const import_result>> supervisor_state::import_again() {
  if (stopping_)
    return to_caf({errc::shutting_down, "the server is being stopped"});
  if (options_.import_directory.empty())
    return to_caf({errc::invalid_argument, "no directory to import from is configured (data.import)"});
  if (importer_)
    return to_caf({errc::busy, "an import is running"});
  if (!all(partition_state::serving))
    return to_caf({errc::not_ready, "not all partitions serve"});
  std::set<uint32_t> partitions;
  for (uint32_t p = 0; p < slots_.size(); ++p)
    partitions.insert(p);
  auto answer = self_->make_response_promise<std::shared_ptr<const import_result>>();
  import_answer_ = answer;
  start_import(std::move(partitions));
  return answer;
}

caf::result<bool> supervisor_state::stop() {
  auto answer = self_->make_response_promise<bool>();
  await_stop_.push_back(answer);
  if (stopping_)
    return answer;
  stopping_ = true;
  for (auto& waiting : await_ready_)
    waiting.deliver(to_caf({errc::shutting_down, "the server is being stopped"}));
  await_ready_.clear();
  self_->delayed_send(self_, options_.drain_timeout, deadline_atom_v);
  drain(coordinator_, &supervisor_state::reports_over_);
  drain(options_.intake, &supervisor_state::intake_over_);
  return answer;
}

template <class Handle>
void supervisor_state::drain(const Handle& actor, bool supervisor_state::*over) {
  const auto done = [this, over] {
    this->*over = true;
    end_if_drained();
  };
  if (!actor) {
    done();
    return;
  }
  self_->request(actor, caf::infinite, stop_atom_v)
      .then([done](bool) { done(); }, [done](const caf::error&) { done(); });
}

void supervisor_state::time_is_up() {
  time_is_up_ = true;
  end_if_drained();
}

void supervisor_state::end_if_drained() {
  const bool idle = reports_over_ && intake_over_ && !importer_;
  if (!stopping_ || ending_began_ || (!idle && !time_is_up_))
    return;
  ending_began_ = true;
  const auto end = [this](const auto& actor) {
    ending_.insert(actor.address());
    self_->send_exit(actor, caf::exit_reason::user_shutdown);
  };
  if (coordinator_)
    end(coordinator_);
  if (options_.intake)
    end(options_.intake);
  if (options_.weights)
    end(options_.weights);
  if (options_.desk)
    end(options_.desk);
  if (importer_)
    end(importer_);
  for (const auto& n : nodes_)
    if (n.host && n.name == options_.node_name)
      end(n.host);
  // The host's shards end with it.
  for (const auto& s : slots_)
    if (s.shard && nodes_[s.node].name == options_.node_name)
      ending_.insert(s.shard.address());
  if (ending_.empty())
    finish_stop();
}

void supervisor_state::finish_stop() {
  if (import_answer_)
    import_answer_->deliver(to_caf({errc::shutting_down, "the server is being stopped"}));
  for (auto& waiting : await_stop_)
    waiting.deliver(true);
  await_stop_.clear();
  self_->quit(caf::exit_reason::user_shutdown);
}

supervisor_self::behavior_type supervisor(supervisor_self::stateful_pointer<supervisor_state> self,
                                          supervisor_options options, coordinator_actor coordinator) {
  auto& state = self->state;
  state.start(self, std::move(options), std::move(coordinator));
  self->set_down_handler([&state](const caf::down_msg& gone) { state.down(gone); });
  return {
      [&state](join_atom, const std::string& name, const host_actor& host) { return state.join(name, host); },
      [&state](health_atom) { return state.health(); },
      [&state](ready_atom) { return state.ready(); },
      [&state](import_atom) { return state.import_again(); },
      [&state](stop_atom) { return state.stop(); },
      [&state](spawn_atom, uint32_t partition) { state.spawn_again(partition); },
      [&state](import_atom, bool) { state.load(); },
      [&state](deadline_atom) { state.time_is_up(); },
  };
}

} // namespace storemon::node
