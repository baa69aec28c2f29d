#pragma once

#include "storemon/journal/journal_actor.hpp"
#include "storemon/partition/shard_actor.hpp"
#include "support/faulty_backend.hpp"
#include "support/simulation_book.hpp"
#include "support/simulation_stage.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace storemon::test {

/// A shard of a simulation, from when it was made until for ever.
struct simulated_shard {
  protocol::shard_actor handle;
  uint32_t partition = 0;

  enum { idle, loading, serving, ended } now = idle;

  bool replaced = false; ///< a later one serves
  uint64_t epoch = 0;    ///< once it is known
};

/// The process of a simulation: a journal on a disk that fails, and shards that a supervisor makes and, when
/// they end, makes anew.
class simulation_node {
public:
  static constexpr size_t none = SIZE_MAX;

  simulation_node(simulation_stage& stage, simulation_book& book, std::array<uint64_t, faults>& planted)
      : stage_(stage), book_(book), plan_{stage.random, planted}, current_(book.partitions(), none) {
    auto& random = stage.random;
    plan_.commits_fail = random.below(3) * 40;
    plan_.reads_fail = random.below(3) * 15;
    plan_.look = [this] { look(); };
    options_.partitions = book.partitions();
    options_.slice_bytes_max = random.chance(500) ? 1 : 4096;
    options_.commit_bytes_max = random.chance(300) ? 0 : 4096;
    options_.retention = std::chrono::hours(random.below(2) * 48);
    options_.free_min = 1000;
    options_.now = [this] { return now_; };
    options_.log_info = options_.log_error = [](const std::string&) {};
    shard_options_.snapshot_after_records = 2 + random.below(2);
    shard_options_.writes.group_entries_max = 1 + random.below(4);
    shard_options_.writes.waiting_bytes_max = random.chance(200) ? 500 : 1 << 20;
    shard_options_.now = options_.now;
    stage_.gone = [this](const caf::actor_addr& who) { gone(who); };
    start_journal();
  }

  ~simulation_node() {
    kill_all();
    stage_.end();
  }

  simulation_node(const simulation_node&) = delete;
  simulation_node& operator=(const simulation_node&) = delete;

  /// All there ever were.
  const std::vector<simulated_shard>& shards() const { return shards_; }

  const simulated_shard& operator[](size_t which) const { return shards_[which]; }

  /// The newest shard of a partition, if the process did not end since.
  size_t current(uint32_t partition) const { return current_[partition]; }

  bool all_serve() const {
    return std::all_of(current_.begin(), current_.end(),
                       [&](size_t s) { return s != none && shards_[s].now == simulated_shard::serving; });
  }

  uint64_t loads() const { return loads_; }

  /// Makes a new shard where one ended, and has it asked again that could not load.
  void supervise() {
    for (uint32_t p = 0; p < current_.size(); ++p)
      if (current_[p] == none || shards_[current_[p]].now == simulated_shard::ended)
        spawn_shard(p);
      else if (shards_[current_[p]].now == simulated_shard::idle)
        load(current_[p]);
  }

  /// What a shard acknowledged has that epoch: each has one of its own, and none after it was replaced.
  void wrote(size_t which, bool was_replaced, uint64_t epoch) {
    auto& s = shards_[which];
    book_.require(!was_replaced, "a shard that was replaced acknowledged a change");
    book_.require(s.epoch == 0 || s.epoch == epoch, "a shard wrote under two epochs");
    s.epoch = epoch;
    const auto owner = owners_.emplace(std::pair(s.partition, epoch), which).first->second;
    book_.require(owner == which, "two shards wrote under one epoch");
  }

  void advance_clock() { now_ += std::chrono::minutes(stage_.random.below(180)); }

  void pass_time() { stage_.pass_time(options_.heal_pause); }

  // -- what fails -----------------------------------------------------------------------------------------

  void change_room() {
    plan_.count(fault::no_room);
    disk_->set_bytes_free(stage_.random.chance(500) ? 0 : UINT64_MAX);
  }

