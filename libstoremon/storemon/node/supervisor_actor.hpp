#pragma once

#include "storemon/partition/shard_actor.hpp"
#include "storemon/protocol/actors.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace storemon::node {

struct supervisor_options {
  std::string node_name = "node";
  /// Names of all nodes that partitions are placed on; this node's among them.
  std::vector<std::string> nodes = {"node"};
  uint32_t partitions = 64;
  /// The feeds; empty: none, partitions serve what the journal holds. With a journal they are read when they
  /// are other files than those read last, and when a client asks; without one, for every new shard.
  std::string import_directory;
  /// Null: nothing is kept.
  protocol::journal_actor journal;
  /// Told of every change of placement; may be null.
  protocol::intake_actor intake;
  /// Likewise.
  protocol::weights_actor weights;
  /// Likewise.
  protocol::store_desk_actor desk;
  size_t parsers = 2;
  partition::shard_options shards; ///< partition and journal are filled in
  /// How long reports and an import under way may still take when the server is stopped.
  std::chrono::milliseconds drain_timeout = std::chrono::seconds(10);
  /// A shard that keeps dying is made anew at once the first time, then after pauses that double up to this.
  std::chrono::milliseconds respawn_pause_max = std::chrono::seconds(30);
  /// Where the log goes; one sentence a call.
  std::function<void(const std::string&)> log_info;
  std::function<void(const std::string&)> log_error;
  /// Told when the node cannot go on, so that the process ends and is started afresh.
  std::function<void(const std::string&)> fatal;
};

using supervisor_self = protocol::supervisor_actor::extend<
    /// The pause before a partition's shard is made again is over.
    caf::reacts_to<protocol::spawn_atom, uint32_t>,
    /// The pause before a failed reload is tried again is over.
    caf::reacts_to<protocol::import_atom, bool>,
    /// The time to finish what runs is over.
    caf::reacts_to<protocol::deadline_atom>>;

/// Which partition is served where, and how it gets its data. Every partition goes absent -> loading ->
/// serving; the loss of its shard or node sends it back to absent. What loads is replayed from the journal,
/// and then filled from the import directory where the journal does not hold that already. Coordinator and
/// intake are told of every change.
class supervisor_state {
public:
  static inline const char* name = "supervisor";

  void start(supervisor_self::pointer self, supervisor_options options,
             protocol::coordinator_actor coordinator);

  caf::result<uint32_t> join(const std::string& node, protocol::host_actor host);
  protocol::health health() const;
  caf::result<bool> ready();
  caf::result<std::shared_ptr<const protocol::import_result>> import_again();
  caf::result<bool> stop();

  void down(const caf::down_msg& gone);
  void spawn_again(uint32_t partition);
  void load();
  void time_is_up();

private:
  struct node {
    std::string name;
    protocol::host_actor host; // null: not up
    uint32_t partitions = 0;
  };

  struct slot {
    size_t node = 0;
    protocol::partition_state state = protocol::partition_state::absent;
    protocol::shard_actor shard; // null where absent
    bool replayed = false;       // it holds what the journal does
    bool held = false;           // and that is something
    bool filled = false;         // it, or its journal, holds what the import directory does
    std::string damage;          // why it is read-only; empty: it is sound
    uint32_t failures = 0;
  };

  using import_answer = caf::typed_response_promise<std::shared_ptr<const protocol::import_result>>;

  void node_up(size_t n, protocol::host_actor host);
  void node_down(size_t n);
  void spawn(size_t n, std::vector<uint32_t> partitions);
  void spawned(size_t n, const std::vector<uint32_t>& partitions,
               const std::vector<protocol::shard_actor>& shards);
  void replayed(uint32_t partition, const protocol::shard_actor& by, const protocol::loaded& what);
  void recall_import();
  void remember_import();
  void shard_down(uint32_t partition, const caf::error& why);
  void start_import(std::set<uint32_t> partitions);
  void imported(const std::shared_ptr<const protocol::import_result>& what);
  void import_failed(const error& why);
  void publish();
  template <class Handle>
  void drain(const Handle& actor, bool supervisor_state::*over);
  void end_if_drained();
  void finish_stop();
  bool all(protocol::partition_state state) const;

  supervisor_self::pointer self_ = nullptr;
  supervisor_options options_;
  protocol::coordinator_actor coordinator_;
  std::vector<node> nodes_;
  std::vector<slot> slots_;
  uint64_t shard_failures_ = 0;
  std::string last_failure_;

  protocol::importer_actor importer_;                   // null: no import runs
  std::shared_ptr<const protocol::import_gauge> gauge_; // of the last importer; null: there was none
  std::set<uint32_t> filling_; // partitions the running import fills for the first time
  std::optional<import_answer> import_answer_;
  std::shared_ptr<const protocol::import_result> last_import_;
  std::string files_read_;       // what tells the files apart that the running import reads
  bool import_recalled_ = false; // it is known which files were read before

  bool was_ready_ = false;
  std::optional<error> load_failure_; // of the first import
  std::vector<caf::typed_response_promise<bool>> await_ready_;

  bool stopping_ = false;
  bool reports_over_ = false;
  bool intake_over_ = false;
  bool time_is_up_ = false;
  bool ending_began_ = false;
  std::vector<caf::typed_response_promise<bool>> await_stop_;
  std::set<caf::actor_addr> ending_; // whose end the supervisor waits for before its own
};

supervisor_self::behavior_type supervisor(supervisor_self::stateful_pointer<supervisor_state> self,
                                          supervisor_options options,
                                          protocol::coordinator_actor coordinator);

} // namespace storemon::node
