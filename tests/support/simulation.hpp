#pragma once

#include "storemon/journal/journal_actor.hpp"
#include "storemon/partition/shard_actor.hpp"
#include "support/faulty_backend.hpp"
#include "support/sim.hpp"
#include "support/simulation_book.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace storemon::test {

/// What simulations came to.
struct simulation_totals {
  std::array<uint64_t, faults> planted{};
  uint64_t sent = 0;
  uint64_t acked = 0;
  uint64_t replayed = 0; ///< of the acknowledged: by the key
  uint64_t records = 0;
  uint64_t loads = 0;
  uint64_t jobs = 0;
};

/// One life of a journal and its shards under a client, a supervisor and a disk that misbehave, all as the
/// seed says: which actor runs next, what is sent, what fails. The same seed makes the same life.
class simulation {
public:
  simulation(sim& site, uint64_t seed, simulation_totals& totals)
      : site_(site), random_(seed, 0), totals_(totals), partitions_(1 + random_.below(3)),
        book_(partitions_) {
    plan_.commits_fail = random_.below(3) * 40;
    plan_.reads_fail = random_.below(3) * 15;
    plan_.look = [this] { look(); };
    options_.partitions = partitions_;
    options_.slice_bytes_max = random_.chance(500) ? 1 : 4096;
    options_.commit_bytes_max = random_.chance(300) ? 0 : 4096;
    options_.retention = std::chrono::hours(random_.below(2) * 48);
    options_.free_min = 1000;
    options_.now = [this] { return now_; };
    options_.log_info = options_.log_error = [](const std::string&) {};
    shard_options_.snapshot_after_records = 2 + random_.below(2);
    shard_options_.writes.group_entries_max = 1 + random_.below(4);
    shard_options_.writes.waiting_bytes_max = random_.chance(200) ? 500 : 1 << 20;
    shard_options_.now = options_.now;
    current_.assign(partitions_, none);
    holder_ = site_.system.spawn([this](caf::event_based_actor* self) -> caf::behavior {
      client_ = self;
      self->set_down_handler([this](const caf::down_msg& down) { gone(down.source); });
      return {[](protocol::next_atom) {}};
    });
    while (site_.scheduler.prioritize(holder_))
      site_.scheduler.run_once();
  }

  ~simulation() {
    kill_all();
    kill(holder_);
    while (site_.scheduler.has_pending_timeout())
      site_.scheduler.trigger_timeout();
    site_.settle();
  }

  simulation(const simulation&) = delete;
  simulation& operator=(const simulation&) = delete;

  /// @returns what was promised and is not so; empty: all is.
  std::string run() {
    start_journal();
    for (auto left = steps; left > 0 && sound(); --left)
      step();
    plan_.calm = true;
    disk_->set_bytes_free(UINT64_MAX);
    come_to_rest();
    write_once_more();
    compare();
    process_killed();
    come_to_rest(); // as each start is, it is compared with what the records make
    compare();
    for (uint32_t p = 0; p < partitions_; ++p)
      totals_.records += book_.records(p);
    return book_.failure();
  }

  uint64_t trace() const { return trace_ ^ book_.trace(); }

private:
  static constexpr int steps = 200;

  struct shard_place {
    protocol::shard_actor handle;
    uint32_t partition = 0;

    enum { idle, loading, serving, ended } now = idle;

    bool replaced = false; ///< a later one serves
    uint64_t epoch = 0;    ///< once it is known
  };

  bool sound() const { return book_.failure().empty(); }

  void note(uint64_t what) { trace_ = (trace_ ^ what) * 0x9e3779b97f4a7c15 + 1; }

  void look() {
    disk_->edit([this](const journal::memory_tables& tables) { book_.look(tables); });
  }

  // -- what happens ---------------------------------------------------------------------------------------

  void step() {
    if (!site_.scheduler.jobs.empty() && random_.chance(700)) {
      run_a_job();
      return;
    }
    const auto what = random_.below(1000);
    note(what);
    if (what < 500)
      send(book_.make(random_.below(partitions_), random_));
    else if (what < 650)
      send_again();
    else if (what < 670)
      send_other_body();
    else if (what < 710)
      look_inside();
    else if (what < 860)
      supervise();
    else if (what < 900)
      now_ += std::chrono::minutes(random_.below(180));
    else if (what < 930)
      pass_time();
    else if (what < 945)
      change_room();
    else if (what < 965)
      kill_a_shard();
    else if (what < 980)
      open_a_second();
    else if (what < 985)
      end_journal(fault::journal_stopped, caf::exit_reason::user_shutdown);
    else if (what < 990)
      end_journal(fault::journal_killed, caf::exit_reason::kill);
    else
      process_killed();
  }

