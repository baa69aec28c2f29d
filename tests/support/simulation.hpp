#pragma once

#include "support/simulation_node.hpp"

#include <algorithm>
#include <array>
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
      : totals_(totals), stage_(site, seed), book_(1 + static_cast<uint32_t>(stage_.random.below(3))),
        node_(stage_, book_, totals.planted) {}

  /// @returns what was promised and is not so; empty: all is.
  std::string run() {
    constexpr int steps = 200;
    for (auto left = steps; left > 0 && sound(); --left)
      step();
    node_.calm_down();
    come_to_rest();
    write_once_more();
    compare();
    node_.end_process();
    come_to_rest(); // as each start is, it is compared with what the records make
    compare();
    for (uint32_t p = 0; p < book_.partitions(); ++p)
      totals_.records += book_.records(p);
    totals_.loads += node_.loads();
    totals_.jobs += stage_.jobs_run();
    return book_.failure();
  }

  uint64_t trace() const { return stage_.trace() ^ book_.trace(); }

private:
  bool sound() const { return book_.failure().empty(); }

  void step() {
    auto& random = stage_.random;
    if (stage_.has_jobs() && random.chance(700)) {
      stage_.run_a_job();
      return;
    }
    const auto what = random.below(1000);
    stage_.note(what);
    if (what < 500)
      send(book_.make(static_cast<uint32_t>(random.below(book_.partitions())), random));
    else if (what < 650)
      send_again();
    else if (what < 670)
      send_other_body();
    else if (what < 710)
      look_inside();
    else if (what < 860)
      node_.supervise();
    else if (what < 900)
      node_.advance_clock();
    else if (what < 930)
      node_.pass_time();
    else if (what < 945)
      node_.change_room();
    else if (what < 965)
      node_.kill_a_shard();
    else if (what < 980)
      node_.open_a_second();
    else if (what < 985)
      node_.end_journal(fault::journal_stopped, caf::exit_reason::user_shutdown);
    else if (what < 990)
      node_.end_journal(fault::journal_killed, caf::exit_reason::kill);
    else
      node_.end_process();
  }

  // -- the client -----------------------------------------------------------------------------------------

  /// To the present shard, or now and then to any other of the partition.
  void send(size_t number) {
    auto& c = book_[number];
    std::vector<size_t> all;
    for (size_t i = 0; i < node_.shards().size(); ++i)
      if (node_[i].partition == c.partition && node_[i].now != simulated_shard::ended)
        all.push_back(i);
    if (all.empty())
      return;
    const auto which = stage_.random.chance(800) ? all.back() : all[stage_.random.below(all.size())];
    ++c.sent;
    ++totals_.sent;
    const bool replaced = node_[which].replaced;
    const auto answered = [this, number, which, replaced](const auto& what) {
      if (what)
        acked(number, which, replaced, *what);
      else
        failed(number, what.error());
    };
    if (c.mark.given())
      stage_.ask<protocol::batch_result>(
          node_[which].handle, answered, protocol::batch_atom_v,
          protocol::shared_batch({std::get<observation_rows>(c.change), c.mark, c.reject_conflicts}));
    else
      stage_.ask<applied>(node_[which].handle, answered, protocol::apply_atom_v,
                          protocol::shared_update(c.change));
  }

  /// Whatever the answer was, and even if there is none yet.
  void send_again() {
    if (book_.size() == 0)
      return;
    const auto number = book_.size() - 1 - stage_.random.below(std::min<size_t>(book_.size(), 6));
    if (book_[number].sent > 0)
      send(number);
  }

  /// An acknowledged key with another body.
  void send_other_body() {
    for (size_t i = 0; i < node_.shards().size(); ++i)
      for (size_t number = 0; number < book_.size(); ++number) {
        const auto& c = book_[number];
        if (!c.mark.given() || c.acked == 0 || c.partition != node_[i].partition ||
            node_[i].now != simulated_shard::serving)
          continue;
        auto mark = c.mark;
        ++mark.body[1];
        stage_.ask<protocol::batch_result>(
            node_[i].handle,
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
    const auto which = stage_.random.below(node_.shards().size() + 1);
    if (which == node_.shards().size() || node_[which].now != simulated_shard::serving)
      return;
    stage_.ask<protocol::loaded>(
        node_[which].handle,
        [this, p = node_[which].partition](const result<protocol::loaded>& told) {
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
      node_.wrote(which, replaced, kept[0].epoch);
  }

  void acked(size_t number, size_t which, bool replaced, const applied& done) {
    const auto& c = book_[number];
    acknowledged(number, done);
    if (c.repeats_quietly() && c.sent > 1 && done.accepted == 0 && done.conflicts == 0)
      return; // maybe it was not written again
    book_.require(std::any_of(c.kept.begin(), c.kept.end(), [&](const auto& k) { return k.done == done; }),
                  "a change was answered with other counts");
    if (c.kept.size() == 1)
      node_.wrote(which, replaced, c.kept[0].epoch);
  }

  void acknowledged(size_t number, const applied& done) {
    ++book_[number].acked;
    ++totals_.acked;
    stage_.note(static_cast<uint64_t>(done.accepted << 20 | done.duplicates << 10 | done.conflicts));
    book_.require(!book_[number].kept.empty(), "a change was acknowledged before it was durable");
  }

  void failed(size_t number, const error& why) {
    stage_.note(static_cast<uint64_t>(why.code));
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
      while (stage_.has_jobs())
        stage_.run_a_job();
      if (node_.all_serve() && !stage_.has_timeouts()) {
        book_.require(stage_.unanswered() == 0, "a request was not answered");
        return;
      }
      node_.pass_time();
      node_.supervise();
    }
    book_.require(false, "all does not come to rest");
  }

  /// All partitions take changes again, the first time or after their owner was made anew.
  void write_once_more() {
    for (uint32_t p = 0; p < book_.partitions() && sound(); ++p) {
      const auto number = book_.make(p, stage_.random);
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
    for (uint32_t p = 0; p < book_.partitions() && sound(); ++p) {
      const auto& shard = node_[node_.current(p)].handle;
      stage_.ask<protocol::loaded>(
          shard,
          [this, p](const result<protocol::loaded>& told) {
            book_.require(told && told->state_hash == book_.state_hash(p),
                          "a state is not what the records make");
          },
          protocol::load_atom_v);
      stage_.ask<protocol::shared_marks>(
          shard,
          [this, p](const result<protocol::shared_marks>& told) {
            book_.require(told && book_.all_marks(p, **told), "a batch is not remembered");
          },
          protocol::marks_atom_v);
      come_to_rest();
    }
  }

  simulation_totals& totals_;
  simulation_stage stage_;
  simulation_book book_;
  simulation_node node_;
};

} // namespace storemon::test