  void kill_a_shard() {
    const auto which = current_[any_partition()];
    if (which == none)
      return;
    plan_.count(fault::shard_killed);
    stage_.kill(shards_[which].handle);
  }

  void open_a_second() {
    const auto p = any_partition();
    if (current_[p] == none || shards_[current_[p]].now != simulated_shard::serving)
      return;
    plan_.count(fault::second_owner);
    spawn_shard(p);
  }

  /// The journal ends, and some time later all the process.
  void end_journal(fault what, caf::exit_reason why) {
    plan_.count(what);
    stage_.send_exit(journal_, why);
    for (auto left = stage_.random.below(20); left > 0 && stage_.has_jobs(); --left)
      stage_.run_a_job();
    end_process();
  }

  /// All actors end at once, and a new process begins.
  void end_process() {
    plan_.count(fault::process_killed);
    kill_all();
    disk_->crash();
    look();
    book_.check();
    start_journal();
  }

  /// From now on nothing fails.
  void calm_down() {
    plan_.calm = true;
    disk_->set_bytes_free(UINT64_MAX);
  }

private:
  void look() {
    disk_->edit([this](const journal::memory_tables& tables) { book_.look(tables); });
  }

  uint32_t any_partition() { return static_cast<uint32_t>(stage_.random.below(current_.size())); }

  void start_journal() {
    journal_ = stage_.spawn(journal::journal, std::make_unique<faulty_backend>(disk_, plan_), options_);
  }

  void kill_all() {
    stage_.kill(journal_);
    for (const auto& s : shards_)
      stage_.kill(s.handle);
    current_.assign(current_.size(), none);
  }

  void gone(const caf::actor_addr& who) {
    for (auto& s : shards_)
      if (s.handle.address() == who)
        s.now = simulated_shard::ended;
  }

  void spawn_shard(uint32_t partition) {
    auto how = shard_options_;
    how.partition = partition;
    how.journal = journal_;
    current_[partition] = shards_.size();
    shards_.push_back({stage_.spawn(partition::shard, how), partition});
    load(shards_.size() - 1);
  }

  void load(size_t which) {
    auto& s = shards_[which];
    s.now = simulated_shard::loading;
    std::vector<size_t> before;
    for (size_t other = 0; other < shards_.size(); ++other)
      if (shards_[other].partition == s.partition && shards_[other].now == simulated_shard::serving)
        before.push_back(other);
    stage_.ask<protocol::loaded>(
        s.handle,
        [this, which, epoch = book_.epoch(s.partition), before](const result<protocol::loaded>& told) {
          loaded(which, epoch, before, told);
        },
        protocol::load_atom_v);
  }

  /// `epoch` and `before`: the partition's last epoch and the shards that served it when the load began.
  void loaded(size_t which, uint64_t epoch, const std::vector<size_t>& before,
              const result<protocol::loaded>& told) {
    auto& s = shards_[which];
    stage_.note(told ? told->state_hash : static_cast<uint64_t>(told.error().code));
    if (s.now == simulated_shard::loading)
      s.now = told ? simulated_shard::serving : simulated_shard::idle;
    if (!told)
      return;
    ++loads_;
    book_.require(told->damage.empty(), "a sound partition is said to be damaged");
    book_.require(book_.began_with(s.partition, epoch, told->state_hash),
                  "a replay made another state than the records");
    for (const auto other : before)
      shards_[other].replaced = true;
  }

  simulation_stage& stage_;
  simulation_book& book_;
  fault_plan plan_;
  std::shared_ptr<journal::memory_disk> disk_ = std::make_shared<journal::memory_disk>();
  journal::journal_options options_{};
  partition::shard_options shard_options_{};
  protocol::journal_actor journal_{};
  std::vector<simulated_shard> shards_{};
  std::vector<size_t> current_;                              ///< the newest of each partition
  std::map<std::pair<uint32_t, uint64_t>, size_t> owners_{}; ///< by partition and epoch
  uint64_t loads_ = 0;
  instant now_ = simulation_day;
};

} // namespace storemon::test