  void run_a_job() {
    auto& jobs = site_.scheduler.jobs;
    const auto chosen = random_.below(jobs.size());
    note(jobs.size() << 8 | chosen);
    std::swap(jobs[0], jobs[chosen]);
    site_.scheduler.run_once();
    ++totals_.jobs;
  }

  void pass_time() {
    if (site_.scheduler.has_pending_timeout())
      site_.scheduler.advance_time(options_.heal_pause);
  }

  void change_room() {
    plan_.count(fault::no_room);
    disk_->set_bytes_free(random_.chance(500) ? 0 : UINT64_MAX);
  }

  void kill_a_shard() {
    const auto p = random_.below(partitions_);
    if (current_[p] == none)
      return;
    plan_.count(fault::shard_killed);
    kill(shards_[current_[p]].handle);
  }

  void open_a_second() {
    const auto p = static_cast<uint32_t>(random_.below(partitions_));
    if (current_[p] == none || shards_[current_[p]].now != shard_place::serving)
      return;
    plan_.count(fault::second_owner);
    spawn_shard(p);
  }

  void end_journal(fault what, caf::exit_reason why) {
    plan_.count(what);
    site_.self->send_exit(journal_, why);
    for (auto left = random_.below(20); left > 0 && !site_.scheduler.jobs.empty(); --left)
      run_a_job();
    process_killed();
  }

  void process_killed() {
    plan_.count(fault::process_killed);
    kill_all();
    disk_->crash();
    look();
    book_.check();
    start_journal();
  }

  template <class Handle>
  void kill(const Handle& actor) {
    site_.self->send_exit(actor, caf::exit_reason::kill);
    while (site_.scheduler.prioritize(actor))
      site_.scheduler.run_once();
  }

  void kill_all() {
    kill(journal_);
    for (const auto& s : shards_)
      kill(s.handle);
    current_.assign(partitions_, none);
  }

  // -- the supervisor -------------------------------------------------------------------------------------

  void start_journal() {
    journal_ = site_.system.spawn(journal::journal, std::make_unique<faulty_backend>(disk_, plan_), options_);
  }

  void spawn_shard(uint32_t partition) {
    auto how = shard_options_;
    how.partition = partition;
    how.journal = journal_;
    current_[partition] = shards_.size();
    shards_.push_back({site_.system.spawn(partition::shard, how), partition});
    client_->monitor(shards_.back().handle);
    load(shards_.size() - 1);
  }

  void load(size_t which) {
    auto& s = shards_[which];
    s.now = shard_place::loading;
    const auto epoch = book_.epoch(s.partition);
    std::vector<size_t> before;
    for (size_t other = 0; other < shards_.size(); ++other)
      if (shards_[other].partition == s.partition && shards_[other].now == shard_place::serving)
        before.push_back(other);
    ask<protocol::loaded>(
        s.handle,
        [this, which, epoch, before](const result<protocol::loaded>& told) {
          auto& loading = shards_[which];
          note(told ? told->state_hash : static_cast<uint64_t>(told.error().code));
          if (!told) {
            if (loading.now == shard_place::loading)
              loading.now = shard_place::idle;
            return;
          }
          ++totals_.loads;
          book_.require(told->damage.empty(), "a sound partition is said to be damaged");
          book_.require(book_.began_with(loading.partition, epoch, told->state_hash),
                        "a replay made another state than the records");
          if (loading.now == shard_place::loading)
            loading.now = shard_place::serving;
          for (const auto other : before)
            shards_[other].replaced = true;
        },
        protocol::load_atom_v);
  }

  /// Makes a new shard where one ended, and has it asked again that could not load.
  void supervise() {
    for (uint32_t p = 0; p < partitions_; ++p)
      if (current_[p] == none || shards_[current_[p]].now == shard_place::ended)
        spawn_shard(p);
      else if (shards_[current_[p]].now == shard_place::idle)
        load(current_[p]);
  }

  void gone(const caf::actor_addr& who) {
    for (auto& s : shards_)
      if (s.handle.address() == who)
        s.now = shard_place::ended;
  }

