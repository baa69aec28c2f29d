#pragma once

#include "storemon/ingest/importer_actor.hpp"
#include "storemon/protocol/actors.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace storemon::ingest {

struct import_desk_options {
  /// Imports at once; one more is refused as busy, for each takes a thread and as many parsers as are below.
  size_t running_max = 1;
  /// Imports remembered, running ones among them: bounds memory.
  size_t kept_max = 100;
  /// Parsers of one import.
  size_t parsers = 2;
  /// Where the hour comes from, so that tests can say.
  std::function<instant()> now;
  /// Takes a sentence for the log.
  std::function<void(const std::string&)> log_error;
};

/// IMPORT_DESK: the imports that clients order. The file of an order is the desk's: it is removed however the
/// order ends, also where it is refused.
using import_desk_actor = caf::typed_actor<
    /// As the intake's; fails with busy, not_ready, partition_lost where a partition has no shard.
    protocol::op<protocol::import_status, protocol::import_atom, protocol::import_order>,
    protocol::op<protocol::import_status, protocol::poll_atom, std::string>,
    protocol::op<std::vector<protocol::import_status>, protocol::list_atom>,
    protocol::op<bool, protocol::stop_atom>,
    caf::reacts_to<protocol::placed_atom, std::vector<protocol::shard_actor>>>;

class import_desk_state {
public:
  static inline const char* name = "import_desk";

  import_desk_state() = default;
  import_desk_state(const import_desk_state&) = delete;
  import_desk_state& operator=(const import_desk_state&) = delete;

  /// However the desk ends, its importers end with it, and their files go.
  ~import_desk_state();

  void start(import_desk_actor::pointer self, import_desk_options options);

  caf::result<protocol::import_status> import(const protocol::import_order& order);
  caf::result<protocol::import_status> poll(const std::string& id) const;
  std::vector<protocol::import_status> list() const;
  caf::result<bool> stop();

  void placed(std::vector<protocol::shard_actor> shards) { shards_ = std::move(shards); }

private:
  struct entry {
    protocol::import_status status;
    std::string path;
    std::shared_ptr<protocol::import_gauge> gauge;
    protocol::importer_actor importer{}; ///< null: it is over
  };

  std::optional<error> refusal(const protocol::import_order& order) const;
  protocol::import_status status_of(const entry& e) const;
  void ended(entry& e);
  void remove(const std::string& path) const;

  import_desk_actor::pointer self_ = nullptr;
  import_desk_options options_;
  std::vector<protocol::shard_actor> shards_;
  std::deque<std::shared_ptr<entry>> entries_; // newest first
  size_t running_ = 0;
  bool stopping_ = false;
  std::vector<caf::typed_response_promise<bool>> stops_;
};

import_desk_actor::behavior_type import_desk(import_desk_actor::stateful_pointer<import_desk_state> self,
                                             import_desk_options options);

} // namespace storemon::ingest
