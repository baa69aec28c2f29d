#include "storemon/journal/journal_actor.hpp"

#include "storemon/journal/backup_actor.hpp"
#include "storemon/journal/replay.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace storemon::journal {

using namespace protocol;

namespace {

std::string of_partition(uint32_t partition) {
  return "partition " + std::to_string(partition);
}

error fenced(uint32_t partition) {
  return {errc::fenced, "another has taken " + of_partition(partition) + " over"};
}

error refused(uint32_t partition, errc outcome) {
  if (outcome == errc::fenced)
    return fenced(partition);
  return {outcome, "what was to be written to " + of_partition(partition) + " does not fit what is stored"};
}

} // namespace

void journal_state::start(journal_self::pointer self, std::unique_ptr<backend> kept,
                          journal_options options) {
  self_ = self;
  backend_ = std::move(kept);
  options_ = std::move(options);
  ledgers_.resize(options_.partitions);
}

// -- what changes -----------------------------------------------------------------------------------------

template <class R>
caf::typed_response_promise<R> journal_state::queue(change c,
                                                    std::function<result<R>(const operation&, errc)> answer) {
  auto promise = self_->make_response_promise<R>();
  c.settle = [promise, answer = std::move(answer)](const operation& what, errc outcome) mutable {
    if (auto done = answer(what, outcome))
      promise.deliver(std::move(*done));
    else
      promise.deliver(to_caf(done.error()));
  };
  c.fail = [promise](const error& e) mutable { promise.deliver(to_caf(e)); };
  queue_.add(std::move(c));
  if (!awake_)
    wake();
  return promise;
}

void journal_state::wake() {
  self_->send(self_, next_atom_v);
  awake_ = true;
}

/// Whether the epoch's owner may write to the partition.
result<void> journal_state::writable(uint32_t partition, uint64_t epoch) const {
  if (partition >= ledgers_.size())
    return error{errc::invalid_argument, "there is no " + of_partition(partition)};
  const auto& l = ledgers_[partition];
#if STOREMON_PLANT_BUG == 3
  static_cast<void>(epoch);
#else
  if (!l.open() || l.end().epoch != epoch)
    return fenced(partition);
#endif
  if (!l.damage().empty())
    return error{errc::damaged, l.damage()};
  if (failing_)
    return error{errc::storage_failing, failure_};
  return {};
}

caf::result<opening> journal_state::open(uint32_t partition) {
  if (partition >= ledgers_.size())
    return to_caf({errc::invalid_argument, "there is no " + of_partition(partition)});
  if (failing_)
    return to_caf({errc::storage_failing, failure_});
  change c;
  c.alone = partition;
  c.adds = false;
  c.make = [this, partition]() -> result<operation> {
    const auto found = backend_->owner(partition);
    if (!found) {
      note(found.error());
      return found.error();
    }
    return operation(ledgers_[partition].stage_opening(partition, *found));
  };
  return queue<opening>(
      std::move(c), [this, partition](const operation&, errc outcome) { return opened(partition, outcome); });
}

result<opening> journal_state::opened(uint32_t partition, errc outcome) {
  auto& l = ledgers_[partition];
  if (outcome != errc::ok) {
    l.close();
    return refused(partition, outcome);
  }
  const auto names = backend_->store_names(partition);
  if (names) {
    l.begin(*names);
  } else if (names.error().code == errc::damaged) {
    l.begin_damaged(names.error().detail);
    options_.log_error(of_partition(partition) + " is damaged: " + l.damage());
  } else {
    l.close();
    note(names.error());
    return names.error();
  }
  return opening{l.end().epoch, l.end().next_seq};
}

caf::result<uint64_t> journal_state::append_entries(uint32_t partition, uint64_t epoch,
                                                    const shared_entries& entries) {
  if (auto may = writable(partition, epoch); !may)
    return to_caf(may.error());
  if (entries->empty())
    return to_caf({errc::invalid_argument, "there is nothing to append"});
  change c;
  c.make = [this, partition, epoch, entries]() -> result<operation> {
    if (auto may = writable(partition, epoch); !may)
      return may.error();
    auto staged = ledgers_[partition].stage_entries(codec_, partition, *entries);
    if (!staged)
      return staged.error();
    return operation(std::move(*staged));
  };
  return queue<uint64_t>(std::move(c),
                         [this, partition](const operation& what, errc outcome) -> result<uint64_t> {
                           if (outcome != errc::ok) {
                             fence(partition, "an append was refused as " + std::string(to_string(outcome)));
                             return refused(partition, outcome);
                           }
                           const auto& kept = std::get<append>(what).records;
                           records_ += kept.size();
                           return kept.back().seq;
                         });
}