  // -- the client -----------------------------------------------------------------------------------------

  template <class R, class Answered, class... Args>
  void ask(const protocol::shard_actor& whom, Answered answered, const Args&... args) {
    client_->context(nullptr); // that of the job it ran last is gone
    ++unanswered_;
    client_->request(whom, caf::infinite, args...)
        .then(
            [this, answered](const R& r) {
              --unanswered_;
              answered(result<R>(r));
            },
            [this, answered](const caf::error& e) {
              --unanswered_;
              answered(result<R>(protocol::from_caf(e)));
            });
  }

  /// To the present shard, or now and then to any other of the partition.
  void send(size_t number) {
    auto& c = book_[number];
    std::vector<size_t> all;
    for (size_t i = 0; i < shards_.size(); ++i)
      if (shards_[i].partition == c.partition && shards_[i].now != shard_place::ended)
        all.push_back(i);
    if (all.empty())
      return;
    const auto which = random_.chance(800) ? all.back() : all[random_.below(all.size())];
    ++c.sent;
    ++totals_.sent;
    const bool replaced = shards_[which].replaced;
    const auto answered = [this, number, which, replaced](const auto& what) {
      if (what)
        acked(number, which, replaced, *what);
      else
        failed(number, what.error());
    };
    if (c.mark.given())
      ask<protocol::batch_result>(
          shards_[which].handle, answered, protocol::batch_atom_v,
          protocol::shared_batch({std::get<observation_rows>(c.change), c.mark, c.reject_conflicts}));
    else
      ask<applied>(shards_[which].handle, answered, protocol::apply_atom_v,
                   protocol::shared_update(c.change));
  }

  /// Whatever the answer was, and even if there is none yet.
  void send_again() {
    if (book_.size() == 0)
      return;
    const auto number = book_.size() - 1 - random_.below(std::min<size_t>(book_.size(), 6));
    if (book_[number].sent > 0)
      send(number);
  }

  /// An acknowledged key with another body.
  void send_other_body() {
    for (size_t i = 0; i < shards_.size(); ++i)
      for (size_t number = 0; number < book_.size(); ++number) {
        const auto& c = book_[number];
        if (!c.mark.given() || c.acked == 0 || c.partition != shards_[i].partition ||
            shards_[i].now != shard_place::serving)
          continue;
        auto mark = c.mark;
        ++mark.body[1];
        ask<protocol::batch_result>(
            shards_[i].handle,
            [this](const result<protocol::batch_result>& what) {
              book_.require(!what, "a key was taken with another body");
            },
            protocol::batch_atom_v,
            protocol::shared_batch({std::get<observation_rows>(c.change), mark, false}));
        return;
      }
  }

  /// Any shard that serves is asked what it holds: that is never more than what is durable.
  void look_inside() {
    const auto which = random_.below(shards_.size() + 1);
    if (which == shards_.size() || shards_[which].now != shard_place::serving)
      return;
    ask<protocol::loaded>(
        shards_[which].handle,
        [this, p = shards_[which].partition](const result<protocol::loaded>& told) {
          book_.require(!told || book_.was(p, told->state_hash), "a state holds what is not durable");
        },
        protocol::load_atom_v);
  }

  void acked(size_t number, size_t which, bool replaced, const protocol::batch_result& r) {
    const auto& kept = book_[number].kept;
    acknowledged(number, r.done);
    totals_.replayed += r.replayed;
    book_.require(kept.size() == 1 && r.done == kept[0].done, "a batch was answered with other counts");
    if (!r.replayed && !kept.empty())
      written(which, replaced, kept[0].epoch);
  }

  void acked(size_t number, size_t which, bool replaced, const applied& done) {
    const auto& c = book_[number];
    acknowledged(number, done);
    if (c.repeats_quietly() && c.sent > 1 && done.accepted == 0 && done.conflicts == 0)
      return; // maybe it was not written again
    book_.require(std::any_of(c.kept.begin(), c.kept.end(), [&](const auto& k) { return k.done == done; }),
                  "a change was answered with other counts");
    if (c.kept.size() == 1)
      written(which, replaced, c.kept[0].epoch);
  }

  void acknowledged(size_t number, const applied& done) {
    ++book_[number].acked;
    ++totals_.acked;
    note(static_cast<uint64_t>(done.accepted << 20 | done.duplicates << 10 | done.conflicts));
    book_.require(!book_[number].kept.empty(), "a change was acknowledged before it was durable");
  }

