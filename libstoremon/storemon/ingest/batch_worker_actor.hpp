#pragma once

#include "storemon/ingest/body_parser.hpp"
#include "storemon/protocol/actors.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace storemon::ingest {

/// The shard of each partition; null where none serves.
using placement = std::shared_ptr<const std::vector<protocol::shard_actor>>;

/// What a request would put under way.
struct batch_load {
  batch_mark mark;
  std::vector<std::pair<uint32_t, size_t>> bytes; ///< of rows, by partition
};

/// How a request ended.
struct batch_outcome {
  std::shared_ptr<const protocol::intake_result> result; ///< null: it failed
  error failure{errc::ok, ""};
  bool sent = false; ///< whether a shard may have applied some of it
};

using read_atom = caf::atom_constant<caf::atom("read")>;
} // namespace storemon::ingest

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(storemon::ingest::batch_load)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(storemon::ingest::batch_outcome)

namespace storemon::ingest {

/// BATCH_WORKER: takes one client's request from its body to the answers of the shards. Ends when its answer
/// is given and no shard holds a part of the request any more, be it answered or gone.
using batch_worker_actor = caf::typed_actor<
    /// Reads the body. Fails with invalid_argument or too_large.
    protocol::op<batch_load, read_atom>,
    /// Has what was read applied; answers when all shards have, or one failed and the others have answered.
    protocol::op<batch_outcome, protocol::apply_atom>,
    /// The shard of a partition is gone: nothing is expected from it.
    caf::reacts_to<protocol::lost_atom, uint32_t>,
    /// Time is up: shards that have not answered count as silent.
    caf::reacts_to<protocol::deadline_atom>>;

class batch_worker_state {
public:
  static inline const char* name = "batch_worker";

  void start(batch_worker_actor::pointer self, protocol::intake_request request, placement shards,
             const body_limits& limits);

  caf::result<batch_load> read();
  caf::result<batch_outcome> apply();
  void lost(uint32_t partition);
  void deadline();

private:
  /// What goes to one shard.
  struct part {
    uint32_t partition = 0;
    protocol::shared_batch batch;
    bool waiting = false; ///< for the shard's answer
    result<protocol::batch_result> answer = protocol::batch_result();
  };

  template <class Atom>
  void ask_all(Atom what);

  void settle(part& p, result<protocol::batch_result> answer);
  void all_settled();
  std::optional<error> gravest() const;
  std::optional<error> contradiction() const;
  void succeed();
  void fail(error why);
  void answer(batch_outcome outcome);

  batch_worker_actor::pointer self_ = nullptr;
  protocol::intake_request request_;
  placement shards_;
  body_limits limits_;
  batch_mark mark_;
  rejects rejected_;
  std::vector<part> parts_; // not changed once the shards are asked
  size_t waiting_ = 0;      // of the parts
  std::set<uint32_t> lost_;
  bool checking_ = false; // whether the shards are asked what would be, not told to apply
  bool sent_ = false;
  bool answered_ = false;
  std::optional<caf::typed_response_promise<batch_outcome>> promise_;
};

batch_worker_actor::behavior_type batch_worker(batch_worker_actor::stateful_pointer<batch_worker_state> self,
                                               protocol::intake_request request, placement shards,
                                               const body_limits& limits);

} // namespace storemon::ingest
