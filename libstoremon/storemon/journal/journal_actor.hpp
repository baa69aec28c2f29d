#pragma once

#include "storemon/journal/backend.hpp"
#include "storemon/journal/backup.hpp"
#include "storemon/journal/codec.hpp"
#include "storemon/journal/commit_queue.hpp"
#include "storemon/journal/ledger.hpp"
#include "storemon/protocol/actors.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace storemon::journal {

struct journal_options {
  uint32_t partitions = 64;
  /// A commit takes no further change once its payloads exceed this: it bounds how long the first waits.
  size_t commit_bytes_max = size_t{8} << 20;
  /// A slice of a replay takes no further payload once it exceeds this: messages stay small.
  size_t slice_bytes_max = size_t{1} << 20;
  /// Records are kept so long although snapshots cover them, for repair by hand.
  duration retention = std::chrono::days(7);
  /// A backup copies no more at once: others wait so long.
  size_t copy_bytes_max = size_t{1} << 20;
  /// Between attempts to heal the backend.
  std::chrono::milliseconds heal_pause = std::chrono::seconds(5);
  /// With fewer bytes free nothing is added, so that what must be written to go on still can be.
  uint64_t free_min = uint64_t{256} << 20;
  /// Where the hour comes from that retention counts from.
  std::function<instant()> now;
  /// Says what is wrong with the file of a backup.
  copy_verifier verify_copy;
  /// Where the log goes; one sentence a call.
  std::function<void(const std::string&)> log_info;
  std::function<void(const std::string&)> log_error;
};

/// What the journal tells itself besides.
using journal_self = protocol::journal_actor::extend<
    /// Commit what is queued: comes after everything that was in the mailbox when it was sent.
    caf::reacts_to<protocol::next_atom>,
    /// Copy more of the backup under way: comes after what waited meanwhile.
    caf::reacts_to<protocol::backup_atom>,
    /// The pause before the next attempt to heal is over.
    caf::reacts_to<protocol::deadline_atom>>;

/// The backend, what is known of each partition, and the changes that wait for the next commit.
class journal_state {
public:
  static inline const char* name = "journal";

  void start(journal_self::pointer self, std::unique_ptr<backend> kept, journal_options options);

  caf::result<protocol::opening> open(uint32_t partition);
  caf::result<protocol::shared_replay> replay(uint32_t partition, uint64_t epoch,
                                              const protocol::replay_cursor& at);
  caf::result<uint64_t> append_entries(uint32_t partition, uint64_t epoch,
                                       const protocol::shared_entries& entries);
  caf::result<bool> snapshot(const protocol::shared_snapshot& s);
  caf::result<bool> put(const std::shared_ptr<const protocol::stored_report>& report);
  caf::result<bool> drop(const std::vector<std::string>& reports);
  caf::result<bool> put(const std::string& name, const std::string& value);
  caf::result<std::shared_ptr<const std::vector<protocol::stored_report>>> reports();
  caf::result<std::shared_ptr<const std::string>> report_bytes(const std::string& id);
  caf::result<std::string> value(const std::string& name);
  caf::result<std::vector<uint64_t>> pin();
  void unpin(const caf::actor_addr& who);
  caf::result<bool> backup(const std::string& path);
  protocol::journal_health health();

  void commit();
  void copy_more();
  void heal();
  void gone(const caf::actor_addr& who);
  void stop(const caf::error& why);

private:
  /// A backup under way.
  struct backup_begun {
    std::unique_ptr<backend::copying> copy; ///< null once it is whole, and being verified
    caf::typed_response_promise<bool> answer;
  };

  using backups = std::map<std::string, backup_begun>; // by path

  template <class R>
  caf::typed_response_promise<R> queue(change c, std::function<result<R>(const operation&, errc)> answer);
  caf::result<bool> queue_plain(operation what, bool adds);
  result<void> writable(uint32_t partition, uint64_t epoch) const;
  result<void> takes_snapshot(const protocol::snapshot& s) const;
  result<protocol::opening> opened(uint32_t partition, errc outcome);
  result<bool> snapshot_put(const manifest& m, const std::optional<manifest>& before, errc outcome);
  void forget_records(const manifest& m, const manifest& before);
  backups::iterator copied_now();
  void verify_copied(const std::string& path);
  void end_backup(const std::string& path, const result<void>& done);
  result<void> compare_ownership();
  void fence(uint32_t partition, const std::string& why);
  caf::error failed_read(const error& e);
  void note(const error& e);
  void wake();
  result<void> in_place();
  bool room() const;
  std::string no_room_sentence() const;

  journal_self::pointer self_ = nullptr;
  std::unique_ptr<backend> backend_;
  journal_options options_;
  codec codec_;
  std::vector<ledger> ledgers_;          // by partition
  std::map<uint32_t, compact> needless_; // by partition
  commit_queue queue_;
  bool awake_ = false; // a message to commit is on its way
  bool away_ = false;  ///< the files were removed or moved
  bool failing_ = false;
  std::string failure_; // of the last commit, or of the backend while failing
  uint64_t commits_ = 0;
  uint64_t records_ = 0;
  uint64_t heals_ = 0;
  std::map<caf::actor_addr, size_t> pins_;
  backups backups_;
};

/// JOURNAL. Blocks while it commits, reads and copies: to be spawned detached.
journal_self::behavior_type journal(journal_self::stateful_pointer<journal_state> self,
                                    std::unique_ptr<backend> kept, journal_options options);

} // namespace storemon::journal