  /// What a shard acknowledged has that epoch: each has one of its own, and none after it was replaced.
  void written(size_t which, bool replaced, uint64_t epoch) {
    auto& s = shards_[which];
    book_.require(!replaced, "a shard that was replaced acknowledged a change");
    book_.require(s.epoch == 0 || s.epoch == epoch, "a shard wrote under two epochs");
    s.epoch = epoch;
    const auto owner = owners_.emplace(std::pair(s.partition, epoch), which).first->second;
    book_.require(owner == which, "two shards wrote under one epoch");
  }

  void failed(size_t number, const error& why) {
    note(static_cast<uint64_t>(why.code));
    switch (why.code) {
    case errc::storage_failing: // nobody knows
    case errc::partition_lost:
    case errc::shutting_down:
      break;
    case errc::disk_full:
    case errc::fenced:
    case errc::conflict:
    case errc::not_ready:
    case errc::overloaded:
      ++book_[number].refused;
      break;
    default:
      book_.require(false, "a change failed as it never should");
    }
  }

  // -- the end --------------------------------------------------------------------------------------------

  /// Lets all that failed recover.
  void come_to_rest() {
    for (int round = 0; round < 20 && sound(); ++round) {
      while (!site_.scheduler.jobs.empty())
        run_a_job();
      const bool rests = std::all_of(current_.begin(), current_.end(), [&](size_t s) {
        return s != none && shards_[s].now == shard_place::serving;
      });
      if (rests && !site_.scheduler.has_pending_timeout()) {
        book_.require(unanswered_ == 0, "a request was not answered");
        return;
      }
      pass_time();
      supervise();
    }
    book_.require(false, "all does not come to rest");
  }

  /// All partitions take changes again, the first time or after their owner was made anew.
  void write_once_more() {
    for (uint32_t p = 0; p < partitions_ && sound(); ++p) {
      const auto number = book_.make(p, random_);
      book_[number].reject_conflicts = false;
      for (int attempt = 0; attempt < 3 && book_[number].acked == 0; ++attempt) {
        send(number);
        come_to_rest();
      }
      book_.require(book_[number].acked > 0, "a partition takes no changes any more");
    }
  }

  /// The state of each partition is what its records make, and it remembers its batches.
  void compare() {
    book_.check();
    for (uint32_t p = 0; p < partitions_ && sound(); ++p) {
      const auto& shard = shards_[current_[p]].handle;
      ask<protocol::loaded>(
          shard,
          [this, p](const result<protocol::loaded>& told) {
            book_.require(told && told->state_hash == book_.state_hash(p),
                          "a state is not what the records make");
          },
          protocol::load_atom_v);
      ask<protocol::shared_marks>(
          shard,
          [this, p](const result<protocol::shared_marks>& told) {
            book_.require(told && remembers(p, **told), "a batch is not remembered");
          },
          protocol::marks_atom_v);
      come_to_rest();
    }
  }

  bool remembers(uint32_t partition, std::vector<batch_mark> marks) {
    std::sort(marks.begin(), marks.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
    size_t next = 0;
    for (size_t number = 0; number < book_.size(); ++number) { // keys ascend with the number
      const auto& c = book_[number];
      if (c.partition == partition && c.mark.given() && !c.kept.empty() &&
          (next == marks.size() || marks[next++] != c.mark))
        return false;
    }
    return next == marks.size();
  }

  static constexpr size_t none = SIZE_MAX;

  sim& site_;
  synth::random_source random_;
  simulation_totals& totals_;
  uint32_t partitions_;
  simulation_book book_;
  std::shared_ptr<journal::memory_disk> disk_ = std::make_shared<journal::memory_disk>();
  fault_plan plan_{random_, totals_.planted};
  journal::journal_options options_;
  partition::shard_options shard_options_;
  protocol::journal_actor journal_;
  std::vector<shard_place> shards_; ///< all there ever were
  std::vector<size_t> current_{};   ///< the newest of each partition
  std::map<std::pair<uint32_t, uint64_t>, size_t> owners_;
  caf::actor holder_; ///< of the client
  caf::event_based_actor* client_ = nullptr;
  size_t unanswered_ = 0;
  instant now_ = simulation_day;
  uint64_t trace_ = 0;
};

} // namespace storemon::test