result<void> journal_state::takes_snapshot(const protocol::snapshot& s) const {
  if (auto may = writable(s.partition, s.epoch); !may)
    return may;
  if (!pins_.empty())
    return error{errc::busy, "exports run, which need the snapshots there are"};
  return {};
}

caf::result<bool> journal_state::snapshot(const shared_snapshot& s) {
  if (auto may = takes_snapshot(*s); !may)
    return to_caf(may.error());
  auto before = std::make_shared<std::optional<manifest>>();
  change c;
  c.alone = s->partition;
  c.make = [this, s, before]() -> result<operation> {
    if (auto may = takes_snapshot(*s); !may)
      return may.error();
    auto& l = ledgers_[s->partition];
    auto made = l.stage_snapshot(*backend_, codec_, *s);
    if (!made) {
      note(made.error());
      return made.error();
    }
    *before = made->before;
    return operation(std::move(made->what));
  };
  return queue<bool>(std::move(c), [this, before](const operation& what, errc outcome) {
    return snapshot_put(std::get<put_snapshot>(what).what, *before, outcome);
  });
}

result<bool> journal_state::snapshot_put(const manifest& m, const std::optional<manifest>& before,
                                         errc outcome) {
  if (outcome != errc::ok)
    return refused(m.partition, outcome);
  auto& l = ledgers_[m.partition];
  l.base.reset();
  if (auto sound = verify_snapshot(*backend_, codec_, l.names(), m, l.end().next_seq); !sound) {
    options_.log_error("a snapshot is not used: " + sound.error().detail);
    note(sound.error());
    return sound.error();
  }
  if (before)
    forget_records(m, *before);
  return true;
}

/// Records that a snapshot made needless are gathered until every partition has some, or one has more:
/// records of all partitions share their pages, which are so written once.
void journal_state::forget_records(const manifest& m, const manifest& before) {
  const bool again = needless_.contains(m.partition);
  needless_[m.partition] = compact{m.partition, m.epoch, before.through_seq,
                                   options_.now() - options_.retention, before.generation};
  const auto open = std::count_if(ledgers_.begin(), ledgers_.end(), [](const auto& l) { return l.open(); });
  if (!again && needless_.size() < static_cast<size_t>(open))
    return;
  std::vector<operation> what;
  for (const auto& [partition, c] : std::exchange(needless_, {}))
    what.emplace_back(c);
  const auto done = backend_->commit(what);
  if (done) {
    ++commits_;
    return;
  }
  // The snapshots stand, and the next ones forget what these did not.
  options_.log_error("records are kept longer than need be: " + done.error().detail);
  note(done.error());
}

caf::result<bool> journal_state::queue_plain(operation what, bool adds) {
  if (failing_)
    return to_caf({errc::storage_failing, failure_});
  change c;
  c.adds = adds;
  c.make = [what = std::move(what)]() -> result<operation> { return what; };
  return queue<bool>(std::move(c), [](const operation&, errc outcome) -> result<bool> {
    if (outcome != errc::ok)
      return error{outcome, "the change was refused"};
    return true;
  });
}

caf::result<bool> journal_state::put(const std::shared_ptr<const stored_report>& report) {
  return queue_plain(put_report{report}, true);
}

caf::result<bool> journal_state::drop(const std::vector<std::string>& reports) {
  return queue_plain(drop_reports{reports}, false);
}

caf::result<bool> journal_state::put(const std::string& name, const std::string& value) {
  return queue_plain(put_value{name, value}, true);
}

void journal_state::commit() {
  awake_ = false;
  std::optional<error> no_room;
  if (auto there = in_place(); !there)
    no_room = there.error();
  else if (!room())
    no_room = error{errc::disk_full, no_room_sentence()};
  const auto done = queue_.commit(*backend_, ledgers_, options_.commit_bytes_max, no_room);
  if (!queue_.empty())
    wake();
  if (!done) {
    failure_ = done.error().detail;
    note(done.error());
  } else if (*done > 0) {
    ++commits_;
    if (!failing_)
      failure_.clear();
  }
  if (const auto tidied = backend_->tidy(); !tidied)
    note(tidied.error());
}

// -- what fails -------------------------------------------------------------------------------------------

/// Whether what is committed can be found again; says so once when it no longer can, and when it can again.
result<void> journal_state::in_place() {
  auto there = backend_->in_place();
  if (away_ != !there) {
    away_ = !there;
    if (there)
      options_.log_info("the data is back in its place");
    else
      options_.log_error("nothing can be made durable: " + there.error().detail);
  }
  return there;
}

bool journal_state::room() const {
  return backend_->bytes_free() >= options_.free_min;
}

std::string journal_state::no_room_sentence() const {
  return "fewer than " + std::to_string(options_.free_min) + " bytes are free on the disk";
}

