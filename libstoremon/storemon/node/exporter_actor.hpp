#pragma once

#include "storemon/partition/partition_data.hpp"
#include "storemon/protocol/actors.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace storemon::node {

struct exporter_options {
  protocol::journal_actor journal;
  /// Exports at once: each holds one partition in memory.
  size_t exports_max = 4;
  /// A piece of text ends with the store that takes it past this.
  size_t piece_bytes = size_t{256} << 10;
  /// An export whose next piece is not asked for so long is dropped: it holds back snapshots.
  std::chrono::milliseconds idle_max = std::chrono::minutes(1);
};

/// An exporter hears when an export may have been forgotten by its client.
using exporter_self = protocol::exporter_actor::extend<caf::reacts_to<protocol::deadline_atom, uint64_t>>;

/// Exports under way. Each pins the journal, rebuilds one partition after the other as of that position, and
/// writes it out store by store; so memory is bounded by the largest partition.
class exporter_state {
public:
  static inline const char* name = "exporter";

  void start(exporter_self::pointer self, exporter_options options);

  caf::result<uint64_t> begin(feed_kind feed);
  caf::result<std::shared_ptr<const std::string>> next(uint64_t number);
  void drop(uint64_t number);
  void look_after(uint64_t number);

private:
  using piece_promise = caf::typed_response_promise<std::shared_ptr<const std::string>>;

  struct export_job {
    feed_kind feed = feed_kind::status;
    std::vector<uint64_t> through; ///< by partition, the last record that counts
    uint32_t partition = 0;        ///< the one being written
    std::unique_ptr<partition::partition_data> data;
    std::vector<const partition::store*> stores; ///< of `data`, in order of id
    size_t store = 0;                            ///< the next to be written
    std::string text;                            ///< not yet fetched
    std::vector<piece_promise> waiting;          ///< at most one
    uint64_t pieces = 0;                         ///< asked for so far
    uint64_t pieces_seen = 0;                    ///< when it was looked after
  };

  void go_on(uint64_t number);
  void load(uint64_t number, protocol::replay_cursor at);
  void loaded(uint64_t number, const protocol::replay_slice& slice);
  void give(export_job& job);
  void fail(uint64_t number, const error& why);
  void end(uint64_t number);

  exporter_self::pointer self_ = nullptr;
  exporter_options options_;
  std::map<uint64_t, export_job> jobs_;
  size_t beginning_ = 0; ///< exports whose pin is under way
  uint64_t last_number_ = 0;
};

exporter_self::behavior_type exporter(exporter_self::stateful_pointer<exporter_state> self,
                                      exporter_options options);

} // namespace storemon::node
