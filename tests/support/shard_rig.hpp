#pragma once

#include "storemon/partition/shard_actor.hpp"

#include "support/fake_journal.hpp"
#include "support/partition_rows.hpp"
#include "support/results.hpp"
#include "support/sim.hpp"

#include <catch2/catch.hpp>

namespace storemon::test {

using namespace protocol;
using namespace std::chrono_literals;

/// A shard of partition 3 and the scripted journal it writes to.
class shard_rig : public sim {
public:
  shard_rig() {
    journal = owns(system.spawn(fake_journal, &script));
    options.partition = 3;
    options.journal = journal;
    options.now = [this] { return clock; };
    respawn();
  }

  ~shard_rig() { script.held.clear(); } // a promise that is kept holds its actor

  /// A shard of the same partition anew, as a supervisor makes it.
  void respawn() {
    shard = owns(system.spawn(partition::shard, options));
    settle();
  }

  /// Lets the journal answer the appends that it holds.
  void release() {
    self->send(journal, unpin_atom_v);
    settle();
  }

  loaded load() {
    const auto done = ask<loaded>(shard, load_atom_v);
    REQUIRE(done);
    return *done;
  }

  loaded reload() {
    self->send_exit(shard, caf::exit_reason::kill);
    respawn();
    return load();
  }

  result<applied> apply(update change) {
    return ask<applied>(shard, apply_atom_v, shared_update(std::move(change)));
  }

  result<batch_result> put(batch b) {
    return ask<batch_result>(shard, batch_atom_v, shared_batch(std::move(b)));
  }

  auto send(update change) {
    return self->request(shard, caf::infinite, apply_atom_v, shared_update(std::move(change)));
  }

  auto send(batch b) { return self->request(shard, caf::infinite, batch_atom_v, shared_batch(std::move(b))); }

  /// How many observations the shard shows.
  int64_t seen() {
    const auto counted = ask<census>(shard, census_atom_v);
    REQUIRE(counted);
    return counted->observations;
  }

  /// Whether the shard has ended.
  bool ended() {
    const auto counted = ask<census>(shard, census_atom_v);
    return !counted && counted.error().code == errc::partition_lost;
  }

  journal_script script;
  instant clock = now;
  journal_actor journal;
  partition::shard_options options;
  shard_actor shard;
};

inline update poll(int n, store_status status = active) {
  return polls({{"a", {now + std::chrono::minutes(n), status}}});
}

inline batch keyed(uint64_t key, uint64_t body, int n, store_status status = active) {
  return {polls({{"a", {now + std::chrono::minutes(n), status}}}), {{key, 1}, {body, 1}}, false};
}

template <class R>
errc code_of(const result<R>& r) {
  return r ? errc::ok : r.error().code;
}

} // namespace storemon::test