/// Takes notice of a failure of the backend: one that poisons it begins its healing.
void journal_state::note(const error& e) {
  if (e.code != errc::storage_failing || failing_)
    return;
  failing_ = true;
  failure_ = e.detail;
  options_.log_error("nothing can be made durable: " + e.detail);
  if (const auto copied = copied_now(); copied != backups_.end())
    end_backup(copied->first, e); // healing replaces what it copies
  self_->send(self_, deadline_atom_v);
}

void journal_state::heal() {
  auto healed = backend_->heal();
  if (healed)
    healed = compare_ownership();
  if (!healed) {
    failure_ = healed.error().detail;
    self_->delayed_send(self_, options_.heal_pause, deadline_atom_v);
    return;
  }
  ++heals_;
  failing_ = false;
  failure_.clear();
  options_.log_info("the journal is healed");
}

/// A commit that failed may after all be in what the backend healed from: then its partitions' owners have to
/// learn of it by a replay.
result<void> journal_state::compare_ownership() {
  for (uint32_t p = 0; p < ledgers_.size(); ++p) {
    const auto& known = ledgers_[p].end();
    if (!ledgers_[p].open())
      continue;
    const auto found = backend_->owner(p);
    if (!found)
      return found.error();
    if (found->epoch != known.epoch || found->next_seq != known.next_seq || found->last_crc != known.last_crc)
      fence(p, "what is stored is not what was known of it");
  }
  return {};
}

/// Nobody writes to the partition until it is opened again.
void journal_state::fence(uint32_t partition, const std::string& why) {
  ledgers_[partition].close();
  options_.log_error(of_partition(partition) + " has to be opened again: " + why);
}

caf::error journal_state::failed_read(const error& e) {
  note(e);
  return to_caf(e);
}

void journal_state::stop(const caf::error& why) {
  while (!queue_.empty())
    commit();
  while (!backups_.empty())
    end_backup(backups_.begin()->first, error{errc::shutting_down, "the server is being stopped"});
  self_->quit(why);
}

// -- what reads -------------------------------------------------------------------------------------------

caf::result<shared_replay> journal_state::replay(uint32_t partition, uint64_t epoch,
                                                 const replay_cursor& at) {
  if (partition >= ledgers_.size())
    return to_caf({errc::invalid_argument, "there is no " + of_partition(partition)});
  auto& l = ledgers_[partition];
  if (!l.open() || (epoch != reader_epoch && l.end().epoch != epoch))
    return to_caf(fenced(partition));
  if (l.names_lost()) {
    replay_slice slice;
    slice.last = true;
    slice.damage = l.damage();
    return shared_replay(std::move(slice));
  }
  if (!l.base) {
    auto chosen = choose_base(*backend_, partition, l.end().next_seq);
    if (!chosen)
      return failed_read(chosen.error());
    if (!chosen->broken.empty())
      options_.log_error("a snapshot is passed over: " + chosen->broken);
    l.base = std::move(*chosen);
  }
  auto slice =
      read_slice({*backend_, codec_, partition, l.names(), l.end(), *l.base, options_.slice_bytes_max}, at);
  if (!slice)
    return failed_read(slice.error());
  if (!slice->damage.empty()) {
    l.damaged(slice->damage);
    options_.log_error(of_partition(partition) + " is damaged: " + slice->damage);
  }
  return shared_replay(std::move(*slice));
}

caf::result<std::shared_ptr<const std::vector<stored_report>>> journal_state::reports() {
  auto all = backend_->reports();
  if (!all)
    return failed_read(all.error());
  return std::make_shared<const std::vector<stored_report>>(std::move(*all));
}

caf::result<std::shared_ptr<const std::string>> journal_state::report_bytes(const std::string& id) {
  auto bytes = backend_->report_bytes(id);
  if (!bytes)
    return failed_read(bytes.error());
  return std::make_shared<const std::string>(std::move(*bytes));
}

caf::result<std::string> journal_state::value(const std::string& name) {
  auto found = backend_->value(name);
  if (!found)
    return failed_read(found.error());
  return std::move(*found);
}

caf::result<std::vector<uint64_t>> journal_state::pin() {
  std::vector<uint64_t> last;
  for (const auto& l : ledgers_) {
    if (!l.open())
      return to_caf({errc::not_ready, "not all partitions are open"});
    last.push_back(l.end().next_seq - 1);
  }
  const auto who = caf::actor_cast<caf::actor_addr>(self_->current_sender());
  if (++pins_[who] == 1)
    self_->monitor(who);
  return last;
}

void journal_state::unpin(const caf::actor_addr& who) {
  const auto held = pins_.find(who);
  if (held == pins_.end() || --held->second > 0)
    return;
  pins_.erase(held);
  self_->demonitor(who);
}

void journal_state::gone(const caf::actor_addr& who) {
  pins_.erase(who);
}

/// The backup whose copy is not whole yet.
journal_state::backups::iterator journal_state::copied_now() {
  return std::find_if(backups_.begin(), backups_.end(),
                      [](const auto& b) { return b.second.copy != nullptr; });
}

caf::result<bool> journal_state::backup(const std::string& path) {
  if (failing_)
    return to_caf({errc::storage_failing, failure_});
  if (backups_.contains(path) || copied_now() != backups_.end())
    return to_caf({errc::busy, "another backup is under way"});
  auto copy = begin_backup(*backend_, path);
  if (!copy)
    return to_caf(copy.error());
  auto answer = self_->make_response_promise<bool>();
  backups_.emplace(path, backup_begun{std::move(*copy), answer});
  self_->send(self_, backup_atom_v);
  return answer;
}

void journal_state::copy_more() {
  const auto copied = copied_now();
  if (copied == backups_.end())
    return;
  const auto path = copied->first;
  const auto whole = copied->second.copy->go_on(options_.copy_bytes_max);
  if (!whole) {
    end_backup(path, whole.error());
  } else if (!*whole) {
    self_->send(self_, backup_atom_v);
  } else {
    copied->second.copy.reset();
    verify_copied(path);
  }
}

/// Takes no backend, and long: another actor does it, on a thread of its own if this one has one.
void journal_state::verify_copied(const std::string& path) {
  const auto finisher = self_->getf(caf::abstract_actor::is_detached_flag)
                            ? self_->spawn<caf::detached>(backup_finisher, options_.verify_copy)
                            : self_->spawn(backup_finisher, options_.verify_copy);
  self_->request(finisher, caf::infinite, backup_atom_v, path)
      .then([this, path](bool) { end_backup(path, {}); },
            [this, path](const caf::error& why) { end_backup(path, from_caf(why)); });
}

void journal_state::end_backup(const std::string& path, const result<void>& done) {
  auto ended = backups_.extract(path);
  if (done) {
    options_.log_info("backup written to " + path);
    ended.mapped().answer.deliver(true);
  } else {
    options_.log_error("no backup: " + done.error().detail);
    ended.mapped().answer.deliver(to_caf(done.error()));
  }
}

journal_health journal_state::health() {
  journal_health h;
  h.durable = true;
  h.bytes_free = backend_->bytes_free();
  h.failure = failure_;
  const auto there = in_place();
  if (h.failure.empty() && !there)
    h.failure = there.error().detail;
  if (h.failure.empty() && h.bytes_free < options_.free_min)
    h.failure = no_room_sentence();
  h.commits = commits_;
  h.records = records_;
  h.heals = heals_;
  return h;
}

journal_self::behavior_type journal(journal_self::stateful_pointer<journal_state> self,
                                    std::unique_ptr<backend> kept, journal_options options) {
  auto& state = self->state;
  state.start(self, std::move(kept), std::move(options));
  self->set_down_handler([&state](const caf::down_msg& m) { state.gone(m.source); });
  self->set_exit_handler([&state](const caf::exit_msg& m) { state.stop(m.reason); });
  return {
      [&state](open_atom, uint32_t partition) { return state.open(partition); },
      [&state](replay_atom, uint32_t partition, uint64_t epoch, const replay_cursor& at) {
        return state.replay(partition, epoch, at);
      },
      [&state](append_atom, uint32_t partition, uint64_t epoch, const shared_entries& entries) {
        return state.append_entries(partition, epoch, entries);
      },
      [&state](snap_atom, const shared_snapshot& s) { return state.snapshot(s); },
      [&state](put_atom, const std::shared_ptr<const stored_report>& report) { return state.put(report); },
      [&state](drop_atom, const std::vector<std::string>& ids) { return state.drop(ids); },
      [&state](reports_atom) { return state.reports(); },
      [&state](reports_atom, const std::string& id) { return state.report_bytes(id); },
      [&state](get_atom, const std::string& name) { return state.value(name); },
      [&state](put_atom, const std::string& name, const std::string& value) {
        return state.put(name, value);
      },
      [&state](pin_atom) { return state.pin(); },
      [&state, self](unpin_atom) { state.unpin(caf::actor_cast<caf::actor_addr>(self->current_sender())); },
      [&state](backup_atom, const std::string& path) { return state.backup(path); },
      [&state](health_atom) { return state.health(); },
      [&state](next_atom) { state.commit(); },
      [&state](backup_atom) { state.copy_more(); },
      [&state](deadline_atom) { state.heal(); },
  };
}

} // namespace storemon::journal
